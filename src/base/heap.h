/* A binary heap of pointers, the least first; elements know their place, so removal and change of key are O(log n).
 * One owner. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Part of each element. */
struct heap_node {
	size_t at; /* position + 1; 0: in no heap */
};

struct heap {
	struct heap_node **v;
	size_t len, cap;
	bool (*less)(const struct heap_node *a, const struct heap_node *b);
};

void heap_init(struct heap *h, bool (*less)(const struct heap_node *a, const struct heap_node *b));
void heap_done(struct heap *h); /* frees the heap's own memory, not the elements */
void heap_push(struct heap *h, struct heap_node *n);
struct heap_node *heap_top(const struct heap *h); /* NULL when empty */
struct heap_node *heap_pop(struct heap *h);       /* NULL when empty */
void heap_remove(struct heap *h, struct heap_node *n);
void heap_changed(struct heap *h, struct heap_node *n); /* its key has changed */
