#include "promql/string_literal.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdlib.h>

static void reads_the_cases(void **state)
{
	(void)state;
	struct test_cases *c = test_cases_open("string_unquote.json");
	if (!c)
		return;
	for (size_t i = 0; i < test_cases_count(c); i++) {
		const struct json_value *v = test_case(c, i);
		struct slice in = test_case_text(c, v, "in"), got = SL_EMPTY;
		char *name = slice_dup(in);
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct err err = {0};
		int rc = string_literal_parse(a, in, &got, &err);
		check_int(name, rc != 0, test_case_bool(v, "fail"));
		if (!rc)
			check_slice(name, got, test_case_text(c, v, "out"));
		arena_free(a);
		free(name);
	}
	test_cases_close(c);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"\"a", "unterminated quoted string"},
	    {"'a\nb'", "unterminated quoted string"},
	    {"`a", "unterminated raw string"},
	    {"\"\\q\"", "unknown escape sequence U+0071 'q'"},
	    {"\"\\'\"", "unknown escape sequence U+0027 '''"},
	    {"\"\\\x01\"", "unknown escape sequence U+0001"},
	    {"\"\\xg0\"", "illegal character U+0067 'g' in escape sequence"},
	    {"\"\\", "escape sequence not terminated"},
	    {"\"\\u12", "escape sequence not terminated"},
	    {"\"\\ud800\"", "escape sequence is an invalid Unicode code point"},
	    {"\"\\400\"", "escape sequence is an invalid Unicode code point"},
	    {"\"\xff\"", "invalid UTF-8 rune"},
	    {"a", "not a string literal"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct slice got;
		struct err err = {0};
		check_true(cases[i].in, string_literal_parse(a, slice_cstr(cases[i].in), &got, &err) != 0);
		check_str(cases[i].in, slice_cstr(err.msg), cases[i].want);
		arena_free(a);
	}
}

TEST_MAIN("string_literal", cmocka_unit_test(reads_the_cases), cmocka_unit_test(says_what_is_wrong))
