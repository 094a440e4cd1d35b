/* What was deleted of the series of a part: stretches of time by ordinal, in the file `stones` beside the data, which stay
 * as they are until a compaction leaves the deleted samples out. A set is immutable once made: a further deletion makes a
 * larger one. docs/formats/part.md has the bytes. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "tsdb/postings.h"
#include <stddef.h>
#include <stdint.h>

struct tombstone {
	uint32_t ordinal;
	int64_t min_t_ms, max_t_ms; /* both ends included */
};

struct tombstones {
	struct tombstone *v; /* by ordinal, then time; those of one ordinal do not touch each other */
	size_t n;
};

/* What `old` has (NULL: nothing), and this stretch of each of these series. The caller frees it. */
struct tombstones *tombstones_with(
    const struct tombstones *old, const struct postings *series, int64_t min_t_ms, int64_t max_t_ms);
/* Takes NULL. */
void tombstones_free(struct tombstones *t);

/* Those of one series: *n of them. `t` may be NULL. */
const struct tombstone *tombstones_of(const struct tombstones *t, uint32_t ordinal, size_t *n);
/* Whether all of this stretch is deleted. */
bool tombstones_cover(const struct tombstone *v, size_t n, int64_t min_t_ms, int64_t max_t_ms);

/* The file is the old or the new one, never a mix. */
MUST_CHECK int tombstones_write(struct fs *fs, const char *path, const struct tombstones *t, struct err *err);
/* ERR_NOT_FOUND; ERR_CORRUPT: not that format, or an ordinal of `n_series` or above; ERR_UNSUPPORTED: a newer version. */
MUST_CHECK int tombstones_read(
    struct fs *fs, const char *path, uint32_t n_series, struct tombstones **out, struct err *err);
/* The same of bytes. */
MUST_CHECK int tombstones_parse(
    struct slice bytes, uint32_t n_series, struct tombstones **out, struct err *err);
