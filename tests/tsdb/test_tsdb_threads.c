/* Writers, readers, sealing, joining, deleting, snapshots, retention, late samples, histograms, series that come and go, and
 * questions of all kinds at once: nothing is lost, nothing is seen twice. The writers have so many steps to do, the others
 * so many rounds, and go on while there are writers. For the thread sanitizer above all (`make check-tsan`). */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	WRITERS = 3,
	SERIES = 40,
	STEPS = 6000,
	STEP_MS = 50,
	ROUNDS = 30,
	SEAL_MS = 160000,
	HOUR_MS = 3600000
};
#define START_MS INT64_C(1700000000000)

struct shared {
	struct tsdb *db;
	struct clock *clock;
	const char *dir;
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
		s[i].t_ms = START_MS + step * STEP_MS;
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
		if (!slice_eq(labels_metric_name(set->ops->labels(set, i, arena)), SL("m")))
			continue;
		bad |= set->ops->read(set, i, &c, NULL) != 0;
		for (size_t k = 0; k < c.n; k++)
			bad |= c.v[k] != (double)k || c.t[k] != START_MS + (int64_t)k * STEP_MS;
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
	for (int i = 0; shared->writing > 0 || i < ROUNDS; i++) {
		shared->failures += read_all(shared->db, &total);
		shared->failures += total < before;
		before = total;
	}
	return NULL;
}

static void *joiner_thread(void *arg)
{
	struct shared *shared = arg;
	for (int i = 0; shared->writing > 0 || i < ROUNDS; i++)
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
	int bad = matcher_new(arena, MATCH_EQUAL, SL("__name__"), SL("deleted"), &matcher, NULL) != 0;
	for (int64_t i = 0; (shared->writing > 0 || i < ROUNDS) && !bad; i++) {
		bad |= probe_add(shared->db, labels, START_MS + i, 1) != APPEND_OK;
		bad |= tsdb_delete(shared->db, &matcher, 1, INT64_MIN, INT64_MAX, NULL) != 0;
		if (i % 16 == 15)
			bad |= tsdb_clean_tombstones(shared->db, NULL) != 0;
	}
	shared->failures += bad;
	arena_free(arena);
	return NULL;
}

/* Late floats and histograms of a series of its own, some of them twice. */
static void *late_thread(void *arg)
{
	struct shared *shared = arg;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *floats = labels_of(arena, "__name__", "late", NULL);
	const struct labels *others = labels_of(arena, "__name__", "late", "is", "histogram", NULL);
	for (int64_t i = 0; shared->writing > 0 || i < ROUNDS; i++) {
		struct histogram h = {.schema = 3, .count = (double)i, .zero_count = (double)i, .sum = 1};
		int64_t t_ms = START_MS + (i * 7919) % 100000;
		enum append_result r = probe_add(shared->db, floats, t_ms, (double)i);
		enum append_result r_histogram = probe_add_histogram(shared->db, others, t_ms, &h);
		shared->failures += r > APPEND_REPEATED && r != APPEND_DUPLICATE;
		shared->failures += r_histogram > APPEND_REPEATED && r_histogram != APPEND_DUPLICATE;
	}
	arena_free(arena);
	return NULL;
}

/* Series that end at once, with what is known of their metric. */
static void *churn_thread(void *arg)
{
	struct shared *shared = arg;
	struct appendable *door = tsdb_appendable(shared->db);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct metadata metadata = {.help = SL("comes and goes")};
	int bad = 0;
	for (int64_t i = 0; shared->writing > 0 || i < ROUNDS; i++) {
		struct appender *a;
		struct kept_ref ref = {0};
		enum append_result r;
		const struct labels *labels = labels_of(
		    arena, "__name__", "churned", "pod", arena_printf(arena, "p%" PRId64, i).ptr, NULL);
		bad |= door->begin(door, &a, NULL) != 0;
		bad |= appender_append_one(a, &ref, labels, START_MS - HOUR_MS / 2, 1, &r, NULL) != 0;
		a->ops->set_metadata(a, SL("churned"), &metadata);
		if (i % 10 == 9)
			a->ops->rollback(a);
		else
			bad |= a->ops->commit(a, NULL, NULL, NULL, NULL) != 0;
		arena_reset(arena);
	}
	shared->failures += bad;
	arena_free(arena);
	return NULL;
}

