/* Unsigned integers in `width` bits each, lowest bit first, one after the other: 0 to 56 bits, or 64. Loops are plain, one
 * instance per width, so that the compiler turns them into vector code. Stateless; thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The width for numbers whose bits are all within `all`. */
static inline unsigned bit_pack_width(uint64_t all)
{
	unsigned width = all ? 64u - (unsigned)__builtin_clzll(all) : 0;
	return width > 56 ? 64 : width;
}

static inline size_t bit_pack_bytes(size_t n, unsigned width)
{
	return (n * width + 7) / 8;
}

/* Writes bit_pack_bytes(n, width) bytes. */
void bit_pack(const uint64_t *x, size_t n, unsigned width, uint8_t *out);
/* x[i] = base + the i-th number. Reads bytes[0..size) only; size is at least bit_pack_bytes(n, width). `width` is at most
 * 64; 57 to 63 are read as such, though never written. */
void bit_unpack(const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t base, uint64_t *x);
