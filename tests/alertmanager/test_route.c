#include "alertmanager/route.h"

#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdio.h>

struct tree {
	struct arena *arena;
	struct config_error_vec errors;
	struct route_tree *tree;
};

static void finish(struct tree *t, const struct am_config *config)
{
	if (!config) {
		struct strbuf sb = STRBUF_INIT;
		config_errors_print(&sb, &t->errors);
		fail_msg("%s", strbuf_cstr(&sb));
	}
	t->tree = route_tree_new(t->arena, config);
}

static void tree_init(struct tree *t, const char *config)
{
	struct am_config *c = NULL;
	*t = (struct tree){.arena = arena_new(ARENA_NO_LIMIT)};
	am_config_parse(slice_cstr(config), "am.yml", t->arena, &t->errors, &c);
	finish(t, c);
}

/* A routing tree alone, as upstream's tables have it: with a receiver of each name that it uses. */
static void tree_init_route(struct tree *t, struct slice route)
{
	struct strbuf sb = STRBUF_INIT;
	struct slice names[64];
	size_t n = 0;
	strbuf_adds(&sb, "receivers:\n");
	for (size_t at = 0; at + 9 < route.len; at++) {
		if (!slice_starts(slice_from(route, at), SL("receiver:")))
			continue;
		struct slice line = slice_from(route, at + 9);
		line = slice_trim(slice_of(line.ptr, slice_find(line, '\n')));
		bool seen = false;
		for (size_t i = 0; i < n; i++)
			seen |= slice_eq(names[i], line);
		if (!seen)
			strbuf_addf(&sb, "- name: %.*s\n", (int)line.len, line.ptr);
		names[n++] = line;
	}
	strbuf_adds(&sb, "route:\n  ");
	for (size_t i = 0; i < route.len; i++) {
		strbuf_addch(&sb, route.ptr[i]);
		if (route.ptr[i] == '\n')
			strbuf_adds(&sb, "  ");
	}
	tree_init(t, strbuf_cstr(&sb));
	strbuf_done(&sb);
}

static void tree_done(struct tree *t)
{
	config_error_vec_done(&t->errors);
	arena_free(t->arena);
}

static const struct labels *read_labels(struct arena *arena, const struct json_value *map)
{
	struct label l[32];
	size_t n = 0;
	const struct json_value *value;
	const struct labels *ls;
	struct err err;
	for (void *at = NULL; json_next_member(map, &at, &l[n].name, &value); n++)
		assert_true(json_get_string(value, &l[n].value));
	check_ok("labels", labels_from_pairs(arena, l, n, &ls, &err), &err);
	return ls;
}

/* --- upstream's tables ------------------------------------------------------------------------------------------- */
static void check_receivers(const char *name, const struct route_vec *got, const struct json_value *want)
{
	check_int(name, got->len, json_count(want));
	for (size_t i = 0; i < got->len; i++) {
		struct slice receiver;
		assert_true(json_get_string(json_item(want, i), &receiver));
		check_slice(name, got->v[i]->receiver->name, receiver);
	}
}

static int64_t option_ms(const struct json_value *options, const char *name, int64_t missing)
{
	double v;
	return json_get_double(json_member(options, name), &v) ? (int64_t)(v * 1000) : missing;
}

static void check_options(const char *name, const struct route *r, const struct json_value *o)
{
	const struct json_value *group_by = json_member(o, "group_by");
	check_int(name, r->group_wait_ms, option_ms(o, "group_wait_s", 30000));
	check_int(name, r->group_interval_ms, option_ms(o, "group_interval_s", 300000));
	check_int(name, r->repeat_interval_ms, option_ms(o, "repeat_interval_s", 4 * 3600 * 1000));
	if (json_kind_of(group_by) != JSON_KIND_LIST)
		return;
	check_int(name, r->n_group_by, json_count(group_by));
	for (size_t i = 0; i < r->n_group_by; i++) {
		struct slice label;
		assert_true(json_get_string(json_item(group_by, i), &label));
		check_slice(name, r->group_by[i], label);
	}
}

static void upstream_routing(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_routing.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct tree t;
		struct route_vec got = {0};
		char name[32];
		snprintf(name, sizeof(name), "case %zu", i);
		tree_init_route(&t, test_case_text(cases, c, "route_yaml"));
		route_match(t.tree->root, read_labels(t.arena, json_member(c, "labels")), &got);
		if (json_kind_of(json_member(c, "receivers")) == JSON_KIND_LIST)
			check_receivers(name, &got, json_member(c, "receivers"));
		const struct json_value *keys = json_member(c, "route_keys"),
					*options = json_member(c, "options");
		for (size_t k = 0; k < json_count(keys); k++) {
			struct slice key;
			assert_true(json_get_string(json_item(keys, k), &key));
			check_slice(name, got.v[k]->key, key);
		}
		for (size_t k = 0; k < json_count(options); k++)
			check_options(name, got.v[k], json_item(options, k));
		route_vec_done(&got);
		tree_done(&t);
	}
	test_cases_close(cases);
}

