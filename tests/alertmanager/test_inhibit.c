#include "alertmanager/inhibit.h"

#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdio.h>

struct bench {
	struct arena *arena;
	struct config_error_vec errors;
	struct am_config *config;
	struct alert_store store;
	struct inhibit_index *index;
};

static void bench_init(struct bench *b, const char *rules)
{
	*b = (struct bench){.arena = arena_new(ARENA_NO_LIMIT)};
	struct strbuf sb = STRBUF_INIT;
	strbuf_addf(&sb, "route: {receiver: r}\nreceivers: [{name: r}]\ninhibit_rules: %s\n", rules);
	if (!am_config_parse(strbuf_slice(&sb), "am.yml", b->arena, &b->errors, &b->config)) {
		struct strbuf text = STRBUF_INIT;
		config_errors_print(&text, &b->errors);
		fail_msg("%s", strbuf_cstr(&text));
	}
	strbuf_done(&sb);
	alert_store_init(&b->store);
	b->index = inhibit_index_new(b->config);
}

static void bench_done(struct bench *b)
{
	for (size_t i = 0; i < b->store.entries.len; i++)
		inhibit_forget(b->index, b->store.entries.v[i]);
	inhibit_index_free(b->index); /* asserts that nothing is left */
	alert_store_done(&b->store);
	config_error_vec_done(&b->errors);
	arena_free(b->arena);
}

static struct alert_entry *put(struct bench *b, const struct labels *ls, int64_t now_ms, int64_t ends_ms)
{
	struct alert a = {.labels = ls, .starts_at_ms = 1, .ends_at_ms = ends_ms};
	struct alert_entry *e = alert_store_put(&b->store, &a, now_ms, 1000);
	inhibit_note(b->index, e, now_ms);
	return e;
}

/* --- upstream's table -------------------------------------------------------------------------------------------- */
static const struct labels *read_labels(struct arena *arena, const struct json_value *map)
{
	struct label l[32];
	size_t n = 0;
	const struct json_value *value;
	const struct labels *ls;
	for (void *at = NULL; json_next_member(map, &at, &l[n].name, &value); n++)
		assert_true(json_get_string(value, &l[n].value));
	assert_int_equal(labels_from_pairs(arena, l, n, &ls, NULL), 0);
	return ls;
}

/* JSON is YAML, nearly: the parsed rules are written out again. */
static void write_yaml(struct strbuf *out, const struct json_value *v)
{
	struct slice text, name;
	const struct json_value *item;
	if (json_get_string(v, &text)) {
		strbuf_addch(out, '\'');
		strbuf_add_slice(out, text);
		strbuf_addch(out, '\'');
	} else if (json_kind_of(v) == JSON_KIND_LIST) {
		strbuf_addch(out, '[');
		for (size_t i = 0; i < json_count(v); i++) {
			write_yaml(out, json_item(v, i));
			strbuf_adds(out, ", ");
		}
		strbuf_addch(out, ']');
	} else {
		strbuf_addch(out, '{');
		for (void *at = NULL; json_next_member(v, &at, &name, &item);) {
			strbuf_addf(out, "%.*s: ", (int)name.len, name.ptr);
			write_yaml(out, item);
			strbuf_adds(out, ", ");
		}
		strbuf_addch(out, '}');
	}
}

static void upstream_cases(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_inhibition.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *active = json_member(c, "active_alerts");
		struct strbuf rules = STRBUF_INIT;
		struct bench b;
		char name[32];
		snprintf(name, sizeof(name), "case %zu", i);
		write_yaml(&rules, json_member(c, "inhibit_rules"));
		bench_init(&b, strbuf_cstr(&rules));
		for (size_t k = 0; k < json_count(active); k++)
			put(&b, read_labels(b.arena, json_item(active, k)), 10, 1000);
		/* The target itself is asked about only: it does not fire. */
		struct alert_entry *target = put(&b, read_labels(b.arena, json_member(c, "target")), 10, 5);
		check_int(name, inhibit_find(target, 10) != NULL, test_case_bool(c, "inhibited"));
		bench_done(&b);
		strbuf_done(&rules);
	}
	test_cases_close(cases);
}

/* --- our own ----------------------------------------------------------------------------------------------------- */
#define BY_SEVERITY                                                                                          \
	"[{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [cluster]}]"

