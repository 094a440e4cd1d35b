/* The kernels of range functions (func_rate.c, func_over_time.c, func_regression.c) against window-by-window loops. */
#include "tests/lib/test.h"
#include "tests/promql/range_naive.h"

#include "model/stale_marker.h"
#include "promql/range_func.h"
#include <math.h>

enum { MAX_SAMPLES = 400 };

struct series {
	int64_t t[MAX_SAMPLES];
	double v[MAX_SAMPLES];
	size_t n;
};

/* Counters with resets, gauges, and values that break things. */
static double random_value(struct test_random *r, int shape, double prev)
{
	static const double odd[] = {0, -0.0, NAN, INFINITY, -INFINITY, 1e308, -1e308, 1e-300, 5};

	if (shape == 2 && test_random_below(r, 6) == 0)
		return odd[test_random_below(r, ARRAY_LEN(odd))];
	if (shape == 0)
		return test_random_below(r, 20) == 0 ? (double)test_random_below(r, 3)
						     : prev + (double)test_random_below(r, 50) / 7;
	return (test_random_unit(r) - 0.3) * 1000;
}

static void random_series(struct test_random *r, struct series *s)
{
	int shape = (int)test_random_below(r, 3);
	int64_t t = (int64_t)test_random_below(r, 1000);
	double v = 0;

	s->n = test_random_below(r, MAX_SAMPLES);
	for (size_t i = 0; i < s->n; i++) {
		s->t[i] = t += 1 + (int64_t)test_random_below(r, test_random_below(r, 10) ? 30 : 300);
		s->v[i] = v = random_value(r, shape, v);
	}
}

/* Any NaN is as good as another. Sums of long windows are added up in another order; the error allowed is relative to what
 * was added. */
static void check_same(const char *name, double got, double want, double allowed)
{
	if ((isnan(got) && isnan(want)) || fabs(got - want) <= allowed)
		return;
	check_double(name, got, want);
}

static double allowed_error(enum function_id id, const double *v, size_t n)
{
	double size = 0;

	if (n < 64 || (id != FN_SUM_OVER_TIME && id != FN_AVG_OVER_TIME))
		return 0;
	for (size_t i = 0; i < n; i++)
		size += fabs(v[i]) / (id == FN_AVG_OVER_TIME ? (double)n : 1);
	return size * 1e-14;
}

static void compare(
    enum function_id id, const struct series *s, const struct window_spec *spec, struct arena *arena)
{
	double *param = ARENA_ARRAY(arena, double, spec->n);
	struct grid grid = {.start_ms = spec->end_ms, .step_ms = spec->step_ms, .n = spec->n};
	struct range_call call;
	struct windows w;
	struct tile tile;

	for (uint32_t k = 0; k < spec->n; k++)
		param[k] = (double)(k % 11) / 10;
	windows_init(&w);
	windows_set(&w, spec, s->t, s->n, 0);
	range_call_init(&call, id, spec, &grid);
	call.param[0] = param;
	assert_true(tile_init(&tile, arena, 1, spec->n));
	struct range_input in = {.n_floats = s->n, .float_t = s->t, .v = s->v, .fw = &w};
	range_func_of(id)->kernel(&call, &in, &tile, 0);
	struct row row = tile_row(&tile, 0);
	for (uint32_t k = 0; k < spec->n; k++) {
		double want = 0;
		bool some = range_naive(id, s->t + w.lo[k], s->v + w.lo[k], w.hi[k] - w.lo[k],
		    window_end_ms(spec, k), spec->range_ms, param[k], &want);
		check_int(functions[id].name, bit_get(row.present, k), some);
		if (some)
			check_same(functions[id].name, row.v[k], want,
			    allowed_error(id, s->v + w.lo[k], w.hi[k] - w.lo[k]));
	}
	range_call_done(&call);
	windows_done(&w);
}

