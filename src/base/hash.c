#include "base/hash.h"

#include <xxhash.h>

uint64_t hash64(const void *bytes, size_t n)
{
	return XXH3_64bits(bytes, n);
}

uint64_t hash64_seed(const void *bytes, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, n, seed);
}

struct hash128 hash128(const void *bytes, size_t n, uint64_t seed)
{
	XXH128_hash_t h = XXH3_128bits_withSeed(bytes, n, seed);
	return (struct hash128){.lo = h.low64, .hi = h.high64};
}

uint64_t hash_xxh64(const void *bytes, size_t n)
{
	return XXH64(bytes, n, 0);
}
