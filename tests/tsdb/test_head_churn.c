/* Pods come and go: what the head keeps of those that went is given back. */
#include "base/clock.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/tsdb_priv.h"
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
enum { GENERATIONS = 20, PODS = 1500, INTERVAL_MS = 600000 };

static const struct labels *pod_labels(struct arena *arena, int generation, int pod)
{
	const char *name = arena_printf(arena, "web-%08x-%05d", generation * 2654435761u, pod).ptr;
	return labels_of(arena, "__name__", "container_cpu_seconds_total", "namespace", "shop", "pod", name,
	    "uid", arena_printf(arena, "%s-0123456789abcdef", name).ptr, NULL);
}

/* One transaction: a store with a transaction a sample would be a test of the log. */
static void add_generation(struct tsdb *db, int generation, int64_t t_ms)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct appendable *door = tsdb_appendable(db);
	struct appender *a;
	struct append_stats stats;
	struct err err;
	check_ok("begin", door->begin(door, &a, &err), &err);
	for (int pod = 0; pod < PODS; pod++) {
		struct sample s = {.t_ms = t_ms, .v = pod};
		check_ok("series",
		    a->ops->add_series(a, NULL, pod_labels(arena, generation, pod), &s.ref, &err), &err);
		check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
	}
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	check_int("all taken", stats.by_result[APPEND_OK], PODS);
	arena_free(arena);
}

static size_t index_bytes(struct head *h)
{
	rwlock_read(&h->index_lock);
	size_t n = head_index_bytes(&h->index) + h->by_labels.bytes;
	rwlock_release(&h->index_lock);
	return n;
}

static void check_old_generation(struct tsdb *db, int64_t t_ms)
{
	char *got = probe_dump(tsdb_queryable(db), NULL, 0, t_ms, t_ms);
	size_t lines = 0;
	for (const char *p = got; *p; p++)
		lines += *p == '\n';
	check_int("the first generation is in parts", lines, PODS);
	free(got);
}

static void memory_is_bounded(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb_options o = {.seal_interval_ms = INTERVAL_MS, .future_limit_ms = -1};
	struct tsdb *db = probe_open(dir, clock, &o);
	struct tsdb_status status;
	struct err err;
	size_t bytes_at_6 = 0, symbols_at_6 = 0;
	for (int i = 0; i < GENERATIONS; i++) {
		int64_t now_ms = START_MS + i * (int64_t)INTERVAL_MS;
		clock_virtual_set(clock, now_ms);
		add_generation(db, i, now_ms);
		check_ok("maintain", tsdb_maintain(db, now_ms, &err), &err);
		tsdb_status(db, &status);
		if (i == 6) {
			bytes_at_6 = index_bytes(&db->head);
			symbols_at_6 = status.head_symbols;
		}
	}
	check_true("few generations are in the head", status.head_series <= 5 * PODS);
	check_int("symbols of as many", status.head_symbols, symbols_at_6);
	check_true("no more memory for labels", index_bytes(&db->head) <= bytes_at_6 + (64 << 10));
	check_old_generation(db, START_MS);
	tsdb_close(db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

/* A reader that began while a series was there reads its labels to the end, whatever comes in their place. */
static void readers_keep_labels(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb_options o = {.seal_interval_ms = INTERVAL_MS, .future_limit_ms = -1};
	struct tsdb *db = probe_open(dir, clock, &o);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct queryable *door = tsdb_queryable(db);
	struct querier *q;
	struct series_set *set;
	struct err err;
	add_generation(db, 0, START_MS);
	check_ok("open", door->open(door, START_MS, START_MS, &q, &err), &err);
	check_ok("select", q->ops->select(q, arena, NULL, 0, false, NULL, &set, &err), &err);
	check_int("series", set->n, PODS);
	for (int i = 1; i < 8; i++) {
		int64_t now_ms = START_MS + i * (int64_t)INTERVAL_MS;
		clock_virtual_set(clock, now_ms);
		add_generation(db, i, now_ms);
		check_ok("maintain", tsdb_maintain(db, now_ms, &err), &err);
	}
	check_true("labels wait for the reader", db->head.dropped.len >= PODS);
	const struct labels *kept = NULL;
	for (int pod = 0; pod < PODS; pod++) {
		kept = set->ops->labels(set, (size_t)pod, arena);
		check_true("labels", labels_eq(kept, pod_labels(arena, 0, pod)));
	}
	q->ops->close(q);
	int64_t now_ms = START_MS + 8 * (int64_t)INTERVAL_MS;
	clock_virtual_set(clock, now_ms);
	check_ok("maintain", tsdb_maintain(db, now_ms, &err), &err);
	add_generation(db, 9, now_ms);
	check_true("and are theirs", labels_eq(kept, pod_labels(arena, 0, PODS - 1)));
	arena_free(arena);
	tsdb_close(db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

TEST_MAIN("churn", cmocka_unit_test(memory_is_bounded), cmocka_unit_test(readers_keep_labels))
