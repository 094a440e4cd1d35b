#include "model/histogram_work.h"

#include <math.h>

void comp_add(struct comp_sum *s, double x)
{
	double t = s->s + x;
	if (isinf(t))
		s->c = 0;
	else if (fabs(s->s) >= fabs(x))
		s->c += (s->s - t) + x;
	else
		s->c += (x - t) + s->s;
	s->s = t;
}

double comp_plain(struct comp_sum s, double n)
{
	(void)n;
	return s.s;
}

double comp_total(struct comp_sum s, double n)
{
	(void)n;
	return s.s + s.c;
}

double comp_mean(struct comp_sum s, double n)
{
	return s.s / n + s.c / n;
}

static void join(struct comp_sum *to, struct comp_sum from)
{
	comp_add(to, from.s);
	to->c += from.c;
}

/* --- lists ------------------------------------------------------------------------------------------------------------- */

static void list_reserve(struct arena *a, struct bucket_list *l, size_t n)
{
	if (n <= l->cap)
		return;
	*l = (struct bucket_list){.cap = n};
	l->index = (int32_t *)arena_alloc(a, n * sizeof(l->index[0]));
	l->count = (struct comp_sum *)arena_alloc(a, n * sizeof(l->count[0]));
}

static void list_load(struct arena *a, struct bucket_list *l, const struct histogram_span *spans,
    uint32_t n_spans, const double *counts, uint32_t n)
{
	list_reserve(a, l, n);
	l->n = 0;
	int32_t index = 0;
	for (uint32_t s = 0; s < n_spans; s++) {
		index += spans[s].offset;
		for (uint32_t i = 0; i < spans[s].length && l->n < n; i++) {
			l->index[l->n] = index++;
			l->count[l->n] = (struct comp_sum){.s = counts[l->n]};
			l->n++;
		}
	}
}

/* Adds up neighbours that have come to stand at one index. */
static void list_merge_equal(struct bucket_list *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (kept > 0 && l->index[kept - 1] == l->index[i]) {
			join(&l->count[kept - 1], l->count[i]);
			continue;
		}
		l->index[kept] = l->index[i];
		l->count[kept++] = l->count[i];
	}
	l->n = kept;
}

static void list_reduce(struct bucket_list *l, int32_t steps)
{
	/* Two neighbours (2i-1, 2i] become i; the shift is arithmetic. Behind 31 steps nothing changes any more. */
	if (steps > 31)
		steps = 31;
	for (size_t i = 0; i < l->n; i++)
		l->index[i] = ((l->index[i] - 1) >> steps) + 1;
	list_merge_equal(l);
}

static size_t count_spans(const struct bucket_list *l)
{
	size_t n = l->n > 0;
	for (size_t i = 1; i < l->n; i++)
		n += l->index[i] != l->index[i - 1] + 1;
	return n;
}

static void list_store(const struct bucket_list *l, struct arena *a, const struct histogram_span **spans,
    uint32_t *n_spans, const double **counts, uint32_t *n, double (*value)(struct comp_sum s, double n),
    double divisor)
{
	struct histogram_span *sp = ARENA_ARRAY(a, struct histogram_span, count_spans(l));
	double *v = (double *)arena_alloc(a, l->n * sizeof(*v));
	uint32_t used = 0;
	for (size_t i = 0; i < l->n; i++) {
		v[i] = value(l->count[i], divisor);
		int32_t next = i == 0 ? 0 : l->index[i - 1] + 1;
		if (i == 0 || l->index[i] != next)
			sp[used++].offset = l->index[i] - next;
		sp[used - 1].length++;
	}
	*spans = sp;
	*n_spans = used;
	*counts = v;
	*n = (uint32_t)l->n;
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

void histogram_work_load(struct histogram_work *w, const struct histogram *h)
{
	w->hint = h->hint;
	w->schema = h->schema;
	w->zero_threshold = h->zero_threshold;
	w->zero = (struct comp_sum){.s = h->zero_count};
	w->count = (struct comp_sum){.s = h->count};
	w->sum = (struct comp_sum){.s = h->sum};
	w->custom = h->custom;
	w->n_custom = h->n_custom;
	list_load(w->arena, &w->pos, h->pos_spans, h->n_pos_spans, h->pos, h->n_pos);
	list_load(w->arena, &w->neg, h->neg_spans, h->n_neg_spans, h->neg, h->n_neg);
}

struct histogram *histogram_work_store(
    const struct histogram_work *w, struct arena *a, double (*value)(struct comp_sum s, double n), double n)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);
	h->hint = w->hint;
	h->schema = w->schema;
	h->zero_threshold = w->zero_threshold;
	h->zero_count = value(w->zero, n);
	h->count = value(w->count, n);
	h->sum = value(w->sum, n);
	list_store(&w->pos, a, &h->pos_spans, &h->n_pos_spans, &h->pos, &h->n_pos, value, n);
	list_store(&w->neg, a, &h->neg_spans, &h->n_neg_spans, &h->neg, &h->n_neg, value, n);
	double *custom = (double *)arena_alloc(a, w->n_custom * sizeof(*custom));
	if (w->n_custom > 0)
		memcpy(custom, w->custom, w->n_custom * sizeof(*custom));
	h->custom = custom;
	h->n_custom = w->n_custom;
	return h;
}

