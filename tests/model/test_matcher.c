#include "model/matcher.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

static enum match_op op_of(struct slice s)
{
	for (int op = MATCH_EQUAL; op <= MATCH_NOT_REGEX; op++)
		if (slice_eq_cstr(s, match_op_text((enum match_op)op)))
			return (enum match_op)op;
	fail_msg("unknown operation");
	return MATCH_EQUAL;
}

static void as_upstream(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("label_matcher.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		const struct json_value *given = json_member(c, "matcher");
		const struct matcher *m = NULL;
		struct err err;
		struct slice value = test_case_text(cases, given, "value");
		check_ok("new",
		    matcher_new(test_cases_arena(cases), op_of(test_case_text(cases, given, "op")), SL("x"),
			value, &m, &err),
		    &err);
		check_int(value.ptr, matcher_matches(m, test_case_text(cases, c, "value")),
		    test_case_bool(c, "match"));
	}
	test_cases_close(cases);
}

static void sets_prefixes_and_text(void **state)
{
	(void)state;
	static const struct {
		enum match_op op;
		const char *name, *value, *text, *prefix;
		int set; /* -1: none */
		bool empty_matches;
	} table[] = {
	    {MATCH_EQUAL, "a", "b\"", "a=\"b\\\"\"", "b\"", 1, false},
	    {MATCH_EQUAL, "a", "", "a=\"\"", "", 1, true},
	    {MATCH_NOT_EQUAL, "a", "b", "a!=\"b\"", "", -1, true},
	    {MATCH_REGEX, "a.b", "x|y", "\"a.b\"=~\"x|y\"", "", 2, false},
	    {MATCH_REGEX, "a", "x.*", "a=~\"x.*\"", "x", -1, false},
	    {MATCH_REGEX, "a", ".*", "a=~\".*\"", "", -1, true},
	    {MATCH_NOT_REGEX, "a", "x|y", "a!~\"x|y\"", "", -1, true},
	};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct matcher *m = NULL;
		struct err err;
		check_ok("new",
		    matcher_new(
			arena, table[i].op, slice_cstr(table[i].name), slice_cstr(table[i].value), &m, &err),
		    &err);
		struct strbuf sb = STRBUF_INIT;
		matcher_print(&sb, m);
		check_str("text", strbuf_slice(&sb), table[i].text);
		strbuf_done(&sb);
		check_str(table[i].text, matcher_prefix(m), table[i].prefix);
		size_t n;
		check_int(table[i].text, matcher_set(m, &n) ? (int)n : -1, table[i].set);
		check_int(table[i].text, matcher_matches_empty(m), table[i].empty_matches);
	}
	arena_free(arena);
}

static void an_absent_label_is_empty(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *ls = labels_of(arena, "a", "1", NULL);
	const struct matcher *m;
	struct err err;
	check_ok("new", matcher_new(arena, MATCH_EQUAL, SL("b"), SL(""), &m, &err), &err);
	assert_true(matcher_matches_labels(m, ls));
	check_ok("new", matcher_new(arena, MATCH_REGEX, SL("b"), SL(".+"), &m, &err), &err);
	assert_false(matcher_matches_labels(m, ls));
	check_int("bad", matcher_new(arena, MATCH_REGEX, SL("b"), SL("("), &m, &err), ERR_INVALID);
	arena_free(arena);
}

TEST_MAIN("matcher", cmocka_unit_test(as_upstream), cmocka_unit_test(sets_prefixes_and_text),
    cmocka_unit_test(an_absent_label_is_empty))
