/* Containers: the part of a set that shares the upper 16 bits. For postings.c and postings_ops.c only.
 *
 *   ARRAY   sorted 16-bit numbers, up to ARRAY_MAX
 *   RUNS    sorted, disjoint, not touching [first, last] pairs
 *   BITMAP  65,536 bits
 *
 * Every container in a set has at least one member. */
#pragma once

#include "tsdb/postings.h"

enum { ARRAY_MAX = 4096, CONTAINER_SPAN = 65536, BITMAP_WORDS = CONTAINER_SPAN / 64 };
enum container_kind { CONTAINER_RUNS, CONTAINER_ARRAY, CONTAINER_BITMAP };

struct run16 {
	uint16_t first, last;
};

struct postings_container {
	uint16_t key; /* the upper 16 bits */
	uint8_t kind;
	uint32_t count; /* members */
	uint32_t len;   /* array elements or runs in use */
	uint32_t cap;
	union {
		uint16_t *array;
		struct run16 *runs;
		uint64_t *bitmap;
		void *mem;
	};
};

/* A read-only look at a container, also at one that exists only as part of an inline run. */
struct container_view {
	struct postings_container c; /* borrowed memory */
	struct run16 run;
};
/* How many containers the set has, inline or not. */
uint32_t postings_containers(const struct postings *p);
void postings_view(const struct postings *p, uint32_t i, struct container_view *view);

bool container_has(const struct postings_container *c, uint16_t x);
/* Ors the members into `words` (BITMAP_WORDS of them). */
void container_to_words(const struct postings_container *c, uint64_t *words);
/* The smallest form of what the words say; c->key must be set, memory is taken anew. False, nothing taken: empty. */
bool container_from_words(struct postings_container *c, const uint64_t *words);
void container_copy(struct postings_container *dst, const struct postings_container *src);
void container_done(struct postings_container *c);

/* Turns an inline run into containers. */
void postings_spill(struct postings *p);
/* Appends; keys ascend. Takes c's memory. */
void postings_push_container(struct postings *p, const struct postings_container *c);
