/* Deletions and snapshots: the store beside storage/mem_store.h, with seals, joinings and restarts in between; then a disk that
 * fails at every call. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "storage/mem_store.h"
#include "tests/lib/power_cut.h"
#include "tests/tsdb/store_probe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700006400000)
enum { SERIES = 20, ROUNDS = 600, STEP_MS = 15000 };

static const struct tsdb_options options = {.future_limit_ms = -1, .seal_interval_ms = 600000};

struct model {
	struct test_random random;
	struct arena *arena;
	struct clock *clock;
	char *dir;
	struct tsdb *db;
	struct mem_store *naive;
	const struct labels *labels[SERIES];
	int64_t now_ms;
};

static void model_init(struct model *m)
{
	*m = (struct model){.now_ms = START_MS};
	test_random_init(&m->random);
	m->arena = arena_new(ARENA_NO_LIMIT);
	m->clock = clock_virtual_new(START_MS);
	m->dir = test_tmpdir();
	m->naive = mem_store_new();
	m->db = probe_open(m->dir, m->clock, &options);
	for (int i = 0; i < SERIES; i++)
		m->labels[i] = labels_of(
		    m->arena, "__name__", i % 2 ? "up" : "m", "n", arena_printf(m->arena, "%d", i).ptr, NULL);
}

static void model_done(struct model *m)
{
	tsdb_close(m->db);
	mem_store_free(m->naive);
	clock_virtual_free(m->clock);
	arena_free(m->arena);
	test_tmpdir_done(m->dir);
}

static void append_round(struct model *m)
{
	m->now_ms += test_random_below(&m->random, 30) ? STEP_MS : 300 * STEP_MS;
	clock_virtual_set(m->clock, m->now_ms);
	for (int i = 0; i < SERIES; i++) {
		if (test_random_below(&m->random, 6) == 0)
			continue;
		struct histogram h = {
		    .schema = 3, .count = (double)i, .zero_count = (double)i, .sum = (double)m->now_ms};
		if (i % 7 == 3) {
			check_int(
			    "histogram", probe_add_histogram(m->db, m->labels[i], m->now_ms, &h), APPEND_OK);
			mem_store_add(m->naive, m->labels[i], m->now_ms, 0, &h);
			continue;
		}
		double v = (double)test_random_below(&m->random, 100);
		check_int("append", probe_add(m->db, m->labels[i], m->now_ms, v), APPEND_OK);
		mem_store_add(m->naive, m->labels[i], m->now_ms, v, NULL);
	}
}

static const struct matcher *some_matcher(struct model *m)
{
	static const struct {
		enum match_op op;
		const char *name, *value;
	} some[] = {{MATCH_EQUAL, "__name__", "up"}, {MATCH_EQUAL, "n", "4"}, {MATCH_REGEX, "n", "1.*"},
	    {MATCH_EQUAL, "n", "none"}, {MATCH_NOT_EQUAL, "n", "7"}, {MATCH_REGEX, "n", "3|8|10"}};
	size_t i = test_random_below(&m->random, sizeof(some) / sizeof(some[0]));
	const struct matcher *out;
	struct err err;
	check_ok("matcher",
	    matcher_new(
		m->arena, some[i].op, slice_cstr(some[i].name), slice_cstr(some[i].value), &out, &err),
	    &err);
	return out;
}

/* A stretch of the last hours as a rule; all times now and then, or none that has samples. */
static void some_range(struct model *m, int64_t *min, int64_t *max)
{
	int64_t span = 1 + (int64_t)test_random_below(&m->random, 400) * STEP_MS;
	*max = m->now_ms + STEP_MS - (int64_t)test_random_below(&m->random, 200) * STEP_MS;
	*min = *max - span;
	if (test_random_below(&m->random, 10) == 0)
		*max = INT64_MAX;
	if (test_random_below(&m->random, 30) == 0)
		*min = INT64_MIN;
}

