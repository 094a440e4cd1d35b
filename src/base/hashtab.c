/* At most three quarters of the slots are used. A removal moves later entries of its run back, so there are
 * no tombstones and a search ends at the first free slot. */
#include "base/hashtab.h"

#include "base/hash.h"
#include "base/xmalloc.h"

#include <assert.h>

enum { FIRST_CAP = 16 };

static uint64_t hash_of(struct slice key)
{
	uint64_t h = hash64(key.ptr, key.len);
	return h ? h : 1;
}

/* The slot of `key`, or the free one where it belongs. The table has one. */
static struct hashtab_entry *find(const struct hashtab *t, struct slice key, uint64_t hash)
{
	for (size_t i = hash & (t->cap - 1);; i = (i + 1) & (t->cap - 1)) {
		struct hashtab_entry *e = &t->slots[i];
		if (e->hash == 0 || (e->hash == hash && slice_eq(e->key, key)))
			return e;
	}
}

void *hashtab_get(const struct hashtab *t, struct slice key)
{
	return t->len ? find(t, key, hash_of(key))->value : NULL;
}

static void grow(struct hashtab *t)
{
	struct hashtab old = *t;
	t->cap = old.cap ? old.cap * 2 : FIRST_CAP;
	t->slots = xcalloc(t->cap, sizeof(*t->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].hash)
			*find(t, old.slots[i].key, old.slots[i].hash) = old.slots[i];
	free(old.slots);
}

void *hashtab_put(struct hashtab *t, struct slice key, void *value)
{
	assert(value);
	if ((t->len + 1) * 4 > t->cap * 3)
		grow(t);
	uint64_t hash = hash_of(key);
	struct hashtab_entry *e = find(t, key, hash);
	void *old = e->value;
	if (!e->hash) {
		*e = (struct hashtab_entry){.hash = hash, .key = slice_of(slice_dup(key), key.len)};
		t->len++;
	}
	e->value = value;
	return old;
}

static void free_key(struct hashtab_entry *e)
{
	union {
		const char *owned;
		void *ptr;
	} u = {.owned = e->key.ptr};
	free(u.ptr);
}

void *hashtab_remove(struct hashtab *t, struct slice key)
{
	if (t->len == 0)
		return NULL;
	struct hashtab_entry *e = find(t, key, hash_of(key));
	if (!e->hash)
		return NULL;
	void *old = e->value;
	free_key(e);
	t->len--;
	size_t mask = t->cap - 1, hole = (size_t)(e - t->slots);
	for (size_t i = (hole + 1) & mask; t->slots[i].hash; i = (i + 1) & mask) {
		/* An entry may move into the hole unless its home lies behind the hole. */
		size_t home = t->slots[i].hash & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = (struct hashtab_entry){0};
	return old;
}

void hashtab_done(struct hashtab *t)
{
	size_t i = 0;
	for (struct hashtab_entry *e; (e = hashtab_next(t, &i));)
		free_key(e);
	free(t->slots);
	*t = (struct hashtab){0};
}

struct hashtab_entry *hashtab_next(const struct hashtab *t, size_t *i)
{
	while (*i < t->cap) {
		struct hashtab_entry *e = &t->slots[(*i)++];
		if (e->hash)
			return e;
	}
	return NULL;
}
