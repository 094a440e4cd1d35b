/* Functions of range vectors, one series, one step, one window after the other. */
#include "tests/lib/reference_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- arithmetic --------------------------------------------------------------------------------------------------------- */

void ref_sum_add(struct ref_sum *s, double v)
{
	double t = s->sum + v;
	if (isinf(t))
		s->c = 0;
	else if (fabs(s->sum) >= fabs(v))
		s->c += (s->sum - t) + v;
	else
		s->c += (v - t) + s->sum;
	s->sum = t;
}

double ref_mean(const double *v, size_t n)
{
	struct ref_sum s = {v[0], 0};
	bool incremental = false;
	for (size_t i = 1; i < n; i++) {
		double count = (double)(i + 1);
		struct ref_sum next = s;
		ref_sum_add(&next, v[i]);
		if (!incremental && !isinf(next.sum)) {
			s = next;
			continue;
		}
		/* The sum would overflow: from here on the mean is carried on instead. */
		if (!incremental)
			s = (struct ref_sum){s.sum / (count - 1), s.c / (count - 1)};
		incremental = true;
		double q = (count - 1) / count;
		s = (struct ref_sum){q * s.sum, q * s.c};
		ref_sum_add(&s, v[i] / count);
	}
	return incremental ? s.sum + s.c : s.sum / (double)n + s.c / (double)n;
}

static bool has_overflow(const struct histogram *h)
{
	bool overflow = isinf(h->count) || isinf(h->sum) || isinf(h->zero_count);
	for (uint32_t i = 0; i < h->n_pos; i++)
		overflow |= isinf(h->pos[i]);
	for (uint32_t i = 0; i < h->n_neg; i++)
		overflow |= isinf(h->neg[i]);
	return overflow;
}

/* The sum of h[i] / divisor. */
static struct histogram_sum *sum_of_parts(struct reference *r, const struct histogram *const *h, size_t n,
    double divisor, unsigned *notes, size_t *at)
{
	struct histogram_sum *sum = NULL;
	for (*at = 0; *at < n; ++*at) {
		const struct histogram *part =
		    divisor == 1 ? h[*at] : histogram_divide(r->arena, h[*at], divisor);
		if (!sum)
			sum = histogram_sum_new(r->arena, part);
		else if (!histogram_sum_add(sum, part, notes))
			return NULL;
	}
	return sum;
}

const struct histogram *ref_sum_histograms(
    struct reference *r, const struct histogram *const *h, size_t n, bool mean, unsigned *notes, size_t *at)
{
	bool reset = false, not_reset = false;
	struct histogram_sum *sum = sum_of_parts(r, h, n, 1, notes, at);
	for (size_t i = 0; i < n && i <= *at; i++) {
		reset |= h[i]->hint == HINT_RESET;
		not_reset |= h[i]->hint == HINT_NOT_RESET;
	}
	*notes &= ~(unsigned)HISTOGRAM_NOTE_RESET_CONFLICT;
	*notes |= reset && not_reset ? HISTOGRAM_NOTE_RESET_CONFLICT : 0;
	if (!sum)
		return NULL;
	if (!mean)
		return histogram_sum_result(sum, r->arena);
	if (!has_overflow(histogram_sum_result(sum, r->arena)))
		return histogram_sum_mean(sum, r->arena, (double)n);
	return histogram_sum_result(sum_of_parts(r, h, n, (double)n, notes, at), r->arena);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	if (isnan(x) || isnan(y))
		return isnan(y) - isnan(x);
	return (x > y) - (x < y);
}

double ref_quantile(double q, const double *v, size_t n)
{
	if (n == 0 || isnan(q))
		return (double)NAN;
	if (q < 0)
		return -(double)INFINITY;
	if (q > 1)
		return (double)INFINITY;
	double *sorted = malloc(n * sizeof(*sorted));
	memcpy(sorted, v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), ascending);
	double rank = q * (double)(n - 1), weight = rank - floor(rank);
	size_t low = (size_t)floor(rank), high = low + 1 < n ? low + 1 : n - 1;
	double result = sorted[low] * (1 - weight) + sorted[high] * weight;
	free(sorted);
	return result;
}

/* --- windows ------------------------------------------------------------------------------------------------------------ */

struct range_function {
	struct reference *r;
	const struct expr *e;
	const struct call *c;
	double param[2]; /* the scalar arguments at this step, in order */
};

