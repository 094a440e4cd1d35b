/* Instant queries that the head answers alone: newest samples and groups must be what reading each series and looking at its
 * labels says. Series of all kinds: ended, ahead of the time asked for, histograms, late and deleted samples, sealed ones. */
#include "base/clock.h"
#include "model/histogram.h"
#include "model/stale_marker.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/newest_set.h"
#include "tsdb/tsdb_priv.h"
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
enum { SERIES = 3000, STEP_MS = 15000, STEPS = 12, LOOKBACK_MS = 300000 };

struct fixture {
	char *dir;
	struct clock *clock;
	struct arena *arena;
	struct tsdb *db;
	struct test_random *random;
};

static const struct labels *labels_of_series(struct arena *a, size_t i)
{
	const char *job = arena_printf(a, "j%zu", i / 500).ptr, *code = i % 2 ? "200" : "500";
	const char *instance = arena_printf(a, "i%zu", i).ptr;

	if (i % 7 == 3)
		return labels_of(a, "__name__", "x", "code", code, "instance", instance, NULL);
	return labels_of(a, "__name__", "x", "code", code, "instance", instance, "job", job, NULL);
}

static const struct histogram *some_histogram(struct arena *a)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);
	h->count = h->zero_count = 1;
	h->zero_threshold = 1e-128;
	return h;
}

/* The series of one residue end early, of another go on ahead, of a third turn into histograms at the end. */
static void append_step(struct fixture *f, int64_t t_ms, bool is_last)
{
	struct appendable *door = tsdb_appendable(f->db);
	struct append_stats stats;
	struct appender *a;
	struct err err;
	check_ok("begin", door->begin(door, &a, &err), &err);
	for (size_t i = 0; i < SERIES; i++) {
		struct sample s = {.t_ms = t_ms, .v = (double)test_random_below(f->random, 1000)};
		if ((i % 11 == 4 && t_ms > START_MS) || (i % 11 == 5 && !is_last))
			continue;
		if (i % 11 == 6 && is_last)
			s.t_ms += LOOKBACK_MS;
		if (i % 11 == 7 && is_last)
			s.v = double_from_bits(UINT64_C(0x7ff0000000000002));
		check_ok(
		    "add", a->ops->add_series(a, NULL, labels_of_series(f->arena, i), &s.ref, &err), &err);
		if (i % 11 == 8 && is_last) {
			struct histogram_sample h = {
			    .ref = s.ref, .t_ms = s.t_ms, .h = some_histogram(f->arena)};
			check_ok("histogram", a->ops->append_histograms(a, &h, 1, NULL, &err), &err);
		} else {
			check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
		}
	}
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
}

static void fixture_fill(struct fixture *f, bool seal, bool delete)
{
	struct err err;
	for (int k = 0; k < STEPS; k++) {
		append_step(f, START_MS + k * STEP_MS, k == STEPS - 1);
		if (seal && k == STEPS - 2)
			check_ok("seal", tsdb_seal_all(f->db, &err), &err);
	}
	if (!delete)
		return;
	const struct matcher *m;
	check_ok("matcher", matcher_new(f->arena, MATCH_EQUAL, SL("job"), SL("j2"), &m, &err), &err);
	check_ok(
	    "delete", tsdb_delete(f->db, &m, 1, INT64_MIN, START_MS + (STEPS - 2) * STEP_MS, &err), &err);
}

static const char *text_of(struct arena *a, const struct sample_column *c)
{
	if (c->n == 0)
		return "nothing";
	if (c->h && c->h[c->n - 1])
		return arena_printf(a, "histogram @%lld", (long long)c->t[c->n - 1]).ptr;
	return arena_printf(a, "%a @%lld", c->v[c->n - 1], (long long)c->t[c->n - 1]).ptr;
}

/* What an engine makes of series i. */
static const char *newest_text(struct arena *a, struct series_set *s, size_t i, struct sample_column *c)
{
	struct newest_sample newest;
	struct err err;
	s->ops->newest(s, i, 1, &newest);
	if (newest.t_ms == NEWEST_NONE)
		return "nothing";
	if (newest.t_ms != NEWEST_READ)
		return arena_printf(a, "%a @%lld", newest.v, (long long)newest.t_ms).ptr;
	check_ok("read", s->ops->read(s, i, c, &err), &err);
	return text_of(a, c);
}

static struct series_set *select_newest(struct fixture *f, struct querier *q, int64_t t_ms, bool shortcut)
{
	struct select_hints hints = {
	    .start_ms = t_ms - LOOKBACK_MS + 1, .end_ms = t_ms, .newest_only = shortcut};
	struct series_set *s;
	struct err err;
	check_ok("select", q->ops->select(q, f->arena, NULL, 0, false, &hints, &s, &err), &err);
	return s;
}

