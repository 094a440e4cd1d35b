#include "base/xmalloc.h"
#include "promql/ast_print.h"
#include "promql/functions.h"
#include "promql/parse.h"
#include "promql/prepare.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdlib.h>

static const struct parse_options everything = {
    .experimental_functions = true, .extended_range_selectors = true, .binop_fill_modifiers = true};

static const struct expr *parse(struct arena *a, const char *name, struct slice text)
{
	const struct expr *e = NULL;
	struct err err = {0};
	check_ok(name, promql_parse(a, text, &everything, &e, &err), &err);
	return e;
}

/* --- accepted: the tree, described as the cases describe it --- */

static void describe(struct strbuf *out, const struct expr *e);

static void describe_number(struct strbuf *out, double v)
{
	strbuf_addf(out, "%.17g", v);
}

static void describe_duration(struct strbuf *out, const struct duration_expr *d)
{
	static const char *const ops[] = {
	    "", "+", "-", "*", "/", "%", "^", "step", "range", "min_of", "max_of"};
	if (d->op == DURATION_NUMBER) {
		strbuf_adds(out, d->is_duration ? "D" : "N");
		describe_number(out, d->number);
		return;
	}
	strbuf_addf(out, "(%s%s ", ops[d->op], d->wrapped ? " wrapped" : "");
	if (d->lhs)
		describe_duration(out, d->lhs);
	strbuf_adds(out, ";");
	if (d->rhs)
		describe_duration(out, d->rhs);
	strbuf_adds(out, ")");
}

static void describe_ast_duration(struct strbuf *out, const char *what, const struct ast_duration *d)
{
	if (d->expr) {
		strbuf_addf(out, " %s:", what);
		describe_duration(out, d->expr);
	} else if (d->ms) {
		strbuf_addf(out, " %s=%lld", what, (long long)d->ms);
	}
}

static void describe_shift(struct strbuf *out, const struct time_shift *s)
{
	describe_ast_duration(out, "offset", &s->offset);
	if (s->at == AT_TIME)
		strbuf_addf(out, " @%lld", (long long)s->at_ms);
	else if (s->at != AT_NONE)
		strbuf_adds(out, s->at == AT_START ? " @start" : " @end");
}

static void describe_selector(struct strbuf *out, const struct expr *e)
{
	const struct selector *s = &e->selector;
	strbuf_addf(out, "sel %" SL_FMT "{", SL_ARG(s->name));
	for (size_t i = 0; i < s->n_matchers; i++) {
		const struct matcher *m = s->matchers[i];
		strbuf_addf(out, "%" SL_FMT "%s%" SL_FMT ",", SL_ARG(m->name), match_op_text(m->op),
		    SL_ARG(m->value));
	}
	strbuf_adds(out, s->anchored ? "} anchored" : s->smoothed ? "} smoothed" : "}");
	describe_ast_duration(out, "range", &s->range);
	describe_shift(out, &s->shift);
}

static void describe_labels(struct strbuf *out, const char *what, const struct slice *labels, size_t n)
{
	strbuf_addf(out, " %s(", what);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "%" SL_FMT ",", SL_ARG(labels[i]));
	strbuf_adds(out, ")");
}

static void describe_binary(struct strbuf *out, const struct binary *b)
{
	static const char *const cards[] = {"one-to-one", "many-to-one", "one-to-many", "many-to-many"};
	strbuf_addf(out, "%s%s", binary_op_text(b->op), b->return_bool ? " bool" : "");
	const struct vector_matching *m = b->matching;
	if (m) {
		strbuf_addf(out, " %s", cards[m->card]);
		describe_labels(out, m->on ? "on" : "ignoring", m->labels, m->n_labels);
		describe_labels(out, "include", m->include, m->n_include);
	}
	strbuf_adds(out, " [");
	describe(out, b->lhs);
	strbuf_adds(out, "; ");
	describe(out, b->rhs);
	strbuf_adds(out, "]");
}

