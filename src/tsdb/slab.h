/* Memory for many small blocks of a few sizes: the bytes of open chunks. A block is named by a 32-bit handle
 * (class and index) instead of a pointer, which halves what a series spends on it. Blocks do not move.
 *
 * Not thread-safe: whoever owns the slab locks. One slab for a group of series is usual. */
#pragma once

#include "base/vec.h"
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

enum { SLAB_MAX_BYTES = 1024, SLAB_CLASSES = 12 };
#define SLAB_NONE 0u /* no block */

/* Open to readers for slab_ptr() alone. A handle is the class number plus one in the upper 4 bits and the block's index in the
 * lower 28. A class grows by segments of SLAB_SEGMENT_BLOCKS blocks; a freed block holds the handle of the next free one. */
enum { SLAB_INDEX_BITS = 28, SLAB_SEGMENT_SHIFT = 8, SLAB_SEGMENT_BLOCKS = 1 << SLAB_SEGMENT_SHIFT };
VEC_DEFINE(slab_segments, char *);

struct slab {
	struct slab_class {
		struct slab_segments segments;
		uint32_t blocks; /* given out at least once */
		uint32_t free;   /* handle of the first free block */
	} classes[SLAB_CLASSES];
	size_t reserved_bytes, used_bytes;
};
extern const uint16_t slab_class_bytes[SLAB_CLASSES];

struct slab *slab_new(void);
void slab_free(struct slab *s);

/* A block of at least `bytes` (1..SLAB_MAX_BYTES), not zeroed; SLAB_NONE when the system has no memory. */
uint32_t slab_get(struct slab *s, size_t bytes);
/* Takes SLAB_NONE. */
void slab_put(struct slab *s, uint32_t handle);
/* The usable size of the block: its class. 0 for SLAB_NONE. */
static inline size_t slab_size(uint32_t handle)
{
	return handle ? slab_class_bytes[(handle >> SLAB_INDEX_BITS) - 1] : 0;
}
/* NULL for SLAB_NONE. Good until slab_put(). */
static inline void *slab_ptr(const struct slab *s, uint32_t handle)
{
	if (handle == SLAB_NONE)
		return NULL;
	const struct slab_class *c = &s->classes[(handle >> SLAB_INDEX_BITS) - 1];
	uint32_t i = handle & ((1u << SLAB_INDEX_BITS) - 1);
	assert(i < c->blocks);
	return c->segments.v[i >> SLAB_SEGMENT_SHIFT] +
	       (size_t)(i & (SLAB_SEGMENT_BLOCKS - 1)) * slab_size(handle);
}
/* A block of the next class with the first `used` bytes of the old one, which is given back; SLAB_NONE (and
 * the old block is as it was) when there is no larger class or no memory. From SLAB_NONE: the smallest class.
 */
uint32_t slab_grow(struct slab *s, uint32_t handle, size_t used);

/* Bytes taken from the system, and bytes in blocks that are given out. */
size_t slab_reserved_bytes(const struct slab *s);
size_t slab_used_bytes(const struct slab *s);
