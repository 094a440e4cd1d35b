/* The sealed chunk: one run of float samples of one series as two packed columns, best with 120 to 2048
 * samples. Times are a constant step or packed deltas; values a constant, packed deltas of integers, decimals
 * (integers divided by a power of ten), changes only (sparse), or an XOR stream where nothing else fits; a
 * few odd values stand beside as exceptions. The encoder tries what can apply, takes the smallest, and checks
 * it bit for bit, so that every double comes back as it was, stale markers, NaN payloads and -0 included.
 * docs/formats/chunk_column.md has the bytes.
 *
 * Stateless; thread-safe. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "storage/querier.h"
#include <stdint.h>

enum { CHUNK_COLUMN_MAX_SAMPLES = 4096 };

/* Appends the chunk of n (1..CHUNK_COLUMN_MAX_SAMPLES) samples to `out`; t[] ascends strictly. The first timestamp is not
 * stored: part directories have it, and it is handed in again at decoding. Cannot fail but for out's bound. */
void chunk_column_encode(const int64_t *t, const double *v, size_t n, struct strbuf *out);

/* Series that are scraped together have the same times, which can weigh more than their values: a part keeps each time
 * column once and its chunks name it by a number. chunk_times_encode() appends the column alone; the chunk is then made by
 * chunk_column_encode_shared(), and chunk_column_times_id() says which column has to be handed in at decoding. */
void chunk_times_encode(const int64_t *t, size_t n, struct strbuf *out);
void chunk_column_encode_shared(const double *v, size_t n, uint64_t times_id, struct strbuf *out);
/* ERR_CORRUPT. *shared false: the chunk has its times itself. */
MUST_CHECK int chunk_column_times_id(struct slice bytes, bool *shared, uint64_t *id, struct err *err);

/* What the first bytes say. ERR_CORRUPT. */
MUST_CHECK int chunk_column_count(struct slice bytes, uint32_t *n, struct err *err);

/* The samples into t[] and v[], which have room for chunk_column_count() of them. `times` is the shared time column, empty
 * when the chunk has its own. Bytes may be anything: reads stay within, ERR_CORRUPT says what is wrong (t and v then hold
 * garbage). */
MUST_CHECK int chunk_column_decode(
    struct slice bytes, struct slice times, int64_t first_t_ms, int64_t *t, double *v, struct err *err);

/* A shared time column, and the number of what it belongs to (of the part, unique in the process): by both its times are
 * known again (sample_column_has_times). */
struct chunk_times {
	struct slice bytes;
	uint64_t owner;
};

/* The same, appended to the columns of a query, only samples within [min_t_ms, max_t_ms]. Times that the column has already
 * are not decoded again. ERR_NO_MEMORY too. */
MUST_CHECK int chunk_column_read(struct slice bytes, const struct chunk_times *times, int64_t first_t_ms,
    int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out, struct err *err);

/* For tools and the codec table: "step", and "decimal, order 1, pack". */
const char *chunk_column_time_mode(struct slice bytes);
void chunk_column_describe(struct slice bytes, struct strbuf *out);
