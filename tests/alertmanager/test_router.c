/* Scenarios: alerts go in, time passes, the receiver has got this. */
#include "tests/alertmanager/router_fixture.h"

#include "alertmanager/silence_store.h"
#include <stdio.h>

static const char simple[] =
    "route: {receiver: hook, group_by: [alertname], group_wait: 30s, group_interval: 5m,"
    " repeat_interval: 1h}\n"
    "receivers: [{name: hook, webhook_configs: [{url: 'http://receiver.example/hook'}]}]\n";

static const char simple_firing[] =
    "{\"receiver\":\"hook\",\"status\":\"firing\",\"alerts\":[{\"status\":\"firing\",\"labels\":{"
    "\"alertname\":\"Down\","
    "\"instance\":\"a\"},\"annotations\":{\"summary\":\"it "
    "broke\"},\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":"
    "\"0001-01-01T00:00:00Z\",\"generatorURL\":\"http://promq.example/graph?g0.expr=up\",\"fingerprint\":"
    "\"b095cbba435360b4\"}],\"notification_reason\":\"first "
    "notification\",\"groupLabels\":{\"alertname\":\"Down\"},"
    "\"commonLabels\":{\"alertname\":\"Down\",\"instance\":\"a\"},\"commonAnnotations\":{\"summary\":\"it "
    "broke\"},"
    "\"routeLabels\":{},\"externalURL\":\"http://promq.example:9093\",\"version\":\"4\",\"groupKey\":"
    "\"{}:{alertname=\\\"Down\\\"}\",\"truncatedAlerts\":0}\n";

static void the_first_alert_is_told_after_group_wait(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	fixture_alert(&f, 0, 0, "alertname", "Down", "instance", "a", NULL);
	fixture_run_until(&f, 30 * FIXTURE_SECOND - 1);
	check_int("before group_wait", fixture_new_calls(&f), 0);
	fixture_run_until(&f, 30 * FIXTURE_SECOND);
	check_int("at group_wait", fixture_new_calls(&f), 1);
	check_str("url", slice_cstr(fixture_last(&f)->url), "http://receiver.example/hook");
	check_str("body", slice_cstr(fixture_last(&f)->body), simple_firing);
	fixture_done(&f);
}

static void changes_are_told_on_the_grid_of_group_interval(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", "instance", "a", NULL);
	fixture_run_until(&f, FIXTURE_MINUTE);
	fixture_new_calls(&f);
	fixture_alert(&f, FIXTURE_MINUTE, 600 * FIXTURE_MINUTE, "alertname", "Down", "instance", "b", NULL);
	fixture_run_until(&f, 5 * FIXTURE_MINUTE + 29 * FIXTURE_SECOND);
	check_int("before the tick", fixture_new_calls(&f), 0);
	fixture_run_until(&f, 5 * FIXTURE_MINUTE + 30 * FIXTURE_SECOND);
	check_int("at the tick", fixture_new_calls(&f), 1);
	check_true("the reason", fixture_last_has(&f, "\"notification_reason\":\"new alerts added\""));
	check_true("both alerts",
	    fixture_last_has(&f, "\"instance\":\"a\"") && fixture_last_has(&f, "\"instance\":\"b\""));
	fixture_run_until(&f, 60 * FIXTURE_MINUTE);
	check_int("quiet until the repeat interval", fixture_new_calls(&f), 0);
	fixture_run_until(&f, 65 * FIXTURE_MINUTE + 30 * FIXTURE_SECOND);
	check_int("exactly one hour later is not later", fixture_new_calls(&f), 0);
	fixture_run_until(&f, 70 * FIXTURE_MINUTE + 30 * FIXTURE_SECOND);
	check_int("repeated", fixture_new_calls(&f), 1);
	check_true("the reason", fixture_last_has(&f, "\"notification_reason\":\"repeat interval elapsed\""));
	fixture_done(&f);
}

static void the_end_is_told_once(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", "instance", "a", NULL);
	fixture_run_until(&f, FIXTURE_MINUTE);
	fixture_new_calls(&f);
	for (int64_t minute = 2; minute < 15; minute++) {
		fixture_alert(&f, 0, 2 * FIXTURE_MINUTE, "alertname", "Down", "instance", "a", NULL);
		fixture_run_until(&f, minute * FIXTURE_MINUTE + 40 * FIXTURE_SECOND);
	}
	check_int("one message", fixture_new_calls(&f), 1);
	check_int("at the tick", fixture_last(&f)->at_ms, 5 * FIXTURE_MINUTE + 30 * FIXTURE_SECOND);
	check_true("resolved", fixture_last_has(&f, "{\"receiver\":\"hook\",\"status\":\"resolved\""));
	check_true("the reason", fixture_last_has(&f, "\"all alerts resolved\""));
	check_true("the end", fixture_last_has(&f, "\"endsAt\":\"2026-01-01T00:02:00Z\""));
	fixture_done(&f);
}

