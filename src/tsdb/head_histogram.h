/* The native histograms of one stripe that are not in a part yet: for each series that has some, a list of samples, each
 * encoded alone (chunk_histogram.h). Simple on purpose: floats are the hot path. Not thread-safe: the stripe's lock. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/vec.h"
#include "storage/appender.h"
#include "storage/querier.h"
#include "tsdb/tag_table.h"

struct histogram_entry {
	int64_t t_ms;
	uint32_t offset, len; /* in the bytes of its series */
};
VEC_DEFINE(histogram_entries, struct histogram_entry);

struct series_histograms {
	series_ref ref;
	struct histogram_entries entries;
	struct strbuf bytes;
};
VEC_DEFINE(series_histograms_vec, struct series_histograms);

/* A zeroed struct is empty. */
struct head_histograms {
	struct series_histograms_vec series;
	struct tag_table by_ref; /* place + 1 */
	size_t bytes;            /* of memory */
};

void head_histograms_done(struct head_histograms *h);
/* Adds one in time order. ERR_LIMIT: four GiB of them wait already. */
MUST_CHECK int head_histograms_add(
    struct head_histograms *h, series_ref ref, int64_t t_ms, struct slice chunk, struct err *err);
const struct series_histograms *head_histograms_of(const struct head_histograms *h, series_ref ref);
/* Pushes those of a series within [min_t_ms, max_t_ms]. ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_CHECK int head_histograms_read(const struct head_histograms *h, series_ref ref, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err);
