/* Reading a store back: on one thread or on many it is the same store, and meanwhile queries see its parts. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "model/histogram.h"
#include "tests/lib/power_cut.h"
#include "tests/tsdb/store_probe.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700000000000)
enum { SERIES = 5000, ROUNDS = 12, LATE = 7 };

struct fixture {
	char *dir;
	struct clock *clock;
	struct test_random random;
};

static struct tsdb_options options_of(const struct fixture *f)
{
	return (struct tsdb_options){.path = f->dir,
	    .clock = f->clock,
	    .fs = probe_fs(),
	    .wal_segment_bytes = 16 << 10,
	    .future_limit_ms = -1};
}

static struct tsdb *open_with(struct fixture *f, unsigned threads, bool later)
{
	struct tsdb_options o = options_of(f);
	struct tsdb *db;
	struct err err;
	o.replay_threads = threads;
	o.replay_later = later;
	check_ok("open", tsdb_open(&o, &db, &err), &err);
	return db;
}

/* A round of samples in series of all stripes: floats, some late, some histograms, new series now and then. */
static void add_round(struct fixture *f, struct tsdb *db, int round)
{
	struct appendable *door = tsdb_appendable(db);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct appender *a;
	struct err err;
	check_ok("begin", door->begin(door, &a, &err), &err);
	for (int k = 0; k < 600; k++) {
		uint64_t i = test_random_below(&f->random, SERIES / ROUNDS * (uint64_t)(round + 1));
		const struct labels *l = labels_of(arena, "__name__", "m", "n",
		    arena_printf(arena, "%llu", (unsigned long long)i).ptr, NULL);
		series_ref ref;
		check_ok("series", a->ops->add_series(a, NULL, l, &ref, &err), &err);
		int64_t t_ms = START_MS + round * 1000 + k - (i % LATE == 0 ? 1500 : 0);
		struct sample s = {
		    .ref = ref, .t_ms = t_ms, .v = (double)test_random_below(&f->random, 1000)};
		struct histogram h = {.count = 3, .sum = s.v, .zero_count = 3};
		struct histogram_sample hs = {.ref = ref, .t_ms = t_ms, .h = &h};
		if (i % 50 == 1)
			check_ok("histogram", a->ops->append_histograms(a, &hs, 1, NULL, &err), &err);
		else
			check_ok("sample", a->ops->append(a, &s, 1, NULL, &err), &err);
	}
	check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
	check_ok("sync", tsdb_sync(db, &err), &err);
	arena_free(arena);
}

static char *dump(struct tsdb *db)
{
	return probe_dump(tsdb_queryable(db), NULL, 0, INT64_MIN, INT64_MAX);
}

/* Leaves parts, snapshots and a log of some segments; *parts is what the parts have. Returns a dump of all. */
static char *make_store(struct fixture *f, char **parts)
{
	struct err err;
	*f = (struct fixture){.dir = test_tmpdir(), .clock = clock_virtual_new(START_MS)};
	test_random_init(&f->random);
	struct tsdb *db = open_with(f, 1, false);
	for (int round = 0; round < ROUNDS / 3; round++)
		add_round(f, db, round);
	check_ok("seal", tsdb_seal_all(db, &err), &err);
	*parts = dump(db);
	for (int round = ROUNDS / 3; round < ROUNDS; round++)
		add_round(f, db, round);
	struct tsdb_status s;
	tsdb_status(db, &s);
	check_true("some segments", s.wal_segments > 3);
	char *all = dump(db);
	tsdb_close(db);
	return all;
}

static void fixture_done(struct fixture *f)
{
	clock_virtual_free(f->clock);
	test_tmpdir_done(f->dir);
}

static void check_same(const char *what, struct tsdb *db, const char *want)
{
	char *got = dump(db);
	if (strcmp(got, want) != 0)
		fail_msg("%s: another store", what);
	free(got);
}

static void any_number_of_threads_gives_the_same(void **state)
{
	(void)state;
	struct fixture f;
	char *parts, *all = make_store(&f, &parts);
	static const unsigned threads[] = {1, 2, 3, 8};
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		struct tsdb *db = open_with(&f, threads[i], false);
		check_same("read back", db, all);
		add_round(&f, db, ROUNDS);
		free(all);
		all = dump(db);
		tsdb_close(db);
	}
	free(parts);
	free(all);
	fixture_done(&f);
}