/* The floats of a window, alone. */
static double *floats_of(struct reference *r, const struct ref_window *w)
{
	double *v = ARENA_ARRAY(r->arena, double, w->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++)
		if (!w->p[i].h)
			v[n++] = w->p[i].v;
	return v;
}

static void info_ignored(const struct range_function *f, const struct ref_window *w)
{
	if (w->n_histograms)
		ref_info(f->r, f->c->args[0]->pos,
		    "ignored histograms in a range containing both floats and histograms for metric name %s",
		    ref_quote(f->r, w->metric));
}

/* --- sums --------------------------------------------------------------------------------------------------------------- */

static bool sum_histograms(const struct range_function *f, const struct ref_window *w, struct ref_value *out)
{
	const struct histogram **h = ARENA_ARRAY(f->r->arena, const struct histogram *, w->n);
	bool is_mean = f->c->func->id == FN_AVG_OVER_TIME;
	unsigned notes = 0;
	size_t at;

	for (size_t i = 0; i < w->n; i++)
		h[i] = w->p[i].h;
	out->h = ref_sum_histograms(f->r, h, w->n, is_mean, &notes, &at);
	if (!out->h)
		ref_warn(f->r, f->c->args[0]->pos,
		    "vector contains a mix of histograms with exponential and custom buckets schemas for "
		    "metric name "
		    "%s",
		    ref_quote(f->r, w->metric));
	else
		ref_note_histogram(f->r, f->c->args[0]->pos, notes, ~0u, "aggregation");
	return out->h != NULL;
}

static bool sum_or_avg(const struct range_function *f, const struct ref_window *w, struct ref_value *out)
{
	struct ref_sum s = {0, 0};
	if (w->n_floats && w->n_histograms) {
		ref_warn(f->r, f->c->args[0]->pos,
		    "encountered a mix of histograms and floats for metric name %s",
		    ref_quote(f->r, w->metric));
		return false;
	}
	if (w->n_histograms)
		return sum_histograms(f, w, out);
	if (f->c->func->id == FN_AVG_OVER_TIME) {
		out->v = ref_mean(floats_of(f->r, w), w->n);
		return true;
	}
	for (size_t i = 0; i < w->n; i++)
		ref_sum_add(&s, w->p[i].v);
	out->v = isinf(s.sum) ? s.sum : s.sum + s.c;
	return true;
}

static double variance(const double *v, size_t n)
{
	struct ref_sum mean = {0, 0}, m2 = {0, 0};
	for (size_t i = 0; i < n; i++) {
		double d = v[i] - (mean.sum + mean.c);
		ref_sum_add(&mean, d / (double)(i + 1));
		ref_sum_add(&m2, d * (v[i] - (mean.sum + mean.c)));
	}
	return (m2.sum + m2.c) / (double)n;
}

/* --- extremes ----------------------------------------------------------------------------------------------------------- */

/* Whether v takes the place of `best`; with `last_wins` an equal one does too. */
static bool is_better(double v, double best, bool largest, bool last_wins)
{
	if (isnan(best))
		return true;
	return (largest ? v > best : v < best) || (last_wins && v == best);
}

static struct ref_point extreme(const struct ref_window *w, bool largest, bool last_wins)
{
	struct ref_point best = {0};
	bool found = false;
	for (size_t i = 0; i < w->n; i++) {
		const struct ref_point *p = &w->p[i];
		if (!p->h && (!found || is_better(p->v, best.v, largest, last_wins))) {
			best = *p;
			found = true;
		}
	}
	return best;
}

static double median_deviation(const double *v, size_t n)
{
	double *deviation = malloc(n * sizeof(*deviation)), median = ref_quantile(0.5, v, n),
	       result = (double)NAN;
	bool has_nan = false;
	for (size_t i = 0; i < n; i++) {
		has_nan |= isnan(v[i]);
		deviation[i] = fabs(v[i] - median);
	}
	if (!has_nan)
		result = ref_quantile(0.5, deviation, n);
	free(deviation);
	return result;
}

