/* Writing old samples straight into parts, past head and log: series and samples in any order, in bounded memory. Every part
 * has the samples of one window of time; what was written counts only when backfill_commit() has entered all parts in the
 * manifest at once. It holds the lock of the data folder (made when it is not there), so no server may run on it. One
 * thread. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "model/labels.h"
#include "tsdb/part_meta.h"
#include <stdint.h>

struct backfill_options {
	struct fs *fs;
	const char *path;     /* the data folder */
	int64_t window_ms;    /* > 0; 0: a day */
	uint64_t max_samples; /* in memory at once, 24 bytes each; 0: 8 million. Labels of series stay, too */
};

struct backfill;

/* ERR_BUSY, ERR_EXISTS, ERR_IO as data_dir_open(). */
MUST_CHECK int backfill_open(const struct backfill_options *o, struct backfill **out, struct err *err);
/* The number of the series with these labels, from 0 on. */
uint32_t backfill_series(struct backfill *b, const struct labels *labels);
/* A sample. Of two with the same series and time the first counts. May write a part. */
MUST_CHECK int backfill_add(struct backfill *b, uint32_t series, int64_t t_ms, double v, struct err *err);
/* Writes what waits: at the end of a stretch of time, so that the next one has all memory. */
MUST_CHECK int backfill_flush(struct backfill *b, struct err *err);

struct backfill_result {
	uint64_t series, samples; /* of all parts; a series counts in each */
	uint64_t dropped;         /* had the time of another one of their series */
	const struct part_meta *parts;
	size_t n_parts; /* borrowed until backfill_close() */
};
/* Makes it count. */
MUST_CHECK int backfill_commit(struct backfill *b, struct backfill_result *out, struct err *err);
/* Without commit nothing is left. Takes NULL. */
void backfill_close(struct backfill *b);
