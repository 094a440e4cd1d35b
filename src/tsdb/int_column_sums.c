/* Columns of differences, summed up while they are unpacked: what most chunks of counters and gauges are. Packed numbers go
 * through the kernels, and what is not wanted at the beginning is only added up. Where a value changes only now and then the
 * few values are computed first, and then spread over the samples. Everything else is decoded as it is, and summed up. */
#include "tsdb/int_column.h"

#include "base/by_cpu.h"
#include "base/varint.h"
#include "tsdb/bit_pack.h"
#include "tsdb/column_kernels.h"
#include "tsdb/int_column_priv.h"
#include "tsdb/rice_code.h"
#include <string.h>

enum { MAX_CHANGES = 1024 }; /* that are computed apart: their values have to be somewhere */

/* Where sums go, and what they begin with. */
struct summation {
	const struct column_kernels *kernels;
	struct kernel_sums sums;
	bool to_doubles; /* in the kernel itself */
	uint64_t *x;     /* the next one */
};

/* Sums of whole groups; the numbers of `size` bytes, no more than that is read but `slack` says. */
static void sum_groups(struct summation *s, const uint8_t *p, size_t groups)
{
	if (s->to_doubles)
		s->kernels->sums_to_doubles(&s->sums, p, groups, (double *)s->x);
	else
		s->kernels->sums(&s->sums, p, groups, s->x);
	s->x += groups * KERNEL_GROUP;
}

/* The groups whose reading stays within `size` bytes. */
static size_t safe_groups(size_t size, size_t n, unsigned width)
{
	size_t groups = n / KERNEL_GROUP;
	if (width == 0 || size < KERNEL_SLACK)
		return 0;
	size_t safe = (size - KERNEL_SLACK) / width + 1;
	return groups < safe ? groups : safe;
}

/* Numbers that lie too near the end of their bytes, from a copy with room behind it; less than KERNEL_SLACK + width bytes. */
static void sum_rest(struct summation *s, const uint8_t *p, size_t size, size_t n)
{
	uint8_t copy[3 * KERNEL_SLACK] = {0};
	uint64_t last[KERNEL_GROUP];
	size_t groups = n / KERNEL_GROUP, left = n % KERNEL_GROUP;
	memcpy(copy, p, size);
	sum_groups(s, copy, groups);
	if (left == 0)
		return;
	uint64_t *x = s->x;
	s->x = last;
	sum_groups(s, copy + groups * s->sums.width, 1);
	memcpy(x, last, left * sizeof(*x));
	s->x = x + left;
}

/* What n numbers of this width are summed up to. */
static void sum_packed(struct summation *s, const uint8_t *p, size_t n, unsigned width)
{
	size_t size = bit_pack_bytes(n, width), groups = safe_groups(size, n, width);
	s->sums.width = width;
	sum_groups(s, p, groups);
	sum_rest(s, p + groups * width, size - groups * width, n - groups * KERNEL_GROUP);
}

/* The same, when only the last sum is wanted; n is a multiple of a group. */
static void skip_packed(struct summation *s, const uint8_t *p, size_t n, size_t size, unsigned width)
{
	size_t groups = safe_groups(size, n, width);
	uint64_t total = s->kernels->total(p, groups, width);
	uint8_t copy[3 * KERNEL_SLACK] = {0};
	size_t rest = n / KERNEL_GROUP - groups;
	memcpy(copy, p + groups * width, rest * width);
	total += s->kernels->total(copy, rest, width);
	s->sums.carry += s->sums.step * n + s->sums.factor * total;
}

/* --- packed columns ----------------------------------------------------------------------------------------------- */

/* A column of kind PACK or BLOCKS. */
struct packed {
	const uint8_t *widths; /* of the blocks */
	size_t block;          /* numbers a block; the last may have fewer */
	size_t n;
	const uint8_t *bytes;
	size_t size;
	unsigned widest;
};

static size_t block_numbers(const struct packed *p, size_t b)
{
	size_t left = p->n - b * p->block;
	return left < p->block ? left : p->block;
}