static void a_second_source_takes_over(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b, BY_SEVERITY);
	put(&b, labels_of(b.arena, "severity", "critical", "cluster", "x", "n", "1", NULL), 10, 100);
	put(&b, labels_of(b.arena, "severity", "critical", "cluster", "x", "n", "2", NULL), 10, 200);
	struct alert_entry *t =
	    put(&b, labels_of(b.arena, "severity", "warning", "cluster", "x", NULL), 10, 900);
	struct alert_entry *other = put(&b, labels_of(b.arena, "severity", "warning", NULL), 10, 900);
	check_true("both", inhibit_find(t, 50) != NULL);
	check_true("one left", inhibit_find(t, 150) != NULL);
	check_true("none left", !inhibit_find(t, 200));
	check_true("another cluster", !inhibit_find(other, 50));
	put(&b, labels_of(b.arena, "severity", "critical", "cluster", "x", "n", "1", NULL), 210, 300);
	check_true("fires again", inhibit_find(t, 250) != NULL);
	put(&b, labels_of(b.arena, "severity", "critical", NULL), 210, 900);
	check_true("both lack the label", inhibit_find(other, 250) != NULL);
	bench_done(&b);
}

static void alerts_do_not_inhibit_themselves(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b, "[{source_matchers: [], target_matchers: ['a=1'], equal: []}]");
	struct alert_entry *t1 = put(&b, labels_of(b.arena, "a", "1", "n", "1", NULL), 10, 100);
	struct alert_entry *t2 = put(&b, labels_of(b.arena, "a", "1", "n", "2", NULL), 10, 100);
	check_true("two-sided sources are ignored", !inhibit_find(t1, 20) && !inhibit_find(t2, 20));
	struct alert_entry *s = put(&b, labels_of(b.arena, "z", "1", NULL), 10, 50);
	check_true("by the one-sided", inhibit_find(t1, 20) == s && inhibit_find(t2, 20) == s);
	check_true("its time is over", !inhibit_find(t1, 50));
	bench_done(&b);
}

/* The walk over all rules and all alerts that the index replaces. */
static bool naive_matches(const struct am_matchers *m, const struct labels *ls)
{
	for (size_t i = 0; i < m->n; i++)
		if (!matcher_matches_labels(m->v[i], ls))
			return false;
	return true;
}

static bool naive_find(const struct bench *b, const struct alert_entry *t, int64_t now_ms)
{
	for (size_t r = 0; r < b->config->n_inhibit_rules; r++) {
		const struct am_inhibit_rule *rule = &b->config->inhibit_rules[r];
		if (!naive_matches(&rule->target, t->labels))
			continue;
		bool target_is_source = naive_matches(&rule->source, t->labels);
		for (size_t i = 0; i < b->store.entries.len; i++) {
			const struct alert_entry *s = b->store.entries.v[i];
			bool ok = !alert_is_resolved(&s->now->alert, now_ms) &&
				  naive_matches(&rule->source, s->labels) &&
				  !(target_is_source && naive_matches(&rule->target, s->labels));
			for (size_t k = 0; ok && k < rule->equal.n; k++)
				ok = slice_eq(labels_get(s->labels, rule->equal.v[k]),
				    labels_get(t->labels, rule->equal.v[k]));
			if (ok)
				return true;
		}
	}
	return false;
}

static void forget(void *arg, struct alert_entry *e)
{
	struct bench *b = arg;
	inhibit_forget(b->index, e);
}

static void agrees_with_the_naive_walk(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct bench b;
	bench_init(&b, "[{source_matchers: [a=1], target_matchers: [a=~'1|2'], equal: [b]},"
		       " {source_matchers: [b=~'.+'], target_matchers: [c=1], equal: [a, c]},"
		       " {source_matchers: [], target_matchers: [c=0], equal: [a]}]");
	static const char *const values[] = {"", "0", "1", "2"};
	for (int64_t now = 10; now < 3000; now++) {
		const struct label l[] = {
		    {SL("a"), slice_cstr(values[test_random_below(&r, 4)])},
		    {SL("b"), slice_cstr(values[test_random_below(&r, 4)])},
		    {SL("c"), slice_cstr(values[test_random_below(&r, 4)])},
		    {SL("id"), slice_cstr(values[1 + test_random_below(&r, 3)])},
		};
		const struct labels *ls;
		assert_int_equal(labels_from_pairs(b.arena, l, ARRAY_LEN(l), &ls, NULL), 0);
		put(&b, ls, now, now + (int64_t)test_random_below(&r, 40));
		const struct alert_entry *t = b.store.entries.v[test_random_below(&r, b.store.entries.len)];
		check_int("same answer", inhibit_find(t, now) != NULL, naive_find(&b, t, now));
		if (now % 100 == 0)
			alert_store_gc(&b.store, now, forget, &b);
	}
	bench_done(&b);
}

TEST_MAIN("inhibit", cmocka_unit_test(upstream_cases), cmocka_unit_test(a_second_source_takes_over),
    cmocka_unit_test(alerts_do_not_inhibit_themselves), cmocka_unit_test(agrees_with_the_naive_walk))
