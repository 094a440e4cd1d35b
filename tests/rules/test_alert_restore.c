/* `for` across a restart: a second manager over the same store. */
#include "tests/rules/rules_fixture.h"

#define SLOW                                                                                                 \
	"groups:\n- name: g\n  rules:\n  - alert: Slow\n    expr: x == 1\n    for: 30m\n    labels: "        \
	"{severity: page}\n"

static void restart(struct rules_fixture *f, int minute)
{
	rule_manager_free(f->manager);
	rules_run(f, minute);
	rules_new_manager(f);
	rules_load(f, SLOW);
}

static int active_since(struct rules_fixture *f)
{
	struct rule_view *r = rules_view(f)->rules;
	assert_int_equal(r->n_alerts, 1);
	return rules_minute(f, r->alerts[0].active_at_ms);
}

/* The alert is there from minute 0; the server is down from `down` to `up`; then it is looked at in the minute of the
 * second evaluation, which takes the state over. */
static const struct {
	const char *name;
	int down, up;
	int want_active; /* minute */
	const char *want_state;
} cases[] = {
    /* 20 of 30 minutes waited, 10 down: 10 are left, counted from now. */
    {"the time down does not count", 20, 30, 12, "pending"},
    /* 25 waited: 5 are left, but at least the grace of 10 is given, counted from the second evaluation at 32. */
    {"grace", 25, 30, 12, "pending"},
    /* It was firing before. */
    {"firing goes on", 40, 45, 0, "firing"},
    /* Longer down than is looked back. */
    {"too long ago", 20, 100, 101, "pending"},
};

static void state_is_taken_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rules_fixture f;
		rules_init(&f, SLOW);
		const struct labels *x = labels_of(f.arena, LABEL_NAME, "x", "job", "j", NULL);
		for (int k = 0; k < 110; k++)
			if (k <= cases[i].down || k > cases[i].up)
				rules_set(&f, k, x, 1);
		rules_run(&f, cases[i].down);
		restart(&f, cases[i].up);
		rules_run(&f, cases[i].up + 1);
		check_int(cases[i].name, active_since(&f), cases[i].up + 1);
		rules_run(&f, cases[i].up + 3);
		check_str(cases[i].name, slice_cstr(alert_state_name(rules_view(&f)->rules->state)),
		    cases[i].want_state);
		int got = active_since(&f);
		if (got < cases[i].want_active - 1 || got > cases[i].want_active)
			fail_msg(
			    "%s: active since minute %d, want %d", cases[i].name, got, cases[i].want_active);
		rules_done(&f);
	}
}

static void an_alert_that_had_ended_begins_anew(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, SLOW);
	const struct labels *x = labels_of(f.arena, LABEL_NAME, "x", "job", "j", NULL);
	for (int k = 0; k < 10; k++)
		rules_set(&f, k, x, 1);
	rules_set(&f, 10, x, 0);
	rules_run(&f, 12);
	for (int k = 15; k < 30; k++)
		rules_set(&f, k, x, 1);
	restart(&f, 15);
	rules_run(&f, 19);
	check_int("active since", active_since(&f), 16);
	rules_done(&f);
}

static void series_are_held_back_until_then(void **state)
{
	(void)state;
	struct rules_fixture f;
	rules_init(&f, SLOW);
	const struct labels *x = labels_of(f.arena, LABEL_NAME, "x", NULL);
	for (int k = 0; k < 10; k++)
		rules_set(&f, k, x, 1);
	rules_run(&f, 1);
	check_str("two evaluations", slice_cstr(rules_series(&f, "ALERTS")), "");
	rules_run(&f, 3);
	check_str("then they come", slice_cstr(rules_series(&f, "ALERTS")),
	    "{alertname=\"Slow\", alertstate=\"pending\", severity=\"page\"} 2m:1 3m:1\n");
	rules_done(&f);
}

TEST_MAIN("alert_restore", cmocka_unit_test(state_is_taken_over),
    cmocka_unit_test(an_alert_that_had_ended_begins_anew), cmocka_unit_test(series_are_held_back_until_then))
