/* A disk that fills up and gets room again, as far as the store sees it: what stops, what goes on, who is told. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/disk_room.h"
#include "tsdb/wal_segment.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700000000000)
enum { SEGMENT = 4096, RESERVE = 1 << 20, NO_LIMIT = 1 << 30 };

/* A disk as the store sees it. */
struct disk {
	_Atomic size_t room;  /* what it says is free */
	_Atomic bool is_full; /* nothing can be written or reserved but what stands in files already */
	_Atomic bool full_with_reserve; /* the same as long as data/reserve is there */
	char *reserve;
};

static int ask_disk(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)path;
	struct disk *d = arg;
	if (call == FS_CALL_SPACE) {
		*n = d->room;
		return 0;
	}
	if (call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR)
		return FS_PRETEND;
	bool full = d->is_full || (d->full_with_reserve && fs_exists(fs_real(), d->reserve));
	/* Preallocated segments take what they have room for. */
	bool is_log = strstr(path, "/wal/") != NULL;
	if (full && (call == FS_CALL_ALLOCATE || (call == FS_CALL_WRITE && !is_log)))
		return ENOSPC;
	return 0;
}

struct fixture {
	char *dir;
	struct clock *clock;
	struct disk disk;
	struct fs *fs;
	struct tsdb *db;
	struct arena *arena;
	uint64_t reserve_bytes;
	int bad, good; /* notices */
};

static void note(void *arg, bool is_bad, const char *text)
{
	struct fixture *f = arg;
	check_true("text", *text);
	f->bad += is_bad;
	f->good += !is_bad;
}

static void open_store(struct fixture *f)
{
	struct err err;
	struct tsdb_options o = {.path = f->dir,
	    .clock = f->clock,
	    .fs = f->fs,
	    .wal_segment_bytes = SEGMENT,
	    .future_limit_ms = -1,
	    .disk_reserve_bytes = f->reserve_bytes,
	    .notice = note,
	    .notice_arg = f};
	check_ok("open", tsdb_open(&o, &f->db, &err), &err);
}

static void fixture_init(struct fixture *f)
{
	*f = (struct fixture){.dir = test_tmpdir(),
	    .clock = clock_virtual_new(START_MS),
	    .disk = {.room = NO_LIMIT},
	    .reserve_bytes = RESERVE,
	    .arena = arena_new(ARENA_NO_LIMIT)};
	f->disk.reserve = xasprintf("%s/reserve", f->dir);
	f->fs = fs_faulty_new(ask_disk, &f->disk);
	open_store(f);
}

static void fixture_done(struct fixture *f)
{
	tsdb_close(f->db);
	fs_faulty_free(f->fs);
	arena_free(f->arena);
	clock_virtual_free(f->clock);
	free(f->disk.reserve);
	test_tmpdir_done(f->dir);
}

static struct tsdb_status status_of(struct fixture *f)
{
	struct tsdb_status s;
	tsdb_status(f->db, &s);
	return s;
}

static int begin(struct fixture *f, struct err *err)
{
	struct appendable *door = tsdb_appendable(f->db);
	struct appender *a;
	int rc = door->begin(door, &a, err);
	if (rc == 0)
		a->ops->rollback(a);
	return rc;
}

static void add(struct fixture *f, int i)
{
	const struct labels *l =
	    labels_of(f->arena, "__name__", "m", "n", arena_printf(f->arena, "%d", i % 7).ptr, NULL);
	check_int("add", probe_add(f->db, l, START_MS + i * 1000, i), APPEND_OK);
}

static void add_safely(struct fixture *f, int from, int to)
{
	struct err err;
	for (int i = from; i < to; i++) {
		add(f, i);
		check_ok("sync", tsdb_sync(f->db, &err), &err);
	}
}

static size_t count_samples(struct fixture *f)
{
	char *dump = probe_dump(tsdb_queryable(f->db), NULL, 0, INT64_MIN, INT64_MAX);
	size_t n = 0;
	for (const char *p = dump; (p = strstr(p, " 17000")); p++)
		n++;
	free(dump);
	return n;
}

static void maintain(struct fixture *f)
{
	struct err err;
	int rc = tsdb_maintain(f->db, clock_now_ms(f->clock), &err);
	if (rc != 0 && rc != ERR_IO)
		fail_msg("maintenance says %d: %s", rc, err.msg);
}

static void samples_are_refused_before_room_runs_out(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f);
	add_safely(&f, 0, 5);
	check_true("has a reserve", fs_exists(fs_real(), f.disk.reserve));
	f.disk.room = SEGMENT - 1;
	maintain(&f);
	check_int("refused", begin(&f, &err), ERR_UNAVAILABLE);
	check_true("says why", strstr(err.msg, "the disk is full") != NULL);
	check_true("status", status_of(&f).disk_full && status_of(&f).disk_free_bytes == SEGMENT - 1);
	check_int("told", f.bad, 1);
	/* A little more is not enough: it would go to and fro. */
	f.disk.room = SEGMENT + 1;
	maintain(&f);
	check_int("still refused", begin(&f, &err), ERR_UNAVAILABLE);
	f.disk.room = NO_LIMIT;
	maintain(&f);
	check_ok("taken again", begin(&f, &err), &err);
	check_true("status", !status_of(&f).disk_full);
	check_int("told once", f.bad, 1);
	check_int("told of the end", f.good, 1);
	add_safely(&f, 5, 9);
	check_int("all there", count_samples(&f), 9);
	fixture_done(&f);
}

