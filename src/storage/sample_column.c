#include "storage/querier.h"

#include <stdlib.h>

void sample_column_init(struct sample_column *c, struct arena *histograms)
{
	*c = (struct sample_column){.histograms = histograms};
}

void sample_column_done(struct sample_column *c)
{
	free(c->t);
	free(c->v);
	free(c->h);
	free(c->start);
	*c = (struct sample_column){.histograms = c->histograms};
}

void sample_column_reset(struct sample_column *c)
{
	c->n = 0;
	free(c->h);
	c->h = NULL;
	c->h_cap = 0;
	free(c->start);
	c->start = NULL;
	c->start_cap = 0;
}

static bool grow(void **ptr, size_t n, size_t size)
{
	void *p = reallocarray(*ptr, n, size);
	if (!p)
		return false;
	*ptr = p;
	return true;
}

/* Gives the histogram column as much room as the others have; the floats so far have no histogram. */
static bool reserve_histograms(struct sample_column *c)
{
	if (c->h && c->h_cap >= c->cap)
		return true;
	bool is_new = !c->h;
	if (!grow((void **)&c->h, c->cap, sizeof(c->h[0])))
		return false;
	c->h_cap = c->cap;
	for (size_t i = 0; is_new && i < c->n; i++)
		c->h[i] = NULL;
	return true;
}

/* Gives the start column as much room as the others have; the samples so far have no start. */
static bool reserve_starts(struct sample_column *c)
{
	if (c->start && c->start_cap >= c->cap)
		return true;
	bool is_new = !c->start;
	if (!grow((void **)&c->start, c->cap, sizeof(c->start[0])))
		return false;
	c->start_cap = c->cap;
	for (size_t i = 0; is_new && i < c->n; i++)
		c->start[i] = 0;
	return true;
}

bool sample_column_reserve(struct sample_column *c, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(c->n, more, &need))
		return false;
	if (need <= c->cap)
		return true;
	size_t cap = c->cap + c->cap / 2 + 16;
	if (cap < need)
		cap = need;
	if (!grow((void **)&c->t, cap, sizeof(c->t[0])) || !grow((void **)&c->v, cap, sizeof(c->v[0])))
		return false;
	c->cap = cap;
	return (!c->h || reserve_histograms(c)) && (!c->start || reserve_starts(c));
}

bool sample_column_push(struct sample_column *c, int64_t t_ms, double v, const struct histogram *h)
{
	if (unlikely(c->n == c->cap) && !sample_column_reserve(c, 1))
		return false;
	if (unlikely(h || c->h)) {
		if (!reserve_histograms(c))
			return false;
		c->h[c->n] = h;
	}
	if (unlikely(c->start != NULL)) {
		if (!reserve_starts(c))
			return false;
		c->start[c->n] = 0;
	}
	c->t[c->n] = t_ms;
	c->v[c->n] = v;
	c->n++;
	return true;
}

bool sample_column_set_start(struct sample_column *c, int64_t start_ms)
{
	if (c->n == 0 || !reserve_starts(c))
		return false;
	c->start[c->n - 1] = start_ms;
	return true;
}