static void queries_see_parts_meanwhile(void **state)
{
	(void)state;
	struct fixture f;
	char *parts, *all = make_store(&f, &parts);
	struct tsdb *db = open_with(&f, 2, true);
	struct tsdb_replay_state s;
	struct appender *a;
	struct err err;
	tsdb_replay_state(db, &s);
	check_int("phase", s.phase, TSDB_REPLAY_WAITING);
	check_same("parts", db, parts);
	check_int("begin", tsdb_appendable(db)->begin(tsdb_appendable(db), &a, &err), ERR_UNAVAILABLE);
	/* A querier from before goes on as it was. */
	struct queryable *door = tsdb_queryable(db);
	struct querier *old;
	check_ok("querier", door->open(door, INT64_MIN, INT64_MAX, &old, &err), &err);
	check_ok("replay", tsdb_replay(db, &err), &err);
	tsdb_replay_state(db, &s);
	check_int("phase", s.phase, TSDB_REPLAY_DONE);
	check_int("percent", s.percent, 100);
	check_true("segments", s.first_segment >= 1 && s.segment == s.last_segment && s.last_segment > 3);
	check_same("all", db, all);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct series_set *set;
	check_ok("select", old->ops->select(old, arena, NULL, 0, false, NULL, &set, &err), &err);
	struct sample_column c;
	sample_column_init(&c, arena);
	for (size_t i = 0; i < set->n; i++) {
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		for (size_t k = 0; k < c.n; k++)
			check_true("of the parts", c.t[k] < START_MS + (ROUNDS / 3) * 1000);
	}
	sample_column_done(&c);
	old->ops->close(old);
	arena_free(arena);
	add_round(&f, db, ROUNDS);
	tsdb_close(db);
	free(parts);
	free(all);
	fixture_done(&f);
}

struct asker {
	struct tsdb *db;
	const char *parts, *all;
	atomic_bool stop;
	int asked, complete;
};

static void *ask(void *arg)
{
	struct asker *q = arg;
	do {
		char *got = dump(q->db);
		bool is_all = strcmp(got, q->all) == 0;
		check_true("parts or all", is_all || strcmp(got, q->parts) == 0);
		q->asked++;
		q->complete += is_all;
		free(got);
	} while (!q->stop);
	return NULL;
}

static void queries_run_beside_it(void **state)
{
	(void)state;
	struct fixture f;
	char *parts, *all = make_store(&f, &parts);
	struct err err;
	struct asker q = {.db = open_with(&f, 3, true), .parts = parts, .all = all};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, ask, &q), 0);
	check_ok("replay", tsdb_replay(q.db, &err), &err);
	q.stop = true;
	pthread_join(thread, NULL);
	check_true("asked", q.asked > 0);
	check_same("all", q.db, all);
	tsdb_close(q.db);
	free(parts);
	free(all);
	fixture_done(&f);
}

static void a_store_that_is_not_read_back_can_be_closed(void **state)
{
	(void)state;
	struct fixture f;
	char *parts, *all = make_store(&f, &parts);
	tsdb_close(open_with(&f, 2, true));
	struct tsdb *db = open_with(&f, 2, false);
	check_same("all", db, all);
	tsdb_close(db);
	free(parts);
	free(all);
	fixture_done(&f);
}

static const struct labels *one_series(struct arena *arena)
{
	return labels_of(arena, "__name__", "m", NULL);
}

static struct tsdb *open_on(const struct fixture *f, struct fs *fs)
{
	struct tsdb_options o = options_of(f);
	struct tsdb *db;
	struct err err;
	o.fs = fs;
	check_ok("open", tsdb_open(&o, &db, &err), &err);
	return db;
}

/* A process dies before it syncs what it wrote; the next one reads that, and what it acknowledges builds on it: on its series,
 * and on samples that are sent again. Then the power goes. */
static void what_a_dead_process_left(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct err err;
	char *root = test_tmpdir();
	struct fixture f = {.dir = xasprintf("%s/data", root), .clock = clock_virtual_new(START_MS)};
	struct power_cut *disk = power_cut_new(root, NULL, NULL);
	struct tsdb *db = open_on(&f, probe_fs());
	check_int("first", probe_add(db, one_series(arena), START_MS, 1), APPEND_OK);
	tsdb_close(db);
	db = open_on(&f, power_cut_fs(disk));
	check_int("again", probe_add(db, one_series(arena), START_MS, 1), APPEND_REPEATED);
	check_int("second", probe_add(db, one_series(arena), START_MS + 1, 2), APPEND_OK);
	check_ok("sync", tsdb_sync(db, &err), &err);
	char *want = dump(db);
	tsdb_close(db);
	power_cut_apply(disk, NULL);
	power_cut_free(disk);
	db = open_on(&f, probe_fs());
	char *got = dump(db);
	check_str("all of it", slice_cstr(got), want);
	tsdb_close(db);
	free(want);
	free(got);
	clock_virtual_free(f.clock);
	free(f.dir);
	test_tmpdir_done(root);
	arena_free(arena);
}

TEST_MAIN("tsdb replay", cmocka_unit_test(any_number_of_threads_gives_the_same),
    cmocka_unit_test(queries_see_parts_meanwhile), cmocka_unit_test(queries_run_beside_it),
    cmocka_unit_test(a_store_that_is_not_read_back_can_be_closed), cmocka_unit_test(what_a_dead_process_left))