static void a_long_log_is_made_short_in_time(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	tsdb_close(f.db);
	f.reserve_bytes = 0;
	open_store(&f);
	check_true("no reserve is wanted", !fs_exists(fs_real(), f.disk.reserve));
	add_safely(&f, 0, 800);
	uint64_t segments = status_of(&f).wal_segments, bytes = status_of(&f).wal_bytes;
	maintain(&f);
	check_int("nothing is due", status_of(&f).wal_segments, segments);
	/* Room for some segments, but not to write down all that the log holds. */
	f.disk.room = 3 * SEGMENT;
	check_true("longer than that", bytes > f.disk.room);
	maintain(&f);
	maintain(&f);
	check_int("sealed", status_of(&f).wal_segments, 1);
	check_true("and none refused", !status_of(&f).disk_full);
	check_int("all there", count_samples(&f), 800);
	fixture_done(&f);
}

static void sealing_goes_on_with_the_reserve(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f);
	add_safely(&f, 0, 400);
	f.disk.full_with_reserve = true;
	check_ok("seal", tsdb_seal_all(f.db, &err), &err);
	check_true("the reserve went", !fs_exists(fs_real(), f.disk.reserve));
	check_int("the log is cut", status_of(&f).wal_segments, 1);
	check_int("all there", count_samples(&f), 400);
	f.disk.full_with_reserve = false;
	maintain(&f);
	check_true("the reserve is back", fs_exists(fs_real(), f.disk.reserve));
	fixture_done(&f);
}

/* The next segment cannot be made: who waits is told, what was safe stays, and when there is room all goes on. */
static void a_log_without_a_next_segment_waits(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f);
	add_safely(&f, 0, 20);
	f.disk.is_full = true;
	int safe = 20, i = 20, rc = 0;
	for (; i < 1000 && rc == 0; i++) {
		add(&f, i);
		rc = tsdb_sync(f.db, &err);
		safe += rc == 0;
	}
	check_int("refused", rc, ERR_IO);
	check_int("begin", begin(&f, &err), ERR_UNAVAILABLE);
	check_true("status", status_of(&f).read_only);
	maintain(&f);
	check_true("full", status_of(&f).disk_full);
	f.disk.is_full = false;
	check_ok("written now", tsdb_sync(f.db, &err), &err);
	maintain(&f);
	check_ok("taken again", begin(&f, &err), &err);
	check_int("all there", count_samples(&f), (size_t)i);
	add_safely(&f, i, i + 5);
	tsdb_close(f.db);
	open_store(&f);
	check_int("after a restart", count_samples(&f), (size_t)i + 5);
	check_true("at least what was safe", i + 5 > safe);
	fixture_done(&f);
}

/* Sealing frees the log although nothing can be written to it. */
static void sealing_unlocks_a_full_log(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f);
	add_safely(&f, 0, 100);
	f.disk.full_with_reserve = true;
	int i = 100;
	for (int rc = 0; i < 1000 && rc == 0; i++) {
		add(&f, i);
		rc = tsdb_sync(f.db, &err);
	}
	check_true("it stopped", i < 1000);
	maintain(&f);
	check_true("the reserve went", !fs_exists(fs_real(), f.disk.reserve));
	check_ok("the log goes on", tsdb_sync(f.db, &err), &err);
	check_true("it was cut", status_of(&f).wal_segments <= 2);
	f.disk.full_with_reserve = false;
	maintain(&f);
	maintain(&f);
	add_safely(&f, i, i + 5);
	check_int("all there", count_samples(&f), (size_t)i + 5);
	fixture_done(&f);
}

static void it_opens_on_a_full_disk(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f);
	add_safely(&f, 0, 10);
	tsdb_close(f.db);
	f.disk.is_full = true;
	f.disk.room = 0;
	open_store(&f);
	check_int("all there", count_samples(&f), 10);
	check_int("refused", begin(&f, &err), ERR_UNAVAILABLE);
	check_true("status", status_of(&f).disk_full);
	f.disk.is_full = false;
	f.disk.room = NO_LIMIT;
	maintain(&f); /* wakes the log */
	check_ok("log", tsdb_sync(f.db, &err), &err);
	maintain(&f);
	check_ok("taken again", begin(&f, &err), &err);
	check_true("the reserve is back", fs_exists(fs_real(), f.disk.reserve));
	add_safely(&f, 10, 15);
	tsdb_close(f.db);
	open_store(&f);
	check_int("all there", count_samples(&f), 15);
	fixture_done(&f);
}

TEST_MAIN("tsdb disk full", cmocka_unit_test(samples_are_refused_before_room_runs_out),
    cmocka_unit_test(a_long_log_is_made_short_in_time), cmocka_unit_test(sealing_goes_on_with_the_reserve),
    cmocka_unit_test(a_log_without_a_next_segment_waits), cmocka_unit_test(sealing_unlocks_a_full_log),
    cmocka_unit_test(it_opens_on_a_full_disk))
