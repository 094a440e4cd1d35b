#include "model/label_regex.h"
#include "model/regex_shape.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

static struct label_regex *compiled(const char *expr)
{
	struct label_regex *re = NULL;
	struct err err;
	check_ok(expr, label_regex_new(slice_cstr(expr), &re, &err), &err);
	return re;
}

static void matches_as_upstream(void **state)
{
	(void)state;
	static const char *const files[] = {"regexp_match.json", "regexp_analysis.json"};
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		struct test_cases *cases = test_cases_open(files[f]);
		for (size_t i = 0; i < test_cases_count(cases); i++) {
			const struct json_value *c = test_case(cases, i);
			struct slice pattern = test_case_text(cases, c, "pattern");
			struct label_regex *re = NULL;
			struct err err;
			int rc = label_regex_new(pattern, &re, &err);
			if (json_member(c, "valid"))
				check_int(pattern.ptr, rc == 0, test_case_bool(c, "valid"));
			if (rc < 0)
				continue;
			for (int good = 0; good < 2; good++) {
				const struct json_value *list =
				    json_member(c, good ? "matches" : "not_matches");
				for (size_t k = 0; k < json_count(list); k++) {
					struct slice s = test_case_bytes(cases, json_item(list, k));
					if (label_regex_matches(re, s) != (good == 1))
						fail_msg("pattern %" SL_FMT " on '%" SL_FMT "': want %d",
						    SL_ARG(pattern), SL_ARG(s), good);
				}
			}
			const struct json_value *set = json_member(c, "set_matches");
			for (size_t k = 0; k < json_count(set); k++)
				if (test_case_bool(c, "case_sensitive"))
					assert_true(label_regex_matches(
					    re, test_case_bytes(cases, json_item(set, k))));
			label_regex_free(re);
		}
		test_cases_close(cases);
	}
}

