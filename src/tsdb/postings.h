/* A set of 32-bit series refs: the refs that have one label value, the result of a matcher. Refs are dense
 * and those of one target are neighbours, so a set is stored per 65,536 refs in the form that suits it: a
 * sorted array of 16-bit numbers (up to 4096), runs, or a bitmap. A set that is one run (most label values of
 * a target) costs nothing beyond its struct.
 *
 * A zeroed struct is the empty set. Small (16 bytes) and embeddable. Not thread-safe: writers lock against
 * readers; any number of readers may read together. Set algebra: tsdb/postings_ops.h. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postings_container;

struct postings {
	uint32_t n;      /* containers; 0: `run` holds the set */
	uint32_t is_set; /* for n == 0: 1 when the run holds something, 0 for the empty set */
	union {
		struct {
			uint32_t first, last; /* both in the set */
		} run;
		struct postings_container *c; /* sorted by key; on the heap */
	};
};

/* Frees the memory; the set is empty and usable again. */
void postings_done(struct postings *p);
/* `dst` (any content) becomes equal to `src`. */
void postings_copy(struct postings *dst, const struct postings *src);

/* True when it was not in yet. Cheapest in ascending order. */
bool postings_add(struct postings *p, uint32_t ref);
void postings_add_range(
    struct postings *p, uint32_t first, uint32_t last); /* both ends included; first <= last */
/* True when it was in. */
bool postings_remove(struct postings *p, uint32_t ref);
/* Each container in its smallest form, no spare room: before keeping a set for long. */
void postings_compact(struct postings *p);

bool postings_has(const struct postings *p, uint32_t ref);
bool postings_is_empty(const struct postings *p);
uint64_t postings_count(const struct postings *p);
bool postings_eq(const struct postings *a, const struct postings *b);
/* Heap bytes beyond the struct. */
size_t postings_bytes(const struct postings *p);

/* Ascending, in batches: returns how many refs were put to out[], 0 at the end. The set must not change
 * meanwhile.
 *
 *   struct postings_iter it;
 *   postings_iter_init(&it, &set);
 *   while ((n = postings_iter_next(&it, refs, 256)) > 0) ... */
struct postings_iter {
	const struct postings *p;
	uint32_t container; /* index of the container, n at the end */
	uint32_t pos;       /* within it: array index, run index or bit */
	uint32_t in_run;
	bool done;
};
void postings_iter_init(struct postings_iter *it, const struct postings *p);
size_t postings_iter_next(struct postings_iter *it, uint32_t *out, size_t cap);
/* All of it at once; out has room for postings_count(). */
void postings_to_array(const struct postings *p, uint32_t *out);

/* The stored form: the smallest of deltas, runs and a bitmap, appended to `out` (docs/formats/part.md). */
void postings_encode(const struct postings *p, struct strbuf *out);
/* `p` must be empty. ERR_CORRUPT: not that form, not all of `in` used, or a ref of `limit` or above. */
MUST_CHECK int postings_decode(struct postings *p, struct slice in, uint32_t limit, struct err *err);
