#include "model/label_builder.h"
#include "model/labels.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

#include <stdlib.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(ARENA_NO_LIMIT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *printed(const struct labels *ls)
{
	struct strbuf sb = STRBUF_INIT;
	labels_print(&sb, ls);
	const char *text = arena_strdup(arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

static void sets_are_sorted_without_empty_values(void **state)
{
	(void)state;
	const struct labels *ls = labels_of(arena, "b", "2", "a", "1", "c", "", NULL);
	check_str("printed", slice_cstr(printed(ls)), "{a=\"1\", b=\"2\"}");
	check_str("get", labels_get(ls, SL("b")), "2");
	check_str("get absent", labels_get(ls, SL("c")), "");
	assert_false(labels_has(ls, SL("c")));
	assert_true(labels_eq(ls, labels_of(arena, "a", "1", "b", "2", NULL)));
	assert_true(labels_eq(&labels_empty, labels_of(arena, NULL)));
	assert_true(labels_eq(&labels_empty, labels_of(arena, "x", "", NULL)));
}

static void a_name_that_stands_twice_is_an_error(void **state)
{
	(void)state;
	const struct label l[] = {{SL("a"), SL("1")}, {SL("b"), SL("1")}, {SL("a"), SL("")}};
	const struct labels *out;
	struct err err;
	check_int("rc", labels_from_pairs(arena, l, 3, &out, &err), ERR_INVALID);
	check_str("text", slice_cstr(err.msg), "label name \"a\" is not unique");
}

static void order_is_by_pairs_the_shorter_first(void **state)
{
	(void)state;
	const struct labels *in_order[] = {
	    &labels_empty,
	    labels_of(arena, "a", "1", NULL),
	    labels_of(arena, "a", "1", "b", "1", NULL),
	    labels_of(arena, "a", "10", NULL),
	    labels_of(arena, "a", "2", NULL),
	    labels_of(arena, "b", "1", NULL),
	};
	for (size_t i = 0; i < ARRAY_LEN(in_order); i++)
		for (size_t k = 0; k < ARRAY_LEN(in_order); k++) {
			int c = labels_cmp(in_order[i], in_order[k]);
			check_int("cmp", (c > 0) - (c < 0), (i > k) - (i < k));
		}
}

static void printing(void **state)
{
	(void)state;
	const struct {
		const char *file;
		void (*print)(struct strbuf *out, const struct labels *ls);
	} kinds[] = {{"labelset_string.json", labels_print}, {"metric_to_string.json", labels_print_metric}};
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct test_cases *cases = test_cases_open(kinds[k].file);
		for (size_t i = 0; i < test_cases_count(cases); i++) {
			const struct json_value *c = test_case(cases, i);
			struct label l[16];
			size_t n = 0;
			for (void *at = NULL; n < 16;) {
				const struct json_value *value;
				if (!json_next_member(json_member(c, "labels"), &at, &l[n].name, &value))
					break;
				json_get_string(value, &l[n++].value);
			}
			const struct labels *ls = NULL;
			struct err err;
			check_ok("pairs", labels_from_pairs(arena, l, n, &ls, &err), &err);
			struct strbuf sb = STRBUF_INIT;
			kinds[k].print(&sb, ls);
			check_slice(kinds[k].file, strbuf_slice(&sb), test_case_text(cases, c, "text"));
			strbuf_done(&sb);
		}
		test_cases_close(cases);
	}
	check_str("names that need quotes", slice_cstr(printed(labels_of(arena, "a.b", "x\"y\n", NULL))),
	    "{\"a.b\"=\"x\\\"y\\n\"}");
}

static void names(void **state)
{
	(void)state;
	const struct {
		const char *file;
		bool (*legacy)(struct slice s);
	} kinds[] = {{"label_name_valid.json", label_name_valid_legacy},
	    {"metric_name_valid.json", metric_name_valid_legacy}};
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct test_cases *cases = test_cases_open(kinds[k].file);
		for (size_t i = 0; i < test_cases_count(cases); i++) {
			const struct json_value *c = test_case(cases, i);
			struct slice name = test_case_text(cases, c, "name");
			check_int("legacy", kinds[k].legacy(name), test_case_bool(c, "legacy_valid"));
			check_int("utf8", label_name_valid(name), test_case_bool(c, "utf8_valid"));
		}
		test_cases_close(cases);
	}
}

/* FNV-1a with 0xff behind each part, computed by hand. */
static void fingerprint(void **state)
{
	(void)state;
	assert_true(labels_fingerprint(&labels_empty) == UINT64_C(14695981039346656037));
	const unsigned char bytes[] = {'a', 0xff, '1', 0xff};
	uint64_t want = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < sizeof(bytes); i++)
		want = (want ^ bytes[i]) * UINT64_C(1099511628211);
	assert_true(labels_fingerprint(labels_of(arena, "a", "1", NULL)) == want);
}