/* Functions that see the floats alone. */
static bool of_floats(const struct range_function *f, const struct ref_window *w, struct ref_value *out)
{
	if (w->n_floats == 0)
		return false;
	double *v = floats_of(f->r, w), q = f->param[0];
	info_ignored(f, w);
	switch ((int)f->c->func->id) {
	case FN_MIN_OVER_TIME:
		out->v = extreme(w, false, false).v;
		return true;
	case FN_MAX_OVER_TIME:
		out->v = extreme(w, true, false).v;
		return true;
	case FN_TS_OF_MIN_OVER_TIME:
		out->v = (double)extreme(w, false, true).t_ms / 1000;
		return true;
	case FN_TS_OF_MAX_OVER_TIME:
		out->v = (double)extreme(w, true, true).t_ms / 1000;
		return true;
	case FN_STDVAR_OVER_TIME:
		out->v = variance(v, w->n_floats);
		return true;
	case FN_STDDEV_OVER_TIME:
		out->v = sqrt(variance(v, w->n_floats));
		return true;
	case FN_MAD_OVER_TIME:
		out->v = median_deviation(v, w->n_floats);
		return true;
	case FN_QUANTILE_OVER_TIME:
		if (isnan(q) || q < 0 || q > 1)
			ref_warn(f->r, f->c->args[0]->pos, "quantile value should be between 0 and 1, got %s",
			    ref_g(f->r, q));
		out->v = ref_quantile(q, v, w->n_floats);
		return true;
	}
	return false;
}

/* --- regression --------------------------------------------------------------------------------------------------------- */

static bool regression(const struct ref_window *w, int64_t zero_ms, double *slope, double *intercept)
{
	struct ref_sum x = {0, 0}, y = {0, 0}, xy = {0, 0}, xx = {0, 0};
	double first = 0, n = 0;
	bool constant = true;
	for (size_t i = 0; i < w->n; i++) {
		if (w->p[i].h)
			continue;
		double seconds = (double)(w->p[i].t_ms - zero_ms) / 1000, v = w->p[i].v;
		if (n == 0)
			first = v;
		else
			constant = constant && v == first;
		n++;
		ref_sum_add(&x, seconds);
		ref_sum_add(&y, v);
		ref_sum_add(&xy, seconds * v);
		ref_sum_add(&xx, seconds * seconds);
	}
	if (n < 2)
		return false;
	if (constant) {
		*slope = isinf(first) ? (double)NAN : 0;
		*intercept = isinf(first) ? (double)NAN : first;
		return true;
	}
	double sx = x.sum + x.c, sy = y.sum + y.c;
	double cov = (xy.sum + xy.c) - sx * sy / n, var = (xx.sum + xx.c) - sx * sx / n;
	*slope = cov / var;
	*intercept = sy / n - *slope * sx / n;
	return true;
}

static bool of_line(const struct range_function *f, const struct ref_window *w, struct ref_value *out)
{
	double slope, intercept;
	if (w->n_floats > 0)
		info_ignored(f, w);
	if (f->c->func->id == FN_PREDICT_LINEAR) {
		if (!regression(w, w->now_ms, &slope, &intercept))
			return false;
		out->v = slope * f->param[0] + intercept;
		return true;
	}
	int64_t first_ms = 0;
	for (size_t i = w->n; i-- > 0;)
		first_ms = w->p[i].h ? first_ms : w->p[i].t_ms;
	if (!regression(w, first_ms, &slope, &intercept))
		return false;
	out->v = slope;
	return true;
}

static int smoothing(
    const struct range_function *f, const struct ref_window *w, struct ref_value *out, bool *found)
{
	double sf = f->param[0], tf = f->param[1], *v = floats_of(f->r, w);
	*found = false;
	if (sf <= 0 || sf >= 1)
		return ref_fail(f->r, "invalid smoothing factor. Expected: 0 < sf < 1, got: %f", sf);
	if (tf <= 0 || tf >= 1)
		return ref_fail(f->r, "invalid trend factor. Expected: 0 < tf < 1, got: %f", tf);
	if (w->n_floats > 0)
		info_ignored(f, w);
	if (w->n_floats < 2)
		return 0;
	double s0 = 0, s1 = v[0], b = v[1] - v[0];
	for (size_t i = 1; i < w->n_floats; i++) {
		if (i > 1)
			b = tf * (s1 - s0) + (1 - tf) * b;
		double next = sf * v[i] + (1 - sf) * (s1 + b);
		s0 = s1;
		s1 = next;
	}
	out->v = s1;
	*found = true;
	return 0;
}

/* --- changes, resets ---------------------------------------------------------------------------------------------------- */

static bool changed(const struct ref_point *a, const struct ref_point *b)
{
	if (a->h && b->h)
		return !histogram_eq(a->h, b->h);
	if (a->h || b->h)
		return true;
	return a->v != b->v && !(isnan(a->v) && isnan(b->v));
}

