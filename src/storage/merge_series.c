/* A merged series is a row of sources: (set, index) pairs in the order of the sets. Sorted sets are merged with a cursor
 * each, the others joined through a table by hash. Reading a series of one source goes straight through. */
#include "storage/merge_series.h"

#include <stdlib.h>

struct source {
	uint32_t set;
	uint32_t next; /* 1 + index of the next source of the same series; 0: the last */
	size_t i;
};

struct merged {
	const struct labels *labels;
	uint32_t first, last;  /* 1 + index of its sources */
	uint32_t next_of_hash; /* 1 + index of a series */
};

struct merged_set {
	struct series_set base;
	struct series_set *const *sets;
	struct merged *series;
	struct source *sources;
	uint32_t n_sources;
};

static struct merged_set *set_of(struct series_set *s)
{
	return CONTAINER_OF(s, struct merged_set, base);
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

static const struct labels *merged_labels(struct series_set *s, size_t i, struct arena *arena)
{
	(void)arena;
	return set_of(s)->series[i].labels;
}

static size_t merged_estimate(struct series_set *s, size_t i)
{
	const struct merged_set *m = set_of(s);
	size_t n = 0;
	for (uint32_t k = m->series[i].first; k; k = m->sources[k - 1].next) {
		struct series_set *set = m->sets[m->sources[k - 1].set];
		n += set->ops->estimate(set, m->sources[k - 1].i);
	}
	return n;
}

static const struct histogram *histogram_at(const struct sample_column *c, size_t i)
{
	return c->h ? c->h[i] : NULL;
}

/* a and b by time into `out`; a's sample where both have one. */
static bool merge_columns(
    const struct sample_column *a, const struct sample_column *b, struct sample_column *out)
{
	sample_column_reset(out);
	if (!sample_column_reserve(out, a->n + b->n))
		return false;
	for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
		bool from_a = k == b->n || (i < a->n && a->t[i] <= b->t[k]);
		if (from_a && k < b->n && b->t[k] == a->t[i])
			k++;
		const struct sample_column *c = from_a ? a : b;
		size_t at = from_a ? i++ : k++;
		if (!sample_column_push(out, c->t[at], c->v[at], histogram_at(c, at)))
			return false;
	}
	return true;
}

static void swap_columns(struct sample_column *a, struct sample_column *b)
{
	struct sample_column c = *a;
	*a = *b;
	*b = c;
}

static int read_source(const struct merged_set *m, uint32_t k, struct sample_column *out, struct err *err)
{
	struct series_set *set = m->sets[m->sources[k - 1].set];
	return set->ops->read(set, m->sources[k - 1].i, out, err);
}

static int merged_read(struct series_set *s, size_t i, struct sample_column *out, struct err *err)
{
	const struct merged_set *m = set_of(s);
	uint32_t k = m->series[i].first;
	int rc = read_source(m, k, out, err);
	k = m->sources[k - 1].next;
	if (rc < 0 || k == 0)
		return rc;
	struct sample_column next, both;
	sample_column_init(&next, out->histograms);
	sample_column_init(&both, out->histograms);
	for (; rc == 0 && k; k = m->sources[k - 1].next) {
		rc = read_source(m, k, &next, err);
		if (rc == 0 && !merge_columns(out, &next, &both))
			rc = err_set(err, ERR_NO_MEMORY, "no memory for the samples of a series");
		if (rc == 0)
			swap_columns(out, &both);
	}
	sample_column_done(&next);
	sample_column_done(&both);
	return rc;
}

static const struct series_set_ops merged_ops = {
    .labels = merged_labels,
    .read = merged_read,
    .estimate = merged_estimate,
};

/* --- joining -------------------------------------------------------------------------------------------------------------------- */

static void add_source(struct merged_set *m, struct merged *s, uint32_t set, size_t i)
{
	m->sources[m->n_sources++] = (struct source){set, 0, i};
	if (s->last)
		m->sources[s->last - 1].next = m->n_sources;
	else
		s->first = m->n_sources;
	s->last = m->n_sources;
}

static struct merged *add_series(struct merged_set *m, const struct labels *labels)
{
	struct merged *s = &m->series[m->base.n++];
	*s = (struct merged){.labels = labels};
	return s;
}

