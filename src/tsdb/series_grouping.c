#include "tsdb/series_grouping.h"

#include "base/vec.h"
#include "base/xmalloc.h"
#include "tsdb/postings_ops.h"
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 16 };

/* --- by what the index knows of each value ---------------------------------------------------------------------- */

/* Refs that follow each other and have one value. */
struct valued_run {
	series_ref ref;
	uint32_t n, group;
};
VEC_DEFINE(valued_runs, struct valued_run);

static int by_ref(const void *a, const void *b)
{
	const struct valued_run *x = a, *y = b;
	return (x->ref > y->ref) - (x->ref < y->ref);
}

struct gathering {
	const struct postings *matched;
	struct valued_runs found;
	size_t max;
	uint32_t groups;
};

/* Stops, with 1, when there are too many runs. */
static int gather_value(void *arg, const struct postings *series)
{
	struct gathering *g = arg;
	struct postings both = {0};
	struct ref_runs runs;
	postings_copy(&both, series);
	postings_and(&both, g->matched);
	ref_runs_of(&runs, &both);
	postings_done(&both);
	for (size_t i = 0; i < runs.n; i++)
		valued_runs_push(&g->found,
		    (struct valued_run){runs.v[i].ref, runs.v[i + 1].at - runs.v[i].at, g->groups});
	g->groups += runs.n > 0;
	ref_runs_done(&runs);
	return g->found.len > g->max;
}

static void push_run(struct series_groups *out, uint32_t first, uint32_t n, uint32_t group)
{
	if (n == 0)
		return;
	out->runs[out->n_runs++] = (struct series_run){first, n, group};
	if (out->member[group] == UINT32_MAX)
		out->member[group] = first;
}

/* The runs by place instead of ref; what has no value is a group of its own, the last. */
static void place_runs(const struct gathering *g, const struct ref_runs *runs, struct series_groups *out)
{
	uint32_t next = 0;
	size_t run = 0;
	VEC_EACH (struct valued_run, f, &g->found) {
		while (f->ref - runs->v[run].ref >= runs->v[run + 1].at - runs->v[run].at)
			run++;
		uint32_t first = runs->v[run].at + (f->ref - runs->v[run].ref);
		push_run(out, next, first - next, g->groups);
		push_run(out, first, f->n, f->group);
		next = first + f->n;
	}
	push_run(out, next, (uint32_t)runs->n_refs - next, g->groups);
}

bool group_by_postings(struct head *h, const struct postings *matched, const struct ref_runs *runs,
    struct slice name, struct arena *arena, struct series_groups *out)
{
	enum { FEW = 64, SERIES_PER_RUN = 8 };
	struct gathering g = {.matched = matched, .max = runs->n_refs / SERIES_PER_RUN + FEW};
	rwlock_read(&h->index_lock);
	bool few = head_index_each_value(&h->index, name, g.max, gather_value, &g) == 0;
	rwlock_release(&h->index_lock);
	if (few) {
		size_t most = 2 * g.found.len + 1;
		if (g.found.len > 0)
			qsort(g.found.v, g.found.len, sizeof(*g.found.v), by_ref);
		*out = (struct series_groups){.runs = ARENA_ARRAY(arena, struct series_run, most),
		    .member = ARENA_ARRAY(arena, uint32_t, g.groups + 1)};
		memset(out->member, 0xff, (g.groups + 1) * sizeof(*out->member));
		place_runs(&g, runs, out);
		out->n = g.groups + (out->member[g.groups] != UINT32_MAX);
	}
	valued_runs_done(&g.found);
	return few;
}

/* --- by symbols -------------------------------------------------------------------------------------------------- */

struct grouping {
	struct head *head;
	const struct slice *names;
	size_t n_names;
	/* where the names stand in the schema that was looked at last: place + 1, 0: not in it */
	const struct schema *schema;
	uint32_t at[NAMES_MAX];
	/* groups: their values, n_names each, found by hash */
	uint32_t *values, *slots;
	size_t n, cap, n_slots;
};