static void an_alert_that_is_not_sent_again_resolves(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	fixture_alert(&f, 0, 0, "alertname", "Down", NULL);
	fixture_run_until(&f, FIXTURE_MINUTE);
	check_int("fired", fixture_new_calls(&f), 1);
	fixture_run_until(&f, 6 * FIXTURE_MINUTE);
	check_int("resolved by timeout", fixture_new_calls(&f), 1);
	check_true("resolved", fixture_last_has(&f, "\"status\":\"resolved\""));
	fixture_done(&f);
}

static void what_nobody_was_told_is_not_resolved(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	fixture_alert(&f, 0, 10 * FIXTURE_SECOND, "alertname", "Blip", NULL);
	fixture_run_until(&f, 10 * FIXTURE_MINUTE);
	check_int("resolved before group_wait", fixture_new_calls(&f), 0);
	fixture_done(&f);
}

static void failed_attempts_are_repeated_with_growing_pauses(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	f.n_failures = 4;
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", NULL);
	fixture_run_until(&f, 2 * FIXTURE_MINUTE);
	check_int("attempts", fixture_new_calls(&f), 5);
	int64_t pause = 500;
	for (size_t i = 1; i < 5; i++, pause += pause / 2) {
		int64_t waited = f.calls.v[i].at_ms - f.calls.v[i - 1].at_ms;
		check_true("pause", waited >= pause / 2 && waited <= pause + pause / 2 + 1);
	}
	fixture_run_until(&f, 30 * FIXTURE_MINUTE);
	check_int("told once", fixture_new_calls(&f), 0);
	fixture_done(&f);
}

static void a_refusal_is_final_until_the_next_tick(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	f.status = 400;
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", NULL);
	fixture_run_until(&f, 5 * FIXTURE_MINUTE);
	check_int("one attempt", fixture_new_calls(&f), 1);
	f.status = 200;
	fixture_run_until(&f, 5 * FIXTURE_MINUTE + 30 * FIXTURE_SECOND);
	check_int("again at the tick", fixture_new_calls(&f), 1);
	check_true("as if for the first time", fixture_last_has(&f, "first notification"));
	fixture_done(&f);
}

static void an_outage_longer_than_the_interval_ends_the_flush(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	f.n_failures = 1000000;
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", NULL);
	fixture_run_until(&f, 20 * FIXTURE_MINUTE);
	size_t n = fixture_new_calls(&f);
	check_true("a bounded number of attempts", n > 20 && n < 120);
	f.n_failures = 0;
	fixture_run_until(&f, 26 * FIXTURE_MINUTE);
	check_int("told when the receiver is back", fixture_new_calls(&f), 1);
	fixture_done(&f);
}

static void a_reload_does_not_tell_again(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", NULL);
	fixture_run_until(&f, FIXTURE_MINUTE);
	check_int("told", fixture_new_calls(&f), 1);
	fixture_reload(&f, simple);
	fixture_run_until(&f, 30 * FIXTURE_MINUTE);
	check_int("not again", fixture_new_calls(&f), 0);
	fixture_alert(&f, FIXTURE_MINUTE, 600 * FIXTURE_MINUTE, "alertname", "Other", NULL);
	fixture_run_until(&f, 31 * FIXTURE_MINUTE);
	check_int("a new alert whose wait is over", fixture_new_calls(&f), 1);
	fixture_done(&f);
}

static void a_reload_while_a_delivery_waits(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	f.n_failures = 1000000;
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", NULL);
	fixture_run_until(&f, 40 * FIXTURE_SECOND);
	f.n_failures = 0;
	fixture_new_calls(&f);
	fixture_reload(&f, simple);
	fixture_run_until(&f, 41 * FIXTURE_SECOND);
	check_int("the new generation tells it", fixture_new_calls(&f), 1);
	fixture_run_until(&f, 30 * FIXTURE_MINUTE);
	check_int("the old one does not", fixture_new_calls(&f), 0);
	fixture_done(&f);
}

static const char two_receivers[] =
    "route:\n  receiver: all\n  group_by: ['...']\n  group_wait: 10s\n  group_interval: 1m\n  routes:\n"
    "  - {matchers: ['severity=\"critical\"'], receiver: pager, continue: true}\n"
    "  - {matchers: ['team=~\"a|b\"'], receiver: team}\n"
    "receivers:\n"
    "- {name: all, webhook_configs: [{url: 'http://x/all'}]}\n"
    "- {name: pager, webhook_configs: [{url: 'http://x/pager'}]}\n"
    "- {name: team, webhook_configs: [{url: 'http://x/team', send_resolved: false}]}\n";

