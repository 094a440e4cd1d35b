/* The *_over_time functions, changes and resets. */
#include "promql/kahan.h"
#include "promql/quantile.h"
#include "promql/range_func.h"

#include <string.h>

/* A value from the floats of one window, n >= 1. */
typedef double (*window_fold)(struct range_call *c, const double *v, size_t n, uint32_t step);

static void fold_windows(struct range_call *c, const struct range_input *in, struct row r, window_fold fold)
{
	const struct windows *w = in->fw;

	for (uint32_t k = 0; k < w->n; k++) {
		if (w->hi[k] == w->lo[k])
			continue;
		if (range_call_spent(c, w->hi[k] - w->lo[k]))
			return;
		r.v[k] = fold(c, in->v + w->lo[k], w->hi[k] - w->lo[k], k);
		bit_set(r.present, k);
	}
}

static double fold_sum(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	struct kahan k = {0};
	(void)c, (void)step;

	for (size_t i = 0; i < n; i++)
		kahan_add(&k, v[i]);
	return isinf(k.sum) ? k.sum : kahan_value(&k);
}

/* From sample `i` on, where the plain sum of the first i would overflow: the mean of the means. */
static double mean_incremental(const double *v, size_t n, size_t i, struct kahan k)
{
	k.sum /= (double)i;
	k.c /= (double)i;
	for (; i < n; i++) {
		double count = (double)(i + 1), q = (count - 1) / count;
		k.sum *= q;
		k.c *= q;
		kahan_add(&k, v[i] / count);
	}
	return kahan_value(&k);
}

static double fold_avg(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	struct kahan k = {.sum = v[0]};
	(void)c, (void)step;

	for (size_t i = 1; i < n; i++) {
		struct kahan next = k;
		kahan_add(&next, v[i]);
		if (unlikely(isinf(next.sum)))
			return mean_incremental(v, n, i, k);
		k = next;
	}
	return k.sum / (double)n + k.c / (double)n;
}

static double fold_stdvar(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	struct kahan mean = {0}, m2 = {0};
	(void)c, (void)step;

	for (size_t i = 0; i < n; i++) {
		double delta = v[i] - kahan_value(&mean);
		kahan_add(&mean, delta / (double)(i + 1));
		kahan_add(&m2, delta * (v[i] - kahan_value(&mean)));
	}
	return kahan_value(&m2) / (double)n;
}

static double fold_stddev(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	return sqrt(fold_stdvar(c, v, n, step));
}

static double fold_quantile(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	double *sorted = range_call_values(c, n);

	memcpy(sorted, v, n * sizeof(*v));
	return quantile_of(c->param[0][step], sorted, n);
}

static double fold_mad(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	double *x = range_call_values(c, n);
	(void)step;

	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i]))
			return NAN;
		x[i] = v[i];
	}
	double median = quantile_of(0.5, x, n);
	for (size_t i = 0; i < n; i++)
		x[i] = fabs(v[i] - median);
	return quantile_of(0.5, x, n);
}

static inline bool greater(double best, double x)
{
	return x > best || isnan(best);
}

static inline bool less(double best, double x)
{
	return x < best || isnan(best);
}

static double fold_max(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	double best = v[0];
	(void)c, (void)step;

	for (size_t i = 1; i < n; i++)
		best = greater(best, v[i]) ? v[i] : best;
	return best;
}

static double fold_min(struct range_call *c, const double *v, size_t n, uint32_t step)
{
	double best = v[0];
	(void)c, (void)step;

	for (size_t i = 1; i < n; i++)
		best = less(best, v[i]) ? v[i] : best;
	return best;
}

/* Maxima (or minima) of long, overlapping windows in a constant number of comparisons per sample. A pivot lies within the
 * window; to its left stand the running extremes towards it, to its right one extreme grows with the window:
 *
 *     lo        pivot         hi          value = best(left[lo], right)
 *      |<- left ->|<- right ->|
 *
 * When lo reaches the pivot, the pivot moves to hi and the left part is computed anew. Earlier samples win ties, as in a
 * walk from the left. */
