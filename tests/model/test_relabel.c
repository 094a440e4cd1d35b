#include "base/utf8.h"
#include "model/relabel.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

#include <stdio.h>

static void set_text(
    const struct json_value *c, const char *key, unsigned bit, struct slice *field, unsigned *is_set)
{
	if (json_get_string(json_member(c, key), field))
		*is_set |= bit;
}

/* A rule of a case, defaults filled in; false: its action is unknown or missing. */
static bool rule_of(struct arena *arena, const struct json_value *c, struct relabel_rule *r, unsigned *is_set)
{
	*r = (struct relabel_rule){.separator = SL(";"),
	    .replacement = SL("$1"),
	    .regex_text = SL("(.*)"),
	    .target_label = SL_EMPTY};
	*is_set = 0;
	struct slice action = SL_EMPTY;
	json_get_string(json_member(c, "action"), &action);
	if (!relabel_action_parse(action, &r->action))
		return false;
	set_text(c, "separator", RELABEL_SET_SEPARATOR, &r->separator, is_set);
	set_text(c, "regex", RELABEL_SET_REGEX, &r->regex_text, is_set);
	set_text(c, "target_label", RELABEL_SET_TARGET, &r->target_label, is_set);
	set_text(c, "replacement", RELABEL_SET_REPLACEMENT, &r->replacement, is_set);
	int64_t modulus = 0;
	if (json_get_int(json_member(c, "modulus"), &modulus))
		*is_set |= RELABEL_SET_MODULUS;
	r->modulus = (uint64_t)modulus;
	const struct json_value *source = json_member(c, "source_labels");
	r->n_source_labels = json_count(source);
	r->source_labels = ARENA_ARRAY(arena, struct slice, r->n_source_labels + 1);
	for (size_t i = 0; i < r->n_source_labels; i++)
		json_get_string(json_item(source, i), &r->source_labels[i]);
	*is_set |= source ? RELABEL_SET_SOURCE : 0;
	r->has_default_regex = slice_eq_cstr(r->regex_text, "(.*)");
	struct err err;
	check_ok("regex", label_regex_new(r->regex_text, &r->regex, &err), &err);
	return true;
}

static const struct labels *labels_of_json(struct arena *arena, const struct json_value *v)
{
	struct label_builder b;
	label_builder_init(&b, arena, NULL);
	struct slice name, value;
	const struct json_value *member;
	for (void *at = NULL; json_next_member(v, &at, &name, &member);)
		if (json_get_string(member, &value))
			label_builder_set(&b, name, value);
	return label_builder_labels(&b);
}

static void check_labels(const char *name, const struct labels *got, const struct labels *want)
{
	struct strbuf g = STRBUF_INIT, w = STRBUF_INIT;
	labels_print(&g, got);
	labels_print(&w, want);
	check_slice(name, strbuf_slice(&g), strbuf_slice(&w));
	strbuf_done(&g);
	strbuf_done(&w);
}

static void as_upstream(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("relabel.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct arena *arena = test_cases_arena(cases);
		const struct json_value *list = json_member(c, "relabel_configs");
		size_t n = json_count(list);
		struct relabel_rule rules[8];
		unsigned is_set;
		for (size_t k = 0; k < n; k++) {
			struct err err;
			assert_true(rule_of(arena, json_item(list, k), &rules[k], &is_set));
			check_ok("check", relabel_rule_check(&rules[k], is_set, &err), &err);
		}
		struct label_builder b;
		label_builder_init(&b, arena, labels_of_json(arena, json_member(c, "input")));
		char name[32];
		snprintf(name, sizeof(name), "case %zu", i);
		bool kept = relabel_apply(rules, n, &b);
		check_int(name, kept, !test_case_bool(c, "drop"));
		if (kept)
			check_labels(
			    name, label_builder_labels(&b), labels_of_json(arena, json_member(c, "output")));
		for (size_t k = 0; k < n; k++)
			relabel_rule_done(&rules[k]);
	}
	test_cases_close(cases);
}

static void checks_as_upstream(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("relabel_validate.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct slice want = test_case_text(cases, c, "error_contains");
		struct relabel_rule r;
		unsigned is_set;
		struct err err = {0};
		/* That there is no action at all is found by whoever reads the file. */
		if (!rule_of(test_cases_arena(cases), json_member(c, "config"), &r, &is_set))
			continue;
		int rc = relabel_rule_check(&r, is_set, &err);
		check_int(want.ptr, rc<0, want.len> 0);
		if (want.len > 0)
			assert_non_null(memmem(err.msg, strlen(err.msg), want.ptr, want.len));
		relabel_rule_done(&r);
	}
	test_cases_close(cases);
}

