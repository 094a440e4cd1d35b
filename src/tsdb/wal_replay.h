/* Reading the log at the start. Records go to the head in the order of their numbers; those that a stripe's snapshot covers
 * are skipped, and so are numbers that came already (a batch written again after a failed sync).
 *
 * Damage: a bad record at the end of the log is the torn tail of a crash, and cut off; its bytes go to "<segment>.damaged",
 * because a bit that flipped there looks the same. Elsewhere, when numbers are missing
 * behind it, records are lost: the segment is kept aside when its turn to go comes, and a note says so. Never a crash. */
#pragma once

#include "base/vec.h"
#include "tsdb/deletions.h"
#include "tsdb/head.h"
#include "tsdb/wal_commit.h"

VEC_DEFINE(wal_old_segments, struct wal_old_segment);

struct wal_replay {
	struct fs *fs;
	const char *dir;
	struct head *head;
	const struct deletions *deletions; /* samples that they cover are left out; NULL: none */
	bool read_only;                    /* the torn tail is not read, but stays */
	void (*progress)(void *arg, uint64_t done, uint64_t total); /* segments; may be NULL */
	void (*note)(void *arg, const char *text); /* what was repaired or lost; may be NULL */
	void *arg;

	/* results */
	struct wal_old_segments segments;
	uint64_t next_segment, next_record;
	uint64_t samples, series, records_lost;
	uint64_t unknown; /* samples of series whose labels are lost */

	uint64_t deleted_record; /* behind this record nothing is deleted */
};

/* The caller fills in the upper part, zeroes the rest, and calls wal_replay_done(). ERR_IO, ERR_UNSUPPORTED. */
MUST_CHECK int wal_replay_run(struct wal_replay *r, struct err *err);
void wal_replay_done(struct wal_replay *r);
/* Applies one record. ERR_CORRUPT: its payload is not what its type says; what stood before the damage was applied. */
MUST_CHECK int wal_replay_record(struct wal_replay *r, const struct wal_frame *f, struct slice payload);