static void an_alert_goes_to_all_its_routes(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, two_receivers);
	fixture_alert(&f, 0, 90 * FIXTURE_SECOND, "severity", "critical", "team", "a", NULL);
	fixture_run_until(&f, 11 * FIXTURE_SECOND);
	check_int("pager and team", fixture_new_calls(&f), 2);
	check_str("the latest", slice_cstr(fixture_last(&f)->url), "http://x/team");
	fixture_run_until(&f, 10 * FIXTURE_MINUTE);
	check_int("only the pager hears of the end", fixture_new_calls(&f), 1);
	check_str("which", slice_cstr(fixture_last(&f)->url), "http://x/pager");
	fixture_done(&f);
}

static const char inhibiting[] =
    "route: {receiver: hook, group_by: [severity], group_wait: 10s, group_interval: 1m}\n"
    "receivers: [{name: hook, webhook_configs: [{url: 'http://x/'}]}]\n"
    "inhibit_rules: [{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: "
    "[cluster]}]\n";

static void a_source_keeps_its_targets_quiet(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, inhibiting);
	fixture_alert(&f, 0, 3 * FIXTURE_MINUTE, "severity", "critical", "cluster", "x", NULL);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "severity", "warning", "cluster", "x", NULL);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "severity", "warning", "cluster", "y", NULL);
	fixture_run_until(&f, FIXTURE_MINUTE);
	check_int("two groups", fixture_new_calls(&f), 2);
	check_true("cluster y only",
	    fixture_last_has(&f, "\"cluster\":\"y\"") && !fixture_last_has(&f, "\"cluster\":\"x\""));
	fixture_run_until(&f, 5 * FIXTURE_MINUTE);
	check_int("the end of the source, and the target it hid", fixture_new_calls(&f), 2);
	fixture_done(&f);
}

static void add_silence(struct router_fixture *f, const char *name, const char *value, int64_t ends_ms)
{
	const struct matcher *m;
	struct err err;
	char id[37];
	check_ok("matcher", matcher_new(f->arena, MATCH_EQUAL, slice_cstr(name), slice_cstr(value), &m, &err),
	    &err);
	struct silence s = {.matchers = &m,
	    .n_matchers = 1,
	    .starts_at_ms = clock_now_ms(f->clock),
	    .ends_at_ms = fixture_start_ms() + ends_ms,
	    .created_by = SL("me"),
	    .comment = SL("testing")};
	check_ok("silence",
	    silence_store_set(router_silences(f->router), &s, clock_now_ms(f->clock), id, &err), &err);
}

static void a_silence_holds_for_its_time(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, simple);
	add_silence(&f, "instance", "a", 7 * FIXTURE_MINUTE);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", "instance", "a", NULL);
	fixture_run_until(&f, 6 * FIXTURE_MINUTE);
	check_int("silent", fixture_new_calls(&f), 0);
	fixture_run_until(&f, 11 * FIXTURE_MINUTE);
	check_int("told at the tick behind its end", fixture_new_calls(&f), 1);
	check_int("when", fixture_last(&f)->at_ms, 10 * FIXTURE_MINUTE + 30 * FIXTURE_SECOND);
	fixture_done(&f);
}

static const char muting[] =
    "time_intervals: [{name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '00:10'}]}]}]\n"
    "route: {receiver: hook, group_wait: 10s, group_interval: 1m, routes:"
    " [{matchers: [quiet=yes], mute_time_intervals: [night]}, {matchers: [quiet=no], active_time_intervals: "
    "[night]}]}\n"
    "receivers: [{name: hook, webhook_configs: [{url: 'http://x/'}]}]\n";

static void muted_times_are_obeyed(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, muting);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "quiet", "yes", NULL);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "quiet", "no", NULL);
	fixture_run_until(&f, 9 * FIXTURE_MINUTE);
	check_int("one is muted", fixture_new_calls(&f), 1);
	check_true("the active one speaks", fixture_last_has(&f, "\"quiet\":\"no\""));
	struct router_filter all = ROUTER_FILTER_ALL;
	const struct routed_group *groups;
	size_t n;
	router_list_groups(f.router, &all, clock_now_ms(f.clock), f.arena, &groups, &n);
	check_int("groups", n, 2);
	size_t muted = groups[0].alerts[0].n_muted_by ? 0 : 1;
	check_slice("muted by", groups[muted].alerts[0].muted_by[0], SL("night"));
	check_int("state", groups[muted].alerts[0].state, ROUTED_SUPPRESSED);
	fixture_run_until(&f, 12 * FIXTURE_MINUTE);
	check_int("told after the night", fixture_new_calls(&f), 1);
	check_true("which", fixture_last_has(&f, "\"quiet\":\"yes\""));
	fixture_done(&f);
}

