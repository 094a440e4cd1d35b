/* Every call to the disk fails in turn, in every way it can: nothing acknowledged is lost, nothing is invented, the store
 * says clearly what it cannot do, and when the fault is gone it goes on. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "tests/lib/power_cut.h"
#include "tests/tsdb/store_probe.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700000000000)
enum { SERIES = 7, SAMPLES = 30, ROOM = 38, OLD_SAMPLES = 6, HOUR_MS = 3600 * 1000, WITHOUT_FAULT = 0 };

/* --- faults ---------------------------------------------------------------------------------------------------- */

enum fault_kind {
	ONE_FAILS,
	SOME_FAIL,
	DISK_FULL,
	SHORT_WRITE,
	POWER_CUT,      /* all that was not synced is gone */
	POWER_CUT_TORN, /* some of it is there */
	FAIL_THEN_CUT,  /* one call fails; the power goes when all is done */
};
static const char *const kind_names[] = {"one call fails", "some calls fail", "disk full", "short write",
    "power cut", "torn power cut", "a failure, then a power cut"};

struct plan {
	enum fault_kind kind;
	uint64_t at; /* the number of the call; WITHOUT_FAULT: never */
	_Atomic uint64_t calls;
	_Atomic bool hit, is_over;
};

static bool is_change(enum fs_call call)
{
	return call != FS_CALL_READ && call != FS_CALL_LIST && call != FS_CALL_SPACE &&
	       call != FS_CALL_SIZE && call != FS_CALL_LOCK;
}

/* The store looks for a snapshot of each of its 128 stripes; a few are enough. */
static bool is_counted(const char *path)
{
	const char *stripe = strstr(path, "/head/stripe-");
	return !stripe || strncmp(stripe + 13, "00", 2) == 0;
}

static int fail_by_kind(struct plan *p, enum fs_call call, uint64_t number, size_t *n)
{
	uint64_t since = number - p->at;
	switch (p->kind) {
	case ONE_FAILS:
	case FAIL_THEN_CUT:
		return since == 0 ? EIO : 0;
	case SOME_FAIL:
		return since < 6 ? EIO : 0;
	case DISK_FULL:
		return since < 12 && (call == FS_CALL_WRITE || call == FS_CALL_ALLOCATE ||
					 call == FS_CALL_MKDIR || call == FS_CALL_RENAME)
			   ? ENOSPC
			   : 0;
	case SHORT_WRITE:
		if (since != 0 || call != FS_CALL_WRITE)
			return 0;
		*n /= 2;
		return ENOSPC;
	case POWER_CUT:
	case POWER_CUT_TORN:
		if (since == 0 && call == FS_CALL_WRITE)
			*n /= 2;
		return is_change(call) ? EIO : 0;
	}
	return 0;
}

static int fault(void *arg, enum fs_call call, const char *path, size_t *n)
{
	struct plan *p = arg;
	if (!is_counted(path) || p->is_over)
		return 0;
	uint64_t number = ++p->calls;
	if (p->at == WITHOUT_FAULT || number < p->at)
		return 0;
	int answer = fail_by_kind(p, call, number, n);
	if (answer)
		p->hit = true;
	return answer;
}

/* --- a life of the store ----------------------------------------------------------------------------------------- */

struct life {
	const char *dir;
	struct clock *clock;
	struct fs *fs;
	struct tsdb *db;
	struct arena *arena;
	struct plan *plan;
	bool offered[ROOM]; /* samples */
	bool taken[ROOM];   /* and which of them are in memory at least */
	bool safe[ROOM];    /* and of which a sync said that they are on disk */
};

static struct tsdb_options options_of(const struct life *l)
{
	return (struct tsdb_options){.path = l->dir,
	    .clock = l->clock,
	    .fs = l->fs,
	    .wal_segment_bytes = 4096,
	    .retention_ms = 2 * HOUR_MS,
	    .future_limit_ms = -1};
}

static void open_store(struct life *l)
{
	struct err err;
	struct tsdb_options o = options_of(l);
	int rc = ERR_IO;
	memcpy(l->taken, l->safe, sizeof(l->taken));
	for (int i = 0; i < 16 && rc != 0; i++) {
		rc = tsdb_open(&o, &l->db, &err);
		if (rc != 0 && rc != ERR_IO)
			fail_msg("open says %d: %s", rc, err.msg);
	}
	if (rc != 0)
		l->db = NULL;
}

static double value_of(int i)
{
	return i * 1.5;
}

