/* Two laws over random data: a range query gives at each step what an instant query gives at that time; and the number of
 * threads changes nothing, down to the last digit. */
#include "tests/lib/test.h"

#include "base/thread_pool.h"
#include "model/stale_marker.h"
#include "promql/engine.h"
#include "storage/mem_store.h"
#include <math.h>

enum { SERIES = 60, SAMPLES = 1200, STEP_MS = 15000 };

static struct mem_store *store;
static struct arena *arena;

static const char *const queries[] = {
    "m",
    "m offset 1m",
    "m @ 3000",
    "{__name__=~\"m|n\"}",
    "m > 100",
    "m > bool 100",
    "-m",
    "abs(m - 50) * 2 ^ 0.5",
    "rate(m[5m])",
    "increase(m[1h])",
    "delta(m[5m] offset 30s)",
    "irate(m[2m])",
    "deriv(m[10m])",
    "predict_linear(m[10m], 3600)",
    "avg_over_time(m[7m])",
    "stddev_over_time(m[30m])",
    "max_over_time(m[2h])",
    "quantile_over_time(0.9, m[20m])",
    "changes(m[10m])",
    "last_over_time(m[1m])",
    "sum(m)",
    "sum by (a) (rate(m[5m]))",
    "avg without (b) (m)",
    "count by (a) (m)",
    "min(m)",
    "max by (b) (m)",
    "stddev(m)",
    "quantile(0.3, m)",
    "quantile by (a) (0.5, m)",
    "m + on(a, b) n",
    "m / on(a) group_left sum by (a) (n)",
    "m and n",
    "m or n",
    "m unless on(a, b) n",
    "absent(m{a=\"0\"})",
    "absent_over_time(m{a=\"0\",b=\"0\"}[1m])",
    "scalar(sum(m)) + 1",
    "time() - timestamp(m)",
    "clamp(m, 10, 90)",
    "round(m, 5)",
    "label_replace(m, \"c\", \"$1\", \"a\", \"(.*)\")",
    "max_over_time(sum(m)[5m:30s])",
    "rate(m[5m:1m])",
    "hour(m) + minute()",
    "count_values(\"v\", round(m, 100))",
    "topk(3, m)",
    "bottomk by (a) (1, m)",
    "vector(1) + m",
};

static void add_series(struct test_random *r, const char *name, unsigned i)
{
	const struct labels *ls = labels_of(arena, "__name__", name, "a",
	    arena_printf(arena, "%u", i % 7).ptr, "b", arena_printf(arena, "%u", i).ptr, NULL);
	int64_t jitter = i % 3 * 1000;
	double v = 0;

	for (int k = 0; k < SAMPLES; k++) {
		uint64_t dice = test_random_below(r, 200);
		double stored;
		v = dice < 4 ? 0 : v + test_random_unit(r) * 3;
		stored = dice == 7 ? (double)NAN : dice == 8 ? double_from_bits(STALE_NAN_BITS) : v;
		if (dice < 180)
			mem_store_add(store, ls, k * STEP_MS + jitter, stored, NULL);
	}
}

static int setup(void **state)
{
	struct test_random r;
	(void)state;

	test_random_init(&r);
	store = mem_store_new();
	arena = arena_new(ARENA_NO_LIMIT);
	for (unsigned i = 0; i < SERIES; i++)
		add_series(&r, "m", i);
	for (unsigned i = 0; i < SERIES / 2; i++)
		add_series(&r, "n", i);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem_store_free(store);
	arena_free(arena);
	return 0;
}

static struct query_result *run(
    struct promql_engine *e, const char *text, int64_t start_ms, int64_t end_ms, int64_t step_ms)
{
	struct promql_query q = {.store = mem_store_queryable(store),
	    .text = slice_cstr(text),
	    .start_ms = start_ms,
	    .end_ms = end_ms,
	    .step_ms = step_ms};
	struct query_result *r = NULL;
	struct err err;
	int rc = promql_engine_run(e, &q, &r, &err);

	check_ok(text, rc, &err);
	return r;
}

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* The value of the series with these labels at a time; false: there is none. */
static bool value_at(const struct query_result *r, const struct labels *ls, int64_t t_ms, double *v)
{
	for (size_t i = 0; i < r->n_series; i++) {
		if (!labels_eq(r->series[i].labels, ls))
			continue;
		for (size_t j = 0; j < r->series[i].n; j++) {
			if (r->series[i].t_ms[j] == t_ms) {
				*v = r->series[i].v[j];
				return true;
			}
		}
	}
	return false;
}

static size_t points_at(const struct query_result *r, int64_t t_ms)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_series; i++) {
		for (size_t j = 0; j < r->series[i].n; j++)
			n += r->series[i].t_ms[j] == t_ms;
	}
	return n;
}

static void test_steps(void **state)
{
	struct promql_options options = {.max_concurrent = 2};
	struct promql_engine *e = promql_engine_new(&options);
	int64_t start_ms = 2000 * 1000, step_ms = 137 * 1000, end_ms = start_ms + 12 * step_ms;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct query_result *range = run(e, queries[i], start_ms, end_ms, step_ms);
		for (int64_t t = start_ms; t <= end_ms; t += step_ms) {
			struct query_result *one = run(e, queries[i], t, t, 0);
			check_int(queries[i], points_at(range, t), one->n_series);
			for (size_t s = 0; s < one->n_series; s++) {
				double v = 0;
				check_true(queries[i], value_at(range, one->series[s].labels, t, &v));
				if (!same(v, one->series[s].v[0]))
					check_double(queries[i], v, one->series[s].v[0]);
			}
			query_result_free(one);
		}
		query_result_free(range);
	}
	promql_engine_free(e);
}

static void test_threads(void **state)
{
	struct thread_pool *pool = thread_pool_new("test", 3);
	struct promql_options alone = {.max_concurrent = 2}, helped = {.pool = pool};
	struct promql_engine *a = promql_engine_new(&alone), *b = promql_engine_new(&helped);
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;
		struct query_result *one = run(a, queries[i], 1000000, 17000000, 60000);
		struct query_result *many = run(b, queries[i], 1000000, 17000000, 60000);
		query_result_print(&x, one);
		query_result_print(&y, many);
		check_true(queries[i], slice_eq(strbuf_slice(&x), strbuf_slice(&y)));
		query_result_free(one);
		query_result_free(many);
		strbuf_done(&x);
		strbuf_done(&y);
	}
	promql_engine_free(a);
	promql_engine_free(b);
	thread_pool_free(pool);
}

TEST_MAIN("engine laws", cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
    cmocka_unit_test_setup_teardown(test_threads, setup, teardown))