static bool was_reset(const struct reference *r, const struct ref_point *a, const struct ref_point *b)
{
	if ((a->h != NULL) != (b->h != NULL) || ref_start_is_reset(r, a, b))
		return true;
	return b->h ? histogram_detect_reset(b->h, a->h) : b->v < a->v;
}

static bool count_steps(const struct range_function *f, const struct ref_window *w, struct ref_value *out)
{
	size_t first = 0, n = 0;
	/* Anchored: from the newest sample at or before the start, provided that there is one after it. */
	for (size_t i = 0; i < w->n; i++)
		if (w->p[i].t_ms <= w->from_ms)
			first = i;
	if (w->p[w->n - 1].t_ms <= w->from_ms)
		return false;
	for (size_t i = first + 1; i < w->n; i++)
		n += f->c->func->id == FN_CHANGES ? changed(&w->p[i - 1], &w->p[i])
						  : was_reset(f->r, &w->p[i - 1], &w->p[i]);
	out->v = (double)n;
	return true;
}

/* --- all of them -------------------------------------------------------------------------------------------------------- */

static bool is_extended(const struct call *c)
{
	const struct expr *arg = expr_unparen(c->args[0]);
	return arg->kind == EXPR_RANGE_SELECTOR && (arg->selector.anchored || arg->selector.smoothed);
}

/* The value of the function for a window that is not empty. */
static int of_window(
    const struct range_function *f, const struct ref_window *w, struct ref_value *out, bool *found)
{
	const struct ref_point *first = &w->p[0], *last = &w->p[w->n - 1];
	*out = (struct ref_value){0, NULL};
	*found = true;
	switch ((int)f->c->func->id) {
	case FN_RATE:
	case FN_INCREASE:
	case FN_DELTA:
		*found =
		    is_extended(f->c) ? ref_extended_rate(f->r, f->c, w, out) : ref_rate(f->r, f->c, w, out);
		return 0;
	case FN_IRATE:
	case FN_IDELTA:
		*found = ref_irate(f->r, f->c, w, out);
		return 0;
	case FN_SUM_OVER_TIME:
	case FN_AVG_OVER_TIME:
		*found = sum_or_avg(f, w, out);
		return 0;
	case FN_COUNT_OVER_TIME:
		out->v = (double)w->n;
		return 0;
	case FN_PRESENT_OVER_TIME:
	case FN_ABSENT_OVER_TIME:
		out->v = 1;
		return 0;
	case FN_FIRST_OVER_TIME:
		*out = (struct ref_value){first->v, first->h};
		return 0;
	case FN_LAST_OVER_TIME:
		*out = (struct ref_value){last->v, last->h};
		return 0;
	case FN_TS_OF_FIRST_OVER_TIME:
		out->v = (double)first->t_ms / 1000;
		return 0;
	case FN_TS_OF_LAST_OVER_TIME:
		out->v = (double)last->t_ms / 1000;
		return 0;
	case FN_CHANGES:
	case FN_RESETS:
		*found = count_steps(f, w, out);
		return 0;
	case FN_DERIV:
	case FN_PREDICT_LINEAR:
		*found = of_line(f, w, out);
		return 0;
	case FN_DOUBLE_EXPONENTIAL_SMOOTHING:
		return smoothing(f, w, out, found);
	}
	*found = of_floats(f, w, out);
	return 0;
}

static int check_modifier(struct reference *r, const struct call *c, const struct expr *range)
{
	range = expr_unparen(range);
	if (range->kind != EXPR_RANGE_SELECTOR)
		return 0;
	bool is_growth = c->func->id == FN_RATE || c->func->id == FN_INCREASE || c->func->id == FN_DELTA;
	bool is_count = c->func->id == FN_CHANGES || c->func->id == FN_RESETS;
	if (range->selector.anchored && !is_growth && !is_count)
		return ref_fail(r,
		    "anchored modifier can only be used with: changes, delta, increase, rate, resets - not "
		    "with %s",
		    c->func->name);
	if (range->selector.smoothed && !is_growth)
		return ref_fail(r,
		    "smoothed modifier can only be used with: delta, increase, rate - not with %s",
		    c->func->name);
	return 0;
}

static bool ends_like_a_counter(struct slice name)
{
	return slice_ends(name, SL("_total")) || slice_ends(name, SL("_sum")) ||
	       slice_ends(name, SL("_count")) || slice_ends(name, SL("_bucket"));
}

