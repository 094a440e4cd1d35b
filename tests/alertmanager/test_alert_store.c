#include "alertmanager/alert_store.h"

#include "tests/lib/test.h"
#include <stdio.h>

enum { TIMEOUT = 300 };

static void times_are_completed(void **state)
{
	static const struct {
		const char *name;
		int64_t starts, ends, want_starts, want_ends;
		bool is_timeout;
	} cases[] = {
	    {"neither", 0, 0, 1000, 1300, true},
	    {"start", 500, 0, 500, 1300, true},
	    {"end", 0, 700, 700, 700, false},
	    {"both", 500, 2000, 500, 2000, false},
	};
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct alert_store s;
		alert_store_init(&s);
		struct alert a = {.labels = labels_of(arena, "a", "b", NULL),
		    .starts_at_ms = cases[i].starts,
		    .ends_at_ms = cases[i].ends};
		struct alert_entry *e = alert_store_put(&s, &a, 1000, TIMEOUT);
		check_int(cases[i].name, e->now->alert.starts_at_ms, cases[i].want_starts);
		check_int(cases[i].name, e->now->alert.ends_at_ms, cases[i].want_ends);
		check_int(cases[i].name, e->now->alert.updated_at_ms, 1000);
		check_int(cases[i].name, e->now->is_timeout, cases[i].is_timeout);
		alert_store_done(&s);
	}
	arena_free(arena);
}

static void versions_merge_when_they_overlap(void **state)
{
	static const struct {
		const char *name;
		int64_t old_starts, old_ends; /* posted at 1000 */
		int64_t starts, ends;         /* posted at 1100; 0: left out */
		int64_t want_starts, want_ends;
	} cases[] = {
	    {"later start inside", 500, 5000, 800, 6000, 500, 6000},
	    {"an explicit later end stays", 500, 5000, 800, 0, 500, 5000},
	    {"a timeout does not stay", 500, 0, 800, 1350, 500, 1350},
	    {"resolved inside", 500, 5000, 500, 1050, 500, 1050},
	    {"both resolved: the later end", 500, 1000, 600, 900, 500, 1000},
	    {"apart: replaced", 500, 700, 800, 5000, 800, 5000},
	    {"around: replaced", 500, 700, 400, 5000, 400, 5000},
	    {"the same start and a later end", 500, 2000, 500, 3000, 500, 3000},
	};
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct alert_store s;
		alert_store_init(&s);
		struct alert a = {.labels = labels_of(arena, "a", "b", NULL),
		    .starts_at_ms = cases[i].old_starts,
		    .ends_at_ms = cases[i].old_ends};
		alert_store_put(&s, &a, 1000, TIMEOUT);
		a.starts_at_ms = cases[i].starts;
		a.ends_at_ms = cases[i].ends;
		struct alert_entry *e = alert_store_put(&s, &a, 1100, TIMEOUT);
		check_int(cases[i].name, e->now->alert.starts_at_ms, cases[i].want_starts);
		check_int(cases[i].name, e->now->alert.ends_at_ms, cases[i].want_ends);
		check_int(cases[i].name, s.entries.len, 1);
		alert_store_done(&s);
	}
	arena_free(arena);
}

static void count_forgotten(void *arg, struct alert_entry *e)
{
	(void)e;
	++*(size_t *)arg;
}

static const struct labels *numbered(struct arena *arena, size_t i)
{
	return labels_of(arena, "alertname", "x", "n", arena_printf(arena, "%zu", i).ptr, NULL);
}

static void many_are_found_and_dropped(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct alert_store s;
	size_t forgotten = 0;
	alert_store_init(&s);
	for (size_t i = 0; i < 5000; i++) {
		struct alert a = {
		    .labels = numbered(arena, i), .starts_at_ms = 1, .ends_at_ms = i % 2 ? 100 : 9000};
		alert_store_put(&s, &a, 10, TIMEOUT);
	}
	struct alert_version *held =
	    alert_version_hold(alert_store_find(&s, labels_fingerprint(numbered(arena, 1)))->now);
	check_int("dropped", alert_store_gc(&s, 100, count_forgotten, &forgotten), 2500);
	check_int("told", forgotten, 2500);
	for (size_t i = 0; i < 5000; i++)
		check_int("found", alert_store_find(&s, labels_fingerprint(numbered(arena, i))) != NULL,
		    i % 2 == 0);
	check_slice("a held version lives on", labels_get(held->alert.labels, SL("n")), SL("1"));
	alert_version_release(held);
	alert_store_done(&s);
	arena_free(arena);
}

TEST_MAIN("alert_store", cmocka_unit_test(times_are_completed),
    cmocka_unit_test(versions_merge_when_they_overlap), cmocka_unit_test(many_are_found_and_dropped))
