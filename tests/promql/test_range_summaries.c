/* Functions of long ranges over a store that tells what stretches of samples add up to, against the same over one that does
 * not. The store here makes stretches at random places, of what is all float, not stale, and without a gap it hides. */
#include "model/histogram.h"
#include "model/stale_marker.h"
#include "promql/engine.h"
#include "storage/mem_store.h"
#include "tests/lib/test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES = 12, SAMPLES = 3000, STEP_MS = 15000 };
#define SPAN_MS ((int64_t)SAMPLES * STEP_MS)

struct telling {
	struct queryable queryable;
	struct querier querier;
	struct querier *inner;
	struct queryable *of;
	struct test_random *random;
	size_t told;
};

struct telling_set {
	struct series_set base;
	struct series_set *of;
	struct telling *t;
};

static const struct labels *set_labels(struct series_set *s, size_t i, struct arena *arena)
{
	struct series_set *of = ((struct telling_set *)s)->of;
	return of->ops->labels(of, i, arena);
}

static int set_read(struct series_set *s, size_t i, struct sample_column *out, struct err *err)
{
	struct series_set *of = ((struct telling_set *)s)->of;
	return of->ops->read(of, i, out, err);
}

static size_t set_estimate(struct series_set *s, size_t i)
{
	struct series_set *of = ((struct telling_set *)s)->of;
	return of->ops->estimate(of, i);
}

static int set_read_between(struct series_set *s, size_t i, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	struct sample_column all;
	sample_column_init(&all, out->histograms);
	int rc = set_read(s, i, &all, err);
	sample_column_reset(out);
	for (size_t k = 0; rc == 0 && k < all.n; k++)
		if (all.t[k] >= min_t_ms && all.t[k] <= max_t_ms)
			assert_true(sample_column_push(out, all.t[k], all.v[k], all.h ? all.h[k] : NULL));
	sample_column_done(&all);
	return rc;
}

static void summarise(const struct sample_column *c, size_t from, size_t to, struct sample_summary *out)
{
	struct sample_summary s = {.first_t_ms = c->t[from],
	    .last_t_ms = c->t[to - 1],
	    .first = c->v[from],
	    .last = c->v[to - 1],
	    .min = NAN,
	    .max = NAN,
	    .count = (uint32_t)(to - from)};
	long double sum = 0;
	for (size_t i = from; i < to; i++) {
		double v = c->v[i];
		s.nans += isnan(v);
		s.min = isnan(s.min) || v < s.min ? v : s.min;
		s.max = isnan(s.max) || v > s.max ? v : s.max;
		sum += v;
		if (i == from)
			continue;
		s.changes += v != c->v[i - 1] && !(isnan(v) && isnan(c->v[i - 1]));
		s.resets += v < c->v[i - 1];
		s.dropped += v < c->v[i - 1] ? c->v[i - 1] : 0;
	}
	s.sum = (double)sum;
	s.rest = (double)(sum - s.sum);
	*out = s;
}

static int set_summaries(struct series_set *s, size_t i, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_summaries *out, struct err *err)
{
	struct telling *t = ((struct telling_set *)s)->t;
	struct sample_column c;
	size_t next = 0;
	sample_column_init(&c, arena_new(ARENA_NO_LIMIT));
	int rc = set_read_between(s, i, min_t_ms, max_t_ms, &c, err);
	out->n = 0;
	for (size_t from = test_random_below(t->random, 100); rc == 0 && from < c.n;) {
		size_t to = from + 1 + test_random_below(t->random, 600);
		to = to < c.n ? to : c.n;
		for (size_t k = from; k < to; k++)
			if ((c.h && c.h[k]) || is_stale(c.v[k]))
				to = k;
		if (to > from) {
			struct sample_summary *x = sample_summaries_add(out);
			summarise(&c, from, to, x);
			x->follows = from == next;
			next = to;
			t->told++;
		}
		from = (to > from ? to : from + 1) +
		       (test_random_below(t->random, 2) ? test_random_below(t->random, 200) : 0);
	}
	out->nothing_follows = next == c.n;
	arena_free(c.histograms);
	sample_column_done(&c);
	return rc;
}

static const struct series_set_ops set_ops = {.labels = set_labels,
    .read = set_read,
    .estimate = set_estimate,
    .summaries = set_summaries,
    .read_between = set_read_between};

static int telling_select(struct querier *q, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, bool sorted, const struct select_hints *hints, struct series_set **out,
    struct err *err)
{
	struct telling *t = CONTAINER_OF(q, struct telling, querier);
	struct telling_set *s = ARENA_NEW(arena, struct telling_set);
	int rc = t->inner->ops->select(t->inner, arena, matchers, n_matchers, sorted, hints, &s->of, err);
	s->t = t;
	s->base = (struct series_set){&set_ops, rc ? 0 : s->of->n};
	*out = &s->base;
	return rc;
}

static void telling_close(struct querier *q)
{
	struct telling *t = CONTAINER_OF(q, struct telling, querier);
	t->inner->ops->close(t->inner);
}

static const struct querier_ops querier_ops = {.select = telling_select, .close = telling_close};

static int telling_open(
    struct queryable *self, int64_t min_ms, int64_t max_ms, struct querier **out, struct err *err)
{
	struct telling *t = CONTAINER_OF(self, struct telling, queryable);
	*out = &t->querier;
	return t->of->open(t->of, min_ms, max_ms, &t->inner, err);
}

