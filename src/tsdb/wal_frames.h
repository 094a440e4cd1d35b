/* Walking the frames of a segment or a series snapshot that was read whole. */
#pragma once

#include "tsdb/wal_record.h"

struct wal_frames {
	struct slice content;
	size_t offset;  /* of the next frame */
	uint64_t place; /* the segment's number */
};

void wal_frames_open(struct wal_frames *w, struct slice content, size_t offset, uint64_t place);
/* 0 with the next frame, its payload borrowed; 1 at the end (the end of the file, or zeros); ERR_CORRUPT: here stands
 * something that is no good frame, and the offset stays. */
MUST_CHECK int wal_frames_next(struct wal_frames *w, struct wal_frame *f, struct slice *payload);
/* Behind what is no good frame: moves to the next good one whose number is above `after`, wherever it stands. False: there
 * is none, and the offset stays. For tools that look for what can be saved. */
bool wal_frames_resync(struct wal_frames *w, uint64_t after);
