/* prometheus.yml, HTTP client blocks and rule files of others: what they accept loads, what they refuse is refused with the
 * text that they have. */
#include "base/json_read.h"
#include "config/config_check.h"
#include "config/config_print.h"
#include "tests/config/config_fixture.h"

#include <dirent.h>
#include <stdio.h>

static char *path_of(const char *dir, const char *folder, const char *name)
{
	return xasprintf("%s/%s/%s", dir, folder, name);
}

static bool ends_with(const char *s, const char *suffix)
{
	return slice_ends(slice_cstr(s), slice_cstr(suffix));
}

/* Calls fn for each .yml file of a folder. */
static int each_file(const char *folder, void (*fn)(const char *path, const char *name))
{
	const char *dir = test_conformance_dir();
	if (!dir)
		return 0;
	char *path = path_of(dir, folder, "");
	DIR *d = opendir(path);
	assert_non_null(d);
	int n = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (!ends_with(e->d_name, ".yml") && !ends_with(e->d_name, ".yaml"))
			continue;
		char *file = path_of(dir, folder, e->d_name);
		fn(file, e->d_name);
		free(file);
		n++;
	}
	closedir(d);
	free(path);
	return n;
}

static void must_load(const char *path, const char *name)
{
	/* What stands beside the examples without being one. */
	if (strcmp(name, "web-config.yml") == 0 || strcmp(name, "rbac-setup.yml") == 0 ||
	    strcmp(name, "promtool-http-config-file.yml") == 0)
		return;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config *c = config_load(f.arena, path, false, &f.errors);
	check_errors(name, &f, "");
	assert_non_null(c);

	/* Printed, it is a configuration again, and prints the same; but values in which a variable was expanded to a dollar
	 * sign would be expanded once more. */
	if (strcmp(name, "external_labels.good.yml") == 0) {
		config_fixture_done(&f);
		return;
	}
	struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
	config_print(&once, c);
	struct config *again =
	    config_load_text(f.arena, SL("printed.yml"), strbuf_slice(&once), false, &f.errors);
	check_errors(name, &f, "");
	config_print(&twice, again);
	check_slice(name, strbuf_slice(&twice), strbuf_slice(&once));
	strbuf_done(&once);
	strbuf_done(&twice);
	config_fixture_done(&f);
}

static void good_files_load(void **state)
{
	(void)state;
	each_file("prom_config/good", must_load);
	each_file("prom_config/examples", must_load);
}

/* Upstream puts the file in front of errors of included files; here each error has its own place. */
static struct slice without_file(struct slice text)
{
	if (!slice_starts(text, SL("parsing YAML file ")))
		return text;
	size_t n = slice_find(text, ':');
	return n + 2 <= text.len ? slice_from(text, n + 2) : text;
}

/* What the message of two places cannot have: the job's name is told by the place of the error. */
static struct slice without_job(struct slice text)
{
	static const char tail[] = " for scrape config with job name";
	if (!slice_starts(text, SL("duplicated protocol")))
		return text;
	for (size_t i = 0; i + sizeof(tail) - 1 <= text.len; i++)
		if (memcmp(text.ptr + i, tail, sizeof(tail) - 1) == 0)
			return slice_of(text.ptr, i);
	return text;
}

static void check_refused(const char *dir, struct slice name, const struct json_value *expectation)
{
	struct slice expect = SL_EMPTY, contains = SL_EMPTY;
	json_get_string(json_member(expectation, "expect"), &expect);
	json_get_string(json_member(expectation, "error_contains"), &contains);
	contains = without_job(without_file(contains));
	struct config_fixture f;
	config_fixture_init(&f);
	char *file = slice_dup(name);
	char *path = path_of(dir, "prom_config/bad", file);
	bool is_agent = strstr(file, "agent_mode") != NULL;
	struct config *c = config_load(f.arena, path, is_agent, &f.errors);
	const char *errors = config_fixture_errors(&f);
	if (slice_eq_cstr(expect, "ok") && !c)
		fail_msg("%s: wanted: loads, got: %s", file, errors);
	if (slice_eq_cstr(expect, "error") && c)
		fail_msg("%s: wanted: %" SL_FMT ", got: loads", file, SL_ARG(contains));
	char *needle = slice_dup(contains);
	if (!strstr(errors, needle))
		fail_msg("%s: wanted: %s, got: %s", file, needle, errors);
	free(needle);
	free(path);
	free(file);
	config_fixture_done(&f);
}

