/* Joining parts in a running store: readers, the timer, and a disk that fails or stops at every call. */
#include "base/clock.h"
#include "base/counters.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/part_meta.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700006400000) /* a day begins */
#define HOUR_MS  INT64_C(3600000)
enum { SERIES = 5, PARTS = 4, PER_PART = 20, STEP_MS = 15000 };

static const struct tsdb_options options = {.future_limit_ms = -1};

/* A store with PARTS sealed parts, and some samples in the head. */
static struct tsdb *make_store(const char *dir, struct clock *clock)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct tsdb *db = probe_open(dir, clock, &options);
	struct err err;
	for (int64_t i = 0; i < (PARTS + 1) * PER_PART; i++) {
		for (int64_t s = 0; s < SERIES; s++)
			probe_add(db,
			    labels_of(
				arena, "__name__", "m", "n", arena_printf(arena, "%d", (int)s).ptr, NULL),
			    START_MS + i * STEP_MS, (double)(i * s) / 10);
		if (i % PER_PART == PER_PART - 1 && i / PER_PART < PARTS)
			check_ok("seal", tsdb_seal_all(db, &err), &err);
	}
	check_ok("sync", tsdb_sync(db, &err), &err);
	arena_free(arena);
	return db;
}

static char *dump(struct tsdb *db)
{
	return probe_dump(tsdb_queryable(db), NULL, 0, INT64_MIN, INT64_MAX);
}

static uint64_t count_parts(struct tsdb *db)
{
	struct tsdb_status s;
	tsdb_status(db, &s);
	return s.parts;
}

static int count_folder(void *arg, const char *name, bool is_dir)
{
	(void)name, (void)is_dir;
	++*(uint64_t *)arg;
	return 0;
}

static uint64_t count_folders(const char *dir)
{
	uint64_t n = 0;
	struct err err;
	char *parts = xasprintf("%s/parts", dir);
	check_ok("list", fs_list(probe_fs(), parts, count_folder, &n, &err), &err);
	free(parts);
	return n;
}

static void check_dump(const char *what, struct tsdb *db, const char *want)
{
	char *got = dump(db);
	check_str(what, slice_cstr(got), want);
	free(got);
}

