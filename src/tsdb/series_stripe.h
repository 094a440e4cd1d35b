/* A stripe: one of 128 groups of series that share a lock, the memory of their open chunks, and the moment of sealing.
 * Blocks of 1024 refs go to the stripes in turn, so a batch of neighbours takes one lock.
 *
 * Chunks go through three states. Open: in the series' state, growing. Closed: full, but its stripe is not due yet; in the
 * stripe's list. Frozen: at the moment of sealing all chunks of the stripe and their memory move to a `struct frozen`,
 * which does not change any more, while the stripe goes on with empty chunks. A frozen set is read as part of the head
 * until the last querier that began before its part was published has gone. */
#pragma once

#include "base/lock.h"
#include "base/vec.h"
#include "tsdb/head_histogram.h"
#include "tsdb/head_series.h"
#include "tsdb/ooo_buffer.h"
#include "tsdb/slab.h"

struct closed_chunk {
	series_ref ref;
	uint32_t before; /* place + 1 of the closed chunk before it of the same series */
	struct chunk_xor chunk;
	struct last_sample last; /* of the chunk */
};
VEC_DEFINE(closed_chunks, struct closed_chunk);

struct frozen {
	struct closed_chunks chunks; /* sorted by ref, then time */
	struct slab *slab;
	struct head_histograms histograms;
	struct ooo_buffer late;
	uint64_t
	    part_seq; /* STRIPE: the part that has it, the last one when late samples have their own; 0: none yet */
	struct frozen *older;
};

struct series_stripe {
	struct lock lock; /* LOCK_STRIPE */
	unsigned number;
	/* STRIPE: */
	struct slab *slab;
	struct closed_chunks closed;
	struct head_histograms histograms;
	struct ooo_buffer late;
	struct frozen *frozen;      /* newest first */
	int64_t min_t_ms, max_t_ms; /* of what is not in parts; INT64_MAX, INT64_MIN: nothing */
	uint64_t open_samples;      /* appended since the last freezing */
	int64_t
	    deleted_until_ms; /* what is sealed may be deleted up to here, newest samples too; INT64_MIN: nothing */
	/* maintenance thread: */
	int64_t frozen_at_ms;   /* when it was sealed last */
	uint64_t replay_record; /* the log up to this record is not needed for it */
};

void series_stripe_init(struct series_stripe *s, unsigned number);
void series_stripe_done(struct series_stripe *s);

/* The rest needs the stripe's lock. */

/* Puts (t_ms, v) behind the newest sample of a series of this stripe; closes the chunk when it is full. The caller has
 * checked order. False: no memory. */
MUST_CHECK bool series_stripe_append(
    struct series_stripe *s, struct head_block *b, series_ref ref, int64_t t_ms, double v);
/* Moves the open chunk, if it has samples, to the closed ones. */
void series_stripe_close_chunk(struct series_stripe *s, struct head_block *b, series_ref ref);

/* Moves everything to a new frozen set, which becomes s->frozen; NULL when there is nothing. */
struct frozen *series_stripe_freeze(struct series_stripe *s, const struct head_columns *columns);
void frozen_free(struct frozen *f);
/* The chunks of one series in time order: *n of them. */
const struct closed_chunk *frozen_chunks(const struct frozen *f, series_ref ref, size_t *n);
