#include "tsdb/slab.h"

#include "base/attr.h"
#include <string.h>

/* Steps of a third to a half: 1.47 bytes a sample and 64 samples land in the middle. */
const uint16_t slab_class_bytes[SLAB_CLASSES] = {24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024};

static unsigned handle_class(uint32_t handle)
{
	return (handle >> SLAB_INDEX_BITS) - 1;
}

struct slab *slab_new(void)
{
	return xcalloc(1, sizeof(struct slab));
}

void slab_free(struct slab *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SLAB_CLASSES; i++) {
		struct slab_segments *segments = &s->classes[i].segments;
		for (size_t k = 0; k < segments->len; k++)
			free(segments->v[k]);
		slab_segments_done(segments);
	}
	free(s);
}

static uint32_t new_block(struct slab *s, unsigned class)
{
	struct slab_class *c = &s->classes[class];
	if (c->blocks >> SLAB_INDEX_BITS)
		return SLAB_NONE;
	if (c->blocks >> SLAB_SEGMENT_SHIFT == c->segments.len) {
		size_t bytes = (size_t)SLAB_SEGMENT_BLOCKS * slab_class_bytes[class];
		char *segment = malloc(bytes);
		if (!segment)
			return SLAB_NONE;
		slab_segments_push(&c->segments, segment);
		s->reserved_bytes += bytes;
	}
	return (uint32_t)(class + 1) << SLAB_INDEX_BITS | c->blocks++;
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
		s->used_bytes += slab_class_bytes[class];
	return handle;
}

uint32_t slab_get(struct slab *s, size_t bytes)
{
	assert(bytes > 0 && bytes <= SLAB_MAX_BYTES);
	unsigned class = 0;
	while (slab_class_bytes[class] < bytes)
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
	if (class >= SLAB_CLASSES)
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
