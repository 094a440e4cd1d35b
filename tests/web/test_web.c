/* Readiness, CORS, lifecycle, redirects, the pages, and status. */
#include "tests/web/web_fixture.h"

#include "base/xmalloc.h"

#include <stdio.h>

static void readiness(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	web_fixture_expect(&f, "/-/healthy", 200, "Prometheus Server is Healthy.\n");
	web_fixture_expect(&f, "/-/ready", 503, "Service Unavailable");
	check_str("starting", web_fixture_header(&f, "X-Prometheus-Stopping"), "false");
	web_fixture_expect(&f, "/api/v1/query?query=1", 503, "Service Unavailable");
	web_fixture_expect(&f, "/api/v1/status/walreplay", 200,
	    "{\"status\":\"success\",\"data\":{\"min\":0,\"max\":0,\"current\":0,"
	    "\"state\":\"waiting\"}}");
	web_fixture_ready(&f);
	web_fixture_expect(&f, "/-/ready", 200, "Prometheus Server is Ready.\n");
	web_fixture_call(&f, "HEAD", "/-/ready", "", NULL);
	check_int("HEAD", f.status, 200);
	web_fixture_expect(&f, "/api/v1/query?query=1", 200,
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[0,\"1\"]}}");
	check_str("type", web_fixture_header(&f, "Content-Type"), "application/json");
	web_set_stopping(f.web);
	web_fixture_expect(&f, "/-/ready", 503, "Service Unavailable");
	check_str("stopping", web_fixture_header(&f, "X-Prometheus-Stopping"), "true");
	web_fixture_stop(&f);
}

static void cors(void **state)
{
	(void)state;
	static const struct {
		const char *name, *allowed, *headers, *want;
	} cases[] = {
	    {"no origin", ".*", "", ""},
	    {"any origin", ".*", "Origin: http://a\r\n", "*"},
	    {"the right one", "https?://a\\.org", "Origin: https://a.org\r\n", "https://a.org"},
	    {"a wrong one", "https?://a\\.org", "Origin: https://a.org.evil\r\n", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct web_fixture f;
		struct web_options o = {.cors_origin = slice_cstr(cases[i].allowed)};
		web_fixture_start(&f, &o, 0);
		web_fixture_call(&f, "GET", "/api/v1/status/buildinfo", cases[i].headers, NULL);
		check_str(
		    cases[i].name, web_fixture_header(&f, "Access-Control-Allow-Origin"), cases[i].want);
		check_str(cases[i].name, web_fixture_header(&f, "Vary"), "Origin");
		check_str(cases[i].name, web_fixture_header(&f, "Access-Control-Allow-Methods"),
		    cases[i].headers[0] ? "GET, POST, OPTIONS" : "");
		web_fixture_call(&f, "OPTIONS", "/api/v1/query", cases[i].headers, NULL);
		check_int(cases[i].name, f.status, 204);
		web_fixture_call(&f, "OPTIONS", "/api/v1/no/such", cases[i].headers, NULL);
		check_int(cases[i].name, f.status, 204);
		web_fixture_stop(&f);
	}
	struct web *web;
	struct err err;
	struct web_options bad = {.clock = clock_real(), .cors_origin = SL("(")};
	check_int("bad expression", web_new(&bad, &web, &err), ERR_INVALID);
	check_str("bad expression", slice_cstr(err.msg),
	    "web.cors.origin: error parsing regexp: missing closing ): `(`");
}

struct lifecycle {
	int reloads, quits;
	bool fails;
};

static bool reload(void *arg, struct strbuf *problems)
{
	struct lifecycle *l = arg;
	l->reloads++;
	if (l->fails)
		strbuf_adds(problems, "p.yml:3:1: unknown key");
	return !l->fails;
}

static void quit(void *arg)
{
	((struct lifecycle *)arg)->quits++;
}

static void lifecycle(void **state)
{
	(void)state;
	struct lifecycle l = {0};
	struct web_fixture f;
	struct web_options o = {.reload = reload, .quit = quit, .lifecycle_arg = &l};
	web_fixture_start(&f, &o, 0);
	web_fixture_call(&f, "POST", "/-/reload", "", "");
	check_int("disabled", f.status, 403);
	check_str("disabled", f.body, "Lifecycle API is not enabled.");
	web_fixture_call(&f, "PUT", "/-/quit", "", "");
	check_int("disabled", f.status, 403);
	web_fixture_expect(&f, "/-/reload", 405, "Only POST or PUT requests allowed");
	check_int("untouched", l.reloads + l.quits, 0);
	web_fixture_stop(&f);

	o.enable_lifecycle = true;
	web_fixture_start(&f, &o, 0);
	web_fixture_call(&f, "POST", "/-/reload", "", "");
	check_int("reload", f.status, 200);
	l.fails = true;
	web_fixture_call(&f, "PUT", "/-/reload", "", "");
	check_int("failed", f.status, 500);
	check_str("failed", f.body, "failed to reload config: p.yml:3:1: unknown key\n");
	web_fixture_call(&f, "POST", "/-/quit", "", "");
	check_str("quit", f.body, "Requesting termination... Goodbye!");
	web_fixture_call(&f, "POST", "/-/quit", "", "");
	check_str("again", f.body, "Termination already in progress.");
	check_int("once", l.quits, 1);
	web_fixture_stop(&f);
}

static void redirects(void **state)
{
	(void)state;
	struct web_fixture f;
	struct web_options o = {.external_url = SL("http://example.org/prom/")};
	web_fixture_start(&f, &o, 0);
	web_fixture_expect(&f, "/", 302, "");
	check_str("root", web_fixture_header(&f, "Location"), "/prom/query");
	web_fixture_expect(&f, "/graph?g0.expr=up&g0.tab=1", 302, "");
	check_str("graph", web_fixture_header(&f, "Location"), "/prom/query?g0.expr=up&g0.tab=1");
	web_fixture_get(&f, "/query");
	check_int("page", f.status, 200);
	check_str("page", web_fixture_header(&f, "Content-Type"), "text/html; charset=utf-8");
	web_fixture_expect(&f, "/no/such", 404, "404 page not found\n");
	web_fixture_expect(&f, "/api/v1/no/such", 404, "404 page not found\n");
	web_fixture_stop(&f);
}

static bool contains(struct slice s, const char *text)
{
	return memmem(s.ptr, s.len, text, strlen(text)) != NULL;
}

static void own_metrics(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	web_set_reloaded(f.web, true, 5500);
	web_fixture_get(&f, "/metrics");
	check_int("status", f.status, 200);
	check_true(
	    "build", contains(f.body,
			 "prometheus_build_info{branch=\"main\",revision=\"abc\",version=\"0.1.0\"} 1\n"));
	check_true("ready", contains(f.body, "prometheus_ready 0\n"));
	check_true("reload", contains(f.body, "prometheus_config_last_reload_successful 1\n"));
	check_true("time", contains(f.body, "prometheus_config_last_reload_success_timestamp_seconds 5.5\n"));
	web_set_reloaded(f.web, false, 9000);
	web_fixture_get(&f, "/metrics");
	check_true("failed", contains(f.body, "prometheus_config_last_reload_successful 0\n"));
	check_true(
	    "time stays", contains(f.body, "prometheus_config_last_reload_success_timestamp_seconds 5.5\n"));
	web_fixture_stop(&f);
}

static void store_state(void *arg, struct web_store_state *out)
{
	*out = *(const struct web_store_state *)arg;
}

/* While the log is read back, queries are answered and what knows rules, targets or writes is not. */
static void queries_while_replaying(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	struct web_store_state store = {.replay_min = 2,
	    .replay_max = 7,
	    .replay_current = 4,
	    .replay_percent = 45,
	    .replay = WEB_REPLAY_RUNNING};
	f.deps.store.state = store_state;
	f.deps.store.arg = &store;
	web_set_replaying(f.web, &f.deps);
	web_fixture_expect(&f, "/-/healthy", 200, "Prometheus Server is Healthy.\n");
	web_fixture_expect(
	    &f, "/-/ready", 503, "Service Unavailable\nReading the log back: 45 %, segment 4 of 7\n");
	web_fixture_expect(&f, "/api/v1/status/walreplay", 200,
	    "{\"status\":\"success\",\"data\":{\"min\":2,\"max\":7,\"current\":4,\"state\":\"in "
	    "progress\"}}");
	web_fixture_get(&f, "/api/v1/query?query=1");
	check_int("a query", f.status, 200);
	check_true("with a warning", contains(f.body, "\"warnings\":[\"the server is starting"));
	web_fixture_get(&f, "/api/v1/labels");
	check_int("labels", f.status, 200);
	static const char *const not_yet[] = {
	    "/api/v1/rules", "/api/v1/targets", "/federate", "/api/v1/metadata"};
	for (size_t i = 0; i < ARRAY_LEN(not_yet); i++) {
		web_fixture_get(&f, not_yet[i]);
		check_int(not_yet[i], f.status, 503);
	}
	store.replay = WEB_REPLAY_DONE;
	snprintf(store.trouble, sizeof(store.trouble), "the disk is full");
	web_set_ready(f.web, NULL);
	web_fixture_expect(&f, "/-/ready", 200, "Prometheus Server is Ready.\n");
	web_fixture_expect(&f, "/-/healthy", 200, "Prometheus Server is Healthy.\nthe disk is full\n");
	web_fixture_get(&f, "/api/v1/query?query=1");
	check_true("without a warning", !contains(f.body, "warnings"));
	web_fixture_stop(&f);
}

static void store_status(void *arg, size_t top, struct arena *arena, struct web_store_status *out)
{
	(void)arg;
	*out = (struct web_store_status){
	    .series = 2, .label_pairs = 3, .chunks = 4, .min_t_ms = 5, .max_t_ms = 6};
	if (top == 0)
		return;
	out->series_by_metric.v = ARENA_NEW(arena, struct web_store_top);
	out->series_by_metric.v[0] = (struct web_store_top){SL("up"), 2};
	out->series_by_metric.n = 1;
}

static void status(void **state)
{
	(void)state;
	static const struct web_flag flags[] = {
	    {SL_INIT("log.level"), SL_INIT("info")}, {SL_INIT("web.page-title"), SL_INIT("<promq>")}};
	struct web_fixture f;
	struct web_options o = {
	    .version = SL("0.1.0"), .flags = flags, .n_flags = ARRAY_LEN(flags), .retention = SL("15d")};
	web_fixture_start(&f, &o, 1767225600000);
	f.deps.store.status = store_status;
	struct web_store_state store = {
	    .replay_min = 2, .replay_max = 7, .replay_current = 7, .replay = WEB_REPLAY_DONE};
	f.deps.store.state = store_state;
	f.deps.store.arg = &store;
	web_fixture_ready(&f);
	web_set_reloaded(f.web, true, 1767225600500);
	web_fixture_expect(&f, "/api/v1/status/flags", 200,
	    "{\"status\":\"success\",\"data\":{\"log.level\":\"info\",\"web.page-title\":"
	    "\"\\u003cpromq\\u003e\"}}");
	web_fixture_expect(&f, "/api/v1/status/buildinfo", 200,
	    "{\"status\":\"success\",\"data\":{\"version\":\"0.1.0\",\"revision\":\"\",\"branch\":\"\","
	    "\"buildUser\":\"\","
	    "\"buildDate\":\"\",\"goVersion\":\"\"}}");
	web_fixture_expect(&f, "/api/v1/status/tsdb", 200,
	    "{\"status\":\"success\",\"data\":{\"headStats\":{\"numSeries\":2,\"numLabelPairs\":3,"
	    "\"chunkCount\":4,"
	    "\"minTime\":5,\"maxTime\":6},\"seriesCountByMetricName\":[{\"name\":\"up\",\"value\":2}],"
	    "\"labelValueCountByLabelName\":[],\"memoryInBytesByLabelName\":[],"
	    "\"seriesCountByLabelValuePair\":[]}}");
	web_fixture_expect(&f, "/api/v1/status/tsdb?limit=0", 400,
	    "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"limit must be a positive "
	    "number\"}");
	web_fixture_expect(&f, "/api/v1/status/tsdb?limit=10001", 400,
	    "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"limit must not exceed 10000\"}");
	web_fixture_expect(&f, "/api/v1/status/walreplay", 200,
	    "{\"status\":\"success\",\"data\":{\"min\":2,\"max\":7,\"current\":7,"
	    "\"state\":\"done\"}}");
	web_fixture_get(&f, "/api/v1/status/runtimeinfo");
	check_true("start", contains(f.body, "\"startTime\":\"2026-01-01T00:00:00Z\""));
	check_true("reload",
	    contains(f.body, "\"reloadConfigSuccess\":true,\"lastConfigTime\":\"2026-01-01T00:00:00.5Z\""));
	check_true("retention", contains(f.body, "\"storageRetention\":\"15d\""));
	web_fixture_expect(&f, "/api/v1/status/config", 500,
	    "{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"no configuration is loaded\"}");
	web_fixture_stop(&f);
}

static void admin(void **state)
{
	(void)state;
	struct web_fixture f;
	struct web_options o = {0};
	web_fixture_start(&f, &o, 0);
	web_fixture_ready(&f);
	web_fixture_call(&f, "POST", "/api/v1/admin/tsdb/snapshot", "", "");
	check_int("disabled", f.status, 500);
	check_str("disabled", f.body,
	    "{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"admin APIs disabled\"}");
	web_fixture_stop(&f);
	o.enable_admin = true;
	web_fixture_start(&f, &o, 0);
	web_fixture_ready(&f);
	web_fixture_call(&f, "PUT", "/api/v1/admin/tsdb/delete_series?match[]=up", "", "");
	check_int("enabled", f.status, 422);
	check_str("enabled", f.body,
	    "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"not implemented: deleting "
	    "series\"}");
	web_fixture_stop(&f);
}

/* A store that writes down what it is asked to do. */
static int note_delete(void *arg, const struct matcher *const *matchers, size_t n, int64_t min_t_ms,
    int64_t max_t_ms, struct err *err)
{
	(void)matchers, (void)err;
	strbuf_addf(arg, "delete %zu %lld %lld;", n, (long long)min_t_ms, (long long)max_t_ms);
	return 0;
}

static int note_clean(void *arg, struct err *err)
{
	(void)err;
	strbuf_adds(arg, "clean;");
	return 0;
}

static int note_snapshot(void *arg, bool with_head, struct arena *arena, struct slice *name, struct err *err)
{
	(void)arena, (void)err;
	strbuf_adds(arg, with_head ? "snapshot;" : "snapshot without head;");
	*name = SL("20171210T211224Z-2be650b6d019eb54");
	return 0;
}

static void admin_calls(void **state)
{
	(void)state;
#define ADMIN "/api/v1/admin/tsdb/"
	static const struct {
		const char *path;
		int status;
		const char *did, *body;
	} cases[] = {
	    {ADMIN "delete_series?match[]=up&start=1&end=2.5", 204, "delete 1 1000 2500;", ""},
	    {ADMIN "delete_series?match[]=up&match[]={a=%22b%22,c=%22d%22}&start=1&end=2", 204,
		"delete 1 1000 2000;delete 2 1000 2000;", ""},
	    {ADMIN "delete_series", 400, "",
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"no match[] parameter "
		"provided\"}"},
	    {ADMIN "clean_tombstones", 204, "clean;", ""},
	    {ADMIN "snapshot", 200, "snapshot;",
		"{\"status\":\"success\",\"data\":{\"name\":\"20171210T211224Z-2be650b6d019eb54\"}}"},
	    {ADMIN "snapshot?skip_head=true", 200, "snapshot without head;",
		"{\"status\":\"success\",\"data\":{\"name\":\"20171210T211224Z-2be650b6d019eb54\"}}"},
	    {ADMIN "snapshot?skip_head=maybe", 400, "",
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"skip_head\\\": unable to "
		"parse boolean: strconv.ParseBool: parsing \\\"maybe\\\": invalid syntax\"}"},
	};
	struct web_fixture f;
	struct strbuf did = STRBUF_INIT;
	struct web_options o = {.enable_admin = true};
	web_fixture_start(&f, &o, 0);
	f.deps.store = (struct web_store_provider){.delete_series = note_delete,
	    .clean_tombstones = note_clean,
	    .snapshot = note_snapshot,
	    .arg = &did};
	web_fixture_ready(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strbuf_reset(&did);
		web_fixture_call(&f, "POST", cases[i].path, "", "");
		check_int(cases[i].path, f.status, cases[i].status);
		check_str(cases[i].path, f.body, cases[i].body);
		check_str(cases[i].path, strbuf_slice(&did), cases[i].did);
	}
	web_fixture_stop(&f);
	strbuf_done(&did);
}

TEST_MAIN("web", cmocka_unit_test(queries_while_replaying), cmocka_unit_test(readiness),
    cmocka_unit_test(cors), cmocka_unit_test(lifecycle), cmocka_unit_test(redirects),
    cmocka_unit_test(own_metrics), cmocka_unit_test(admin), cmocka_unit_test(admin_calls),
    cmocka_unit_test(status))