static int64_t time_of(int i)
{
	return START_MS + (i < OLD_SAMPLES ? -10 * HOUR_MS : 0) + i * INT64_C(1000);
}

static int note_result(struct append_stats *stats, int rc, const struct err *err)
{
	if (rc != 0 && rc != ERR_UNAVAILABLE && rc != ERR_IO)
		fail_msg("commit says %d: %s", rc, err->msg);
	return rc == 0 && stats->by_result[APPEND_OK] + stats->by_result[APPEND_REPEATED] == 1
		   ? 0
		   : ERR_UNAVAILABLE;
}

/* 0: it is in memory at least. */
static int add(struct life *l, int i)
{
	struct appendable *door = tsdb_appendable(l->db);
	struct appender *a;
	struct append_stats stats = {0};
	struct err err;
	series_ref ref;
	int rc = door->begin(door, &a, &err);
	if (rc != 0) {
		check_int("begin says", rc, ERR_UNAVAILABLE);
		return rc;
	}
	const struct labels *labels =
	    labels_of(l->arena, "__name__", "m", "n", arena_printf(l->arena, "%d", i % SERIES).ptr, NULL);
	check_ok("series", a->ops->add_series(a, NULL, labels, &ref, &err), &err);
	struct sample s = {.ref = ref, .t_ms = time_of(i), .v = value_of(i)};
	check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
	l->offered[i] = true;
	rc = a->ops->commit(a, &stats, NULL, NULL, &err);
	return note_result(&stats, rc, &err);
}

/* All that was taken is safe now, or an error. */
static int sync_all(struct life *l)
{
	struct err err;
	int rc = tsdb_sync(l->db, &err);
	if (rc == 0)
		memcpy(l->safe, l->taken, sizeof(l->safe));
	else if (rc != ERR_IO && rc != ERR_UNAVAILABLE)
		fail_msg("sync says %d: %s", rc, err.msg);
	return rc;
}

/* Adds a sample; a writer that is refused tries again, for a while, in which the store looks after itself. */
static bool insist(struct life *l, int i)
{
	struct err err;
	for (int tries = 0; tries < 16; tries++) {
		if (add(l, i) == 0) {
			l->taken[i] = true;
			if (sync_all(l) == 0)
				return true;
		} else {
			int rc = sync_all(l); /* wakes the writing thread, which tries again */
			rc = tsdb_maintain(l->db, clock_now_ms(l->clock), &err);
			if (rc != 0 && rc != ERR_IO)
				fail_msg("maintenance says %d: %s", rc, err.msg);
		}
	}
	return false;
}

static void restart(struct life *l)
{
	tsdb_close(l->db);
	open_store(l);
}

/* Old samples, sealed; then time passes and retention takes them; new samples, seals, a restart. False: the disk does not
 * come back. */
static bool live(struct life *l)
{
	struct err err;
	open_store(l);
	for (int i = 0; i < SAMPLES && l->db; i++) {
		if (i == OLD_SAMPLES)
			clock_virtual_set(l->clock, START_MS + HOUR_MS);
		if (!insist(l, i))
			return false;
		int rc = 0;
		if (i % 8 == 5)
			rc = tsdb_seal_all(l->db, &err);
		if (i % 8 == 6)
			rc = tsdb_maintain(l->db, clock_now_ms(l->clock), &err);
		if (rc != 0 && rc != ERR_IO)
			fail_msg("sealing says %d: %s", rc, err.msg);
		if (i == 17)
			restart(l);
	}
	return l->db != NULL;
}

/* --- what must be there ------------------------------------------------------------------------------------------ */

static void check_column(const struct sample_column *c, const struct life *l, bool *there)
{
	for (size_t k = 0; k < c->n; k++) {
		int64_t i = (c->t[k] - START_MS) / 1000;
		if (c->t[k] < START_MS - HOUR_MS)
			i = (c->t[k] - START_MS + 10 * HOUR_MS) / 1000;
		check_true("known", i >= 0 && i < ROOM && l->offered[i] && time_of((int)i) == c->t[k]);
		check_true("once", !there[i]);
		check_double("value", c->v[k], value_of((int)i));
		there[i] = true;
	}
}

static void count_note(void *arg, const char *note)
{
	(void)note;
	++*(int *)arg;
}

