/* Of several values that a series was given at one time the first that was acknowledged is the one that is seen: in the head,
 * after sealing, joining, deleting, restarting, and in the parts themselves. Random samples, most of them late, at few times,
 * so that nearly all of them meet another; an array is the model. */
#include "base/clock.h"
#include "base/counters.h"
#include "model/stale_marker.h"
#include "tests/tsdb/store_probe.h"
#include <inttypes.h>
#include <stdlib.h>

enum { SERIES = 6, TIMES = 120, STEP_MS = 60000, ROUNDS = 1500 };
#define START_MS INT64_C(1700006400000)

static const struct tsdb_options options = {.wal_segment_bytes = 20000,
    .seal_interval_ms = 3600000,
    .future_limit_ms = -1,
    .out_of_order_ms = INT64_C(24) * 3600000};

struct world {
	struct test_random random;
	struct arena *arena;
	struct clock *clock;
	char *dir;
	struct tsdb *db;
	const struct labels *labels[SERIES];
	bool has[SERIES][TIMES];
	double v[SERIES][TIMES];
};

static int64_t time_of(size_t t)
{
	return START_MS + (int64_t)t * STEP_MS;
}

static void world_init(struct world *w)
{
	*w = (struct world){0};
	test_random_init(&w->random);
	w->arena = arena_new(ARENA_NO_LIMIT);
	w->clock = clock_virtual_new(START_MS);
	w->dir = test_tmpdir();
	w->db = probe_open(w->dir, w->clock, &options);
	for (size_t s = 0; s < SERIES; s++)
		w->labels[s] =
		    labels_of(w->arena, "__name__", "m", "n", arena_printf(w->arena, "%zu", s).ptr, NULL);
}

static void world_done(struct world *w)
{
	tsdb_close(w->db);
	clock_virtual_free(w->clock);
	arena_free(w->arena);
	test_tmpdir_done(w->dir);
}

static void check_all(struct world *w, const char *when)
{
	struct strbuf want = STRBUF_INIT;
	for (size_t s = 0; s < SERIES; s++) {
		bool any = false;
		for (size_t t = 0; t < TIMES; t++) {
			if (!w->has[s][t])
				continue;
			if (!any)
				labels_print(&want, w->labels[s]);
			any = true;
			strbuf_addf(&want, " %" PRId64 "=%" PRIx64, time_of(t), double_bits(w->v[s][t]));
		}
		if (any)
			strbuf_addch(&want, '\n');
	}
	char *got = probe_dump(tsdb_queryable(w->db), NULL, 0, INT64_MIN, INT64_MAX);
	check_str(when, slice_cstr(got), strbuf_cstr(&want));
	free(got);
	strbuf_done(&want);
}

static void add_one(struct world *w)
{
	size_t s = test_random_below(&w->random, SERIES), t = test_random_below(&w->random, TIMES);
	double v = (double)test_random_below(&w->random, 4);
	enum append_result r = probe_add(w->db, w->labels[s], time_of(t), v);
	if (!w->has[s][t]) {
		check_int("a new time", r, APPEND_OK);
		w->has[s][t] = true;
		w->v[s][t] = v;
	} else {
		/* Which of them: whether the first one is sealed, and what came since; the first one stays. */
		check_true("a known time", r == APPEND_OK || r == APPEND_REPEATED || r == APPEND_DUPLICATE);
	}
}

static void delete_some(struct world *w)
{
	struct err err;
	const struct matcher *m;
	size_t s = test_random_below(&w->random, SERIES), from = test_random_below(&w->random, TIMES),
	       to = from + test_random_below(&w->random, TIMES / 4);
	check_ok("matcher",
	    matcher_new(w->arena, MATCH_EQUAL, SL("n"), arena_printf(w->arena, "%zu", s), &m, &err), &err);
	check_ok("delete", tsdb_delete(w->db, &m, 1, time_of(from), time_of(to), &err), &err);
	for (size_t t = from; t <= to && t < TIMES; t++)
		w->has[s][t] = false;
}

static void restart(struct world *w)
{
	struct err err;
	check_ok("sync", tsdb_sync(w->db, &err), &err);
	tsdb_close(w->db);
	w->db = probe_open(w->dir, w->clock, &options);
}

static void one_step(struct world *w)
{
	struct err err;
	add_one(w);
	switch (test_random_below(&w->random, 60)) {
	case 0:
		check_ok("seal", tsdb_seal_all(w->db, &err), &err);
		check_all(w, "sealed");
		break;
	case 1:
		check_ok("compact", tsdb_compact(w->db, &err), &err);
		check_all(w, "joined");
		break;
	case 2:
		restart(w);
		check_all(w, "restarted");
		break;
	case 3:
		delete_some(w);
		check_all(w, "deleted");
		break;
	case 4:
		check_ok("clean", tsdb_clean_tombstones(w->db, &err), &err);
		check_all(w, "cleaned");
		break;
	case 5:
		check_all(w, "in the head");
		break;
	default:
		break;
	}
}

/* No two parts have a series at the same time: what is in them adds up to what is seen. */
static void check_parts(struct world *w)
{
	struct tsdb_status status;
	uint64_t seen = 0;
	for (size_t s = 0; s < SERIES; s++)
		for (size_t t = 0; t < TIMES; t++)
			seen += w->has[s][t];
	tsdb_status(w->db, &status);
	check_int("samples in parts", status.part_samples, seen);
}

static void the_first_value_stays(void **state)
{
	(void)state;
	struct world w;
	uint64_t conflicts = counter_get(M_TSDB_LATE_CONFLICTS);
	world_init(&w);
	for (int i = 0; i < ROUNDS; i++)
		one_step(&w);
	struct err err;
	check_ok("seal", tsdb_seal_all(w.db, &err), &err);
	check_all(&w, "at the end");
	check_ok("clean", tsdb_clean_tombstones(w.db, &err), &err);
	check_parts(&w);
	check_true("conflicts were met, and counted", counter_get(M_TSDB_LATE_CONFLICTS) > conflicts);
	world_done(&w);
}

TEST_MAIN("first value", cmocka_unit_test(the_first_value_stays))
