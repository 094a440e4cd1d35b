/* Histograms of some series beside plain arrays. */
#include "tests/lib/test.h"
#include "tsdb/chunk_histogram.h"
#include "tsdb/head_histogram.h"
#include <stdlib.h>

enum { SERIES = 5, MANY = 400 };

static const struct histogram *make(struct arena *a, uint32_t n, double base)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);
	struct histogram_span *span = ARENA_NEW(a, struct histogram_span);
	double *pos = ARENA_ARRAY(a, double, n);
	*span = (struct histogram_span){-2, n};
	for (uint32_t i = 0; i < n; i++)
		pos[i] = base + i;
	*h = (struct histogram){.schema = 2,
	    .count = 100 * base,
	    .sum = base,
	    .n_pos_spans = 1,
	    .n_pos = n,
	    .pos_spans = span,
	    .pos = pos};
	return h;
}

struct given {
	series_ref ref;
	int64_t t_ms;
	const struct histogram *h;
};

static void check_range(const struct head_histograms *h, const struct given *given, size_t n, series_ref ref,
    int64_t min_t_ms, int64_t max_t_ms)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	struct err err;
	size_t k = 0;
	sample_column_init(&c, arena);
	check_ok("read", head_histograms_read(h, ref, min_t_ms, max_t_ms, &c, &err), &err);
	for (size_t i = 0; i < n; i++) {
		if (given[i].ref != ref || given[i].t_ms < min_t_ms || given[i].t_ms > max_t_ms)
			continue;
		check_true("there", k < c.n);
		check_int("time", c.t[k], given[i].t_ms);
		check_true("the same", histogram_eq(c.h[k++], given[i].h));
	}
	check_int("no more", c.n, k);
	sample_column_done(&c);
	arena_free(arena);
}

static void like_arrays(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct given *given = calloc(MANY, sizeof(*given));
	struct head_histograms h = {0};
	struct err err;
	check_true("nobody", head_histograms_of(&h, 1) == NULL);
	check_range(&h, given, 0, 1, INT64_MIN, INT64_MAX);
	for (size_t i = 0; i < MANY; i++) {
		struct strbuf chunk = STRBUF_INIT;
		given[i] = (struct given){.ref = 1 + (series_ref)test_random_below(&r, SERIES) * 1000003,
		    .t_ms = (int64_t)i * 1000,
		    .h = make(
			arena, 1 + (uint32_t)test_random_below(&r, 30), (double)test_random_below(&r, 1000))};
		size_t before = h.bytes;
		chunk_histogram_encode(&given[i].t_ms, &given[i].h, 1, &chunk);
		check_ok("add",
		    head_histograms_add(&h, given[i].ref, given[i].t_ms, strbuf_slice(&chunk), &err), &err);
		check_true("memory is counted", h.bytes >= before);
		strbuf_done(&chunk);
	}
	size_t entries = 0, memory = h.series.cap * sizeof(*h.series.v) + h.by_ref.bytes;
	VEC_EACH (const struct series_histograms, s, &h.series) {
		check_true("found", head_histograms_of(&h, s->ref) == s);
		entries += s->entries.len;
		memory += s->bytes.cap + s->entries.cap * sizeof(*s->entries.v);
	}
	check_int("entries", entries, MANY);
	check_int("to the byte", h.bytes, memory);
	for (int i = 0; i < 200; i++) {
		series_ref ref = 1 + (series_ref)test_random_below(&r, SERIES + 1) * 1000003;
		int64_t from = (int64_t)test_random_below(&r, MANY * 1000),
			to = from + (int64_t)test_random_below(&r, 90000);
		check_range(&h, given, MANY, ref, from, to);
		check_range(&h, given, MANY, ref, INT64_MIN, to);
	}
	head_histograms_done(&h);
	check_int("nothing left", h.bytes, 0);
	free(given);
	arena_free(arena);
}

/* Bytes that are no chunk are damage, not a crash. */
static void damage_is_told(void **state)
{
	(void)state;
	struct head_histograms h = {0};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	struct err err;
	sample_column_init(&c, arena);
	check_ok("add", head_histograms_add(&h, 7, 1000, SL("this is no chunk"), &err), &err);
	check_int("read", head_histograms_read(&h, 7, INT64_MIN, INT64_MAX, &c, &err), ERR_CORRUPT);
	check_ok("not in the range", head_histograms_read(&h, 7, 1001, INT64_MAX, &c, &err), &err);
	sample_column_done(&c);
	arena_free(arena);
	head_histograms_done(&h);
}

TEST_MAIN("head histogram", cmocka_unit_test(like_arrays), cmocka_unit_test(damage_is_told))
