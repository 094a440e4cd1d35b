/* Blocks in a list, the newest first; an allocation is a bump of the newest block's fill. A request larger than a
 * quarter of the block size gets a block of its own, put second, so that the rest of the newest is not wasted. */
#include "base/arena.h"

#include "base/xmalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

enum { ALIGNMENT = 16, FIRST_BLOCK_BYTES = 4096, MAX_BLOCK_BYTES = 1 << 20 };

struct block {
	struct block *next;
	size_t cap;
	size_t used;
	size_t unused_padding; /* keeps `bytes` on a multiple of ALIGNMENT */
	char bytes[];
};
_Static_assert(sizeof(struct block) % ALIGNMENT == 0, "blocks start aligned");

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *ptr);
	void *ptr;
};

struct arena {
	struct block *newest;
	struct cleanup *cleanups; /* live in the arena itself */
	size_t limit;
	size_t reserved;
	size_t used;
	bool overflowed;
};

static size_t round_up(size_t size)
{
	return (size + (ALIGNMENT - 1)) & ~(size_t)(ALIGNMENT - 1);
}

static struct block *block_new(struct arena *a, size_t cap)
{
	struct block *b = malloc(sizeof(*b) + cap);
	if (!b)
		return NULL;
	*b = (struct block){.cap = cap};
	a->reserved += sizeof(*b) + cap;
	return b;
}

struct arena *arena_new(size_t limit_bytes)
{
	struct arena *a = xcalloc(1, sizeof(*a));
	a->limit = limit_bytes;
	return a;
}

static void run_cleanups(struct arena *a)
{
	for (struct cleanup *c = a->cleanups; c; c = c->next)
		c->fn(c->ptr);
	a->cleanups = NULL;
}

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *next = b->next;
		free(b);
		b = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	run_cleanups(a);
	free_blocks(a->newest);
	free(a);
}

void arena_reset(struct arena *a)
{
	run_cleanups(a);
	struct block *keep = a->newest;
	a->used = 0;
	a->overflowed = false;
	if (!keep)
		return;
	free_blocks(keep->next);
	keep->next = NULL;
	keep->used = 0;
	a->reserved = sizeof(*keep) + keep->cap;
}

/* `size` is rounded already. */
static void *alloc_slow(struct arena *a, size_t size)
{
	size_t cap = a->newest ? a->newest->cap * 2 : FIRST_BLOCK_BYTES;
	if (cap > MAX_BLOCK_BYTES)
		cap = MAX_BLOCK_BYTES;
	bool alone = a->newest && size > cap / 4;
	struct block *b = block_new(a, alone || size > cap ? size : cap);
	if (!b)
		return NULL;
	b->used = size;
	if (alone) {
		b->next = a->newest->next;
		a->newest->next = b;
	} else {
		b->next = a->newest;
		a->newest = b;
	}
	return b->bytes;
}

static void *alloc_rounded(struct arena *a, size_t size)
{
	struct block *b = a->newest;
	void *p;
	if (likely(b && size <= b->cap - b->used)) {
		p = b->bytes + b->used;
		b->used += size;
	} else {
		p = alloc_slow(a, size);
	}
	if (likely(p != NULL))
		a->used += size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t rounded = round_up(size ? size : 1);
	void *p = alloc_rounded(a, rounded);
	if (unlikely(!p)) {
		fprintf(stderr, "level=error msg=\"out of memory\" bytes=%zu\n", size);
		abort();
	}
	if (unlikely(a->used > a->limit))
		a->overflowed = true;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	return memset(arena_alloc(a, size), 0, size);
}

void *arena_try_alloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2 || a->used > a->limit ||
	    round_up(bytes ? bytes : 1) > a->limit - a->used) {
		a->overflowed = true;
		return NULL;
	}
	void *p = alloc_rounded(a, round_up(bytes ? bytes : 1));
	if (!p)
		a->overflowed = true;
	return p;
}

char *arena_strdup(struct arena *a, struct slice s)
{
	char *copy = arena_alloc(a, s.len + 1);
	if (s.len)
		memcpy(copy, s.ptr, s.len);
	copy[s.len] = '\0';
	return copy;
}

struct slice arena_slice(struct arena *a, struct slice s)
{
	return slice_of(arena_strdup(a, s), s.len);
}

struct slice arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	char *text = arena_alloc(a, len + 1);
	vsnprintf(text, len + 1, fmt, again);
	va_end(again);
	return slice_of(text, len);
}

void arena_at_free(struct arena *a, void (*fn)(void *ptr), void *ptr)
{
	struct cleanup *c = ARENA_NEW(a, struct cleanup);
	*c = (struct cleanup){.next = a->cleanups, .fn = fn, .ptr = ptr};
	a->cleanups = c;
}

bool arena_overflowed(const struct arena *a)
{
	return a->overflowed;
}

size_t arena_reserved_bytes(const struct arena *a)
{
	return a->reserved;
}

size_t arena_used_bytes(const struct arena *a)
{
	return a->used;
}
