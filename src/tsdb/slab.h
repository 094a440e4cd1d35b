/* Memory for many small blocks of a few sizes: the bytes of open chunks. A block is named by a 32-bit handle
 * (class and index) instead of a pointer, which halves what a series spends on it. Blocks do not move.
 *
 * Not thread-safe: whoever owns the slab locks. One slab for a group of series is usual. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct slab;

enum { SLAB_MAX_BYTES = 1024 };
#define SLAB_NONE 0u /* no block */

struct slab *slab_new(void);
void slab_free(struct slab *s);

/* A block of at least `bytes` (1..SLAB_MAX_BYTES), not zeroed; SLAB_NONE when the system has no memory. */
uint32_t slab_get(struct slab *s, size_t bytes);
/* Takes SLAB_NONE. */
void slab_put(struct slab *s, uint32_t handle);
/* NULL for SLAB_NONE. Good until slab_put(). */
void *slab_ptr(const struct slab *s, uint32_t handle);
/* The usable size of the block: its class. 0 for SLAB_NONE. */
size_t slab_size(uint32_t handle);
/* A block of the next class with the first `used` bytes of the old one, which is given back; SLAB_NONE (and
 * the old block is as it was) when there is no larger class or no memory. From SLAB_NONE: the smallest class.
 */
uint32_t slab_grow(struct slab *s, uint32_t handle, size_t used);

/* Bytes taken from the system, and bytes in blocks that are given out. */
size_t slab_reserved_bytes(const struct slab *s);
size_t slab_used_bytes(const struct slab *s);
