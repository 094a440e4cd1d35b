/* Rules as they run: what is in the store, what the sink got, what the API shows, minute by minute. */
#include "tests/rules/rules_fixture.h"

#define GROUP "groups:\n- name: g\n  rules:\n"

static void records_are_written_at_their_slots(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(
	    &f, GROUP "  - record: job:up:sum\n    expr: sum by (job) (up)\n    labels: {env: prod}\n");
	const struct labels *a = labels_of(f.arena, LABEL_NAME, "up", "instance", "1", "job", "a", NULL);
	const struct labels *b = labels_of(f.arena, LABEL_NAME, "up", "instance", "2", "job", "b", NULL);
	rules_set(&f, 0, a, 1);
	rules_set(&f, 0, b, 1);
	rules_run(&f, 1);
	rules_end(&f, 2, b);
	rules_run(&f, 3);
	check_str("series", slice_cstr(rules_series(&f, "job:up:sum")),
	    "{env=\"prod\", job=\"a\"} 0m:1 1m:1 2m:1 3m:1\n"
	    "{env=\"prod\", job=\"b\"} 0m:1 1m:1 2m:end\n");
	struct rule_group_view *v = rules_view(&f);
	check_int("last evaluation", v->last_evaluation_ms, f.zero_ms + 3 * RULES_MINUTE_MS);
	check_str("health", slice_cstr(rule_health_name(v->rules[0].health)), "ok");
	rules_done(&f);
}

static void a_rule_sees_what_the_one_before_wrote(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, GROUP "  - record: a\n    expr: vector(2)\n  - record: b\n    expr: a * 3\n  - "
			     "record: c\n    expr: 7\n");
	rules_run(&f, 1);
	check_str("a", slice_cstr(rules_series(&f, "a")), "{} 0m:2 1m:2\n");
	check_str("b", slice_cstr(rules_series(&f, "b")), "{} 0m:6 1m:6\n");
	check_str("c", slice_cstr(rules_series(&f, "c")), "{} 0m:7 1m:7\n");
	rules_done(&f);
}

static void query_offset_moves_queries_and_samples(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, "groups:\n- name: g\n  query_offset: 1m\n  rules:\n  - record: r\n    expr: x\n");
	const struct labels *x = labels_of(f.arena, LABEL_NAME, "x", NULL);
	rules_set(&f, 0, x, 1);
	rules_set(&f, 1, x, 2);
	rules_set(&f, 2, x, 3);
	rules_run(&f, 2);
	check_str("series", slice_cstr(rules_series(&f, "r")), "{} 0m:1 1m:2\n");
	rules_done(&f);
}

static void failures_show_and_pass(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, GROUP "  - record: r\n    expr: x\n    labels: {a: same}\n");
	const struct labels *x1 = labels_of(f.arena, LABEL_NAME, "x", "a", "1", NULL);
	const struct labels *x2 = labels_of(f.arena, LABEL_NAME, "x", "a", "2", NULL);
	rules_set(&f, 0, x1, 1);
	rules_run(&f, 0);
	rules_set(&f, 1, x2, 1);
	rules_run(&f, 1);
	struct rule_group_view *v = rules_view(&f);
	check_str("health", slice_cstr(rule_health_name(v->rules[0].health)), "err");
	check_str("error", v->rules[0].last_error,
	    "vector contains metrics with the same labelset after applying rule labels");
	rules_end(&f, 2, x2);
	rules_run(&f, 2);
	v = rules_view(&f);
	check_str("health again", slice_cstr(rule_health_name(v->rules[0].health)), "ok");
	check_str(
	    "no marker for the failed one", slice_cstr(rules_series(&f, "r")), "{a=\"same\"} 0m:1 2m:1\n");
	rules_done(&f);
}

static void limits_refuse_the_whole_result(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, "groups:\n- name: g\n  limit: 1\n  rules:\n  - record: r\n    expr: x\n");
	rules_set(&f, 0, labels_of(f.arena, LABEL_NAME, "x", "a", "1", NULL), 1);
	rules_set(&f, 0, labels_of(f.arena, LABEL_NAME, "x", "a", "2", NULL), 1);
	rules_run(&f, 0);
	check_str("error", rules_view(&f)->rules[0].last_error, "exceeded limit of 1 with 2 series");
	check_str("nothing written", slice_cstr(rules_series(&f, "r")), "");
	rules_done(&f);
}