void histogram_work_reduce(struct histogram_work *w, int32_t schema)
{
	if (w->schema <= schema)
		return;
	list_reduce(&w->pos, w->schema - schema);
	list_reduce(&w->neg, w->schema - schema);
	w->schema = schema;
}

/* The upper end of the populated bucket (by distance from zero) that `threshold` cuts, else `threshold`. */
static double uncut(const struct bucket_list *l, int32_t schema, double threshold)
{
	for (size_t i = 0; i < l->n; i++) {
		if (histogram_bucket_upper(schema, l->index[i] - 1) >= threshold)
			break;
		double upper = histogram_bucket_upper(schema, l->index[i]);
		if (upper > threshold && l->count[i].s != 0)
			return upper;
	}
	return threshold;
}

static void fold_into_zero(struct histogram_work *w, struct bucket_list *l)
{
	size_t n = 0;
	while (n < l->n && histogram_bucket_upper(w->schema, l->index[n] - 1) < w->zero_threshold)
		join(&w->zero, l->count[n++]);
	l->n -= n;
	if (n > 0 && l->n > 0) {
		memmove(l->index, l->index + n, l->n * sizeof(l->index[0]));
		memmove(l->count, l->count + n, l->n * sizeof(l->count[0]));
	}
}

void histogram_work_widen_zero(struct histogram_work *w, double threshold)
{
	/* A threshold moved for one side may cut a bucket of the other. */
	for (double before = nan(""); before != threshold;) {
		before = threshold;
		threshold = uncut(&w->pos, w->schema, threshold);
		threshold = uncut(&w->neg, w->schema, threshold);
	}
	w->zero_threshold = threshold;
	fold_into_zero(w, &w->pos);
	fold_into_zero(w, &w->neg);
}

void histogram_work_rebound(struct histogram_work *w, const double *bounds, uint32_t n)
{
	uint32_t to = 0;
	for (size_t i = 0; i < w->pos.n; i++) {
		uint32_t from = (uint32_t)w->pos.index[i];
		if (from >= w->n_custom)
			to = n;
		while (to < n && bounds[to] < w->custom[from])
			to++;
		w->pos.index[i] = (int32_t)to;
	}
	list_merge_equal(&w->pos);
	w->custom = bounds;
	w->n_custom = n;
}

const double *histogram_common_bounds(
    struct arena *a, const struct histogram_work *x, const struct histogram_work *y, uint32_t *n)
{
	double *common = (double *)arena_alloc(a, x->n_custom * sizeof(*common));
	*n = 0;
	for (uint32_t i = 0, k = 0; i < x->n_custom && k < y->n_custom;) {
		if (x->custom[i] == y->custom[k]) {
			common[(*n)++] = x->custom[i];
			i++;
			k++;
		} else if (x->custom[i] < y->custom[k]) {
			i++;
		} else {
			k++;
		}
	}
	return common;
}

bool histogram_same_bounds(const double *x, uint32_t n_x, const double *y, uint32_t n_y)
{
	if (n_x != n_y)
		return false;
	for (uint32_t i = 0; i < n_x; i++)
		if (x[i] != y[i])
			return false;
	return true;
}
