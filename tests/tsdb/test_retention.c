/* What goes when there is too much: by time, by bytes, by percent of the file system; the oldest first, and counted. */
#include "base/clock.h"
#include "base/counters.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
enum { PARTS = 5, HOUR_MS = 3600000 };

struct fixture {
	char *dir;
	struct arena *arena;
	struct clock *clock;
	struct tsdb *db;
	uint64_t by_time, by_size;
};

/* PARTS parts, an hour each. */
static void fixture_init(struct fixture *f)
{
	struct err err;
	struct tsdb_options o = {.future_limit_ms = -1};
	f->dir = test_tmpdir();
	f->arena = arena_new(ARENA_NO_LIMIT);
	f->clock = clock_virtual_new(START_MS + PARTS * HOUR_MS);
	f->db = probe_open(f->dir, f->clock, &o);
	const struct labels *labels = labels_of(f->arena, "__name__", "m", NULL);
	for (int64_t i = 0; i < PARTS; i++) {
		for (int64_t minute = 0; minute < 60; minute++)
			probe_add(f->db, labels, START_MS + i * HOUR_MS + minute * 60000, (double)minute);
		check_ok("seal", tsdb_seal_all(f->db, &err), &err);
	}
	/* The size of the log counts: nothing of it may be on its way. */
	check_ok("sync", tsdb_sync(f->db, &err), &err);
	f->by_time = counter_get(M_TSDB_TIME_RETENTIONS);
	f->by_size = counter_get(M_TSDB_SIZE_RETENTIONS);
}

static void fixture_done(struct fixture *f)
{
	tsdb_close(f->db);
	clock_virtual_free(f->clock);
	arena_free(f->arena);
	test_tmpdir_done(f->dir);
}

static struct tsdb_status maintained(struct fixture *f)
{
	struct tsdb_status s;
	struct err err;
	check_ok("maintain", tsdb_maintain(f->db, START_MS + PARTS * HOUR_MS, &err), &err);
	tsdb_status(f->db, &s);
	return s;
}

static void check_counts(const struct fixture *f, uint64_t by_time, uint64_t by_size)
{
	check_int("by time", counter_get(M_TSDB_TIME_RETENTIONS) - f->by_time, by_time);
	check_int("by size", counter_get(M_TSDB_SIZE_RETENTIONS) - f->by_size, by_size);
}

static void by_time(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	check_int("all", maintained(&f).parts, PARTS);
	tsdb_set_retention(f.db, 2 * HOUR_MS, 0, 0);
	check_int("the newest", maintained(&f).parts, 3);
	check_int("which begin", maintained(&f).min_t_ms, START_MS + 2 * HOUR_MS);
	check_counts(&f, 2, 0);
	fixture_done(&f);
}

static void by_bytes(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct tsdb_status s = maintained(&f);
	tsdb_set_retention(f.db, 0, s.wal_bytes + s.part_bytes, 0);
	check_int("just enough", maintained(&f).parts, PARTS);
	tsdb_set_retention(f.db, 0, s.wal_bytes + s.part_bytes - 1, 0);
	check_int("a byte less", maintained(&f).parts, PARTS - 1);
	check_int("the oldest went", maintained(&f).min_t_ms, START_MS + HOUR_MS);
	tsdb_set_retention(f.db, 0, s.wal_bytes + s.part_bytes / 2, 0);
	check_int("half", maintained(&f).parts, PARTS / 2);
	check_counts(&f, 0, PARTS - PARTS / 2);
	fixture_done(&f);
}

/* A sample exactly as old as that is kept, and its part with it. */
static void to_the_millisecond(void **state)
{
	(void)state;
	static const struct {
		int64_t retention_ms;
		uint64_t left;
	} cases[] = {
	    /* The newest sample is at 4:59, the newest ones of the parts before it an hour earlier each. */
	    {0, PARTS},
	    {4 * HOUR_MS, PARTS},
	    {4 * HOUR_MS - 1, PARTS - 1},
	    {3 * HOUR_MS, PARTS - 1},
	    {3 * HOUR_MS - 1, PARTS - 2},
	    {1, 1},
	    {INT64_MAX, PARTS},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		fixture_init(&f);
		tsdb_set_retention(f.db, cases[i].retention_ms, 0, 0);
		check_int("parts", maintained(&f).parts, cases[i].left);
		check_int("again", maintained(&f).parts, cases[i].left);
		check_counts(&f, PARTS - cases[i].left, 0);
		fixture_done(&f);
	}
}

struct sum {
	const char *dir;
	uint64_t bytes;
};

static int add_size(void *arg, const char *name, bool is_dir)
{
	struct sum *s = arg;
	char *path = xasprintf("%s/%s", s->dir, name);
	struct sum below = {.dir = path};
	struct err err;
	if (is_dir) {
		check_ok("list", fs_list(probe_fs(), path, add_size, &below, &err), &err);
	} else {
		size_t n;
		free(test_read_file(path, &n));
		below.bytes = n;
	}
	s->bytes += below.bytes;
	free(path);
	return 0;
}

/* What the store says that its parts take is what their files take, tombstones included. */
static void parts_are_counted_to_the_byte(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f);
	for (int round = 0; round < 3; round++) {
		char *parts = xasprintf("%s/parts", f.dir);
		struct sum s = {.dir = parts};
		check_ok("list", fs_list(probe_fs(), parts, add_size, &s, &err), &err);
		check_int("bytes", maintained(&f).part_bytes, s.bytes);
		free(parts);
		if (round == 0)
			check_ok("delete",
			    tsdb_delete(f.db, NULL, 0, START_MS + HOUR_MS / 2, START_MS + 2 * HOUR_MS, &err),
			    &err);
		else
			check_ok("compact", tsdb_compact(f.db, &err), &err);
	}
	fixture_done(&f);
}

static void by_percent(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	tsdb_set_retention(f.db, 0, 1, 100);
	check_int("percent counts before bytes", maintained(&f).parts, PARTS);
	tsdb_set_retention(f.db, 0, 0, 1e-8);
	check_int("next to nothing", maintained(&f).parts, 0);
	check_counts(&f, 0, PARTS);
	fixture_done(&f);
}

/* What is too old to be taken follows, both ways. */
static void refuses_what_would_go(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	const struct labels *other = labels_of(f.arena, "__name__", "other", NULL);
	int64_t now_ms = START_MS + PARTS * HOUR_MS;
	tsdb_set_retention(f.db, HOUR_MS, 0, 0);
	check_int("too old", probe_add(f.db, other, now_ms - HOUR_MS - 1, 1), APPEND_EXPIRED);
	check_int("old enough", probe_add(f.db, other, now_ms - HOUR_MS, 1), APPEND_OK);
	tsdb_set_retention(f.db, 3 * HOUR_MS, 0, 0);
	const struct labels *third = labels_of(f.arena, "__name__", "third", NULL);
	check_int("not too old any more", probe_add(f.db, third, now_ms - 2 * HOUR_MS, 1), APPEND_OK);
	fixture_done(&f);
}

TEST_MAIN("retention", cmocka_unit_test(by_time), cmocka_unit_test(by_bytes), cmocka_unit_test(by_percent),
    cmocka_unit_test(to_the_millisecond), cmocka_unit_test(parts_are_counted_to_the_byte),
    cmocka_unit_test(refuses_what_would_go))
