/* What survives: the log cut at every byte, flipped bits, and a process that is killed while it appends and seals. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/wal_segment.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS INT64_C(1700000000000)
enum { SERIES = 7, CYCLES = 20 };

static const struct tsdb_options small = {.wal_segment_bytes = 1 << 20, .future_limit_ms = -1};

static const struct labels *labels_number(struct arena *arena, uint64_t i)
{
	return labels_of(arena, "__name__", "m", "n", arena_printf(arena, "%" PRIu64, i).ptr, NULL);
}

/* --- a log cut anywhere ---------------------------------------------------------------------------------------- */

enum { CUT_SAMPLES = 24 };

/* A store whose log holds CUT_SAMPLES transactions of one sample; returns the bytes of its segment. */
static char *make_small_log(const char *dir, struct clock *clock, size_t *len)
{
	struct err err;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct tsdb *db = probe_open(dir, clock, &small);
	for (uint64_t i = 0; i < CUT_SAMPLES; i++) {
		check_int("add",
		    probe_add(
			db, labels_number(arena, i % SERIES), START_MS + (int64_t)i * 1000, (double)i * 1.5),
		    APPEND_OK);
		check_ok("sync", tsdb_sync(db, &err), &err);
	}
	tsdb_close(db);
	arena_free(arena);
	char *wal = xasprintf("%s/wal", dir), *path = wal_segment_path(wal, 1);
	char *bytes = test_read_file(path, len);
	assert_non_null(bytes);
	free(path);
	free(wal);
	return bytes;
}

static void write_segment(const char *dir, const char *bytes, size_t n)
{
	struct err err;
	char *wal = xasprintf("%s/wal", dir), *path = wal_segment_path(wal, 1);
	check_ok("folder", fs_mkdir(fs_real(), wal, &err), &err);
	check_ok("segment", fs_write_file(probe_fs(), path, slice_of(bytes, n), &err), &err);
	free(path);
	free(wal);
}

/* How many samples there are, each with its value; `all` has a bit for each. */
static uint64_t count_samples(struct tsdb *db, uint64_t *all)
{
	char *dump = probe_dump(tsdb_queryable(db), NULL, 0, INT64_MIN, INT64_MAX);
	uint64_t seen = 0, n = 0;
	for (const char *p = dump; (p = strchr(p, '=')); p++) {
		const char *t = p;
		while (t > dump && t[-1] >= '0' && t[-1] <= '9')
			t--;
		if (t == p || (t > dump && t[-1] != ' '))
			continue;
		uint64_t i = (uint64_t)(strtoll(t, NULL, 10) - START_MS) / 1000;
		check_true("bits", strtoull(p + 1, NULL, 16) == double_bits((double)i * 1.5));
		seen |= UINT64_C(1) << i;
		n++;
	}
	free(dump);
	*all = seen;
	return n;
}

/* The samples must be the first k of the log, for some k: returns it. */
static uint64_t count_prefix(struct tsdb *db)
{
	uint64_t seen, n = count_samples(db, &seen);
	check_int("a prefix", seen, (UINT64_C(1) << n) - 1);
	return n;
}

