/* What the records of a log do to the head when it is read back. Series, metadata and exemplars are applied as they come;
 * samples and histograms are gathered by stripe, a segment at a time, and applied by several threads, of which each takes
 * whole stripes: a series gets its samples in their order. */
#pragma once

#include "base/lock.h"
#include "base/vec.h"
#include "tsdb/deletions.h"
#include "tsdb/head.h"
#include "tsdb/wal_record.h"

/* What records are applied to. */
struct wal_apply {
	struct head *head;
	const struct deletions *deletions; /* samples that they cover are left out; NULL: none */
	uint64_t deleted_record;           /* the newest that they may cover */
};

struct wal_apply_counts {
	uint64_t series, samples;
	uint64_t unknown;        /* samples of series whose labels are lost */
	uint64_t bad, first_bad; /* records that cannot be understood, and the number of the first */
};
void wal_apply_counts_add(struct wal_apply_counts *to, const struct wal_apply_counts *c);

/* Applies one record; those that a stripe's snapshot covers do nothing. ERR_CORRUPT: its payload is not what its type says;
 * what stood before the damage was applied. Thread-safe for records of different stripes, beside one thread for all others. */
MUST_CHECK int wal_apply_record(
    const struct wal_apply *a, const struct wal_frame *f, struct slice payload, struct wal_apply_counts *c);

struct wal_gathered {
	struct wal_frame frame;
	struct slice payload; /* borrowed from the segment */
};
VEC_DEFINE(wal_gathered_vec, struct wal_gathered);

struct wal_gather {
	struct wal_gathered_vec by_stripe[HEAD_STRIPES];
	struct lock lock;               /* LOCK_POOL */
	struct wal_apply_counts counts; /* lock; of what was applied */
};

void wal_gather_init(struct wal_gather *g);
void wal_gather_done(struct wal_gather *g);
/* False: this record is to be applied now. */
bool wal_gather_add(struct wal_gather *g, const struct wal_frame *f, struct slice payload);
/* Applies what was gathered of one stripe. Thread-safe for different ones. */
void wal_gather_apply(struct wal_gather *g, const struct wal_apply *a, unsigned stripe);