static void upstream_walk(void **state)
{
	(void)state;
	if (!test_conformance_dir())
		return;
	char path[512];
	size_t len;
	struct json_doc *doc;
	struct slice yaml;
	snprintf(path, sizeof(path), "%s/cases/am_route_walk.json", test_conformance_dir());
	char *text = test_read_file(path, &len);
	assert_non_null(text);
	assert_int_equal(json_doc_parse(slice_of(text, len), &doc, NULL), 0);
	assert_true(json_get_string(json_member(json_doc_root(doc), "route_yaml"), &yaml));
	const struct json_value *want = json_member(json_doc_root(doc), "receivers_in_walk_order");
	struct tree t;
	tree_init_route(&t, yaml);
	check_int("routes", t.tree->n, json_count(want));
	for (size_t i = 0; i < t.tree->n; i++) {
		struct slice receiver;
		assert_true(json_get_string(json_item(want, i), &receiver));
		check_slice("receiver", t.tree->all[i]->receiver->name, receiver);
	}
	tree_done(&t);
	json_doc_free(doc);
	free(text);
}

static void upstream_amtool(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_amtool_routing.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct slice file = test_case_text(cases, c, "config_file");
		char path[512];
		snprintf(path, sizeof(path), "%s/alertmanager_config/amtool/%.*s", test_conformance_dir(),
		    (int)file.len, file.ptr);
		struct tree t = {.arena = arena_new(ARENA_NO_LIMIT)};
		struct am_config *config = NULL;
		am_config_load(path, t.arena, &t.errors, &config);
		finish(&t, config);
		struct route_vec got = {0};
		route_match(t.tree->root, read_labels(t.arena, json_member(c, "labels")), &got);
		check_receivers(path, &got, json_member(c, "receivers"));
		route_vec_done(&got);
		tree_done(&t);
	}
	test_cases_close(cases);
}

/* --- our own ----------------------------------------------------------------------------------------------------- */
static const char nested[] = "receivers: [{name: a}, {name: b}]\n"
			     "route:\n"
			     "  receiver: a\n"
			     "  group_by: [z, b]\n"
			     "  group_wait: 0s\n"
			     "  labels: {x: '1', y: '2'}\n"
			     "  routes:\n"
			     "  - matchers: ['b=~\"2.*\"', a=1]\n"
			     "    match: {a: '0'}\n"
			     "    group_by: ['...']\n"
			     "    labels: {y: '3', w: '4'}\n"
			     "    routes:\n"
			     "    - {match: {c: d}, receiver: b, group_by: [], group_interval: 1m}\n";

static void nodes_inherit(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t, nested);
	const struct route *root = t.tree->all[0], *child = t.tree->all[1], *leaf = t.tree->all[2];
	check_slice("root key", root->key, SL("{}"));
	check_slice("child key", child->key, SL("{}/{a=\"0\",a=\"1\",b=~\"2.*\"}"));
	check_slice("leaf key", leaf->key, SL("{}/{a=\"0\",a=\"1\",b=~\"2.*\"}/{c=\"d\"}"));
	check_slice("leaf id", leaf->id, SL("{}/{a=\"0\",a=\"1\",b=~\"2.*\"}/0/{c=\"d\"}/0"));
	check_slice("sorted", root->group_by[0], SL("b"));
	check_true("all", child->group_by_all);
	check_true("replaced", !leaf->group_by_all && leaf->n_group_by == 0);
	check_slice("receiver", child->receiver->name, SL("a"));
	check_int("wait", leaf->group_wait_ms, 0);
	check_int("interval", leaf->group_interval_ms, 60000);
	check_int("repeat", leaf->repeat_interval_ms, 4 * 3600 * 1000);
	check_int("labels", leaf->labels.n, 3);
	check_slice("w", leaf->labels.v[0].value, SL("4"));
	check_slice("x", leaf->labels.v[1].value, SL("1"));
	check_slice("y", leaf->labels.v[2].value, SL("3"));
	tree_done(&t);
}

static void group_keys(void **state)
{
	(void)state;
	struct tree t;
	tree_init(&t, nested);
	const struct labels *ls = labels_of(t.arena, "b", "say \"hi\"\n", "c", "x", "z", "1", NULL);
	const struct labels *group = route_group_labels(t.tree->root, ls, t.arena);
	struct strbuf sb = STRBUF_INIT;
	route_group_key(&sb, t.tree->root, group);
	check_str("key", strbuf_slice(&sb), "{}:{b=\"say \\\"hi\\\"\\n\", z=\"1\"}");
	group = route_group_labels(t.tree->root, labels_of(t.arena, "q", "1", NULL), t.arena);
	check_int("absent names are left out", group->n, 0);
	check_true("all", route_group_labels(t.tree->all[1], ls, t.arena)->n == 3);
	strbuf_done(&sb);
	tree_done(&t);
}

TEST_MAIN("route", cmocka_unit_test(upstream_routing), cmocka_unit_test(upstream_walk),
    cmocka_unit_test(upstream_amtool), cmocka_unit_test(nodes_inherit), cmocka_unit_test(group_keys))
