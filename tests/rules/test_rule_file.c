#include "base/json_read.h"
#include "base/xmalloc.h"
#include "config/config_rules.h"
#include "rules/rule_file.h"
#include "tests/config/config_fixture.h"

#include <dirent.h>

/* All errors of a text, with or without those of shape. */
static const char *errors_of(struct config_fixture *f, const char *text)
{
	struct config_rule_file file;
	struct rule_group_def *groups;
	struct config_global global = {.evaluation_interval_ms = 60000};
	if (config_rules_parse(f->arena, SL("r.yml"), slice_cstr(text), false, &f->errors, &file))
		rule_file_parse(f->arena, &file, &global, &f->errors, &groups);
	return config_fixture_errors(f);
}

static void errors_stand_at_their_place(void **state)
{
	(void)state;
	static const struct {
		const char *name, *in, *want;
	} cases[] = {
	    {"good", "groups:\n- name: g\n  rules:\n  - record: a:b\n    expr: sum(x)\n", ""},
	    {"new words of the language",
		"groups:\n- name: g\n  rules:\n  - record: a:b\n    expr: limitk(1, rate(x[5m] smoothed))\n",
		""},
	    {"plain", "groups:\n- name: g\n  rules:\n  - record: a\n    expr: sum(x) y\n",
		"r.yml:5:18: group \"g\", rule 1, \"a\": could not parse expression: 1:8: parse error: "
		"unexpected identifier \"y\"\n"},
	    {"quoted", "groups:\n- name: g\n  rules:\n  - record: a\n    expr: \"sum(x) y\"\n",
		"r.yml:5:19: group \"g\", rule 1, \"a\": could not parse expression: 1:8: parse error: "
		"unexpected identifier \"y\"\n"},
	    {"quoted with escapes",
		"groups:\n- name: g\n  rules:\n  - record: a\n    expr: \"x{a=\\\"b\\\"} y\"\n",
		"r.yml:5:23: group \"g\", rule 1, \"a\": could not parse expression: 1:10: parse error: "
		"unexpected identifier \"y\"\n"},
	    {"block", "groups:\n- name: g\n  rules:\n  - record: a\n    expr: |\n      sum(\n        x) y\n",
		"r.yml:7:12: group \"g\", rule 1, \"a\": could not parse expression: 2:6: parse error: "
		"unexpected identifier \"y\"\n"},
	    {"folded", "groups:\n- name: g\n  rules:\n  - record: a\n    expr: >\n      sum(\n      x) y\n",
		"r.yml:7:10: group \"g\", rule 1, \"a\": could not parse expression: 1:9: parse error: "
		"unexpected identifier \"y\"\n"},
	    {"no name", "groups:\n- rules: []\n", "r.yml:2:3: Groupname must not be empty\n"},
	    {"twice", "groups:\n- name: g\n- name: g\n",
		"r.yml:3:9: groupname: \"g\" is repeated in the same file\n"},
	    {"neither", "groups:\n- name: g\n  rules:\n  - expr: x\n",
		"r.yml:4:5: group \"g\", rule 1, \"\": one of 'record' or 'alert' must be set\n"},
	    {"both", "groups:\n- name: g\n  rules:\n  - record: a\n    alert: b\n    expr: x\n",
		"r.yml:4:5: group \"g\", rule 1, \"a\": only one of 'record' and 'alert' must be set\n"},
	    {"no expr", "groups:\n- name: g\n  rules:\n  - alert: b\n",
		"r.yml:4:5: group \"g\", rule 1, \"b\": field 'expr' must be set in rule\n"},
	    {"mistyped key", "groups:\n- name: g\n  rules:\n  - alert: b\n    exrp: x\n    expr: x\n",
		"r.yml:5:5: field exrp not found in type rulefmt.Rule (did you mean \"expr\"?)\n"},
	    {"for in a record", "groups:\n- name: g\n  rules:\n  - record: a\n    expr: x\n    for: 5m\n",
		"r.yml:6:10: group \"g\", rule 1, \"a\": invalid field 'for' in recording rule\n"},
	    {"label name",
		"groups:\n- name: g\n  rules:\n  - alert: a\n    expr: x\n    labels: {__name__: y}\n",
		"r.yml:6:14: group \"g\", rule 1, \"a\": invalid label name: __name__\n"},
	    {"two rules, two errors",
		"groups:\n- name: g\n  rules:\n  - record: a\n    expr: sum(\n  - record: b{}\n    expr: x\n",
		"r.yml:6:13: group \"g\", rule 2, \"b{}\": braces present in the recording rule name; should "
		"it be in expr?: "
		"b{}\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		check_str(cases[i].name, slice_cstr(errors_of(&f, cases[i].in)), cases[i].want);
		config_fixture_done(&f);
	}
}

static void templates_are_checked_at_load(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	const char *got = errors_of(&f, "groups:\n- name: g\n  rules:\n  - alert: a\n    expr: x\n    "
					"annotations:\n      summary: \"{{ $lables.x }}\"\n");
	check_true("place",
	    strncmp(got, "r.yml:7:7: group \"g\", rule 1, \"a\": annotation \"summary\": ", 57) == 0);
	check_true("text", strstr(got, "undefined variable \"$lables\"") != NULL);
	config_fixture_done(&f);
}

static void group_labels_and_defaults(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config_rule_file file;
	struct rule_group_def *groups;
	struct config_global global = {.evaluation_interval_ms = 15000, .rule_query_offset_ms = 1000};
	const char *text = "groups:\n- name: g\n  labels: {team: a, env: p}\n  limit: 3\n  rules:\n"
			   "  - alert: x\n    expr: up   == 0\n    labels: {team: b}\n- name: h\n  interval: "
			   "1m\n  query_offset: 0s\n";
	check_true("shape", config_rules_parse(f.arena, SL("r"), slice_cstr(text), false, &f.errors, &file));
	check_true("rules", rule_file_parse(f.arena, &file, &global, &f.errors, &groups));
	check_int("interval", groups[0].interval_ms, 15000);
	check_int("offset", groups[0].query_offset_ms, 1000);
	check_int("limit", groups[0].limit, 3);
	check_str("query", groups[0].rules[0].query, "up == 0");
	check_slice("own label", labels_get(groups[0].rules[0].labels, SL("team")), SL("b"));
	check_slice("group label", labels_get(groups[0].rules[0].labels, SL("env")), SL("p"));
	check_int("own interval", groups[1].interval_ms, 60000);
	check_int("own offset", groups[1].query_offset_ms, 0);
	config_fixture_done(&f);
}

/* Files of others. */

static bool load(struct config_fixture *f, const char *path, bool is_legacy)
{
	struct config_rule_file file;
	struct rule_group_def *groups;
	struct config_global global = {.evaluation_interval_ms = 60000};
	return config_rules_read(f->arena, path, is_legacy, &f->errors, &file) &&
	       rule_file_parse(f->arena, &file, &global, &f->errors, &groups);
}

static void must_load(const char *path)
{
	struct config_fixture f;
	config_fixture_init(&f);
	load(&f, path, false);
	check_errors(path, &f, "");
	config_fixture_done(&f);
}

static void folder_must_load(const char *dir, const char *folder, const char *suffix)
{
	char *path = xasprintf("%s/%s", dir, folder);
	DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (!slice_ends(slice_cstr(e->d_name), slice_cstr(suffix)))
			continue;
		char *file = xasprintf("%s/%s", path, e->d_name);
		must_load(file);
		free(file);
	}
	closedir(d);
	free(path);
}

