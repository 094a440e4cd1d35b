/* Plans as JSON: names of nodes, estimates, and what was done. */
#include "tests/lib/test.h"

#include "promql/engine.h"
#include "promql/explain.h"
#include "storage/mem_store.h"

static struct mem_store *store;
static struct arena *arena;
static struct clock *clock;

/* Six series, 41 samples each; the clock stands, so nothing takes any time. */
static int setup(void **state)
{
	(void)state;
	store = mem_store_new();
	arena = arena_new(ARENA_NO_LIMIT);
	clock = clock_virtual_new(600000);
	for (int i = 0; i < 6; i++) {
		const struct labels *ls = labels_of(arena, "__name__", i < 4 ? "x" : "y", "job",
		    i % 2 ? "a" : "b", "n", arena_printf(arena, "%d", i).ptr, NULL);
		for (int64_t t = 0; t <= 600; t += 15)
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

/* One line a node: name, steps, estimates, and with analyze what was done. */
static void print(struct strbuf *out, const struct explain_node *n, int depth, bool analyze)
{
	strbuf_addf(out, "%*s%" SL_FMT " | %u steps, at most %llu series", depth * 2, "", SL_ARG(n->what),
	    n->steps, (unsigned long long)n->est_series);
	if (n->est_samples)
		strbuf_addf(out, ", %llu samples", (unsigned long long)n->est_samples);
	if (analyze && n->was_run)
		strbuf_addf(out, " | %llu series, %llu points, %llu samples", (unsigned long long)n->series,
		    (unsigned long long)n->points, (unsigned long long)n->samples);
	strbuf_addch(out, '\n');
	for (size_t i = 0; i < n->n_children; i++)
		print(out, n->children[i], depth + 1, analyze);
}

static struct query_result *explain(const char *text, enum query_explain mode)
{
	struct promql_options options = {.parse = parse_all_syntax, .clock = clock};
	struct promql_engine *engine = promql_engine_new(&options);
	struct promql_query q = {.store = mem_store_queryable(store),
	    .text = slice_cstr(text),
	    .start_ms = 300000,
	    .end_ms = 600000,
	    .step_ms = 60000,
	    .explain = mode};
	struct query_result *r;
	struct err err;
	check_ok(text, promql_engine_run(engine, &q, &r, &err), &err);
	promql_engine_free(engine);
	return r;
}

static const struct {
	const char *query, *plan, *analyzed;
} cases[] = {
    {"x", "x | 6 steps, at most 4 series, 160 samples\n",
	"x | 6 steps, at most 4 series, 160 samples | 4 series, 24 points, 160 samples\n"},
    {"sum by (job) (rate(x[5m]))",
	"sum by (job) | 6 steps, at most 4 series\n"
	"  rate | 6 steps, at most 4 series\n"
	"    x[5m] | 6 steps, at most 4 series, 160 samples\n",
	"sum by (job) | 6 steps, at most 4 series | 2 series, 12 points, 0 samples\n"
	"  rate | 6 steps, at most 4 series | 4 series, 24 points, 0 samples\n"
	"    x[5m] | 6 steps, at most 4 series, 160 samples | 4 series, 0 points, 160 samples\n"},
    {"topk(1, x) / on(job) group_left() avg by (job) (y > 5)",
	"/ on (job) group_left () | 6 steps, at most 4 series\n"
	"  topk(1, ...) | 6 steps, at most 4 series\n"
	"    x | 6 steps, at most 4 series, 160 samples\n"
	"  avg by (job) | 6 steps, at most 2 series\n"
	"    > | 6 steps, at most 2 series\n"
	"      y | 6 steps, at most 2 series, 80 samples\n",
	NULL},
    {"histogram_quantile(0.9, x) + 1 * quantile_over_time(scalar(sum(y)), x[2m:30s] offset 1m)",
	"+ | 6 steps, at most 4 series\n"
	"  histogram_quantile(0.9, ...) | 6 steps, at most 4 series\n"
	"    x | 6 steps, at most 4 series, 160 samples\n"
	"  * | 6 steps, at most 4 series\n"
	"    quantile_over_time | 6 steps, at most 4 series\n"
	"      scalar | 6 steps, at most 1 series\n"
	"        sum | 6 steps, at most 1 series\n"
	"          y | 6 steps, at most 2 series, 80 samples\n"
	"      subquery [2m:30s] offset 1m | 6 steps, at most 4 series\n"
	"        x | 14 steps, at most 4 series, 148 samples\n",
	NULL},
    {"-(x @ 300) or label_replace(y, \"a\", \"b\", \"c\", \"d\")",
	"or | 6 steps, at most 6 series\n"
	"  - | 1 steps, at most 4 series\n"
	"    x @ 300.000 | 1 steps, at most 4 series, 80 samples\n"
	"  label_replace(..., \"a\", \"b\", \"c\", \"d\") | 6 steps, at most 2 series\n"
	"    y | 6 steps, at most 2 series, 80 samples\n",
	"or | 6 steps, at most 6 series | 6 series, 36 points, 0 samples\n"
	"  - | 1 steps, at most 4 series | 4 series, 24 points, 0 samples\n"
	"    x @ 300.000 | 1 steps, at most 4 series, 80 samples | 4 series, 4 points, 80 samples\n"
	"  label_replace(..., \"a\", \"b\", \"c\", \"d\") | 6 steps, at most 2 series | 2 series, 12 points, "
	"0 samples\n"
	"    y | 6 steps, at most 2 series, 80 samples | 2 series, 12 points, 80 samples\n"},
    {"x / x",
	"/ | 6 steps, at most 4 series\n"
	"  x | 6 steps, at most 4 series, 160 samples\n"
	"  x | 6 steps, at most 4 series\n",
	NULL},
    {"absent(z)",
	"absent | 6 steps, at most 1 series\n"
	"  z | 6 steps, at most 0 series\n",
	"absent | 6 steps, at most 1 series | 1 series, 6 points, 0 samples\n"
	"  z | 6 steps, at most 0 series | 0 series, 0 points, 0 samples\n"},
};

static void trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf sb = STRBUF_INIT;
		struct query_result *r = explain(cases[i].query, EXPLAIN_PLAN);
		print(&sb, r->plan, 0, false);
		check_str(cases[i].query, strbuf_slice(&sb), cases[i].plan);
		check_int("nothing was evaluated", r->n_series, 0);
		query_result_free(r);
		strbuf_reset(&sb);
		r = explain(cases[i].query, EXPLAIN_ANALYZE);
		print(&sb, r->plan, 0, true);
		if (cases[i].analyzed)
			check_str(cases[i].query, strbuf_slice(&sb), cases[i].analyzed);
		query_result_free(r);
		strbuf_done(&sb);
	}
}

