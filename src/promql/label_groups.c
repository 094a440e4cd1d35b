#include "promql/label_groups.h"

#include <stdlib.h>
#include <string.h>

static int cmp_names(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

void label_groups_init(
    struct label_groups *g, struct arena *arena, const struct slice *names, size_t n_names, bool only)
{
	*g = (struct label_groups){.arena = arena, .only = only, .n_slots = 64, .cap_members = 32};
	g->slots = ARENA_ARRAY(arena, uint32_t, g->n_slots);
	g->member = ARENA_ARRAY(arena, const struct labels *, g->cap_members);
	g->names = ARENA_ARRAY(arena, struct slice, n_names + 1);
	for (size_t i = 0; i < n_names; i++)
		g->names[i] = names[i];
	qsort(g->names, n_names, sizeof(*g->names), cmp_names);
	for (size_t i = 0; i < n_names; i++) {
		if (i == 0 || !slice_eq(g->names[i], g->names[g->n_names - 1]))
			g->names[g->n_names++] = g->names[i];
	}
}

static bool is_named(const struct label_groups *g, struct slice name)
{
	for (size_t i = 0; i < g->n_names; i++) {
		if (slice_eq(g->names[i], name))
			return true;
	}
	return false;
}

static bool counts(const struct label_groups *g, struct slice name)
{
	if (g->only)
		return is_named(g, name);
	return (g->keep_name || !slice_eq(name, SL(LABEL_NAME))) && !is_named(g, name);
}

static uint64_t hash_of(const struct label_groups *g, const struct labels *ls)
{
	return g->only ? labels_hash_on(ls, g->names, g->n_names)
		       : labels_hash_ignoring(ls, g->names, g->n_names, g->keep_name);
}

static uint32_t next_counting(const struct label_groups *g, const struct labels *ls, uint32_t i)
{
	while (i < ls->n && !counts(g, ls->l[i].name))
		i++;
	return i;
}

static bool same_group(const struct label_groups *g, const struct labels *a, const struct labels *b)
{
	uint32_t i = 0, j = 0;

	for (;; i++, j++) {
		i = next_counting(g, a, i);
		j = next_counting(g, b, j);
		if (i == a->n || j == b->n)
			return i == a->n && j == b->n;
		if (!slice_eq(a->l[i].name, b->l[j].name) || !slice_eq(a->l[i].value, b->l[j].value))
			return false;
	}
}

static void grow_slots(struct label_groups *g)
{
	g->n_slots *= 4;
	g->slots = ARENA_ARRAY(g->arena, uint32_t, g->n_slots);
	for (size_t i = 0; i < g->n; i++) {
		size_t at = hash_of(g, g->member[i]) & (g->n_slots - 1);
		while (g->slots[at])
			at = (at + 1) & (g->n_slots - 1);
		g->slots[at] = (uint32_t)i + 1;
	}
}

static void grow_members(struct label_groups *g)
{
	const struct labels **bigger = ARENA_ARRAY(g->arena, const struct labels *, 2 * g->cap_members);

	memcpy(bigger, g->member, g->n * sizeof(const struct labels *));
	g->member = bigger;
	g->cap_members *= 2;
}

uint32_t label_groups_add(struct label_groups *g, const struct labels *ls)
{
	if (2 * g->n >= g->n_slots)
		grow_slots(g);
	size_t at = hash_of(g, ls) & (g->n_slots - 1);
	while (g->slots[at]) {
		if (same_group(g, g->member[g->slots[at] - 1], ls))
			return g->slots[at] - 1;
		at = (at + 1) & (g->n_slots - 1);
	}
	if (g->n == g->cap_members)
		grow_members(g);
	g->member[g->n++] = ls;
	g->slots[at] = (uint32_t)g->n;
	return (uint32_t)g->n - 1;
}

const struct labels *label_groups_labels(const struct label_groups *g, const struct labels *ls)
{
	struct label *l = arena_alloc(g->arena, (ls->n + 1) * sizeof(*l));
	size_t n = 0;

	LABELS_EACH (it, ls) {
		if (counts(g, it->name))
			l[n++] = *it;
	}
	return labels_from_sorted(g->arena, l, n);
}