static void slide_extremes(struct range_call *c, const struct range_input *in, struct row r, bool want_max)
{
	const struct windows *w = in->fw;
	double *left = range_call_values(c, in->n_floats);
	uint32_t pivot = 0, right_end = 0;
	double right = NAN;
	bool have_right = false;

	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t lo = w->lo[k], hi = w->hi[k];
		if (lo == hi)
			continue;
		if (lo >= pivot) {
			pivot = right_end = hi;
			have_right = false;
			left[hi - 1] = in->v[hi - 1];
			for (uint32_t i = hi - 1; i-- > lo;) {
				double x = in->v[i], y = left[i + 1];
				/* x comes first: y replaces it only when it is better. */
				left[i] = (want_max ? greater(x, y) : less(x, y)) ? y : x;
			}
		}
		for (; right_end < hi; right_end++) {
			double x = in->v[right_end];
			if (!have_right || (want_max ? greater(right, x) : less(right, x)))
				right = x;
			have_right = true;
		}
		double best = left[lo];
		if (have_right && (want_max ? greater(best, right) : less(best, right)))
			best = right;
		r.v[k] = best;
		bit_set(r.present, k);
	}
}

/* Whether the windows overlap so much that walking each would be wasteful. */
static bool windows_are_long(const struct windows *w, size_t n_samples)
{
	return w->points > 8 * (uint64_t)n_samples && w->points > 32 * (uint64_t)w->n;
}

void range_extremes(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);
	bool want_max = c->id == FN_MAX_OVER_TIME;

	if (windows_are_long(in->fw, in->n_floats))
		slide_extremes(c, in, r, want_max);
	else
		fold_windows(c, in, r, want_max ? fold_max : fold_min);
}

/* Functions of floats alone. */
void range_float_folds(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	static const window_fold folds[FUNCTION_COUNT] = {
	    [FN_STDDEV_OVER_TIME] = fold_stddev,
	    [FN_STDVAR_OVER_TIME] = fold_stdvar,
	    [FN_QUANTILE_OVER_TIME] = fold_quantile,
	    [FN_MAD_OVER_TIME] = fold_mad,
	};
	fold_windows(c, in, tile_row(out, row), folds[c->id]);
}

static uint32_t histograms_in(const struct range_input *in, uint32_t k)
{
	return in->n_histograms ? in->hw->hi[k] - in->hw->lo[k] : 0;
}

/* Sum or mean of the histograms of a window; NULL with a note when they do not fit together. */
static const struct histogram *fold_histograms(
    struct range_call *c, struct arena *a, const struct histogram *const *h, size_t n)
{
	bool is_mean = c->id == FN_AVG_OVER_TIME;
	double scale = is_mean ? HISTOGRAM_MEAN_SCALE : 1;
	struct histogram_sum *sum = histogram_sum_new(a, is_mean ? histogram_scale(a, h[0], scale) : h[0]);
	unsigned notes = 0;
	bool fits = true;

	for (size_t i = 1; i < n && fits; i++)
		fits = histogram_sum_add(sum, is_mean ? histogram_scale(a, h[i], scale) : h[i], &notes);
	if (!fits) {
		c->notes |= NOTE_MIXED_SCHEMAS;
		return NULL;
	}
	if (notes & HISTOGRAM_NOTE_RESET_CONFLICT)
		c->notes |= NOTE_RESET_CONFLICT;
	if (notes & HISTOGRAM_NOTE_BOUNDS_RECONCILED)
		c->notes |= NOTE_BOUNDS_RECONCILED;
	if (!is_mean)
		return histogram_sum_result(sum, a);
	return histogram_scale(a, histogram_sum_mean(sum, a, (double)n), 1 / scale);
}

/* Windows shorter than this are summed in Prometheus's order, whatever the cost. */
enum { EXACT_SUM = 64 };

/* a + b, each with its compensation. */
static struct kahan kahan_join(struct kahan a, struct kahan b)
{
	kahan_add(&a, b.sum);
	a.c += b.c;
	return a;
}

/* Sums (or means) of long, overlapping windows, the way slide_extremes() takes extremes: compensated sums from the left to a
 * pivot, and one that grows to its right; nothing is ever subtracted. The order of additions differs from Prometheus's, so the
 * last bit may; short windows, and those whose sum is not finite, are walked. */
static void slide_sums(struct range_call *c, const struct range_input *in, struct row r)
{
	const struct windows *w = in->fw;
	struct kahan *left = (struct kahan *)(void *)range_call_values(c, 2 * in->n_floats), right = {0, 0};
	window_fold walk = c->id == FN_AVG_OVER_TIME ? fold_avg : fold_sum;
	uint32_t pivot = 0, right_end = 0;

	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t lo = w->lo[k], hi = w->hi[k];
		if (lo == hi)
			continue;
		if (lo >= pivot) {
			struct kahan sum = {0, 0};
			for (uint32_t i = hi; i-- > lo;) {
				kahan_add(&sum, in->v[i]);
				left[i] = sum;
			}
			pivot = right_end = hi;
			right = (struct kahan){0, 0};
		}
		for (; right_end < hi; right_end++)
			kahan_add(&right, in->v[right_end]);
		struct kahan both = kahan_join(left[lo], right);
		double sum = kahan_value(&both), n = (double)(hi - lo);
		if (hi - lo < EXACT_SUM || !isfinite(sum))
			r.v[k] = walk(c, in->v + lo, hi - lo, k);
		else
			r.v[k] = c->id == FN_AVG_OVER_TIME ? both.sum / n + both.c / n : sum;
		bit_set(r.present, k);
	}
}

