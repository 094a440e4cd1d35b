/* From the key a writer uses for a series (a 128-bit hash of the raw bytes it sends, storage/appender.h) to the series'
 * ref: a cache in front of the labels. 16 bytes a slot, segments that split one at a time as in tag_table.h. Keys are
 * believed as they are: 96 bits of a seeded hash are compared, the rest chooses the slot.
 *
 * Bounded: senders may use many keys for one series (they order labels as they like), so past `max_len` entries the
 * segment that would grow is emptied instead; whoever misses comes back with labels. Not thread-safe: the owner locks. */
#pragma once

#include "storage/appender.h"
#include "tsdb/ref_set.h"
#include <stddef.h>

union key_cell;

struct key_table {
	union key_cell **segments;
	unsigned depth;
	size_t len;     /* entries */
	size_t max_len; /* 0: no bound */
	size_t bytes;   /* of memory */
};

/* A zeroed struct is an empty table. */
void key_table_done(struct key_table *t);
/* refs[i] for keys[i], 0 where unknown; lookups overlap in batches of 64. */
void key_table_find(const struct key_table *t, const struct series_key *keys, size_t n, series_ref *refs);
/* Adds the key or gives it another ref. */
void key_table_put(struct key_table *t, const struct series_key *key, series_ref ref);
/* Drops the keys with these refs from one segment: that at `at` (0 at first). Returns where the next one is; SIZE_MAX: that was
 * the last. The table may be used between calls. */
size_t key_table_forget(struct key_table *t, size_t at, const struct ref_set *gone);
