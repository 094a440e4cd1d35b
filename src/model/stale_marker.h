/* The stale marker: one exact NaN that says "this series ended here". Other NaNs are values. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define STALE_NAN_BITS  UINT64_C(0x7ff0000000000002)
#define NORMAL_NAN_BITS UINT64_C(0x7ff8000000000001)

static inline uint64_t double_bits(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static inline double double_from_bits(uint64_t bits)
{
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static inline bool is_stale(double v)
{
	return double_bits(v) == STALE_NAN_BITS;
}
