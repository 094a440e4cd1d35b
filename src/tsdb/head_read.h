/* Reading the samples of one series out of the head: frozen chunks that are not in a part the reader has, closed chunks, the
 * open chunk, histograms, late samples. Takes the stripe's lock. */
#pragma once

#include "tsdb/head.h"

/* Appends to `out` the samples within [min_t_ms, max_t_ms] in time order. Frozen chunks are skipped when their part has the
 * number seen_seq or a smaller one: then the reader has that part. ERR_CORRUPT, ERR_NO_MEMORY. */
MUST_CHECK int head_read(struct head *h, series_ref ref, uint64_t seen_seq, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err);
/* An upper bound of what head_read() gives. */
size_t head_estimate(struct head *h, series_ref ref, uint64_t seen_seq, int64_t min_t_ms, int64_t max_t_ms);

/* What a reader wants to know of many series at once, in batches with one lock a stripe. */
struct head_peek {
	uint32_t labels; /* handle; 0: the series is gone */
	bool last_is_histogram;
	bool
	    has_nothing_until; /* before nothing_until_ms the head has no sample of it; else that is not known cheaply */
	int64_t nothing_until_ms;
	struct last_sample last;
};
/* Reads refs[i] into out[i]; refs ascend. */
void head_peek(struct head *h, const series_ref *refs, size_t n, struct head_peek *out);

/* Decodes chunks of one series, all samples, behind what is in `out`. `slab` holds their bytes. */
MUST_CHECK int head_decode_chunks(const struct slab *slab, const struct closed_chunk *chunks, size_t n,
    struct sample_column *out, struct err *err);
