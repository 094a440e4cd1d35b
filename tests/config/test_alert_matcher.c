#include "config/alert_matcher.h"

#include "tests/lib/cases.h"
#include "tests/lib/test.h"

static enum match_op op_of(struct slice text)
{
	for (int op = MATCH_EQUAL; op <= MATCH_NOT_REGEX; op++)
		if (slice_eq_cstr(text, match_op_text((enum match_op)op)))
			return (enum match_op)op;
	fail_msg("operator %.*s", (int)text.len, text.ptr);
	return MATCH_EQUAL;
}

static void check_list(struct test_cases *cases, const char *input, const struct alert_matcher_list *got,
    const struct json_value *want)
{
	check_int(input, got->n, json_count(want));
	for (size_t i = 0; i < got->n; i++) {
		const struct json_value *m = json_item(want, i);
		check_slice(input, got->v[i]->name, test_case_text(cases, m, "name"));
		check_slice(input, got->v[i]->value, test_case_text(cases, m, "value"));
		check_int(input, got->v[i]->op, op_of(test_case_text(cases, m, "op")));
	}
}

static enum alert_matcher_mode mode_of(struct slice mode)
{
	if (slice_eq(mode, SL("classic")))
		return ALERT_MATCHER_CLASSIC;
	return slice_starts(mode, SL("utf8")) ? ALERT_MATCHER_UTF8 : ALERT_MATCHER_FALLBACK;
}

/* Upstream's table of the strict parser leaves out the errors: an empty list stands for one, but for no input at all. */
static void check_case(struct test_cases *cases, const struct json_value *c)
{
	struct arena *arena = test_cases_arena(cases);
	struct slice input = test_case_text(cases, c, "input"), mode = test_case_text(cases, c, "mode"),
		     error;
	const struct json_value *want = json_member(c, "matchers");
	const char *name = arena_strdup(arena, input);
	struct alert_matcher_list got;
	struct err err;
	int rc = alert_matcher_parse(input, mode_of(mode), arena, &got, NULL, &err);
	bool is_single = slice_ends(mode, SL("-single"));
	if (json_get_string(json_member(c, "error"), &error)) {
		check_true(name, rc == ERR_INVALID);
		check_slice(name, slice_cstr(err.msg), error);
		return;
	}
	if (mode_of(mode) == ALERT_MATCHER_UTF8 && json_count(want) == 0 && input.len > 0) {
		check_true(name, rc == ERR_INVALID || (is_single && got.n != 1));
		return;
	}
	check_ok(name, rc, &err);
	check_list(cases, name, &got, want);
}

static void upstream_parses(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_matchers_parse.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++)
		check_case(cases, test_case(cases, i));
	test_cases_close(cases);
}

static void upstream_prints(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_matcher_string.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		const struct matcher *m;
		struct err err;
		struct strbuf sb = STRBUF_INIT;
		check_ok("matcher",
		    alert_matcher_new(test_cases_arena(cases), op_of(test_case_text(cases, c, "op")),
			test_case_text(cases, c, "name"), test_case_text(cases, c, "value"), &m, &err),
		    &err);
		alert_matcher_print(&sb, m);
		check_slice("text", strbuf_slice(&sb), test_case_text(cases, c, "string"));
		strbuf_done(&sb);
	}
	test_cases_close(cases);
}

static void upstream_matches(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_matcher_match.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *given = json_member(c, "matcher");
		const struct matcher *m;
		struct err err;
		check_ok("matcher",
		    alert_matcher_new(test_cases_arena(cases), op_of(test_case_text(cases, given, "op")),
			test_case_text(cases, given, "name"), test_case_text(cases, given, "value"), &m,
			&err),
		    &err);
		check_int("match", matcher_matches(m, test_case_text(cases, c, "value")),
		    test_case_bool(c, "match"));
	}
	test_cases_close(cases);
}

static void one_matcher_alone(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"foo=bar", "foo=\"bar\""},
	    {" foo =~ \"b.*\" ", "foo=~\"b.*\""},
	    {"{foo=bar}", "unexpected open or close brace: {foo=bar}"},
	    {"foo=bar,a=b", "expected 1 matcher, found more"},
	    {"", "no matchers"},
	    {"foo", "bad matcher format: foo"},
	};
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct matcher *m;
		struct err err;
		struct strbuf sb = STRBUF_INIT;
		if (alert_matcher_parse_one(slice_cstr(cases[i].in), ALERT_MATCHER_FALLBACK, arena, &m, &err))
			strbuf_adds(&sb, err.msg);
		else
			alert_matcher_print(&sb, m);
		check_str(cases[i].in, strbuf_slice(&sb), cases[i].want);
		strbuf_done(&sb);
	}
	arena_free(arena);
}

/* Whatever is printed parses to the same matcher. */
static void printing_and_parsing_agree(void **state)
{
	static const char letters[] = "ab=!~{},\"\\ \n'`x9_";
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (int round = 0; round < 2000; round++) {
		char name[6], value[8];
		size_t name_len = 1 + test_random_below(&r, sizeof(name) - 1),
		       value_len = test_random_below(&r, sizeof(value));
		for (size_t i = 0; i < name_len; i++)
			name[i] = letters[test_random_below(&r, sizeof(letters) - 1)];
		for (size_t i = 0; i < value_len; i++)
			value[i] = letters[test_random_below(&r, sizeof(letters) - 1)];
		const struct matcher *m, *again;
		struct err err;
		enum match_op op = test_random_below(&r, 2) ? MATCH_EQUAL : MATCH_NOT_EQUAL;
		check_ok("new",
		    matcher_new(arena, op, slice_of(name, name_len), slice_of(value, value_len), &m, &err),
		    &err);
		struct strbuf sb = STRBUF_INIT;
		alert_matcher_print(&sb, m);
		struct alert_matcher_list list;
		check_ok(strbuf_cstr(&sb),
		    alert_matcher_parse(strbuf_slice(&sb), ALERT_MATCHER_UTF8, arena, &list, NULL, &err),
		    &err);
		check_int(strbuf_cstr(&sb), list.n, 1);
		again = list.v[0];
		check_int(strbuf_cstr(&sb), alert_matcher_cmp(m, again), 0);
		strbuf_done(&sb);
	}
	arena_free(arena);
}

TEST_MAIN("alert_matcher", cmocka_unit_test(upstream_parses), cmocka_unit_test(upstream_prints),
    cmocka_unit_test(upstream_matches), cmocka_unit_test(one_matcher_alone),
    cmocka_unit_test(printing_and_parsing_agree))
