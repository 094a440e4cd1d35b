/* Decoding. Layout: tsdb/int_column_priv.h. */
#include "tsdb/int_column.h"

#include "base/by_cpu.h"
#include "base/varint.h"
#include "tsdb/bit_pack.h"
#include "tsdb/int_column_priv.h"
#include "tsdb/rice_code.h"
#include <stdlib.h>
#include <string.h>

/* Codes in x[] become the values. */
BY_CPU static void unfold(uint64_t *x, size_t n, uint64_t base)
{
	for (size_t i = 0; i < n; i++)
		x[i] = base + (uint64_t)unzigzag(x[i]);
}

static bool decode_rice(struct byte_reader *r, size_t n, int64_t base, int64_t *x)
{
	if (!rice_decode(r, n, (uint64_t *)x))
		return false;
	unfold((uint64_t *)x, n, (uint64_t)base);
	return true;
}

static bool decode_packed(struct byte_reader *r, size_t n, int64_t base, unsigned width, int64_t *x)
{
	if (width > 64)
		return false;
	struct slice bytes = read_bytes(r, bit_pack_bytes(n, width));
	if (r->failed)
		return false;
	bit_unpack((const uint8_t *)bytes.ptr, bytes.len, n, width, (uint64_t)base, (uint64_t *)x);
	return true;
}

static bool decode_blocks(struct byte_reader *r, size_t n, int64_t base, int64_t *x)
{
	struct slice widths = read_bytes(r, (n + BLOCK - 1) / BLOCK);
	for (size_t b = 0; b < widths.len; b++) {
		size_t i = b * BLOCK;
		if (!decode_packed(r, n - i < BLOCK ? n - i : BLOCK, base, (uint8_t)widths.ptr[b], x + i))
			return false;
	}
	return !r->failed;
}

static bool decode_flat(struct byte_reader *r, size_t n, int64_t *x);

/* The others are decoded to the end of x[] and move forward to their places: the i-th place is never behind where the
 * value waits, so nothing is overwritten before it was read. */
static bool spread_others(const uint64_t *gaps, size_t m, size_t n, int64_t base, int64_t *x)
{
	size_t at = 0;
	for (size_t k = 0; k < m; k++) {
		if (gaps[k] >= n - at - (m - k - 1))
			return false;
		uint64_t other = (uint64_t)x[n - m + k];
		for (size_t end = at + gaps[k]; at < end; at++)
			x[at] = base;
		x[at++] = (int64_t)(other + (uint64_t)base);
	}
	while (at < n)
		x[at++] = base;
	return true;
}

static bool decode_sparse(struct byte_reader *r, size_t n, int64_t base, int64_t *x)
{
	uint64_t m = read_varint(r);
	if (r->failed || m == 0 || m > n)
		return false;
	uint64_t *gaps = malloc(m * sizeof(*gaps));
	bool ok = gaps && rice_decode(r, m, gaps) && decode_flat(r, m, x + n - m) &&
		  spread_others(gaps, m, n, base, x);
	free(gaps);
	return ok;
}

static uint64_t bits_of(const uint8_t *bytes, size_t n)
{
	uint64_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += (uint64_t)__builtin_popcount(bytes[i]);
	return count;
}

static bool decode_bitmap(struct byte_reader *r, size_t n, int64_t base, int64_t *x)
{
	uint64_t m = read_varint(r);
	struct slice bits = read_bytes(r, (n + 7) / 8);
	const uint8_t *bytes = (const uint8_t *)bits.ptr;
	if (r->failed || m == 0 || m > n || bits_of(bytes, bits.len) != m)
		return false;
	if (n % 8 && bytes[bits.len - 1] >> (n % 8))
		return false;
	if (!decode_flat(r, m, x + n - m))
		return false;
	/* Without branches: which samples have changed is as good as random. Behind the last other its index stays. */
	const int64_t *others = x + n - m;
	uint64_t k = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t set = bytes[i >> 3] >> (i & 7) & 1;
		uint64_t other = (uint64_t)others[k < m ? k : m - 1];
		x[i] = (int64_t)((uint64_t)base + (other & -set));
		k += set;
	}
	return true;
}

static bool decode_flat_kind(struct byte_reader *r, uint8_t kind, size_t n, int64_t base, int64_t *x)
{
	switch (kind) {
	case KIND_SAME:
		for (size_t i = 0; i < n; i++)
			x[i] = base;
		return true;
	case KIND_PACK:
		return decode_packed(r, n, base, read_u8(r), x);
	case KIND_BLOCKS:
		return decode_blocks(r, n, base, x);
	case KIND_RICE:
		return decode_rice(r, n, base, x);
	default:
		return false;
	}
}

static bool decode_flat(struct byte_reader *r, size_t n, int64_t *x)
{
	uint8_t kind = read_u8(r);
	int64_t base = unzigzag(read_varint(r));
	return !r->failed && decode_flat_kind(r, kind, n, base, x) && !r->failed;
}

bool int_column_decode_kind(struct byte_reader *r, uint8_t kind, size_t n, int64_t base, int64_t *x)
{
	return kind == KIND_SPARSE   ? decode_sparse(r, n, base, x)
	       : kind == KIND_BITMAP ? decode_bitmap(r, n, base, x)
				     : decode_flat_kind(r, kind, n, base, x);
}

bool int_column_decode(struct byte_reader *r, size_t n, int64_t *x)
{
	uint8_t kind = read_u8(r);
	int64_t base = unzigzag(read_varint(r));
	return !r->failed && int_column_decode_kind(r, kind, n, base, x) && !r->failed;
}