static void errors_in_the_words_of_go(void **state)
{
	(void)state;
	static const struct {
		const char *expr, *want;
	} table[] = {
	    {"(", "missing closing ): `(`"},
	    {"foo(bar", "missing closing ): `foo(bar`"},
	    {"a)", "unexpected ): `a)`"},
	    {"*", "missing argument to repetition operator: `*`"},
	    {"a|*", "missing argument to repetition operator: `*`"},
	    {"[a", "missing closing ]: `[a`"},
	    {"[z-a]", "invalid character class range: `z-a`"},
	    {"a\\", "trailing backslash at end of expression: ``"},
	    {"a**", "invalid nested repetition operator: `**`"},
	    {"\\8", "invalid escape sequence: `\\8`"},
	    {"\\C", "invalid escape sequence: `\\C`"},
	    {"a{1001}", "invalid repeat count: `{1001}`"},
	    {"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
	    {"(?P<n", "invalid named capture: `(?P<n`"},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct label_regex *re = NULL;
		struct err err;
		check_int(table[i].expr, label_regex_new(slice_cstr(table[i].expr), &re, &err), ERR_INVALID);
		const char *before = "error parsing regexp: ";
		assert_true(strncmp(err.msg, before, strlen(before)) == 0);
		check_str(table[i].expr, slice_cstr(err.msg + strlen(before)), table[i].want);
	}
}

static void sets_and_prefixes(void **state)
{
	(void)state;
	static const struct {
		const char *expr, *set /* joined by '|'; NULL: none */, *prefix;
	} table[] = {
	    {"foo", "foo", "foo"},
	    {"", "", ""},
	    {"b|a|b", "a|b", ""},
	    {"foo(bar|baz)?", "foo|foobar|foobaz", "foo"},
	    {"^a\\.b$", "a.b", "a.b"},
	    {"x[0-3]y", "x0y|x1y|x2y|x3y", "x"},
	    {"ab|ac?", "a|ab|ac", "a"},
	    {"foo.*", NULL, "foo"},
	    {"foo.+|fob.*", NULL, "fo"},
	    {".*foo", NULL, ""},
	    {"foo[0-9]+", NULL, "foo"},
	    {"foo\\d{3}", NULL, "foo"},
	    {"(?i)foo", NULL, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct label_regex *re = compiled(table[i].expr);
		size_t n;
		const struct slice *set = label_regex_set(re, &n);
		check_int(table[i].expr, set != NULL, table[i].set != NULL);
		struct strbuf joined = STRBUF_INIT;
		for (size_t k = 0; k < n; k++) {
			strbuf_adds(&joined, k ? "|" : "");
			strbuf_add_slice(&joined, set[k]);
		}
		check_str(table[i].expr, strbuf_slice(&joined), table[i].set ? table[i].set : "");
		strbuf_done(&joined);
		check_str(table[i].expr, label_regex_prefix(re), table[i].prefix);
		label_regex_free(re);
	}
}

static void expansion(void **state)
{
	(void)state;
	static const struct {
		const char *expr, *text, *replacement, *want; /* NULL: no match */
	} table[] = {
	    {"(.*)", "abc", "$1", "abc"},
	    {"(.*)", "abc", "<$0>${1}$2$name", "<abc>abc"},
	    {"(.*)", "abc", "$1x", ""},
	    {"(.*)", "abc", "${1}x", "abcx"},
	    {"f(.*)", "foo", "ch${1}-ch${1}", "choo-choo"},
	    {"(?P<first>[^-]+)-(.+)", "a-b", "$2/$first/${first}", "b/a/a"},
	    {"a|(b)", "a", "[$1]", "[]"},
	    {"(.*)", "abc", "$$1 $ ${ ${} $-", "$1 $ ${ ${} $-"},
	    {"(.*)", "abc", "$01", ""},
	    {"x", "abc", "$0", NULL},
	    {"(foo|bar)", "bar", "$1", "bar"},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct label_regex *re = compiled(table[i].expr);
		struct strbuf out = STRBUF_INIT;
		bool matched =
		    label_regex_expand(re, slice_cstr(table[i].text), slice_cstr(table[i].replacement), &out);
		check_int(table[i].expr, matched, table[i].want != NULL);
		check_str(table[i].replacement, strbuf_slice(&out), table[i].want ? table[i].want : "");
		strbuf_done(&out);
		label_regex_free(re);
	}
}

static void replacing_all(void **state)
{
	(void)state;
	static const struct {
		const char *expr, *text, *replacement, *want;
	} table[] = {
	    {"a", "banana", "o", "bonono"},
	    {"(.)a", "banana", "<$1>", "<b><n><n>"},
	    {"", "abc", "-", "-a-b-c-"},
	    {"a*", "baac", "x", "xbxcx"},
	    {"x*", "\xc3\xa4", "-", "-\xc3\xa4-"},
	    {".", "a\nb", "x", "x\nx"},
	    {"foo", "bar", "x", "bar"},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct label_regex *re = compiled(table[i].expr);
		struct strbuf out = STRBUF_INIT;
		label_regex_replace_all(
		    re, slice_cstr(table[i].text), slice_cstr(table[i].replacement), &out);
		check_str(table[i].expr, strbuf_slice(&out), table[i].want);
		strbuf_done(&out);
		label_regex_free(re);
	}
}

/* The simple kind against the engine: the same expression in a group that only the engine takes. */
static void simple_expressions_like_the_engine(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	static const char *const parts[] = {"a", "b", "ab", ".*", ".+", "|", "(a|b)", "(?:a.*)?", "a?",
	    "[ab]", "(", ")", "$", "^", "\\.", ".*?", "", "b|", "[a-c]?"};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	size_t simple = 0;
	for (int round = 0; round < 3000; round++) {
		struct strbuf expr = STRBUF_INIT, group = STRBUF_INIT;
		for (uint64_t n = test_random_below(&r, 7); n > 0; n--)
			strbuf_adds(&expr, parts[test_random_below(&r, ARRAY_LEN(parts))]);
		strbuf_addf(&group, "(?s:%s)", strbuf_cstr(&expr));
		struct regex_shape shape;
		bool is_simple = regex_shape_parse(strbuf_slice(&expr), arena, &shape);
		simple += is_simple;
		struct label_regex *engine = NULL;
		struct err err;
		int rc = label_regex_new(strbuf_slice(&group), &engine, &err);
		if (is_simple)
			check_ok(strbuf_cstr(&expr), rc, &err);
		for (int k = 0; rc == 0 && is_simple && k < 40; k++) {
			char text[8];
			size_t len = test_random_below(&r, sizeof(text));
			for (size_t i = 0; i < len; i++)
				text[i] = "abc.\n"[test_random_below(&r, 5)];
			struct slice s = slice_of(text, len);
			bool want = label_regex_matches(engine, s);
			if (regex_shape_matches(&shape, s) != want)
				fail_msg("'%s' on '%" SL_FMT "': engine says %d", strbuf_cstr(&expr),
				    SL_ARG(s), want);
			if (want)
				assert_true(slice_starts(s, shape.prefix));
		}
		label_regex_free(engine);
		strbuf_done(&expr);
		strbuf_done(&group);
		arena_reset(arena);
	}
	assert_true(simple > 300);
	arena_free(arena);
}

static void long_lists_and_long_products_stay_bounded(void **state)
{
	(void)state;
	struct strbuf expr = STRBUF_INIT;
	for (int i = 0; i < 20000; i++)
		strbuf_addf(&expr, "%shost-%d:9100", i ? "|" : "", i);
	struct label_regex *re = NULL;
	struct err err;
	check_ok("list", label_regex_new(strbuf_slice(&expr), &re, &err), &err);
	size_t n;
	assert_non_null(label_regex_set(re, &n));
	check_int("alternatives", n, 20000);
	assert_true(label_regex_matches(re, SL("host-19999:9100")));
	assert_false(label_regex_matches(re, SL("host-20000:9100")));
	label_regex_free(re);
	strbuf_reset(&expr);
	for (int i = 0; i < 8; i++)
		strbuf_adds(&expr, "[ab]");
	for (int i = 0; i < 3000; i++)
		strbuf_adds(&expr, "\\.x");
	check_ok("product", label_regex_new(strbuf_slice(&expr), &re, &err), &err);
	label_regex_free(re);
	strbuf_done(&expr);
}

TEST_MAIN("label_regex", cmocka_unit_test(matches_as_upstream), cmocka_unit_test(errors_in_the_words_of_go),
    cmocka_unit_test(sets_and_prefixes), cmocka_unit_test(expansion), cmocka_unit_test(replacing_all),
    cmocka_unit_test(simple_expressions_like_the_engine),
    cmocka_unit_test(long_lists_and_long_products_stay_bounded))
