/* What encoder and decoder of sealed chunks share.
 *
 *   byte    version << 4 | time mode
 *   byte    value mode | order << 4 | CHUNK_HAS_FACTOR | CHUNK_HAS_EXCEPTIONS
 *   varint  samples (n)
 *   times   STEP: varint step (only when n > 1) | DELTAS: column of n - 1 steps | GRID: varint step, column of n - 1
 *           differences to first + i * step | SHARED: varint number of a time column of the part, which is
 *           varint n, byte mode (one of the others), and as above
 *   values  SAME_BITS: 8 bytes | SAME_DECIMAL: byte exponent, zigzag varint integer
 *           DECIMAL: byte exponent, then integers | BITS: integers (doubles in an order-preserving guise) |
 *           NEAR: byte exponent, integers, byte order << 4 | CHUNK_HAS_FACTOR, integers: decimals, and how many doubles
 *           each value lies beside its decimal (sums of decimals are such)
 *   integers  zigzag varint first, [varint factor], [order 2: zigzag varint slope], column of the rest, where
 *           integer[i] = first + factor * y[i], and the column has y (order 0), its differences (1), theirs (2)
 *   exceptions  varint m, m times: varint places since the last one, 8 bytes value
 */
#pragma once

#include "base/byte_reader.h"
#include "base/strbuf.h"
#include <stddef.h>
#include <stdint.h>

enum { CHUNK_COLUMN_VERSION = 2 };
enum time_mode { TIME_STEP, TIME_DELTAS, TIME_GRID, TIME_SHARED, TIME_MODES };
enum value_mode { VALUE_SAME_BITS, VALUE_SAME_DECIMAL, VALUE_DECIMAL, VALUE_BITS, VALUE_NEAR, VALUE_MODES };
enum { CHUNK_ORDER_SHIFT = 4, CHUNK_HAS_FACTOR = 0x40, CHUNK_HAS_EXCEPTIONS = 0x80 };
enum { DECIMAL_MAX_EXPONENT = 14 };

static inline double decimal_power(unsigned exponent)
{
	static const double power[] = {
	    1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
	return power[exponent];
}

static inline void add_u64(struct strbuf *out, uint64_t x)
{
	for (unsigned i = 0; i < 8; i++)
		strbuf_addch(out, (char)(x >> (8 * i)));
}

/* Doubles as integers in the same order (NaNs at the ends), and back: it is its own inverse. */
static inline int64_t ordered_bits(int64_t x)
{
	return x ^ (int64_t)((uint64_t)(x >> 63) >> 1);
}

/* The integer nearest to v * 10^exponent; false when that is no number below 2^53. (chunk_column.c) */
bool nearest_integer(double v, unsigned exponent, int64_t *m);
/* The integer m with m / 10^exponent == v, bit for bit; false: there is none. (chunk_column.c) */
bool decimal_of(double v, unsigned exponent, int64_t *m);

/* The mode; what belongs to it goes to `out`. `x` and `y` are scratch for n integers each. (chunk_column.c) */
enum time_mode encode_times(const int64_t *t, size_t n, int64_t *x, int64_t *y, struct strbuf *out);
/* n times from `first` on; false: torn, or they do not ascend. Not for SHARED. (chunk_column_read.c) */
bool decode_times(struct byte_reader *r, enum time_mode mode, size_t n, int64_t first, int64_t *t);
/* n doubles; `mode` is the mode byte. False: torn or unknown. (chunk_column_read.c) */
bool decode_values(struct byte_reader *r, uint8_t mode, size_t n, double *v);