static void fold_float_sums(struct range_call *c, const struct range_input *in, struct row r)
{
	if (windows_are_long(in->fw, in->n_floats))
		slide_sums(c, in, r);
	else
		fold_windows(c, in, r, c->id == FN_AVG_OVER_TIME ? fold_avg : fold_sum);
}

void range_sum_or_avg(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);

	fold_float_sums(c, in, r);
	for (uint32_t k = 0; in->n_histograms && k < in->fw->n; k++) {
		uint32_t lo = in->hw->lo[k], n = in->hw->hi[k] - lo;
		if (n == 0)
			continue;
		if (bit_get(r.present, k)) {
			bit_clear(r.present, k);
			c->notes |= NOTE_MIXED_FLOATS_HISTOGRAMS;
			continue;
		}
		const struct histogram *h = fold_histograms(c, out->arena, in->h + lo, n);
		if (h == NULL)
			continue;
		tile_want_histograms(out);
		r = tile_row(out, row);
		r.h[k] = h;
		bit_set(r.present, k);
	}
}

void range_counts(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);

	for (uint32_t k = 0; k < in->fw->n; k++) {
		uint32_t n = in->fw->hi[k] - in->fw->lo[k] + histograms_in(in, k);
		if (n == 0)
			continue;
		r.v[k] = c->id == FN_PRESENT_OVER_TIME ? 1 : (double)n;
		bit_set(r.present, k);
	}
}

/* The first or the last sample of a window, float or histogram: value or time. */
void range_edges(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	bool newest = c->id == FN_LAST_OVER_TIME || c->id == FN_TS_OF_LAST_OVER_TIME;
	bool want_time = c->id == FN_TS_OF_LAST_OVER_TIME || c->id == FN_TS_OF_FIRST_OVER_TIME;

	if (in->n_histograms && !want_time)
		tile_want_histograms(out);
	struct row r = tile_row(out, row);
	for (uint32_t k = 0; k < in->fw->n; k++) {
		uint32_t nf = in->fw->hi[k] - in->fw->lo[k], nh = histograms_in(in, k);
		if (nf + nh == 0)
			continue;
		uint32_t f = newest ? in->fw->hi[k] - 1 : in->fw->lo[k];
		uint32_t h = nh == 0 ? 0 : newest ? in->hw->hi[k] - 1 : in->hw->lo[k];
		bool is_float = nh == 0 || (nf > 0 && (in->float_t[f] > in->histogram_t[h]) == newest);
		if (want_time)
			r.v[k] = (double)(is_float ? in->float_t[f] : in->histogram_t[h]) / 1000;
		else if (is_float)
			r.v[k] = in->v[f];
		else
			r.h[k] = in->h[h];
		bit_set(r.present, k);
	}
}

/* The time of the last sample that has the smallest or largest value. */
void range_extreme_times(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);
	bool want_max = c->id == FN_TS_OF_MAX_OVER_TIME;

	for (uint32_t k = 0; k < in->fw->n; k++) {
		uint32_t best = in->fw->lo[k];
		if (in->fw->hi[k] == best)
			continue;
		if (range_call_spent(c, in->fw->hi[k] - best))
			return;
		for (uint32_t i = best + 1; i < in->fw->hi[k]; i++) {
			double x = in->v[i], b = in->v[best];
			if (isnan(b) || (want_max ? x >= b : x <= b))
				best = i;
		}
		r.v[k] = (double)in->float_t[best] / 1000;
		bit_set(r.present, k);
	}
}

static bool float_counts(enum function_id id, double prev, double x)
{
	if (id == FN_RESETS)
		return x < prev;
	return x != prev && !(isnan(x) && isnan(prev));
}

/* How many of the neighbours within each window differ (or fall), from running counts over the whole series. */
static void count_between_floats(struct range_call *c, const struct range_input *in, struct row r)
{
	const struct windows *w = in->fw;
	double *so_far = range_call_values(c, in->n_floats + 1);

	if (in->n_floats)
		so_far[0] = 0;
	for (size_t i = 1; i < in->n_floats; i++)
		so_far[i] = so_far[i - 1] + float_counts(c->id, in->v[i - 1], in->v[i]);
	for (uint32_t k = 0; k < w->n; k++) {
		if (w->hi[k] == w->lo[k])
			continue;
		r.v[k] = so_far[w->hi[k] - 1] - so_far[w->lo[k]];
		bit_set(r.present, k);
	}
}

