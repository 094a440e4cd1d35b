/* Queries that are there to break something: each ends with one clear sentence, or with its answer, within the memory and the number
 * of samples that a query may have. tests/scenario/hostile_input.py asks a running server for the same kinds of things. */
#include "tests/lib/test.h"

#include "promql/engine.h"
#include "storage/mem_store.h"
#include <string.h>

enum { STEP_MS = 15000, SAMPLES = 100, MAX_SAMPLES = 100000, MAX_BYTES = 64 << 20 };

static struct mem_store *store;
static struct arena *arena;
static struct promql_engine *engine;
static int wrong; /* answers, of all cases so far */

static int setup(void **state)
{
	(void)state;
	wrong = 0;
	store = mem_store_new();
	arena = arena_new(ARENA_NO_LIMIT);
	for (int i = 0; i < 3; i++) {
		const struct labels *ls =
		    labels_of(arena, "__name__", "x", "a", arena_printf(arena, "%d", i).ptr, NULL);
		for (int64_t k = 0; k < SAMPLES; k++)
			mem_store_add(store, ls, k * STEP_MS, (double)(k * i), NULL);
	}
	struct promql_options options = {.parse = {true, true, true},
	    .max_samples = MAX_SAMPLES,
	    .max_query_bytes = MAX_BYTES,
	    .timeout_ms = 60000};
	engine = promql_engine_new(&options);
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

struct bad_query {
	const char *name;
	const char *before; /* so often */
	size_t n_before;
	const char *text;
	const char *after;
	size_t n_after;
	int rc;
	const char *error; /* NULL: any */
};

static void repeat(struct strbuf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_adds(out, s);
}

static void ask(const struct bad_query *c, int64_t end_ms, int64_t step_ms)
{
	struct strbuf text = STRBUF_INIT;
	struct query_result *r = NULL;
	struct err err = {0};

	repeat(&text, c->before, c->n_before);
	strbuf_adds(&text, c->text);
	repeat(&text, c->after, c->n_after);
	struct promql_query q = {.store = mem_store_queryable(store),
	    .text = strbuf_slice(&text),
	    .start_ms = step_ms ? 0 : end_ms,
	    .end_ms = end_ms,
	    .step_ms = step_ms};
	int rc = promql_engine_run(engine, &q, &r, &err);
	if (rc != c->rc || (rc && c->error && strcmp(err.msg, c->error) != 0)) {
		print_error("%s\n  want: %d %s\n  got:  %d %s\n", c->name, c->rc, c->error ? c->error : "",
		    rc, rc ? err.msg : "");
		wrong++;
	}
	query_result_free(rc ? NULL : r);
	strbuf_done(&text);
}

/* --- texts -------------------------------------------------------------------------------------------------------------- */

/* The parser keeps so many open things and no more. */
#define DEEP_AT_LIMIT "1:9998: parse error: expression is nested too deeply"

static void texts(void **state)
{
	(void)state;
	static const struct bad_query cases[] = {
	    {"10,000 parentheses", "(", 10000, "1", ")", 10000, ERR_INVALID, DEEP_AT_LIMIT},
	    {"10,000 open ones", "(", 10000, "", "", 0, ERR_INVALID, DEEP_AT_LIMIT},
	    {"10,000 closing ones", "", 0, "1", ")", 10000, ERR_INVALID,
		"1:3: parse error: unexpected right parenthesis ')'"},
	    {"10,000 signs", "-", 10000, "x", "", 0, ERR_INVALID, DEEP_AT_LIMIT},
	    {"10,000 signs of a number", "-", 10000, "1", "", 0, ERR_INVALID, DEEP_AT_LIMIT},
	    {"10,000 calls", "abs(", 10000, "x", ")", 10000, ERR_INVALID, NULL},
	    {"10,000 aggregations", "sum(", 10000, "x", ")", 10000, ERR_INVALID, NULL},
	    {"10,000 subqueries", "", 0, "x", "[1m:]", 10000, ERR_INVALID, NULL},
	    {"10,000 offsets", "", 0, "x", " offset 1m", 10000, ERR_INVALID,
		"1:1: parse error: offset may not be set multiple times"},
	    {"10,000 levels of a duration", "x[(", 1, "", "(", 10000, ERR_INVALID, NULL},
	    {"a megabyte of a sum", "1+", 500000, "1", "", 0, ERR_INVALID, NULL},
	    {"a megabyte of a power", "1^", 500000, "1", "", 0, ERR_INVALID, NULL},
	    {"a megabyte of a name", "a", 1000000, "", "", 0, 0, NULL},
	    {"a megabyte of a string", "", 0, "x{a=\"", "b", 1000000, ERR_INVALID,
		"1:5: parse error: unterminated quoted string"},
	    {"a megabyte of a number", "1", 1000000, "", "", 0, ERR_INVALID, NULL},
	    {"a megabyte of digits behind a dot", "0.", 1, "", "1", 1000000, 0, NULL},
	    {"a megabyte of white space", " ", 1000000, "1", "", 0, 0, NULL},
	    {"a megabyte of a comment", "#", 1000000, "\n1", "", 0, 0, NULL},
	    {"a megabyte of brackets", "]", 1000000, "", "", 0, ERR_INVALID,
		"1:1: parse error: unexpected right bracket ']'"},
	    {"100,000 arguments", "", 0, "label_join(x, \"a\", \"\"", ", \"a\"", 100000, ERR_INVALID,
		"1:500022: parse error: unclosed left parenthesis"},
	    {"100,000 labels", "", 0, "sum by (a", ",a", 100000, ERR_INVALID, NULL},
	    {"nothing", "", 0, "", "", 0, ERR_INVALID,
		"unknown position: parse error: no expression found in input"},
	    {"no UTF-8", "", 0, "\xff\xfe", "", 0, ERR_INVALID, NULL},
	    {"no UTF-8 in a string", "", 0, "x{a=\"\xff\"}", "", 0, ERR_INVALID, NULL},
	    {"half a rune", "", 0, "x{a=\"\xe2\x82\"}", "", 0, ERR_INVALID, NULL},
	    {"no UTF-8 behind a comment", "", 0, "1 # \xff", "", 0, 0, NULL},
	    {"an escape beyond Unicode", "", 0, "x{a=\"\\U00110000\"}", "", 0, ERR_INVALID, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ask(&cases[i], 600000, 0);
	check_int("wrong answers", wrong, 0);
}

/* --- regular expressions ------------------------------------------------------------------------------------------------ */

static void expressions(void **state)
{
	(void)state;
	static const struct bad_query cases[] = {
	    {"stars of stars", "", 0, "x{a=~\"(((a*)*)*)*b\"}", "", 0, 0, NULL},
	    {"alternatives that agree", "", 0, "x{a=~\"(a|a|a)*(a|a|a)*(a|a|a)*c\"}", "", 0, 0, NULL},
	    {"counted dots", "", 0, "x{a=~\"(.{1,500}){1,2}\"}", "", 0, 0, NULL},
	    {"counts of counts", "", 0, "x{a=~\"((a{0,100}){0,100}){0,100}\"}", "", 0, ERR_INVALID, NULL},
	    {"a big count", "", 0, "x{a=~\"a{1001}\"}", "", 0, ERR_INVALID,
		"1:3: parse error: error parsing regexp: invalid repeat count: `{1001}`"},
	    {"5,000 groups", "x{a=~\"", 1, "", "(", 5000, ERR_INVALID, NULL},
	    {"5,000 closed groups", "", 0, "x{a=~\"((((((((((((((((((((a))))))))))))))))))))\"}", "", 0, 0,
		NULL},
	    {"an open group", "", 0, "x{a=~\"(\"}", "", 0, ERR_INVALID,
		"1:3: parse error: error parsing regexp: missing closing ): `(`"},
	    {"an open class", "", 0, "x{a=~\"[\"}", "", 0, ERR_INVALID,
		"1:3: parse error: error parsing regexp: missing closing ]: `[`"},
	    {"a look-ahead", "", 0, "x{a=~\"(?=a)\"}", "", 0, ERR_INVALID,
		"1:3: parse error: error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
	    {"a back reference", "", 0, "x{a=~\"(a)\\\\1\"}", "", 0, ERR_INVALID,
		"1:3: parse error: error parsing regexp: invalid escape sequence: `\\1`"},
	    {"of label_replace", "", 0, "label_replace(x, \"a\", \"\", \"a\", \"(\")", "", 0, ERR_EXECUTION,
		"invalid regular expression in label_replace(): ("},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ask(&cases[i], 600000, 0);
	check_int("wrong answers", wrong, 0);
}

/* --- numbers ------------------------------------------------------------------------------------------------------------ */

static void parameters(void **state)
{
	(void)state;
	static const struct bad_query cases[] = {
	    {"topk NaN", "", 0, "topk(NaN, x)", "", 0, ERR_EXECUTION, "Parameter value is NaN"},
	    {"topk Inf", "", 0, "topk(Inf, x)", "", 0, ERR_EXECUTION, "Scalar value +Inf overflows int64"},
	    {"topk -Inf", "", 0, "topk(-Inf, x)", "", 0, 0, NULL},
	    {"topk 1e300", "", 0, "topk(1e300, x)", "", 0, ERR_EXECUTION,
		"Scalar value 1e+300 overflows int64"},
	    {"bottomk 9e18", "", 0, "bottomk(9e18, x)", "", 0, 0, NULL},
	    {"limitk NaN", "", 0, "limitk(NaN, x)", "", 0, ERR_EXECUTION, "Parameter value is NaN"},
	    {"limit_ratio NaN", "", 0, "limit_ratio(NaN, x)", "", 0, ERR_EXECUTION, "Ratio value is NaN"},
	    {"limit_ratio Inf", "", 0, "limit_ratio(Inf, x)", "", 0, 0, NULL},
	    {"quantile NaN", "", 0, "quantile(NaN, x)", "", 0, 0, NULL},
	    {"quantile_over_time Inf", "", 0, "quantile_over_time(Inf, x[5m])", "", 0, 0, NULL},
	    {"histogram_quantile NaN", "", 0, "histogram_quantile(NaN, x)", "", 0, 0, NULL},
	    {"round to NaN", "", 0, "round(x, NaN)", "", 0, 0, NULL},
	    {"clamp between NaN", "", 0, "clamp(x, NaN, Inf)", "", 0, 0, NULL},
	    {"predict_linear to Inf", "", 0, "predict_linear(x[5m], Inf)", "", 0, 0, NULL},
	    {"smoothing by NaN", "", 0, "double_exponential_smoothing(x[5m], NaN, 0.5)", "", 0, 0, NULL},
	    {"smoothing by 2", "", 0, "double_exponential_smoothing(x[5m], 2, 0.5)", "", 0, ERR_EXECUTION,
		"invalid smoothing factor. Expected: 0 < sf < 1, got: 2.000000"},
	    {"at NaN", "", 0, "x @ NaN", "", 0, ERR_INVALID,
		"1:1: parse error: timestamp out of bounds for @ modifier: NaN"},
	    {"at Inf", "", 0, "x @ Inf", "", 0, ERR_INVALID,
		"1:1: parse error: timestamp out of bounds for @ modifier: +Inf"},
	    {"at 1e300", "", 0, "x @ 1e300", "", 0, ERR_INVALID, NULL},
	    {"no range", "", 0, "x[0s]", "", 0, ERR_INVALID,
		"1:3: parse error: duration must be greater than 0"},
	    {"a range below 0", "", 0, "x[-5m]", "", 0, ERR_INVALID,
		"1:3: parse error: duration must be greater than 0"},
	    {"an endless range", "", 0, "x[1e300]", "", 0, ERR_INVALID,
		"1:3: parse error: duration out of range"},
	    {"a range of Inf", "", 0, "x[Inf]", "", 0, ERR_INVALID, NULL},
	    {"a range of 300 years", "", 0, "x[300y]", "", 0, ERR_INVALID,
		"1:3: parse error: duration out of range"},
	    {"a range by 0", "", 0, "sum_over_time(x[5m / 0])", "", 0, ERR_INVALID,
		"1:20: parse error: division by zero"},
	    {"a range of a huge power", "", 0, "sum_over_time(x[5m ^ 300])", "", 0, ERR_INVALID,
		"16:24: duration is NaN or infinite"},
	    {"a date beyond the calendar", "", 0, "year(vector(1e300))", "", 0, 0, NULL},
	    {"count_values without a label", "", 0, "count_values(\"\", x)", "", 0, ERR_EXECUTION,
		"invalid label name \"\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ask(&cases[i], 600000, 0);
	check_int("wrong answers", wrong, 0);
}

/* --- too much work ------------------------------------------------------------------------------------------------------ */

#define TOO_MANY "query processing would load too many samples into memory in query execution"

static void work(void **state)
{
	(void)state;
	static const struct {
		struct bad_query q;
		int64_t end_ms, step_ms;
	} cases[] = {
	    {{"10^9 steps of a number", "", 0, "1", "", 0, ERR_LIMIT, NULL}, INT64_C(1000000000000), 1000},
	    {{"10^9 steps of a series", "", 0, "x", "", 0, ERR_LIMIT, NULL}, INT64_C(1000000000000), 1000},
	    {{"10^9 steps of a range", "", 0, "rate(x[5m])", "", 0, ERR_LIMIT, NULL}, INT64_C(1000000000000),
		1000},
	    {{"10^9 steps of a subquery", "", 0, "sum_over_time(vector(1)[11574d:1s])", "", 0, ERR_LIMIT,
		 TOO_MANY},
		600000, 0},
	    {{"subqueries of subqueries", "", 0, "max_over_time(max_over_time(vector(time())[1y:1s])[1y:1s])",
		 "", 0, ERR_LIMIT, TOO_MANY},
		600000, 0},
	    {{"eight levels of them", "max_over_time(", 8, "vector(time())", "[10s:1s])", 8, 0, NULL}, 600000,
		0},
	    {{"more steps than an integer has", "", 0, "sum_over_time(vector(1)[290y:1ms])", "", 0, ERR_LIMIT,
		 TOO_MANY},
		600000, 0},
	    {{"every sample of the ages", "", 0, "sum_over_time(x[290y])", "", 0, 0, NULL}, 600000, 0},
	    {{"an offset of the ages", "", 0, "x offset 290y", "", 0, 0, NULL}, 600000, 0},
	    {{"an offset ahead", "", 0, "x offset -290y", "", 0, 0, NULL}, 600000, 0},
	    {{"windows that grow", "", 0, "quantile_over_time(0.5, x[290y])", "", 0, 0, NULL}, 600000, 1000},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ask(&cases[i].q, cases[i].end_ms, cases[i].step_ms);
	check_int("wrong answers", wrong, 0);
}

TEST_MAIN("bad_queries", cmocka_unit_test_setup_teardown(texts, setup, teardown),
    cmocka_unit_test_setup_teardown(expressions, setup, teardown),
    cmocka_unit_test_setup_teardown(parameters, setup, teardown),
    cmocka_unit_test_setup_teardown(work, setup, teardown))