static void delete_round(struct model *m)
{
	int64_t min, max;
	struct err err;
	const struct matcher *matcher = some_matcher(m);
	some_range(m, &min, &max);
	check_ok("delete", tsdb_delete(m->db, &matcher, 1, min, max, &err), &err);
	mem_store_delete(m->naive, &matcher, 1, min, max);
}

static void compare(const char *what, char *got, char *want)
{
	check_str(what, slice_cstr(got), want);
	free(got);
	free(want);
}

static void query_round(struct model *m)
{
	int64_t min, max;
	struct queryable *q = tsdb_queryable(m->db), *naive = mem_store_queryable(m->naive);
	const struct matcher *matcher = some_matcher(m);
	some_range(m, &min, &max);
	compare("all", probe_dump(q, NULL, 0, INT64_MIN, INT64_MAX),
	    probe_dump(naive, NULL, 0, INT64_MIN, INT64_MAX));
	compare("range", probe_dump(q, &matcher, 1, min, max), probe_dump(naive, &matcher, 1, min, max));
	compare("newest", probe_dump_newest(q, NULL, 0, m->now_ms - 300000, m->now_ms),
	    probe_dump_newest(naive, NULL, 0, m->now_ms - 300000, m->now_ms));
}

/* The series snapshot of a stripe in `every` is lost. */
static void lose_snapshots(struct model *m, unsigned every)
{
	for (unsigned i = 0; i < 128; i++) {
		struct err err;
		char *path = xasprintf("%s/head/stripe-%03u", m->dir, i);
		if (test_random_below(&m->random, every) == 0)
			check_ok("unlink", fs_unlink(probe_fs(), path, &err), &err);
		free(path);
	}
}

static void reopen(struct model *m)
{
	struct err err;
	check_ok("sync", tsdb_sync(m->db, &err), &err);
	tsdb_close(m->db);
	m->db = probe_open(m->dir, m->clock, &options);
}

static void store_and_model_agree(void **state)
{
	(void)state;
	struct model m;
	struct err err;
	model_init(&m);
	for (int round = 0; round < ROUNDS; round++) {
		append_round(&m);
		if (test_random_below(&m.random, 15) == 0)
			delete_round(&m);
		if (test_random_below(&m.random, 12) == 0)
			check_ok("maintain", tsdb_maintain(m.db, m.now_ms, &err), &err);
		if (test_random_below(&m.random, 40) == 0)
			check_ok("compact", tsdb_compact(m.db, &err), &err);
		if (test_random_below(&m.random, 60) == 0)
			check_ok("clean", tsdb_clean_tombstones(m.db, &err), &err);
		if (test_random_below(&m.random, 40) == 0)
			reopen(&m);
		if (test_random_below(&m.random, 6) == 0)
			query_round(&m);
	}
	query_round(&m);
	model_done(&m);
}

/* The log has all of it still: it is read again from its beginning, and the deletions with it. */
static void lost_snapshots_bring_nothing_back(void **state)
{
	(void)state;
	for (int store = 0; store < 25; store++) {
		struct model m;
		struct err err;
		model_init(&m);
		m.random.state += (uint64_t)store;
		for (int round = 0; round < 60; round++) {
			append_round(&m);
			if (test_random_below(&m.random, 8) == 0)
				delete_round(&m);
			if (test_random_below(&m.random, 12) == 0)
				check_ok("seal", tsdb_seal_all(m.db, &err), &err);
			if (test_random_below(&m.random, 20) == 0)
				check_ok("compact", tsdb_compact(m.db, &err), &err);
		}
		check_ok("sync", tsdb_sync(m.db, &err), &err);
		tsdb_close(m.db);
		lose_snapshots(&m, 1 + (unsigned)test_random_below(&m.random, 2));
		m.db = probe_open(m.dir, m.clock, &options);
		query_round(&m);
		append_round(&m);
		delete_round(&m);
		query_round(&m);
		model_done(&m);
	}
}

