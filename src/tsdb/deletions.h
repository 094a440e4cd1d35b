/* What was deleted of a store, as far as the log may still say otherwise: the file data/deletions. Parts have tombstones
 * (tombstones.h), and a deletion seals what the head had; but the log goes on having the deleted samples for a while, and the
 * head remembers the newest sample of each series. So this says
 *
 *   - up to which time a newest sample may be a deleted one;
 *   - for each deletion: which records of the log came before it. Replay leaves out what it covers, should it come by such a
 *     record: as a rule the series snapshots tell it to begin behind them.
 *
 * Not thread-safe; reading is, while nobody changes it. docs/formats/part.md has the bytes. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/vec.h"
#include "model/matcher.h"
#include <stdint.h>

struct deletion {
	uint64_t record; /* of samples in records of the log up to this one */
	int64_t min_t_ms, max_t_ms;
	const struct matcher *const *matchers; /* of the series; none: all */
	size_t n_matchers;
};
VEC_DEFINE(deletion_vec, struct deletion);

struct deletions {
	int64_t until_ms; /* INT64_MIN: nothing was deleted */
	struct deletion_vec all;
	struct arena *arena; /* matchers */
};

void deletions_init(struct deletions *d);
void deletions_done(struct deletions *d);

/* Copies the matchers. The same deletion again takes the place of the one before. ERR_INVALID: a bad regular expression. */
MUST_CHECK int deletions_add(struct deletions *d, const struct deletion *x, struct err *err);
/* Forgets those that no record behind this one is about: the log does not have the others any more. */
void deletions_forget(struct deletions *d, uint64_t record);

/* The newest record that a deletion is about; 0: none. */
uint64_t deletions_newest_record(const struct deletions *d);
/* Whether a sample that stands in this record of the log was deleted later. */
bool deletions_cover(const struct deletions *d, uint64_t record, const struct labels *labels, int64_t t_ms);

/* The file is the old or the new one, never a mix. */
MUST_CHECK int deletions_write(struct fs *fs, const char *path, const struct deletions *d, struct err *err);
/* Into an empty `d`, which stays empty on failure. ERR_NOT_FOUND; ERR_CORRUPT; ERR_UNSUPPORTED: a newer version. */
MUST_CHECK int deletions_read(struct fs *fs, const char *path, struct deletions *d, struct err *err);
/* The same of bytes. */
MUST_CHECK int deletions_parse(struct slice bytes, struct deletions *d, struct err *err);
