/* Requests over a real socket against a router on a virtual clock. */
#include "base/thread_pool.h"
#include "net/http_client.h"
#include "tests/alertmanager/router_fixture.h"
#include "web/api_alerts_v2.h"
#include <stdio.h>

static const char config[] =
    "route: {receiver: ops, group_by: [alertname], group_wait: 10s, labels: {tier: one}}\n"
    "receivers: [{name: ops, labels: {team: x}, webhook_configs: [{url: 'http://secret.example/'}]}]\n";

struct setup {
	struct router_fixture f;
	struct thread_pool *pool;
	struct http_server *server;
	struct http_client *client;
	struct api_alerts_v2 *api;
	struct strbuf response;
};

static void start(struct setup *s)
{
	struct err err;
	fixture_init(&s->f, config);
	s->pool = thread_pool_new("test", 2);
	s->client = http_client_new("promq-test");
	strbuf_init(&s->response, STRBUF_NO_LIMIT);
	struct http_server_options opt = {.listen_address = "127.0.0.1:0"};
	for (size_t i = 0; i < HTTP_LANES; i++)
		opt.pools[i] = s->pool;
	check_ok("new", http_server_new(&opt, &s->server, &err), &err);
	s->api = api_alerts_v2_new(s->f.router, s->f.clock);
	api_alerts_v2_add(s->api, s->server);
	api_alerts_v2_add_standalone(s->api, s->server);
	check_ok("start", http_server_start(s->server, &err), &err);
}

static void stop(struct setup *s)
{
	http_client_free(s->client);
	http_server_free(s->server);
	thread_pool_free(s->pool);
	api_alerts_v2_free(s->api);
	strbuf_done(&s->response);
	fixture_done(&s->f);
}

static const char *const json_type[] = {"Content-Type: application/json", NULL};

/* The status; the body is in s->response. */
static int ask(struct setup *s, const char *method, const char *path, const char *body)
{
	char url[512];
	struct http_result r;
	struct err err;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(s->server), path);
	struct http_call call = {.method = method,
	    .url = url,
	    .headers = body ? json_type : NULL,
	    .body = body ? slice_cstr(body) : SL_EMPTY,
	    .timeout_ms = 20000};
	strbuf_reset(&s->response);
	check_ok(path, http_client_do(s->client, &call, &r, &s->response, &err), &err);
	return r.status;
}

static void check_body(struct setup *s, const char *name, const char *want)
{
	check_str(name, slice_trim(strbuf_slice(&s->response)), want);
}

static bool body_has(struct setup *s, const char *text)
{
	return strstr(strbuf_cstr(&s->response), text) != NULL;
}

static void an_alert_is_posted_and_listed(void **state)
{
	(void)state;
	struct setup s;
	start(&s);
	check_int("post",
	    ask(&s, "POST", "/api/v2/alerts",
		"[{\"labels\":{\"alertname\":\"Disk\",\"host\":\"n1\",\"empty\":\"\"},\"annotations\":{"
		"\"summary\":\"98%\"},"
		"\"startsAt\":\"2025-12-31T23:59:00Z\",\"generatorURL\":\"http://p/"
		"graph?g0=1\",\"more\":1}]"),
	    200);
	check_body(&s, "empty", "");
	check_int("get", ask(&s, "GET", "/api/v2/alerts", NULL), 200);
	check_body(&s, "alerts",
	    "[{\"annotations\":{\"summary\":\"98%\"},\"endsAt\":\"2026-01-01T00:05:00.000Z\",\"fingerprint\":"
	    "\"7f7157885f923c54\",\"receivers\":[{\"name\":\"ops\"}],\"startsAt\":\"2025-12-31T23:59:00."
	    "000Z\","
	    "\"status\":{\"inhibitedBy\":[],\"mutedBy\":[],\"silencedBy\":[],\"state\":\"active\"},"
	    "\"updatedAt\":"
	    "\"2026-01-01T00:00:00.000Z\",\"generatorURL\":\"http://p/"
	    "graph?g0=1\",\"labels\":{\"alertname\":\"Disk\","
	    "\"host\":\"n1\"}}]");
	check_int("groups", ask(&s, "GET", "/api/v2/alerts/groups", NULL), 200);
	check_true(
	    "group", body_has(&s, "\"labels\":{\"alertname\":\"Disk\"},\"receiver\":{\"name\":\"ops\"},"
				  "\"routeLabels\":{\"tier\":\"one\"}}]"));
	check_int("filter", ask(&s, "GET", "/api/v2/alerts?filter=host%3Dn2", NULL), 200);
	check_body(&s, "filtered", "[]");
	check_int("filter", ask(&s, "GET", "/api/v2/alerts?filter=host%3D~%22n.%22&receiver=o.s", NULL), 200);
	check_true("found", body_has(&s, "Disk"));
	check_int("receiver is anchored", ask(&s, "GET", "/api/v2/alerts?receiver=op", NULL), 200);
	check_body(&s, "none", "[]");
	check_int("active=false", ask(&s, "GET", "/api/v2/alerts?active=false", NULL), 200);
	check_body(&s, "none", "[]");
	stop(&s);
}

