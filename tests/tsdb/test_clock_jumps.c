/* The system's clock is set, by hours, forwards and back, while the store runs and while it does not: nothing is lost, sealing
 * and cutting the log go on, the next sample is taken. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include <stdlib.h>
#include <string.h>

#define HOUR_MS  INT64_C(3600000)
#define START_MS INT64_C(1700000000000)
enum { STEPS = 6, SAMPLES = 40 };

struct fixture {
	char *dir;
	struct clock *clock;
	struct tsdb *db;
	struct arena *arena;
	int added;
};

static void open_at(struct fixture *f, int64_t now_ms)
{
	static const struct tsdb_options o = {
	    .wal_segment_bytes = 4096, .retention_ms = 15 * 24 * HOUR_MS, .seal_interval_ms = HOUR_MS / 2};
	f->clock = clock_virtual_new(now_ms);
	f->db = probe_open(f->dir, f->clock, &o);
}

static void close_store(struct fixture *f)
{
	tsdb_close(f->db);
	clock_virtual_free(f->clock);
}

/* Samples whose times go on, as those of a sender with a good clock. */
static void add(struct fixture *f)
{
	struct err err;
	for (int i = 0; i < SAMPLES; i++, f->added++) {
		const struct labels *l =
		    labels_of(f->arena, "__name__", "m", "n", arena_printf(f->arena, "%d", i % 7).ptr, NULL);
		check_int("add", probe_add(f->db, l, START_MS + f->added, f->added), APPEND_OK);
	}
	check_ok("sync", tsdb_sync(f->db, &err), &err);
}

static void check_all(struct fixture *f, const char *when)
{
	char *dump = probe_dump(tsdb_queryable(f->db), NULL, 0, INT64_MIN, INT64_MAX);
	int n = 0;
	for (const char *p = dump; (p = strstr(p, " 17000")); p++)
		n++;
	check_int(when, n, f->added);
	free(dump);
}

/* The store looks after itself at these times, as its timer does when the clock is set under it. */
static void maintain_at(struct fixture *f, int64_t now_ms)
{
	struct err err;
	check_ok("maintain", tsdb_maintain(f->db, now_ms, &err), &err);
}

static const int64_t jumps[][STEPS] = {
    {0, 5 * HOUR_MS, 0, 5 * HOUR_MS, 0, 1}, {0, -5 * HOUR_MS, 0, -5 * HOUR_MS, HOUR_MS, 0},
    {0, 1, -1, 2 * HOUR_MS, -2 * HOUR_MS, 24 * HOUR_MS},
    {0, -START_MS, 0, 365 * 24 * HOUR_MS, 0, 0}, /* 1970, then a year ahead */
};

static void the_clock_jumps_while_it_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		struct fixture f = {.dir = test_tmpdir(), .arena = arena_new(ARENA_NO_LIMIT)};
		struct tsdb_status s;
		open_at(&f, START_MS);
		for (int k = 0; k < STEPS; k++) {
			add(&f);
			maintain_at(&f, START_MS + jumps[i][k]);
			check_all(&f, "after a jump");
		}
		/* Time goes on from wherever it is: what is in memory is sealed, and the log is short. */
		maintain_at(&f, START_MS + jumps[i][STEPS - 1] + HOUR_MS);
		tsdb_status(f.db, &s);
		check_true("sealed", s.parts > 0);
		check_int("the log is cut", s.wal_segments, 1);
		check_all(&f, "after all");
		close_store(&f);
		open_at(&f, START_MS);
		check_all(&f, "after a start");
		add(&f);
		close_store(&f);
		arena_free(f.arena);
		test_tmpdir_done(f.dir);
	}
}

static void the_clock_jumps_between_two_starts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		struct fixture f = {.dir = test_tmpdir(), .arena = arena_new(ARENA_NO_LIMIT)};
		for (int k = 0; k < STEPS; k++) {
			/* A clock that is behind refuses samples of its future: that is another test. */
			int64_t now_ms = START_MS + (jumps[i][k] > 0 ? jumps[i][k] : 0);
			struct err err;
			open_at(&f, START_MS + jumps[i][k]);
			check_all(&f, "after a start");
			if (jumps[i][k] >= 0 && jumps[i][k] < 24 * HOUR_MS)
				add(&f);
			maintain_at(&f, now_ms);
			if (k % 2)
				check_ok("seal", tsdb_seal_all(f.db, &err), &err);
			check_all(&f, "before the end");
			close_store(&f);
		}
		arena_free(f.arena);
		test_tmpdir_done(f.dir);
	}
}

TEST_MAIN("tsdb clock jumps", cmocka_unit_test(the_clock_jumps_while_it_runs),
    cmocka_unit_test(the_clock_jumps_between_two_starts))
