/* The ring beside a plain array of everything that it took. */
#include "tests/lib/test.h"
#include "tsdb/exemplar_ring.h"
#include <stdlib.h>

enum { SERIES = 7, MANY = 20000 };

struct model {
	size_t max, n;
	struct taken {
		const struct labels *series;
		struct exemplar e;
	} * v; /* in the order of coming */
};

static size_t first_kept(const struct model *m)
{
	return m->n > m->max ? m->n - m->max : 0;
}

static const struct taken *newest_of(const struct model *m, const struct labels *series)
{
	const struct taken *newest = NULL;
	for (size_t i = first_kept(m); i < m->n; i++)
		if (m->v[i].series == series && (!newest || exemplar_cmp(&m->v[i].e, &newest->e) > 0))
			newest = &m->v[i];
	return newest;
}

static enum exemplar_result model_judge(
    const struct model *m, const struct labels *series, const struct exemplar *e, int64_t late_ms)
{
	const struct taken *newest = newest_of(m, series);
	if (!newest)
		return EXEMPLAR_TAKEN;
	if (exemplar_same(&newest->e, e))
		return EXEMPLAR_REPEATED;
	if (e->t_ms < newest->e.t_ms && newest->e.t_ms - e->t_ms >= late_ms)
		return EXEMPLAR_OUT_OF_ORDER;
	if (e->t_ms == newest->e.t_ms && exemplar_cmp(&newest->e, e) > 0)
		return EXEMPLAR_OUT_OF_ORDER;
	for (size_t i = first_kept(m); i < m->n; i++)
		if (m->v[i].series == series && exemplar_cmp(&m->v[i].e, e) == 0)
			return EXEMPLAR_REPEATED;
	return EXEMPLAR_TAKEN;
}

static int by_order(const void *a, const void *b)
{
	return exemplar_cmp(a, b);
}

static void check_series(
    const struct model *m, const struct exemplar_series *got, int64_t min_t_ms, int64_t max_t_ms)
{
	struct exemplar *want = calloc(m->n + 1, sizeof(*want));
	size_t n = 0;
	for (size_t i = first_kept(m); i < m->n; i++)
		if (labels_eq(m->v[i].series, got->labels) && m->v[i].e.t_ms >= min_t_ms &&
		    m->v[i].e.t_ms <= max_t_ms)
			want[n++] = m->v[i].e;
	qsort(want, n, sizeof(*want), by_order);
	check_int("of the series", got->n, n);
	for (size_t i = 0; i < n; i++)
		check_int("exemplar", exemplar_cmp(&got->v[i], &want[i]), 0);
	free(want);
}

static void check_all(const struct model *m, struct exemplar_ring *r, int64_t min_t_ms, int64_t max_t_ms)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct matcher_list all = {NULL, 0};
	const struct exemplar_series *got;
	size_t n, total = 0, want = 0;
	struct err err;
	check_ok("select", exemplar_ring_select(r, arena, &all, 1, min_t_ms, max_t_ms, &got, &n, &err), &err);
	for (size_t i = 0; i < n; i++) {
		check_true("sorted", i == 0 || labels_cmp(got[i - 1].labels, got[i].labels) < 0);
		check_series(m, &got[i], min_t_ms, max_t_ms);
		total += got[i].n;
	}
	for (size_t i = first_kept(m); i < m->n; i++)
		want += m->v[i].e.t_ms >= min_t_ms && m->v[i].e.t_ms <= max_t_ms;
	check_int("all", total, want);
	arena_free(arena);
}

static struct exemplar random_exemplar(struct test_random *r, struct arena *arena, int64_t now_ms)
{
	/* Longer ones are behind shorter ones, as bytes and as labels. */
	unsigned what = (unsigned)test_random_below(r, 3);
	struct slice text = arena_printf(arena, "%u%0*u", what, 1 + (int)what * 40, what);
	return (struct exemplar){.t_ms = now_ms - (int64_t)test_random_below(r, 60),
	    .v = (double)test_random_below(r, 3),
	    .has_time = test_random_below(r, 4) > 0,
	    .labels = test_random_below(r, 5) ? labels_of(arena, "trace_id", text.ptr, NULL) : &labels_empty};
}

