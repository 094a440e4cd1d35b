#include "tsdb/slab.h"

#include "base/attr.h"
#include "base/vec.h"
#include <assert.h>
#include <string.h>

/* A handle is the class number plus one in the upper 4 bits and the block's index in the lower 28. A class
 * grows by segments of SEGMENT_BLOCKS blocks; a freed block holds the handle of the next free one. */
enum { INDEX_BITS = 28, SEGMENT_SHIFT = 8, SEGMENT_BLOCKS = 1 << SEGMENT_SHIFT };

/* Steps of a third to a half: 1.47 bytes a sample and 64 samples land in the middle. */
static const uint16_t class_bytes[] = {24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024};
enum { CLASSES = ARRAY_LEN(class_bytes) };

VEC_DEFINE(segment_vec, char *);

struct slab_class {
	struct segment_vec segments;
	uint32_t blocks; /* given out at least once */
	uint32_t free;   /* handle of the first free block */
};

struct slab {
	struct slab_class classes[CLASSES];
	size_t reserved_bytes, used_bytes;
};

static unsigned handle_class(uint32_t handle)
{
	return (handle >> INDEX_BITS) - 1;
}

static uint32_t handle_index(uint32_t handle)
{
	return handle & ((1u << INDEX_BITS) - 1);
}

struct slab *slab_new(void)
{
	return xcalloc(1, sizeof(struct slab));
}

void slab_free(struct slab *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < CLASSES; i++) {
		struct segment_vec *segments = &s->classes[i].segments;
		for (size_t k = 0; k < segments->len; k++)
			free(segments->v[k]);
		segment_vec_done(segments);
	}
	free(s);
}

size_t slab_size(uint32_t handle)
{
	return handle ? class_bytes[handle_class(handle)] : 0;
}

void *slab_ptr(const struct slab *s, uint32_t handle)
{
	if (handle == SLAB_NONE)
		return NULL;
	const struct slab_class *c = &s->classes[handle_class(handle)];
	uint32_t i = handle_index(handle);
	assert(i < c->blocks);
	return c->segments.v[i >> SEGMENT_SHIFT] + (size_t)(i & (SEGMENT_BLOCKS - 1)) * slab_size(handle);
}

static uint32_t new_block(struct slab *s, unsigned class)
{
	struct slab_class *c = &s->classes[class];
	if (c->blocks >> INDEX_BITS)
		return SLAB_NONE;
	if (c->blocks >> SEGMENT_SHIFT == c->segments.len) {
		size_t bytes = (size_t)SEGMENT_BLOCKS * class_bytes[class];
		char *segment = malloc(bytes);
		if (!segment)
			return SLAB_NONE;
		segment_vec_push(&c->segments, segment);
		s->reserved_bytes += bytes;
	}
	return (uint32_t)(class + 1) << INDEX_BITS | c->blocks++;
}

static uint32_t get_of_class(struct slab *s, unsigned class)
{
	struct slab_class *c = &s->classes[class];
	uint32_t handle = c->free;
	if (handle)
		memcpy(&c->free, slab_ptr(s, handle), sizeof(c->free));
	else
		handle = new_block(s, class);
	if (handle)
		s->used_bytes += class_bytes[class];
	return handle;
}

uint32_t slab_get(struct slab *s, size_t bytes)
{
	assert(bytes > 0 && bytes <= SLAB_MAX_BYTES);
	unsigned class = 0;
	while (class_bytes[class] < bytes)
		class ++;
	return get_of_class(s, class);
}

void slab_put(struct slab *s, uint32_t handle)
{
	if (handle == SLAB_NONE)
		return;
	struct slab_class *c = &s->classes[handle_class(handle)];
	memcpy(slab_ptr(s, handle), &c->free, sizeof(c->free));
	c->free = handle;
	s->used_bytes -= slab_size(handle);
}

uint32_t slab_grow(struct slab *s, uint32_t handle, size_t used)
{
	unsigned class = handle ? handle_class(handle) + 1 : 0;
	if (class >= CLASSES)
		return SLAB_NONE;
	uint32_t larger = get_of_class(s, class);
	if (larger && handle) {
		memcpy(slab_ptr(s, larger), slab_ptr(s, handle), used);
		slab_put(s, handle);
	}
	return larger;
}

size_t slab_reserved_bytes(const struct slab *s)
{
	return s->reserved_bytes;
}

size_t slab_used_bytes(const struct slab *s)
{
	return s->used_bytes;
}
