/* The series of one stripe in a file, DIR/stripe-NNN: refs, labels and newest samples as they were when the stripe was
 * sealed. With it the log before that moment is not needed. Written whole at each sealing, under a temporary name.
 * docs/formats/series_snapshot.md has the bytes. */
#pragma once

#include "base/fs.h"
#include "tsdb/head_seal.h"
#include "tsdb/wal_frames.h"

/* What its frames hold. */
enum snapshot_frame {
	SNAPSHOT_SERIES = 1,         /* as WAL_SERIES */
	SNAPSHOT_LAST = 2,           /* as WAL_SAMPLES: newest samples */
	SNAPSHOT_LAST_HISTOGRAM = 3, /* the same of series whose newest is a histogram: v is its hash */
};

MUST_CHECK int series_snapshot_write(
    struct head *h, const struct stripe_seal *s, struct fs *fs, const char *dir, struct err *err);
/* Restores the stripe's series into an empty stripe of the head. No file: nothing is done. ERR_CORRUPT: what could be read
 * was restored; ERR_UNSUPPORTED, ERR_IO. Thread-safe for different stripes. */
MUST_CHECK int series_snapshot_load(
    struct head *h, unsigned stripe, struct fs *fs, const char *dir, struct err *err);
/* Checks the header of a snapshot that was read whole, and begins the walk over its frames. ERR_CORRUPT, ERR_UNSUPPORTED. */
MUST_CHECK int series_snapshot_walk(
    struct slice content, unsigned stripe, struct wal_frames *frames, struct err *err);
/* The path of a stripe's snapshot, on the heap; the caller frees it. */
char *series_snapshot_path(const char *dir, unsigned stripe);
/* For the fuzzer: the same from memory. */
MUST_CHECK int series_snapshot_parse(struct head *h, unsigned stripe, struct slice content, struct err *err);
