/* rate, increase, delta, irate, idelta.
 *
 * For floats, everything that depends on time alone (what is extrapolated, by which factor) is computed once per distinct
 * time column and shared by all series that have it; a point then costs two loads, a subtraction and a multiplication.
 * Counter resets are rare: they are found once per series and added up, in order, inside the windows that hold them, which
 * gives the same bits as Prometheus's walk over each window. */
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "promql/columns.h"
#include "promql/range_func.h"

#include <math.h>
#include <string.h>

/* Of one step, from the times of its window. */
struct rate_time {
	double interval;   /* seconds from the first to the last sample; 0: fewer than two samples */
	double to_start;   /* seconds extrapolated before the first sample */
	double to_end;     /* and behind the last */
	double factor;     /* (interval + to_start + to_end) / interval, for rate divided by the range */
	double zero_ratio; /* below first/delta = this, a counter would have been negative within to_start */
};

struct rate_times {
	uint64_t generation;
	struct rate_time *v;
	uint64_t *present;
	uint32_t *resets; /* indexes i with v[i] < v[i-1] of the series at hand */
	size_t resets_cap;
};

/* What extrapolation needs to know of a window. */
static struct rate_time rate_time_of(const struct window_spec *spec, uint32_t step, int64_t first_ms,
    int64_t last_ms, uint32_t n, bool is_rate)
{
	int64_t end_ms = window_end_ms(spec, step);
	struct rate_time t = {.interval = (double)(last_ms - first_ms) / 1000};
	double average = t.interval / (double)(n - 1);
	double threshold = average * 1.1;

	t.to_start = (double)(first_ms - (end_ms - spec->range_ms)) / 1000;
	t.to_end = (double)(end_ms - last_ms) / 1000;
	if (t.to_start >= threshold)
		t.to_start = average / 2;
	if (t.to_end >= threshold)
		t.to_end = average / 2;
	t.factor = (t.interval + t.to_start + t.to_end) / t.interval;
	if (is_rate)
		t.factor /= (double)spec->range_ms / 1000;
	/* A little more than exact, so that the cheap test never misses what the exact one would find. */
	t.zero_ratio = t.to_start / t.interval * (1 + 1e-9);
	return t;
}

/* The factor when a counter that was `first` at the beginning and grew by `delta` cannot be extrapolated below zero. */
static double clamped_factor(
    const struct rate_time *t, const struct window_spec *spec, double first, double delta, bool is_rate)
{
	double to_zero = t->interval * (first / delta);

	if (!(to_zero < t->to_start))
		return t->factor;
	double factor = (t->interval + to_zero + t->to_end) / t->interval;
	return is_rate ? factor / ((double)spec->range_ms / 1000) : factor;
}

static struct rate_times *rate_times_for(struct range_call *c, const struct range_input *in)
{
	const struct windows *w = in->fw;
	struct rate_times *rt = c->rate_times;

	if (rt == NULL) {
		rt = c->rate_times = xcalloc(1, sizeof(*rt));
		rt->v = xreallocarray(NULL, w->n, sizeof(*rt->v));
		rt->present = xcalloc(bit_words(w->n), sizeof(*rt->present));
	}
	if (rt->generation == w->generation)
		return rt;
	rt->generation = w->generation;
	memset(rt->present, 0, bit_words(w->n) * sizeof(*rt->present));
	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t n = w->hi[k] - w->lo[k];
		if (n < 2)
			continue;
		rt->v[k] = rate_time_of(
		    c->spec, k, in->float_t[w->lo[k]], in->float_t[w->hi[k] - 1], n, c->id == FN_RATE);
		bit_set(rt->present, k);
	}
	return rt;
}

static size_t find_resets(struct rate_times *rt, const struct range_input *in)
{
	const double *v = in->v;
	size_t n = in->n_floats, found = 0;

	if (n < 2 || in->never_falls || !column_has_falls(v, n))
		return 0;
	if (rt->resets_cap < n) {
		free(rt->resets);
		rt->resets = xreallocarray(NULL, n, sizeof(*rt->resets));
		rt->resets_cap = n;
	}
	for (size_t i = 1; i < n; i++) {
		if (v[i] < v[i - 1])
			rt->resets[found++] = (uint32_t)i;
	}
	return found;
}

