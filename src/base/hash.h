/* Hashes of bytes: XXH3, 64 and 128 bits, and the classic xxHash64 where a wire format asks for it. Thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash128 {
	uint64_t lo, hi;
};

uint64_t hash64(const void *bytes, size_t n);
uint64_t hash64_seed(const void *bytes, size_t n, uint64_t seed);
struct hash128 hash128(const void *bytes, size_t n, uint64_t seed);
uint64_t hash_xxh64(const void *bytes, size_t n); /* seed 0 */
