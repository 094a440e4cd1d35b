/* A column of 64-bit integers in few bytes: what times and values of a sealed chunk become. The encoder weighs
 *
 *   SAME    all equal
 *   PACK    differences to the minimum, all in one width
 *   BLOCKS  the same, a width for every 64
 *   SPARSE  one value nearly everywhere: gaps between the others, and a column of those
 *   BITMAP  one value mostly: a bit each, and a column of the others
 *   RICE    Golomb-Rice code around the mean, where it saves enough to be worth its slower decoding
 *
 * and takes the smallest. docs/formats/chunk_column.md has the bytes. Stateless; thread-safe. */
#pragma once

#include "base/attr.h"
#include "base/byte_reader.h"
#include "base/strbuf.h"
#include <stddef.h>
#include <stdint.h>

enum { INT_COLUMN_MAX = 4096 };

/* What encoding would cost, and how. */
struct int_column_plan {
	size_t bytes;
	int64_t base;
	uint8_t kind;
	uint8_t width;   /* PACK: bits; RICE and SPARSE: bits of the remainder */
	uint32_t others; /* SPARSE, BITMAP: values unlike base */
	uint64_t spread; /* how far the values are from their mean, summed up */
};

/* n is 1..INT_COLUMN_MAX. A column whose values are further apart than those of `rival` (NULL: there is none), without one that
 * most of them have, is not looked at closely: bytes SIZE_MAX. */
void int_column_plan(
    const int64_t *x, size_t n, const struct int_column_plan *rival, struct int_column_plan *plan);
void int_column_encode(const int64_t *x, size_t n, const struct int_column_plan *plan, struct strbuf *out);

/* n values into x[]. False: not that format, or bytes missing. */
MUST_CHECK bool int_column_decode(struct byte_reader *r, size_t n, int64_t *x);

/* Sums of a column: x[0] = first, x[i] = x[i - 1] + factor * (value i - 1 of the column), modulo 2^64. */
struct int_sums {
	int64_t first;
	uint64_t factor;
	double power; /* x as doubles, divided by this; 0: x as integers */
};

/* n sums (at least 2) of a column of n - 1 values, those from .. to - 1 at least: x[], which has room for n, begins with the
 * one that *begin says, not behind `from`. Integers or doubles, 64 bits each. False: not that format, or bytes missing. */
MUST_CHECK bool int_column_sums(struct byte_reader *r, size_t n, const struct int_sums *sums, size_t from,
    size_t to, uint64_t *x, size_t *begin);

/* "pack", "sparse", ... of the first byte. */
const char *int_column_kind_name(uint8_t kind);
