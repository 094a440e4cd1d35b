/* What refuses a query: series, memory, time, slots; and what is told of it. */
#include "tests/lib/test.h"

#include "promql/engine.h"
#include "storage/mem_store.h"

static struct mem_store *store;
static struct arena *arena;
static struct clock *clock;

static int setup(void **state)
{
	(void)state;
	store = mem_store_new();
	arena = arena_new(ARENA_NO_LIMIT);
	clock = clock_virtual_new(600000);
	for (int i = 0; i < 300; i++) {
		const struct labels *ls = labels_of(
		    arena, "__name__", i < 200 ? "x" : "y", "n", arena_printf(arena, "%d", i).ptr, NULL);
		for (int64_t t = 0; t <= 6000; t += 6)
			mem_store_add(store, ls, t * 1000, (double)t, NULL);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem_store_free(store);
	arena_free(arena);
	clock_virtual_free(clock);
	return 0;
}

static struct promql_query query(const char *text)
{
	return (struct promql_query){.store = mem_store_queryable(store),
	    .text = slice_cstr(text),
	    .start_ms = 0,
	    .end_ms = 6000000,
	    .step_ms = 6000};
}

static void refusals(void **state)
{
	static const struct {
		const char *name, *query;
		struct promql_options options;
		int rc;
		const char *error, *heaviest;
	} cases[] = {
	    {"series", "sum(y) + sum(x)", {.max_series = 250}, ERR_LIMIT,
		"query selects 300 series and may select 250: x (1:14) cost most: 200 series, 200200 samples",
		"x (1:14) cost most: 200 series, 200200 samples"},
	    {"as many series as may be", "sum(y) + sum(x)", {.max_series = 300}, 0, NULL, NULL},
	    {"samples", "y or rate(x[5m])", {.max_samples = 250000}, ERR_LIMIT,
		"query processing would load too many samples into memory in query execution",
		"x[5m] (1:11) cost most: 200 series, 200200 samples"},
	    {"bytes", "x or y", {.max_query_bytes = 1000000}, ERR_LIMIT,
		"query needs more memory than one query may use; ask for fewer series, a shorter range or a "
		"longer step",
		"x (1:1) cost most: 200 series, 200200 samples"},
	    {"bytes of all", "x or y", {.max_all_bytes = 1 << 20}, ERR_LIMIT,
		"the queries that run now need more than the 1 MiB that all of them together may use; try "
		"again later",
		"x (1:1) cost most: 200 series, 200200 samples"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct promql_engine *engine = promql_engine_new(&cases[i].options);
		struct promql_query q = query(cases[i].query);
		struct query_record record;
		struct query_result *r = NULL;
		struct err err;
		q.record = &record;
		check_int(cases[i].name, promql_engine_run(engine, &q, &r, &err), cases[i].rc);
		if (cases[i].rc) {
			check_str(cases[i].name, slice_cstr(err.msg), cases[i].error);
			check_str(cases[i].name, slice_cstr(record.heaviest), cases[i].heaviest);
		} else {
			query_result_free(r);
		}
		/* What was taken has been given back: a small one runs. */
		q = query("1");
		check_ok(cases[i].name, promql_engine_run(engine, &q, &r, &err), &err);
		query_result_free(r);
		promql_engine_free(engine);
	}
}

/* Clients wait for a slot and run out of time; rules do not wait. */
static void rules_do_not_wait(void **state)
{
	struct promql_options options = {.max_concurrent = 1, .clock = clock};
	struct promql_engine *engine = promql_engine_new(&options);
	struct query_gate *gate = promql_engine_gate(engine);
	struct query_wait wait = {INT64_MAX, NULL};
	atomic_bool canceled = true;
	struct promql_query q = query("1");
	struct query_result *r;
	struct err err;
	(void)state;

	check_ok("taken", query_gate_enter(gate, &wait, &err), &err);
	q.canceled = &canceled;
	check_int("a client waits", promql_engine_run(engine, &q, &r, &err), ERR_CANCELED);
	q.lane = QUERY_LANE_RULES;
	q.canceled = NULL;
	check_ok("a rule runs", promql_engine_run(engine, &q, &r, &err), &err);
	query_result_free(r);
	q.text = SL("sum(x)");
	check_ok("a heavy one too", promql_engine_run(engine, &q, &r, &err), &err);
	query_result_free(r);
	query_gate_leave(gate, false);
	promql_engine_free(engine);
}

/* A heavy query that cannot be let in leaves its slot to others and comes back. */
static void heavy_ones_wait_apart(void **state)
{
	struct promql_options options = {.max_concurrent = 2, .max_heavy = 1};
	struct promql_engine *engine = promql_engine_new(&options);
	struct query_gate *gate = promql_engine_gate(engine);
	struct query_wait wait = {INT64_MAX, NULL};
	atomic_bool canceled = true;
	struct promql_query q = query("sum(x)");
	struct query_result *r;
	struct query_gate_state s;
	struct err err;
	(void)state;

	check_ok("slot", query_gate_enter(gate, &wait, &err), &err);
	check_true("heavy", query_gate_try_heavy(gate));
	q.canceled = &canceled;
	check_int("waits", promql_engine_run(engine, &q, &r, &err), ERR_CANCELED);
	check_str("where", slice_cstr(err.msg), "context canceled");
	q = query("1");
	check_ok("a cheap one runs", promql_engine_run(engine, &q, &r, &err), &err);
	query_result_free(r);
	query_gate_leave(gate, true);
	q = query("sum(x)");
	check_ok("runs", promql_engine_run(engine, &q, &r, &err), &err);
	query_result_free(r);
	query_gate_state(gate, &s);
	check_int("all slots are free", s.running + s.heavy + s.waiting + s.waiting_heavy, 0);
	promql_engine_free(engine);
}

static void slow_ones_are_listed(void **state)
{
	struct promql_options options = {.slow_query_ms = 1};
	struct promql_engine *engine = promql_engine_new(&options);
	struct promql_query q = query("sum(quantile_over_time(0.5, x[10m]))");
	struct query_record *v;
	struct query_result *r;
	int64_t threshold_ms;
	struct err err;
	size_t n;
	(void)state;

	q.origin = (struct query_origin){.client_ip = SL("::1"), .method = SL("GET"), .path = SL("/p")};
	check_ok("runs", promql_engine_run(engine, &q, &r, &err), &err);
	query_result_free(r);
	q = query("sum(");
	check_int("no query", promql_engine_run(engine, &q, &r, &err), ERR_INVALID);
	promql_engine_slow_queries(engine, arena, &v, &n, &threshold_ms);
	check_int("threshold", threshold_ms, 1);
	check_int("n", n, 1);
	check_str("text", v[0].text, "sum(quantile_over_time(0.5, x[10m]))");
	check_str("path", v[0].origin.path, "/p");
	check_str(
	    "heaviest", slice_cstr(v[0].heaviest), "x[10m] (1:29) cost most: 200 series, 200200 samples");
	check_int("samples", v[0].stats.samples_decoded, 200200);
	check_int("series", v[0].series, 200);
	promql_engine_free(engine);
}

TEST_MAIN("query_limits", cmocka_unit_test_setup_teardown(refusals, setup, teardown),
    cmocka_unit_test_setup_teardown(rules_do_not_wait, setup, teardown),
    cmocka_unit_test_setup_teardown(heavy_ones_wait_apart, setup, teardown),
    cmocka_unit_test_setup_teardown(slow_ones_are_listed, setup, teardown))