static void a_kind_without_sender_fails_each_time(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, "route: {receiver: r, group_wait: 10s}\n"
			 "receivers: [{name: r, webex_configs: [{room_id: x, http_config: {authorization: "
			 "{credentials: y}}}],"
			 " webhook_configs: [{url: 'http://x/'}]}]\n");
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "alertname", "Down", NULL);
	fixture_run_until(&f, 11 * FIXTURE_SECOND);
	check_int("the webhook is told all the same", fixture_new_calls(&f), 1);
	fixture_run_until(&f, 30 * FIXTURE_MINUTE);
	check_int("once", fixture_new_calls(&f), 0);
	fixture_done(&f);
}

static void max_alerts_cuts_and_says_so(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, "route: {receiver: r, group_wait: 10s}\n"
			 "receivers: [{name: 'r.x', webhook_configs: [{url: 'http://x/', max_alerts: 2}]}, "
			 "{name: r, webhook_configs:"
			 " [{url: 'http://x/', max_alerts: 2}]}]\n");
	for (int i = 0; i < 5; i++) {
		char name[16];
		snprintf(name, sizeof(name), "host%d", i);
		fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "instance", name, NULL);
	}
	fixture_run_until(&f, 11 * FIXTURE_SECOND);
	check_int("one call", fixture_new_calls(&f), 1);
	check_true("three are cut", fixture_last_has(&f, "\"truncatedAlerts\":3}"));
	check_true("the first two",
	    fixture_last_has(&f, "host0") && fixture_last_has(&f, "host1") && !fixture_last_has(&f, "host2"));
	fixture_done(&f);
}

static void lists_show_what_is_active(void **state)
{
	(void)state;
	struct router_fixture f;
	fixture_init(&f, inhibiting);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "severity", "critical", "cluster", "x", NULL);
	fixture_alert(&f, 0, 600 * FIXTURE_MINUTE, "severity", "warning", "cluster", "x", NULL);
	fixture_alert(&f, 0, 1 * FIXTURE_SECOND, "severity", "info", NULL);
	fixture_run_until(&f, 2 * FIXTURE_SECOND);
	struct router_filter filter = ROUTER_FILTER_ALL;
	const struct routed_alert *v;
	size_t n;
	router_list_alerts(f.router, &filter, clock_now_ms(f.clock), f.arena, &v, &n);
	check_int("resolved ones are not listed", n, 2);
	check_true("by fingerprint", v[0].fingerprint < v[1].fingerprint);
	filter.inhibited = false;
	router_list_alerts(f.router, &filter, clock_now_ms(f.clock), f.arena, &v, &n);
	check_int("without the inhibited", n, 1);
	check_slice("which", labels_get(v[0].alert.labels, SL("severity")), SL("critical"));
	filter = ROUTER_FILTER_ALL;
	filter.active = false;
	router_list_alerts(f.router, &filter, clock_now_ms(f.clock), f.arena, &v, &n);
	check_int("without the active", n, 1);
	check_int("inhibited by one", v[0].n_inhibited_by, 1);
	check_int("state", v[0].state, ROUTED_SUPPRESSED);
	const struct receiver_view *receivers;
	router_list_receivers(f.router, &filter, f.arena, &receivers, &n);
	check_int("receivers", n, 1);
	check_slice("name", receivers[0].name, SL("hook"));
	fixture_done(&f);
}

TEST_MAIN("router", cmocka_unit_test(the_first_alert_is_told_after_group_wait),
    cmocka_unit_test(changes_are_told_on_the_grid_of_group_interval), cmocka_unit_test(the_end_is_told_once),
    cmocka_unit_test(an_alert_that_is_not_sent_again_resolves),
    cmocka_unit_test(what_nobody_was_told_is_not_resolved),
    cmocka_unit_test(failed_attempts_are_repeated_with_growing_pauses),
    cmocka_unit_test(a_refusal_is_final_until_the_next_tick),
    cmocka_unit_test(an_outage_longer_than_the_interval_ends_the_flush),
    cmocka_unit_test(a_reload_does_not_tell_again), cmocka_unit_test(a_reload_while_a_delivery_waits),
    cmocka_unit_test(an_alert_goes_to_all_its_routes), cmocka_unit_test(a_source_keeps_its_targets_quiet),
    cmocka_unit_test(a_silence_holds_for_its_time), cmocka_unit_test(muted_times_are_obeyed),
    cmocka_unit_test(a_kind_without_sender_fails_each_time), cmocka_unit_test(max_alerts_cuts_and_says_so),
    cmocka_unit_test(lists_show_what_is_active))
