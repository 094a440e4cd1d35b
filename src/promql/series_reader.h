/* Reads the series of a selector one by one into columns that are used again and again, and parts them into what range
 * functions want. One thread. */
#pragma once

#include "promql/query_plan.h"
#include "promql/range_func.h"
#include "storage/querier.h"

struct series_reader {
	struct leaf_counts *counts; /* borrowed */
	uint64_t max_points;
	const struct clock *clock; /* with analyze: how long reading takes is counted */
	struct sample_column col;
	/* Where a column holds stale markers or histograms: floats and histograms apart. */
	int64_t *float_t, *histogram_t;
	double *v;
	const struct histogram **h;
	int64_t *float_start, *histogram_start;
	size_t cap;
	bool use_starts;
	struct windows fw, hw;
};

/* `use_starts`: hand on start timestamps, where there are any. */
void series_reader_init(
    struct series_reader *r, const struct eval *e, struct leaf_counts *counts, bool use_starts);
void series_reader_done(struct series_reader *r);
/* The samples of series i, into r->col; histograms into the arena. */
MUST_CHECK int series_reader_read(
    struct series_reader *r, struct series_set *set, size_t i, struct arena *arena, struct err *err);
/* Those within [min_ms, max_ms], where the store can read less than all. */
MUST_CHECK int series_reader_read_between(struct series_reader *r, struct series_set *set, size_t i,
    int64_t min_ms, int64_t max_ms, struct arena *arena, struct err *err);
/* Counts windows of n[k] samples, none of which is in two of them, that were looked at in another way. */
MUST_CHECK int series_reader_count(
    struct series_reader *r, const uint64_t *n, uint32_t steps, struct err *err);
/* What was read, as the input of a range function with these windows, which are counted. Valid until the next read. */
MUST_CHECK int series_reader_input(
    struct series_reader *r, const struct window_spec *spec, struct range_input *in, struct err *err);
/* The same for a column of the caller's. */
MUST_CHECK int series_reader_input_of(struct series_reader *r, const struct window_spec *spec,
    const struct sample_column *c, struct range_input *in, struct err *err);
