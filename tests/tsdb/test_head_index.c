/* Symbols, label sets and the index beside matcher_matches_labels() over all series. */
#include "tests/lib/test.h"
#include "tsdb/head_index.h"
#include <stdlib.h>

enum { SERIES = 1500 };

static void symbols_are_interned(void **state)
{
	(void)state;
	struct symbols s;
	struct err err;
	symbols_init(&s);
	uint32_t a, b, again;
	char *longer = malloc(SYMBOL_MAX_BYTES + 1);
	memset(longer, 'x', SYMBOL_MAX_BYTES + 1);
	check_ok("a", symbols_add(&s, SL("abc"), &a, &err), &err);
	check_ok("empty", symbols_add(&s, SL_EMPTY, &b, &err), &err);
	check_ok("again", symbols_add(&s, SL("abc"), &again, &err), &err);
	check_int("one symbol", again, a);
	check_true("not none", a != 0 && b != 0 && a != b);
	check_slice("text", symbols_text(&s, a), SL("abc"));
	check_int("found", symbols_find(&s, SL("abc")), a);
	check_int("not found", symbols_find(&s, SL("ab")), 0);
	check_int("too long", symbols_add(&s, slice_of(longer, SYMBOL_MAX_BYTES + 1), &b, &err), ERR_LIMIT);
	for (size_t n = 254; n < 600000; n = n * 3 / 2) {
		size_t len = n > SYMBOL_MAX_BYTES ? SYMBOL_MAX_BYTES : n;
		check_ok("long", symbols_add(&s, slice_of(longer, len), &b, &err), &err);
		check_slice("long", symbols_text(&s, b), slice_of(longer, len));
	}
	check_slice("still", symbols_text(&s, a), SL("abc"));
	free(longer);
	symbols_done(&s);
}

struct world {
	struct test_random r;
	struct arena *arena;
	struct head_index ix;
	const struct labels *labels[SERIES + 1];
	uint32_t handles[SERIES + 1];
	bool gone[SERIES + 1];
};

static const struct labels *random_labels(struct world *w, uint32_t i)
{
	struct label l[6];
	size_t n = 0;
	l[n++] = (struct label){
	    SL("__name__"), arena_printf(w->arena, "m%u", (unsigned)test_random_below(&w->r, 20))};
	if (test_random_below(&w->r, 4))
		l[n++] = (struct label){
		    SL("job"), arena_printf(w->arena, "j%u", (unsigned)test_random_below(&w->r, 4))};
	if (test_random_below(&w->r, 2))
		l[n++] = (struct label){SL("pod"), arena_printf(w->arena, "p%u", i / 10)};
	l[n++] = (struct label){SL("z"), arena_printf(w->arena, "%u", i)};
	return labels_from_sorted(w->arena, l, n);
}

static void check_matcher(
    struct world *w, enum match_op op, const char *name, const char *value, const struct matcher *also)
{
	const struct matcher *m[2] = {NULL, also};
	struct err err;
	check_ok(
	    "matcher", matcher_new(w->arena, op, slice_cstr(name), slice_cstr(value), &m[0], &err), &err);
	struct postings got = {0};
	head_index_select(&w->ix, m, also ? 2 : 1, &got);
	for (uint32_t i = 1; i <= SERIES; i++) {
		bool want = !w->gone[i] && matcher_matches_labels(m[0], w->labels[i]) &&
			    (!also || matcher_matches_labels(also, w->labels[i]));
		if (postings_has(&got, i) != want)
			fail_msg("series %u and %s%s%s: got %d", i, name, match_op_text(op), value, !want);
	}
	postings_done(&got);
}

static void check_all_matchers(struct world *w)
{
	static const char *const values[] = {
	    "", "j1", "j1|j2", "p1.*", ".*", ".+", "|j3", "nothing", "m1", "m1.*", ".*1"};
	static const char *const names[] = {"__name__", "job", "pod", "z", "absent"};
	const struct matcher *also;
	struct err err;
	check_ok(
	    "matcher", matcher_new(w->arena, MATCH_REGEX, SL("__name__"), SL("m1|m3"), &also, &err), &err);
	for (size_t n = 0; n < ARRAY_LEN(names); n++)
		for (size_t v = 0; v < ARRAY_LEN(values); v++)
			for (int op = MATCH_EQUAL; op <= MATCH_NOT_REGEX; op++) {
				check_matcher(w, (enum match_op)op, names[n], values[v], NULL);
				check_matcher(w, (enum match_op)op, names[n], values[v], also);
			}
}

static void the_index_agrees_with_matchers(void **state)
{
	(void)state;
	struct world *w = calloc(1, sizeof(*w));
	struct err err;
	test_random_init(&w->r);
	w->arena = arena_new(ARENA_NO_LIMIT);
	head_index_init(&w->ix);
	for (uint32_t i = 1; i <= SERIES; i++) {
		w->labels[i] = random_labels(w, i);
		check_ok("add", head_index_add(&w->ix, i, w->labels[i], &w->handles[i], &err), &err);
	}
	for (uint32_t i = 1; i <= SERIES; i++) {
		check_true("labels",
		    labels_eq(series_labels_get(&w->ix.labels, w->handles[i], w->arena), w->labels[i]));
		check_true("equal", series_labels_eq(&w->ix.labels, w->handles[i], w->labels[i]));
		check_true("not equal",
		    !series_labels_eq(&w->ix.labels, w->handles[i], w->labels[i == 1 ? 2 : i - 1]));
	}
	check_all_matchers(w);
	for (uint32_t i = 1; i <= SERIES; i++) {
		w->gone[i] = test_random_below(&w->r, 3) == 0;
		if (w->gone[i])
			head_index_remove(&w->ix, i, w->handles[i]);
	}
	check_all_matchers(w);
	head_index_done(&w->ix);
	arena_free(w->arena);
	free(w);
}

TEST_MAIN(
    "head index", cmocka_unit_test(symbols_are_interned), cmocka_unit_test(the_index_agrees_with_matchers))
