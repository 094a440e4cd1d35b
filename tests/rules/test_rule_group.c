/* Slots, and what becomes of those that were missed. */
#include "base/counters.h"
#include "rules/rule_priv.h"
#include "tests/rules/rules_fixture.h"

static void slots_are_a_grid(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int i = 0; i < 2000; i++) {
		char name[16];
		int n = snprintf(name, sizeof(name), "g%d", i % 7);
		struct rule_group_def def = {.name = slice_of(name, (size_t)n),
		    .file = SL("f"),
		    .interval_ms = 1 + (int64_t)test_random_below(&r, 3600000)};
		int64_t now = (int64_t)test_random_below(&r, UINT64_C(4000000000000)) - 2000000000000;
		int64_t slot = rule_group_slot(&def, now);
		check_true("at or before now", slot <= now && now < slot + def.interval_ms);
		check_int("is its own slot", rule_group_slot(&def, slot), slot);
		check_int("the one before", rule_group_slot(&def, slot - 1), slot - def.interval_ms);
	}
}

static void groups_are_spread(void **state)
{
	(void)state;
	int in_first_half = 0;
	for (int i = 0; i < 1000; i++) {
		char name[16];
		int n = snprintf(name, sizeof(name), "g%d", i);
		struct rule_group_def def = {
		    .name = slice_of(name, (size_t)n), .file = SL("f"), .interval_ms = 60000};
		in_first_half += rule_group_slot(&def, 600000 - 1) % 60000 < 30000;
	}
	check_true("about half in each half", in_first_half > 400 && in_first_half < 600);
}

static double metric(const char *name)
{
	struct strbuf sb = STRBUF_INIT;
	counters_expose(&sb);
	char *line = xasprintf("\n%s{", name);
	const char *found = strstr(strbuf_cstr(&sb), line);
	double v = found ? atof(strstr(found, "} ") + 2) : -1;
	free(line);
	strbuf_done(&sb);
	return v;
}

static void missed_slots_are_counted_and_left_out(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, "groups:\n- name: g\n  rules:\n  - record: r\n    expr: vector(1)\n");
	rules_run(&f, 1);
	clock_virtual_set(f.clock, f.zero_ms + 5 * RULES_MINUTE_MS + 1000);
	rules_run(&f, 7);
	check_str("the grid is kept", slice_cstr(rules_series(&f, "r")), "{} 0m:1 1m:1 2m:1 6m:1 7m:1\n");
	check_double("missed", metric("prometheus_rule_group_iterations_missed_total"), 3);
	check_double("iterations", metric("prometheus_rule_group_iterations_total"), 8);
	check_double("evaluations", metric("prometheus_rule_evaluations_total"), 5);
	check_double("failures", metric("prometheus_rule_evaluation_failures_total"), 0);
	check_double("rules", metric("prometheus_rule_group_rules"), 1);
	check_double("interval", metric("prometheus_rule_group_interval_seconds"), 60);
	rules_done(&f);
	check_double("gone with the manager", metric("prometheus_rule_group_rules"), -1);
}

TEST_MAIN("rule_group", cmocka_unit_test(slots_are_a_grid), cmocka_unit_test(groups_are_spread),
    cmocka_unit_test(missed_slots_are_counted_and_left_out))