/* A part that could not be read when the store was opened, of which it says so, is missing until it is opened again. */
static void check_content(const struct life *l, const char *when)
{
	struct queryable *door = tsdb_queryable(l->db);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	struct err err;
	bool there[ROOM] = {0};
	int notes = 0;
	tsdb_start_notes(l->db, count_note, &notes);
	check_ok("querier", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("select", q->ops->select(q, arena, NULL, 0, false, NULL, &set, &err), &err);
	sample_column_init(&c, arena);
	for (size_t i = 0; i < set->n; i++) {
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		check_column(&c, l, there);
	}
	sample_column_done(&c);
	q->ops->close(q);
	arena_free(arena);
	for (int i = notes && l->fs != probe_fs() ? ROOM : OLD_SAMPLES; i < ROOM; i++)
		if (l->safe[i] && !there[i])
			fail_msg("%s, call %" PRIu64 ": sample %d is lost %s", kind_names[l->plan->kind],
			    l->plan->at, i, when);
}

/* The store of which the power went, or which was closed, opened on a sound disk. */
static void check_again(struct life *l)
{
	struct err err;
	l->fs = probe_fs();
	for (int again = 0; again < 2; again++) {
		open_store(l);
		check_true("opens again", l->db != NULL);
		check_content(l, "after the end");
		check_true("takes more", insist(l, SAMPLES + 2 + again));
		check_ok("seals", tsdb_seal_all(l->db, &err), &err);
		check_content(l, "after more");
		tsdb_close(l->db);
	}
}

/* True: the fault was met. */
static bool run(enum fault_kind kind, uint64_t at, struct test_random *random)
{
	char *dir = test_tmpdir();
	char *data = xasprintf("%s/data", dir);
	struct plan plan = {.kind = kind, .at = at};
	struct power_cut *disk = power_cut_new(dir, fault, &plan);
	struct life l = {.dir = data,
	    .clock = clock_virtual_new(START_MS - 10 * HOUR_MS),
	    .fs = power_cut_fs(disk),
	    .arena = arena_new(ARENA_NO_LIMIT),
	    .plan = &plan};
	bool lives = live(&l), cut = kind == POWER_CUT || kind == POWER_CUT_TORN;
	if (!cut) {
		plan.is_over = true;
		if (!lives)
			fail_msg("%s, call %" PRIu64 ": it does not go on", kind_names[kind], at);
		check_content(&l, "while it runs");
	}
	tsdb_close(l.db);
	if (cut || kind == FAIL_THEN_CUT)
		power_cut_apply(disk, kind == POWER_CUT ? NULL : random);
	clock_virtual_set(l.clock, START_MS + HOUR_MS);
	check_again(&l);
	power_cut_free(disk);
	arena_free(l.arena);
	clock_virtual_free(l.clock);
	free(data);
	test_tmpdir_done(dir);
	return plan.hit || plan.calls >= at;
}

/* One in a few of the calls, others each time; TEST_EVERY_CALL=1 takes all. */
static void every_call(enum fault_kind kind)
{
	struct test_random random;
	test_random_init(&random);
	uint64_t step = getenv("TEST_EVERY_CALL") ? 1 : 4;
	for (uint64_t at = 1 + test_random_below(&random, step); run(kind, at, &random); at += step) {
	}
}

static void any_call_may_fail(void **state)
{
	(void)state;
	every_call(ONE_FAILS);
}

static void calls_may_fail_for_a_while(void **state)
{
	(void)state;
	every_call(SOME_FAIL);
}

static void the_disk_may_be_full(void **state)
{
	(void)state;
	every_call(DISK_FULL);
	every_call(SHORT_WRITE);
}

static void the_power_may_go(void **state)
{
	(void)state;
	every_call(POWER_CUT);
	every_call(POWER_CUT_TORN);
}

static void the_power_may_go_after_a_failure(void **state)
{
	(void)state;
	every_call(FAIL_THEN_CUT);
}

/* --- a segment of the log that is made half ------------------------------------------------------------------------ */

struct half_made {
	_Atomic unsigned allocations, removals; /* so many are left that fail */
};

static int fail_making(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)n;
	struct half_made *h = arg;
	if (!strstr(path, "/wal/"))
		return 0;
	if (call == FS_CALL_ALLOCATE && h->allocations > 0) {
		h->allocations--;
		return EIO;
	}
	if (call == FS_CALL_UNLINK && h->removals > 0) {
		h->removals--;
		return EIO;
	}
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

/* The log grows into new segments, one of which could not be allocated, nor removed: the writing goes on. */
static void a_segment_made_half_is_passed(void **state)
{
	(void)state;
	struct half_made half = {0};
	struct fs *fs = fs_faulty_new(fail_making, &half);
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb_options o = {.fs = fs, .wal_segment_bytes = 4096, .future_limit_ms = -1};
	struct tsdb *db = probe_open(dir, clock, &o);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *labels = labels_of(arena, "__name__", "m", NULL);
	struct err err;
	half.allocations = half.removals = 1;
	for (int64_t i = 0; i < 400; i++) {
		check_int("append", probe_add(db, labels, START_MS + i, (double)i), APPEND_OK);
		int rc = ERR_IO;
		for (int tries = 0; tries < 16 && rc != 0; tries++)
			rc = tsdb_sync(db, &err);
		check_ok("sync", rc, &err);
	}
	check_int("it was met", half.removals, 0);
	tsdb_close(db);
	db = probe_open(dir, clock, &o);
	char *all = probe_dump(tsdb_queryable(db), NULL, 0, START_MS + 399, START_MS + 399);
	check_str("the last one", slice_cstr(all), "{__name__=\"m\"} 1700000000399=4078f00000000000\n");
	free(all);
	tsdb_close(db);
	arena_free(arena);
	clock_virtual_free(clock);
	fs_faulty_free(fs);
	test_tmpdir_done(dir);
}

/* --- a part that is ahead of the log -------------------------------------------------------------------------------- */

enum { RUNNING, SEALING, STOPPED };

/* When sealing has come to the series snapshots nothing changes any more. */
static int stop_at_snapshot(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)n;
	_Atomic int *state = arg;
	if (*state == SEALING && is_change(call) && strstr(path, "/head/stripe-"))
		*state = STOPPED;
	return *state == STOPPED && is_change(call) ? EIO : 0;
}

