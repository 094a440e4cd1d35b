#include "base/heap.h"

#include "base/xmalloc.h"

#include <assert.h>

void heap_init(struct heap *h, bool (*less)(const struct heap_node *a, const struct heap_node *b))
{
	*h = (struct heap){.less = less};
}

void heap_done(struct heap *h)
{
	free(h->v);
	*h = (struct heap){.less = h->less};
}

static void put(struct heap *h, size_t i, struct heap_node *n)
{
	h->v[i] = n;
	n->at = i + 1;
}

/* Moves `n`, which belongs at i or above, to its place. */
static void sift_up(struct heap *h, size_t i, struct heap_node *n)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;
		if (!h->less(n, h->v[parent]))
			break;
		put(h, i, h->v[parent]);
		i = parent;
	}
	put(h, i, n);
}

static void sift_down(struct heap *h, size_t i, struct heap_node *n)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= h->len)
			break;
		if (child + 1 < h->len && h->less(h->v[child + 1], h->v[child]))
			child++;
		if (!h->less(h->v[child], n))
			break;
		put(h, i, h->v[child]);
		i = child;
	}
	put(h, i, n);
}

void heap_push(struct heap *h, struct heap_node *n)
{
	assert(n->at == 0);
	if (h->len == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 16;
		h->v = xreallocarray(h->v, h->cap, sizeof(*h->v));
	}
	sift_up(h, h->len++, n);
}

struct heap_node *heap_top(const struct heap *h)
{
	return h->len ? h->v[0] : NULL;
}

struct heap_node *heap_pop(struct heap *h)
{
	struct heap_node *top = heap_top(h);
	if (top)
		heap_remove(h, top);
	return top;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	assert(n->at > 0 && n->at <= h->len && h->v[n->at - 1] == n);
	size_t i = n->at - 1;
	n->at = 0;
	struct heap_node *last = h->v[--h->len];
	if (last == n)
		return;
	put(h, i, last);
	heap_changed(h, last);
}

void heap_changed(struct heap *h, struct heap_node *n)
{
	assert(n->at > 0 && n->at <= h->len && h->v[n->at - 1] == n);
	size_t i = n->at - 1;
	if (i > 0 && h->less(n, h->v[(i - 1) / 2]))
		sift_up(h, i, n);
	else
		sift_down(h, i, n);
}
