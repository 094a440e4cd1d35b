/* rate, increase and delta over anchored and smoothed ranges, and smoothed instant selectors. Windows hold the samples from
 * the one at or before the start of the range on, and with smoothed up to the one at or after its end (promql/window.h):
 *
 *          start                    end
 *     a      |    b      c     d     |    e          anchored: d - a; smoothed: value at end - value at start, both on the
 *   [a .. d] anchored, [a .. e] smoothed             lines between neighbours; nothing is extrapolated
 *
 * Where a counter began anew between two neighbours, the earlier is taken as 0 by the line. */
#include "promql/range_func.h"

#include <math.h>

struct extent {
	uint32_t first, last;
	int64_t start_ms, end_ms;
	bool line_left, line_right; /* the value at this end lies between two samples */
	double left_share, right_share;
};

static struct extent extent_of(
    const struct window_spec *spec, const struct windows *w, const int64_t *t, uint32_t k)
{
	struct extent x = {.first = w->lo[k], .last = w->hi[k] - 1, .end_ms = window_end_ms(spec, k)};
	bool smoothed = spec->kind != WINDOW_ANCHORED;

	x.start_ms = x.end_ms - spec->range_ms;
	x.line_left = smoothed && t[x.first] < x.start_ms && x.last > x.first;
	x.line_right = smoothed && t[x.last] > x.end_ms && x.last > x.first;
	if (x.line_left)
		x.left_share = (double)(x.start_ms - t[x.first]) / (double)(t[x.first + 1] - t[x.first]);
	if (x.line_right)
		x.right_share = (double)(x.end_ms - t[x.last - 1]) / (double)(t[x.last] - t[x.last - 1]);
	return x;
}

/* --- floats ------------------------------------------------------------------------------------------------------------- */

static double float_between(double a, double b, int64_t t_ms, int64_t ta_ms, int64_t tb_ms, bool is_counter)
{
	if (is_counter && b < a)
		a = 0;
	return a + (b - a) * (double)(t_ms - ta_ms) / (double)(tb_ms - ta_ms);
}

static double float_growth(const struct range_call *c, const struct range_input *in, uint32_t k)
{
	struct extent x = extent_of(c->spec, in->fw, in->float_t, k);
	bool is_counter = c->id != FN_DELTA;
	const double *v = in->v;
	const int64_t *t = in->float_t;
	double left = v[x.first], right = v[x.last], correction = 0;

	if (x.line_left)
		left = float_between(
		    v[x.first], v[x.first + 1], x.start_ms, t[x.first], t[x.first + 1], is_counter);
	if (x.line_right)
		right =
		    float_between(v[x.last - 1], v[x.last], x.end_ms, t[x.last - 1], t[x.last], is_counter);
	if (!is_counter)
		return right - left;
	double prev = left;
	for (uint32_t i = x.first + 1; i < x.last; i++) {
		if (v[i] < prev)
			correction += prev;
		prev = v[i];
	}
	if (right < prev)
		correction += prev;
	return right - left + correction;
}

size_t range_extended_samples(
    const struct window_spec *spec, const struct range_input *in, int64_t *t_ms, double *v)
{
	const double *f = in->v;
	const int64_t *t = in->float_t;
	size_t n = 0;

	if (in->n_floats == 0 || in->fw->hi[0] == in->fw->lo[0])
		return 0;
	struct extent x = extent_of(spec, in->fw, t, 0);
	t_ms[n] = x.start_ms;
	v[n++] = x.line_left ? float_between(
				   f[x.first], f[x.first + 1], x.start_ms, t[x.first], t[x.first + 1], false)
			     : f[x.first];
	for (uint32_t i = x.first; i <= x.last; i++) {
		if (t[i] <= x.start_ms || t[i] >= x.end_ms)
			continue;
		t_ms[n] = t[i];
		v[n++] = f[i];
	}
	t_ms[n] = x.end_ms;
	v[n++] = x.line_right
		     ? float_between(f[x.last - 1], f[x.last], x.end_ms, t[x.last - 1], t[x.last], false)
		     : f[x.last];
	return n;
}

