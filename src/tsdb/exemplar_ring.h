/* The exemplars of all series, the newest `max` of them: a ring of slots in which each series has a list by time, and their
 * labels in a slab. It knows series by their labels alone, and copies those: exemplars outlive their series in the head, and
 * what becomes of refs is nothing to them. No malloc per exemplar.
 *
 * Whoever adds holds the lock, so that a batch enters the log in the order in which it enters the ring. */
#pragma once

#include "base/arena.h"
#include "base/lock.h"
#include "base/vec.h"
#include "storage/appender.h"
#include "storage/querier.h"
#include "tsdb/slab.h"
#include "tsdb/tag_table.h"
#include <stdatomic.h>

enum { EXEMPLAR_RING_MAX = 1 << 30 };
/* A window for those out of the log: they were taken before. */
#define EXEMPLAR_ANY_AGE INT64_MAX

struct exemplar_slot {
	int64_t t_ms;
	double v;
	uint64_t record;       /* of the log, which has it */
	uint32_t owner;        /* place of its series */
	uint32_t older, newer; /* neighbours by time in its series: slot + 1 */
	uint32_t labels;       /* in the slab */
	bool has_time;
};
VEC_DEFINE(exemplar_slots, struct exemplar_slot);

/* A series with exemplars. */
struct exemplar_owner {
	struct labels *labels;   /* NULL: the place is free */
	uint32_t oldest, newest; /* slot + 1 */
};
VEC_DEFINE(exemplar_owners, struct exemplar_owner);
VEC_DEFINE(exemplar_places, uint32_t);

struct exemplar_ring {
	_Atomic bool is_off; /* relaxed: saves asking */
	struct lock lock;    /* LOCK_SERIES; the rest belongs to it */
	size_t max;          /* 0: off */
	size_t next;         /* the slot to be taken next */
	struct exemplar_slots slots;
	struct slab *slab;
	struct exemplar_owners owners;
	struct exemplar_places free_owners;
	struct tag_table by_labels; /* place in owners + 1 */
	size_t label_bytes;         /* of the owners' labels */
};

void exemplar_ring_init(struct exemplar_ring *r, size_t max);
void exemplar_ring_done(struct exemplar_ring *r);

/* --- with the lock held --- */

/* What exemplar_ring_add() would say. Its labels were checked (model/exemplar.h). `late_ms`: how far behind the newest of its
 * series it may be; 0: not at all. */
enum exemplar_result exemplar_ring_judge(
    const struct exemplar_ring *r, const struct labels *series, const struct exemplar *e, int64_t late_ms);
/* Takes it when it is good, in the place of the oldest when the ring is full. */
enum exemplar_result exemplar_ring_add(
    struct exemplar_ring *r, const struct labels *series, const struct exemplar *e, int64_t late_ms);

/* Number i from the oldest on (i < r->slots.len); the series' labels are borrowed, those of *e live in the arena. */
void exemplar_ring_get(const struct exemplar_ring *r, size_t i, struct arena *arena,
    const struct labels **series, struct exemplar *e);
/* The record of the log that has number i. */
uint64_t exemplar_ring_record(const struct exemplar_ring *r, size_t i);
void exemplar_ring_set_record(struct exemplar_ring *r, size_t i, uint64_t record);

/* --- without --- */

/* Keeps the newest `max`. */
void exemplar_ring_resize(struct exemplar_ring *r, size_t max);
/* As in struct exemplar_queryable. */
MUST_CHECK int exemplar_ring_select(struct exemplar_ring *r, struct arena *arena,
    const struct matcher_list *any, size_t n_any, int64_t min_t_ms, int64_t max_t_ms,
    const struct exemplar_series **out, size_t *n, struct err *err);

struct exemplar_stats {
	size_t exemplars, series, max, bytes;
	int64_t oldest_t_ms; /* of the one that goes next; 0: there is none */
};
void exemplar_ring_stats(struct exemplar_ring *r, struct exemplar_stats *out);
