/* Window bounds against a search from scratch per step. */
#include "tests/lib/test.h"

#include "promql/window.h"

static bool within(const struct window_spec *s, uint32_t k, int64_t t)
{
	int64_t end = window_end_ms(s, k);
	return t > end - s->range_ms && t <= end;
}

static void check_plain(const struct window_spec *spec, const struct windows *w, const int64_t *t, size_t n)
{
	for (uint32_t k = 0; k < spec->n; k++) {
		uint32_t lo = 0, count = 0;
		for (uint32_t i = 0; i < n; i++) {
			if (within(spec, k, t[i]) && count++ == 0)
				lo = i;
		}
		check_int("length", w->hi[k] - w->lo[k], count);
		if (count)
			check_int("lo", w->lo[k], lo);
	}
}

static void test_random(void **state)
{
	struct test_random r;
	(void)state;

	test_random_init(&r);
	for (int round = 0; round < 200; round++) {
		int64_t t[50], at = 0;
		size_t n = test_random_below(&r, 50);
		for (size_t i = 0; i < n; i++)
			t[i] = at += 1 + (int64_t)test_random_below(&r, 30);
		struct window_spec spec = {.end_ms = (int64_t)test_random_below(&r, 100),
		    .step_ms = (int64_t)test_random_below(&r, 40),
		    .range_ms = 1 + (int64_t)test_random_below(&r, 120),
		    .n = 1 + (uint32_t)test_random_below(&r, 40)};
		struct windows w;
		windows_init(&w);
		windows_set(&w, &spec, t, n, 0);
		check_plain(&spec, &w, t, n);
		windows_done(&w);
	}
}

static void test_reuse(void **state)
{
	const int64_t a[] = {1, 2, 3}, b[] = {1, 2, 4};
	struct window_spec spec = {.end_ms = 3, .range_ms = 2, .n = 1};
	struct windows w;
	(void)state;

	windows_init(&w);
	windows_set(&w, &spec, a, 3, 0);
	uint64_t generation = w.generation;
	windows_set(&w, &spec, a, 3, 0);
	check_int("same times", w.generation, generation);
	windows_set(&w, &spec, b, 3, 0);
	check_true("other times", w.generation != generation);
	check_int("hi", w.hi[0], 2);
	windows_done(&w);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *name;
		enum window_kind kind;
		int64_t end_ms, range_ms, before_ms, after_ms;
		uint32_t lo, hi;
	} cases[] = {
	    {"plain", WINDOW_PLAIN, 35, 20, 0, 0, 2, 4},
	    {"anchored takes one before", WINDOW_ANCHORED, 35, 20, 50, 0, 1, 4},
	    {"anchored with nothing inside", WINDOW_ANCHORED, 90, 20, 50, 0, 0, 0},
	    {"anchored, the one before is too old", WINDOW_ANCHORED, 35, 8, 5, 0, 3, 4},
	    {"smoothed takes one behind", WINDOW_SMOOTHED, 35, 20, 50, 50, 1, 5},
	    {"smoothed with a sample at the end", WINDOW_SMOOTHED, 30, 10, 50, 50, 2, 4},
	    {"around", WINDOW_AROUND, 25, 0, 50, 50, 2, 4},
	    {"around, exact", WINDOW_AROUND, 20, 0, 50, 50, 2, 3},
	    {"around, nothing before", WINDOW_AROUND, -5, 0, 50, 50, 0, 0},
	    {"around, nothing behind", WINDOW_AROUND, 55, 0, 50, 50, 4, 5},
	};
	const int64_t t[] = {0, 10, 20, 30, 40};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct window_spec spec = {.end_ms = cases[i].end_ms,
		    .range_ms = cases[i].range_ms,
		    .n = 1,
		    .kind = cases[i].kind,
		    .before_ms = cases[i].before_ms,
		    .after_ms = cases[i].after_ms};
		struct windows w;
		windows_init(&w);
		windows_set(&w, &spec, t, ARRAY_LEN(t), 0);
		check_int(cases[i].name, w.hi[0] - w.lo[0], cases[i].hi - cases[i].lo);
		if (cases[i].hi > cases[i].lo)
			check_int(cases[i].name, w.lo[0], cases[i].lo);
		windows_done(&w);
	}
}

TEST_MAIN("window", cmocka_unit_test(test_random), cmocka_unit_test(test_reuse), cmocka_unit_test(test_kinds))
