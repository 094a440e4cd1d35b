#include "tsdb/summary_pick.h"

#include <stdlib.h>

static int by_begin(const void *a, const void *b)
{
	const struct chunk_span *x = a, *y = b;
	return (x->min_t_ms > y->min_t_ms) - (x->min_t_ms < y->min_t_ms);
}

/* Most are in order already. */
static void sort_spans(struct chunk_spans *spans)
{
	for (size_t i = 1; i < spans->len; i++)
		if (spans->v[i].min_t_ms < spans->v[i - 1].min_t_ms) {
			qsort(spans->v, spans->len, sizeof(spans->v[0]), by_begin);
			return;
		}
}

/* Whether any of t[] is within [min_t_ms, max_t_ms]. */
static bool any_within(const int64_t *t, size_t n, int64_t min_t_ms, int64_t max_t_ms)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (t[mid] < min_t_ms)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && t[lo] <= max_t_ms;
}

/* No other chunk reaches into this one; `reached` is how far those that begin before it go. */
static bool stands_alone(const struct chunk_spans *spans, size_t i, int64_t reached)
{
	const struct chunk_span *s = &spans->v[i];
	return (i == 0 || reached < s->min_t_ms) &&
	       (i + 1 == spans->len || spans->v[i + 1].min_t_ms > s->max_t_ms);
}

bool summaries_pick(struct chunk_spans *spans, const int64_t *head_t, size_t n_head, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_summaries *out)
{
	int64_t reached = INT64_MIN, from = min_t_ms; /* `from`: behind the last summary */
	bool clear = true;                            /* no chunk lies between there and here */
	out->n = 0;
	sort_spans(spans);
	for (size_t i = 0; i < spans->len; i++) {
		const struct chunk_span *s = &spans->v[i];
		bool alone = stands_alone(spans, i, reached);
		reached = s->max_t_ms > reached ? s->max_t_ms : reached;
		if (!s->has_summary || !alone || s->min_t_ms < min_t_ms || s->max_t_ms > max_t_ms ||
		    any_within(head_t, n_head, s->min_t_ms, s->max_t_ms)) {
			clear = false;
			continue;
		}
		struct sample_summary *to = sample_summaries_add(out);
		if (!to)
			return false;
		*to = s->summary;
		to->follows = clear && !any_within(head_t, n_head, from, s->min_t_ms);
		clear = true;
		from = s->max_t_ms;
	}
	out->nothing_follows = clear && !any_within(head_t, n_head, from, max_t_ms);
	return true;
}
