/* The sealed chunk of native histograms: times as a column, then each histogram, counts as differences to the
 * one before where the spans are the same. docs/formats/chunk_histogram.md has the bytes. Stateless;
 * thread-safe. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "model/histogram.h"
#include "storage/querier.h"

enum { CHUNK_HISTOGRAM_MAX_SAMPLES = 1024 };

/* Appends the chunk of n (1..CHUNK_HISTOGRAM_MAX_SAMPLES) histograms to `out`; t[] ascends strictly; none is
 * NULL. The hint HINT_NOT_RESET is kept as HINT_UNKNOWN. */
void chunk_histogram_encode(const int64_t *t, const struct histogram *const *h, size_t n, struct strbuf *out);

/* Appends those within [min_t_ms, max_t_ms] to `out`, the histograms in its arena. ERR_CORRUPT,
 * ERR_NO_MEMORY. */
MUST_CHECK int chunk_histogram_read(struct slice bytes, int64_t first_t_ms, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err);
