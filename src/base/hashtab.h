/* A hash table from text to a pointer-sized value: open addressing, linear probing, keys copied into the table.
 * For configuration, registries and label tables; the storage engine has its own dense tables. One owner.
 *
 * A zeroed struct is an empty table. */
#pragma once

#include "base/slice.h"
#include <stdint.h>

struct hashtab_entry {
	uint64_t hash;   /* 0: free slot */
	struct slice key; /* owned by the table */
	void *value;
};

struct hashtab {
	struct hashtab_entry *slots;
	size_t len, cap;
};

/* The value of `key`, or NULL. */
void *hashtab_get(const struct hashtab *t, struct slice key);
/* Sets it; returns what stood there before, or NULL. `value` must not be NULL. */
void *hashtab_put(struct hashtab *t, struct slice key, void *value);
/* Removes it; returns what stood there, or NULL. */
void *hashtab_remove(struct hashtab *t, struct slice key);
/* Frees the table, not the values. */
void hashtab_done(struct hashtab *t);
/* Next used entry from slot *i on, which starts at 0; NULL at the end. The table must not change meanwhile. */
struct hashtab_entry *hashtab_next(const struct hashtab *t, size_t *i);
