#include "base/yaml.h"
#include "tests/lib/test.h"

#include <stdio.h>

/* One line for a tree: {a: "quoted", b: [plain, ~]}. */
static void print(struct strbuf *out, const struct yaml_node *n)
{
	switch (n->kind) {
	case YAML_NULL:
		strbuf_addch(out, '~');
		break;
	case YAML_SCALAR:
		strbuf_addf(out, n->is_quoted ? "\"%" SL_FMT "\"" : "%" SL_FMT, SL_ARG(n->text));
		break;
	case YAML_LIST:
	case YAML_MAP:
		strbuf_addch(out, n->kind == YAML_LIST ? '[' : '{');
		for (size_t i = 0; i < n->n; i++) {
			if (i)
				strbuf_adds(out, ", ");
			if (n->kind == YAML_MAP) {
				print(out, n->keys[i]);
				strbuf_adds(out, ": ");
			}
			print(out, n->items[i]);
		}
		strbuf_addch(out, n->kind == YAML_LIST ? ']' : '}');
	}
}

static void trees(void **state)
{
	(void)state;
	static const struct {
		const char *name, *in, *want;
	} cases[] = {
	    {"empty", "", "~"},
	    {"only a comment", "# nothing\n", "~"},
	    {"scalar", "5m", "5m"},
	    {"map and list", "a: 1\nb:\n  - x\n  - 'y'\n", "{a: 1, b: [x, \"y\"]}"},
	    {"nulls", "a:\nb: ~\nc: null\nd: 'null'\ne: ''\n", "{a: ~, b: ~, c: ~, d: \"null\", e: \"\"}"},
	    {"blocks", "a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{a: \"one\ntwo\n\", b: \"one two\"}"},
	    {"tag", "a: !!str 5\n", "{a: \"5\"}"},
	    {"first document", "a: 1\n---\nb: 2\n", "{a: 1}"},
	    {"alias", "a: &x [1]\nb: *x\n", "{a: [1], b: [1]}"},
	    {"alias to scalar", "a: &x 1\nb: *x\n", "{a: 1, b: 1}"},
	    {"merge", "d: &d {a: 1, b: 2}\ne: {<<: *d, b: 3}\n", "{d: {a: 1, b: 2}, e: {b: 3, a: 1}}"},
	    {"merge list, first wins", "x: {<<: [{a: 1}, {a: 2, c: 3}]}\n", "{x: {a: 1, c: 3}}"},
	    {"quoted merge key is a key", "x: {'<<': 1}\n", "{x: {\"<<\": 1}}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct yaml_node *root;
		struct err err;
		struct strbuf out = STRBUF_INIT;
		check_ok(cases[i].name, yaml_parse(slice_cstr(cases[i].in), a, &root, &err), &err);
		print(&out, root);
		check_str(cases[i].name, strbuf_slice(&out), cases[i].want);
		strbuf_done(&out);
		arena_free(a);
	}
}

static void errors(void **state)
{
	(void)state;
	static const struct {
		const char *name, *in;
		uint32_t line, column;
		const char *want;
	} cases[] = {
	    {"duplicate", "a: 1\nb: 2\na: 3\n", 3, 1, "mapping key \"a\" already defined at line 1"},
	    {"unknown alias", "a: *x\n", 1, 4, "unknown anchor 'x' referenced"},
	    {"circle", "a: &x\n  b: *x\n", 2, 6, "anchor 'x' value contains itself"},
	    {"merge of a scalar", "a:\n  <<: 1\n", 2, 7,
		"map merge requires map or sequence of maps as the value"},
	    {"list as key", "? [a]\n: 1\n", 1, 3, "a mapping key must be a scalar"},
	    {"tab", "a:\n\tb: 1\n", 2, 1, "found character that cannot start any token"},
	    {"unclosed", "a: [1\n", 2, 1, "did not find expected ',' or ']'"},
	    {"bad UTF-8", "a: 1\nb: \xff\n", 2, 4, "invalid leading UTF-8 octet"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct yaml_node *root;
		struct err err = {0};
		check_int(cases[i].name, yaml_parse(slice_cstr(cases[i].in), a, &root, &err), ERR_INVALID);
		check_str(cases[i].name, slice_cstr(err.msg), cases[i].want);
		check_int(cases[i].name, err.line, cases[i].line);
		check_int(cases[i].name, err.column, cases[i].column);
		arena_free(a);
	}
}

static void places(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct yaml_node *root;
	struct err err;
	check_ok("parse", yaml_parse(SL("a: 1\nlist:\n  - name: x\n"), a, &root, &err), &err);
	struct yaml_node *name = yaml_get(yaml_get(root, "list")->items[0], "name");
	check_int("line", name->line, 3);
	check_int("column", name->column, 11);
	check_true("absent", !yaml_get(root, "zz") && !yaml_get(name, "zz") && !yaml_get(NULL, "a"));
	arena_free(a);
}

static void depth_and_size_are_bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct yaml_node *root;
	struct strbuf text = STRBUF_INIT;
	struct err err;
	for (int i = 0; i < 200; i++)
		strbuf_addch(&text, '[');
	check_int("depth", yaml_parse(strbuf_slice(&text), a, &root, &err), ERR_INVALID);
	check_str("depth", slice_cstr(err.msg), "document is nested too deeply");

	strbuf_reset(&text);
	strbuf_adds(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		strbuf_addf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			strbuf_addf(&text, "%s*a%d", k ? ", " : "", i - 1);
		strbuf_adds(&text, "]\n");
	}
	check_int("laughs", yaml_parse(strbuf_slice(&text), a, &root, &err), ERR_INVALID);
	check_str("laughs", slice_cstr(err.msg), "document has more than 1000000 nodes (aliases counted)");
	arena_free(a);

	a = arena_new(10000);
	strbuf_reset(&text);
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, "- %d\n", i);
	check_int("budget", yaml_parse(strbuf_slice(&text), a, &root, &err), ERR_LIMIT);
	arena_free(a);
	strbuf_done(&text);
}

static void many_keys(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct yaml_node *root;
	struct strbuf text = STRBUF_INIT;
	struct err err;
	for (int i = 0; i < 5000; i++)
		strbuf_addf(&text, "key%d: %d\n", i, i);
	check_ok("parse", yaml_parse(strbuf_slice(&text), a, &root, &err), &err);
	check_int("keys", root->n, 5000);
	strbuf_adds(&text, "key7: 1\n");
	check_int("duplicate", yaml_parse(strbuf_slice(&text), a, &root, &err), ERR_INVALID);
	check_int("line", err.line, 5001);
	strbuf_done(&text);
	arena_free(a);
}

TEST_MAIN("yaml", cmocka_unit_test(trees), cmocka_unit_test(errors), cmocka_unit_test(places),
    cmocka_unit_test(depth_and_size_are_bounded), cmocka_unit_test(many_keys))