#define DOWN                                                                                                 \
	GROUP "  - alert: Down\n    expr: up == 0\n    for: 2m\n    labels: {severity: page, name: \"{{ "    \
	      "$labels.job }}\"}\n"                                                                          \
	      "    annotations: {summary: \"{{ $labels.job }} is {{ $value }}\"}\n"

static void an_alert_lives(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, DOWN);
	const struct labels *up = labels_of(f.arena, LABEL_NAME, "up", "job", "node", NULL);
	rules_set(&f, 0, up, 1);
	rules_run(&f, 0);
	rules_set(&f, 1, up, 0);
	rules_run(&f, 2);
	struct rule_view *r = rules_view(&f)->rules;
	check_str("state", slice_cstr(alert_state_name(r->state)), "pending");
	check_int("alerts", r->n_alerts, 1);
	check_int("active since", rules_minute(&f, r->alerts[0].active_at_ms), 1);
	rules_run(&f, 4);
	check_str("state", slice_cstr(alert_state_name(rules_view(&f)->rules->state)), "firing");
	rules_set(&f, 6, up, 1);
	rules_run(&f, 8);
	check_slice("the sink", strbuf_slice(&f.log),
	    SL("3m firing{alertname=\"Down\", job=\"node\", name=\"node\", severity=\"page\"} "
	       "{summary=\"node is 0\"} 3m..7m\n"
	       "5m firing{alertname=\"Down\", job=\"node\", name=\"node\", severity=\"page\"} "
	       "{summary=\"node is 0\"} 3m..9m\n"
	       "6m resolved{alertname=\"Down\", job=\"node\", name=\"node\", severity=\"page\"} "
	       "{summary=\"node is 0\"} 3m..6m\n"
	       "8m resolved{alertname=\"Down\", job=\"node\", name=\"node\", severity=\"page\"} "
	       "{summary=\"node is 0\"} "
	       "3m..6m\n"));
	check_str("ALERTS", slice_cstr(rules_series(&f, "ALERTS")),
	    "{alertname=\"Down\", alertstate=\"firing\", job=\"node\", name=\"node\", severity=\"page\"} "
	    "3m:1 4m:1 5m:1 6m:end\n"
	    "{alertname=\"Down\", alertstate=\"pending\", job=\"node\", name=\"node\", severity=\"page\"} "
	    "2m:1 3m:end\n");
	check_int("none listed", rules_view(&f)->rules->n_alerts, 0);
	rules_done(&f);
}

static void templates_may_query_and_fail(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, GROUP "  - alert: A\n    expr: vector(1) > 0\n    annotations:\n"
			     "      n: \"{{ query \\\"sum(x)\\\" | first | value }}\"\n"
			     "      bad: \"{{ humanize \\\"one\\\" }}\"\n");
	rules_set(&f, 0, labels_of(f.arena, LABEL_NAME, "x", "a", "1", NULL), 40);
	rules_set(&f, 0, labels_of(f.arena, LABEL_NAME, "x", "a", "2", NULL), 2);
	rules_run(&f, 0);
	const struct labels *annotations = rules_view(&f)->rules->alerts[0].annotations;
	check_slice("query", labels_get(annotations, SL("n")), SL("42"));
	struct slice bad = labels_get(annotations, SL("bad"));
	check_true("the error is the text",
	    slice_starts(bad, SL("<error expanding template: error executing template __alert_A")));
	rules_done(&f);
}

static void external_labels_and_relabelling_reach_the_sink(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, GROUP "  - alert: A\n    expr: x\n  - alert: Secret\n    expr: x\n");
	rules_load_with(&f,
	    "global: {evaluation_interval: 1m, external_labels: {cluster: c1, dc: d1}}\nrule_files: "
	    "[rules.yml]\n"
	    "alerting:\n  alert_relabel_configs:\n  - {regex: dc, action: labeldrop}\n"
	    "  - {source_labels: [alertname], regex: Secret, action: drop}\n",
	    GROUP "  - alert: A\n    expr: x\n  - alert: Secret\n    expr: x\n");
	rules_set(&f, 0, labels_of(f.arena, LABEL_NAME, "x", "cluster", "mine", NULL), 1);
	rules_set(&f, 0, labels_of(f.arena, LABEL_NAME, "x", "a", "1", NULL), 1);
	rules_run(&f, 0);
	check_slice("the sink", strbuf_slice(&f.log),
	    SL("0m firing{alertname=\"A\", cluster=\"mine\"} 0m..4m\n0m firing{a=\"1\", alertname=\"A\", "
	       "cluster=\"c1\"} 0m..4m\n"));
	rules_done(&f);
}