static void a_log_cut_at_every_byte_gives_a_prefix(void **state)
{
	(void)state;
	struct clock *clock = clock_virtual_new(START_MS + 100000);
	char *dir = test_tmpdir();
	char *origin = xasprintf("%s/origin", dir), *copy = xasprintf("%s/copy", dir);
	size_t len;
	char *bytes = make_small_log(origin, clock, &len);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	uint64_t before = 0;
	for (size_t n = 0; n <= len; n++) {
		struct err err;
		write_segment(copy, bytes, n);
		struct tsdb *db = probe_open(copy, clock, &small);
		uint64_t got = count_prefix(db);
		check_true("grows with the log", got >= before && got <= before + 1);
		before = got;
		/* And it goes on from there. */
		check_int("more", probe_add(db, labels_number(arena, 0), START_MS + 60000, 90), APPEND_OK);
		check_ok("sync", tsdb_sync(db, &err), &err);
		tsdb_close(db);
		if (n % 16 == 0) {
			db = probe_open(copy, clock, &small);
			check_int("again", probe_add(db, labels_number(arena, 0), START_MS + 60000, 90),
			    APPEND_REPEATED);
			tsdb_close(db);
		}
		check_ok("clean", fs_remove_tree(fs_real(), copy, &err), &err);
	}
	check_int("all of them", before, CUT_SAMPLES);
	arena_free(arena);
	free(bytes);
	free(copy);
	free(origin);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

static void count_note(void *arg, const char *note)
{
	(void)note;
	++*(int *)arg;
}

/* A damaged byte costs one record at most, which is a sample or the series that was new with it; it is told of, and never
 * kills. */
static void a_flipped_bit_is_noticed(void **state)
{
	(void)state;
	struct clock *clock = clock_virtual_new(START_MS + 100000);
	char *dir = test_tmpdir();
	char *origin = xasprintf("%s/origin", dir), *copy = xasprintf("%s/copy", dir);
	size_t len;
	struct test_random random;
	test_random_init(&random);
	char *bytes = make_small_log(origin, clock, &len);
	for (int round = 0; round < 200; round++) {
		struct err err;
		size_t at = test_random_below(&random, len);
		char bit = (char)(1 << test_random_below(&random, 8));
		bytes[at] ^= bit;
		write_segment(copy, bytes, len);
		bytes[at] ^= bit;
		struct tsdb *db;
		struct tsdb_options o = small;
		o.path = copy;
		o.fs = probe_fs();
		o.clock = clock;
		int rc = tsdb_open(&o, &db, &err);
		if (rc == 0) {
			int notes = 0;
			tsdb_start_notes(db, count_note, &notes);
			uint64_t seen, n = count_samples(db, &seen);
			check_true("a note or nothing lost", n == CUT_SAMPLES || notes > 0);
			check_true("few are lost", n + (CUT_SAMPLES - 1) / SERIES + 1 >= CUT_SAMPLES);
			tsdb_close(db);
		} else {
			check_int("a version of the future", rc, ERR_UNSUPPORTED);
		}
		check_ok("clean", fs_remove_tree(fs_real(), copy, &err), &err);
	}
	free(bytes);
	free(copy);
	free(origin);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

/* --- a disk that stops ------------------------------------------------------------------------------------------- */

struct dying_disk {
	uint64_t calls, alive_for;
};

/* From one call on nothing that changes the disk works. Syncs are pretended until then. */
static int stop_disk(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)path;
	struct dying_disk *d = arg;
	if (call == FS_CALL_READ || call == FS_CALL_LIST || call == FS_CALL_SPACE || call == FS_CALL_SIZE ||
	    call == FS_CALL_LOCK)
		return 0;
	uint64_t number = __atomic_add_fetch(&d->calls, 1, __ATOMIC_RELAXED);
	if (number == d->alive_for && call == FS_CALL_WRITE)
		*n /= 2;
	if (number >= d->alive_for)
		return EIO;
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

/* Appends, syncs, seals, again and again; returns how many samples were safe when the disk stopped. */
static uint64_t run_until_it_stops(const char *dir, struct clock *clock, struct fs *fs)
{
	struct err err;
	struct tsdb *db;
	struct tsdb_options o = {
	    .path = dir, .clock = clock, .fs = fs, .wal_segment_bytes = 4096, .future_limit_ms = -1};
	uint64_t safe = 0;
	if (tsdb_open(&o, &db, &err) != 0)
		return 0;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (uint64_t i = 0; i < CUT_SAMPLES; i++) {
		struct appendable *door = tsdb_appendable(db);
		struct appender *a;
		series_ref ref;
		if (door->begin(door, &a, &err) != 0)
			break;
		check_ok("series", a->ops->add_series(a, NULL, labels_number(arena, i % SERIES), &ref, &err),
		    &err);
		struct sample s = {.ref = ref, .t_ms = START_MS + (int64_t)i * 1000, .v = (double)i * 1.5};
		check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
		if (a->ops->commit(a, NULL, NULL, NULL, &err) == 0 && tsdb_sync(db, &err) == 0)
			safe = i + 1;
		if (i % 8 == 7 && tsdb_seal_all(db, &err) != 0)
			break;
	}
	arena_free(arena);
	tsdb_close(db);
	return safe;
}

static void what_was_safe_survives_a_disk_that_stops(void **state)
{
	(void)state;
	struct clock *clock = clock_virtual_new(START_MS + 100000);
	for (uint64_t alive_for = 1;; alive_for++) {
		char *dir = test_tmpdir();
		struct dying_disk disk = {.alive_for = alive_for};
		struct fs *fs = fs_faulty_new(stop_disk, &disk);
		uint64_t safe = run_until_it_stops(dir, clock, fs);
		struct tsdb *db = probe_open(dir, clock, &small);
		uint64_t there = count_prefix(db);
		if (there < safe)
			fail_msg("stopped at call %" PRIu64 ": %" PRIu64 " were safe, %" PRIu64 " are there",
			    alive_for, safe, there);
		tsdb_close(db);
		fs_faulty_free(fs);
		test_tmpdir_done(dir);
		if (disk.calls < alive_for)
			break;
	}
	clock_virtual_free(clock);
}

/* --- kill -9 --------------------------------------------------------------------------------------------------- */

struct writer {
	int pipe;
	uint64_t number;
};

static void acknowledge(void *arg, int rc, const char *why)
{
	(void)why;
	struct writer *w = arg;
	if (rc == 0 && write(w->pipe, &w->number, sizeof(w->number)) != sizeof(w->number))
		_exit(3);
	free(w);
}

static void commit_number(struct tsdb *db, struct arena *arena, uint64_t number, int pipe)
{
	struct appendable *door = tsdb_appendable(db);
	struct appender *a;
	struct err err;
	series_ref ref;
	if (door->begin(door, &a, &err) != 0 ||
	    a->ops->add_series(a, NULL, labels_number(arena, number % SERIES), &ref, &err) != 0)
		_exit(4);
	struct sample s = {.ref = ref, .t_ms = START_MS + (int64_t)number, .v = (double)number};
	struct writer *w = xmalloc(sizeof(*w));
	*w = (struct writer){pipe, number};
	if (a->ops->append(a, &s, 1, NULL, &err) != 0 || a->ops->commit(a, NULL, acknowledge, w, &err) != 0)
		_exit(5);
}

static void child(const char *dir, struct clock *clock, uint64_t from, int pipe)
{
	struct err err;
	struct tsdb *db;
	struct tsdb_options o = {
	    .path = dir, .clock = clock, .wal_segment_bytes = 8192, .future_limit_ms = -1};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	if (tsdb_open(&o, &db, &err) != 0)
		_exit(2);
	for (uint64_t number = from;; number++) {
		commit_number(db, arena, number, pipe);
		arena_reset(arena);
		if (number % 97 == 96 && tsdb_seal_all(db, &err) != 0)
			_exit(6);
	}
}

/* Reads acknowledgements until `wanted` of them came, kills the child, reads the rest. Returns the largest. */
static uint64_t reap(pid_t pid, int pipe, uint64_t wanted, uint64_t last)
{
	uint64_t number;
	for (uint64_t i = 0; read(pipe, &number, sizeof(number)) == sizeof(number); i++) {
		last = number;
		if (i == wanted)
			kill(pid, SIGKILL);
	}
	int status;
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status))
		fail_msg("the writer ended by itself: status %d", WEXITSTATUS(status));
	return last;
}

