/* A table of things that are known by their label set: the alerts of a rule, the series it wrote. Entries are allocated
 * one by one, so pointers to them stay. One owner. A zeroed struct is an empty table. */
#pragma once

#include "model/labels.h"

/* The head of each entry. */
struct label_entry {
	struct labels *labels; /* owned */
	uint64_t round;        /* free for the user: the last time it was seen */
};

struct label_table {
	struct label_entry **v; /* in the order of adding */
	size_t len, cap;
	uint32_t *slots; /* index + 1; 0: free */
	size_t n_slots;
};

/* The entry with these labels, or NULL. */
void *label_table_find(const struct label_table *t, const struct labels *labels);
/* A new, zeroed entry of `size` bytes with a copy of the labels, which must not be there yet. */
void *label_table_add(struct label_table *t, const struct labels *labels, size_t size);
/* Removes and frees the entries that is_dead() names, after calling `release` (NULL: nothing) for what they own beside
 * their labels. */
void label_table_remove_if(struct label_table *t, bool (*is_dead)(const void *entry, void *arg), void *arg,
    void (*release)(void *entry));
/* Empty, and memory freed. */
void label_table_done(struct label_table *t, void (*release)(void *entry));

/* Whether two of the `n` sets are equal. */
bool label_sets_repeat(struct arena *arena, const struct labels *const *v, size_t n);