static bool histogram_counts(enum function_id id, const struct histogram *prev, const struct histogram *h)
{
	return id == FN_RESETS ? histogram_detect_reset(h, prev) : !histogram_eq(h, prev);
}

/* A sample of either kind. */
struct either {
	int64_t t, start;
	double v;
	const struct histogram *h;
};

/* Samples of both kinds, from .. end - 1 of each. */
struct either_walk {
	size_t f, f_end, h, h_end;
};

static struct either_walk either_in_window(const struct range_input *in, uint32_t k)
{
	struct either_walk w = {.f = in->fw->lo[k], .f_end = in->fw->hi[k]};

	if (in->n_histograms) {
		w.h = in->hw->lo[k];
		w.h_end = in->hw->hi[k];
	}
	return w;
}

/* Anchored: from the newest sample of any kind at or before the start of the range, provided that one of any kind lies inside. */
static struct either_walk either_anchored(
    const struct window_spec *spec, const struct range_input *in, uint32_t k)
{
	int64_t end_ms = window_end_ms(spec, k), start_ms = end_ms - spec->range_ms;
	size_t nf = in->n_floats, nh = in->n_histograms;
	struct either_walk w = {
	    .f = times_upto(in->float_t, nf, start_ms),
	    .f_end = times_upto(in->float_t, nf, end_ms),
	    .h = times_upto(in->histogram_t, nh, start_ms),
	    .h_end = times_upto(in->histogram_t, nh, end_ms),
	};
	int64_t reach_ms = start_ms - spec->before_ms, none = INT64_MIN;
	int64_t float_ms = w.f && in->float_t[w.f - 1] > reach_ms ? in->float_t[w.f - 1] : none;
	int64_t histogram_ms = w.h && in->histogram_t[w.h - 1] > reach_ms ? in->histogram_t[w.h - 1] : none;

	if (w.f == w.f_end && w.h == w.h_end)
		return (struct either_walk){0};
	if (float_ms != none && float_ms >= histogram_ms)
		w.f--;
	else if (histogram_ms != none)
		w.h--;
	return w;
}

/* The next sample in the order of time. False: no more. */
static bool next_either(const struct range_input *in, struct either_walk *w, struct either *out)
{
	bool have_f = w->f < w->f_end, have_h = w->h < w->h_end;

	if (!have_f && !have_h)
		return false;
	*out = (struct either){.t = 0};
	if (have_f && (!have_h || in->float_t[w->f] < in->histogram_t[w->h])) {
		out->t = in->float_t[w->f];
		out->start = in->float_start ? in->float_start[w->f] : 0;
		out->v = in->v[w->f++];
	} else {
		out->t = in->histogram_t[w->h];
		out->start = in->histogram_start ? in->histogram_start[w->h] : 0;
		out->h = in->h[w->h++];
	}
	return true;
}

static bool neighbours_count(enum function_id id, const struct either *a, const struct either *b)
{
	if (id == FN_RESETS && start_is_reset(a->t, a->start, b->t, b->start))
		return true;
	if ((a->h == NULL) != (b->h == NULL))
		return true;
	return b->h ? histogram_counts(id, a->h, b->h) : float_counts(id, a->v, b->v);
}

/* The same over floats and histograms in the order of time; a change of kind counts. */
static double count_between_mixed(
    const struct range_call *c, const struct range_input *in, struct either_walk *w)
{
	struct either prev, now;
	double found = 0;

	if (!next_either(in, w, &prev))
		return 0;
	for (; next_either(in, w, &now); prev = now)
		found += neighbours_count(c->id, &prev, &now);
	return found;
}

void range_count_between(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	bool any_anchor = in->n_histograms && c->spec->kind == WINDOW_ANCHORED;
	struct row r = tile_row(out, row);

	if (in->n_histograms == 0 && in->float_start == NULL) {
		count_between_floats(c, in, r);
		return;
	}
	for (uint32_t k = 0; k < in->fw->n; k++) {
		struct either_walk w = any_anchor ? either_anchored(c->spec, in, k) : either_in_window(in, k);
		if (w.f == w.f_end && w.h == w.h_end)
			continue;
		if (range_call_spent(c, w.f_end - w.f + 16 * (w.h_end - w.h)))
			return;
		r.v[k] = count_between_mixed(c, in, &w);
		bit_set(r.present, k);
	}
}
