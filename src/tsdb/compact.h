/* Joining parts while the store runs: what compact_plan() names is joined by compact_run(), then one record of the manifest
 * puts the new part in the place of the old ones, whose folders go when no reader has them any more. One job at a time,
 * without the lock of the maintenance but for planning and for the record, so sealing goes on meanwhile. A job whose parts
 * changed meanwhile (retention dropped one, samples were deleted) is thrown away and planned anew. */
#pragma once

#include "tsdb/tsdb_priv.h"

enum compact_why {
	COMPACT_DUE,     /* what is complete, as time goes by */
	COMPACT_AT_ONCE, /* whatever can be joined */
	COMPACT_CLEAN,   /* one part that has tombstones, to be rid of them */
};

/* Does one job when there is one: *did. ERR_IO, ERR_CORRUPT, ERR_NO_MEMORY; ERR_CANCELED: the store is closing. The old
 * parts stay as they are then. */
MUST_CHECK int compact_one(struct tsdb *db, enum compact_why why, bool *did, struct err *err);

/* The timer that looks for jobs; a failure makes it wait longer each time. Without a scheduler there is none. */
void compact_start_timer(struct tsdb *db);
void compact_stop_timer(struct tsdb *db);