static inline double rate_point(
    const struct range_call *c, const struct rate_time *t, double first, double delta, bool is_counter)
{
	double factor = t->factor;

	if (is_counter && delta > 0 && first >= 0 && unlikely(first <= delta * t->zero_ratio))
		factor = clamped_factor(t, c->spec, first, delta, c->id == FN_RATE);
	return delta * factor;
}

/* No reset in the whole series, or a gauge. */
static void rate_smooth(
    struct range_call *c, const struct range_input *in, const struct rate_times *rt, struct row out)
{
	const struct windows *w = in->fw;
	bool is_counter = c->id != FN_DELTA;

	BITS_EACH(k, rt->present, bit_words(w->n))
	{
		double first = in->v[w->lo[k]];
		out.v[k] = rate_point(c, &rt->v[k], first, in->v[w->hi[k] - 1] - first, is_counter);
	}
}

static void rate_with_resets(struct range_call *c, const struct range_input *in, const struct rate_times *rt,
    size_t n_resets, struct row out)
{
	const struct windows *w = in->fw;
	size_t from = 0;

	BITS_EACH(k, rt->present, bit_words(w->n))
	{
		double first = in->v[w->lo[k]];
		double delta = in->v[w->hi[k] - 1] - first;

		while (from < n_resets && rt->resets[from] <= w->lo[k])
			from++;
		for (size_t i = from; i < n_resets && rt->resets[i] < w->hi[k]; i++)
			delta += in->v[rt->resets[i] - 1];
		out.v[k] = rate_point(c, &rt->v[k], first, delta, true);
	}
}

static void rate_floats(struct range_call *c, const struct range_input *in, struct row out)
{
	struct rate_times *rt = rate_times_for(c, in);
	size_t n_resets = c->id == FN_DELTA ? 0 : find_resets(rt, in);

	if (n_resets)
		rate_with_resets(c, in, rt, n_resets, out);
	else
		rate_smooth(c, in, rt, out);
	memcpy(out.present, rt->present, bit_words(in->fw->n) * sizeof(*out.present));
	if (c->id != FN_DELTA && bits_any(rt->present, bit_words(in->fw->n)))
		c->notes |= NOTE_MAYBE_NOT_COUNTER;
}

/* What the arithmetic had to say. Conflicting hints are expected where resets are looked for, so that only the bounds are worth
 * a word. */
static unsigned row_notes_of(unsigned subtracted, unsigned added)
{
	return (subtracted & HISTOGRAM_NOTE_BOUNDS_RECONCILED ? NOTE_BOUNDS_RECONCILED : 0u) |
	       (added & HISTOGRAM_NOTE_BOUNDS_RECONCILED ? NOTE_BOUNDS_ADDED : 0u);
}

/* An empty histogram with the buckets of `like`: what stands for a first sample that a reset made meaningless. */
static const struct histogram *empty_like(struct arena *a, const struct histogram *like)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);

	h->schema = like->schema;
	h->n_custom = like->n_custom;
	h->custom = like->custom;
	return h;
}

/* The schema to compute in, or false: exponential and custom buckets meet. */
static bool common_schema(const struct range_call *c, const struct histogram *first,
    const struct histogram *const *h, size_t n, int32_t *schema)
{
	bool is_counter = c->id != FN_DELTA;

	if (histogram_is_custom(h[n - 1]) != histogram_is_custom(first))
		return false;
	*schema = h[n - 1]->schema < first->schema ? h[n - 1]->schema : first->schema;
	for (size_t i = 1; is_counter && i + 1 < n; i++) {
		if (h[i]->schema < *schema)
			*schema = h[i]->schema;
		if (histogram_is_custom(h[i]) != histogram_is_custom(first))
			return false;
	}
	return true;
}

/* Counters that are gauges, and the other way round. */
static void note_kinds(struct range_call *c, const struct histogram *const *h, size_t n)
{
	if (c->id == FN_DELTA) {
		if (h[0]->hint != HINT_GAUGE || h[n - 1]->hint != HINT_GAUGE)
			c->notes |= NOTE_NOT_GAUGE;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (h[i]->hint == HINT_GAUGE)
			c->notes |= NOTE_NOT_COUNTER;
	}
}

/* n neighbours of a window, and what start timestamps say of them. */
struct histogram_run {
	const struct histogram *const *h;
	const int64_t *t, *start; /* start NULL: no start timestamps */
	size_t n;
	bool from_zero; /* the counter began within the range, before the first sample */
};