static void real_rules_load(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	folder_must_load(dir, "rules_real", ".yaml");
	folder_must_load(dir, "rules_fixtures", ".yaml");
	folder_must_load(dir, "seeds", "rules.yml");
}

static void the_example_loads(void **state)
{
	(void)state;
	char *path = xstrdup(test_source_path("conf/rules.yml"));
	must_load(path);
	free(path);
}

static void rejected_seed_is_refused_at_its_place(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char *path = xasprintf("%s/seeds/rejected/service-alert-rules-offset.yml", dir);
	struct config_fixture f;
	config_fixture_init(&f);
	check_true("refused", !load(&f, path, false));
	const char *errors = config_fixture_errors(&f);
	char *want = xasprintf("%s:", path);
	check_true("file", strncmp(errors, want, strlen(want)) == 0);
	check_true("what would be right", strstr(errors, "rate(x[5m] offset 1h)") != NULL);
	print_message("# %s", errors);
	free(want);
	free(path);
	config_fixture_done(&f);
}

static void rulefmt_cases(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char *path = xasprintf("%s/rulefmt/expected.json", dir);
	size_t len;
	char *text = test_read_file(path, &len);
	free(path);
	struct json_doc *doc;
	struct err err;
	check_ok("json", json_doc_parse(slice_of(text, len), &doc, &err), &err);
	struct slice name;
	const struct json_value *v;
	for (void *at = NULL; json_next_member(json_doc_root(doc), &at, &name, &v);) {
		struct slice expect = SL_EMPTY, contains = SL_EMPTY;
		json_get_string(json_member(v, "expect"), &expect);
		json_get_string(json_member(v, "error_contains"), &contains);
		struct config_fixture f;
		config_fixture_init(&f);
		path = xasprintf("%s/rulefmt/%" SL_FMT, dir, SL_ARG(name));
		bool is_good = load(&f, path, slice_starts(name, SL("legacy_")));
		char *needle = slice_dup(contains);
		const char *errors = config_fixture_errors(&f);
		if (is_good != slice_eq_cstr(expect, "ok") || !strstr(errors, needle))
			fail_msg("%s: wanted: %" SL_FMT " %s, got: %s", path, SL_ARG(expect), needle, errors);
		free(needle);
		free(path);
		config_fixture_done(&f);
	}
	json_doc_free(doc);
	free(text);
}

TEST_MAIN("rule_file", cmocka_unit_test(errors_stand_at_their_place),
    cmocka_unit_test(templates_are_checked_at_load), cmocka_unit_test(group_labels_and_defaults),
    cmocka_unit_test(real_rules_load), cmocka_unit_test(the_example_loads),
    cmocka_unit_test(rejected_seed_is_refused_at_its_place), cmocka_unit_test(rulefmt_cases))
