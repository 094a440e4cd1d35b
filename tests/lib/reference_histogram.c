/* Functions of histograms, native and classic. */
#include "tests/lib/reference_priv.h"

#include "base/double_text.h"
#include "model/label_builder.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct bucket {
	double upper, count;
};

/* The buckets of one classic histogram at a step. */
struct classic {
	const struct labels *labels; /* without le, with the name */
	bool drop_name, conflicts;
	struct bucket *v;
	size_t n;
};

struct histogram_call {
	struct reference *r;
	const struct expr *e;
	const struct expr *vector; /* the argument */
	const struct ref_table *in;
	struct ref_table *out;
	struct classic *classics;
	size_t n_classics;
};

/* --- one number of a native histogram ------------------------------------------------------------------------------------- */

static double one_number(enum function_id id, const struct histogram *h)
{
	switch ((int)id) {
	case FN_HISTOGRAM_COUNT:
		return h->count;
	case FN_HISTOGRAM_SUM:
		return h->sum;
	case FN_HISTOGRAM_AVG:
		return h->sum / h->count;
	case FN_HISTOGRAM_STDVAR:
		return histogram_stdvar(h);
	}
	return sqrt(histogram_stdvar(h));
}

static const struct labels *without(struct reference *r, const struct labels *ls, struct slice name)
{
	struct label_builder b;
	label_builder_init(&b, r->arena, ls);
	label_builder_del(&b, name);
	return label_builder_labels(&b);
}

