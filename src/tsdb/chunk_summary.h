/* What the samples of a chunk add up to (struct sample_summary), made when the chunk is, and stored in few bytes in the
 * directory of its part, so that functions over long windows need not decode it. Chunks of less than SUMMARY_MIN_SAMPLES have
 * none: it would weigh too much. docs/formats/part.md has the bytes. Stateless; thread-safe. */
#pragma once

#include "base/attr.h"
#include "base/byte_reader.h"
#include "base/strbuf.h"
#include "storage/querier.h"

enum { SUMMARY_MIN_SAMPLES = 512 };

/* Summary of n samples, `follows` aside. False: they have none, as they are too few or have a stale marker among them. The same
 * samples give the same bits on every machine. */
MUST_CHECK bool chunk_summary_make(const int64_t *t, const double *v, size_t n, struct sample_summary *out);

/* Appends a row: of a chunk that has none for NULL. `before` is the summary of the row before it of the same series, or NULL. */
void chunk_summary_encode(
    const struct sample_summary *s, const struct sample_summary *before, struct strbuf *out);

/* A row. Its times and the number of samples are in the directory, and set in *s by the caller beforehand. *has false: the chunk
 * has no summary. False: torn. */
MUST_CHECK bool chunk_summary_decode(
    struct byte_reader *r, const struct sample_summary *before, struct sample_summary *s, bool *has);
/* The same bits, `follows` aside. */
bool chunk_summary_equal(const struct sample_summary *a, const struct sample_summary *b);