static void check_newest(struct tsdb *db, const char *want)
{
	char *newest = probe_dump_newest(tsdb_queryable(db), NULL, 0, START_MS, START_MS + 10);
	check_str("newest", slice_cstr(newest), want);
	free(newest);
}

/* The power goes when the part is there, before anything else says so: instant queries, which ask the head, know of it. */
static void the_head_knows_what_parts_have(void **state)
{
	const enum wal_sync *sync = *state;
	struct err err;
	_Atomic int disk_state = RUNNING;
	char *dir = test_tmpdir(), *data = xasprintf("%s/data", dir);
	struct clock *clock = clock_virtual_new(START_MS);
	struct power_cut *disk = power_cut_new(dir, stop_at_snapshot, &disk_state);
	struct tsdb_options o = {.fs = power_cut_fs(disk), .wal_sync = *sync};
	struct tsdb *db = probe_open(data, clock, &o);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *old = labels_of(arena, "__name__", "old", NULL);
	check_int("old", probe_add(db, old, START_MS, 1), APPEND_OK);
	check_ok("seal", tsdb_seal_all(db, &err), &err);
	check_int("newer", probe_add(db, old, START_MS + 1, 2), APPEND_OK);
	check_int(
	    "young", probe_add(db, labels_of(arena, "__name__", "young", NULL), START_MS + 1, 3), APPEND_OK);
	disk_state = SEALING;
	check_int("the snapshot fails", tsdb_seal_all(db, &err), ERR_IO);
	tsdb_close(db);
	power_cut_apply(disk, NULL);
	db = probe_open(data, clock, NULL);
	check_newest(db, "{__name__=\"old\"} 1700000000001=4000000000000000\n"
			 "{__name__=\"young\"} 1700000000001=4008000000000000\n");
	tsdb_close(db);
	power_cut_free(disk);
	arena_free(arena);
	clock_virtual_free(clock);
	free(data);
	test_tmpdir_done(dir);
}

static enum wal_sync always = WAL_SYNC_ALWAYS, interval = WAL_SYNC_INTERVAL, off = WAL_SYNC_OFF;

TEST_MAIN("tsdb faults", cmocka_unit_test(any_call_may_fail), cmocka_unit_test(calls_may_fail_for_a_while),
    cmocka_unit_test(the_disk_may_be_full), cmocka_unit_test(the_power_may_go),
    cmocka_unit_test(the_power_may_go_after_a_failure), cmocka_unit_test(a_segment_made_half_is_passed),
    cmocka_unit_test_prestate(the_head_knows_what_parts_have, &always),
    cmocka_unit_test_prestate(the_head_knows_what_parts_have, &interval),
    cmocka_unit_test_prestate(the_head_knows_what_parts_have, &off))
