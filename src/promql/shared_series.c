#include "promql/shared_series.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The samples of a series: n times, then n values. */
struct kept {
	size_t n;
	int64_t *t; /* NULL: not kept */
};

struct shared_set {
	struct series_set base;
	struct series_set *of;
	struct kept *kept;
	_Atomic size_t bytes;
};

static struct shared_set *shared_of(struct series_set *s)
{
	return (struct shared_set *)s;
}

static const struct labels *shared_labels(struct series_set *s, size_t i, struct arena *arena)
{
	struct series_set *of = shared_of(s)->of;
	return of->ops->labels(of, i, arena);
}

static size_t shared_estimate(struct series_set *s, size_t i)
{
	struct series_set *of = shared_of(s)->of;
	return of->ops->estimate(of, i);
}

static void keep(struct shared_set *s, size_t i, const struct sample_column *c)
{
	size_t column = c->n * sizeof(int64_t), bytes = 2 * column;

	if (c->h || c->start || c->n == 0 || atomic_fetch_add(&s->bytes, bytes) + bytes > SHARED_SERIES_BYTES)
		return;
	int64_t *t = malloc(bytes);
	if (t == NULL)
		return;
	memcpy(t, c->t, column);
	memcpy(t + c->n, c->v, column);
	s->kept[i] = (struct kept){c->n, t};
}

static int shared_read(struct series_set *base, size_t i, struct sample_column *out, struct err *err)
{
	struct shared_set *s = shared_of(base);
	const struct kept *k = &s->kept[i];

	if (k->t == NULL) {
		int rc = s->of->ops->read(s->of, i, out, err);
		if (rc == 0)
			keep(s, i, out);
		return rc;
	}
	sample_column_reset(out);
	if (!sample_column_reserve(out, k->n))
		return err_set(err, ERR_NO_MEMORY, "no memory for a series of %zu samples", k->n);
	memcpy(out->t, k->t, k->n * sizeof(*out->t));
	memcpy(out->v, k->t + k->n, k->n * sizeof(*out->v));
	out->n = k->n;
	return 0;
}

/* --- what the set below can, without keeping anything ------------------------------------------------------------------- */

static void shared_newest(struct series_set *s, size_t first, size_t n, struct newest_sample *out)
{
	struct series_set *of = shared_of(s)->of;
	of->ops->newest(of, first, n, out);
}

static bool shared_groups(struct series_set *s, const struct slice *names, size_t n_names,
    struct arena *arena, struct series_groups *out)
{
	struct series_set *of = shared_of(s)->of;
	return of->ops->groups && of->ops->groups(of, names, n_names, arena, out);
}

static int shared_summaries(struct series_set *s, size_t i, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_summaries *out, struct err *err)
{
	struct series_set *of = shared_of(s)->of;
	return of->ops->summaries(of, i, min_t_ms, max_t_ms, out, err);
}

static int shared_read_between(struct series_set *s, size_t i, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	struct series_set *of = shared_of(s)->of;
	return of->ops->read_between(of, i, min_t_ms, max_t_ms, out, err);
}

static const struct series_set_ops plain_ops = {
    .labels = shared_labels, .read = shared_read, .estimate = shared_estimate, .groups = shared_groups};
static const struct series_set_ops newest_ops = {.labels = shared_labels,
    .read = shared_read,
    .estimate = shared_estimate,
    .groups = shared_groups,
    .newest = shared_newest};
static const struct series_set_ops summaries_ops = {.labels = shared_labels,
    .read = shared_read,
    .estimate = shared_estimate,
    .groups = shared_groups,
    .summaries = shared_summaries,
    .read_between = shared_read_between};

static const struct series_set_ops *ops_over(const struct series_set_ops *of)
{
	if (of->newest)
		return &newest_ops;
	return of->summaries && of->read_between ? &summaries_ops : &plain_ops;
}

static void free_kept(void *ptr)
{
	struct shared_set *s = ptr;

	for (size_t i = 0; i < s->base.n; i++)
		free(s->kept[i].t);
}

struct series_set *shared_series(struct arena *arena, struct series_set *of)
{
	if (of->ops->labels == shared_labels)
		return of;
	struct shared_set *s = ARENA_NEW(arena, struct shared_set);
	s->base = (struct series_set){.ops = ops_over(of->ops), .n = of->n};
	s->of = of;
	s->kept = ARENA_ARRAY(arena, struct kept, of->n + 1);
	arena_at_free(arena, free_kept, s);
	return &s->base;
}