static void messages(void **state)
{
	(void)state;
	static const struct {
		struct relabel_rule r;
		unsigned is_set;
		const char *want; /* NULL: good */
	} table[] = {
	    {{.action = RELABEL_HASHMOD, .target_label = SL_INIT("x")}, 0,
		"relabel configuration for hashmod requires non-zero modulus"},
	    {{.action = RELABEL_KEEPEQUAL, .target_label = SL_INIT("")}, 0,
		"relabel configuration for keepequal action requires 'target_label' value"},
	    {{.action = RELABEL_UPPERCASE, .target_label = SL_INIT("x"), .replacement = SL_INIT("y")},
		RELABEL_SET_REPLACEMENT, "'replacement' can not be set for uppercase action"},
	    {{.action = RELABEL_REPLACE, .target_label = SL_INIT("\xff")}, 0,
		"\"\\xff\" is invalid 'target_label' for replace action"},
	    {{.action = RELABEL_LABELMAP, .replacement = SL_INIT("\xff")}, RELABEL_SET_REPLACEMENT,
		"\"\\xff\" is invalid 'replacement' for labelmap action"},
	    {{.action = RELABEL_DROPEQUAL, .target_label = SL_INIT("x"), .regex_text = SL_INIT("y")},
		RELABEL_SET_REGEX,
		"dropequal action requires only 'source_labels' and `target_label`, and no other fields"},
	    {{.action = RELABEL_LABELKEEP, .target_label = SL_INIT("x")}, 0,
		"labelkeep action requires only 'regex', and no other fields"},
	    {{.action = RELABEL_LABELDROP, .target_label = SL_INIT("")}, RELABEL_SET_REGEX, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct relabel_rule r = table[i].r;
		if (!r.replacement.ptr)
			r.replacement = SL("$1");
		struct err err = {0};
		check_int(
		    "rc", relabel_rule_check(&r, table[i].is_set, &err), table[i].want ? ERR_INVALID : 0);
		check_str("message", slice_cstr(err.msg), table[i].want ? table[i].want : "");
	}
}

/* --- against a naive model ---------------------------------------------------------------------------------------------- */

static const char *const names[] = {"a", "b", "c", "ab", "bc", "t"};
static const char *const values[] = {"", "a", "b", "ab", "ba", "abc"};
static const char *const exprs[] = {"(.*)", "a", "a.*", ".*b", "(a|b)(.*)", "(a)?.*", "[ab]+"};

/* What the rule makes of name/value pairs kept as an unordered list, for the actions that need no expansion. */
static bool naive_apply(const struct relabel_rule *r, struct slice *v /* by names[] */)
{
	struct strbuf joined = STRBUF_INIT;
	size_t target = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_cstr(r->target_label, names[i]))
			target = i;
	for (size_t i = 0; i < r->n_source_labels; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (slice_eq_cstr(r->source_labels[i], names[k])) {
				strbuf_adds(&joined, i ? ";" : "");
				strbuf_add_slice(&joined, v[k]);
			}
	struct slice value = strbuf_slice(&joined);
	bool matches = label_regex_matches(r->regex, value), kept = true;
	if (r->action == RELABEL_KEEP)
		kept = matches;
	else if (r->action == RELABEL_DROP)
		kept = !matches;
	else if (r->action == RELABEL_KEEPEQUAL)
		kept = slice_eq(value, v[target]);
	else if (r->action == RELABEL_DROPEQUAL)
		kept = !slice_eq(value, v[target]);
	else if (r->action == RELABEL_REPLACE && matches)
		v[target] = r->replacement;
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		bool named = label_regex_matches(r->regex, slice_cstr(names[k]));
		if ((r->action == RELABEL_LABELDROP && named) || (r->action == RELABEL_LABELKEEP && !named))
			v[k] = SL_EMPTY;
	}
	strbuf_done(&joined);
	return kept;
}

static void like_a_naive_model(void **state)
{
	(void)state;
	static const enum relabel_action kinds[] = {RELABEL_REPLACE, RELABEL_KEEP, RELABEL_DROP,
	    RELABEL_KEEPEQUAL, RELABEL_DROPEQUAL, RELABEL_LABELDROP, RELABEL_LABELKEEP};
	struct test_random r;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (int round = 0; round < 3000; round++) {
		struct label_builder b;
		label_builder_init(&b, arena, NULL);
		struct slice model[ARRAY_LEN(names)];
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			model[i] = slice_cstr(values[test_random_below(&r, ARRAY_LEN(values))]);
			label_builder_set(&b, slice_cstr(names[i]), model[i]);
		}
		struct slice source[2] = {slice_cstr(names[test_random_below(&r, ARRAY_LEN(names))]),
		    slice_cstr(names[test_random_below(&r, ARRAY_LEN(names))])};
		struct relabel_rule rule = {
		    .action = kinds[test_random_below(&r, ARRAY_LEN(kinds))],
		    .separator = SL(";"),
		    .source_labels = source,
		    .n_source_labels = test_random_below(&r, 3),
		    .target_label = slice_cstr(names[test_random_below(&r, ARRAY_LEN(names))]),
		    .replacement = slice_cstr(values[test_random_below(&r, ARRAY_LEN(values))]),
		    .regex_text = slice_cstr(exprs[test_random_below(&r, ARRAY_LEN(exprs))]),
		};
		rule.has_default_regex = slice_eq_cstr(rule.regex_text, "(.*)");
		struct err err;
		check_ok("regex", label_regex_new(rule.regex_text, &rule.regex, &err), &err);
		bool want = naive_apply(&rule, model);
		check_int(relabel_action_name(rule.action), relabel_apply(&rule, 1, &b), want);
		for (size_t i = 0; want && i < ARRAY_LEN(names); i++)
			check_slice(relabel_action_name(rule.action),
			    label_builder_get(&b, slice_cstr(names[i])), model[i]);
		relabel_rule_done(&rule);
		arena_reset(arena);
	}
	arena_free(arena);
}

TEST_MAIN("relabel", cmocka_unit_test(as_upstream), cmocka_unit_test(checks_as_upstream),
    cmocka_unit_test(messages), cmocka_unit_test(like_a_naive_model))
