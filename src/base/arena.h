/* An arena: memory that is given out piece by piece and given back all at once. One owner, one thread; for parallel
 * work each worker has its own.
 *
 * The limit is a budget, and its overflow is sticky: small allocations go on being served past it (a parser need not
 * check each node), but arena_overflowed() turns true, and whoever runs a loop over outside data asks it once a round
 * and gives up with ERR_LIMIT. Allocations whose size an outsider chooses use arena_try_alloc(), which refuses. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>

struct arena;

#define ARENA_NO_LIMIT SIZE_MAX

/* A new arena with a budget of `limit_bytes`. The caller frees it with arena_free(), which takes NULL. */
struct arena *arena_new(size_t limit_bytes);
void arena_free(struct arena *a);

/* Gives all memory back but the first block; pointers into the arena are dead. Forgets the overflow. */
void arena_reset(struct arena *a);

/* `size` bytes, aligned to 16, not zeroed / zeroed. Never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));
void *arena_zalloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* n * size bytes, not zeroed; NULL when that overflows, passes the budget, or the system refuses. The refusal is
 * sticky too. */
void *arena_try_alloc(struct arena *a, size_t n, size_t size) __attribute__((malloc));

#define ARENA_NEW(a, type)      ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_zalloc((a), (n) * sizeof(type)))

/* Copies that live in the arena; arena_strdup's is NUL-terminated, and so is what arena_slice's points to. */
char *arena_strdup(struct arena *a, struct slice s);
struct slice arena_slice(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Calls fn(ptr) when the arena is freed or reset, newest first: for the rare thing that holds foreign memory. */
void arena_at_free(struct arena *a, void (*fn)(void *ptr), void *ptr);

bool arena_overflowed(const struct arena *a);
/* Bytes taken from the system, and bytes given out. */
size_t arena_reserved_bytes(const struct arena *a);
size_t arena_used_bytes(const struct arena *a);
