#include "tests/web/web_fixture.h"

#include "base/xmalloc.h"

#include <stdio.h>

/* Two groups in two files: an alert that fires and a record; an alert never evaluated. */
static void list(void *arg, struct arena *arena, struct rule_group_view **out, size_t *n)
{
	(void)arg;
	struct alert_view *alerts = ARENA_NEW(arena, struct alert_view);
	*alerts =
	    (struct alert_view){.labels = labels_of(arena, "alertname", "Down", "severity", "page", NULL),
		.annotations = labels_of(arena, "summary", "x < 1", NULL),
		.state = ALERT_FIRING,
		.active_at_ms = 1767225600000,
		.keep_firing_since_ms = 1767225630000,
		.value = 0};
	struct rule_view *rules = ARENA_ARRAY(arena, struct rule_view, 3);
	rules[0] = (struct rule_view){.is_alert = true,
	    .name = SL("Down"),
	    .query = SL("up == 0"),
	    .labels = labels_of(arena, "severity", "page", NULL),
	    .annotations = labels_of(arena, "summary", "x {{ $value }}", NULL),
	    .for_ms = 60000,
	    .keep_firing_for_ms = 1500,
	    .has_state = true,
	    .state = ALERT_FIRING,
	    .health = RULE_OK,
	    .evaluation_seconds = 0.0003,
	    .last_evaluation_ms = 1767225660000,
	    .alerts = alerts,
	    .n_alerts = 1};
	rules[1] = (struct rule_view){.name = SL("job:up:sum"),
	    .query = SL("sum by (job) (up)"),
	    .labels = &labels_empty,
	    .annotations = &labels_empty,
	    .health = RULE_ERROR,
	    .last_error = SL("query timed out"),
	    .last_evaluation_ms = 1767225660000};
	rules[2] = (struct rule_view){.is_alert = true,
	    .name = SL("Slow"),
	    .query = SL("vector(1)"),
	    .labels = &labels_empty,
	    .annotations = &labels_empty};
	struct rule_group_view *groups = ARENA_ARRAY(arena, struct rule_group_view, 2);
	groups[0] = (struct rule_group_view){.name = SL("g"),
	    .file = SL("/etc/a.yml"),
	    .interval_ms = 15000,
	    .evaluation_seconds = 0.0004,
	    .last_evaluation_ms = 1767225660000,
	    .rules = rules,
	    .n_rules = 2};
	groups[1] = (struct rule_group_view){.name = SL("h"),
	    .file = SL("/etc/b.yml"),
	    .interval_ms = 60000,
	    .limit = 7,
	    .rules = rules + 2,
	    .n_rules = 1};
	*out = groups;
	*n = 2;
}

#define ALERT                                                                                                \
	"{\"labels\":{\"alertname\":\"Down\",\"severity\":\"page\"},\"annotations\":{\"summary\":\"x < "     \
	"1\"},"                                                                                              \
	"\"state\":\"firing\",\"activeAt\":\"2026-01-01T00:00:00Z\",\"keepFiringSince\":\"2026-01-01T00:00:" \
	"30Z\","                                                                                             \
	"\"value\":\"0e+00\"}"
#define DOWN(alerts)                                                                                         \
	"{\"state\":\"firing\",\"name\":\"Down\",\"query\":\"up == "                                         \
	"0\",\"duration\":60,\"keepFiringFor\":1.5,"                                                         \
	"\"labels\":{\"severity\":\"page\"},\"annotations\":{\"summary\":\"x {{ $value "                     \
	"}}\"},\"alerts\":" alerts ",\"health\":\"ok\",\"evaluationTime\":0.0003,\"lastEvaluation\":\"2026-" \
	"01-01T00:01:00Z\",\"type\":\"alerting\"}"
#define RECORD                                                                                               \
	"{\"name\":\"job:up:sum\",\"query\":\"sum by (job) (up)\",\"labels\":{},\"health\":\"err\","         \
	"\"lastError\":\"query timed "                                                                       \
	"out\",\"evaluationTime\":0,\"lastEvaluation\":\"2026-01-01T00:01:00Z\","                            \
	"\"type\":\"recording\"}"
