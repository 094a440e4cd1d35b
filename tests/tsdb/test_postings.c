#include "base/attr.h"
#include "tests/lib/test.h"
#include "tsdb/postings.h"
#include "tsdb/postings_ops.h"

#include <stdlib.h>

/* The naive model: an array of booleans over a few containers. */
enum { SPAN = 4 * 65536 + 100 };

struct model {
	struct postings p;
	bool in[SPAN];
};
static struct model x, y;

static void model_clear(struct model *m)
{
	postings_done(&m->p);
	memset(m->in, 0, sizeof(m->in));
}

static void model_add(struct model *m, uint32_t ref)
{
	check_int("add tells", postings_add(&m->p, ref), !m->in[ref]);
	m->in[ref] = true;
}

static void model_add_range(struct model *m, uint32_t first, uint32_t last)
{
	postings_add_range(&m->p, first, last);
	memset(m->in + first, 1, last - first + 1);
}

static void check_model(const char *name, const struct model *m)
{
	static uint32_t refs[SPAN];
	struct postings_iter it;
	size_t n = 0, pos = 0, cap = 1;
	uint64_t want = 0;
	for (uint32_t i = 0; i < SPAN; i++)
		want += m->in[i];
	check_int(name, postings_count(&m->p), want);
	check_int(name, postings_is_empty(&m->p), want == 0);
	postings_iter_init(&it, &m->p);
	for (size_t got; (got = postings_iter_next(&it, refs + n, cap)) > 0; n += got)
		cap = cap * 2 + 1;
	check_int(name, n, want);
	for (uint32_t i = 0; i < SPAN; i++)
		if (m->in[i])
			check_int(name, refs[pos++], i);
	for (uint32_t i = 0; i < SPAN; i += 37)
		check_int(name, postings_has(&m->p, i), m->in[i]);
}

/* Shapes that make arrays, runs, bitmaps, inline runs and nothing at all. */
static void fill(struct test_random *r, struct model *m)
{
	model_clear(m);
	int steps = (int)test_random_below(r, 5);
	for (int s = 0; s < steps; s++) {
		uint32_t base = (uint32_t)test_random_below(r, SPAN - 20000);
		switch (test_random_below(r, 6)) {
		case 0:
			model_add_range(m, base, base + (uint32_t)test_random_below(r, 20000));
			break;
		case 1:
			for (uint32_t i = base; i < base + 3000; i++)
				model_add(m, i);
			break;
		case 2: /* many: a bitmap */
			for (int i = 0; i < 9000; i++)
				model_add(m, base + (uint32_t)test_random_below(r, 19000));
			break;
		case 3: /* few: an array */
			for (int i = 0; i < 200; i++)
				model_add(m, (uint32_t)test_random_below(r, SPAN));
			break;
		case 4: /* short runs, descending */
			for (int i = 300; i > 0; i--)
				model_add_range(
				    m, base + (uint32_t)i * 50, base + (uint32_t)i * 50 + (uint32_t)(i % 9));
			break;
		default:
			model_add_range(m, base & ~0xffffu, (base & ~0xffffu) + 65535 + 40);
		}
	}
	if (test_random_below(r, 2))
		postings_compact(&m->p);
}

static void shapes_hold_their_members(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 150; round++) {
		fill(&r, &x);
		check_model("filled", &x);
		for (int i = 0; i < 3000; i++) {
			uint32_t ref = (uint32_t)test_random_below(&r, SPAN);
			if (i % 3 == 0) {
				model_add(&x, ref);
				continue;
			}
			check_int("remove tells", postings_remove(&x.p, ref), x.in[ref]);
			x.in[ref] = false;
		}
		check_model("changed", &x);
		postings_compact(&x.p);
		check_model("compacted", &x);
	}
	model_clear(&x);
}

static void algebra_is_that_of_sets(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	static struct model z;
	static void (*const op[])(struct postings *, const struct postings *) = {
	    postings_and, postings_or, postings_andnot};
	static const char *const name[] = {"and", "or", "andnot"};
	for (int round = 0; round < 200; round++) {
		fill(&r, &x);
		fill(&r, &y);
		uint64_t both = 0;
		for (int k = 0; k < 3; k++) {
			postings_copy(&z.p, &x.p);
			op[k](&z.p, &y.p);
			for (uint32_t i = 0; i < SPAN; i++)
				z.in[i] = k == 0   ? x.in[i] && y.in[i]
					  : k == 1 ? x.in[i] || y.in[i]
						   : x.in[i] && !y.in[i];
			check_model(name[k], &z);
			if (k == 0)
				both = postings_count(&z.p);
		}
		check_int("and_count", postings_and_count(&x.p, &y.p), both);
		check_model("operand", &y);
		check_true("equal to itself", postings_eq(&x.p, &x.p));
	}
	model_clear(&x);
	model_clear(&y);
	model_clear(&z);
}