static void describe_aggregate(struct strbuf *out, const struct aggregate *a)
{
	strbuf_adds(out, aggregate_op_text(a->op));
	describe_labels(out, a->without ? "without" : "by", a->labels, a->n_labels);
	strbuf_adds(out, " [");
	if (a->param)
		describe(out, a->param);
	strbuf_adds(out, "; ");
	describe(out, a->inner);
	strbuf_adds(out, "]");
}

static void describe(struct strbuf *out, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_NUMBER:
		strbuf_adds(out, e->number.is_duration ? "D" : "N");
		describe_number(out, e->number.value);
		return;
	case EXPR_STRING:
		strbuf_addf(out, "string <%" SL_FMT ">", SL_ARG(e->string));
		return;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		describe_selector(out, e);
		return;
	case EXPR_SUBQUERY:
		strbuf_adds(out, "sub [");
		describe(out, e->subquery.inner);
		strbuf_adds(out, "]");
		describe_ast_duration(out, "range", &e->subquery.range);
		describe_ast_duration(out, "step", &e->subquery.step);
		describe_shift(out, &e->subquery.shift);
		return;
	case EXPR_AGGREGATE:
		describe_aggregate(out, &e->aggregate);
		return;
	case EXPR_BINARY:
		describe_binary(out, &e->binary);
		return;
	case EXPR_UNARY:
		strbuf_adds(out, e->unary.minus ? "-[" : "+[");
		describe(out, e->unary.inner);
		strbuf_adds(out, "]");
		return;
	case EXPR_PAREN:
		strbuf_adds(out, "(");
		describe(out, e->paren);
		strbuf_adds(out, ")");
		return;
	case EXPR_CALL:
		strbuf_addf(out, "%s[", e->call.func->name);
		for (size_t i = 0; i < e->call.n_args; i++) {
			if (i)
				strbuf_adds(out, "; ");
			describe(out, e->call.args[i]);
		}
		strbuf_adds(out, "]");
		return;
	}
}

/* The same from the plain data of a case. */
static void describe_case(struct test_cases *c, struct strbuf *out, const struct json_value *v);

static int64_t case_int(const struct json_value *v, const char *member)
{
	int64_t n = 0;
	json_get_int(json_member(v, member), &n);
	return n;
}

static void describe_case_duration(struct test_cases *c, struct strbuf *out, const struct json_value *v)
{
	struct slice node = test_case_text(c, v, "node");
	if (slice_eq_cstr(node, "NumberLiteral")) {
		strbuf_adds(out, test_case_bool(v, "Duration") ? "D" : "N");
		describe_number(out, test_case_double(v, "Val"));
		return;
	}
	strbuf_addf(out, "(%" SL_FMT "%s ", SL_ARG(test_case_text(c, v, "Op")),
	    test_case_bool(v, "Wrapped") ? " wrapped" : "");
	if (json_member(v, "LHS"))
		describe_case_duration(c, out, json_member(v, "LHS"));
	strbuf_adds(out, ";");
	if (json_member(v, "RHS"))
		describe_case_duration(c, out, json_member(v, "RHS"));
	strbuf_adds(out, ")");
}

static void describe_case_time(struct test_cases *c, struct strbuf *out, const struct json_value *v,
    const char *what, const char *ms_member, const char *expr_member)
{
	if (json_member(v, expr_member)) {
		strbuf_addf(out, " %s:", what);
		describe_case_duration(c, out, json_member(v, expr_member));
	} else if (case_int(v, ms_member)) {
		strbuf_addf(out, " %s=%lld", what, (long long)case_int(v, ms_member));
	}
}