/* rate() and increase() of what may be no counter. */
static void info_maybe_no_counter(
    const struct range_function *f, const struct ref_series *s, const struct ref_row *row, size_t n_steps)
{
	struct slice name = labels_metric_name(s->labels), type = labels_get(s->labels, SL("__type__"));
	bool has_float = false;
	for (size_t k = 0; k < n_steps; k++)
		has_float |= row->cells[k].present && !row->cells[k].h;
	if (!has_float || name.len == 0 || (f->c->func->id != FN_RATE && f->c->func->id != FN_INCREASE))
		return;
	if (!f->r->options->type_and_unit_labels) {
		if (!ends_like_a_counter(name))
			ref_info(f->r, f->c->args[0]->pos,
			    "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
			    "%s",
			    ref_quote(f->r, name));
	} else if (!slice_eq_cstr(type, "counter") && !slice_eq_cstr(type, "histogram")) {
		ref_info(f->r, f->c->args[0]->pos,
		    "metric might not be a counter, __type__ label is not set to \"counter\" or "
		    "\"histogram\", got "
		    "%s: %s",
		    ref_quote(f->r, type), ref_quote(f->r, name));
	}
}

static int of_series(struct range_function *f, const struct expr *range, const struct ref_series *s,
    double *const *params, size_t n_params, struct ref_table *t)
{
	bool keeps_name = f->c->func->id == FN_LAST_OVER_TIME || f->c->func->id == FN_FIRST_OVER_TIME;
	const struct labels *labels = s->labels;
	bool drop_name = s->drop_name;
	if (!keeps_name || drop_name)
		ref_drop_name(f->r, &labels, &drop_name);
	struct ref_row *row = ref_table_add(f->r, t, labels, drop_name);
	for (size_t k = 0; k < t->times.n; k++) {
		struct ref_window w = ref_window_of(f->r, range, s, ref_time(&t->times, k));
		struct ref_value value;
		bool found;
		for (size_t i = 0; i < n_params; i++)
			f->param[i] = params[i][k];
		if (w.n == 0)
			continue;
		int rc = of_window(f, &w, &value, &found);
		if (rc)
			return rc;
		row->cells[k] = (struct ref_cell){found, value.v, value.h};
	}
	info_maybe_no_counter(f, s, row, t->times.n);
	return 0;
}

static int check_unique(struct reference *r, const struct ref_table *t)
{
	for (size_t i = 0; !r->options->delayed_name_removal && i < t->n; i++)
		for (size_t j = 0; j < i; j++)
			if (labels_eq(t->rows[i].labels, t->rows[j].labels))
				return ref_fail_same_labels(r);
	return 0;
}

/* 1 at the steps at which no series has a sample. */
static int absence(
    struct reference *r, const struct expr *range, const struct ref_table *t, struct ref_table **out)
{
	const struct labels *labels = ref_absent_labels(r, range);
	*out = ref_table_new(r, &t->times);
	for (size_t k = 0; k < t->times.n; k++) {
		bool found = false;
		for (size_t i = 0; i < t->n; i++)
			found |= t->rows[i].cells[k].present;
		int rc =
		    found ? 0 : ref_table_put(r, *out, k, labels, r->options->delayed_name_removal, 1, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

int ref_range_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	struct range_function f = {.r = r, .e = e, .c = &e->call};
	struct ref_series_list list = {0};
	const struct expr *range = NULL;
	double *params[2];
	size_t n_params = 0;
	int rc = 0;

	for (size_t i = 0; i < e->call.n_args; i++)
		if (e->call.args[i]->type == TYPE_MATRIX)
			range = e->call.args[i];
	rc = ref_range(r, range, times, &list);
	for (size_t i = 0; rc == 0 && i < e->call.n_args; i++)
		if (e->call.args[i]->type == TYPE_SCALAR)
			rc = ref_scalar(r, e->call.args[i], times, &params[n_params++]);
	if (rc == 0)
		rc = check_modifier(r, f.c, range);
	struct ref_table *t = ref_table_new(r, times);
	for (size_t i = 0; rc == 0 && i < list.n; i++)
		rc = of_series(&f, range, &list.v[i], params, n_params, t);
	if (rc)
		return rc;
	ref_table_drop_empty(t);
	if (f.c->func->id == FN_ABSENT_OVER_TIME)
		return absence(r, range, t, out);
	*out = t;
	return check_unique(r, t);
}