/* Whether the counter began anew before sample i, `prev` being what stands for the sample before. */
static bool run_resets(const struct histogram_run *r, size_t i, const struct histogram *prev)
{
	if (r->start && start_is_reset(r->t[i - 1], r->start[i - 1], r->t[i], r->start[i]))
		return true;
	return histogram_detect_reset(r->h[i], prev);
}

static void note_overlaps(struct range_call *c, const int64_t *t, const int64_t *start, size_t n)
{
	for (size_t i = 1; start && i < n; i++) {
		if (start_overlaps(t[i - 1], start[i - 1], t[i], start[i]))
			c->notes |= NOTE_STARTS_OVERLAP;
	}
}

/* What the counter grew by (or the gauge changed by) from the first to the last; NULL with a note when the histograms do not
 * fit together. */
static struct histogram *histogram_growth(
    struct range_call *c, struct arena *a, const struct histogram_run *r)
{
	const struct histogram *const *h = r->h;
	bool is_counter = c->id != FN_DELTA;
	const struct histogram *prev = h[0], *last = h[r->n - 1];
	size_t n = r->n, from = 1;
	unsigned subtracted = 0, added = 0;
	int32_t schema;

	if (is_counter && !r->from_zero && run_resets(r, 1, prev)) {
		prev = empty_like(a, h[1]);
		from = 2;
	}
	if (!common_schema(c, prev, h, n, &schema)) {
		c->notes |= NOTE_MIXED_SCHEMAS;
		return NULL;
	}
	note_kinds(c, h, n);
	if (!histogram_is_custom(last) && schema < last->schema)
		last = histogram_reduce(a, last, schema);
	struct histogram *sum =
	    r->from_zero ? histogram_copy(a, last) : histogram_sub(a, last, prev, &subtracted);
	for (size_t i = from; is_counter && sum && i < n; i++) {
		if (run_resets(r, i, h[i - 1]))
			sum = histogram_add(a, sum, h[i - 1], &added);
	}
	if (sum == NULL) {
		c->notes |= NOTE_MIXED_SCHEMAS;
		return NULL;
	}
	c->notes |= row_notes_of(subtracted, added);
	sum->hint = HINT_GAUGE;
	return histogram_compact(a, sum);
}

static double histogram_rate_factor(
    const struct range_call *c, const struct rate_time *t, double first_count, double growth_count)
{
	if (c->id == FN_DELTA || !(growth_count > 0) || !(first_count >= 0))
		return t->factor;
	return clamped_factor(t, c->spec, first_count, growth_count, c->id == FN_RATE);
}

/* The factor for a window whose first sample has a start inside the range: growth began there, at zero. */
static double factor_from_start(const struct range_call *c, uint32_t step, int64_t start_ms, int64_t first_ms,
    int64_t last_ms, uint32_t n)
{
	int64_t end_ms = window_end_ms(c->spec, step);
	double average = n > 1 ? (double)(last_ms - first_ms) / 1000 / (double)(n - 1) : 0;
	double interval = (double)(last_ms - start_ms) / 1000;
	double to_end = (double)(end_ms - last_ms) / 1000;

	if (to_end >= average * 1.1)
		to_end = average / 2;
	double factor = (interval + to_end) / interval;
	return c->id == FN_RATE ? factor / ((double)c->spec->range_ms / 1000) : factor;
}

static bool begins_inside(const struct range_call *c, uint32_t step, int64_t start_ms, int64_t t_ms)
{
	return c->id != FN_DELTA && start_known(start_ms, t_ms) &&
	       start_ms > window_end_ms(c->spec, step) - c->spec->range_ms;
}

static void rate_histograms(
    struct range_call *c, const struct range_input *in, uint32_t k, struct tile *out, uint32_t row)
{
	uint32_t lo = in->hw->lo[k], n = in->hw->hi[k] - lo;
	const int64_t *t = in->histogram_t + lo;
	struct histogram_run run = {.h = in->h + lo, .t = t, .n = n};
	double factor;