/* --- one case at a time ---------------------------------------------------------------------------------------------- */

/* A store with one series: a sample each step from START_MS on, `n` of them. */
struct one {
	struct arena *arena;
	struct clock *clock;
	char *dir;
	struct tsdb *db;
	const struct labels *labels;
	struct tsdb_options options;
};

static void one_init(struct one *o, int64_t n)
{
	*o = (struct one){.options = {.future_limit_ms = -1}};
	o->arena = arena_new(ARENA_NO_LIMIT);
	o->clock = clock_virtual_new(START_MS);
	o->dir = test_tmpdir();
	o->db = probe_open(o->dir, o->clock, &o->options);
	o->labels = labels_of(o->arena, "__name__", "m", NULL);
	for (int64_t i = 0; i < n; i++)
		check_int(
		    "append", probe_add(o->db, o->labels, START_MS + i * STEP_MS, (double)i), APPEND_OK);
}

static void one_done(struct one *o)
{
	tsdb_close(o->db);
	clock_virtual_free(o->clock);
	arena_free(o->arena);
	test_tmpdir_done(o->dir);
}

/* Up to and with step `to`. */
static void one_delete(struct one *o, int64_t from, int64_t to)
{
	struct err err;
	check_ok("delete",
	    tsdb_delete(o->db, NULL, 0, START_MS + from * STEP_MS, START_MS + to * STEP_MS, &err), &err);
}

static void one_reopen(struct one *o, bool with_snapshots)
{
	struct err err;
	check_ok("sync", tsdb_sync(o->db, &err), &err);
	tsdb_close(o->db);
	char *head = xasprintf("%s/head", o->dir);
	if (!with_snapshots)
		check_ok("lost", fs_remove_tree(probe_fs(), head, &err), &err);
	free(head);
	o->db = probe_open(o->dir, o->clock, &o->options);
}

