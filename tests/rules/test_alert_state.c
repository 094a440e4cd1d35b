/* The life of an alert as tables: which elements the rule gives at each minute, and what becomes of the alert. */
#include "rules/alert_state.h"
#include "tests/lib/test.h"

#include <stdio.h>

enum { MINUTE_MS = 60000 };

/* A step a minute: '1' the element is there, '0' it is not. Want: p(ending), f(iring), r(esolved), '.' nothing. */
static const struct {
	const char *name;
	int for_minutes, keep_minutes;
	const char *elements, *want;
} lives[] = {
    {"fires at once", 0, 0, "1100", "ffrr"},
    {"waits for its time, equality fires", 2, 0, "11110", "ppffr"},
    {"a pending one goes silently", 3, 0, "110", "pp."},
    {"waits anew after a gap", 2, 0, "110111", "pp.ppf"},
    {"comes back from resolved as a new one", 1, 0, "110011", "pfrrpf"},
    {"is kept firing", 0, 3, "10000", "ffffr"},
    {"is kept firing until its element is back", 0, 3, "1001000", "fffffff"},
    {"resolved ones are forgotten after 15 minutes", 0, 0, "10000000000000000000", "frrrrrrrrrrrrrrrr..."},
};

static char letter(const struct label_table *t)
{
	if (t->len == 0)
		return '.';
	return "rpf"[((const struct alert_instance *)(const void *)t->v[0])->state];
}

static void alerts_live_as_told(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *labels = labels_of(arena, "alertname", "A", NULL);
	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		struct label_table t = {0};
		struct alert_policy policy = {.for_ms = lives[i].for_minutes * MINUTE_MS,
		    .keep_firing_for_ms = lives[i].keep_minutes * MINUTE_MS};
		char got[64] = "";
		for (size_t k = 0; lives[i].elements[k]; k++) {
			struct alert_element e = {
			    .labels = labels, .annotations = &labels_empty, .value = (double)k};
			size_t n = lives[i].elements[k] == '1';
			int64_t ts = 1000000 + (int64_t)k * MINUTE_MS;
			struct err err;
			check_ok(
			    lives[i].name, alert_table_update(&t, &e, n, &policy, ts, k + 1, &err), &err);
			got[k] = letter(&t);
			got[k + 1] = '\0';
		}
		check_str(lives[i].name, slice_cstr(got), lives[i].want);
		label_table_done(&t, alert_instance_release);
	}
	arena_free(arena);
}

static void values_and_annotations_follow_the_element(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct label_table t = {0};
	struct alert_policy policy = {0};
	struct alert_element e = {.labels = labels_of(arena, "alertname", "A", NULL),
	    .annotations = labels_of(arena, "summary", "first", NULL),
	    .value = 1};
	check_int("first", alert_table_update(&t, &e, 1, &policy, 1000, 1, NULL), 0);
	e.annotations = labels_of(arena, "summary", "second", NULL);
	e.value = 2;
	check_int("second", alert_table_update(&t, &e, 1, &policy, 2000, 2, NULL), 0);
	const struct alert_instance *a = label_table_find(&t, e.labels);
	assert_non_null(a);
	check_slice("annotation", labels_get(a->annotations, SL("summary")), SL("second"));
	check_double("value", a->value, 2);
	check_int("active since the first", a->active_at_ms, 1000);
	label_table_done(&t, alert_instance_release);
	arena_free(arena);
}

static void a_longer_hold_makes_firing_ones_wait(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct label_table t = {0};
	struct alert_policy policy = {.for_ms = MINUTE_MS};
	struct alert_element e = {
	    .labels = labels_of(arena, "alertname", "A", NULL), .annotations = &labels_empty};
	for (int k = 0; k < 3; k++)
		check_int("update",
		    alert_table_update(&t, &e, 1, &policy, 1000 + k * MINUTE_MS, (uint64_t)k + 1, NULL), 0);
	check_int("firing", letter(&t), 'f');
	policy.for_ms = 10 * MINUTE_MS;
	check_int("update", alert_table_update(&t, &e, 1, &policy, 1000 + 3 * MINUTE_MS, 9, NULL), 0);
	check_int("pending", letter(&t), 'p');
	label_table_done(&t, alert_instance_release);
	arena_free(arena);
}

static void too_many_are_all_forgotten(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct label_table t = {0};
	struct alert_policy policy = {.limit = 1};
	struct alert_element e[] = {
	    {.labels = labels_of(arena, "a", "1", NULL), .annotations = &labels_empty},
	    {.labels = labels_of(arena, "a", "2", NULL), .annotations = &labels_empty}};
	struct err err;
	check_int("one", alert_table_update(&t, e, 1, &policy, 1000, 1, &err), 0);
	check_int("two", alert_table_update(&t, e, 2, &policy, 2000, 2, &err), ERR_LIMIT);
	check_str("message", slice_cstr(err.msg), "exceeded limit of 1 with 2 alerts");
	check_int("left", t.len, 0);
	label_table_done(&t, alert_instance_release);
	arena_free(arena);
}

static void the_sink_is_told_when_due(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct alert_instance a;
		int64_t ts;
		bool want;
	} cases[] = {
	    {"pending never", {.state = ALERT_PENDING}, 1000000, false},
	    {"firing, never told", {.state = ALERT_FIRING}, 1000, true},
	    {"firing, told a minute ago: not yet", {.state = ALERT_FIRING, .last_sent_at_ms = 1000000},
		1060000, false},
	    {"firing, told longer ago", {.state = ALERT_FIRING, .last_sent_at_ms = 1000000}, 1060001, true},
	    {"resolved since",
		{.state = ALERT_INACTIVE, .last_sent_at_ms = 1000000, .resolved_at_ms = 1000001}, 1000001,
		true},
	    {"resolved, told just now",
		{.state = ALERT_INACTIVE, .last_sent_at_ms = 1000001, .resolved_at_ms = 1000001}, 1000002,
		false},
	    {"resolved, told again",
		{.state = ALERT_INACTIVE, .last_sent_at_ms = 1000001, .resolved_at_ms = 1000001}, 1070000,
		true},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_int(
		    cases[i].name, alert_needs_sending(&cases[i].a, cases[i].ts, MINUTE_MS), cases[i].want);
}

TEST_MAIN("alert_state", cmocka_unit_test(alerts_live_as_told),
    cmocka_unit_test(values_and_annotations_follow_the_element),
    cmocka_unit_test(a_longer_hold_makes_firing_ones_wait), cmocka_unit_test(too_many_are_all_forgotten),
    cmocka_unit_test(the_sink_is_told_when_due))