	if (in->histogram_start && c->id != FN_DELTA) {
		run.start = in->histogram_start + lo;
		run.from_zero = begins_inside(c, k, run.start[0], t[0]);
		note_overlaps(c, t, run.start, n);
	}
	if (n < 2 && !run.from_zero)
		return;
	struct histogram *growth = histogram_growth(c, out->arena, &run);
	if (growth == NULL)
		return;
	if (run.from_zero) {
		factor = factor_from_start(c, k, run.start[0], t[0], t[n - 1], n);
	} else {
		struct rate_time time = rate_time_of(c->spec, k, t[0], t[n - 1], n, c->id == FN_RATE);
		factor = histogram_rate_factor(c, &time, run.h[0]->count, growth->count);
	}
	tile_want_histograms(out);
	struct row r = tile_row(out, row);
	r.h[k] = histogram_scale(out->arena, growth, factor);
	bit_set(r.present, k);
}

/* A window of floats with start timestamps; false: too few samples. */
static bool rate_started(struct range_call *c, const struct range_input *in, uint32_t k, double *out)
{
	uint32_t lo = in->fw->lo[k], n = in->fw->hi[k] - lo;
	const int64_t *t = in->float_t + lo, *start = in->float_start + lo;
	const double *v = in->v + lo;
	bool from_zero = n > 0 && begins_inside(c, k, start[0], t[0]);

	if (n < 2 && !from_zero)
		return false;
	double delta = v[n - 1] - v[0];
	for (uint32_t i = 1; i < n; i++) {
		if (v[i] < v[i - 1] || start_is_reset(t[i - 1], start[i - 1], t[i], start[i]))
			delta += v[i - 1];
	}
	note_overlaps(c, t, start, n);
	if (from_zero) {
		*out = (delta + v[0]) * factor_from_start(c, k, start[0], t[0], t[n - 1], n);
		return true;
	}
	struct rate_time time = rate_time_of(c->spec, k, t[0], t[n - 1], n, c->id == FN_RATE);
	*out = rate_point(c, &time, v[0], delta, true);
	return true;
}

static void rate_started_floats(struct range_call *c, const struct range_input *in, struct row r)
{
	for (uint32_t k = 0; k < in->fw->n; k++) {
		if (!rate_started(c, in, k, &r.v[k]))
			continue;
		bit_set(r.present, k);
		c->notes |= NOTE_MAYBE_NOT_COUNTER;
	}
}

static bool any_float(const struct tile *t, uint32_t row)
{
	struct row r = tile_row(t, row);

	BITS_EACH(k, r.present, t->words)
	{
		if (r.h == NULL || r.h[k] == NULL)
			return true;
	}
	return false;
}

bool range_rate_of_window(struct range_call *c, uint32_t k, const struct rate_window *w, double *v)
{
	bool is_counter = c->id != FN_DELTA;

	if (w->n < 2)
		return false;
	struct rate_time time =
	    rate_time_of(c->spec, k, w->first_ms, w->last_ms, (uint32_t)w->n, c->id == FN_RATE);
	double delta = w->last - w->first;
	for (size_t i = 0; is_counter && i < w->n_drops; i++)
		delta += w->drops[i];
	*v = rate_point(c, &time, w->first, delta, is_counter);
	if (is_counter)
		c->notes |= NOTE_MAYBE_NOT_COUNTER;
	return true;
}

void range_rate(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);

	if (in->float_start && c->id != FN_DELTA)
		rate_started_floats(c, in, r);
	else
		rate_floats(c, in, r);
	if (in->n_histograms == 0)
		return;
	for (uint32_t k = 0; k < in->fw->n; k++) {
		if (in->hw->hi[k] == in->hw->lo[k])
			continue;
		if (in->fw->hi[k] > in->fw->lo[k]) {
			bit_clear(r.present, k);
			c->notes |= NOTE_MIXED_FLOATS_HISTOGRAMS;
			continue;
		}
		rate_histograms(c, in, k, out, row);
	}
	if (!any_float(out, row))
		c->notes &= ~(unsigned)NOTE_MAYBE_NOT_COUNTER;
}