static int numbers(struct histogram_call *c)
{
	struct reference *r = c->r;
	for (size_t i = 0; i < c->in->n; i++) {
		const struct ref_row *row = &c->in->rows[i];
		bool delayed = r->options->delayed_name_removal;
		/* Of these functions type and unit stay. */
		const struct labels *labels = delayed ? row->labels : without(r, row->labels, SL(LABEL_NAME));
		for (size_t k = 0; k < c->in->times.n; k++) {
			const struct ref_cell *cell = &row->cells[k];
			if (!cell->present || !cell->h)
				continue;
			int rc = ref_table_put(r, c->out, k, labels, delayed || row->drop_name,
			    one_number(c->e->call.func->id, cell->h), NULL);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* --- classic buckets ------------------------------------------------------------------------------------------------------ */

/* " for metric name "x"", where the name is still there to be told. */
static const char *for_metric(struct reference *r, const struct labels *ls)
{
	struct slice name = labels_metric_name(ls);
	if (!r->options->delayed_name_removal || name.len == 0)
		return "";
	return arena_printf(r->arena, " for metric name %s", ref_quote(r, name)).ptr;
}

static void add_bucket(struct histogram_call *c, const struct ref_row *row, double count)
{
	struct reference *r = c->r;
	struct slice le = labels_get(row->labels, SL(LABEL_LE));
	struct bucket b = {0, count};
	if (!double_parse(le, &b.upper)) {
		ref_warn(r, c->vector->pos, "bucket label \"le\" is missing or has a malformed value of %s%s",
		    ref_quote(r, le), for_metric(r, row->labels));
		return;
	}
	const struct labels *labels = without(r, row->labels, SL(LABEL_LE));
	size_t i = 0;
	while (i < c->n_classics && !labels_eq(c->classics[i].labels, labels))
		i++;
	if (i == c->n_classics)
		c->classics[c->n_classics++] = (struct classic){.labels = labels,
		    .drop_name = row->drop_name,
		    .v = ARENA_ARRAY(r->arena, struct bucket, c->in->n)};
	c->classics[i].v[c->classics[i].n++] = b;
}

/* Whether a native histogram stands beside classic buckets of the same labels: then neither counts. */
static bool conflicts(struct histogram_call *c, const struct labels *labels)
{
	for (size_t i = 0; i < c->n_classics; i++) {
		if (!labels_eq(c->classics[i].labels, labels))
			continue;
		c->classics[i].conflicts = true;
		ref_warn(c->r, c->vector->pos, "vector contains a mix of classic and native histograms%s",
		    for_metric(c->r, labels));
		return true;
	}
	return false;
}

static int by_upper(const void *a, const void *b)
{
	double x = ((const struct bucket *)a)->upper, y = ((const struct bucket *)b)->upper;
	return (x > y) - (x < y);
}

/* In the order of their bounds, those of equal bound added up. False: there is none for +Inf. */
static bool tidy(struct classic *h)
{
	size_t n = 0;
	qsort(h->v, h->n, sizeof(*h->v), by_upper);
	for (size_t i = 0; i < h->n; i++) {
		if (n > 0 && h->v[n - 1].upper == h->v[i].upper)
			h->v[n - 1].count += h->v[i].count;
		else
			h->v[n++] = h->v[i];
	}
	h->n = n;
	return h->v[n - 1].upper == (double)INFINITY;
}

static bool nearly_equal(double a, double b)
{
	if (isnan(a) || isnan(b))
		return false;
	double sum = fabs(a) + fabs(b), diff = fabs(a - b);
	if (a == b)
		return true;
	if (a == 0 || b == 0 || sum < 0x1p-1022)
		return diff < 1e-12 * 0x1p-1022;
	return diff / fmin(sum, 0x1.fffffffffffffp1023) < 1e-12;
}

static void note_fall(
    struct histogram_call *c, const struct classic *h, double low, double high, double most, int64_t t_ms)
{
	struct reference *r = c->r;
	struct slice metric = r->options->delayed_name_removal ? labels_metric_name(h->labels) : SL_EMPTY;
	struct ref_forced *f = NULL;
	for (size_t i = 0; i < r->n_forced && !f; i++)
		if (r->forced[i].at == c->vector->pos.start && slice_eq(r->forced[i].metric, metric))
			f = &r->forced[i];
	if (!f) {
		r->forced = ref_grow(r, r->forced, r->n_forced, &r->forced_cap, sizeof(*r->forced));
		f = &r->forced[r->n_forced++];
		*f = (struct ref_forced){metric, c->vector->pos.start, low, high, most, 0, t_ms, t_ms};
	}
	f->lowest = fmin(f->lowest, low);
	f->highest = fmax(f->highest, high);
	f->most = fmax(f->most, most);
	f->first_ms = t_ms < f->first_ms ? t_ms : f->first_ms;
	f->last_ms = t_ms > f->last_ms ? t_ms : f->last_ms;
	f->count++;
}

/* Counts must not fall from bucket to bucket. */
static void make_monotonic(struct histogram_call *c, struct classic *h, int64_t t_ms)
{
	double before = h->v[0].count, low = (double)INFINITY, high = -(double)INFINITY, most = 0;
	for (size_t i = 1; i < h->n; i++) {
		double now = h->v[i].count;
		if (nearly_equal(before, now)) {
			h->v[i].count = before;
		} else if (now < before) {
			h->v[i].count = before;
			low = fmin(low, h->v[i].upper);
			high = fmax(high, h->v[i].upper);
			most = fmax(most, before - now);
		} else {
			before = now;
		}
	}
	if (high != -(double)INFINITY)
		note_fall(c, h, low, high, most, t_ms);
}

static double classic_quantile(struct histogram_call *c, double q, struct classic *h, int64_t t_ms)
{
	if (isnan(q) || q < 0 || q > 1)
		return isnan(q) ? (double)NAN : q < 0 ? -(double)INFINITY : (double)INFINITY;
	if (!tidy(h))
		return (double)NAN;
	make_monotonic(c, h, t_ms);
	if (h->n < 2 || h->v[h->n - 1].count == 0)
		return (double)NAN;
	double rank = q * h->v[h->n - 1].count;
	/* The first of all but the last whose count reaches the rank: halved as a library search halves, which tells where NaN
	 * counts are. */
	size_t low = 0, high = h->n - 1;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (h->v[middle].count >= rank)
			high = middle;
		else
			low = middle + 1;
	}
	if (low == h->n - 1)
		return h->v[h->n - 2].upper;
	if (low == 0 && h->v[0].upper <= 0)
		return h->v[0].upper;
	double start = low ? h->v[low - 1].upper : 0, below = low ? h->v[low - 1].count : 0;
	if (low == 0)
		return start + (h->v[0].upper - start) * (rank / h->v[0].count);
	return start + (h->v[low].upper - start) * ((rank - below) / (h->v[low].count - below));
}

/* How many observations lie below v. */
static double rank_of(const struct classic *h, double v)
{
	double below = 0, lower = h->v[0].upper <= 0 ? -(double)INFINITY : 0;
	for (size_t i = 0; i < h->n; i++) {
		double upper = h->v[i].upper, count = h->v[i].count;
		if (lower >= v)
			return below;
		if (v < upper)
			return lower == -(double)INFINITY
				   ? count
				   : below + (count - below) * (v - lower) / (upper - lower);
		below = count;
		lower = upper;
	}
	return h->v[h->n - 1].count;
}

static double classic_fraction(double lower, double upper, struct classic *h)
{
	if (!tidy(h))
		return (double)NAN;
	double count = h->v[h->n - 1].count;
	if (count == 0 || isnan(lower) || isnan(upper))
		return (double)NAN;
	if (lower >= upper)
		return 0;
	double a = rank_of(h, lower), b = rank_of(h, upper);
	return ((b > count ? count : b) - (a > count ? count : a)) / count;
}

/* --- native ones ---------------------------------------------------------------------------------------------------------- */

static double in_buckets(const struct histogram *h)
{
	struct histogram_walk walk;
	struct histogram_bucket b;
	double n = 0;
	histogram_walk_init(&walk, h);
	while (histogram_walk_next(&walk, &b))
		n += b.count;
	return n;
}

/* Observations that are NaN are counted, and in no bucket. */
static bool has_nan_observations(const struct histogram *h)
{
	return isnan(h->sum) && in_buckets(h) < h->count;
}

static double native_quantile(
    struct histogram_call *c, double q, const struct histogram *h, const struct labels *labels)
{
	double v = histogram_quantile(h, q);
	if (q >= 0 && q <= 1 && h->count != 0 && has_nan_observations(h))
		ref_info(c->r, c->vector->pos,
		    "input to histogram_quantile has NaN observations, result is %s%s",
		    isnan(v) ? "NaN" : "skewed higher", for_metric(c->r, labels));
	return v;
}

static double native_fraction(struct histogram_call *c, double lower, double upper, const struct histogram *h,
    const struct labels *labels)
{
	if (h->count != 0 && !isnan(lower) && !isnan(upper) && lower < upper && has_nan_observations(h))
		ref_info(c->r, c->vector->pos,
		    "input to histogram_fraction has NaN observations, which are excluded from all "
		    "fractions%s",
		    for_metric(c->r, labels));
	return histogram_fraction(h, lower, upper);
}

/* --- histogram_quantile, histogram_quantiles, histogram_fraction -------------------------------------------------------- */

static void gather(struct histogram_call *c, size_t k)
{
	c->n_classics = 0;
	c->classics = ARENA_ARRAY(c->r->arena, struct classic, c->in->n + 1);
	for (size_t i = 0; i < c->in->n; i++) {
		const struct ref_cell *cell = &c->in->rows[i].cells[k];
		if (cell->present && !cell->h)
			add_bucket(c, &c->in->rows[i], cell->v);
	}
}

/* What is asked of each histogram at a step. */
struct question {
	bool is_fraction;
	double q, lower, upper;
	struct slice label, label_value; /* histogram_quantiles(): the label to set */
};

static int answer(struct histogram_call *c, const struct question *q, size_t k, const struct labels *labels,
    bool drop_name, double v)
{
	ref_drop_name(c->r, &labels, &drop_name);
	if (q->label_value.len) {
		struct label_builder b;
		label_builder_init(&b, c->r->arena, labels);
		label_builder_set(&b, q->label, q->label_value);
		labels = label_builder_labels(&b);
	}
	return ref_table_put(c->r, c->out, k, labels, drop_name, v, NULL);
}

static int ask_natives(struct histogram_call *c, const struct question *q, size_t k)
{
	for (size_t i = 0; i < c->in->n; i++) {
		const struct ref_row *row = &c->in->rows[i];
		const struct ref_cell *cell = &row->cells[k];
		if (!cell->present || !cell->h || conflicts(c, row->labels))
			continue;
		double v = q->is_fraction ? native_fraction(c, q->lower, q->upper, cell->h, row->labels)
					  : native_quantile(c, q->q, cell->h, row->labels);
		int rc = answer(c, q, k, row->labels, row->drop_name, v);
		if (rc)
			return rc;
	}
	return 0;
}

static int ask(struct histogram_call *c, const struct question *q, size_t k)
{
	gather(c, k);
	int rc = ask_natives(c, q, k);
	for (size_t i = 0; rc == 0 && i < c->n_classics; i++) {
		struct classic *h = &c->classics[i];
		if (h->conflicts)
			continue;
		double v = q->is_fraction ? classic_fraction(q->lower, q->upper, h)
					  : classic_quantile(c, q->q, h, ref_time(&c->in->times, k));
		rc = answer(c, q, k, h->labels, h->drop_name, v);
	}
	return rc;
}

static void warn_of_quantile(struct histogram_call *c, const struct expr *arg, double q)
{
	if (isnan(q) || q < 0 || q > 1)
		ref_warn(c->r, arg->pos, "quantile value should be between 0 and 1, got %s", ref_g(c->r, q));
}

/* 0.9, 1.0, 1e-05: as OpenMetrics writes numbers. */
static struct slice open_metrics_number(struct reference *r, double v)
{
	const char *text = ref_g(r, v);
	bool whole = strpbrk(text, ".eIN") == NULL;
	return arena_printf(r->arena, "%s%s", text, whole ? ".0" : "");
}

static int quantiles(struct histogram_call *c, double *const *params)
{
	const struct call *call = &c->e->call;
	bool several = call->func->id == FN_HISTOGRAM_QUANTILES;
	size_t first = several ? 2 : 0, end = several ? call->n_args : 1;
	for (size_t k = 0; k < c->in->times.n; k++) {
		for (size_t i = first; i < end; i++) {
			struct question q = {.q = params[i][k]};
			warn_of_quantile(c, call->args[i], q.q);
			if (several) {
				q.label = ref_string(call->args[1]);
				q.label_value = open_metrics_number(c->r, q.q);
			}
			int rc = ask(c, &q, k);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int fractions(struct histogram_call *c, double *const *params)
{
	int rc = 0;
	for (size_t k = 0; rc == 0 && k < c->in->times.n; k++) {
		struct question q = {.is_fraction = true, .lower = params[0][k], .upper = params[1][k]};
		rc = ask(c, &q, k);
	}
	return rc;
}

int ref_histogram_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	struct histogram_call c = {.r = r, .e = e, .out = ref_table_new(r, times)};
	double **params = ARENA_ARRAY(r->arena, double *, e->call.n_args + 1);
	struct ref_table *in = NULL;
	int rc = 0;
	*out = c.out;
	for (size_t i = 0; rc == 0 && i < e->call.n_args; i++) {
		const struct expr *arg = e->call.args[i];
		if (arg->type == TYPE_SCALAR)
			rc = ref_scalar(r, arg, times, &params[i]);
		if (arg->type != TYPE_VECTOR)
			continue;
		c.vector = arg;
		rc = ref_vector(r, arg, times, &in);
	}
	if (rc)
		return rc;
	c.in = in;
	switch ((int)e->call.func->id) {
	case FN_HISTOGRAM_QUANTILE:
	case FN_HISTOGRAM_QUANTILES:
		return quantiles(&c, params);
	case FN_HISTOGRAM_FRACTION:
		return fractions(&c, params);
	}
	return numbers(&c);
}
