/* The head: all series that take samples, with their newest samples, in memory; made durable by the log, emptied into parts
 * by sealing (head_seal.h). Parts of it: columns by ref (head_series.h), stripes (series_stripe.h), the index of labels
 * (head_index.h), two tables that find a series by its labels or by a writer's key.
 *
 * Locks, in this order: a stripe's, or the index lock, then the keys', then the log's. Never two stripes at once, never a
 * stripe and the index together. */
#pragma once

#include "base/clock.h"
#include "base/lock.h"
#include "base/vec.h"
#include "tsdb/exemplar_ring.h"
#include "tsdb/head_index.h"
#include "tsdb/head_series.h"
#include "tsdb/key_table.h"
#include "tsdb/metadata_store.h"
#include "tsdb/ref_recycle.h"
#include "tsdb/series_stripe.h"
#include "tsdb/wal_commit.h"
#include <stdatomic.h>

struct head_options {
	struct clock *clock;
	int64_t future_limit_ms; /* < 0: none */
	uint64_t max_series;     /* 0: none */
	uint64_t late_max_bytes; /* of late samples that are not sealed */
	size_t max_exemplars;    /* 0: none are kept */
};

struct head_appender;
VEC_DEFINE(head_appenders, struct head_appender *);

/* The labels of a series that was dropped: readers that began before a part behind `seq` may have them. */
struct dropped_labels {
	uint64_t seq;
	uint32_t handle;
	series_ref ref;
};
VEC_DEFINE(dropped_labels_vec, struct dropped_labels);

struct head {
	struct appendable appendable; /* first: the door is the head */
	struct head_options options;
	struct wal *wal; /* borrowed; NULL while replaying */

	struct head_columns columns;
	struct series_stripe stripes[HEAD_STRIPES];

	struct rwlock index_lock; /* LOCK_POSTINGS */
	/* index_lock: */
	struct head_index index;
	struct tag_table by_labels; /* the labels' hash -> ref */
	series_ref next_ref;        /* refs from here on were never used */
	struct ref_recycler refs;
	struct dropped_labels_vec dropped; /* in the order of seq */
	size_t n_freed;                    /* of these, from the first on */

	struct rwlock keys_lock; /* LOCK_SERIES */
	struct key_table by_key; /* keys_lock */

	struct metadata_store metadata;
	struct exemplar_ring exemplars;

	_Atomic uint64_t n_series, label_pairs;
	_Atomic int64_t retention_ms;       /* samples older than that are refused; 0: none are too old */
	_Atomic int64_t late_window_ms;     /* how far behind max_t_ms a sample may be late; 0: not at all */
	_Atomic uint64_t late_bytes;        /* of the stripes' buffers of late samples */
	_Atomic int64_t min_t_ms, max_t_ms; /* of all samples since the start; INT64_MAX, INT64_MIN: none */

	_Atomic size_t postings_bytes;       /* when they were counted last (head_memory.c) */
	_Atomic int64_t postings_counted_ns; /* 0: never */

	struct lock spare_lock;      /* LOCK_POOL */
	struct head_appenders spare; /* spare_lock: appenders to use again, for their memory */
};

void head_init(struct head *h, const struct head_options *o);
void head_done(struct head *h);

/* The series with these labels, made when new; logged before anybody can find it. ERR_INVALID; ERR_LIMIT: of
 * the options; ERR_NO_MEMORY: the head has no more refs, or no more room for labels. */
MUST_CHECK int head_add_series(struct head *h, const struct series_key *key, const struct labels *labels,
    series_ref *ref, struct err *err);
/* For replay: this ref has these labels. False: another series has the ref or the labels, or there is no room. */
bool head_restore_series(struct head *h, series_ref ref, const struct labels *labels);
/* A series that ended and was about to be dropped comes back (its stripe's lock). */
void head_revive_series(struct head *h, series_ref ref);
/* Takes a dying series out of the index. `seq`: the newest part that readers may know. Without locks held. */
void head_drop_series(struct head *h, series_ref ref, uint64_t seq);
/* Gives back the labels of dropped series, when all readers know a newer part than there was then; their refs may be used
 * again some time (ref_recycle.h). */
void head_free_dropped(struct head *h, uint64_t seen_seq);
/* After the start: refs that no series has may be used again when the log is cut. */
void head_retire_unused(struct head *h);
/* Forgets the keys that lead to these refs. */
void head_forget_keys(struct head *h, const struct ref_set *gone);
/* Refs that were forgotten are free, and so is the memory of blocks without any series. */
void head_free_refs(struct head *h);

/* The ref of the series with these labels, 0: none. */
series_ref head_find_labels(struct head *h, const struct labels *labels);

/* The handle of the labels of a series that may have been dropped since: 0 then. */
static inline uint32_t head_series_handle(const struct head *h, series_ref ref)
{
	const struct head_block *b = head_columns_block(&h->columns, ref);
	return b ? atomic_load_explicit(&b->series[series_in_block(ref)].labels, memory_order_acquire) : 0;
}

/* The same of a series that was dropped, as long as its labels are kept; 0: it is not among those. */
uint32_t head_dropped_handle(struct head *h, series_ref ref);

/* Widens the time range of the head. */
void head_note_times(struct head *h, int64_t min_t_ms, int64_t max_t_ms);
/* Bytes of open and closed chunks, histograms and late samples. */
size_t head_chunk_bytes(struct head *h);
