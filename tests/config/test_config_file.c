#include "base/xmalloc.h"
#include "config/config_check.h"
#include "tests/config/config_fixture.h"

#include <stdio.h>

static struct config *load(struct config_fixture *f, const char *text)
{
	return config_load_text(f->arena, SL("dir/p.yml"), slice_cstr(text), false, &f->errors);
}

static void jobs_inherit_from_global(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config *c = load(&f,
	    "global: {scrape_interval: 30s, sample_limit: 10, label_limit: 5, scrape_native_histograms: "
	    "true}\n"
	    "scrape_configs:\n- job_name: a\n- job_name: b\n  scrape_interval: 5s\n  sample_limit: 20\n"
	    "  scrape_native_histograms: false\n");
	check_errors("errors", &f, "");
	const struct scrape_config *a = config_find_scrape(c, SL("a")), *b = config_find_scrape(c, SL("b"));
	check_int("interval", a->scrape_interval_ms, 30000);
	check_int("timeout", a->scrape_timeout_ms, 10000);
	check_int("own interval", b->scrape_interval_ms, 5000);
	check_int("timeout shrinks", b->scrape_timeout_ms, 5000);
	check_int("limit", a->limits.samples, 10);
	check_int("own limit", b->limits.samples, 20);
	check_int("other limit", b->limits.labels, 5);
	check_true("switch", a->switches.native_histograms && !b->switches.native_histograms);
	check_int("protobuf first", a->protocols.v[0], SCRAPE_PROTOBUF);
	check_int("text only", b->protocols.n, 4);
	check_str("path", a->metrics_path, "/metrics");
	check_str("scheme", a->scheme, "http");
	check_true("defaults", a->honor_timestamps && a->enable_compression && a->http.follow_redirects);
	check_true("none", !config_find_scrape(c, SL("c")));
	config_fixture_done(&f);
}

static void an_empty_file_is_all_defaults(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "# nothing\n", "global:\n", "global: {}\n"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		struct config *c = load(&f, texts[i]);
		check_errors(texts[i], &f, "");
		check_int("scrape", c->global.scrape_interval_ms, 60000);
		check_int("timeout", c->global.scrape_timeout_ms, 10000);
		check_int("evaluation", c->global.evaluation_interval_ms, 60000);
		check_int("external labels", c->global.external_labels->n, 0);
		check_int("exemplars", c->storage.max_exemplars, 100000);
		config_fixture_done(&f);
	}
}

static void variables_in_external_labels(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {{"plain", "plain"}, {"$PROMQ_TEST_A", "aa"}, {"x${PROMQ_TEST_A}y", "xaay"},
	    {"$$PROMQ_TEST_A", "$PROMQ_TEST_A"}, {"a$$b", "a$b"}, {"${PROMQ_TEST_NONE}", ""},
	    {"cost: 5$", "cost: 5$"}, {"${", ""}, {"$PROMQ_TEST_A.b", "aa.b"}};
	setenv("PROMQ_TEST_A", "aa", 1);
	unsetenv("PROMQ_TEST_NONE");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		char *text = xasprintf("global: {external_labels: {v: '%s', z: z}}\n", cases[i].in);
		struct config *c = load(&f, text);
		check_errors(cases[i].in, &f, "");
		check_str(cases[i].in, labels_get(c->global.external_labels, SL("v")), cases[i].want);
		free(text);
		config_fixture_done(&f);
	}
}

static void all_mistakes_of_a_file_are_told(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	check_true("refused",
	    !load(&f,
		"global:\n  scrape_intervall: 15s\n  evaluation_interval: fast\nscrape_configs:\n- job_name: "
		"a\n"
		"  scheme: [http]\n  static_configs:\n  - target: ['x:1']\n- metrics_path: /m\n- job_name: "
		"a\n"
		"  relabel_configs:\n  - {action: replce, source_labels: [a]}\nrule_files: ['*/x.yml']\n"));
	check_errors("all of them", &f,
	    "dir/p.yml:2:3: field scrape_intervall not found in type config.GlobalConfig (did you mean "
	    "\"scrape_interval\"?)\n"
	    "dir/p.yml:3:24: not a valid duration string: \"fast\" (a duration is a number with a unit, such "
	    "as 30s, 5m or "
	    "1h30m)\n"
	    "dir/p.yml:6:11: yaml: unmarshal errors: cannot unmarshal !!seq into string (a text is wanted "
	    "here)\n"
	    "dir/p.yml:8:5: field target not found in type struct (did you mean \"targets\"?)\n"
	    "dir/p.yml:9:3: job_name is empty\n"
	    "dir/p.yml:12:14: unknown relabel action \"replce\" (did you mean \"replace\"?)\n"
	    "dir/p.yml:13:14: invalid rule file path \"*/x.yml\" (a * may stand in the last part of the path "
	    "only)\n"
	    "dir/p.yml:10:3: found multiple scrape configs with job name \"a\" (the first is at "
	    "dir/p.yml:5)\n");
	config_fixture_done(&f);
}

static void discovery_is_checked_and_named(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config *c =
	    load(&f, "scrape_configs:\n- job_name: k\n  kubernetes_sd_configs:\n  - role: pod\n"
		     "    namespaces: {names: [a]}\n");
	check_errors("errors", &f, "");
	check_int("one warning", f.errors.len, 1);
	check_str("warning", f.errors.v[0].message,
	    "kubernetes_sd_configs: this discovery mechanism does not run yet: the job gets no targets from "
	    "it");
	check_int("kept", c->scrapes.v[0].sources.sd.n, 1);
	check_str("mechanism", slice_cstr(c->scrapes.v[0].sources.sd.v[0].mechanism), "kubernetes");
	check_true("unknown key", !load(&f, "scrape_configs:\n- job_name: k\n  dns_sd_configs:\n  - {names: "
					    "[a], refesh_interval: 5s}\n"));
	check_true(
	    "told", strstr(config_fixture_errors(&f), "field refesh_interval not found in type dns.SDConfig "
						      "(did you mean \"refresh_interval\"?)") != NULL);
	config_fixture_done(&f);
}

