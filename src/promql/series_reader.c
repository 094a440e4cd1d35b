#include "promql/series_reader.h"

#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "promql/columns.h"
#include "promql/eval.h"
#include <stdlib.h>
#include <string.h>

void series_reader_init(
    struct series_reader *r, const struct eval *e, struct leaf_counts *counts, bool use_starts)
{
	memset(r, 0, sizeof(*r));
	r->counts = counts;
	r->max_points = e->limits.max_points;
	r->clock = e->analyze ? e->limits.clock : NULL;
	r->use_starts = use_starts;
	sample_column_init(&r->col, NULL);
	windows_init(&r->fw);
	windows_init(&r->hw);
}

void series_reader_done(struct series_reader *r)
{
	sample_column_done(&r->col);
	free(r->float_t);
	free(r->histogram_t);
	free(r->v);
	free(r->h);
	free(r->float_start);
	free(r->histogram_start);
	windows_done(&r->fw);
	windows_done(&r->hw);
}

int series_reader_read_between(struct series_reader *r, struct series_set *set, size_t i, int64_t min_ms,
    int64_t max_ms, struct arena *arena, struct err *err)
{
	int64_t begun_ns = r->clock ? clock_mono_ns(r->clock) : 0;
	bool all = min_ms == INT64_MIN && max_ms == INT64_MAX;

	r->col.histograms = arena;
	sample_column_reset(&r->col);
	int rc = all ? set->ops->read(set, i, &r->col, err)
		     : set->ops->read_between(set, i, min_ms, max_ms, &r->col, err);
	if (r->clock)
		atomic_fetch_add_explicit(
		    &r->counts->read_ns, clock_mono_ns(r->clock) - begun_ns, memory_order_relaxed);
	if (rc)
		return err_prefix(err, "expanding series: ");
	if (r->col.n >= UINT32_MAX)
		return err_set(
		    err, ERR_LIMIT, "a series has more than 2^32 samples in the range of the query");
	atomic_fetch_add_explicit(&r->counts->decoded, r->col.n, memory_order_relaxed);
	return 0;
}

int series_reader_read(
    struct series_reader *r, struct series_set *set, size_t i, struct arena *arena, struct err *err)
{
	return series_reader_read_between(r, set, i, INT64_MIN, INT64_MAX, arena, err);
}

static int reserve(struct series_reader *r, size_t n, struct err *err)
{
	if (n <= r->cap)
		return 0;
	free(r->float_t);
	free(r->histogram_t);
	free(r->v);
	free(r->h);
	free(r->float_start);
	free(r->histogram_start);
	r->float_start = malloc(n * sizeof(*r->float_start));
	r->histogram_start = malloc(n * sizeof(*r->histogram_start));
	r->float_t = malloc(n * sizeof(*r->float_t));
	r->histogram_t = malloc(n * sizeof(*r->histogram_t));
	r->v = malloc(n * sizeof(*r->v));
	r->h = malloc(n * sizeof(*r->h));
	r->cap = r->float_t && r->histogram_t && r->v && r->h && r->float_start && r->histogram_start ? n : 0;
	return r->cap ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a series of %zu samples", n);
}

static void part(struct series_reader *r, const struct sample_column *c, struct range_input *in)
{
	for (size_t i = 0; i < c->n; i++) {
		int64_t start = c->start ? c->start[i] : 0;
		if (c->h && c->h[i]) {
			if (histogram_is_stale(c->h[i]))
				continue;
			r->histogram_t[in->n_histograms] = c->t[i];
			r->histogram_start[in->n_histograms] = start;
			r->h[in->n_histograms++] = c->h[i];
		} else if (!is_stale(c->v[i])) {
			r->float_t[in->n_floats] = c->t[i];
			r->float_start[in->n_floats] = start;
			r->v[in->n_floats++] = c->v[i];
		}
	}
	in->float_t = r->float_t;
	in->v = r->v;
	in->histogram_t = r->histogram_t;
	in->h = r->h;
	if (c->start && r->use_starts) {
		in->float_start = r->float_start;
		in->histogram_start = r->histogram_start;
	}
}

static void add_up(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static void count_steps(struct leaf_counts *c, const struct windows *w)
{
	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t from = w->lo[k], to = w->hi[k],
			 known = k && w->hi[k - 1] > from ? w->hi[k - 1] : from;
		add_up(&c->seen_by_step[k], to - from);
		add_up(&c->fresh_by_step[k], to > known ? to - known : 0);
	}
}

