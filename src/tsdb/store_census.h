/* Counting what a store holds, series by series: each once, joined over all parts and the head. For a store that takes no
 * samples meanwhile (tsdb_options.read_only). */
#pragma once

#include "model/labels.h"
#include "tsdb/tsdb.h"

struct census_series {
	const struct labels *labels; /* borrowed during the call */
	uint64_t samples, chunks,
	    bytes; /* chunks, and their bytes: of parts. Time columns that chunks share are not in it */
	uint64_t part_samples; /* those that the bytes are for */
	int64_t min_t_ms, max_t_ms;
	bool in_head;
};

/* In the order of labels. ERR_CORRUPT, ERR_IO. */
MUST_CHECK int store_census(
    struct tsdb *db, void (*each)(void *arg, const struct census_series *s), void *arg, struct err *err);
