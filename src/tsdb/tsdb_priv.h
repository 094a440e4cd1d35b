/* What the files of the store share: the parts of a struct tsdb. */
#pragma once

#include "base/lock.h"
#include "base/vec.h"
#include "tsdb/data_dir.h"
#include "tsdb/deletions.h"
#include "tsdb/disk_room.h"
#include "tsdb/head.h"
#include "tsdb/manifest.h"
#include "tsdb/ordinal_refs.h"
#include "tsdb/page_cache.h"
#include "tsdb/part_set.h"
#include "tsdb/tsdb.h"
#include <stdatomic.h>

VEC_DEFINE(tsdb_notes, char *);
VEC_DEFINE(seq_vec, uint64_t);

enum { SEGMENT_STEPS = HEAD_STRIPES }; /* of progress: a segment takes as many as all snapshots */

/* How far reading back is. All but `empty` may be asked any time. */
struct tsdb_replay {
	_Atomic int phase; /* enum tsdb_replay_phase */
	_Atomic uint64_t first_segment, last_segment, segment;
	_Atomic uint64_t steps, steps_done;
	int64_t told_ns;    /* when it was told of last */
	struct head *empty; /* what queries see meanwhile; NULL: they wait */
};

struct tsdb {
	struct tsdb_options options; /* defaults filled in; `path` is ours; MAINTENANCE: retention_* */
	struct queryable queryable;
	struct exemplar_queryable exemplars;
	struct data_dir dir;
	struct page_cache *cache;
	struct ordinal_refs *ordinals;
	struct manifest *manifest; /* MAINTENANCE */
	struct part_sets_owner parts;
	struct head head;
	struct wal *wal;
	struct tsdb_notes notes; /* written while opening */
	bool
	    series_missing; /* a snapshot was damaged: the head may not know all series of the newest parts */
	struct tsdb_replay replay;
	_Atomic(struct head *) queried_head; /* &head, or an empty one while it is being filled */

	_Atomic int64_t
	    deleted_until_ms; /* relaxed, grows: the head's newest samples up to here may be deleted ones */

	struct deletions deletions; /* MAINTENANCE */

	struct lock maintenance; /* LOCK_TSDB_MAINTENANCE: one sealing at a time */
	timer_id timer;          /* MAINTENANCE */
	bool closing;            /* MAINTENANCE */
	int64_t failed_at_ms;    /* MAINTENANCE: when sealing failed last; 0: never */
	struct disk_room room;   /* MAINTENANCE */
	_Atomic uint64_t disk_free_bytes;
	atomic_bool disk_full; /* relaxed; changed with MAINTENANCE: no samples are taken, for want of room */

	struct lock compaction;           /* LOCK_TSDB_COMPACTION: one job at a time */
	struct thread_pool *compact_pool; /* NULL: no timer */
	timer_id compact_timer;           /* MAINTENANCE */
	struct seq_vec damaged_parts;     /* COMPACTION: not to be joined */
	unsigned compact_failures;        /* the timer's: in a row */
	atomic_bool stopping;             /* relaxed: a job looks at it between series */
};

void tsdb_init_replay(struct tsdb *db);
void tsdb_done_replay(struct tsdb *db);

/* Keeps a sentence for tsdb_start_notes(). */
void tsdb_note(struct tsdb *db, const char *fmt, ...) PRINTF_LIKE(2, 3);
void tsdb_note_text(void *db, const char *text);

/* Brings the gauges of /metrics up to date. */
void tsdb_set_gauges(struct tsdb *db);

/* Seals these stripes to one part (MAINTENANCE). On failure what was frozen stays in memory and is tried again. */
MUST_CHECK int tsdb_seal(struct tsdb *db, const unsigned *stripes, size_t n, int64_t now_ms, struct err *err);

/* The same of those that are wanted, to as many parts as it takes (MAINTENANCE). */
MUST_CHECK int tsdb_seal_stripes(struct tsdb *db, const bool wanted[HEAD_STRIPES], struct err *err);

/* Looks how full the disk is, makes the reserve when it can, stops the taking of samples and lets it go on
 * (MAINTENANCE). */
void tsdb_watch_disk(struct tsdb *db);
/* As of the last look: sealing would give room back, and should come while there is still enough for it (MAINTENANCE). */
bool tsdb_is_pressed_by_disk(struct tsdb *db);
/* Tells whoever logs. */
void tsdb_notice(struct tsdb *db, bool is_bad, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What a former process noted of its deletions. When newest samples are known, and before the log is replayed: what came
 * since may have the time of a deleted one. */
MUST_CHECK int tsdb_load_deletions(struct tsdb *db, struct err *err);

/* The timer that does what is due every few seconds; without a scheduler there is none. */
void tsdb_start_timer(struct tsdb *db);
void tsdb_stop_timer(struct tsdb *db);