static void describe_case_shift(struct test_cases *c, struct strbuf *out, const struct json_value *v)
{
	describe_case_time(c, out, v, "offset", "OriginalOffset_ms", "OriginalOffsetExpr");
	if (json_member(v, "Timestamp_ms"))
		strbuf_addf(out, " @%lld", (long long)case_int(v, "Timestamp_ms"));
	if (json_member(v, "StartOrEnd"))
		strbuf_addf(out, " @%" SL_FMT, SL_ARG(test_case_text(c, v, "StartOrEnd")));
}

static void describe_case_selector(
    struct test_cases *c, struct strbuf *out, const struct json_value *v, const struct json_value *matrix)
{
	strbuf_addf(out, "sel %" SL_FMT "{", SL_ARG(test_case_text(c, v, "Name")));
	const struct json_value *matchers = json_member(v, "LabelMatchers");
	for (size_t i = 0; i < json_count(matchers); i++) {
		const struct json_value *m = json_item(matchers, i);
		strbuf_addf(out, "%" SL_FMT "%" SL_FMT "%" SL_FMT ",", SL_ARG(test_case_text(c, m, "name")),
		    SL_ARG(test_case_text(c, m, "op")), SL_ARG(test_case_text(c, m, "value")));
	}
	strbuf_adds(out, test_case_bool(v, "Anchored")   ? "} anchored"
			 : test_case_bool(v, "Smoothed") ? "} smoothed"
							 : "}");
	if (matrix)
		describe_case_time(c, out, matrix, "range", "Range_ms", "RangeExpr");
	describe_case_shift(c, out, v);
}

static void describe_case_labels(
    struct test_cases *c, struct strbuf *out, const char *what, const struct json_value *v)
{
	strbuf_addf(out, " %s(", what);
	for (size_t i = 0; i < json_count(v); i++)
		strbuf_addf(out, "%" SL_FMT ",", SL_ARG(test_case_bytes(c, json_item(v, i))));
	strbuf_adds(out, ")");
}

static void describe_case_binary(struct test_cases *c, struct strbuf *out, const struct json_value *v)
{
	strbuf_addf(out, "%" SL_FMT "%s", SL_ARG(test_case_text(c, v, "Op")),
	    test_case_bool(v, "ReturnBool") ? " bool" : "");
	const struct json_value *m = json_member(v, "VectorMatching");
	if (m) {
		struct slice card = test_case_text(c, m, "Card");
		strbuf_addf(out, " %" SL_FMT, SL_ARG(card.len ? card : SL("one-to-one")));
		describe_case_labels(
		    c, out, test_case_bool(m, "On") ? "on" : "ignoring", json_member(m, "MatchingLabels"));
		describe_case_labels(c, out, "include", json_member(m, "Include"));
	}
	strbuf_adds(out, " [");
	describe_case(c, out, json_member(v, "LHS"));
	strbuf_adds(out, "; ");
	describe_case(c, out, json_member(v, "RHS"));
	strbuf_adds(out, "]");
}

static void describe_case_aggregate(struct test_cases *c, struct strbuf *out, const struct json_value *v)
{
	strbuf_add_slice(out, test_case_text(c, v, "Op"));
	describe_case_labels(
	    c, out, test_case_bool(v, "Without") ? "without" : "by", json_member(v, "Grouping"));
	strbuf_adds(out, " [");
	if (json_member(v, "Param"))
		describe_case(c, out, json_member(v, "Param"));
	strbuf_adds(out, "; ");
	describe_case(c, out, json_member(v, "Expr"));
	strbuf_adds(out, "]");
}

static void describe_case_call(struct test_cases *c, struct strbuf *out, const struct json_value *v)
{
	strbuf_addf(out, "%" SL_FMT "[", SL_ARG(test_case_text(c, v, "Func")));
	const struct json_value *args = json_member(v, "Args");
	for (size_t i = 0; i < json_count(args); i++) {
		if (i)
			strbuf_adds(out, "; ");
		describe_case(c, out, json_item(args, i));
	}
	strbuf_adds(out, "]");
}