static void bad_requests_get_a_sentence(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int status;
		const char *want;
	} cases[] = {
	    {"GET", "/api/v2/alerts?filter=foo", NULL, 400, "\"bad matcher format: foo\""},
	    {"GET", "/api/v2/alerts?receiver=(", NULL, 400, "\"failed to parse receiver param: (\""},
	    {"POST", "/api/v2/alerts", "{}", 400, NULL},
	    {"POST", "/api/v2/alerts", "[{]", 400, NULL},
	    {"POST", "/api/v2/alerts", "[{}]", 422,
		"{\"code\":602,\"message\":\"labels in body is required\"}"},
	    {"POST", "/api/v2/alerts", "[{\"labels\":{}}]", 400, "\"at least one label pair required\""},
	    {"POST", "/api/v2/alerts", "[{\"labels\":{\"a\":1}}]", 422, NULL},
	    {"POST", "/api/v2/alerts", "[{\"labels\":{\"a\":\"b\"},\"startsAt\":\"yesterday\"}]", 422,
		"{\"code\":601,\"message\":\"startsAt in body must be of type date-time: "
		"\\\"yesterday\\\"\"}"},
	    {"POST", "/api/v2/silences", "{}", 422,
		"{\"code\":602,\"message\":\"matchers in body is required\"}"},
	    {"POST", "/api/v2/silences",
		"{\"matchers\":[],\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"2026-01-01T01:00:00Z\","
		"\"createdBy\":\"\",\"comment\":\"\"}",
		422, "{\"code\":612,\"message\":\"matchers in body should have at least 1 items\"}"},
	    {"POST", "/api/v2/silences",
		"{\"matchers\":[{\"name\":\"a\",\"value\":\"\",\"isRegex\":false}],\"startsAt\":\"2026-01-"
		"01T00:00:00Z\","
		"\"endsAt\":\"2026-01-01T01:00:00Z\",\"createdBy\":\"\",\"comment\":\"\"}",
		400, "\"invalid silence: at least one matcher must not match the empty string\""},
	    {"POST", "/api/v2/silences",
		"{\"matchers\":[{\"name\":\"a\",\"value\":\"b\",\"isRegex\":false}],\"startsAt\":\"2026-01-"
		"01T02:00:00Z\","
		"\"endsAt\":\"2026-01-01T01:00:00Z\",\"createdBy\":\"\",\"comment\":\"\"}",
		400, "\"Failed to create silence: start time must be before end time\""},
	    {"GET", "/api/v2/silence/x", NULL, 422,
		"{\"code\":601,\"message\":\"silenceID in path must be of type uuid: \\\"x\\\"\"}"},
	    {"GET", "/api/v2/silence/00000000-0000-4000-8000-000000000000", NULL, 404, ""},
	    {"DELETE", "/api/v2/silence/00000000-0000-4000-8000-000000000000", NULL, 404, ""},
	    {"GET", "/api/v1/alerts", NULL, 410, NULL},
	};
	(void)state;
	struct setup s;
	start(&s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_int(
		    cases[i].path, ask(&s, cases[i].method, cases[i].path, cases[i].body), cases[i].status);
		if (cases[i].want)
			check_body(&s, cases[i].path, cases[i].want);
	}
	stop(&s);
}

