/* The late samples of one stripe: accepted within the out-of-order window, older than the newest of their series, not in a
 * part yet. Beside the open chunks, which only grow at their end: for each series that has some a sorted array, and native
 * histograms in the order in which they came. Sealed to parts of their own (head_seal.h), which may overlap others.
 *
 * Not thread-safe: the stripe's lock. */
#pragma once

#include "base/attr.h"
#include "storage/querier.h"
#include "tsdb/head_histogram.h"
#include "tsdb/tag_table.h"

/* Floats a series may have here: bounds what an insertion moves. At one a second those of 18 hours. */
enum { OOO_SERIES_MAX = 1 << 16 };

struct ooo_sample {
	int64_t t_ms;
	double v;
};
VEC_DEFINE(ooo_samples, struct ooo_sample);

struct ooo_series {
	series_ref ref;
	struct ooo_samples samples; /* times ascend */
};
VEC_DEFINE(ooo_series_vec, struct ooo_series);

/* A zeroed struct is empty. */
struct ooo_buffer {
	struct ooo_series_vec series;
	struct tag_table by_ref; /* place + 1 */
	struct head_histograms histograms;
	size_t bytes; /* about, of memory: histograms included */
};

void ooo_buffer_done(struct ooo_buffer *b);
static inline bool ooo_buffer_is_empty(const struct ooo_buffer *b)
{
	return b->series.len == 0 && b->histograms.series.len == 0;
}

/* Adds a float at a time at which the series has none here. False: the series has `max` already. */
MUST_CHECK bool ooo_buffer_add(struct ooo_buffer *b, series_ref ref, int64_t t_ms, double v, size_t max);
MUST_CHECK int ooo_buffer_add_histogram(
    struct ooo_buffer *b, series_ref ref, int64_t t_ms, struct slice chunk, struct err *err);

/* The float at this time; false: there is none. */
bool ooo_buffer_find(const struct ooo_buffer *b, series_ref ref, int64_t t_ms, double *v);
/* How many samples a series has here. */
size_t ooo_buffer_count(const struct ooo_buffer *b, series_ref ref);
/* Pushes those of a series within [min_t_ms, max_t_ms]: floats in time order, then histograms. ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_CHECK int ooo_buffer_read(const struct ooo_buffer *b, series_ref ref, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err);