/* The difference of two histograms as irate and idelta take it; NULL with a note when they do not fit together. */
static struct histogram *histogram_last_delta(struct range_call *c, struct arena *a,
    const struct histogram *prev, const struct histogram *last, bool is_reset)
{
	bool is_rate = c->id == FN_IRATE;
	bool gauges = prev->hint == HINT_GAUGE && last->hint == HINT_GAUGE;
	bool any_gauge = prev->hint == HINT_GAUGE || last->hint == HINT_GAUGE;
	unsigned notes = 0;
	struct histogram *delta;

	if (is_rate && any_gauge)
		c->notes |= NOTE_NOT_COUNTER;
	if (!is_rate && !gauges)
		c->notes |= NOTE_NOT_GAUGE;
	if (is_rate && (is_reset || histogram_detect_reset(last, prev)))
		delta = histogram_copy(a, last);
	else
		delta = histogram_sub(a, last, prev, &notes);
	if (delta == NULL) {
		c->notes |= NOTE_MIXED_SCHEMAS;
		return NULL;
	}
	c->notes |= row_notes_of(notes, 0);
	delta->hint = HINT_GAUGE;
	return histogram_compact(a, delta);
}

static double float_last_delta(const struct range_call *c, double prev, double last, bool is_reset)
{
	/* After a reset the counter has grown from zero. */
	return c->id == FN_IRATE && (is_reset || last < prev) ? last : last - prev;
}

static void irate_floats(struct range_call *c, const struct range_input *in, struct row r)
{
	const struct windows *w = in->fw;

	for (uint32_t k = 0; k < w->n; k++) {
		if (w->hi[k] - w->lo[k] < 2)
			continue;
		size_t i = w->hi[k] - 1;
		int64_t ms = in->float_t[i] - in->float_t[i - 1];
		if (ms == 0)
			continue;
		double delta = float_last_delta(c, in->v[i - 1], in->v[i], false);
		r.v[k] = c->id == FN_IRATE ? delta / ((double)ms / 1000) : delta;
		bit_set(r.present, k);
	}
}

/* Two neighbours of any kind. */
struct last_two {
	int64_t t[2], start[2]; /* [1] is the newest */
	double v[2];
	const struct histogram *h[2];
	unsigned n;
};

/* The newest two samples of a window, of floats and histograms together. */
static struct last_two newest_two(const struct range_input *in, uint32_t k)
{
	struct last_two out = {.n = 0};
	uint32_t f = in->fw->hi[k], h = in->n_histograms ? in->hw->hi[k] : 0;

	while (out.n < 2) {
		bool have_f = f > in->fw->lo[k], have_h = in->n_histograms && h > in->hw->lo[k];
		unsigned at = 1 - out.n;

		if (!have_f && !have_h)
			return out;
		if (have_f && (!have_h || in->float_t[f - 1] > in->histogram_t[h - 1])) {
			out.t[at] = in->float_t[--f];
			out.v[at] = in->v[f];
			out.start[at] = in->float_start ? in->float_start[f] : 0;
		} else {
			out.t[at] = in->histogram_t[--h];
			out.h[at] = in->h[h];
			out.start[at] = in->histogram_start ? in->histogram_start[h] : 0;
		}
		out.n++;
	}
	return out;
}

static void irate_mixed(
    struct range_call *c, const struct range_input *in, uint32_t k, struct tile *out, uint32_t row)
{
	struct last_two s = newest_two(in, k);
	double seconds = (double)(s.t[1] - s.t[0]) / 1000;

	if (s.n < 2 || s.t[0] == s.t[1])
		return;
	if ((s.h[0] == NULL) != (s.h[1] == NULL)) {
		c->notes |= NOTE_MIXED_FLOATS_HISTOGRAMS;
		return;
	}
	bool is_reset = start_is_reset(s.t[0], s.start[0], s.t[1], s.start[1]);
	if (s.h[0])
		tile_want_histograms(out);
	struct row r = tile_row(out, row);
	if (s.h[0] == NULL) {
		double delta = float_last_delta(c, s.v[0], s.v[1], is_reset);
		r.v[k] = c->id == FN_IRATE ? delta / seconds : delta;
	} else {
		struct histogram *delta = histogram_last_delta(c, out->arena, s.h[0], s.h[1], is_reset);
		if (delta == NULL)
			return;
		r.h[k] = c->id == FN_IRATE ? histogram_divide(out->arena, delta, seconds) : delta;
	}
	bit_set(r.present, k);
}

void range_irate(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	if (in->n_histograms == 0 && in->float_start == NULL) {
		irate_floats(c, in, tile_row(out, row));
		return;
	}
	for (uint32_t k = 0; k < in->fw->n; k++)
		irate_mixed(c, in, k, out, row);
}

void rate_times_free(struct rate_times *t)
{
	if (t == NULL)
		return;
	free(t->v);
	free(t->present);
	free(t->resets);
	free(t);
}