static void good_alerts_of_a_bad_batch_are_taken(void **state)
{
	(void)state;
	struct setup s;
	start(&s);
	check_int(
	    "post", ask(&s, "POST", "/api/v2/alerts", "[{\"labels\":{}},{\"labels\":{\"a\":\"b\"}}]"), 400);
	check_int("get", ask(&s, "GET", "/api/v2/alerts", NULL), 200);
	check_true("the good one", body_has(&s, "\"labels\":{\"a\":\"b\"}"));
	stop(&s);
}

static void a_silence_lives(void **state)
{
	static const char wish[] =
	    "{\"matchers\":[{\"name\":\"host\",\"value\":\"n1\",\"isRegex\":false}],\"startsAt\":\"2025-01-"
	    "01T00:00:00Z\","
	    "\"endsAt\":\"2026-01-01T02:00:00Z\",\"createdBy\":\"me\",\"comment\":\"swap\"}";
	(void)state;
	struct setup s;
	char path[128];
	start(&s);
	check_int("alert", ask(&s, "POST", "/api/v2/alerts", "[{\"labels\":{\"host\":\"n1\"}}]"), 200);
	check_int("post", ask(&s, "POST", "/api/v2/silences", wish), 200);
	check_true("id", slice_starts(strbuf_slice(&s.response), SL("{\"silenceID\":\"")));
	snprintf(path, sizeof(path), "/api/v2/silence/%.36s", s.response.ptr + strlen("{\"silenceID\":\""));
	check_int("get", ask(&s, "GET", path, NULL), 200);
	check_true("active",
	    body_has(&s, "\"status\":{\"state\":\"active\"},\"updatedAt\":\"2026-01-01T00:00:00.000Z\","
			 "\"annotations\":{},\"comment\":\"swap\",\"createdBy\":\"me\",\"endsAt\":"
			 "\"2026-01-01T02:00:00.000Z\",\"matchers\":[{\"isEqual\":true,\"isRegex\":false,"
			 "\"name\":\"host\",\"value\":\"n1\"}],\"startsAt\":\"2026-01-01T00:00:00.000Z\"}"));
	check_int("alerts", ask(&s, "GET", "/api/v2/alerts?silenced=false", NULL), 200);
	check_body(&s, "hidden", "[]");
	check_int("list", ask(&s, "GET", "/api/v2/silences?filter=host%3D%22n1%22", NULL), 200);
	check_true("found", body_has(&s, "swap"));
	check_int("list", ask(&s, "GET", "/api/v2/silences?filter=host%3D~%22n1%22", NULL), 200);
	check_body(&s, "another operator", "[]");
	check_int("delete", ask(&s, "DELETE", path, NULL), 200);
	clock_virtual_set(s.f.clock, fixture_start_ms() + 1);
	check_int("get", ask(&s, "GET", path, NULL), 200);
	check_true("expired", body_has(&s, "\"state\":\"expired\""));
	check_int("list", ask(&s, "GET", "/api/v2/silences?expired=false", NULL), 200);
	check_body(&s, "none", "[]");
	stop(&s);
}

static void status_and_receivers(void **state)
{
	(void)state;
	struct setup s;
	start(&s);
	check_int("receivers", ask(&s, "GET", "/api/v2/receivers", NULL), 200);
	check_body(&s, "receivers", "[{\"labels\":{\"name\":\"ops\",\"team\":\"x\"},\"name\":\"ops\"}]");
	check_int("status", ask(&s, "GET", "/api/v2/status", NULL), 200);
	check_true("cluster", body_has(&s, "{\"cluster\":{\"peers\":[],\"status\":\"disabled\"}"));
	check_true(
	    "no secrets", body_has(&s, "url: \\u003csecret\\u003e") && !body_has(&s, "secret.example"));
	check_int("ready", ask(&s, "GET", "/-/ready", NULL), 200);
	check_int("metrics", ask(&s, "GET", "/metrics", NULL), 200);
	check_true("counted", body_has(&s, "\nalertmanager_receivers 1\n"));
	stop(&s);
}

TEST_MAIN("api_alerts_v2", cmocka_unit_test(an_alert_is_posted_and_listed),
    cmocka_unit_test(bad_requests_get_a_sentence), cmocka_unit_test(good_alerts_of_a_bad_batch_are_taken),
    cmocka_unit_test(a_silence_lives), cmocka_unit_test(status_and_receivers))
