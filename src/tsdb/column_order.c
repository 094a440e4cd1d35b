#include "tsdb/column_order.h"

#include "base/by_cpu.h"
#include <stdlib.h>
#include <string.h>

struct placed {
	int64_t t;
	size_t at; /* where it was pushed */
};

static int by_time(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	if (x->t != y->t)
		return x->t < y->t ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

BY_CPU static bool is_ascending(const int64_t *t, size_t n)
{
	int bad = 0;
	for (size_t i = 1; i < n; i++)
		bad |= t[i] <= t[i - 1];
	return !bad;
}

/* The samples in the order of `p`; of equal times the first. Returns how many. */
static size_t gather(
    const struct sample_column *c, const struct placed *p, size_t n, struct sample_column *to)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && p[i - 1].t == p[i].t)
			continue;
		to->t[kept] = p[i].t;
		to->v[kept] = c->v[p[i].at];
		if (c->h)
			to->h[kept] = c->h[p[i].at];
		if (c->start)
			to->start[kept] = c->start[p[i].at];
		kept++;
	}
	return kept;
}

static void copy_back(struct sample_column *c, size_t from, const struct sample_column *sorted, size_t n)
{
	memcpy(c->t + from, sorted->t, n * sizeof(*sorted->t));
	memcpy(c->v + from, sorted->v, n * sizeof(*sorted->v));
	if (c->h)
		memcpy(c->h + from, sorted->h, n * sizeof(*sorted->h));
	if (c->start)
		memcpy(c->start + from, sorted->start, n * sizeof(*sorted->start));
	c->n = from + n;
}

bool column_order(struct sample_column *c, size_t from)
{
	size_t n = c->n - from;
	/* Series that share their times share the answer. */
	uint64_t id = from == 0 ? sample_column_times_id(c) : 0;
	if (n < 2 || (id && id == c->times.ascending))
		return true;
	if (is_ascending(c->t + from, n)) {
		c->times.ascending = id;
		return true;
	}
	sample_column_forget_times(c);
	struct placed *p = reallocarray(NULL, n, sizeof(*p));
	struct sample_column to = {
	    .t = reallocarray(NULL, n, sizeof(*to.t)),
	    .v = reallocarray(NULL, n, sizeof(*to.v)),
	    .h = c->h ? reallocarray(NULL, n, sizeof(*to.h)) : NULL,
	    .start = c->start ? reallocarray(NULL, n, sizeof(*to.start)) : NULL,
	};
	bool ok = p && to.t && to.v && (to.h || !c->h) && (to.start || !c->start);
	if (ok) {
		for (size_t i = 0; i < n; i++)
			p[i] = (struct placed){c->t[from + i], from + i};
		qsort(p, n, sizeof(*p), by_time);
		copy_back(c, from, &to, gather(c, p, n, &to));
	}
	free(p);
	sample_column_done(&to);
	return ok;
}