static size_t place_of(struct fixture *f, struct series_set *s, const struct labels *labels)
{
	for (size_t i = 0; i < s->n; i++)
		if (labels_eq(s->ops->labels(s, i, f->arena), labels))
			return i;
	return s->n;
}

static void check_newest(struct fixture *f, struct querier *q, int64_t t_ms)
{
	struct series_set *newest = select_newest(f, q, t_ms, true), *all = select_newest(f, q, t_ms, false);
	struct sample_column c;
	struct err err;
	sample_column_init(&c, f->arena);
	assert_non_null(newest->ops->newest);
	for (size_t i = 0; i < all->n; i += 1 + test_random_below(f->random, 20)) {
		const struct labels *labels = all->ops->labels(all, i, f->arena);
		check_ok("read", all->ops->read(all, i, &c, &err), &err);
		const char *want = text_of(f->arena, &c);
		size_t at = place_of(f, newest, labels);
		check_str(labels_get(labels, SL("instance")).ptr,
		    slice_cstr(at < newest->n ? newest_text(f->arena, newest, at, &c) : "nothing"), want);
		if (at == newest->n)
			continue;
		check_ok("read", newest->ops->read(newest, at, &c, &err), &err);
		check_str("read", slice_cstr(text_of(f->arena, &c)), want);
	}
	sample_column_done(&c);
}

static uint32_t group_of(const struct series_groups *g, size_t i)
{
	if (g->group)
		return g->group[i];
	for (size_t k = 0; k < g->n_runs; k++)
		if (i - g->runs[k].first < g->runs[k].n)
			return g->runs[k].group;
	return UINT32_MAX;
}

static void check_groups(struct fixture *f, struct series_set *s, const struct slice *names, size_t n)
{
	struct series_groups g;
	assert_true(s->ops->groups(s, names, n, f->arena, &g));
	for (size_t i = 0; i < s->n; i += 1 + test_random_below(f->random, 10)) {
		const struct labels *mine = s->ops->labels(s, i, f->arena);
		uint32_t group = group_of(&g, i);
		check_true("a group", group < g.n);
		const struct labels *other = s->ops->labels(s, g.member[group], f->arena);
		for (size_t k = 0; k < n; k++)
			check_true("of equal labels",
			    slice_eq(labels_get(mine, names[k]), labels_get(other, names[k])));
	}
	for (uint32_t i = 1; i < g.n; i++) {
		bool differs = false;
		const struct labels *a = s->ops->labels(s, g.member[i], f->arena),
				    *b = s->ops->labels(s, g.member[i - 1], f->arena);
		for (size_t k = 0; k < n; k++)
			differs |= !slice_eq(labels_get(a, names[k]), labels_get(b, names[k]));
		check_true("groups differ", differs);
	}
}

static void check_all_groups(struct fixture *f, struct querier *q, int64_t t_ms)
{
	const struct slice job[] = {SL("job")}, code[] = {SL("code")}, both[] = {SL("job"), SL("code")},
			   none[] = {SL("nobody")}, each[] = {SL("instance")};
	struct series_set *sets[] = {select_newest(f, q, t_ms, true), select_newest(f, q, t_ms, false)};
	for (size_t i = 0; i < 2; i++) {
		check_groups(f, sets[i], job, 1);
		check_groups(f, sets[i], code, 1);
		check_groups(f, sets[i], both, 2);
		check_groups(f, sets[i], none, 1);
		check_groups(f, sets[i], each, 1);
	}
}

static void check_store(bool seal, bool delete, int64_t after_ms)
{
	struct fixture f = {.arena = arena_new(ARENA_NO_LIMIT), .dir = test_tmpdir()};
	struct test_random random;
	int64_t end_ms = START_MS + (STEPS - 1) * STEP_MS + after_ms;
	struct querier *q;
	struct err err;
	test_random_init(&random);
	f.random = &random;
	f.clock = clock_virtual_new(START_MS + 3600000);
	f.db = probe_open(f.dir, f.clock, NULL);
	fixture_fill(&f, seal, delete);
	struct queryable *store = tsdb_queryable(f.db);
	check_ok("open", store->open(store, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_newest(&f, q, end_ms);
	check_all_groups(&f, q, end_ms);
	q->ops->close(q);
	/* Sets go before the store. */
	arena_free(f.arena);
	tsdb_close(f.db);
	clock_virtual_free(f.clock);
	test_tmpdir_done(f.dir);
}

static void of_the_head(void **state)
{
	(void)state;
	check_store(false, false, 1000);
	check_store(false, false, -STEP_MS - 1);
}

static void sealed(void **state)
{
	(void)state;
	check_store(true, false, 1000);
	check_store(true, false, -STEP_MS - 1);
}

static void deleted(void **state)
{
	(void)state;
	check_store(true, true, 1000);
	check_store(false, true, 1000);
}

TEST_MAIN("newest_set", cmocka_unit_test(of_the_head), cmocka_unit_test(sealed), cmocka_unit_test(deleted))
