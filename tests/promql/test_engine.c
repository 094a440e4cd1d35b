/* The engine over the store of arrays: queries as text, results as text. */
#include "tests/lib/test.h"

#include "promql/engine.h"
#include "storage/mem_store.h"

static struct mem_store *store;
static struct promql_engine *engine;
static struct arena *arena;

/* Every 10 s from 0 to 100 s. */
static int setup(void **state)
{
	struct promql_options options = {.max_samples = 100000, .parse = parse_all_syntax};
	(void)state;

	store = mem_store_new();
	arena = arena_new(ARENA_NO_LIMIT);
	engine = promql_engine_new(&options);
	const struct labels *a = labels_of(arena, "__name__", "req_total", "job", "a", "code", "200", NULL);
	const struct labels *b = labels_of(arena, "__name__", "req_total", "job", "a", "code", "500", NULL);
	const struct labels *c = labels_of(arena, "__name__", "req_total", "job", "b", "code", "200", NULL);
	const struct labels *g = labels_of(arena, "__name__", "temp", "job", "a", NULL);
	static const char *const le[] = {"0.1", "1", "+Inf"};
	for (int i = 0; i <= 10; i++) {
		mem_store_add(store, a, i * 10000, i * 10, NULL);
		mem_store_add(store, b, i * 10000, i, NULL);
		mem_store_add(store, c, i * 10000, i < 5 ? i * 4 : i - 5, NULL);
		mem_store_add(store, g, i * 10000, 20 - i, NULL);
		for (int j = 0; j < 3; j++)
			mem_store_add(store, labels_of(arena, "__name__", "lat_bucket", "le", le[j], NULL),
			    i * 10000, (j + 1) * i, NULL);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	promql_engine_free(engine);
	mem_store_free(store);
	arena_free(arena);
	return 0;
}

static void check_query(const char *text, int64_t start_ms, int64_t end_ms, int64_t step_ms, const char *want)
{
	struct promql_query q = {.store = mem_store_queryable(store),
	    .text = slice_cstr(text),
	    .start_ms = start_ms,
	    .end_ms = end_ms,
	    .step_ms = step_ms};
	struct query_result *r;
	struct strbuf sb = STRBUF_INIT;
	struct err err;
	int rc = promql_engine_run(engine, &q, &r, &err);

	if (rc == 0) {
		query_result_print(&sb, r);
		for (size_t i = 0; i < r->n_warnings; i++)
			strbuf_addf(&sb, "%" SL_FMT "\n", SL_ARG(r->warnings[i]));
		query_result_free(r);
	} else {
		strbuf_addf(&sb, "%s: %s\n", promql_error_type(rc), err.msg);
	}
	check_str(text, strbuf_slice(&sb), want);
	strbuf_done(&sb);
}

static const struct {
	const char *query, *want;
} instant[] = {
    {"1 + 2 * 3", "{} => 7 @[100000]\n"},
    {"\"text\"", "text"},
    {"temp", "temp{job=\"a\"} => 10 @[100000]\n"},
    {"temp offset 20s", "temp{job=\"a\"} => 12 @[100000]\n"},
    {"temp @ 30", "temp{job=\"a\"} => 17 @[100000]\n"},
    {"-temp", "{job=\"a\"} => -10 @[100000]\n"},
    {"nothing", ""},
    {"sum(req_total)", "{} => 115 @[100000]\n"},
    {"sum by (job) (req_total)", "{job=\"a\"} => 110 @[100000]\n{job=\"b\"} => 5 @[100000]\n"},
    {"avg without (code) (req_total)", "{job=\"a\"} => 55 @[100000]\n{job=\"b\"} => 5 @[100000]\n"},
    {"count(req_total > 5)", "{} => 2 @[100000]\n"},
    {"rate(temp[50s])", "{job=\"a\"} => 1.1500000000000001 @[100000]\n"},
    {"delta(temp[50s])", "{job=\"a\"} => -5 @[100000]\n"},
    {"increase(req_total{job=\"b\"}[100s])", "{code=\"200\", job=\"b\"} => 18.88888888888889 @[100000]\n"},
    {"sum_over_time(temp[30s])", "{job=\"a\"} => 33 @[100000]\n"},
    {"temp[15s] anchored", "temp{job=\"a\"} => 12 @[85000] 11 @[90000] 10 @[100000]\n"},
    {"temp[15s] anchored offset 3s", "temp{job=\"a\"} => 12 @[82000] 11 @[90000] 11 @[97000]\n"},
    {"temp[15s] smoothed offset 3s", "temp{job=\"a\"} => 11.8 @[82000] 11 @[90000] 10.3 @[97000]\n"},
    {"temp[10s] anchored @ 0", "temp{job=\"a\"} => 20 @[-10000] 20 @[0]\n"},
    {"temp[10s] anchored @ 1000", ""},
    {"temp[20s]", "temp{job=\"a\"} => 11 @[90000] 10 @[100000]\n"},
    {"max_over_time(temp[1m:10s])", "{job=\"a\"} => 15 @[100000]\n"},
    {"histogram_quantile(0.5, lat_bucket)", "{} => 0.55 @[100000]\n"},
    {"topk(1, req_total)", "req_total{code=\"200\", job=\"a\"} => 100 @[100000]\n"},
    {"sort(req_total)", "req_total{code=\"200\", job=\"b\"} => 5 @[100000]\nreq_total{code=\"500\", "
			"job=\"a\"} => 10 @[100000]\n"
			"req_total{code=\"200\", job=\"a\"} => 100 @[100000]\n"},
    {"req_total{code=\"500\"} / ignoring(code) req_total{code=\"200\"}", "{job=\"a\"} => 0.1 @[100000]\n"},
    {"req_total / on(job) group_left temp",
	"{code=\"200\", job=\"a\"} => 10 @[100000]\n{code=\"500\", job=\"a\"} => 1 @[100000]\n"},
    /* The sides of group_right change places, their fill values do not. */
    {"temp / on(job) group_right fill_right(20) req_total",
	"{code=\"200\", job=\"a\"} => 0.1 @[100000]\n{code=\"500\", job=\"a\"} => 1 @[100000]\n"
	"{code=\"200\", job=\"b\"} => 4 @[100000]\n"},
    {"temp / on(job) group_right fill_left(2) req_total{job=\"b\"}", "{job=\"a\"} => 5 @[100000]\n"},
    {"req_total and on(job) temp", "req_total{code=\"200\", job=\"a\"} => 100 "
				   "@[100000]\nreq_total{code=\"500\", job=\"a\"} => 10 @[100000]\n"},
    {"req_total unless on(job) temp", "req_total{code=\"200\", job=\"b\"} => 5 @[100000]\n"},
    {"absent(nothing{x=\"y\"})", "{x=\"y\"} => 1 @[100000]\n"},
    {"scalar(temp)", "{} => 10 @[100000]\n"},
    {"label_replace(temp, \"host\", \"h-$1\", \"job\", \"(.*)\")",
	"temp{host=\"h-a\", job=\"a\"} => 10 @[100000]\n"},
    {"temp + on(job) req_total",
	"execution: found duplicate series for the match group {job=\"a\"} on the right hand-side of the "
	"operation: "
	"[{__name__=\"req_total\", code=\"200\", job=\"a\"}, {__name__=\"req_total\", code=\"500\", "
	"job=\"a\"}];"
	"many-to-many matching not allowed: matching labels must be unique on one side\n"},
    {"temp + ", "bad_data: 1:8: parse error: unexpected end of input\n"},
    {"quantile(2, temp)",
	"{} => +Inf @[100000]\nPromQL warning: quantile value should be between 0 and 1, got 2 (1:10)\n"},
};

static void test_instant(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(instant); i++)
		check_query(instant[i].query, 100000, 100000, 0, instant[i].want);
}