/* All numbers from 1 to some n are there, each once, with its value: returns n. */
static uint64_t count_numbers(const char *dir, struct clock *clock)
{
	struct tsdb *db = probe_open(dir, clock, &small);
	struct queryable *door = tsdb_queryable(db);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	struct err err;
	uint64_t total = 0, largest = 0;
	check_ok("querier", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("select", q->ops->select(q, arena, NULL, 0, false, NULL, &set, &err), &err);
	sample_column_init(&c, arena);
	for (size_t i = 0; i < set->n; i++) {
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		for (size_t k = 0; k < c.n; k++) {
			check_true("value", c.v[k] == (double)(c.t[k] - START_MS));
			if ((uint64_t)(c.t[k] - START_MS) > largest)
				largest = (uint64_t)(c.t[k] - START_MS);
		}
		total += c.n;
	}
	sample_column_done(&c);
	q->ops->close(q);
	arena_free(arena);
	tsdb_close(db);
	check_int("no gaps", total, largest);
	return largest;
}

static void what_was_acknowledged_survives_kill(void **state)
{
	(void)state;
	struct test_random random;
	test_random_init(&random);
	struct clock *clock = clock_virtual_new(START_MS + 1000000);
	char *dir = test_tmpdir();
	uint64_t acknowledged = 0, there = 0;
	for (int cycle = 0; cycle < CYCLES; cycle++) {
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		uint64_t wanted = test_random_below(&random, 400);
		pid_t pid = fork();
		if (pid == 0) {
			close(ends[0]);
			child(dir, clock, there + 1, ends[1]);
		}
		close(ends[1]);
		acknowledged = reap(pid, ends[0], wanted, acknowledged);
		close(ends[0]);
		there = count_numbers(dir, clock);
		if (there < acknowledged)
			fail_msg("cycle %d: %" PRIu64 " was acknowledged, the last that is there is %" PRIu64,
			    cycle, acknowledged, there);
	}
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

TEST_MAIN("tsdb crash", cmocka_unit_test(a_log_cut_at_every_byte_gives_a_prefix),
    cmocka_unit_test(a_flipped_bit_is_noticed), cmocka_unit_test(what_was_safe_survives_a_disk_that_stops),
    cmocka_unit_test(what_was_acknowledged_survives_kill))
