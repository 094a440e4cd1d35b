/* Reading the log at the start. Records go to the head in the order of their numbers; those that a stripe's snapshot covers
 * are skipped, and so are numbers that came already (a batch written again after a failed sync). While samples of one segment
 * are applied, stripe by stripe on several threads, the next one is read. What was read is on disk at the end, also when the
 * process that wrote it died before it synced.
 *
 * Damage: a bad record at the end of the log is the torn tail of a crash, and cut off; its bytes go to "<segment>.damaged",
 * because a bit that flipped there looks the same. Elsewhere, when numbers are missing
 * behind it, records are lost: the segment is kept aside when its turn to go comes, and a note says so. Never a crash. */
#pragma once

#include "base/thread_pool.h"
#include "base/vec.h"
#include "tsdb/head.h"
#include "tsdb/wal_apply.h"
#include "tsdb/wal_commit.h"

VEC_DEFINE(wal_old_segments, struct wal_old_segment);

struct wal_replay {
	struct fs *fs;
	const char *dir;
	struct head *head;
	const struct deletions *deletions; /* samples that they cover are left out; NULL: none */
	struct thread_pool *pool;          /* helps; NULL: nobody does */
	bool read_only;                    /* the torn tail is not read, but stays */
	/* Told of each segment that was applied: its number, that of the last one; may be NULL. From the caller's thread. */
	void (*progress)(void *arg, uint64_t number, uint64_t last);
	void (*note)(void *arg,
	    const char
		*text); /* what was repaired or lost; may be NULL; from a helper's thread, one at a time */
	void *arg;

	struct wal_apply apply;

	/* results */
	struct wal_old_segments segments;
	uint64_t next_segment, next_record;
	uint64_t samples, series, records_lost;
	uint64_t unknown; /* samples of series whose labels are lost */
};

/* The caller fills in the upper part, zeroes the rest, and calls wal_replay_done(). ERR_IO, ERR_UNSUPPORTED. */
MUST_CHECK int wal_replay_run(struct wal_replay *r, struct err *err);
void wal_replay_done(struct wal_replay *r);
