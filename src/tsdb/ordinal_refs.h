/* What the head calls the series of a part: for each ordinal the ref, once somebody has looked it up by its labels, so that
 * the next query need not read labels out of the part's index. What is remembered is true, or the series has left the head,
 * which whoever asks sees there; before a ref is given to another series it is forgotten here (ref_recycle.h).
 *
 * Bounded: the maps of parts that were not asked for longest go first. Thread-safe; a map is pinned while it is in use. */
#pragma once

#include "storage/appender.h"
#include "tsdb/ref_set.h"
#include <stddef.h>
#include <stdint.h>

struct ordinal_refs;
struct ordinal_map;

/* Keeps at most about `max_bytes` of maps, four bytes a series. */
struct ordinal_refs *ordinal_refs_new(size_t max_bytes);
/* No map may be pinned. Takes NULL. */
void ordinal_refs_free(struct ordinal_refs *r);

/* The map of the part with this number, pinned; NULL: it would be too large. */
struct ordinal_map *ordinal_refs_pin(struct ordinal_refs *r, uint64_t part_seq, uint32_t n_series);
/* Takes NULL. */
void ordinal_refs_unpin(struct ordinal_refs *r, struct ordinal_map *m);

/* 0: not known. Takes NULL. */
series_ref ordinal_map_get(const struct ordinal_map *m, uint32_t ordinal);
/* Takes NULL. */
void ordinal_map_put(struct ordinal_map *m, uint32_t ordinal, series_ref ref);
/* Forgets these refs, which no series has: nobody puts them any more. */
void ordinal_refs_forget(struct ordinal_refs *r, const struct ref_set *gone);
/* Bytes of all maps. */
size_t ordinal_refs_bytes(struct ordinal_refs *r);
