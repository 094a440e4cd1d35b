/* How many samples a query counts, compared with what Prometheus's evaluator reports for the same data: `stats=all` of a
 * server, where its version has left-open windows and sums without copying its input. */
#include "tests/lib/test.h"

#include "promql/engine.h"
#include "storage/mem_store.h"

static struct mem_store *store;
static struct arena *arena;

/* Four counters, a sample each 15 s from 0 to 30 min. */
static int setup(void **state)
{
	static const char *const codes[] = {"200", "404", "500", "503"};
	(void)state;

	store = mem_store_new();
	arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		const struct labels *ls = labels_of(arena, "__name__", "x", "code", codes[i], NULL);
		for (int64_t t = 0; t <= 1800000; t += 15000)
			mem_store_add(store, ls, t, (double)(t / 1000 * (int64_t)(i + 1)), NULL);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem_store_free(store);
	arena_free(arena);
	return 0;
}

static int run(
    const char *text, int64_t step_ms, size_t max_samples, struct query_result **r, struct err *err)
{
	struct promql_options options = {.max_samples = max_samples, .parse = parse_all_syntax};
	struct promql_engine *engine = promql_engine_new(&options);
	struct promql_query q = {.store = mem_store_queryable(store),
	    .text = slice_cstr(text),
	    .start_ms = step_ms ? 1200000 : 1800000,
	    .end_ms = 1800000,
	    .step_ms = step_ms,
	    .wants_steps = true};
	int rc = promql_engine_run(engine, &q, r, err);

	promql_engine_free(engine);
	return rc;
}

/* 11 steps, a minute apart, when it is a range. */
static const struct {
	const char *query;
	bool is_range;
	uint64_t seen, fresh, peak;
} cases[] = {
    /* a selector holds a sample a series and step */
    {"x", false, 4, 4, 4},
    {"x", true, 44, 44, 44},
    {"-x", true, 44, 44, 44},
    {"(x)", true, 44, 44, 44},
    /* computed step by step: all inputs, those of the step, the results so far */
    {"abs(x)", false, 4, 4, 12},
    {"abs(x)", true, 44, 44, 92},
    {"x * 2", true, 44, 44, 104},
    {"x / x", true, 88, 88, 140},
    {"x > 1e9", true, 44, 44, 60},
    {"x and x", true, 88, 88, 140},
    /* aggregations: what goes in, and before it the parameter */
    {"sum(x)", true, 44, 44, 44},
    {"topk(2, x)", true, 44, 44, 55},
    {"count_values(\"v\", x)", true, 44, 44, 92},
    /* ranges: the results, and a window of 20 */
    {"rate(x[5m])", false, 80, 80, 24},
    {"rate(x[5m])", true, 880, 240, 64},
    {"sum(rate(x[5m]))", true, 880, 240, 64},
    {"rate(x[30s])", true, 88, 88, 46},
    {"x[5m]", false, 80, 80, 80},
    {"quantile_over_time(0.5, x[5m])", true, 880, 240, 75},
    {"absent_over_time(x[5m])", true, 880, 240, 64},
    {"sum(x) / sum(rate(x[1m]))", true, 44 + 176, 88 + 132, 59},
    /* numbers count too */
    {"1", true, 0, 0, 11},
    {"1 + 1", true, 0, 0, 11},
    {"time() + 1", true, 0, 0, 35},
    {"vector(time())", true, 0, 0, 23},
    {"scalar(sum(x))", true, 44, 44, 44},
    /* once, then repeated */
    {"x @ 1800", true, 44, 4, 44},
    {"sum(rate(x[5m] @ 1800))", true, 880, 80, 24},
    /* subqueries: what they read counts as read, what is seen of their results as seen */
    {"max_over_time(x[5m:1m])", false, 20, 20, 29},
    {"max_over_time(x[5m:1m])", true, 220, 60, 109},
    {"max_over_time(sum(x)[5m:1m])", true, 55, 60, 60},
    {"max_over_time(x[30s:15s])", true, 88, 88, 214},
    {"x[5m:1m]", false, 20, 20, 20},
    {"timestamp(x)", true, 44, 44, 48},
};

static void counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t step_ms = cases[i].is_range ? 60000 : 0;
		struct query_result *r;
		struct err err;
		check_ok(cases[i].query, run(cases[i].query, step_ms, 0, &r, &err), &err);
		uint64_t seen = 0, fresh = 0;
		for (size_t k = 0; k < r->n_steps; k++) {
			seen += r->stats.seen_by_step[k];
			fresh += r->stats.fresh_by_step[k];
		}
		check_int(cases[i].query, r->stats.samples_seen, cases[i].seen);
		check_int(cases[i].query, r->stats.samples_fresh, cases[i].fresh);
		check_int(cases[i].query, r->stats.peak_samples, cases[i].peak);
		check_int("sum of steps seen", seen, cases[i].seen);
		check_int("sum of steps read", fresh, cases[i].fresh);
		query_result_free(r);
	}
}

/* The limit lets through what just fits. */
static void limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t step_ms = cases[i].is_range ? 60000 : 0;
		struct query_result *r;
		struct err err;
		check_ok(cases[i].query, run(cases[i].query, step_ms, cases[i].peak, &r, &err), &err);
		query_result_free(r);
		if (cases[i].peak == 1)
			continue;
		check_int(
		    cases[i].query, run(cases[i].query, step_ms, cases[i].peak - 1, &r, &err), ERR_LIMIT);
		check_str(cases[i].query, slice_cstr(err.msg),
		    "query processing would load too many samples into memory in query execution");
	}
}

TEST_MAIN("sample_account", cmocka_unit_test_setup_teardown(counts, setup, teardown),
    cmocka_unit_test_setup_teardown(limits, setup, teardown))