/* Counters with resets, gauges, constants, NaN, infinity, stale markers, histograms, few samples. */
static double value_of(struct test_random *r, int kind, double before)
{
	switch (kind % 6) {
	case 0:
		return test_random_below(r, 400) == 0 ? 0 : before + (double)test_random_below(r, 50);
	case 1:
		return test_random_unit(r) * 1e6 - 5e5;
	case 2:
		return test_random_below(r, 300) == 0 ? (double)NAN : (double)test_random_below(r, 9) - 4;
	case 3:
		return test_random_below(r, 200) == 0 ? double_from_bits(STALE_NAN_BITS)
						      : before + test_random_unit(r);
	case 4:
		return NAN;
	default:
		return test_random_below(r, 900) == 0 ? (double)INFINITY : 7;
	}
}

static struct mem_store *fill_store(struct arena *arena, struct test_random *r)
{
	struct mem_store *store = mem_store_new();
	struct histogram *h = ARENA_NEW(arena, struct histogram);
	h->count = h->zero_count = 1;
	for (int i = 0; i < SERIES; i++) {
		const struct labels *ls =
		    labels_of(arena, "__name__", "x", "i", arena_printf(arena, "%d", i).ptr, NULL);
		double v = 0;
		for (int64_t k = i == 11 ? SAMPLES - 1 : 0; k < SAMPLES; k++) {
			double next = value_of(r, i, v);
			v = isnan(next) ? v : next;
			if (test_random_below(r, 50) == 0)
				continue;
			bool is_histogram = i == 10 && k == SAMPLES / 2;
			mem_store_add(store, ls, k * STEP_MS, next, is_histogram ? h : NULL);
		}
	}
	return store;
}

static struct query_result *run(
    struct promql_engine *e, struct queryable *store, const char *text, int64_t step_ms)
{
	struct promql_query q = {.store = store,
	    .text = slice_cstr(text),
	    .start_ms = step_ms ? SPAN_MS / 3 : SPAN_MS,
	    .end_ms = SPAN_MS,
	    .step_ms = step_ms,
	    .wants_steps = true};
	struct query_result *r;
	struct err err;
	check_ok(text, promql_engine_run(e, &q, &r, &err), &err);
	return r;
}

/* Equal to the bit, or (`close`) within the last few. */
static bool values_agree(double a, double b, bool close)
{
	if (double_bits(a) == double_bits(b) || (isnan(a) && isnan(b)))
		return true;
	return close && fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static void check_results(
    const char *text, const struct query_result *got, const struct query_result *want, bool close)
{
	check_int(text, (int64_t)got->n_series, (int64_t)want->n_series);
	check_int(text, (int64_t)got->stats.samples_seen, (int64_t)want->stats.samples_seen);
	check_int(text, (int64_t)got->stats.samples_fresh, (int64_t)want->stats.samples_fresh);
	check_int(text, (int64_t)got->stats.peak_samples, (int64_t)want->stats.peak_samples);
	check_int(text, (int64_t)got->n_infos, (int64_t)want->n_infos);
	for (size_t i = 0; i < got->n_series; i++) {
		check_true(text, labels_eq(got->series[i].labels, want->series[i].labels));
		check_int(text, (int64_t)got->series[i].n, (int64_t)want->series[i].n);
		for (size_t k = 0; k < got->series[i].n; k++) {
			check_int(text, got->series[i].t_ms[k], want->series[i].t_ms[k]);
			check_true(text, values_agree(got->series[i].v[k], want->series[i].v[k], close));
		}
	}
}

static void same_results(void **state)
{
	(void)state;
	static const char *const functions[] = {"min_over_time", "max_over_time", "count_over_time",
	    "present_over_time", "first_over_time", "last_over_time", "ts_of_first_over_time",
	    "ts_of_last_over_time", "changes", "resets", "rate", "increase", "delta", "sum_over_time",
	    "avg_over_time"};
	static const char *const ranges[] = {"12h", "3h", "5h"};
	static const int64_t steps_ms[] = {0, 3 * 3600000, 5 * 3600000};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct test_random random;
	test_random_init(&random);
	struct mem_store *store = fill_store(arena, &random);
	struct promql_options options = {
	    .parse = {.experimental_functions = true}, .max_samples = UINT64_C(1) << 40};
	struct promql_engine *engine = promql_engine_new(&options);
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		for (size_t k = 0; k < ARRAY_LEN(ranges); k++) {
			struct telling t = {.queryable.open = telling_open,
			    .querier.ops = &querier_ops,
			    .of = mem_store_queryable(store),
			    .random = &random};
			const char *text = arena_printf(arena, "%s(x[%s])", functions[i], ranges[k]).ptr;
			struct query_result *want =
			    run(engine, mem_store_queryable(store), text, steps_ms[k]);
			struct query_result *got = run(engine, &t.queryable, text, steps_ms[k]);
			bool close = strstr(text, "sum") || strstr(text, "avg");
			check_results(text, got, want, close);
			check_true("summaries were asked for", t.told > 0);
			query_result_free(got);
			query_result_free(want);
		}
	}
	promql_engine_free(engine);
	mem_store_free(store);
	arena_free(arena);
}

TEST_MAIN("range_summaries", cmocka_unit_test(same_results))