static void test_random_windows(void **state)
{
	static const enum function_id ids[] = {FN_RATE, FN_INCREASE, FN_DELTA, FN_IRATE, FN_IDELTA,
	    FN_SUM_OVER_TIME, FN_AVG_OVER_TIME, FN_STDVAR_OVER_TIME, FN_STDDEV_OVER_TIME,
	    FN_QUANTILE_OVER_TIME, FN_MAX_OVER_TIME, FN_MIN_OVER_TIME, FN_CHANGES, FN_RESETS,
	    FN_COUNT_OVER_TIME, FN_PRESENT_OVER_TIME, FN_LAST_OVER_TIME, FN_FIRST_OVER_TIME};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct test_random r;
	struct series s;
	(void)state;

	test_random_init(&r);
	for (int round = 0; round < 300; round++) {
		random_series(&r, &s);
		struct window_spec spec = {.end_ms = (int64_t)test_random_below(&r, 2000),
		    .step_ms = (int64_t)test_random_below(&r, 60),
		    .range_ms = 1 + (int64_t)test_random_below(&r, round % 2 ? 3000 : 200),
		    .n = 1 + (uint32_t)test_random_below(&r, 150)};
		for (size_t i = 0; i < ARRAY_LEN(ids); i++)
			compare(ids[i], &s, &spec, arena);
		arena_reset(arena);
	}
	arena_free(arena);
}

/* One window over given values, 10 s apart, the last at its end. */
static double one(enum function_id id, const double *v, size_t n, double p0, double p1)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	int64_t t[16];
	for (size_t i = 0; i < n; i++)
		t[i] = (int64_t)i * 10000;
	struct window_spec spec = {
	    .end_ms = (int64_t)(n - 1) * 10000, .range_ms = (int64_t)n * 10000, .n = 1};
	struct grid grid = {.start_ms = spec.end_ms, .n = 1};
	struct range_call call;
	struct windows w;
	struct tile tile;

	windows_init(&w);
	windows_set(&w, &spec, t, n, 0);
	range_call_init(&call, id, &spec, &grid);
	call.param[0] = &p0;
	call.param[1] = &p1;
	assert_true(tile_init(&tile, arena, 1, 1));
	struct range_input in = {.n_floats = n, .float_t = t, .v = v, .fw = &w};
	range_func_of(id)->kernel(&call, &in, &tile, 0);
	double out = bit_get(tile.present, 0) ? tile.v[0] : -12345;
	range_call_done(&call);
	windows_done(&w);
	arena_free(arena);
	return out;
}

static void test_lines(void **state)
{
	const double line[] = {5, 7, 9, 11}, flat[] = {3, 3, 3}, infinite[] = {INFINITY, INFINITY};
	(void)state;

	check_double("deriv", one(FN_DERIV, line, 4, 0, 0), 0.2);
	check_double("deriv, flat", one(FN_DERIV, flat, 3, 0, 0), 0);
	check_true("deriv, infinite", isnan(one(FN_DERIV, infinite, 2, 0, 0)));
	check_double("predict_linear", one(FN_PREDICT_LINEAR, line, 4, 100, 0), 31);
	check_double("too few", one(FN_DERIV, line, 1, 0, 0), -12345);
	check_double("smoothing of a line", one(FN_DOUBLE_EXPONENTIAL_SMOOTHING, line, 4, 0.5, 0.5), 11);
}

static void test_edges(void **state)
{
	const double v[] = {4, 9, 1, 9, 1, 6}, with_nan[] = {1, NAN, 2};
	(void)state;

	check_double("mad", one(FN_MAD_OVER_TIME, v, 6, 0, 0), 4);
	check_true("mad with NaN", isnan(one(FN_MAD_OVER_TIME, with_nan, 3, 0, 0)));
	check_double("last maximum", one(FN_TS_OF_MAX_OVER_TIME, v, 6, 0, 0), 30);
	check_double("last minimum", one(FN_TS_OF_MIN_OVER_TIME, v, 6, 0, 0), 40);
	check_double("first", one(FN_TS_OF_FIRST_OVER_TIME, v, 6, 0, 0), 0);
	check_double("last", one(FN_TS_OF_LAST_OVER_TIME, v, 6, 0, 0), 50);
}

TEST_MAIN("range functions", cmocka_unit_test(test_random_windows), cmocka_unit_test(test_lines),
    cmocka_unit_test(test_edges))
