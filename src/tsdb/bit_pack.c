#include "tsdb/bit_pack.h"

#include "base/attr.h"
#include "base/by_cpu.h"
#include "tsdb/column_kernels.h"
#include <string.h>

/* Numbers gather in a word, which is written when it is full. */
void bit_pack(const uint64_t *x, size_t n, unsigned width, uint8_t *out)
{
	uint64_t window = 0;
	unsigned used = 0;
	if (width == 64) {
		memcpy(out, x, n * 8);
		return;
	}
	for (size_t i = 0; width > 0 && i < n; i++) {
		window |= x[i] << used;
		used += width;
		if (used < 64)
			continue;
		memcpy(out, &window, 8);
		out += 8;
		used -= 64;
		window = used ? x[i] >> (width - used) : 0;
	}
	memcpy(out, &window, (used + 7) / 8);
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
	W(26) W(27) W(28) W(29) W(30) W(31) W8(32) W8(40) W8(48) W(56)
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

/* Through the kernels; what lies too near the end from a copy with room behind it. */
static void unpack_narrow(const uint8_t *p, size_t size, size_t n, unsigned width, uint64_t base, uint64_t *x)
{
	const struct column_kernels *kernels = column_kernels();
	uint8_t copy[3 * KERNEL_SLACK] = {0};
	uint64_t last[KERNEL_GROUP];
	size_t groups = n / KERNEL_GROUP, safe = size < KERNEL_SLACK ? 0 : (size - KERNEL_SLACK) / width + 1;
	groups = groups < safe ? groups : safe;
	kernels->unpack(p, groups, width, base, x);
	n -= groups * KERNEL_GROUP;
	x += groups * KERNEL_GROUP;
	memcpy(copy, p + groups * width, bit_pack_bytes(n, width));
	kernels->unpack(copy, n / KERNEL_GROUP, width, base, x);
	if (n % KERNEL_GROUP == 0)
		return;
	kernels->unpack(copy + n / KERNEL_GROUP * width, 1, width, base, last);
	memcpy(x + n / KERNEL_GROUP * KERNEL_GROUP, last, n % KERNEL_GROUP * sizeof(*x));
}

void bit_unpack(const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t base, uint64_t *x)
{
	size_t done = 0;
	if (width == 0) {
		for (size_t i = 0; i < n; i++)
			x[i] = base;
		return;
	}
	if (width <= KERNEL_MAX_WIDTH) {
		unpack_narrow(bytes, size, n, width, base, x);
		return;
	}
	/* The last eights whose reads stay within. */
	if (width <= 56 && size >= 8) {
		size_t eights = n / 8, safe = (size - 8) / width;
		eights = eights < safe ? eights : safe;
		unpack_width(bytes, eights, width, base, x);
		done = eights * 8;
	}
	for (size_t i = done; i < n; i++)
		x[i] = base + unpack_one(bytes, size, i * width, width);
}
