#include "rules/label_table.h"

#include "base/xmalloc.h"

static size_t slot_of(const struct label_table *t, const struct labels *labels)
{
	size_t i = labels->hash & (t->n_slots - 1);
	while (t->slots[i] && !labels_eq(t->v[t->slots[i] - 1]->labels, labels))
		i = (i + 1) & (t->n_slots - 1);
	return i;
}

void *label_table_find(const struct label_table *t, const struct labels *labels)
{
	if (t->n_slots == 0)
		return NULL;
	uint32_t at = t->slots[slot_of(t, labels)];
	return at ? t->v[at - 1] : NULL;
}

/* At most half full. */
static void rebuild(struct label_table *t, size_t n_slots)
{
	free(t->slots);
	t->slots = xcalloc(n_slots, sizeof(*t->slots));
	t->n_slots = n_slots;
	for (size_t i = 0; i < t->len; i++)
		t->slots[slot_of(t, t->v[i]->labels)] = (uint32_t)(i + 1);
}

void *label_table_add(struct label_table *t, const struct labels *labels, size_t size)
{
	if (t->len == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 8;
		t->v = xreallocarray(t->v, t->cap, sizeof(*t->v));
	}
	if (2 * (t->len + 1) > t->n_slots)
		rebuild(t, t->n_slots ? 2 * t->n_slots : 16);
	struct label_entry *e = xcalloc(1, size);
	e->labels = labels_copy(labels);
	t->slots[slot_of(t, labels)] = (uint32_t)(t->len + 1);
	t->v[t->len++] = e;
	return e;
}

static void free_entry(struct label_entry *e, void (*release)(void *entry))
{
	if (release)
		release(e);
	labels_free(e->labels);
	free(e);
}

void label_table_remove_if(struct label_table *t, bool (*is_dead)(const void *entry, void *arg), void *arg,
    void (*release)(void *entry))
{
	size_t kept = 0;
	for (size_t i = 0; i < t->len; i++) {
		if (is_dead(t->v[i], arg))
			free_entry(t->v[i], release);
		else
			t->v[kept++] = t->v[i];
	}
	if (kept == t->len)
		return;
	t->len = kept;
	rebuild(t, t->n_slots);
}

void label_table_done(struct label_table *t, void (*release)(void *entry))
{
	for (size_t i = 0; i < t->len; i++)
		free_entry(t->v[i], release);
	free(t->v);
	free(t->slots);
	*t = (struct label_table){0};
}

bool label_sets_repeat(struct arena *arena, const struct labels *const *v, size_t n)
{
	if (n < 2)
		return false;
	size_t n_slots = 4;
	while (n_slots < 2 * n)
		n_slots *= 2;
	uint32_t *slots = ARENA_ARRAY(arena, uint32_t, n_slots);
	for (size_t k = 0; k < n; k++) {
		size_t i = v[k]->hash & (n_slots - 1);
		for (; slots[i]; i = (i + 1) & (n_slots - 1))
			if (labels_eq(v[slots[i] - 1], v[k]))
				return true;
		slots[i] = (uint32_t)(k + 1);
	}
	return false;
}