/* False: torn. */
static bool open_packed(struct byte_reader *r, uint8_t kind, size_t n, struct packed *p)
{
	*p = (struct packed){.n = n, .block = kind == KIND_PACK ? n : BLOCK};
	size_t blocks = (n + p->block - 1) / p->block;
	p->widths = (const uint8_t *)read_bytes(r, blocks).ptr;
	for (size_t b = 0; !r->failed && b < blocks; b++) {
		if (p->widths[b] > 64)
			return false;
		p->widest = p->widths[b] > p->widest ? p->widths[b] : p->widest;
		p->size += bit_pack_bytes(block_numbers(p, b), p->widths[b]);
	}
	p->bytes = (const uint8_t *)read_bytes(r, p->size).ptr;
	return !r->failed;
}

/* The sums of numbers from .. to - 1 of the column; `from` is a multiple of a group. */
static void sum_blocks(struct summation *s, const struct packed *p, size_t from, size_t to)
{
	const uint8_t *at = p->bytes;
	for (size_t b = 0; b * p->block < to; b++) {
		size_t begin = b * p->block, n = block_numbers(p, b), size = bit_pack_bytes(n, p->widths[b]);
		size_t skipped = from > begin ? (from - begin < n ? from - begin : n) : 0;
		size_t wanted = (to - begin < n ? to - begin : n) - skipped;
		skip_packed(s, at, skipped, size, p->widths[b]);
		if (wanted > 0)
			sum_packed(s, at + skipped * p->widths[b] / 8, wanted, p->widths[b]);
		at += size;
	}
}

/* Whether doubles can be had in one pass: no sum leaves +-2^50. */
static bool stays_small(const struct int_sums *sums, int64_t base, const struct packed *p)
{
	double base_size = base < 0 ? -(double)base : (double)base,
	       first = sums->first < 0 ? -(double)sums->first : (double)sums->first;
	double step = (base_size + (double)(UINT64_C(1) << p->widest)) * (double)sums->factor;
	return first + step * (double)p->n < 1e15; /* 2^50 is 1.1e15: room for rounding */
}

static void integers_to_doubles(const struct int_sums *sums, size_t n, uint64_t *x)
{
	if (sums->power > 0)
		column_kernels()->to_doubles(x, n, sums->power);
}

/* Sums from the `from`-th on, or some before it, up to `to`. Returns which is the first in x[]. */
static size_t sums_of_packed(
    const struct int_sums *sums, int64_t base, const struct packed *p, size_t from, size_t to, uint64_t *x)
{
	/* Sum i is over the numbers before the i-th; the 0-th stands alone. */
	size_t skipped = from > 0 ? (from - 1) / KERNEL_GROUP * KERNEL_GROUP : 0,
	       begin = from > 0 ? skipped + 1 : 0;
	struct summation s = {.kernels = column_kernels(),
	    .sums = {.step = sums->factor * (uint64_t)base,
		.factor = (uint32_t)sums->factor,
		.carry = (uint64_t)sums->first,
		.power = sums->power},
	    .to_doubles = sums->power > 0 && stays_small(sums, base, p),
	    .x = x};
	if (begin == 0)
		*s.x++ = (uint64_t)sums->first;
	if (to > skipped + 1)
		sum_blocks(&s, p, skipped, to - 1);
	if (!s.to_doubles)
		integers_to_doubles(sums, to - begin, x);
	else if (begin == 0)
		integers_to_doubles(sums, 1, x);
	return begin;
}

/* --- few changes -------------------------------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) void fill(uint64_t *x, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++)
		x[i] = value;
}

/* x[] is values[k] behind the k-th change; the gaps between changes are at the end of x[]: run k ends in front of gap k. */
BY_CPU static bool spread_by_gaps(const uint64_t *values, size_t changes, size_t n, uint64_t *x)
{
	const uint64_t *gaps = x + n - changes;
	size_t at = 0;
	for (size_t k = 0; k < changes; k++) {
		uint64_t gap = gaps[k];
		/* One sample stands in front of the column, and each change still to come takes one. */
		if (gap >= n - at - (changes - k))
			return false;
		fill(x + at, gap + 1, values[k]);
		at += gap + 1;
	}
	fill(x + at, n - at, values[changes]);
	return true;
}