static struct json_doc *read_json(const char *dir, const char *relative, char **text)
{
	char *path = path_of(dir, relative, "");
	path[strlen(path) - 1] = '\0';
	size_t len;
	*text = test_read_file(path, &len);
	free(path);
	assert_non_null(*text);
	struct json_doc *doc;
	struct err err;
	check_ok("json", json_doc_parse(slice_of(*text, len), &doc, &err), &err);
	return doc;
}

static void bad_files_are_refused(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char *text;
	struct json_doc *doc = read_json(dir, "prom_config/bad/expected_errors.json", &text);
	struct slice name;
	const struct json_value *v;
	for (void *at = NULL; json_next_member(json_doc_root(doc), &at, &name, &v);)
		check_refused(dir, name, v);
	json_doc_free(doc);
	free(text);
}

static bool load_http_block(struct config_fixture *f, const char *path, bool is_tls)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice content;
	if (!config_read_yaml(f->arena, path, &f->errors, &ctx, &root, &content))
		return false;
	struct config_http http;
	config_http_init(&http);
	if (is_tls)
		config_decode_tls(&ctx, root, &http.tls);
	else
		config_decode_http(&ctx, root, &http);
	return !config_has_errors(&f->errors);
}

static void http_blocks(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char *text;
	struct json_doc *doc = read_json(dir, "http_client_config/expected.json", &text);
	struct slice name;
	const struct json_value *v;
	for (void *at = NULL; json_next_member(json_doc_root(doc), &at, &name, &v);) {
		/* A file that does not exist is found out when the client asks for it. */
		if (slice_eq_cstr(name, "http.conf.invalid-bearer-token-file.bad.yml"))
			continue;
		struct slice expect = SL_EMPTY, contains = SL_EMPTY;
		json_get_string(json_member(v, "expect"), &expect);
		json_get_string(json_member(v, "error_contains"), &contains);
		struct config_fixture f;
		config_fixture_init(&f);
		char *file = slice_dup(name), *needle = slice_dup(contains);
		char *path = path_of(dir, "http_client_config", file);
		bool is_good = load_http_block(&f, path, slice_starts(name, SL("tls_config.")));
		const char *errors = config_fixture_errors(&f);
		if (is_good != slice_eq_cstr(expect, "ok") || !strstr(errors, needle))
			fail_msg("%s: wanted: %s %s, got: %s", file, is_good ? "an error" : "good", needle,
			    errors);
		free(path);
		free(needle);
		free(file);
		config_fixture_done(&f);
	}
	json_doc_free(doc);
	free(text);
}

static void must_have_good_shape(const char *path, const char *name)
{
	struct config_fixture f;
	config_fixture_init(&f);
	struct config_rule_file file;
	config_rules_read(f.arena, path, false, &f.errors, &file);
	check_errors(name, &f, "");
	check_true(name, file.n_groups > 0);
	config_fixture_done(&f);
}

static void real_rule_files_load(void **state)
{
	(void)state;
	each_file("rules_real", must_have_good_shape);
	each_file("rules_fixtures", must_have_good_shape);
}

static void seeds_load(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char *path = path_of(dir, "seeds", "prometheus-gke.yml");
	must_load(path, "prometheus-gke.yml");
	free(path);
	path = path_of(dir, "seeds", "scrape-kubernetes-pods.yml");
	must_load(path, "scrape-kubernetes-pods.yml");
	free(path);
	path = path_of(dir, "seeds", "service-alert-rules.yml");
	must_have_good_shape(path, "service-alert-rules.yml");
	free(path);
}

TEST_MAIN("config_conformance", cmocka_unit_test(good_files_load), cmocka_unit_test(bad_files_are_refused),
    cmocka_unit_test(http_blocks), cmocka_unit_test(real_rule_files_load), cmocka_unit_test(seeds_load))
