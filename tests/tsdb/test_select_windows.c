/* Reading for windows that are far apart: whatever the store leaves out, what the windows see has to be what they see of a
 * series that was read as a whole. */
#include "base/clock.h"
#include "tests/tsdb/store_probe.h"
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
enum { SAMPLES = 6000, STEP_MS = 15000, ROUNDS = 200 };

struct fixture {
	char *dir;
	struct clock *clock;
	struct arena *arena;
	struct tsdb *db;
	struct test_random random;
	int64_t end_ms;
};

static void fixture_fill(struct fixture *f)
{
	const struct labels *labels = labels_of(f->arena, "__name__", "x", NULL);
	struct appendable *door = tsdb_appendable(f->db);
	struct append_stats stats;
	struct appender *a;
	struct err err;
	int64_t t_ms = START_MS;
	for (int k = 0; k < SAMPLES; k++) {
		struct sample s = {.t_ms = t_ms, .v = k};
		check_ok("begin", door->begin(door, &a, &err), &err);
		check_ok("series", a->ops->add_series(a, NULL, labels, &s.ref, &err), &err);
		check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
		check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
		f->end_ms = t_ms;
		/* Now and then jitter, or a gap. */
		t_ms += STEP_MS + (int64_t)test_random_below(&f->random, 3);
		if (test_random_below(&f->random, 500) == 0)
			t_ms += (int64_t)test_random_below(&f->random, 40000000);
		if (k % 2000 == 1500)
			check_ok("seal", tsdb_seal_all(f->db, &err), &err);
	}
}

/* The samples that some window sees, as text. */
static char *seen(const struct sample_column *c, const struct select_hints *h, int64_t window_ms)
{
	struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; i < c->n; i++) {
		if (c->t[i] >= h->start_ms && c->t[i] <= h->end_ms &&
		    (h->end_ms - c->t[i]) % h->step_ms < window_ms)
			strbuf_addf(&out, "%lld=%g ", (long long)c->t[i], c->v[i]);
	}
	return strbuf_take(&out);
}

static void read_series(struct fixture *f, const struct select_hints *hints, struct sample_column *c)
{
	struct queryable *store = tsdb_queryable(f->db);
	struct series_set *set;
	struct querier *q;
	struct err err;
	check_ok("open", store->open(store, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("select", q->ops->select(q, f->arena, NULL, 0, false, hints, &set, &err), &err);
	sample_column_reset(c);
	for (size_t i = 0; i < set->n; i++)
		check_ok("read", set->ops->read(set, i, c, &err), &err);
	q->ops->close(q);
}

static int64_t below(struct fixture *f, int64_t n)
{
	return (int64_t)test_random_below(&f->random, (uint64_t)n);
}

static void sees_the_same(void **state)
{
	(void)state;
	struct fixture f = {.arena = arena_new(ARENA_NO_LIMIT), .dir = test_tmpdir()};
	struct sample_column whole, sparse;
	size_t left_out = 0;
	test_random_init(&f.random);
	f.clock = clock_virtual_new(START_MS + INT64_C(100000000000));
	f.db = probe_open(f.dir, f.clock, NULL);
	fixture_fill(&f);
	sample_column_init(&whole, f.arena);
	sample_column_init(&sparse, f.arena);
	for (int k = 0; k < ROUNDS; k++) {
		int64_t span_ms = f.end_ms - START_MS, window_ms = 1 + below(&f, 900000);
		struct select_hints hints = {.end_ms = START_MS + below(&f, span_ms + 3600000)};
		hints.start_ms = hints.end_ms - below(&f, span_ms);
		hints.step_ms = 2 * window_ms + below(&f, k % 2 ? 7200000 : 200000000);
		read_series(&f, &hints, &whole);
		hints.window_ms = window_ms;
		read_series(&f, &hints, &sparse);
		char *got = seen(&sparse, &hints, window_ms), *want = seen(&whole, &hints, window_ms);
		check_str("what windows see", slice_cstr(got), want);
		left_out += whole.n - sparse.n;
		free(got);
		free(want);
	}
	check_true("something was left out", left_out > 0);
	sample_column_done(&whole);
	sample_column_done(&sparse);
	tsdb_close(f.db);
	arena_free(f.arena);
	clock_virtual_free(f.clock);
	test_tmpdir_done(f.dir);
}

TEST_MAIN("select_windows", cmocka_unit_test(sees_the_same))