static void describe_case(struct test_cases *c, struct strbuf *out, const struct json_value *v)
{
	struct slice node = test_case_text(c, v, "node");
	if (slice_eq_cstr(node, "NumberLiteral")) {
		strbuf_adds(out, test_case_bool(v, "Duration") ? "D" : "N");
		describe_number(out, test_case_double(v, "Val"));
	} else if (slice_eq_cstr(node, "StringLiteral")) {
		strbuf_addf(out, "string <%" SL_FMT ">", SL_ARG(test_case_text(c, v, "Val")));
	} else if (slice_eq_cstr(node, "VectorSelector")) {
		describe_case_selector(c, out, v, NULL);
	} else if (slice_eq_cstr(node, "MatrixSelector")) {
		describe_case_selector(c, out, json_member(v, "VectorSelector"), v);
	} else if (slice_eq_cstr(node, "SubqueryExpr")) {
		strbuf_adds(out, "sub [");
		describe_case(c, out, json_member(v, "Expr"));
		strbuf_adds(out, "]");
		describe_case_time(c, out, v, "range", "Range_ms", "RangeExpr");
		describe_case_time(c, out, v, "step", "Step_ms", "StepExpr");
		describe_case_shift(c, out, v);
	} else if (slice_eq_cstr(node, "AggregateExpr")) {
		describe_case_aggregate(c, out, v);
	} else if (slice_eq_cstr(node, "BinaryExpr")) {
		describe_case_binary(c, out, v);
	} else if (slice_eq_cstr(node, "UnaryExpr")) {
		strbuf_addf(out, "%" SL_FMT "[", SL_ARG(test_case_text(c, v, "Op")));
		describe_case(c, out, json_member(v, "Expr"));
		strbuf_adds(out, "]");
	} else if (slice_eq_cstr(node, "ParenExpr")) {
		strbuf_adds(out, "(");
		describe_case(c, out, json_member(v, "Expr"));
		strbuf_adds(out, ")");
	} else if (slice_eq_cstr(node, "Call")) {
		describe_case_call(c, out, v);
	} else {
		fail_msg("node %" SL_FMT " is unknown to the test", SL_ARG(node));
	}
}

static void accepts(void **state)
{
	(void)state;
	struct test_cases *c = test_cases_open("promql_parse_accept.json");
	if (!c)
		return;
	for (size_t i = 0; i < test_cases_count(c); i++) {
		const struct json_value *v = test_case(c, i);
		struct slice text = test_case_text(c, v, "expr");
		if (!text.len)
			text = test_case_text(c, v, "expr_hex");
		char *name = slice_dup(text);
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const struct expr *e = parse(a, name, text);
		if (e && json_member(v, "ast")) {
			struct strbuf got = STRBUF_INIT, want = STRBUF_INIT;
			describe(&got, e);
			describe_case(c, &want, json_member(v, "ast"));
			check_slice(name, strbuf_slice(&got), strbuf_slice(&want));
			strbuf_done(&got);
			strbuf_done(&want);
		}
		arena_free(a);
		free(name);
	}
	test_cases_close(c);
}

/* --- rejected --- */

static struct slice unhex(struct arena *a, struct slice hex)
{
	char *out = (char *)arena_alloc(a, hex.len / 2 + 1);
	for (size_t i = 0; i + 1 < hex.len; i += 2) {
		char digits[3] = {hex.ptr[i], hex.ptr[i + 1], 0};
		out[i / 2] = (char)strtol(digits, NULL, 16);
	}
	return slice_of(out, hex.len / 2);
}