/* Files beside it. */

static void put(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	free(path);
}

static struct config_generation *generation(const char *dir)
{
	char *path = xasprintf("%s/p.yml", dir);
	struct config_generation *g = config_generation_load(&(struct config_options){.path = path});
	free(path);
	return g;
}

static void included_files_belong_to_the_generation(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	put(dir, "p.yml",
	    "rule_files: ['r*.yml', r1.yml, none.yml]\nscrape_config_files: ['s*.yml']\nscrape_configs:\n- "
	    "job_name: main\n");
	put(dir, "r1.yml", "groups:\n- name: one\n  rules:\n  - {record: a, expr: b}\n");
	put(dir, "r2.yml", "groups:\n- name: two\n");
	put(dir, "s1.yml",
	    "scrape_configs:\n- job_name: first\n  scrape_interval: 7s\n  tls_config: {ca_file: ca.pem}\n");
	put(dir, "s2.yml", "scrape_configs:\n- job_name: second\n");
	struct config_generation *g = generation(dir);
	check_true("good", config_generation_is_good(g));
	check_int("jobs", g->config->scrapes.n, 3);
	check_int("each rule file once", g->n_rule_files, 2);
	check_str("group", g->rule_files[0].groups[0].name, "one");
	const struct scrape_config *s = config_find_scrape(g->config, SL("first"));
	char *ca = xasprintf("%s/ca.pem", dir);
	check_str("path in an included file", s->http.tls.ca_file, ca);
	check_int("interval", s->scrape_interval_ms, 7000);
	check_int("a pattern without a file is mentioned", g->errors.len, 1);
	config_generation_unref(g);
	free(ca);

	/* Mistakes in three files, all told, each with its file. */
	put(dir, "r1.yml", "groups:\n- name: one\n  rules:\n  - {record: a, alert: b, expr: c}\n");
	put(dir, "s1.yml", "scrape_configs:\n- job_name: main\n");
	g = generation(dir);
	check_true("bad", !config_generation_is_good(g));
	struct strbuf sb = STRBUF_INIT;
	config_errors_print(&sb, &g->errors);
	const char *text = strbuf_cstr(&sb);
	check_true(
	    "s1", strstr(text, "s1.yml:2:3: found multiple scrape configs with job name \"main\"") != NULL);
	strbuf_done(&sb);
	config_generation_unref(g);
	test_tmpdir_done(dir);
}

static void rule_files_are_read_when_the_rest_is_good(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	put(dir, "p.yml", "rule_files: [r.yml]\n");
	put(dir, "r.yml", "groups:\n- name: one\n  rules:\n  - {record: a, for: 5m, expr: c}\n");
	struct config_generation *g = generation(dir);
	check_true("bad", !config_generation_is_good(g));
	check_int("errors", g->errors.len, 1);
	check_str("message", g->errors.v[0].message,
	    "group \"one\", rule 1, \"a\": invalid field 'for' in recording rule");
	check_int("line", g->errors.v[0].line, 4);
	config_generation_unref(g);
	test_tmpdir_done(dir);
}

static void the_built_in_configuration(void **state)
{
	(void)state;
	struct config_generation *g =
	    config_generation_load(&(struct config_options){.own_address = "localhost:1234"});
	check_true("good", config_generation_is_good(g));
	check_int("jobs", g->config->scrapes.n, 2);
	check_str(
	    "itself", g->config->scrapes.v[0].sources.static_groups.v[0].targets.v[0], "localhost:1234");
	check_str(
	    "the node", g->config->scrapes.v[1].sources.static_groups.v[0].targets.v[0], "localhost:9100");
	config_generation_unref(config_generation_ref(g));
	config_generation_unref(g);
	config_generation_unref(NULL);
}

static void a_missing_file_is_an_error(void **state)
{
	(void)state;
	struct config_generation *g =
	    config_generation_load(&(struct config_options){.path = "/nonexistent/p.yml"});
	check_true("bad", !config_generation_is_good(g));
	check_int("one error", g->errors.len, 1);
	config_generation_unref(g);
}

static void the_examples_load(void **state)
{
	(void)state;
	static const char *const files[] = {"conf/minimal.yml", "conf/server.yml"};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *path = xstrdup(test_source_path(files[i]));
		struct config_generation *g = config_generation_load(&(struct config_options){.path = path});
		struct strbuf sb = STRBUF_INIT;
		config_errors_print(&sb, &g->errors);
		if (!config_generation_is_good(g))
			fail_msg("%s: %s", files[i], strbuf_cstr(&sb));
		check_int(files[i], g->n_rule_files, i);
		strbuf_done(&sb);
		config_generation_unref(g);
		free(path);
	}
}

TEST_MAIN("config_file", cmocka_unit_test(jobs_inherit_from_global),
    cmocka_unit_test(an_empty_file_is_all_defaults), cmocka_unit_test(variables_in_external_labels),
    cmocka_unit_test(all_mistakes_of_a_file_are_told), cmocka_unit_test(discovery_is_checked_and_named),
    cmocka_unit_test(included_files_belong_to_the_generation),
    cmocka_unit_test(rule_files_are_read_when_the_rest_is_good), cmocka_unit_test(the_built_in_configuration),
    cmocka_unit_test(a_missing_file_is_an_error), cmocka_unit_test(the_examples_load))