BY_CPU static size_t ones_of(const uint8_t *bits, size_t n)
{
	size_t ones = 0;
	for (size_t i = 0; i < (n + 7) / 8; i++)
		ones += (size_t)__builtin_popcount(bits[i]);
	return ones;
}

static bool spread_by_bits(struct slice bits, const uint64_t *values, size_t changes, size_t n, uint64_t *x)
{
	const uint8_t *bytes = (const uint8_t *)bits.ptr;
	if (ones_of(bytes, n - 1) != changes || ((n - 1) % 8 && bytes[bits.len - 1] >> (n - 1) % 8))
		return false;
	x[0] = values[0];
	column_kernels()->expand(bytes, n - 1, values, changes, x + 1);
	return true;
}

/* A column of kind SPARSE or BITMAP of base 0, and not too many changes. */
static bool sums_of_changes(
    struct byte_reader *r, uint8_t kind, size_t changes, size_t n, const struct int_sums *sums, uint64_t *x)
{
	uint64_t values[MAX_CHANGES + 1];
	struct slice bits = SL_EMPTY;
	size_t begin;
	if (kind == KIND_BITMAP)
		bits = read_bytes(r, (n - 1 + 7) / 8);
	else if (!rice_decode(r, changes, x + n - changes))
		return false;
	if (r->failed || !int_column_sums(r, changes + 1, sums, 0, changes + 1, values, &begin))
		return false;
	return kind == KIND_SPARSE ? spread_by_gaps(values, changes, n, x)
				   : spread_by_bits(bits, values, changes, n, x);
}

/* --- any column --------------------------------------------------------------------------------------------------- */

BY_CPU static void sum_up(uint64_t *x, size_t n, uint64_t factor)
{
	uint64_t sum = x[0];
	for (size_t i = 1; i < n; i++)
		x[i] = sum += factor * x[i];
}

static bool sums_of_any(
    struct byte_reader *r, uint8_t kind, int64_t base, size_t n, const struct int_sums *sums, uint64_t *x)
{
	x[0] = (uint64_t)sums->first;
	if (!int_column_decode_kind(r, kind, n - 1, base, (int64_t *)x + 1))
		return false;
	sum_up(x, n, sums->factor);
	integers_to_doubles(sums, n, x);
	return true;
}

/* The numbers may be too wide for the kernels; then they are unpacked first. */
static bool sums_of_packed_kind(struct byte_reader *r, uint8_t kind, int64_t base, size_t n,
    const struct int_sums *sums, size_t from, size_t to, uint64_t *x, size_t *begin)
{
	struct byte_reader again = *r;
	struct packed p;
	if (!open_packed(r, kind, n - 1, &p))
		return false;
	if (p.widest > KERNEL_MAX_WIDTH || sums->factor > UINT32_MAX) {
		*r = again;
		*begin = 0;
		return sums_of_any(r, kind, base, n, sums, x);
	}
	*begin = sums_of_packed(sums, base, &p, from, to, x);
	return true;
}

bool int_column_sums(struct byte_reader *r, size_t n, const struct int_sums *sums, size_t from, size_t to,
    uint64_t *x, size_t *begin)
{
	uint8_t kind = read_u8(r);
	int64_t base = unzigzag(read_varint(r));
	if (r->failed)
		return false;
	if (kind == KIND_PACK || kind == KIND_BLOCKS)
		return sums_of_packed_kind(r, kind, base, n, sums, from, to, x, begin);
	*begin = 0;
	if ((kind == KIND_SPARSE || kind == KIND_BITMAP) && base == 0) {
		struct byte_reader again = *r;
		uint64_t changes = read_varint(r);
		if (changes > 0 && changes < n && changes <= MAX_CHANGES)
			return sums_of_changes(r, kind, changes, n, sums, x) && !r->failed;
		*r = again;
	}
	return sums_of_any(r, kind, base, n, sums, x) && !r->failed;
}