static void rejects(void **state)
{
	(void)state;
	struct test_cases *c = test_cases_open("promql_parse_reject.json");
	if (!c)
		return;
	for (size_t i = 0; i < test_cases_count(c); i++) {
		const struct json_value *v = test_case(c, i);
		struct slice text = json_member(v, "expr")
					? test_case_text(c, v, "expr")
					: unhex(test_cases_arena(c), test_case_text(c, v, "expr_hex"));
		struct slice want = test_case_text(c, v, "error_text");
		char *name = slice_dup(slice_of(text.ptr, text.len < 200 ? text.len : 200));
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const struct expr *e = NULL;
		struct ast_range where = {0};
		struct err err = {0};
		check_true(name, promql_parse_where(a, text, &everything, &e, &where, &err) != 0);
		if (want.len)
			check_str(name, want, err.msg);
		const struct json_value *first = json_item(json_member(v, "errors"), 0);
		if (first) {
			check_int(name, where.start, case_int(first, "start"));
			check_int(name, where.end, case_int(first, "end"));
		}
		arena_free(a);
		free(name);
	}
	test_cases_close(c);
}

/* --- our own --- */

static void says_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
	    /* nothing experimental is on */
	    {"limitk(1, x)", "1:1: parse error: limitk() is experimental and must be enabled with "
			     "--enable-feature=promql-experimental-functions"},
	    {"mad_over_time(x[5m])", "1:1: parse error: function \"mad_over_time\" is not enabled"},
	    {"x anchored", "1:1: parse error: anchored modifier is experimental and not enabled"},
	    {"a + fill(1) b", "1:5: parse error: binop fill modifiers are experimental and not enabled"},
	    {"sum(x) by (a:b, \"\")", "1:17: parse error: invalid label name for grouping: \"\""},
	    {"a +\n  b{c=d}",
		"2:7: parse error: unexpected identifier \"d\" in label matching, expected string"},
	    {"a{b=~\"(\"}", "1:3: parse error: error parsing regexp: missing closing ): `(`"},
	    {"foo[5m", "1:7: parse error: unclosed left bracket"},
	    {"foo[5m][", "1:9: parse error: unexpected end of input in duration expression"},
	    {"foo[[5m]]", "1:5: parse error: unexpected character in duration expression: '['"},
	    {"foo]", "1:4: parse error: unexpected right bracket ']'"},
	    {"foo[:1m]", "1:6: parse error: unexpected colon before duration in duration expression"},
	    {"foo[1m:1m:1m]", "1:10: parse error: unexpected colon ':'"},
	    {"foo{a!b}", "1:6: parse error: unexpected character after '!' inside braces: 'b'"},
	    {"foo{{}", "1:5: parse error: unexpected left brace '{'"},
	    {"a \xe2\x98\xba", "1:3: parse error: unexpected character: '\xe2\x98\xba'"},
	    {"a \xff", "1:3: parse error: unexpected character: '\xef\xbf\xbd'"},
	    {"1.2.3", "1:1: parse error: bad number or duration syntax: \"1.2.\""},
	    {"1h_", "1:1: parse error: bad number or duration syntax: \"1h_\""},
	    {"0xg", "1:1: parse error: bad number or duration syntax: \"0x\""},
	    {"1e400", "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"1e400\": value "
		      "out of range"},
	    {"sum(x y)", "1:7: parse error: unexpected identifier \"y\" in aggregation"},
	    {"foo{a=\"b\" \"a long string\"}",
		"1:11: parse error: unexpected string \"\\\"a long st\"... in label matching, "
		"expected \",\" or \"}\""},
	    {"foo @ bar", "1:7: parse error: unexpected identifier \"bar\" in @, expected timestamp"},
	    {"foo[5m] offset 5m offset 1m", "1:1: parse error: offset may not be set multiple times"},
	    {"foo @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"},
	    {"1 offset 5m",
		"1:1: parse error: offset modifier must be preceded by an instant vector selector or range "
		"vector selector or a subquery"},
	    {"round()", "1:1: parse error: expected at least 1 argument(s) in call to \"round\", got 0"},
	    {"foo + \"x\"",
		"1:7: parse error: binary expression must contain only scalar and instant vector types"},
	    {"sum by a (x)",
		"1:8: parse error: unexpected identifier \"a\" in grouping opts, expected \"(\""},
	    {"a + on(x y) b",
		"1:10: parse error: unexpected identifier \"y\" in grouping opts, expected \",\" or \")\""},
	    {"a:b c:d", "1:5: parse error: unexpected metric identifier \"c:d\""},
	    {"on", "1:1: parse error: unexpected <on>"},
	    {"by bool", "1:4: parse error: unexpected <bool>"},
	    /* where a number ends */
	    {"5e-", "1:1: parse error: bad number or duration syntax: \"5e-\""},
	    {"5e+-3", "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"5e+\": invalid "
		      "syntax"},
	    {"1_", "1:1: parse error: bad number or duration syntax: \"1_\""},
	    {"1_ + 1",
		"1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"1_\": invalid syntax"},
	    {".5.5", "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \".5.5\": invalid "
		     "syntax"},
	    {"0x1e", "1:1: parse error: bad number or duration syntax: \"0x1e\""},
	    {"0x1.5", "1:1: parse error: bad number or duration syntax: \"0x1.\""},
	    /* what brackets hold */
	    {"foo[step():1m]", "1:12: parse error: unexpected colon before duration in duration expression"},
	    {"foo[step()==5m]", "1:11: parse error: unexpected character in duration expression: '='"},
	    {"foo[step(", "1:10: parse error: unexpected end of input in duration expression"},
	    {"foo[step2]",
		"1:9: parse error: unexpected number \"2\" in subquery or range selector, expected number, "
		"duration, step(), or range()"},
	    {"foo[5m max_of(1, 2)]",
		"1:8: parse error: unexpected \"max_of\" in subquery or range, expected \":\" or \"]\""},
	    /* a parenthesis behind offset begins a calculation */
	    {"foo offset (5m) * bar",
		"1:19: parse error: unexpected identifier \"bar\" in offset, expected number, "
		"duration, step(), or range()"},
	    {"foo offset --5m * bar",
		"1:19: parse error: unexpected identifier \"bar\" in offset, expected number, "
		"duration, step(), or range()"},
	    {"fill_left(1)", "1:10: parse error: unexpected \"(\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const struct expr *e = NULL;
		struct err err = {0};
		check_true(
		    cases[i].text, promql_parse(a, slice_cstr(cases[i].text), NULL, &e, &err) == ERR_INVALID);
		check_str(cases[i].text, slice_cstr(err.msg), cases[i].want);
		arena_free(a);
	}
}