static void ring_and_array_agree(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *series[SERIES];
	for (size_t i = 0; i < SERIES; i++)
		series[i] = labels_of(arena, "__name__", "m", "i", arena_printf(arena, "%zu", i).ptr, NULL);
	struct model m = {.max = 200, .v = calloc(MANY, sizeof(*m.v))};
	struct exemplar_ring ring;
	exemplar_ring_init(&ring, m.max);
	for (int i = 0; i < MANY; i++) {
		const struct labels *of = series[test_random_below(&r, 1 + test_random_below(&r, SERIES))];
		struct exemplar e = random_exemplar(&r, arena, i / 10);
		int64_t late_ms = test_random_below(&r, 2) ? 30 : 0;
		enum exemplar_result want = model_judge(&m, of, &e, late_ms);
		lock_take(&ring.lock);
		check_int("judged", exemplar_ring_judge(&ring, of, &e, late_ms), want);
		check_int("added", exemplar_ring_add(&ring, of, &e, late_ms), want);
		lock_release(&ring.lock);
		if (want == EXEMPLAR_TAKEN)
			m.v[m.n++] = (struct taken){of, e};
		if (i % 97 == 0)
			check_all(&m, &ring, i / 10 - (int64_t)test_random_below(&r, 100), i / 10 - 5);
		if (i % 3001 == 3000) { /* resizing keeps the newest */
			size_t kept = m.n - first_kept(&m);
			size_t max = 1 + test_random_below(&r, 300), keep = kept < max ? kept : max;
			exemplar_ring_resize(&ring, max);
			memmove(m.v, m.v + m.n - keep, keep * sizeof(*m.v));
			m.n = keep;
			m.max = max;
			check_all(&m, &ring, INT64_MIN, INT64_MAX);
		}
	}
	check_all(&m, &ring, INT64_MIN, INT64_MAX);
	struct exemplar_stats stats;
	exemplar_ring_stats(&ring, &stats);
	check_int("full", stats.exemplars, m.max);
	check_true("series", stats.series <= SERIES);
	check_int("oldest", stats.oldest_t_ms, m.v[first_kept(&m)].e.t_ms);
	exemplar_ring_resize(&ring, 0);
	check_int("off", exemplar_ring_add(&ring, series[0], &m.v[0].e, 0), EXEMPLAR_OFF);
	exemplar_ring_stats(&ring, &stats);
	check_int("empty", stats.exemplars + stats.series, 0);
	exemplar_ring_done(&ring);
	free(m.v);
	arena_free(arena);
}

/* Series that come and go leave nothing behind. */
static void memory_is_bounded(void **state)
{
	(void)state;
	struct exemplar_ring ring;
	struct exemplar_stats before = {0}, after;
	exemplar_ring_init(&ring, 1000);
	for (int i = 0; i < 50000; i++) {
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		const char *id = arena_printf(arena, "%08d", i).ptr;
		struct exemplar e = {.t_ms = i, .v = i, .labels = labels_of(arena, "trace_id", id, NULL)};
		const struct labels *series = labels_of(arena, "__name__", "m", "pod", id, NULL);
		lock_take(&ring.lock);
		check_int("added", exemplar_ring_add(&ring, series, &e, 0), EXEMPLAR_TAKEN);
		lock_release(&ring.lock);
		arena_free(arena);
		if (i == 3000)
			exemplar_ring_stats(&ring, &before);
	}
	exemplar_ring_stats(&ring, &after);
	check_int("series", after.series, 1000);
	check_true("memory", after.bytes <= before.bytes + (64 << 10));
	exemplar_ring_done(&ring);
}

TEST_MAIN("exemplar ring", cmocka_unit_test(ring_and_array_agree), cmocka_unit_test(memory_is_bounded))
