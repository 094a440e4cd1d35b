#include "tsdb/bit_pack.h"

#include "base/attr.h"
#include "tsdb/by_cpu.h"
#include <string.h>

void bit_pack(const uint64_t *x, size_t n, unsigned width, uint8_t *out)
{
	unsigned __int128 window = 0;
	unsigned used = 0;
	if (width == 64) {
		memcpy(out, x, n * 8);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		window |= (unsigned __int128)x[i] << used;
		for (used += width; used >= 8; used -= 8, window >>= 8)
			*out++ = (uint8_t)window;
	}
	if (used > 0)
		*out = (uint8_t)window;
}

/* Eight numbers are `width` bytes: all shifts are constants once `width` is. The reads go up to 7 bytes beyond them. */
static inline __attribute__((always_inline)) void unpack_eights(
    const uint8_t *p, size_t eights, unsigned width, uint64_t base, uint64_t *x)
{
	uint64_t mask = (UINT64_C(1) << width) - 1;
	for (size_t i = 0; i < eights; i++, p += width, x += 8)
		for (unsigned k = 0; k < 8; k++) {
			uint64_t w;
			memcpy(&w, p + k * width / 8, 8);
			x[k] = base + (w >> (k * width % 8) & mask);
		}
}

BY_CPU static void unpack_width(const uint8_t *p, size_t eights, unsigned width, uint64_t base, uint64_t *x)
{
/* clang-format off */
#define W(n) case n: unpack_eights(p, eights, n, base, x); break;
#define W8(n) W(n) W(n + 1) W(n + 2) W(n + 3) W(n + 4) W(n + 5) W(n + 6) W(n + 7)
	switch (width) {
	W(1) W(2) W(3) W(4) W(5) W(6) W(7) W8(8) W8(16) W8(24) W8(32) W8(40) W8(48) W(56)
	default: break;
	}
#undef W8
#undef W
	/* clang-format on */
}

static uint64_t unpack_one(const uint8_t *bytes, size_t size, size_t bit, unsigned width)
{
	uint64_t x = 0;
	for (unsigned got = 0; got < width; got += 8 - (unsigned)(bit + got) % 8) {
		size_t byte = (bit + got) / 8;
		uint64_t part = byte < size ? (uint64_t)bytes[byte] >> (bit + got) % 8 : 0;
		x |= part << got;
	}
	return width < 64 ? x & ((UINT64_C(1) << width) - 1) : x;
}

void bit_unpack(const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t base, uint64_t *x)
{
	size_t done = 0;
	if (width == 0 || width > 56) {
		for (size_t i = 0; i < n; i++)
			x[i] = base + (width ? unpack_one(bytes, size, i * width, width) : 0);
		return;
	}
	/* The last eights whose reads stay within. */
	if (size >= 8) {
		size_t eights = n / 8, safe = (size - 8) / width;
		eights = eights < safe ? eights : safe;
		unpack_width(bytes, eights, width, base, x);
		done = eights * 8;
	}
	for (size_t i = done; i < n; i++)
		x[i] = base + unpack_one(bytes, size, i * width, width);
}