/* How many samples are held beside the results of a series once it is done, as if all of them were there already: its last
 * window, or its widest while as many results were still to come as there are windows. */
static uint64_t held_beside(uint64_t last, uint64_t widest, uint64_t filled)
{
	uint64_t before = widest > filled ? widest - filled : 0;
	return last > before ? last : before;
}

static uint64_t count_histograms(struct leaf_counts *c, const struct range_input *in, uint64_t *widest)
{
	const struct windows *w = in->hw;
	uint64_t *sum = xreallocarray(NULL, in->n_histograms + 1, sizeof(*sum));

	uint64_t last = 0;

	sum[0] = *widest = 0;
	for (size_t i = 0; i < in->n_histograms; i++)
		sum[i + 1] = sum[i] + histogram_sample_size(in->h[i]);
	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t from = w->lo[k], to = w->hi[k],
			 known = k && w->hi[k - 1] > from ? w->hi[k - 1] : from;
		uint64_t all = sum[to] - sum[from], fresh = to > known ? sum[to] - sum[known] : 0;
		add_up(&c->seen, all);
		add_up(&c->fresh, fresh);
		if (c->seen_by_step) {
			add_up(&c->seen_by_step[k], all);
			add_up(&c->fresh_by_step[k], fresh);
		}
		*widest = all > *widest ? all : *widest;
		last = all;
	}
	free(sum);
	return held_beside(last, *widest, w->filled);
}

static void note_held(struct leaf_counts *c, uint64_t held)
{
	uint64_t known = atomic_load_explicit(&c->held, memory_order_relaxed);

	while (held > known && !atomic_compare_exchange_weak(&c->held, &known, held))
		;
}

int series_reader_count(struct series_reader *r, const uint64_t *n, uint32_t steps, struct err *err)
{
	struct leaf_counts *c = r->counts;
	uint64_t all = 0, widest = 0, filled = 0;

	for (uint32_t k = 0; k < steps; k++) {
		all += n[k];
		filled += n[k] > 0;
		widest = n[k] > widest ? n[k] : widest;
		if (c->seen_by_step) {
			add_up(&c->seen_by_step[k], n[k]);
			add_up(&c->fresh_by_step[k], n[k]);
		}
	}
	add_up(&c->seen, all);
	add_up(&c->fresh, all);
	add_up(&c->filled, filled);
	note_held(c, held_beside(n[steps - 1], widest, filled));
	return widest > r->max_points ? query_limits_too_many(err) : 0;
}

static int count_windows(struct series_reader *r, const struct range_input *in, struct err *err)
{
	struct leaf_counts *c = r->counts;
	const struct windows *w = &r->fw;
	uint64_t widest = w->widest, histograms = 0;
	uint64_t held = held_beside(w->hi[w->n - 1] - w->lo[w->n - 1], widest, w->filled);

	add_up(&c->seen, w->points);
	add_up(&c->fresh, w->fresh);
	add_up(&c->filled, w->filled);
	if (c->seen_by_step)
		count_steps(c, w);
	if (in->n_histograms)
		held += count_histograms(c, in, &histograms);
	note_held(c, held);
	return widest + histograms > r->max_points ? query_limits_too_many(err) : 0;
}

int series_reader_input_of(struct series_reader *r, const struct window_spec *spec,
    const struct sample_column *c, struct range_input *in, struct err *err)
{
	uint64_t times_id = 0;

	*in = (struct range_input){0};
	unsigned holds = c->h ? 0 : column_scan(c->v, c->n);
	if (c->h || (c->start && r->use_starts) || holds & COLUMN_STALE) {
		int rc = reserve(r, c->n, err);
		if (rc)
			return rc;
		part(r, c, in);
	} else {
		in->n_floats = c->n;
		in->float_t = c->t;
		in->v = c->v;
		in->never_falls = !(holds & COLUMN_FALLS);
		times_id = c == &r->col ? sample_column_times_id(c) : 0;
	}
	windows_set(&r->fw, spec, in->float_t, in->n_floats, times_id);
	in->fw = &r->fw;
	if (in->n_histograms) {
		windows_set(&r->hw, spec, in->histogram_t, in->n_histograms, 0);
		in->hw = &r->hw;
	}
	return count_windows(r, in, err);
}

int series_reader_input(
    struct series_reader *r, const struct window_spec *spec, struct range_input *in, struct err *err)
{
	return series_reader_input_of(r, spec, &r->col, in, err);
}
