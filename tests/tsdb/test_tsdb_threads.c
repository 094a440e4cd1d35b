/* Writers, readers, sealing, joining, deleting and snapshots at once: nothing is lost, nothing is seen twice. For the thread sanitizer above all. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WRITERS = 3, SERIES = 40, STEPS = 300 };
#define START_MS INT64_C(1700000000000)

struct shared {
	struct tsdb *db;
	_Atomic int writing, failures;
	_Atomic uint64_t durable;
};

struct writer {
	struct shared *shared;
	unsigned number;
	pthread_t thread;
};

static void note_durable(void *arg, int rc, const char *why)
{
	(void)why;
	if (rc == 0)
		atomic_fetch_add(&((struct shared *)arg)->durable, 1);
}

static void write_step(struct writer *w, struct arena *arena, int64_t step)
{
	struct appendable *door = tsdb_appendable(w->shared->db);
	struct appender *a;
	struct err err;
	struct sample s[SERIES] = {{0}};
	struct append_stats stats;
	int bad = door->begin(door, &a, &err) != 0;
	for (unsigned i = 0; i < SERIES && !bad; i++) {
		struct series_key key = {w->number * UINT64_C(0x9e3779b97f4a7c15), i + 1};
		key.lo += i * UINT64_C(0xbf58476d1ce4e5b9);
		a->ops->find(a, &key, 1, &s[i].ref);
		s[i].t_ms = START_MS + step * 1000;
		s[i].v = (double)step;
		if (s[i].ref)
			continue;
		const struct labels *labels = labels_of(arena, "__name__", "m", "i",
		    arena_printf(arena, "%u", i).ptr, "w", arena_printf(arena, "%u", w->number).ptr, NULL);
		bad |= a->ops->add_series(a, &key, labels, &s[i].ref, &err) != 0;
	}
	bad |= a->ops->append(a, s, SERIES, NULL, &err) != 0;
	bad |= a->ops->commit(a, &stats, note_durable, w->shared, &err) != 0;
	bad |= stats.by_result[APPEND_OK] != SERIES;
	w->shared->failures += bad;
	arena_reset(arena);
}

static void *writer_thread(void *arg)
{
	struct writer *w = arg;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (int64_t step = 0; step < STEPS; step++)
		write_step(w, arena, step);
	arena_free(arena);
	w->shared->writing--;
	return NULL;
}

/* Every series that is seen is seen without gaps from its beginning: 0, 1, 2, ... */
static int read_all(struct tsdb *db, uint64_t *total)
{
	struct queryable *door = tsdb_queryable(db);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	int bad = door->open(door, INT64_MIN, INT64_MAX, &q, NULL) != 0;
	bad |= q->ops->select(q, arena, NULL, 0, true, NULL, &set, NULL) != 0;
	sample_column_init(&c, arena);
	*total = 0;
	for (size_t i = 0; i < set->n && !bad; i++) {
		if (slice_eq(labels_get(set->ops->labels(set, i, arena), SL("__name__")), SL("deleted")))
			continue;
		bad |= set->ops->read(set, i, &c, NULL) != 0;
		for (size_t k = 0; k < c.n; k++)
			bad |= c.v[k] != (double)k || c.t[k] != START_MS + (int64_t)k * 1000;
		*total += c.n;
	}
	sample_column_done(&c);
	q->ops->close(q);
	arena_free(arena);
	return bad;
}

static void *reader_thread(void *arg)
{
	struct shared *shared = arg;
	uint64_t total, before = 0;
	while (shared->writing > 0) {
		shared->failures += read_all(shared->db, &total);
		shared->failures += total < before;
		before = total;
	}
	return NULL;
}

static void *joiner_thread(void *arg)
{
	struct shared *shared = arg;
	while (shared->writing > 0)
		shared->failures += tsdb_compact(shared->db, NULL) != 0;
	return NULL;
}

/* Deletes what nobody asks for: a series of its own. */
static void *deleter_thread(void *arg)
{
	struct shared *shared = arg;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *labels = labels_of(arena, "__name__", "deleted", NULL);
	const struct matcher *matcher;
	char name[TSDB_SNAPSHOT_NAME_MAX];
	int bad = matcher_new(arena, MATCH_EQUAL, SL("__name__"), SL("deleted"), &matcher, NULL) != 0;
	for (int64_t i = 0; shared->writing > 0 && !bad; i++) {
		bad |= probe_add(shared->db, labels, START_MS + i, 1) != APPEND_OK;
		bad |= tsdb_delete(shared->db, &matcher, 1, INT64_MIN, INT64_MAX, NULL) != 0;
		if (i % 16 == 15)
			bad |= tsdb_clean_tombstones(shared->db, NULL) != 0;
		if (i % 64 == 63)
			bad |= tsdb_snapshot(shared->db, false, name, NULL) != 0;
	}
	shared->failures += bad;
	arena_free(arena);
	return NULL;
}

static void writers_readers_and_sealing(void **state)
{
	(void)state;
	struct clock *clock = clock_virtual_new(START_MS + STEPS * 1000);
	char *dir = test_tmpdir();
	struct shared shared = {.db = probe_open(dir, clock, NULL), .writing = WRITERS};
	struct writer writers[WRITERS];
	pthread_t helpers[3];
	void *(*const work[])(void *) = {reader_thread, joiner_thread, deleter_thread};
	struct err err;
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.shared = &shared, .number = i};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, writer_thread, &writers[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&helpers[i], NULL, work[i], &shared), 0);
	while (shared.writing > 0)
		check_ok("seal", tsdb_seal_all(shared.db, &err), &err);
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(helpers[i], NULL);
	check_ok("sync", tsdb_sync(shared.db, &err), &err);
	check_int("failures", shared.failures, 0);
	check_int("durable", shared.durable, WRITERS * STEPS);
	for (int again = 0; again < 2; again++) {
		uint64_t total;
		check_int("readable", read_all(shared.db, &total), 0);
		check_int("all samples", total, WRITERS * SERIES * STEPS);
		tsdb_close(shared.db);
		shared.db = probe_open(dir, clock, NULL);
	}
	tsdb_close(shared.db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

TEST_MAIN("tsdb threads", cmocka_unit_test(writers_readers_and_sealing))