/* --- histograms --------------------------------------------------------------------------------------------------------- */

static void note_bounds(struct range_call *c, unsigned notes, enum row_note as)
{
	if (notes & HISTOGRAM_NOTE_BOUNDS_RECONCILED)
		c->notes |= as;
}

/* On the line from a to b; NULL: they do not go together. */
static const struct histogram *histogram_between(struct range_call *c, struct arena *arena,
    const struct histogram *a, const struct histogram *b, double share, bool is_counter)
{
	unsigned subtracted = 0, added = 0;

	if (histogram_is_custom(a) != histogram_is_custom(b))
		return NULL;
	if (is_counter && histogram_detect_reset(b, a))
		return histogram_scale(arena, b, share);
	const struct histogram *rise = histogram_sub(arena, b, a, &subtracted);
	if (rise == NULL)
		return NULL;
	const struct histogram *h = histogram_add(arena, a, histogram_scale(arena, rise, share), &added);
	note_bounds(c, subtracted, NOTE_BOUNDS_RECONCILED);
	note_bounds(c, added, NOTE_BOUNDS_ADDED);
	return h;
}

static bool one_kind_of_buckets(const struct histogram *const *h, const struct extent *x)
{
	for (uint32_t i = x->first + 1; i <= x->last; i++) {
		if (histogram_is_custom(h[i]) != histogram_is_custom(h[x->first]))
			return false;
	}
	return true;
}

static void note_kinds(struct range_call *c, const struct histogram *const *h, const struct extent *x)
{
	if (c->id == FN_DELTA) {
		if (h[x->first]->hint != HINT_GAUGE || h[x->last]->hint != HINT_GAUGE)
			c->notes |= NOTE_NOT_GAUGE;
		return;
	}
	for (uint32_t i = x->first; i <= x->last; i++) {
		if (h[i]->hint == HINT_GAUGE)
			c->notes |= NOTE_NOT_COUNTER;
	}
}

/* What the counter had reached before each of its new beginnings; a beginning that the left line crosses is in it. */
static const struct histogram *add_before_resets(struct arena *arena, const struct histogram *const *h,
    const struct extent *x, const struct histogram *sum, unsigned *notes)
{
	const struct histogram *correction = NULL;

	for (uint32_t i = x->first + 1; i <= x->last; i++) {
		if ((i == x->first + 1 && x->line_left) || !histogram_detect_reset(h[i], h[i - 1]))
			continue;
		correction = correction ? histogram_add(arena, correction, h[i - 1], notes) : h[i - 1];
		if (correction == NULL)
			return NULL;
	}
	return correction ? histogram_add(arena, sum, correction, notes) : sum;
}

static const struct histogram *histogram_growth(
    struct range_call *c, struct arena *arena, const struct range_input *in, uint32_t k)
{
	struct extent x = extent_of(c->spec, in->hw, in->histogram_t, k);
	const struct histogram *const *h = in->h;
	const struct histogram *left = h[x.first], *right = h[x.last], *sum = NULL;
	bool is_counter = c->id != FN_DELTA;
	unsigned subtracted = 0, added = 0;

	if (!one_kind_of_buckets(h, &x)) {
		c->notes |= NOTE_MIXED_SCHEMAS;
		return NULL;
	}
	note_kinds(c, h, &x);
	if (x.line_left)
		left = histogram_between(c, arena, h[x.first], h[x.first + 1], x.left_share, is_counter);
	if (x.line_right)
		right = histogram_between(c, arena, h[x.last - 1], h[x.last], x.right_share, is_counter);
	if (left && right)
		sum = histogram_sub(arena, right, left, &subtracted);
	if (sum && is_counter)
		sum = add_before_resets(arena, h, &x, sum, &added);
	if (sum == NULL)
		return NULL;
	note_bounds(c, subtracted, NOTE_BOUNDS_RECONCILED);
	note_bounds(c, added, NOTE_BOUNDS_ADDED);
	struct histogram *out = histogram_copy(arena, sum);
	out->hint = HINT_GAUGE;
	return histogram_compact(arena, out);
}