static void a_reload_keeps_what_did_not_change(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, DOWN);
	const struct labels *up = labels_of(f.arena, LABEL_NAME, "up", "job", "node", NULL);
	rules_set(&f, 0, up, 0);
	rules_run(&f, 1);
	rules_load(&f, DOWN);
	rules_run(&f, 2);
	check_str("the same group", slice_cstr(alert_state_name(rules_view(&f)->rules->state)), "firing");
	/* Another rule in the group: the alert goes over. */
	rules_load(&f, DOWN "  - record: r\n    expr: vector(1)\n");
	check_str("taken over", slice_cstr(alert_state_name(rules_view(&f)->rules->state)), "firing");
	check_int("active since", rules_minute(&f, rules_view(&f)->rules->alerts[0].active_at_ms), 0);
	rules_run(&f, 3);
	check_str("r", slice_cstr(rules_series(&f, "r")), "{} 3m:1\n");
	/* The record goes: its series ends with the next evaluation. */
	rules_load(&f, DOWN);
	rules_run(&f, 5);
	check_str("r has ended", slice_cstr(rules_series(&f, "r")), "{} 3m:1 4m:end\n");
	rules_done(&f);
}

static void series_of_a_removed_group_end(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, GROUP "  - record: r\n    expr: vector(1)\n");
	rules_run(&f, 0);
	rules_load(&f, "groups: []\n");
	rules_run(&f, 1);
	check_str("not yet", slice_cstr(rules_series(&f, "r")), "{} 0m:1\n");
	rules_run(&f, 3);
	check_str("two intervals later", slice_cstr(rules_series(&f, "r")), "{} 0m:1 2m:end\n");
	rules_load(&f, GROUP "  - record: r\n    expr: vector(2)\n");
	rules_run(&f, 4);
	check_str("back", slice_cstr(rules_series(&f, "r")), "{} 0m:1 2m:end 4m:2\n");
	rules_load(&f, "groups: []\n");
	rules_run(&f, 5);
	rules_load(&f, GROUP "  - record: r\n    expr: vector(2)\n");
	rules_run(&f, 8);
	check_str("back in time", slice_cstr(rules_series(&f, "r")), "{} 0m:1 2m:end 4m:2 6m:2 7m:2 8m:2\n");
	rules_done(&f);
}

static void an_unusable_generation_changes_nothing(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, GROUP "  - record: r\n    expr: vector(1)\n");
	rules_write_file(&f, "rules.yml", GROUP "  - record: r\n    expr: vector(\n");
	char *path = xasprintf("%s/prometheus.yml", f.dir);
	struct config_generation *g = config_generation_load(&(struct config_options){.path = path});
	free(path);
	struct err err;
	check_int("refused", rule_manager_load(f.manager, g, &err), ERR_INVALID);
	check_true("told", !config_generation_is_good(g));
	config_generation_unref(g);
	rules_run(&f, 0);
	check_str("goes on", slice_cstr(rules_series(&f, "r")), "{} 0m:1\n");
	rules_done(&f);
}

TEST_MAIN("rule_manager", cmocka_unit_test(records_are_written_at_their_slots),
    cmocka_unit_test(a_rule_sees_what_the_one_before_wrote),
    cmocka_unit_test(query_offset_moves_queries_and_samples), cmocka_unit_test(failures_show_and_pass),
    cmocka_unit_test(limits_refuse_the_whole_result), cmocka_unit_test(an_alert_lives),
    cmocka_unit_test(templates_may_query_and_fail),
    cmocka_unit_test(external_labels_and_relabelling_reach_the_sink),
    cmocka_unit_test(a_reload_keeps_what_did_not_change), cmocka_unit_test(series_of_a_removed_group_end),
    cmocka_unit_test(an_unusable_generation_changes_nothing))
