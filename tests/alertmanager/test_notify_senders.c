/* What Slack and PagerDuty get, and how their answers are read. */
#include "alertmanager/notify_text.h"
#include "tests/alertmanager/router_fixture.h"
#include "tests/lib/cases.h"

#define ROUTE "route: {receiver: r, group_by: [alertname], group_wait: 10s, group_interval: 1m}\n"

static void run(struct router_fixture *f, const char *config)
{
	fixture_init(f, config);
	fixture_alert(f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", "host", "<a>", NULL);
	fixture_run_until(f, 10 * FIXTURE_SECOND);
}

static void slack_gets_a_message(void **state)
{
	(void)state;
	struct router_fixture f;
	run(&f, ROUTE
	    "receivers: [{name: r, slack_configs: [{api_url: 'http://slack/hook', channel: '#{{ .Status }}',"
	    " text: '{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}', short_fields: true,"
	    " fields: [{title: Host, value: '{{ .CommonLabels.host }}'}],"
	    " actions: [{type: button, text: Go, url: 'http://x/'}]}]}]\n");
	check_int("one call", fixture_new_calls(&f), 1);
	check_str("url", slice_cstr(fixture_last(&f)->url), "http://slack/hook");
	check_str("body", slice_cstr(fixture_last(&f)->body),
	    "{\"channel\":\"#firing\",\"username\":\"Alertmanager\",\"attachments\":[{\"title\":\"[FIRING:1] "
	    "Down "
	    "(\\u003ca\\u003e)\",\"title_link\":\"http://promq.example:9093/#/"
	    "alerts?receiver=r\",\"text\":\"it broke\","
	    "\"fallback\":\"[FIRING:1] Down (\\u003ca\\u003e) | "
	    "http://promq.example:9093/#/alerts?receiver=r\","
	    "\"callback_id\":\"\",\"fields\":[{\"title\":\"Host\",\"value\":\"\\u003ca\\u003e\",\"short\":"
	    "true}],"
	    "\"actions\":[{\"type\":\"button\",\"text\":\"Go\",\"url\":\"http://x/"
	    "\"}],\"footer\":\"\",\"color\":\"danger\","
	    "\"mrkdwn_in\":[\"fallback\",\"pretext\",\"text\"]}]}\n");
	fixture_done(&f);
}

static const char slack[] = ROUTE "receivers: [{name: r, slack_configs: [{api_url: 'http://slack/hook'}]}]\n";

static void slacks_answer_is_read(void **state)
{
	static const struct {
		const char *name, *type, *body;
		size_t calls_at_next_tick; /* 0: it was taken */
	} cases[] = {
	    {"text ok", "text/html", "ok", 0},
	    {"text refusal", "text/html", "no_service", 1},
	    {"json ok", "application/json; charset=utf-8", "{\"ok\":true}", 0},
	    {"json refusal", "application/json", "{\"ok\":false,\"error\":\"channel_not_found\"}", 1},
	    {"json garbage", "application/json", "{", 1},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct router_fixture f;
		fixture_init(&f, slack);
		f.answer_type = cases[i].type;
		f.answer_body = cases[i].body;
		fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", NULL);
		fixture_run_until(&f, 69 * FIXTURE_SECOND);
		check_int(cases[i].name, fixture_new_calls(&f), 1);
		fixture_run_until(&f, 71 * FIXTURE_SECOND);
		check_int(cases[i].name, fixture_new_calls(&f), cases[i].calls_at_next_tick);
		fixture_done(&f);
	}
}

static void pagerduty_gets_an_event(void **state)
{
	(void)state;
	struct router_fixture f;
	run(&f, ROUTE
	    "receivers: [{name: r, pagerduty_configs: [{routing_key: K, url: 'http://pd/', details: {who: "
	    "'{{ .CommonLabels.host }}', firing: x}, links: [{href: 'http://l', text: t}, {text: "
	    "none}]}]}]\n");
	check_int("one call", fixture_new_calls(&f), 1);
	check_str("body", slice_cstr(fixture_last(&f)->body),
	    "{\"routing_key\":\"K\",\"dedup_key\":"
	    "\"af94c9e8f6a3043625e36c6f472fe6be85ac23a9117184ee4cb7b4ad7401a47e\","
	    "\"event_action\":\"trigger\",\"payload\":{\"summary\":\"[FIRING:1] Down "
	    "(\\u003ca\\u003e)\",\"source\":"
	    "\"Alertmanager\",\"severity\":\"error\",\"custom_details\":{\"firing\":\"x\",\"num_firing\":1,"
	    "\"num_resolved\":0,\"resolved\":[],\"who\":\"\\u003ca\\u003e\"}},\"client\":\"Alertmanager\","
	    "\"client_url\":"
	    "\"http://promq.example:9093/#/alerts?receiver=r\",\"links\":[{\"href\":\"http://"
	    "l\",\"text\":\"t\"}]}\n");
	fixture_done(&f);
}

static void pagerduty_v1_for_a_service_key(void **state)
{
	(void)state;
	struct router_fixture f;
	run(&f, ROUTE "receivers: [{name: r, pagerduty_configs: [{service_key: K, details: {firing: '', "
		      "resolved: ''}}]}]\n");
	check_int("one call", fixture_new_calls(&f), 1);
	check_str("url", slice_cstr(fixture_last(&f)->url),
	    "https://events.pagerduty.com/generic/2010-04-15/create_event.json");
	check_true("key", fixture_last_has(&f, "{\"service_key\":\"K\",\"incident_key\":\""));
	check_true(
	    "type", fixture_last_has(&f, "\"event_type\":\"trigger\",\"description\":\"[FIRING:1] Down"));
	check_true("end", fixture_last_has(&f, "\"num_firing\":1,\"num_resolved\":0,\"resolved\":\"\"},"
					       "\"event_action\":\"\",\"payload\":null}\n"));
	fixture_done(&f);
}

static void pagerduty_resolves(void **state)
{
	(void)state;
	struct router_fixture f;
	run(&f, ROUTE "receivers: [{name: r, pagerduty_configs: [{routing_key: K, url: 'http://pd/'}]}]\n");
	fixture_run_until(&f, 30 * FIXTURE_SECOND);
	fixture_alert(&f, 0, 20 * FIXTURE_SECOND, "alertname", "Down", "host", "<a>", NULL);
	fixture_new_calls(&f);
	fixture_run_until(&f, 3 * FIXTURE_MINUTE);
	check_int("one more", fixture_new_calls(&f), 1);
	check_true("resolve", fixture_last_has(&f, "\"event_action\":\"resolve\""));
	check_true(
	    "list", fixture_last_has(
			&f, "\"firing\":[],\"num_firing\":0,\"num_resolved\":1,\"resolved\":[{\"status\""));
	fixture_done(&f);
}

static void upstream_truncates(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_truncate.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct slice in = test_case_text(cases, c, "in");
		int64_t n;
		assert_true(json_get_int(json_member(c, "n"), &n));
		struct arena *arena = test_cases_arena(cases);
		check_slice("runes", notify_truncate_runes(arena, in, (size_t)n),
		    test_case_text(cases, json_member(c, "runes"), "out"));
		check_slice("bytes", notify_truncate_bytes(arena, in, (size_t)n),
		    test_case_text(cases, json_member(c, "bytes"), "out"));
	}
	test_cases_close(cases);
}

TEST_MAIN("notify_senders", cmocka_unit_test(slack_gets_a_message), cmocka_unit_test(slacks_answer_is_read),
    cmocka_unit_test(pagerduty_gets_an_event), cmocka_unit_test(pagerduty_v1_for_a_service_key),
    cmocka_unit_test(pagerduty_resolves), cmocka_unit_test(upstream_truncates))