/* Deep texts are refused, long ones are not. */
static void depth_is_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *open, *middle, *close;
	} shapes[] = {{"(", "x", ")"}, {"-", "x", ""}, {"x+", "x", ""}, {"x^", "x", ""}, {"abs(", "x", ")"},
	    {"sum(", "x", ")"}, {"x[(", "5m", ")]"}, {"", "x", "[1m:]"}, {"x[", "1", "+1"},
	    {"x[", "1", "^1"}};
	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
		for (size_t n = 100; n <= 100000; n *= 1000) {
			struct strbuf text = STRBUF_INIT;
			for (size_t i = 0; i < n; i++)
				strbuf_adds(&text, i && shapes[k].open[0] == 'x' && shapes[k].open[1] == '['
						       ? "("
						       : shapes[k].open);
			strbuf_adds(&text, shapes[k].middle);
			for (size_t i = 0; i < n; i++)
				strbuf_adds(&text, shapes[k].close);
			struct arena *a = arena_new(ARENA_NO_LIMIT);
			const struct expr *e = NULL;
			struct err err = {0};
			int rc = promql_parse(a, strbuf_slice(&text), &everything, &e, &err);
			if (n > 1000)
				check_true(shapes[k].open, rc == ERR_INVALID);
			arena_free(a);
			strbuf_done(&text);
		}
	}
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < 10000; i++)
		strbuf_adds(&text, "(");
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	const struct expr *e = NULL;
	struct err err = {0};
	strbuf_adds(&text, "x");
	for (size_t i = 0; i < 10000; i++)
		strbuf_adds(&text, ")");
	check_int("10,000 parentheses", promql_parse(a, strbuf_slice(&text), NULL, &e, &err), ERR_INVALID);
	check_true("says why", strstr(err.msg, "expression is nested too deeply") != NULL);
	arena_free(a);
	strbuf_done(&text);
}