static void union_of_many(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	static struct postings sets[40];
	const struct postings *list[40];
	for (int round = 0; round < 20; round++) {
		size_t n = test_random_below(&r, 40);
		model_clear(&y);
		for (size_t i = 0; i < n; i++) {
			fill(&r, &x);
			postings_copy(&sets[i], &x.p);
			list[i] = &sets[i];
			for (uint32_t k = 0; k < SPAN; k++)
				y.in[k] |= x.in[k];
		}
		postings_or_many(&y.p, list, n);
		check_model("or many", &y);
		for (size_t i = 0; i < n; i++)
			postings_done(&sets[i]);
	}
	model_clear(&x);
	model_clear(&y);
}

static void ends_of_the_number_range(void **state)
{
	(void)state;
	struct postings p = {0};
	uint32_t refs[4];
	assert_true(postings_add(&p, UINT32_MAX));
	assert_true(postings_add(&p, UINT32_MAX - 1));
	assert_true(postings_add(&p, 0));
	assert_false(postings_add(&p, UINT32_MAX));
	check_int("three", postings_count(&p), 3);
	postings_to_array(&p, refs);
	check_int("first", refs[0], 0);
	check_int("last", refs[2], UINT32_MAX);
	postings_done(&p);
	postings_add_range(&p, 0, UINT32_MAX);
	check_int("everything", postings_count(&p), INT64_C(1) << 32);
	check_int("inline", postings_bytes(&p), 0);
	struct postings q = {0};
	postings_add(&q, 7);
	postings_andnot(&p, &q);
	check_int("all but one", postings_count(&p), (INT64_C(1) << 32) - 1);
	postings_done(&p);
	postings_done(&q);
}

static void neighbours_cost_nothing(void **state)
{
	(void)state;
	struct postings p = {0};
	for (uint32_t i = 1000; i < 3000000; i++)
		postings_add(&p, i);
	check_int("bytes", postings_bytes(&p), 0);
	postings_remove(&p, 5000);
	assert_true(postings_bytes(&p) < 64 * 80);
	postings_add(&p, 5000);
	postings_compact(&p);
	check_int("one run again", postings_bytes(&p), 0);
	postings_done(&p);
}

static void stored_form_comes_back(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct err err;
	for (int round = 0; round < 200; round++) {
		struct strbuf sb = STRBUF_INIT;
		struct postings back = {0};
		fill(&r, &x);
		postings_encode(&x.p, &sb);
		check_ok("decode", postings_decode(&back, strbuf_slice(&sb), SPAN, &err), &err);
		check_true("same", postings_eq(&x.p, &back));
		uint32_t largest = 0;
		for (uint32_t i = 0; i < SPAN; i++)
			largest = x.in[i] ? i : largest;
		postings_done(&back);
		if (!postings_is_empty(&x.p))
			check_int(
			    "limit", postings_decode(&back, strbuf_slice(&sb), largest, &err), ERR_CORRUPT);
		/* Anything may stand on a disk: cut and bent, it decodes to something within the limit, or not at all. */
		for (int k = 0; k < 50 && sb.len > 0; k++) {
			size_t len = test_random_below(&r, sb.len) + 1;
			char *bent = malloc(len);
			memcpy(bent, sb.ptr, len);
			bent[test_random_below(&r, len)] ^= (char)(1u << test_random_below(&r, 8));
			if (postings_decode(&back, slice_of(bent, len), SPAN, &err) == 0)
				assert_true(postings_count(&back) <= SPAN);
			postings_done(&back);
			free(bent);
		}
		strbuf_done(&sb);
	}
	model_clear(&x);
}

TEST_MAIN("postings", cmocka_unit_test(shapes_hold_their_members), cmocka_unit_test(algebra_is_that_of_sets),
    cmocka_unit_test(union_of_many), cmocka_unit_test(ends_of_the_number_range),
    cmocka_unit_test(neighbours_cost_nothing), cmocka_unit_test(stored_form_comes_back))
