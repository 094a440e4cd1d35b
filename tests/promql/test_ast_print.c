#include "promql/ast_print.h"
#include "promql/parse.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdlib.h>

static const struct parse_options everything = {
    .experimental_functions = true, .extended_range_selectors = true, .binop_fill_modifiers = true};

static struct slice print_text(struct arena *a, const char *name, struct slice text, size_t max_line)
{
	const struct expr *e = NULL;
	struct err err = {0};
	check_ok(name, promql_parse(a, text, &everything, &e, &err), &err);
	struct strbuf out = STRBUF_INIT;
	if (max_line)
		ast_print_pretty(&out, e, max_line);
	else
		ast_print(&out, e);
	struct slice printed = arena_slice(a, strbuf_slice(&out));
	strbuf_done(&out);
	return printed;
}

/* The pretty cases were made with lines of 10 characters. */
enum { CASE_LINE = 10 };

static void prints_as_upstream(void **state)
{
	(void)state;
	struct test_cases *c = test_cases_open("promql_format.json");
	if (!c)
		return;
	for (size_t i = 0; i < test_cases_count(c); i++) {
		const struct json_value *v = test_case(c, i);
		struct slice in = test_case_text(c, v, "in");
		bool pretty = slice_eq_cstr(test_case_text(c, v, "kind"), "pretty");
		char *name = slice_dup(in);
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		check_slice(
		    name, print_text(a, name, in, pretty ? CASE_LINE : 0), test_case_text(c, v, "out"));
		arena_free(a);
		free(name);
	}
	test_cases_close(c);
}

/* Printing is a fixed point: what was printed parses, and prints the same; a pretty text means the same. */
static void printed_text_means_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *file, *member;
	} sources[] = {{"promql_parse_accept.json", "expr"}, {"promql_format.json", "in"}};
	for (size_t k = 0; k < sizeof(sources) / sizeof(sources[0]); k++) {
		struct test_cases *c = test_cases_open(sources[k].file);
		if (!c)
			return;
		for (size_t i = 0; i < test_cases_count(c); i++) {
			struct slice text = test_case_text(c, test_case(c, i), sources[k].member);
			if (!text.len)
				continue;
			char *name = slice_dup(text);
			struct arena *a = arena_new(ARENA_NO_LIMIT);
			struct slice once = print_text(a, name, text, 0);
			check_slice(name, print_text(a, name, once, 0), once);
			struct slice pretty = print_text(a, name, text, CASE_LINE);
			check_slice(name, print_text(a, name, pretty, 0), once);
			arena_free(a);
			free(name);
		}
		test_cases_close(c);
	}
}

/* A random expression of vectors, as text. */
static void random_vector(struct test_random *r, struct strbuf *out, unsigned depth);

static void random_of(struct test_random *r, struct strbuf *out, const char *const *texts, size_t n)
{
	strbuf_adds(out, texts[test_random_below(r, n)]);
}
#define RANDOM_OF(r, out, texts) random_of((r), (out), (texts), sizeof(texts) / sizeof((texts)[0]))

static void random_selector(struct test_random *r, struct strbuf *out)
{
	static const char *const selectors[] = {"up", "a:b{c=\"d\"}", "{x!~\"y.*\",z=\"1\"}",
	    "{\"na.me\",\"l l\"=\"\\n\"}", "sum", "offset{by='x'}", "start"};
	RANDOM_OF(r, out, selectors);
}

static void random_range(struct test_random *r, struct strbuf *out, unsigned depth)
{
	static const char *const ranges[] = {
	    "[5m]", "[1h30m]", "[step() * 2]", "[max_of(range(), -(3 - 1m) ^ 2)]", "[90]"};
	static const char *const steps[] = {"[1h:]", "[1d:5m]", "[10m:step()]"};
	static const char *const shifts[] = {"", "", " offset 1m", " offset -(5s + 2)", " @ 12.5",
	    " @ start() offset 1w", " offset step()", " @ end()"};
	if (depth == 0 || test_random_below(r, 3)) {
		random_selector(r, out);
		RANDOM_OF(r, out, ranges);
	} else {
		strbuf_adds(out, "(");
		random_vector(r, out, depth - 1);
		strbuf_adds(out, ")");
		RANDOM_OF(r, out, steps);
	}
	RANDOM_OF(r, out, shifts);
}

static void random_binary(struct test_random *r, struct strbuf *out, unsigned depth)
{
	static const char *const operators[] = {" + ", " - on(a, b) ", " * ignoring(c) group_left(d) ",
	    " / on() group_right() ", " and ", " or on(x) ", " unless ", " == bool ", " > ", " ^ ", " atan2 ",
	    " + fill(3) ", " % fill_left(-1) fill_right(2) ", " </ "};
	random_vector(r, out, depth - 1);
	RANDOM_OF(r, out, operators);
	random_vector(r, out, depth - 1);
}

static void random_vector(struct test_random *r, struct strbuf *out, unsigned depth)
{
	static const char *const aggregates[] = {"sum(", "avg by (a, \"b b\") (", "topk without () (3, ",
	    "quantile(0.5, ", "count_values(\"x\", "};
	static const char *const functions[] = {
	    "rate(", "sum_over_time(", "quantile_over_time(0.1, ", "absent_over_time("};
	if (depth == 0) {
		random_selector(r, out);
		return;
	}
	switch (test_random_below(r, 6)) {
	case 0:
		RANDOM_OF(r, out, aggregates);
		random_vector(r, out, depth - 1);
		strbuf_adds(out, ")");
		return;
	case 1:
		RANDOM_OF(r, out, functions);
		random_range(r, out, depth - 1);
		strbuf_adds(out, ")");
		return;
	case 2:
		strbuf_adds(out, test_random_below(r, 2) ? "-" : "+");
		random_vector(r, out, depth - 1);
		return;
	case 3:
		strbuf_adds(out, "(");
		random_vector(r, out, depth - 1);
		strbuf_adds(out, ")");
		return;
	default:
		random_binary(r, out, depth);
		return;
	}
}

static void random_texts_survive(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int i = 0; i < 2000; i++) {
		struct strbuf text = STRBUF_INIT;
		random_vector(&r, &text, 1 + (unsigned)test_random_below(&r, 5));
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const char *name = strbuf_cstr(&text);
		struct slice once = print_text(a, name, strbuf_slice(&text), 0);
		check_slice(name, print_text(a, name, once, 0), once);
		check_slice(name, print_text(a, name, print_text(a, name, once, CASE_LINE), 0), once);
		arena_free(a);
		strbuf_done(&text);
	}
}

TEST_MAIN("ast_print", cmocka_unit_test(prints_as_upstream), cmocka_unit_test(printed_text_means_the_same),
    cmocka_unit_test(random_texts_survive))
