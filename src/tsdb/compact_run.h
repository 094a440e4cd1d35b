/* Joining parts to one, or what they have of a stretch of time: their series merged in the order of labels, all samples of a series decoded, put in order and
 * encoded again in long chunks. Of samples at the same time the one of the oldest part stays (part_meta.newest_seq). The
 * result depends on the content of the parts alone. Reads through a small cache of its own, so that it throws nothing out
 * of the one that queries use; keeps the labels of all series in memory, and one series' samples.
 *
 * Writes the new part only: which parts count is the caller's business. */
#pragma once

#include "tsdb/compact_plan.h"
#include "tsdb/part_write.h"
#include <stdatomic.h>

struct compact_run {
	struct fs *fs;
	const char *parts_dir;
	const struct part_meta *const *parts; /* oldest rank first */
	size_t n;
	int64_t min_t_ms, max_t_ms; /* of the samples, both ends included */
	int level;
	bool out_of_order;
	uint64_t seq;
	const uint64_t *sources; /* what the new part says that it stands for; n_sources of them */
	size_t n_sources;
	const atomic_bool *stop; /* set: gives up with ERR_CANCELED; NULL: never */
};

/* `out` is the new part, which is on disk, synced; *is_empty: nothing was left to write, there is none. On failure nothing
 * is left behind but perhaps a temporary directory. ERR_IO, ERR_CORRUPT, ERR_NO_MEMORY, ERR_CANCELED. */
MUST_CHECK int compact_run(
    const struct compact_run *run, struct part_meta *out, bool *is_empty, struct err *err);