static void look_at_schema(struct grouping *g, const struct schema *schema)
{
	g->schema = schema;
	for (size_t k = 0; k < g->n_names; k++) {
		g->at[k] = 0;
		for (uint32_t i = 0; i < schema->n; i++)
			if (slice_eq(symbols_text(&g->head->index.symbols, schema->names[i]), g->names[k]))
				g->at[k] = i + 1;
	}
}

static uint64_t rotl(uint64_t x)
{
	return x << 31 | x >> 33;
}

static uint64_t hash_values(const uint32_t *v, size_t n)
{
	uint64_t hash = n;
	for (size_t k = 0; k < n; k++)
		hash = rotl(hash ^ v[k]) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static void put_slot(struct grouping *g, uint32_t group)
{
	size_t at = hash_values(g->values + group * g->n_names, g->n_names) & (g->n_slots - 1);
	while (g->slots[at])
		at = (at + 1) & (g->n_slots - 1);
	g->slots[at] = group + 1;
}

static void add_group(struct grouping *g, const uint32_t *v)
{
	if (g->n == g->cap) {
		g->cap = g->cap * 2 + 64;
		g->values = xreallocarray(g->values, g->cap * g->n_names, sizeof(*g->values));
	}
	memcpy(g->values + g->n * g->n_names, v, g->n_names * sizeof(*v));
	if (2 * g->n >= g->n_slots) {
		g->n_slots = g->n_slots ? g->n_slots * 4 : 256;
		free(g->slots);
		g->slots = xcalloc(g->n_slots, sizeof(*g->slots));
		for (uint32_t i = 0; i < g->n; i++)
			put_slot(g, i);
	}
	put_slot(g, (uint32_t)g->n++);
}

static uint32_t group_of(struct grouping *g, const uint32_t *v)
{
	size_t bytes = g->n_names * sizeof(*v);
	if (g->n_slots) {
		size_t at = hash_values(v, g->n_names) & (g->n_slots - 1);
		for (; g->slots[at]; at = (at + 1) & (g->n_slots - 1))
			if (memcmp(g->values + (g->slots[at] - 1) * g->n_names, v, bytes) == 0)
				return g->slots[at] - 1;
	}
	add_group(g, v);
	return (uint32_t)g->n - 1;
}

static uint32_t group_of_handle(struct grouping *g, uint32_t handle)
{
	const uint32_t *values;
	uint32_t mine[NAMES_MAX];
	const struct schema *schema = series_labels_at(&g->head->index.labels, handle, NULL, &values);
	if (schema != g->schema)
		look_at_schema(g, schema);
	for (size_t k = 0; k < g->n_names; k++)
		mine[k] = g->at[k] ? values[g->at[k] - 1] : 0;
	return group_of(g, mine);
}

/* Numbers come in the order of appearance: one that is new is the first of its group. */
static void note_member(uint32_t group, size_t i, uint32_t **member, size_t *n, size_t *cap)
{
	if (group < *n)
		return;
	if (*n == *cap) {
		*cap = *cap * 2 + 64;
		*member = xreallocarray(*member, *cap, sizeof(**member));
	}
	(*member)[(*n)++] = (uint32_t)i;
}

bool group_by_handles(struct head *h, size_t n, uint32_t (*handle)(void *arg, size_t i), void *arg,
    const struct slice *names, size_t n_names, struct arena *arena, struct series_groups *out)
{
	struct grouping g = {.head = h, .names = names, .n_names = n_names};
	uint32_t *member = NULL;
	size_t i = 0, n_groups = 0, cap = 0;
	if (n_names == 0 || n_names > NAMES_MAX)
		return false;
	uint32_t *group = ARENA_ARRAY(arena, uint32_t, n + 1);
	for (; i < n; i++) {
		uint32_t its = handle(arg, i);
		if (!its)
			break;
		group[i] = group_of_handle(&g, its);
		note_member(group[i], i, &member, &n_groups, &cap);
	}
	if (i == n) {
		*out = (struct series_groups){.n = (uint32_t)n_groups,
		    .group = group,
		    .member = ARENA_ARRAY(arena, uint32_t, n_groups + 1)};
		if (n_groups)
			memcpy(out->member, member, n_groups * sizeof(*member));
	}
	free(member);
	free(g.values);
	free(g.slots);
	return i == n;
}
