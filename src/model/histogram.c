#include "model/histogram.h"

#include "model/histogram_work.h"
#include "model/stale_marker.h"

static void *copy_array(struct arena *a, const void *from, size_t n, size_t size)
{
	void *to = arena_alloc(a, n * size);
	if (n > 0)
		memcpy(to, from, n * size);
	return to;
}

struct histogram *histogram_copy(struct arena *a, const struct histogram *h)
{
	struct histogram *to = (struct histogram *)copy_array(a, h, 1, sizeof(*h));
	to->pos_spans =
	    (struct histogram_span *)copy_array(a, h->pos_spans, h->n_pos_spans, sizeof(h->pos_spans[0]));
	to->neg_spans =
	    (struct histogram_span *)copy_array(a, h->neg_spans, h->n_neg_spans, sizeof(h->neg_spans[0]));
	to->pos = (double *)copy_array(a, h->pos, h->n_pos, sizeof(h->pos[0]));
	to->neg = (double *)copy_array(a, h->neg, h->n_neg, sizeof(h->neg[0]));
	to->custom = (double *)copy_array(a, h->custom, h->n_custom, sizeof(h->custom[0]));
	return to;
}

/* --- equality -------------------------------------------------------------------------------------------------------------- */

static bool same_bits(double a, double b)
{
	return double_bits(a) == double_bits(b);
}

/* A place in one side; `at` the bucket, `index` its index. */
struct cursor {
	const struct histogram_span *spans;
	const double *counts;
	uint32_t n_spans, n, span, in_span, at;
	int32_t index;
};

/* Moves to the next bucket that is not empty, from the one at `at` on. */
static bool populated(struct cursor *c)
{
	for (; c->at < c->n && c->span < c->n_spans; c->at++, c->in_span++, c->index++) {
		while (c->span < c->n_spans && c->in_span == c->spans[c->span].length) {
			c->in_span = 0;
			if (++c->span < c->n_spans)
				c->index += c->spans[c->span].offset;
		}
		if (c->span < c->n_spans && c->counts[c->at] != 0)
			return true;
	}
	return false;
}

static struct cursor cursor_at(
    const struct histogram_span *spans, uint32_t n_spans, const double *counts, uint32_t n)
{
	return (struct cursor){spans, counts, n_spans, n, 0, 0, 0, n_spans > 0 ? spans[0].offset : 0};
}

static void cursor_step(struct cursor *c)
{
	c->at++;
	c->in_span++;
	c->index++;
}

static bool same_buckets(struct cursor a, struct cursor b)
{
	for (;;) {
		bool has_a = populated(&a), has_b = populated(&b);
		if (!has_a || !has_b)
			return has_a == has_b;
		if (a.index != b.index || !same_bits(a.counts[a.at], b.counts[b.at]))
			return false;
		cursor_step(&a);
		cursor_step(&b);
	}
}

bool histogram_eq(const struct histogram *a, const struct histogram *b)
{
	return a->schema == b->schema && same_bits(a->count, b->count) && same_bits(a->sum, b->sum) &&
	       a->zero_threshold == b->zero_threshold && same_bits(a->zero_count, b->zero_count) &&
	       (!histogram_is_custom(a) ||
		   histogram_same_bounds(a->custom, a->n_custom, b->custom, b->n_custom)) &&
	       same_buckets(cursor_at(a->pos_spans, a->n_pos_spans, a->pos, a->n_pos),
		   cursor_at(b->pos_spans, b->n_pos_spans, b->pos, b->n_pos)) &&
	       same_buckets(cursor_at(a->neg_spans, a->n_neg_spans, a->neg, a->n_neg),
		   cursor_at(b->neg_spans, b->n_neg_spans, b->neg, b->n_neg));
}

bool histogram_is_stale(const struct histogram *h)
{
	return is_stale(h->sum);
}

/* --- one histogram ------------------------------------------------------------------------------------------------------------ */

static double times(double v, double by)
{
	return v * by;
}

static double over(double v, double by)
{
	return v / by;
}

static struct histogram *map(
    struct arena *a, const struct histogram *h, double (*f)(double v, double by), double by)
{
	struct histogram *to = histogram_copy(a, h);
	to->zero_count = f(h->zero_count, by);
	to->count = f(h->count, by);
	to->sum = f(h->sum, by);
	double *pos = (double *)arena_alloc(a, h->n_pos * sizeof(*pos));
	for (uint32_t i = 0; i < h->n_pos; i++)
		pos[i] = f(h->pos[i], by);
	double *neg = (double *)arena_alloc(a, h->n_neg * sizeof(*neg));
	for (uint32_t i = 0; i < h->n_neg; i++)
		neg[i] = f(h->neg[i], by);
	to->pos = pos;
	to->neg = neg;
	if (by < 0)
		to->hint = HINT_GAUGE;
	return to;
}

struct histogram *histogram_scale(struct arena *a, const struct histogram *h, double factor)
{
	return map(a, h, times, factor);
}

struct histogram *histogram_divide(struct arena *a, const struct histogram *h, double divisor)
{
	struct histogram *to = map(a, h, over, divisor);
	if (divisor == 0) /* no regular buckets are left: their counts would be infinite */
		to->n_pos = to->n_neg = to->n_pos_spans = to->n_neg_spans = 0;
	return to;
}

struct histogram *histogram_reduce(struct arena *a, const struct histogram *h, int32_t schema)
{
	if (histogram_is_custom(h) || h->schema <= schema)
		return histogram_copy(a, h);
	struct histogram_work w = {.arena = a};
	histogram_work_load(&w, h);
	histogram_work_reduce(&w, schema);
	return histogram_work_store(&w, a, comp_plain, 0);
}

static void drop_empty(struct bucket_list *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (l->count[i].s == 0)
			continue;
		l->index[kept] = l->index[i];
		l->count[kept++] = l->count[i];
	}
	l->n = kept;
}

struct histogram *histogram_compact(struct arena *a, const struct histogram *h)
{
	struct histogram_work w = {.arena = a};
	histogram_work_load(&w, h);
	drop_empty(&w.pos);
	drop_empty(&w.neg);
	return histogram_work_store(&w, a, comp_plain, 0);
}

size_t histogram_sample_size(const struct histogram *h)
{
	/* What the same histogram takes in the memory of upstream's: five slices and five numbers, then the elements. */
	size_t bytes =
	    168 + 8 * ((size_t)h->n_pos_spans + h->n_neg_spans + h->n_pos + h->n_neg + h->n_custom);
	return (bytes + 8) / 16;
}