/* "step=value" of all samples. */
static void one_check(struct one *o, const char *when, const char *want)
{
	struct strbuf got = STRBUF_INIT;
	struct queryable *door = tsdb_queryable(o->db);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	struct err err;
	sample_column_init(&c, o->arena);
	check_ok("open", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("select", q->ops->select(q, o->arena, NULL, 0, true, NULL, &set, &err), &err);
	for (size_t i = 0; i < set->n; i++) {
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		for (size_t k = 0; k < c.n; k++)
			strbuf_addf(&got, "%s%d=%g", got.len ? " " : "", (int)((c.t[k] - START_MS) / STEP_MS),
			    c.v[k]);
	}
	q->ops->close(q);
	check_str(when, strbuf_slice(&got), want);
	sample_column_done(&c);
	strbuf_done(&got);
}

static void one_check_always(struct one *o, const char *want)
{
	struct err err;
	one_check(o, "at once", want);
	one_reopen(o, true);
	one_check(o, "after a restart", want);
	one_reopen(o, false);
	one_check(o, "after one without series snapshots", want);
	check_ok("seal", tsdb_seal_all(o->db, &err), &err);
	one_check(o, "sealed", want);
	check_ok("compact", tsdb_compact(o->db, &err), &err);
	one_check(o, "joined", want);
	check_ok("clean", tsdb_clean_tombstones(o->db, &err), &err);
	one_check(o, "cleaned", want);
	one_reopen(o, false);
	one_check(o, "after all of it", want);
}

static void late_samples_are_deleted_too(void **state)
{
	(void)state;
	struct one o;
	one_init(&o, 0);
	check_int("first", probe_add(o.db, o.labels, START_MS + 9 * STEP_MS, 9), APPEND_OK);
	struct err err;
	check_ok("seal", tsdb_seal_all(o.db, &err), &err);
	/* Now the late ones are all that the head has. */
	for (int64_t i = 2; i < 6; i++)
		check_int("late", probe_add(o.db, o.labels, START_MS + i * STEP_MS, (double)i), APPEND_OK);
	one_delete(&o, 3, 4);
	one_check_always(&o, "2=2 5=5 9=9");
	one_done(&o);
}

static void what_comes_after_a_deletion_stays(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t from, to;
		struct {
			int64_t step;
			double v;
		} then[3];
		size_t n;
		const char *want;
	} cases[] = {
	    {"the newest once more", 3, 4, {{4, 4}}, 1, "0=0 1=1 2=2 4=4"},
	    {"the newest with another value", 3, 4, {{4, 7}}, 1, "0=0 1=1 2=2 4=7"},
	    {"in the middle, backwards", 1, 3, {{3, 7}, {2, 8}}, 2, "0=0 2=8 3=7 4=4"},
	    {"all of it", 0, 4, {{0, 0}, {1, 7}, {2, 2}}, 3, "0=0 1=7 2=2"},
	    {"the first value after it counts", 2, 2, {{2, 7}, {2, 8}}, 2, "0=0 1=1 2=7 3=3 4=4"},
	    {"in front of it, too", 4, 4, {{5, 5}, {4, 7}}, 2, "0=0 1=1 2=2 3=3 4=7 5=5"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct one o;
		one_init(&o, 5);
		one_delete(&o, cases[i].from, cases[i].to);
		for (size_t k = 0; k < cases[i].n; k++)
			probe_add(
			    o.db, o.labels, START_MS + cases[i].then[k].step * STEP_MS, cases[i].then[k].v);
		one_check(&o, cases[i].name, cases[i].want);
		one_check_always(&o, cases[i].want);
		one_done(&o);
	}
}

static int fail_snapshots(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)n;
	const bool *fail = arg;
	if (*fail && strstr(path, "/head/stripe-"))
		return EIO;
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

/* The part counts, but the log is read from in front of it at the next start. */
static void a_snapshot_that_was_not_written_brings_nothing_back(void **state)
{
	(void)state;
	struct one o;
	struct err err;
	bool fail = false;
	struct fs *fs = fs_faulty_new(fail_snapshots, &fail);
	one_init(&o, 0);
	tsdb_close(o.db);
	o.options.fs = fs;
	o.db = probe_open(o.dir, o.clock, &o.options);
	for (int64_t i = 0; i < 5; i++)
		check_int("append", probe_add(o.db, o.labels, START_MS + i * STEP_MS, (double)i), APPEND_OK);
	fail = true;
	check_int("seal", tsdb_seal_all(o.db, &err), ERR_IO);
	one_delete(&o, 1, 3);
	one_check(&o, "at once", "0=0 4=4");
	fail = false;
	one_check_always(&o, "0=0 4=4");
	one_done(&o);
	fs_faulty_free(fs);
}

static void a_damaged_part_does_not_keep_the_others(void **state)
{
	(void)state;
	struct one o;
	struct err err;
	one_init(&o, 5);
	check_ok("seal", tsdb_seal_all(o.db, &err), &err);
	check_int("next", probe_add(o.db, o.labels, START_MS + 5 * STEP_MS, 5), APPEND_OK);
	check_ok("seal", tsdb_seal_all(o.db, &err), &err);
	char *path = xasprintf("%s/parts/part-0000000000000001/stones", o.dir);
	check_ok("bend", fs_write_file(probe_fs(), path, SL("stones?"), &err), &err);
	check_int("said", tsdb_delete(o.db, NULL, 0, START_MS, START_MS + 9 * STEP_MS, &err), ERR_CORRUPT);
	one_check(&o, "the other one is gone", "0=0 1=1 2=2 3=3 4=4");
	check_ok("mend", fs_unlink(probe_fs(), path, &err), &err);
	one_delete(&o, 0, 9);
	one_check_always(&o, "");
	free(path);
	one_done(&o);
}

/* --- what is left on disk ------------------------------------------------------------------------------------------- */

static void a_clean_store_has_only_what_is_left(void **state)
{
	(void)state;
	struct model m;
	struct err err;
	struct tsdb_status before, after;
	model_init(&m);
	for (int i = 0; i < 50; i++)
		append_round(&m);
	check_ok("seal", tsdb_seal_all(m.db, &err), &err);
	tsdb_status(m.db, &before);
	const struct matcher *up;
	check_ok("matcher", matcher_new(m.arena, MATCH_EQUAL, SL("__name__"), SL("up"), &up, &err), &err);
	check_ok("delete", tsdb_delete(m.db, &up, 1, INT64_MIN, INT64_MAX, &err), &err);
	tsdb_status(m.db, &after);
	check_int("still on disk", after.part_samples, before.part_samples);
	check_ok("clean", tsdb_clean_tombstones(m.db, &err), &err);
	tsdb_status(m.db, &after);
	check_true("not any more", after.part_samples < before.part_samples * 3 / 4);
	check_int("as many parts", after.parts, before.parts);
	check_ok("delete", tsdb_delete(m.db, NULL, 0, INT64_MIN, INT64_MAX, &err), &err);
	check_ok("clean", tsdb_clean_tombstones(m.db, &err), &err);
	tsdb_status(m.db, &after);
	check_int("no part is left", after.parts, 0);
	model_done(&m);
}

static void a_reader_sees_what_was_there_when_it_began(void **state)
{
	(void)state;
	struct model m;
	struct err err;
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	model_init(&m);
	for (int i = 0; i < 20; i++)
		append_round(&m);
	struct queryable *door = tsdb_queryable(m.db);
	check_ok("open", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("select", q->ops->select(q, m.arena, NULL, 0, true, NULL, &set, &err), &err);
	check_ok("delete", tsdb_delete(m.db, NULL, 0, INT64_MIN, INT64_MAX, &err), &err);
	check_ok("clean", tsdb_clean_tombstones(m.db, &err), &err);
	sample_column_init(&c, m.arena);
	for (size_t i = 0; i < set->n; i++) {
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		check_true("samples", c.n > 0);
	}
	sample_column_done(&c);
	q->ops->close(q);
	char *now = probe_dump(door, NULL, 0, INT64_MIN, INT64_MAX);
	check_str("nothing for the next", slice_cstr(now), "");
	free(now);
	model_done(&m);
}

/* --- snapshots -------------------------------------------------------------------------------------------------------- */

static void check_snapshot(struct model *m, const char *name, const char *want)
{
	char *dir = xasprintf("%s/snapshots/%s", m->dir, name);
	struct tsdb *db = probe_open(dir, m->clock, &options);
	char *got = probe_dump(tsdb_queryable(db), NULL, 0, INT64_MIN, INT64_MAX);
	check_str("snapshot", slice_cstr(got), want);
	tsdb_close(db);
	free(got);
	free(dir);
}

static void snapshots_are_stores(void **state)
{
	(void)state;
	struct model m;
	struct err err;
	char sealed[TSDB_SNAPSHOT_NAME_MAX], whole[TSDB_SNAPSHOT_NAME_MAX];
	model_init(&m);
	for (int i = 0; i < 50; i++)
		append_round(&m);
	check_ok("seal", tsdb_seal_all(m.db, &err), &err);
	delete_round(&m);
	char *before = probe_dump(tsdb_queryable(m.db), NULL, 0, INT64_MIN, INT64_MAX);
	append_round(&m);
	char *after = probe_dump(tsdb_queryable(m.db), NULL, 0, INT64_MIN, INT64_MAX);
	check_ok("without the head", tsdb_snapshot(m.db, false, sealed, &err), &err);
	check_ok("with it", tsdb_snapshot(m.db, true, whole, &err), &err);
	check_int("name", strlen(whole), strlen("20171210T211224Z-2be650b6d019eb54"));
	check_slice("time in the name", slice_of(whole, 9), SL("20231115T"));
	check_ok("delete", tsdb_delete(m.db, NULL, 0, INT64_MIN, INT64_MAX, &err), &err);
	check_ok("clean", tsdb_clean_tombstones(m.db, &err), &err);
	check_snapshot(&m, sealed, before);
	check_snapshot(&m, whole, after);
	free(before);
	free(after);
	model_done(&m);
}

/* What tsdb_snapshot() said is made stays, with all the names that lead to it. */
static void a_snapshot_outlives_a_power_cut(void **state)
{
	(void)state;
	char name[TSDB_SNAPSHOT_NAME_MAX], *root = test_tmpdir(), *dir = xasprintf("%s/data", root);
	struct power_cut *disk = power_cut_new(root, NULL, NULL);
	struct clock *clock = clock_virtual_new(START_MS);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct tsdb_options o = options;
	struct err err;
	o.fs = power_cut_fs(disk);
	struct tsdb *db = probe_open(dir, clock, &o);
	check_int("add", probe_add(db, labels_of(arena, "__name__", "m", NULL), START_MS, 1), APPEND_OK);
	check_ok("snapshot", tsdb_snapshot(db, true, name, &err), &err);
	char *made = xasprintf("%s/snapshots/%s", dir, name);
	check_true("safe", power_cut_is_safe(disk, made));
	tsdb_close(db);
	power_cut_free(disk);
	clock_virtual_free(clock);
	arena_free(arena);
	free(made);
	free(dir);
	test_tmpdir_done(root);
}

/* --- a disk that fails --------------------------------------------------------------------------------------------- */

struct bad_disk {
	uint64_t calls, bad; /* this one fails; 0: none */
};

static int fail_call(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)path, (void)n;
	struct bad_disk *d = arg;
	if (call == FS_CALL_LOCK)
		return 0;
	if (__atomic_add_fetch(&d->calls, 1, __ATOMIC_RELAXED) == d->bad)
		return EIO;
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

/* Deletes, cleans and makes a snapshot while one call fails; then without failure. False: there were less calls. */
static bool delete_on(struct model *m, uint64_t bad)
{
	struct bad_disk disk = {0};
	struct fs *fs = fs_faulty_new(fail_call, &disk);
	struct tsdb_options o = options;
	struct err err;
	char name[TSDB_SNAPSHOT_NAME_MAX];
	const struct matcher *up;
	check_ok("matcher", matcher_new(m->arena, MATCH_EQUAL, SL("__name__"), SL("up"), &up, &err), &err);
	tsdb_close(m->db);
	o.fs = fs;
	m->db = probe_open(m->dir, m->clock, &o);
	disk.calls = 0;
	disk.bad = bad;
	int rc = tsdb_delete(m->db, &up, 1, m->now_ms - 10 * STEP_MS, INT64_MAX, &err);
	rc = rc ? rc : tsdb_clean_tombstones(m->db, &err);
	rc = rc ? rc : tsdb_snapshot(m->db, true, name, &err);
	bool reached = disk.calls >= bad;
	disk.bad = 0;
	check_true("says why", rc == 0 || err.msg[0]);
	mem_store_delete(m->naive, &up, 1, m->now_ms - 10 * STEP_MS, INT64_MAX);
	check_ok("again", tsdb_delete(m->db, &up, 1, m->now_ms - 10 * STEP_MS, INT64_MAX, &err), &err);
	query_round(m);
	check_ok("clean again", tsdb_clean_tombstones(m->db, &err), &err);
	query_round(m);
	tsdb_close(m->db);
	fs_faulty_free(fs);
	m->db = probe_open(m->dir, m->clock, &options);
	query_round(m);
	return reached;
}

static void a_call_that_fails_is_made_good(void **state)
{
	(void)state;
	bool reached = true;
	for (uint64_t bad = 1; reached; bad++) {
		struct model m;
		model_init(&m);
		struct err err;
		for (int i = 0; i < 15; i++)
			append_round(&m);
		check_ok("seal", tsdb_seal_all(m.db, &err), &err);
		for (int i = 0; i < 15; i++)
			append_round(&m);
		check_ok("sync", tsdb_sync(m.db, &err), &err);
		reached = delete_on(&m, bad);
		model_done(&m);
	}
}

/* From some call on nothing reaches the disk any more, and the process ends. */
static int stop_at_call(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)path;
	struct bad_disk *d = arg;
	if (call == FS_CALL_LOCK || call == FS_CALL_READ || call == FS_CALL_LIST || call == FS_CALL_SIZE ||
	    call == FS_CALL_SPACE)
		return 0;
	uint64_t number = __atomic_add_fetch(&d->calls, 1, __ATOMIC_RELAXED);
	if (d->bad && number >= d->bad) {
		if (call == FS_CALL_WRITE && number == d->bad)
			*n /= 2;
		return ENOSPC;
	}
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

/* Deletes while the disk stops. What was said to be deleted is, at the next start; what was not is there or not. False: it did
 * not come to that call. */
static bool delete_and_stop(struct model *m, uint64_t bad)
{
	struct bad_disk disk = {0};
	struct fs *fs = fs_faulty_new(stop_at_call, &disk);
	struct tsdb_options o = options;
	struct err err;
	const struct matcher *up;
	const int64_t min = m->now_ms - 20 * STEP_MS;
	check_ok("matcher", matcher_new(m->arena, MATCH_EQUAL, SL("__name__"), SL("up"), &up, &err), &err);
	tsdb_close(m->db);
	o.fs = fs;
	m->db = probe_open(m->dir, m->clock, &o);
	disk.calls = 0;
	disk.bad = bad;
	int rc = tsdb_delete(m->db, &up, 1, min, INT64_MAX, &err);
	bool reached = disk.calls >= bad;
	check_true("without a fault it goes well", reached || rc == 0);
	tsdb_close(m->db);
	fs_faulty_free(fs);
	if (bad % 3 == 0)
		lose_snapshots(m, 1);
	m->db = probe_open(m->dir, m->clock, &options);
	if (rc != 0)
		check_ok("again", tsdb_delete(m->db, &up, 1, min, INT64_MAX, &err), &err);
	mem_store_delete(m->naive, &up, 1, min, INT64_MAX);
	query_round(m);
	return reached;
}

static void a_disk_that_stops_keeps_what_it_said(void **state)
{
	(void)state;
	bool reached = true;
	for (uint64_t bad = 1; reached; bad++) {
		struct model m;
		struct err err;
		model_init(&m);
		for (int i = 0; i < 15; i++)
			append_round(&m);
		check_ok("seal", tsdb_seal_all(m.db, &err), &err);
		for (int i = 0; i < 15; i++)
			append_round(&m);
		check_ok("sync", tsdb_sync(m.db, &err), &err);
		reached = delete_and_stop(&m, bad);
		model_done(&m);
	}
}

TEST_MAIN("tsdb delete", cmocka_unit_test(a_disk_that_stops_keeps_what_it_said),
    cmocka_unit_test(store_and_model_agree), cmocka_unit_test(lost_snapshots_bring_nothing_back),
    cmocka_unit_test(late_samples_are_deleted_too), cmocka_unit_test(what_comes_after_a_deletion_stays),
    cmocka_unit_test(a_snapshot_that_was_not_written_brings_nothing_back),
    cmocka_unit_test(a_damaged_part_does_not_keep_the_others),
    cmocka_unit_test(a_clean_store_has_only_what_is_left),
    cmocka_unit_test(a_reader_sees_what_was_there_when_it_began), cmocka_unit_test(snapshots_are_stores),
    cmocka_unit_test(a_snapshot_outlives_a_power_cut), cmocka_unit_test(a_call_that_fails_is_made_good))