static const struct {
	const char *query, *want;
} range[] = {
    {"temp", "temp{job=\"a\"} => 20 @[0] 15 @[50000] 10 @[100000]\n"},
    {"temp > 12", "temp{job=\"a\"} => 20 @[0] 15 @[50000]\n"},
    {"time()", "{} => 0 @[0] 50 @[50000] 100 @[100000]\n"},
    {"temp @ 100", "temp{job=\"a\"} => 10 @[0] 10 @[50000] 10 @[100000]\n"},
    {"sum(rate(req_total{job=\"a\"}[20s]))", "{} => 1.1 @[50000] 1.1 @[100000]\n"},
    {"temp == bool 15", "{job=\"a\"} => 0 @[0] 1 @[50000] 0 @[100000]\n"},
    {"count_over_time(temp[1m:10s])", "{job=\"a\"} => 1 @[0] 6 @[50000] 6 @[100000]\n"},
};

static void test_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(range); i++)
		check_query(range[i].query, 0, 100000, 50000, range[i].want);
}

static void test_limits(void **state)
{
	struct promql_options options = {.max_samples = 5};
	struct promql_engine *saved = engine;
	(void)state;

	engine = promql_engine_new(&options);
	check_query("temp", 0, 100000, 10000,
	    "execution: query processing would load too many samples into memory in query execution\n");
	promql_engine_free(engine);
	engine = saved;
}

static void test_cancel(void **state)
{
	atomic_bool canceled = true;
	struct promql_query q = {
	    .store = mem_store_queryable(store), .text = SL("temp"), .canceled = &canceled};
	struct query_result *r;
	struct err err;
	(void)state;

	int rc = promql_engine_run(engine, &q, &r, &err);
	check_int("canceled", rc, ERR_CANCELED);
	check_str("text", slice_cstr(err.msg), "query was canceled in expression evaluation");
}

/* A window of all samples at each of very many steps: ends at the deadline, not when it is done. */
static void test_deadline(void **state)
{
	const struct labels *ls = labels_of(arena, "__name__", "long", NULL);
	struct promql_query q = {.store = mem_store_queryable(store),
	    .text = SL("quantile_over_time(0.5, long[1d])"),
	    .end_ms = 80000000,
	    .step_ms = 1000,
	    .timeout_ms = 20};
	struct query_result *r;
	struct err err;
	(void)state;

	for (int i = 0; i < 20000; i++)
		mem_store_add(store, ls, i * 4000, i * 7919 % 1000, NULL);
	int rc = promql_engine_run(engine, &q, &r, &err);
	check_int("timeout", rc, ERR_TIMEOUT);
	check_str("text", slice_cstr(err.msg), "query timed out in expression evaluation");
}

TEST_MAIN("engine", cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
    cmocka_unit_test_setup_teardown(test_instant, setup, teardown),
    cmocka_unit_test_setup_teardown(test_range, setup, teardown),
    cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
    cmocka_unit_test_setup_teardown(test_cancel, setup, teardown))