/* Time passes: stripes become due, ended series go, and so do samples that are older than a retention that comes and goes. */
static void *keeper_thread(void *arg)
{
	struct shared *shared = arg;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *labels = labels_of(arena, "__name__", "old", NULL);
	int64_t now_ms = clock_now_ms(shared->clock), latest_ms = now_ms + 5 * HOUR_MS;
	for (int64_t i = 0; shared->writing > 0 || i < ROUNDS; i++) {
		now_ms = now_ms < latest_ms ? now_ms + 10000 : now_ms;
		clock_virtual_set(shared->clock, now_ms);
		tsdb_set_retention(shared->db, i % 2 ? 0 : 10 * HOUR_MS, 0, 0);
		tsdb_set_out_of_order(shared->db, i % 2 ? 2 * HOUR_MS : HOUR_MS);
		probe_add(shared->db, labels, START_MS - 20 * HOUR_MS + i, 1);
		shared->failures += tsdb_maintain(shared->db, now_ms, NULL) != 0;
	}
	arena_free(arena);
	return NULL;
}

static void see_metadata(void *arg, struct slice metric, const struct metadata *m)
{
	*(size_t *)arg += metric.len + m->help.len;
}

static int ask_names(struct tsdb *db, struct arena *arena)
{
	struct queryable *door = tsdb_queryable(db);
	struct querier *q;
	struct series_set *set;
	struct slice *names;
	size_t n;
	bool truncated;
	struct select_hints hints = {.start_ms = START_MS, .end_ms = START_MS + HOUR_MS, .newest_only = true};
	struct sample_column c;
	sample_column_init(&c, arena);
	int bad = door->open(door, START_MS, START_MS + HOUR_MS, &q, NULL) != 0;
	bad |= q->ops->label_names(q, arena, NULL, 0, 0, &names, &n, &truncated, NULL) != 0;
	bad |= q->ops->label_values(q, arena, SL("pod"), NULL, 0, 0, &names, &n, &truncated, NULL) != 0;
	bad |= q->ops->select(q, arena, NULL, 0, false, &hints, &set, NULL) != 0;
	for (size_t i = 0; i < set->n && !bad; i++)
		bad |= set->ops->read(set, i, &c, NULL) != 0;
	sample_column_done(&c);
	q->ops->close(q);
	return bad;
}

static void *asker_thread(void *arg)
{
	struct shared *shared = arg;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (int i = 0; shared->writing > 0 || i < ROUNDS; i++) {
		struct tsdb_status status;
		struct tsdb_cardinality cardinality;
		size_t bytes = 0;
		tsdb_status(shared->db, &status);
		tsdb_cardinality(shared->db, 10, arena, &cardinality);
		tsdb_metadata(shared->db, SL_EMPTY, 0, arena, see_metadata, &bytes);
		shared->failures += ask_names(shared->db, arena);
		arena_reset(arena);
	}
	arena_free(arena);
	return NULL;
}

static void *snapshot_thread(void *arg)
{
	struct shared *shared = arg;
	char name[TSDB_SNAPSHOT_NAME_MAX];
	for (int i = 0; shared->writing > 0 || i < ROUNDS; i++) {
		shared->failures += tsdb_snapshot(shared->db, i % 2, name, NULL) != 0;
		char *path = xasprintf("%s/snapshots/%s", shared->dir, name);
		shared->failures += fs_remove_tree(fs_real(), path, NULL) != 0;
		free(path);
	}
	return NULL;
}

static void *(*const helpers[])(void *) = {reader_thread, joiner_thread, deleter_thread, late_thread,
    churn_thread, keeper_thread, asker_thread, snapshot_thread};

static void run_all(struct shared *shared)
{
	struct writer writers[WRITERS];
	pthread_t threads[ARRAY_LEN(helpers)];
	struct err err;
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.shared = shared, .number = i};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, writer_thread, &writers[i]), 0);
	}
	for (unsigned i = 0; i < ARRAY_LEN(helpers); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, helpers[i], shared), 0);
	while (shared->writing > 0)
		check_ok("seal", tsdb_seal_all(shared->db, &err), &err);
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(helpers); i++)
		pthread_join(threads[i], NULL);
	check_ok("sync", tsdb_sync(shared->db, &err), &err);
}

static void all_at_once(void **state)
{
	(void)state;
	const struct tsdb_options options = {.seal_interval_ms = SEAL_MS};
	struct clock *clock = clock_virtual_new(START_MS + STEPS * STEP_MS);
	char *dir = test_tmpdir();
	struct shared shared = {
	    .db = probe_open(dir, clock, &options), .clock = clock, .dir = dir, .writing = WRITERS};
	run_all(&shared);
	check_int("failures", shared.failures, 0);
	check_int("durable", shared.durable, WRITERS * STEPS);
	for (int again = 0; again < 2; again++) {
		uint64_t total;
		check_int("readable", read_all(shared.db, &total), 0);
		check_int("all samples", total, WRITERS * SERIES * STEPS);
		tsdb_close(shared.db);
		shared.db = probe_open(dir, clock, &options);
	}
	tsdb_close(shared.db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

TEST_MAIN("tsdb threads", cmocka_unit_test(all_at_once))
