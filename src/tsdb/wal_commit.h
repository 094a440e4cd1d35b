/* The log while it is written: many threads append records to one buffer in memory, one thread of its own writes the
 * buffer to the segment, syncs it, and calls back those who wait: one sync serves everybody who came meanwhile.
 *
 * When a write or a sync fails, the segment is given up (what the system did with its pages is unknown; a second fsync
 * would lie) and everything that was not synced is written again, from memory, to a new one. When that fails too, the
 * waiting are told, the log refuses appends (wal_ready) and goes on trying until the disk takes what is in memory. What a
 * failed write left behind the last whole record is cut off, so that the segment takes no more room than it needs; replay
 * could do with it, because records keep their numbers.
 *
 * Thread-safe. Order of locks: LOCK_WAL is taken in here and nothing is called with it held. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/slice.h"
#include "tsdb/tsdb.h"
#include "tsdb/wal_record.h"
#include <stdbool.h>
#include <stdint.h>

struct wal;

/* A segment of an earlier life, as replay found it. */
struct wal_old_segment {
	uint64_t number;
	uint64_t last_record; /* the largest record number up to its end */
	uint64_t bytes;
	bool damaged; /* kept under another name when its turn to go comes */
};

struct wal_options {
	struct fs *fs;
	const char *dir; /* of the segments; made when it is not there */
	enum wal_sync sync;
	uint64_t segment_bytes;
	uint64_t next_segment;
	uint64_t next_record;
	const struct wal_old_segment *old;
	size_t n_old;
};

/* Makes the next segment and starts the writing thread. On a full disk it is open all the same, refuses appends and goes on
 * trying. The caller closes it. */
MUST_CHECK int wal_open(const struct wal_options *o, struct wal **out, struct err *err);
/* Writes and syncs what waits, calls back, ends the thread. Takes NULL. */
void wal_close(struct wal *w);

/* Before a transaction, with no lock held: waits while too much is unwritten; ERR_UNAVAILABLE while the disk refuses or the
 * log is held. */
MUST_CHECK int wal_ready(struct wal *w, struct err *err);
/* The same without waiting. */
MUST_CHECK int wal_refusal(struct wal *w, struct err *err);
/* That, and the transaction counts as running until wal_end(): a sync that others wait for waits a moment for it. */
MUST_CHECK int wal_begin(struct wal *w, struct err *err);
/* The transaction is over. `done` as in wal_on_durable(); NULL: nobody waits for what it appended. */
void wal_end(struct wal *w, void (*done)(void *arg, int rc, const char *why), void *arg);
/* From now on wal_ready() refuses, for this reason (copied); NULL: no more. What is appended all the same is written. */
void wal_hold(struct wal *w, const char *why);
/* Room was made: what could not be written is tried again now. */
void wal_retry(struct wal *w);

/* Appends one record; memory only. Outside of a transaction it may stay there until wal_sync_now(). Returns its number. */
uint64_t wal_append(struct wal *w, enum wal_type type, unsigned stripe, struct slice payload);
/* Appends to the record of new series, which goes in front of whatever is appended next. The labels' text lives as long
 * as the log is open: that of symbols. */
void wal_append_series(struct wal *w, series_ref ref, const struct label *l, size_t n);
/* Calls done(arg, rc, why) exactly once, from the writing thread, when all appended so far is as safe as the policy says
 * (rc 0), or was refused (rc < 0). */
void wal_on_durable(struct wal *w, void (*done)(void *arg, int rc, const char *why), void *arg);
/* Waits until all appended so far is on disk, whatever the policy. */
MUST_CHECK int wal_sync_now(struct wal *w, struct err *err);

/* The number of the newest record. */
uint64_t wal_last_record(struct wal *w);
/* Whether wal_cut() would remove anything. */
bool wal_would_cut(struct wal *w, uint64_t record);
/* Removes the segments whose records are all numbered `record` or below. */
MUST_CHECK int wal_cut(struct wal *w, uint64_t record, struct err *err);
/* Records up to this one are in no segment any more; 0: nothing was cut yet. */
uint64_t wal_cut_record(struct wal *w);

struct wal_stats {
	uint64_t bytes, segments, damaged_segments;
	uint64_t syncs, failures;
	bool refusing;  /* it cannot be written */
	bool disk_full; /* and that is why */
};
void wal_stats(struct wal *w, struct wal_stats *out);
