/* The parts that count at a moment: an immutable list that readers hold while a new one takes its place. The oldest set
 * that is still held says which frozen chunks of the head must stay (series_stripe.h). Thread-safe. */
#pragma once

#include "base/lock.h"
#include "base/vec.h"
#include "tsdb/part_read.h"

struct part_set {
	struct part *
	    *v; /* by newest_seq, then time: of samples at the same time the one of the first part counts */
	size_t n;
	uint64_t sealed_seq; /* the newest part out of the head that it knows, also when that is gone since */
	unsigned refs;       /* TSDB_BLOCKS */
};
VEC_DEFINE(part_set_vec, struct part_set *);

struct part_sets_owner {
	struct lock lock; /* LOCK_TSDB_BLOCKS */
	struct part_set *current;
	struct part_set_vec held; /* all that have references, oldest first */
};

void part_sets_init(struct part_sets_owner *o);
void part_sets_done(struct part_sets_owner *o);
/* The current set; the caller gives it back. */
struct part_set *part_sets_get(struct part_sets_owner *o);
void part_sets_put(struct part_sets_owner *o, struct part_set *s);
/* One step from set to set: a reader has the one or the other. */
struct part_set_change {
	struct part *const *add; /* n of them; the references are taken over */
	size_t n_add;
	const uint64_t *remove; /* their seq */
	size_t n_remove;
	uint64_t sealed_seq; /* 0: as it was */
};
/* Makes the changed set the current one. One thread at a time. */
void part_sets_change(struct part_sets_owner *o, const struct part_set_change *change);
/* The smallest sealed_seq among the sets that are held. */
uint64_t part_sets_oldest_seq(struct part_sets_owner *o);
