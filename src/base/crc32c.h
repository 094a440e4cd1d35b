/* CRC-32C (Castagnoli), by the CPU's instruction where it has one. Thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The checksum of `crc`'s data followed by these bytes; start with 0. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);
/* The table-driven way, for comparison in tests. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t n);
/* Stored checksums are masked, so that a checksum over bytes that hold checksums stays good. */
static inline uint32_t crc32c_mask(uint32_t crc)
{
	return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}