static void hashes_over_some_names(void **state)
{
	(void)state;
	const struct labels *x = labels_of(arena, "__name__", "m", "a", "1", "b", "2", "c", "3", NULL);
	const struct labels *y = labels_of(arena, "__name__", "n", "a", "1", "b", "9", "c", "3", NULL);
	const struct slice b[] = {SL("b")}, ac[] = {SL("a"), SL("c")}, name_b[] = {SL("__name__"), SL("b")};
	assert_true(labels_hash_ignoring(x, b, 1, false) == labels_hash_ignoring(y, b, 1, false));
	assert_false(labels_hash_ignoring(x, b, 1, true) == labels_hash_ignoring(y, b, 1, true));
	assert_true(labels_hash_ignoring(x, name_b, 2, true) == labels_hash_ignoring(y, name_b, 2, true));
	assert_true(labels_hash_on(x, ac, 2) == labels_hash_on(y, ac, 2));
	assert_false(labels_hash_on(x, b, 1) == labels_hash_on(y, b, 1));
	assert_true(labels_hash_on(x, ac, 2) == labels_hash_ignoring(x, b, 1, false));
}

/* --- against a naive model ------------------------------------------------------------------------------------------ */

enum { NAMES = 12 };
static const char *const name_pool[NAMES] = {
    "__name__", "a", "aa", "b", "instance", "job", "le", "z", "zone", "\xc3\xa4", "A", "_"};

/* Values by name; NULL: absent. The text is long at times, so that the hash runs over several pieces. */
struct model {
	struct slice value[NAMES];
};

static struct slice random_value(struct test_random *r)
{
	static const size_t lengths[] = {0, 1, 1, 2, 3, 30, 1022, 1024, 3000};
	size_t len = lengths[test_random_below(r, ARRAY_LEN(lengths))];
	char *text = arena_alloc(arena, len + 1);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + test_random_below(r, 2));
	return slice_of(text, len);
}

static void check_equals_model(const struct labels *ls, const struct model *m)
{
	size_t n = 0;
	for (size_t i = 0; i < NAMES; i++) {
		check_slice(name_pool[i], labels_get(ls, slice_cstr(name_pool[i])), m->value[i]);
		n += m->value[i].len > 0;
	}
	check_int("labels", ls->n, n);
	for (uint32_t i = 1; i < ls->n; i++)
		assert_true(slice_cmp(ls->l[i - 1].name, ls->l[i].name) < 0);
}

static bool models_equal(const struct model *a, const struct model *b)
{
	for (size_t i = 0; i < NAMES; i++)
		if (!slice_eq(a->value[i], b->value[i]))
			return false;
	return true;
}

static void builder_like_a_plain_array(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 300; round++) {
		arena_reset(arena);
		struct model m, before;
		for (size_t i = 0; i < NAMES; i++)
			m.value[i] = SL_EMPTY;
		struct label_builder b;
		label_builder_init(&b, arena, NULL);
		const struct labels *last = label_builder_labels(&b);
		before = m;
		for (int step = 0; step < 40; step++) {
			size_t i = test_random_below(&r, NAMES);
			struct slice name = slice_cstr(name_pool[i]), value = random_value(&r);
			if (test_random_below(&r, 4) == 0) {
				label_builder_del(&b, name);
				value = SL_EMPTY;
			} else if (test_random_below(&r, 2)) {
				label_builder_set(&b, name, value);
			} else {
				label_builder_set_copy(&b, name, value);
			}
			m.value[i] = value;
			check_slice("builder", label_builder_get(&b, name), value);
			const struct labels *ls = label_builder_labels(&b);
			check_equals_model(ls, &m);
			check_int("equal as the models", labels_eq(ls, last), models_equal(&m, &before));
			check_int("cmp agrees", labels_cmp(ls, last) == 0, labels_eq(ls, last));
			struct labels *copy = labels_copy(ls);
			assert_true(labels_eq(copy, ls));
			check_equals_model(copy, &m);
			labels_free(copy);
			last = labels_copy_to(arena, ls);
			assert_true(labels_eq(last, ls));
			before = m;
			if (test_random_below(&r, 8) == 0)
				label_builder_reset(&b, last);
		}
	}
}

TEST_MAIN("labels", cmocka_unit_test_setup_teardown(sets_are_sorted_without_empty_values, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_name_that_stands_twice_is_an_error, set_up, tear_down),
    cmocka_unit_test_setup_teardown(order_is_by_pairs_the_shorter_first, set_up, tear_down),
    cmocka_unit_test_setup_teardown(printing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(names, set_up, tear_down),
    cmocka_unit_test_setup_teardown(fingerprint, set_up, tear_down),
    cmocka_unit_test_setup_teardown(hashes_over_some_names, set_up, tear_down),
    cmocka_unit_test_setup_teardown(builder_like_a_plain_array, set_up, tear_down))
