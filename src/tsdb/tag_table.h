/* A hash table from a 64-bit hash to 32-bit numbers: 8 bytes a slot, the keys live elsewhere. It keeps 32 bits of the
 * hash (the tag); whoever asks walks the numbers with the same tag and compares the real key. Symbols, label pairs,
 * schemas and series are all found this way.
 *
 * Grows without a jump: slots lie in segments of up to 4096; a full segment is split in two by the next bit of the tag, so
 * no insertion ever moves more than 32 KiB. A zeroed struct is an empty table. Not thread-safe: the owner locks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tag_segment;

struct tag_table {
	struct tag_segment **segments; /* by the upper `depth` bits of the tag; neighbours may share one */
	unsigned depth;
	size_t len;   /* entries */
	size_t bytes; /* of memory */
};

/* Where a walk stands. */
struct tag_walk {
	const struct tag_segment *segment;
	uint32_t tag, at;
};

void tag_table_done(struct tag_table *t);
/* The numbers with this hash's tag, one after the other; 0 at the end. */
uint32_t tag_table_first(const struct tag_table *t, uint64_t hash, struct tag_walk *w);
uint32_t tag_table_next(struct tag_walk *w);
/* Fetches the slot into the CPU's cache for a tag_table_first() to come. */
void tag_table_prefetch(const struct tag_table *t, uint64_t hash);
/* Adds a number (neither 0 nor UINT32_MAX); the caller has made sure that it is not there. */
void tag_table_add(struct tag_table *t, uint64_t hash, uint32_t value);
/* Takes it out, if it is there. */
void tag_table_remove(struct tag_table *t, uint64_t hash, uint32_t value);
