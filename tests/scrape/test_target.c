#include "base/xmalloc.h"
#include "config/config_file.h"
#include "discovery/sd_manager.h"
#include "scrape/target.h"
#include "tests/lib/test.h"

#include <stdio.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(ARENA_NO_LIMIT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const struct scrape_config *job(const char *yaml)
{
	struct config_error_vec errors = {0};
	struct slice text = arena_printf(arena, "scrape_configs:\n- job_name: j\n%s", yaml);
	struct config *c = config_load_text(arena, SL("test.yml"), text, false, &errors);
	if (!c)
		fail_msg("configuration: %" SL_FMT, SL_ARG(errors.v[0].message));
	config_error_vec_done(&errors);
	return &c->scrapes.v[0];
}

static struct sd_result found(const struct scrape_config *c)
{
	struct sd_result r;
	sd_manager_discover(&c->sources, arena, &r);
	return r;
}

static const char *printed(const struct labels *ls)
{
	struct strbuf sb = STRBUF_INIT;
	labels_print(&sb, ls);
	const char *text = arena_strdup(arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

static void labels_and_url(void **state)
{
	(void)state;
	static const struct {
		const char *name, *yaml, *labels, *url;
	} table[] = {
	    {"plain", "  static_configs: [{targets: ['h:1']}]", "{instance=\"h:1\", job=\"j\"}",
		"http://h:1/metrics"},
	    {"no port stays so", "  static_configs: [{targets: [h]}]", "{instance=\"h\", job=\"j\"}",
		"http://h/metrics"},
	    {"labels of the group",
		"  static_configs: [{targets: ['h:1'], labels: {a: b, instance: i, job: own}}]",
		"{a=\"b\", instance=\"i\", job=\"own\"}", "http://h:1/metrics"},
	    {"path, scheme, parameters",
		"  scheme: https\n  metrics_path: /x y\n  params: {b: [1 2, '3'], a: ['&']}\n"
		"  static_configs: [{targets: ['h:1']}]",
		"{instance=\"h:1\", job=\"j\"}", "https://h:1/x%20y?a=%26&b=1+2&b=3"},
	    {"settings through labels",
		"  params: {module: [a]}\n  static_configs: [{targets: ['x.org']}]\n  relabel_configs:\n"
		"  - {source_labels: [__address__], target_label: __param_target}\n"
		"  - {source_labels: [__param_target], target_label: instance}\n"
		"  - {target_label: __address__, replacement: 'blackbox:9115'}\n"
		"  - {target_label: __param_module, replacement: b}\n"
		"  - {target_label: __metrics_path__, replacement: probe}",
		"{instance=\"x.org\", job=\"j\"}", "http://blackbox:9115/probe?module=b&target=x.org"},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct scrape_config *c = job(table[i].yaml);
		struct sd_result r = found(c);
		struct target t;
		enum target_fate fate;
		struct err err;
		check_ok(table[i].name, target_make(c, &r.groups.v[0], 0, arena, &t, &fate, &err), &err);
		check_int(table[i].name, fate, TARGET_ACTIVE);
		check_str(table[i].name, slice_cstr(printed(t.labels)), table[i].labels);
		check_str(table[i].name, t.url, table[i].url);
	}
}

static void discovered_labels(void **state)
{
	(void)state;
	const struct scrape_config *c =
	    job("  scrape_interval: 90s\n  static_configs: [{targets: ['h:1'], labels: {__meta_x: y}}]\n"
		"  relabel_configs: [{source_labels: [__meta_x], target_label: x}]");
	struct sd_result r = found(c);
	struct target t;
	enum target_fate fate;
	struct err err;
	check_ok("make", target_make(c, &r.groups.v[0], 0, arena, &t, &fate, &err), &err);
	check_str("discovered", slice_cstr(printed(t.discovered)),
	    "{__address__=\"h:1\", __always_scrape_classic_histograms__=\"false\", "
	    "__convert_classic_histograms_to_nhcb__=\"false\", __meta_x=\"y\", "
	    "__metrics_path__=\"/metrics\", "
	    "__scheme__=\"http\", __scrape_interval__=\"1m30s\", __scrape_native_histograms__=\"false\", "
	    "__scrape_timeout__=\"10s\", job=\"j\"}");
	check_str("labels", slice_cstr(printed(t.labels)), "{instance=\"h:1\", job=\"j\", x=\"y\"}");
	assert_false(labels_has(t.all, SL("__meta_x")));
	check_int("interval", t.interval_ms, 90000);
	check_int("timeout", t.timeout_ms, 10000);
}

#define SET(name, value) "  relabel_configs: [{target_label: " name ", replacement: '" value "'}]"

static void what_is_wrong_with_a_target(void **state)
{
	(void)state;
	static const struct {
		const char *relabel, *error; /* NULL: dropped */
	} table[] = {
	    {"  relabel_configs: [{source_labels: [job], regex: j, action: drop}]", NULL},
	    {SET("__address__", ""), "no address"},
	    {SET("__address__", "a/b"), "\"a/b\" is not a valid hostname"},
	    {SET("__scrape_interval__", "x"),
		"error parsing scrape interval: not a valid duration string: \"x\""},
	    {SET("__scrape_interval__", "0s"), "scrape interval cannot be 0"},
	    {SET("__scrape_timeout__", "0s"), "scrape timeout cannot be 0"},
	    {SET("__scrape_timeout__", "2m"),
		"scrape timeout cannot be greater than scrape interval (\"2m\" > \"1m\")"},
	    {SET("__scrape_native_histograms__", "maybe"),
		"__scrape_native_histograms__ must be a boolean, not \"maybe\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct slice yaml =
		    arena_printf(arena, "  static_configs: [{targets: ['h:1']}]\n%s", table[i].relabel);
		const struct scrape_config *c = job(yaml.ptr);
		struct sd_result r = found(c);
		struct target t;
		enum target_fate fate = TARGET_ACTIVE;
		struct err err = {0};
		int rc = target_make(c, &r.groups.v[0], 0, arena, &t, &fate, &err);
		check_int(table[i].relabel, rc, table[i].error ? ERR_INVALID : 0);
		check_str(table[i].relabel, slice_cstr(err.msg), table[i].error ? table[i].error : "");
		if (!table[i].error)
			check_int(table[i].relabel, fate, TARGET_DROPPED);
	}
}

static void global_urls(void **state)
{
	(void)state;
	static const struct {
		const char *url, *want;
	} table[] = {
	    {"http://localhost:9100/metrics?a=b", "http://me.org:9100/metrics?a=b"},
	    {"http://127.0.0.1:9100/metrics", "http://me.org:9100/metrics"},
	    {"http://[::1]:9100/metrics", "http://me.org:9100/metrics"},
	    {"http://localhost/metrics", "http://me.org/metrics"},
	    {"http://other:9100/metrics", "http://other:9100/metrics"},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		check_str(table[i].url, target_global_url(slice_cstr(table[i].url), SL("me.org:9090"), arena),
		    table[i].want);
}

static void the_same_settings_make_the_same_target(void **state)
{
	(void)state;
	uint64_t hash[3];
	static const char *const yaml[] = {"  static_configs: [{targets: ['h:1', 'h:1', 'h:2']}]"};
	const struct scrape_config *c = job(yaml[0]);
	struct sd_result r = found(c);
	for (size_t i = 0; i < 3; i++) {
		struct target t;
		enum target_fate fate;
		struct err err;
		check_ok("make", target_make(c, &r.groups.v[0], i, arena, &t, &fate, &err), &err);
		hash[i] = t.hash;
	}
	assert_true(hash[0] == hash[1]);
	assert_false(hash[0] == hash[2]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN("target", CASE(labels_and_url), CASE(discovered_labels), CASE(what_is_wrong_with_a_target),
    CASE(global_urls), CASE(the_same_settings_make_the_same_target))