/* --- both --------------------------------------------------------------------------------------------------------------- */

static void set_histogram(struct tile *out, uint32_t row, uint32_t k, const struct histogram *h)
{
	if (h == NULL)
		return;
	tile_want_histograms(out);
	struct row r = tile_row(out, row);
	r.h[k] = h;
	bit_set(r.present, k);
}

static bool any_between(const int64_t *t, size_t n, int64_t after_ms, int64_t upto_ms)
{
	size_t from = times_upto(t, n, after_ms);

	return from < n && t[from] <= upto_ms;
}

/* Whether both kinds of samples are within reach of step k, be it beyond what counts: there is no result then, and a note. */
static bool is_mixed(struct range_call *c, const struct range_input *in, uint32_t k)
{
	const struct window_spec *spec = c->spec;
	int64_t end_ms = window_end_ms(spec, k), upto_ms = end_ms + spec->after_ms;
	int64_t after_ms = end_ms - spec->range_ms - spec->before_ms;

	if (in->n_histograms == 0 || in->n_floats == 0 ||
	    !any_between(in->float_t, in->n_floats, after_ms, upto_ms) ||
	    !any_between(in->histogram_t, in->n_histograms, after_ms, upto_ms))
		return false;
	c->notes |= NOTE_MIXED_FLOATS_HISTOGRAMS;
	return true;
}

static bool has_histograms(const struct range_input *in, uint32_t k)
{
	return in->n_histograms && in->hw->hi[k] > in->hw->lo[k];
}

void range_extended_rate(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	double seconds = (double)c->spec->range_ms / 1000;

	for (uint32_t k = 0; k < in->fw->n; k++) {
		if (is_mixed(c, in, k))
			continue;
		if (has_histograms(in, k)) {
			const struct histogram *h = histogram_growth(c, out->arena, in, k);
			set_histogram(out, row, k,
			    h && c->id == FN_RATE ? histogram_divide(out->arena, h, seconds) : h);
		} else if (in->fw->hi[k] > in->fw->lo[k]) {
			double growth = float_growth(c, in, k);
			struct row r = tile_row(out, row);
			r.v[k] = c->id == FN_RATE ? growth / seconds : growth;
			bit_set(r.present, k);
			if (c->id != FN_DELTA)
				c->notes |= NOTE_MAYBE_NOT_COUNTER;
		}
	}
}

static void smoothed_float(const struct range_call *c, const struct range_input *in, struct row r, uint32_t k)
{
	struct extent x = extent_of(c->spec, in->fw, in->float_t, k);

	r.v[k] = in->v[x.first];
	if (x.line_right)
		r.v[k] = float_between(in->v[x.last - 1], in->v[x.last], x.end_ms, in->float_t[x.last - 1],
		    in->float_t[x.last], false);
	bit_set(r.present, k);
}

static const struct histogram *smoothed_histogram(
    struct range_call *c, struct arena *arena, const struct range_input *in, uint32_t k)
{
	struct extent x = extent_of(c->spec, in->hw, in->histogram_t, k);
	const struct histogram *a = in->h[x.first], *b = in->h[x.last];

	if (!x.line_right && in->histogram_t[x.first] == x.end_ms)
		return a;
	if (!x.line_right) {
		/* Carried on: what the hint says is of the sample before that one. */
		struct histogram *carried = histogram_copy(arena, a);
		carried->hint = HINT_UNKNOWN;
		return carried;
	}
	const struct histogram *h =
	    histogram_between(c, arena, a, b, x.right_share, a->hint != HINT_GAUGE || b->hint != HINT_GAUGE);
	if (h == NULL)
		c->notes |= NOTE_MIXED_SCHEMAS;
	return h;
}

void range_smoothed_value(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	for (uint32_t k = 0; k < in->fw->n; k++) {
		if (is_mixed(c, in, k))
			continue;
		if (has_histograms(in, k))
			set_histogram(out, row, k, smoothed_histogram(c, out->arena, in, k));
		else if (in->fw->hi[k] > in->fw->lo[k])
			smoothed_float(c, in, tile_row(out, row), k);
	}
}