static void long_texts_are_fine(void **state)
{
	(void)state;
	struct strbuf text = STRBUF_INIT;
	strbuf_adds(&text, "label_join(x, \"a\", \"b\"");
	while (text.len < 1000000)
		strbuf_adds(&text, ", \"some label of the source\"");
	strbuf_adds(&text, ") + y{a=\"");
	for (int i = 0; i < 1000000; i++)
		strbuf_addch(&text, 'v');
	strbuf_adds(&text, "\"}");
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	const struct expr *e = NULL;
	struct err err = {0};
	check_ok("long", promql_parse(a, strbuf_slice(&text), NULL, &e, &err), &err);
	check_int("nodes are numbered", e->binary.lhs->id < e->id, 1);
	arena_free(a);
	strbuf_done(&text);
}

static void selectors_alone(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want; /* matchers, or the error */
	} cases[] = {
	    {"up", "__name__=\"up\" "},
	    {"{a=\"b\",c!~\"d\"}", "a=\"b\" c!~\"d\" "},
	    {"up{a=\"b\"} ", "a=\"b\" __name__=\"up\" "},
	    {"{}", ""}, /* refused by the API, not by the language */
	    {"up[5m]", "1:3: parse error: unexpected \"[\""},
	    {"up offset 5m", "1:4: parse error: unexpected <offset>"},
	    {"1", "1:1: parse error: unexpected number \"1\""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const struct matcher *const *matchers = NULL;
		size_t n = 0;
		struct err err = {0};
		struct strbuf got = STRBUF_INIT;
		if (promql_parse_selector(a, slice_cstr(cases[i].text), &matchers, &n, &err))
			strbuf_adds(&got, err.msg);
		for (size_t k = 0; k < n; k++) {
			matcher_print(&got, matchers[k]);
			strbuf_adds(&got, " ");
		}
		check_str(cases[i].text, strbuf_slice(&got), cases[i].want);
		strbuf_done(&got);
		arena_free(a);
	}
}

/* Whatever people run in production parses. */
static void real_queries_parse(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char *path = xasprintf("%s/queries/realistic.json", dir);
	size_t len = 0;
	char *text = test_read_file(path, &len);
	struct json_doc *doc = NULL;
	struct err err = {0};
	assert_non_null(text);
	check_ok(path, json_doc_parse(slice_of(text, len), &doc, &err), &err);
	const struct json_value *list = json_doc_root(doc);
	if (json_kind_of(list) == JSON_KIND_OBJECT)
		list = json_member(list, json_member(list, "cases") ? "cases" : "queries");
	check_true("there are some", json_count(list) > 50);
	for (size_t i = 0; i < json_count(list); i++) {
		struct slice query = SL_EMPTY;
		if (!json_get_string(json_item(list, i), &query))
			json_get_string(json_member(json_item(list, i), "query"), &query);
		char *name = slice_dup(query);
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		parse(a, name, query);
		arena_free(a);
		free(name);
	}
	json_doc_free(doc);
	free(text);
	free(path);
}

TEST_MAIN("parse", cmocka_unit_test(accepts), cmocka_unit_test(rejects), cmocka_unit_test(says_what_is_wrong),
    cmocka_unit_test(depth_is_bounded), cmocka_unit_test(long_texts_are_fine),
    cmocka_unit_test(selectors_alone), cmocka_unit_test(real_queries_parse))