static const struct labels *labels_at(
    struct series_set *const *sets, size_t set, size_t i, struct arena *arena)
{
	return sets[set]->ops->labels(sets[set], i, arena);
}

/* Few sets (the head and some parts): the least of the heads is looked for one by one. */
static void join_sorted(struct merged_set *m, size_t n, struct arena *arena)
{
	size_t *at = ARENA_ARRAY(arena, size_t, n + 1);
	const struct labels **head = ARENA_ARRAY(arena, const struct labels *, n + 1);
	for (size_t k = 0; k < n; k++)
		head[k] = m->sets[k]->n > 0 ? labels_at(m->sets, k, 0, arena) : NULL;
	for (;;) {
		const struct labels *least = NULL;
		for (size_t k = 0; k < n; k++)
			if (head[k] && (!least || labels_cmp(head[k], least) < 0))
				least = head[k];
		if (!least)
			return;
		struct merged *s = add_series(m, least);
		for (size_t k = 0; k < n; k++) {
			if (!head[k] || (head[k] != least && labels_cmp(head[k], least) != 0))
				continue;
			add_source(m, s, (uint32_t)k, at[k]);
			head[k] = ++at[k] < m->sets[k]->n ? labels_at(m->sets, k, at[k], arena) : NULL;
		}
	}
}

static void join_by_hash(struct merged_set *m, size_t n, size_t total, struct arena *arena)
{
	size_t slots = 16;
	while (slots < total * 2)
		slots *= 2;
	uint32_t *first = ARENA_ARRAY(arena, uint32_t, slots);
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < m->sets[k]->n; i++) {
			const struct labels *labels = labels_at(m->sets, k, i, arena);
			uint32_t *slot = &first[labels->hash & (slots - 1)];
			uint32_t at = *slot;
			while (at && !labels_eq(m->series[at - 1].labels, labels))
				at = m->series[at - 1].next_of_hash;
			struct merged *s = at ? &m->series[at - 1] : add_series(m, labels);
			if (!at) {
				s->next_of_hash = *slot;
				*slot = (uint32_t)m->base.n;
			}
			add_source(m, s, (uint32_t)k, i);
		}
	}
}

struct series_set *merge_series(struct arena *arena, struct series_set *const *sets, size_t n, bool sorted)
{
	if (n == 1)
		return sets[0];
	size_t total = 0;
	for (size_t k = 0; k < n; k++)
		total += sets[k]->n;
	struct merged_set *m = ARENA_NEW(arena, struct merged_set);
	struct series_set **own = ARENA_ARRAY(arena, struct series_set *, n + 1);
	if (n > 0)
		memcpy(own, sets, n * sizeof(*own));
	m->base.ops = &merged_ops;
	m->sets = own;
	m->series = ARENA_ARRAY(arena, struct merged, total + 1);
	m->sources = ARENA_ARRAY(arena, struct source, total + 1);
	if (sorted)
		join_sorted(m, n, arena);
	else
		join_by_hash(m, n, total, arena);
	return &m->base;
}

/* --- names ---------------------------------------------------------------------------------------------------------------------- */

void merge_names(struct arena *arena, struct slice *const *lists, const size_t *counts, size_t n,
    size_t limit, struct slice **out, size_t *n_out, bool *truncated)
{
	size_t total = 0;
	for (size_t k = 0; k < n; k++)
		total += counts[k];
	size_t *at = ARENA_ARRAY(arena, size_t, n + 1);
	struct slice *names = ARENA_ARRAY(arena, struct slice, total + 1);
	size_t kept = 0;
	*truncated = false;
	for (;;) {
		const struct slice *least = NULL;
		for (size_t k = 0; k < n; k++)
			if (at[k] < counts[k] && (!least || slice_cmp(lists[k][at[k]], *least) < 0))
				least = &lists[k][at[k]];
		if (!least)
			break;
		if (limit > 0 && kept == limit) {
			*truncated = true;
			break;
		}
		names[kept] = *least;
		for (size_t k = 0; k < n; k++)
			if (at[k] < counts[k] && slice_eq(lists[k][at[k]], names[kept]))
				at[k]++;
		kept++;
	}
	*out = names;
	*n_out = kept;
}