#define SLOW                                                                                                 \
	"{\"state\":\"unknown\",\"name\":\"Slow\",\"query\":\"vector(1)\",\"duration\":0,\"keepFiringFor\":" \
	"0,"                                                                                                 \
	"\"labels\":{},\"annotations\":{},\"alerts\":[],\"health\":\"unknown\",\"evaluationTime\":0,"        \
	"\"lastEvaluation\":\"0001-01-01T00:00:00Z\",\"type\":\"alerting\"}"
#define G(rules)                                                                                             \
	"{\"name\":\"g\",\"file\":\"/etc/a.yml\",\"rules\":[" rules "],\"interval\":15,\"limit\":0,"         \
	"\"evaluationTime\":0.0004,\"lastEvaluation\":\"2026-01-01T00:01:00Z\"}"
#define H                                                                                                    \
	"{\"name\":\"h\",\"file\":\"/etc/b.yml\",\"rules\":[" SLOW                                           \
	"],\"interval\":60,\"limit\":7,\"evaluationTime\":0,"                                                \
	"\"lastEvaluation\":\"0001-01-01T00:00:00Z\"}"
#define GROUPS(g) "{\"status\":\"success\",\"data\":{\"groups\":[" g "]}}"
#define BAD(text)                                                                                            \
	"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"" text "\"}"

static void answers(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int status;
		const char *body;
	} cases[] = {
	    {"/api/v1/rules", 200, GROUPS(G(DOWN("[" ALERT "]") "," RECORD) "," H)},
	    {"/api/v1/rules?type=alert&exclude_alerts=false", 200, GROUPS(G(DOWN("[" ALERT "]")) "," H)},
	    {"/api/v1/rules?type=record", 200, GROUPS(G(RECORD))},
	    {"/api/v1/rules?rule_name[]=Down&exclude_alerts=true", 200, GROUPS(G(DOWN("null")))},
	    {"/api/v1/rules?rule_group=h&rule_group[]=h", 200, GROUPS(H)},
	    {"/api/v1/rules?file[]=/etc/b.yml&file[]=/etc/c.yml", 200, GROUPS(H)},
	    {"/api/v1/rules?match[]=%7Bseverity=%22page%22%7D&exclude_alerts=1", 200,
		GROUPS(G(DOWN("null")))},
	    {"/api/v1/rules?rule_name=none", 200, GROUPS("")},
	    {"/api/v1/rules?type=x", 400, BAD("type\\\": not supported value \\\"x\\\"")},
	    {"/api/v1/rules?group_limit=0", 400,
		BAD("group_limit\\\": group_limit needs to be greater than 0")},
	    {"/api/v1/rules?group_next_token=abc", 400,
		BAD("group_limit\\\": group_limit needs to be present in order to paginate over the groups")},
	    {"/api/v1/rules?group_limit=1&group_next_token=abc", 400,
		BAD("group_next_token\\\": invalid group_next_token 'abc'. were rule groups changed?")},
	    {"/api/v1/alerts", 200, "{\"status\":\"success\",\"data\":{\"alerts\":[" ALERT "]}}"},
	};
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	f.deps.rules.list = list;
	web_fixture_ready(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		web_fixture_expect(&f, cases[i].path, cases[i].status, cases[i].body);
	web_fixture_stop(&f);
}

static void pages(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	f.deps.rules.list = list;
	web_fixture_ready(&f);
	web_fixture_get(&f, "/api/v1/rules?group_limit=1&exclude_alerts=true");
	struct json_doc *doc;
	struct err err;
	struct slice token = SL_EMPTY;
	check_ok("parse", json_doc_parse(f.body, &doc, &err), &err);
	const struct json_value *data = json_member(json_doc_root(doc), "data");
	check_int("one group", json_count(json_member(data, "groups")), 1);
	check_true("token", json_get_string(json_member(data, "groupNextToken"), &token));
	char *path = xasprintf("/api/v1/rules?group_limit=1&group_next_token=%" SL_FMT, SL_ARG(token));
	web_fixture_expect(&f, path, 200, GROUPS(H));
	free(path);
	json_doc_free(doc);
	web_fixture_stop(&f);
}

static void without_rules(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	web_fixture_ready(&f);
	web_fixture_expect(&f, "/api/v1/rules", 200, GROUPS(""));
	web_fixture_expect(&f, "/api/v1/alerts", 200, "{\"status\":\"success\",\"data\":{\"alerts\":[]}}");
	web_fixture_stop(&f);
}

TEST_MAIN("api_rules", cmocka_unit_test(answers), cmocka_unit_test(pages), cmocka_unit_test(without_rules))
