/* Which parts to join next. A pure function over what parts say of themselves: no files, no clock, no state.
 *
 *   level 0   as sealed from the head: a stretch of about half an hour of some series
 *   level 1   a window of 2 hours
 *   level 2   a window of a day
 *
 * Windows are aligned to the epoch. A part belongs to the window that its first sample lies in, and may reach into the next
 * one: joining cuts there, and what lies behind is a part of its own, to be joined with the next window. So joined parts
 * keep to their window, and go with it when their time is over. A part of late samples that reaches over more windows is
 * split first, alone, so that each window gets its own: once, whatever number of windows it is.
 *
 * A window is joined when nothing more is to be expected in it. What comes late all the same waits as a part of its own until
 * it is worth a rewriting: a part is not joined with less than a quarter of its size, which bounds how often a sample is
 * written. */
#pragma once

#include "tsdb/part_meta.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPACT_LEVELS = 2, COMPACT_PARTS_MAX = 64, COMPACT_PIECES_MAX = 64 };

struct compact_limits {
	int64_t range_ms
	    [COMPACT_LEVELS]; /* of the windows of level 1, 2; 0: that level and the ones behind it are not made */
	int64_t closed_ms;   /* all samples before this time are in parts */
	uint64_t max_series; /* at once: bounds the memory of a job */
	uint64_t max_bytes;  /* of the parts of a job */
	bool at_once;        /* joins what can be joined, in windows of the last level, whatever it costs */
};

/* A stretch of time that becomes a part of its own. */
struct compact_piece {
	int level;
	int64_t min_t_ms, max_t_ms; /* both ends included */
};

struct compact_job {
	size_t n;
	size_t parts[COMPACT_PARTS_MAX]; /* places in the caller's list; by rank, the oldest first */
	size_t n_pieces;                 /* of what they have; all of it together */
	struct compact_piece pieces[COMPACT_PIECES_MAX];
};

/* False: there is nothing to join. The result depends on the set of parts alone, not on their order in the list. */
bool compact_plan(const struct part_meta *const *parts, size_t n, const struct compact_limits *limits,
    struct compact_job *out);