static void parts_become_one(void **state)
{
	(void)state;
	struct err err;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb *db = make_store(dir, clock);
	char *before = dump(db);
	uint64_t done = counter_get(M_TSDB_COMPACTIONS), failed = counter_get(M_TSDB_COMPACTIONS_FAILED);
	check_int("parts", count_parts(db), PARTS);
	check_ok("compact", tsdb_compact(db, &err), &err);
	check_int("one part", count_parts(db), 1);
	check_int("one folder", count_folders(dir), 1);
	check_int("counted", counter_get(M_TSDB_COMPACTIONS) - done, 1);
	check_int("no failure", counter_get(M_TSDB_COMPACTIONS_FAILED) - failed, 0);
	check_dump("same samples", db, before);
	check_ok("compact again", tsdb_compact(db, &err), &err);
	check_int("nothing to do", counter_get(M_TSDB_COMPACTIONS) - done, 1);
	tsdb_close(db);
	db = probe_open(dir, clock, &options);
	check_int("one part after the start", count_parts(db), 1);
	check_dump("same samples after the start", db, before);
	tsdb_close(db);
	free(before);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

static void a_reader_keeps_the_old_parts(void **state)
{
	(void)state;
	struct err err;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb *db = make_store(dir, clock);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct queryable *door = tsdb_queryable(db);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	check_ok("open", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("select", q->ops->select(q, arena, NULL, 0, true, NULL, &set, &err), &err);
	check_ok("compact", tsdb_compact(db, &err), &err);
	check_int("old and new", count_folders(dir), PARTS + 1);
	sample_column_init(&c, arena);
	for (size_t i = 0; i < set->n; i++) {
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		check_int("samples", c.n, (PARTS + 1) * PER_PART);
	}
	sample_column_done(&c);
	q->ops->close(q);
	check_int("only the new one", count_folders(dir), 1);
	arena_free(arena);
	tsdb_close(db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

static void the_timer_joins_what_is_complete(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct scheduler *scheduler = scheduler_new(clock, NULL);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct tsdb_options o = {.future_limit_ms = -1, .scheduler = scheduler};
	struct tsdb *db = probe_open(dir, clock, &o);
	const struct labels *labels = labels_of(arena, "__name__", "m", NULL);
	for (int64_t minute = 1; minute <= 26 * 60; minute++) {
		probe_add(db, labels, START_MS + minute * 60000, (double)minute);
		scheduler_run_until(scheduler, START_MS + minute * 60000);
	}
	check_true("a day and what came since", count_parts(db) <= 5);
	char *text = dump(db);
	size_t n = 0;
	for (const char *p = text; (p = strchr(p + 1, ' ')) != NULL;)
		n++;
	check_int("samples", n, 26 * 60);
	free(text);
	tsdb_close(db);
	arena_free(arena);
	scheduler_free(scheduler);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

/* Bends a byte of the chunks of the first part, under the eyes of the store. */
static void damage_a_part(const char *dir)
{
	struct err err;
	int fd;
	char byte = 'x';
	char *path = xasprintf("%s/parts/part-0000000000000001/chunks", dir);
	check_ok("open", fs_open(probe_fs(), path, FS_READ_WRITE, &fd, &err), &err);
	check_ok("write", fs_pwrite(probe_fs(), fd, &byte, 1, 20, &err), &err);
	fs_close(probe_fs(), fd);
	free(path);
}

static void a_damaged_part_stands_alone(void **state)
{
	(void)state;
	struct err err;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb *db = make_store(dir, clock);
	damage_a_part(dir);
	check_int("said", tsdb_compact(db, &err), ERR_CORRUPT);
	check_int("nothing was joined", count_parts(db), PARTS);
	check_ok("the others", tsdb_compact(db, &err), &err);
	check_int("it and the others", count_parts(db), 2);
	char *rest = probe_dump(tsdb_queryable(db), NULL, 0, START_MS + PER_PART * STEP_MS, INT64_MAX);
	size_t n = 0;
	for (const char *p = rest; (p = strchr(p + 1, '=')) != NULL;)
		n++;
	check_int("samples of the others", n, (PARTS * PER_PART + 2) * SERIES);
	free(rest);
	tsdb_close(db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

/* --- windows ----------------------------------------------------------------------------------------------------- */

struct windows {
	const char *parts_dir;
	int64_t closed_ms, oldest_ms;
	uint64_t late;
};

static int look_at_part(void *arg, const char *name, bool is_dir)
{
	(void)is_dir;
	struct windows *w = arg;
	struct part_meta m;
	struct err err;
	char *path = xasprintf("%s/%s/meta", w->parts_dir, name);
	check_ok("meta", part_meta_read(probe_fs(), path, &m, &err), &err);
	int64_t range_ms = m.level == 2 ? 24 * HOUR_MS : 2 * HOUR_MS;
	if (m.max_t_ms < w->closed_ms)
		check_int("its window", m.min_t_ms / range_ms, m.max_t_ms / range_ms);
	w->oldest_ms = m.min_t_ms < w->oldest_ms ? m.min_t_ms : w->oldest_ms;
	w->late += m.out_of_order;
	free(path);
	return 0;
}

static struct windows look_at_parts(const char *dir, int64_t closed_ms)
{
	struct err err;
	char *parts = xasprintf("%s/parts", dir);
	struct windows w = {parts, closed_ms, INT64_MAX, 0};
	check_ok("list", fs_list(probe_fs(), parts, look_at_part, &w, &err), &err);
	free(parts);
	return w;
}

/* A sample a minute, and each hour some that are up to ten hours late; then only twelve hours are kept. */
static void parts_keep_to_their_windows(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct err err;
	struct clock *clock = clock_virtual_new(START_MS);
	struct scheduler *scheduler = scheduler_new(clock, NULL);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct tsdb_options o = {
	    .future_limit_ms = -1, .scheduler = scheduler, .out_of_order_ms = 24 * HOUR_MS};
	struct tsdb *db = probe_open(dir, clock, &o);
	const struct labels *labels = labels_of(arena, "__name__", "m", NULL);
	const int64_t end_ms = START_MS + 40 * HOUR_MS + HOUR_MS / 3;
	size_t n = 0;
	for (int64_t t = START_MS; t < end_ms; t += 60000, n++) {
		probe_add(db, labels, t, 1);
		for (int64_t late = t % HOUR_MS == 0 && t > START_MS + 11 * HOUR_MS ? 10 : 0; late > 0;
		     late--, n++)
			probe_add(db, labels, t - late * HOUR_MS + 1 + t / HOUR_MS % 50, 2);
		scheduler_run_until(scheduler, t);
	}
	struct windows w = look_at_parts(dir, end_ms - 12 * HOUR_MS);
	check_int("nothing went", w.oldest_ms, START_MS);
	char *text = dump(db);
	for (const char *p = text; (p = strchr(p + 1, ' ')) != NULL;)
		n--;
	check_int("every sample is there", n, 0);
	tsdb_set_retention(db, 12 * HOUR_MS, 0, 0);
	scheduler_run_until(scheduler, end_ms + 60000);
	w = look_at_parts(dir, end_ms - 12 * HOUR_MS);
	check_true("the day is kept", w.oldest_ms >= START_MS + 24 * HOUR_MS);
	check_ok("sealed", tsdb_seal_all(db, &err), &err);
	free(text);
	tsdb_close(db);
	arena_free(arena);
	scheduler_free(scheduler);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

/* --- a disk that fails ------------------------------------------------------------------------------------------- */

struct bad_disk {
	uint64_t calls, from, to; /* calls that fail; 0: none */
	bool reads_too;
};

static int fail_calls(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)path;
	struct bad_disk *d = arg;
	bool is_read = call == FS_CALL_READ || call == FS_CALL_LIST || call == FS_CALL_SIZE;
	if (call == FS_CALL_LOCK || (is_read && !d->reads_too))
		return 0;
	uint64_t number = ++d->calls;
	if (d->from && number >= d->from && number <= d->to) {
		if (call == FS_CALL_WRITE && number == d->from)
			*n /= 2;
		return ENOSPC;
	}
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

/* Opens the store in `dir`, joins its parts while calls from the `first` on fail, `n` of them. True: that many were made. */
static bool compact_on(const char *dir, struct clock *clock, uint64_t first, uint64_t n, const char *want)
{
	struct bad_disk disk = {.reads_too = true};
	struct fs *fs = fs_faulty_new(fail_calls, &disk);
	struct tsdb_options o = {.path = dir, .clock = clock, .fs = fs, .future_limit_ms = -1};
	struct tsdb *db;
	struct err err;
	check_ok("open", tsdb_open(&o, &db, &err), &err);
	disk.reads_too = false;
	disk.calls = 0;
	disk.from = first;
	disk.to = n > UINT64_MAX - first ? UINT64_MAX : first + n - 1;
	int rc = tsdb_compact(db, &err);
	bool was_reached = disk.calls >= first;
	check_dump("while it runs on", db, want);
	if (n == 1 && was_reached) {
		disk.from = 0;
		check_true("a failure says something", rc == 0 || err.msg[0]);
		check_ok("once more", tsdb_compact(db, &err), &err);
		check_int("one part", count_parts(db), 1);
		check_dump("after the second attempt", db, want);
	}
	tsdb_close(db);
	fs_faulty_free(fs);
	return was_reached;
}

/* What becomes of the list of parts between two lives. */
enum loss { KEPT, GONE, TORN, FIRST_RECORD_BENT, LOSSES };

static void lose_manifest(const char *dir, enum loss how)
{
	char *path = xasprintf("%s/manifest", dir);
	struct err err;
	size_t n;
	char *bytes = test_read_file(path, &n);
	if (how == GONE)
		check_ok("unlink", fs_unlink(probe_fs(), path, &err), &err);
	if (how == TORN)
		check_ok("cut", fs_write_file(probe_fs(), path, slice_of(bytes, n - 1), &err), &err);
	if (how == FIRST_RECORD_BENT) {
		bytes[20] = (char)(bytes[20] ^ 8);
		check_ok("bend", fs_write_file(probe_fs(), path, slice_of(bytes, n), &err), &err);
	}
	free(bytes);
	free(path);
}

static void fail_at_every_call(uint64_t n, bool lose)
{
	struct clock *clock = clock_virtual_new(START_MS);
	bool was_reached = true;
	for (uint64_t first = 1; was_reached; first++) {
		char *dir = test_tmpdir();
		struct tsdb *db = make_store(dir, clock);
		struct err err;
		check_ok("delete",
		    tsdb_delete(db, NULL, 0, START_MS + 5 * STEP_MS, START_MS + 30 * STEP_MS, &err), &err);
		char *want = dump(db);
		tsdb_close(db);
		was_reached = compact_on(dir, clock, first, n, want);
		if (lose)
			lose_manifest(dir, (enum loss)(first % LOSSES));
		db = probe_open(dir, clock, &options);
		check_dump("after the next start", db, want);
		check_int("no folder too many", count_folders(dir), count_parts(db));
		tsdb_close(db);
		free(want);
		test_tmpdir_done(dir);
	}
	clock_virtual_free(clock);
}

static void a_disk_that_stops_loses_nothing(void **state)
{
	(void)state;
	fail_at_every_call(UINT64_MAX, false);
}

static void a_call_that_fails_is_tried_again(void **state)
{
	(void)state;
	fail_at_every_call(1, false);
}

/* Whichever parts a crash leaves: what was joined is not there twice, and what was deleted does not come back. */
static void a_lost_manifest_is_made_again(void **state)
{
	(void)state;
	fail_at_every_call(UINT64_MAX, true);
}

TEST_MAIN("compact store", cmocka_unit_test(parts_become_one), cmocka_unit_test(a_reader_keeps_the_old_parts),
    cmocka_unit_test(the_timer_joins_what_is_complete), cmocka_unit_test(a_damaged_part_stands_alone),
    cmocka_unit_test(a_disk_that_stops_loses_nothing), cmocka_unit_test(a_call_that_fails_is_tried_again),
    cmocka_unit_test(parts_keep_to_their_windows), cmocka_unit_test(a_lost_manifest_is_made_again))
