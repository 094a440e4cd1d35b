/* Which parts to join next. A pure function over what parts say of themselves: no files, no clock, no state.
 *
 *   level 0   as sealed from the head: a stretch of about half an hour of some series
 *   level 1   a window of 2 hours
 *   level 2   a window of a day
 *
 * Windows are aligned to the epoch. A part belongs to the window that its first sample lies in, so a part may reach a little
 * into the next window; it is not cut. A window is joined when nothing more is to be expected in it. What comes late all the
 * same waits as a part of its own until it is worth a rewriting: a part is not joined with less than a quarter of its
 * size, which bounds how often a sample is written. */
#pragma once

#include "tsdb/part_meta.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPACT_LEVELS = 2 };

struct compact_limits {
	int64_t range_ms
	    [COMPACT_LEVELS]; /* of the windows of level 1, 2; 0: that level and the ones behind it are not made */
	int64_t closed_ms;   /* all samples before this time are in parts */
	uint64_t max_series; /* at once: bounds the memory of a job */
	uint64_t max_bytes;  /* of the parts of a job */
	bool at_once;        /* joins what can be joined, in windows of the last level, whatever it costs */
};

struct compact_job {
	int level;
	size_t n;
	size_t parts[PART_PARENTS_MAX]; /* places in the caller's list; by rank, the oldest first */
};

/* False: there is nothing to join. The result depends on the set of parts alone, not on their order in the list. */
bool compact_plan(const struct part_meta *const *parts, size_t n, const struct compact_limits *limits,
    struct compact_job *out);