static void json(void **state)
{
	static const char want[] =
	    "{\"node\":\"sum\",\"kind\":\"aggregation\",\"position\":[0,6],\"steps\":6,\"estimated\":{"
	    "\"series\":1},"
	    "\"actual\":{\"series\":1,\"points\":6,\"bytes\":56,\"seconds\":0,\"selfSeconds\":0},"
	    "\"children\":[{"
	    "\"node\":\"y\",\"kind\":\"selector\",\"position\":[4,5],\"steps\":6,\"estimated\":{\"series\":2,"
	    "\"samples\":80},\"actual\":{\"series\":2,\"points\":12,\"samples\":80,\"bytes\":1280,"
	    "\"seconds\":0,"
	    "\"selfSeconds\":0},\"children\":[]}]}";
	struct query_result *r = explain("sum(y)", EXPLAIN_ANALYZE);
	struct strbuf sb = STRBUF_INIT;
	struct json j;
	(void)state;

	json_init(&j, &sb);
	explain_put(&j, r->plan, true);
	check_str("json", strbuf_slice(&sb), want);
	strbuf_done(&sb);
	query_result_free(r);
}

TEST_MAIN("explain", cmocka_unit_test_setup_teardown(trees, setup, teardown),
    cmocka_unit_test_setup_teardown(json, setup, teardown))
