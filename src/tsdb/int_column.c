/* Encoding: every kind is priced, the cheapest is written. Layout: tsdb/int_column_priv.h. */
#include "tsdb/int_column.h"

#include "base/by_cpu.h"
#include "base/varint.h"
#include "base/xmalloc.h"
#include "tsdb/bit_pack.h"
#include "tsdb/int_column_priv.h"
#include "tsdb/rice_code.h"
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[KINDS] = {"same", "pack", "blocks", "sparse", "bitmap", "rice"};

const char *int_column_kind_name(uint8_t kind)
{
	return kind < KINDS ? kind_names[kind] : "unknown";
}

/* Differences are taken in unsigned arithmetic: they wrap, and wrap back. */
static uint64_t diff(int64_t x, int64_t base)
{
	return (uint64_t)x - (uint64_t)base;
}

/* --- planning --------------------------------------------------------------------------------------------------- */

struct column_stats {
	int64_t min, max, mean;
	int64_t common;  /* the value of the majority, if there is one */
	uint32_t others; /* values unlike it */
	uint64_t spread; /* distances from the mean, summed up; UINT64_MAX: very far */
};

/* The only value that can be in more than half of x, by letting unlike ones cancel each other out. */
static int64_t majority(const int64_t *x, size_t n)
{
	int64_t candidate = x[0];
	size_t votes = 0;
	for (size_t i = 0; i < n; i++) {
		bool same = x[i] == candidate;
		candidate = votes ? candidate : x[i];
		votes = votes ? (same ? votes + 1 : votes - 1) : 1;
	}
	return candidate;
}

BY_CPU static void find_ends(const int64_t *x, size_t n, int64_t *min, int64_t *max)
{
	int64_t lo = x[0], hi = x[0];
	for (size_t i = 1; i < n; i++) {
		lo = x[i] < lo ? x[i] : lo;
		hi = x[i] > hi ? x[i] : hi;
	}
	*min = lo;
	*max = hi;
}

BY_CPU static uint64_t sum_above(const int64_t *x, size_t n, int64_t base)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += diff(x[i], base);
	return sum;
}

BY_CPU static uint32_t count_unlike(const int64_t *x, size_t n, int64_t value)
{
	uint64_t unlike = 0;
	for (size_t i = 0; i < n; i++)
		unlike += x[i] != value;
	return (uint32_t)unlike;
}

BY_CPU static uint64_t sum_distances(const int64_t *x, size_t n, int64_t mean)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t d = (int64_t)diff(x[i], mean);
		sum += d < 0 ? -(uint64_t)d : (uint64_t)d;
	}
	return sum;
}

static void take_stats(const int64_t *x, size_t n, struct column_stats *s)
{
	find_ends(x, n, &s->min, &s->max);
	/* A sum that wraps gives a base as good as any: codes of such numbers are not chosen. */
	s->mean = (int64_t)((uint64_t)s->min + sum_above(x, n, s->min) / n);
	/* Distances of numbers of 52 bits do not wrap. */
	s->spread = diff(s->max, s->min) >> 52 ? UINT64_MAX : sum_distances(x, n, s->mean);
	s->common = majority(x, n);
	s->others = count_unlike(x, n, s->common);
}

static void consider(struct int_column_plan *plan, enum int_column_kind kind, int64_t base, size_t body_bytes,
    unsigned width, uint32_t others)
{
	size_t bytes = 1 + varint_size(zigzag(base)) + body_bytes;
	/* A slower kind has to earn it; many gaps are slower to read than bits. */
	size_t price = kind == KIND_RICE     ? bytes + bytes / 16
		       : kind == KIND_SPARSE ? bytes + others / 12
					     : bytes;
	if (price >= plan->bytes)
		return;
	*plan = (struct int_column_plan){bytes, base, (uint8_t)kind, (uint8_t)width, others, plan->spread};
}

static size_t blocks_bytes(const int64_t *x, size_t n, int64_t base)
{
	size_t bytes = (n + BLOCK - 1) / BLOCK;
	for (size_t i = 0; i < n; i += BLOCK) {
		size_t m = n - i < BLOCK ? n - i : BLOCK;
		uint64_t all = 0;
		for (size_t k = 0; k < m; k++)
			all |= diff(x[i + k], base);
		bytes += bit_pack_bytes(m, bit_pack_width(all));
	}
	return bytes;
}

/* The column's numbers as they are coded: small when near the base. The caller frees. */
static uint64_t *folded(const int64_t *x, size_t n, int64_t base)
{
	uint64_t *u = xreallocarray(NULL, n, sizeof(*u));
	for (size_t i = 0; i < n; i++)
		u[i] = zigzag((int64_t)diff(x[i], base));
	return u;
}

/* Distances between others: the first counts from in front of the column. The caller frees. */
static uint64_t *gaps_between(const int64_t *x, size_t n, int64_t common, size_t others)
{
	uint64_t *gaps = xreallocarray(NULL, others, sizeof(*gaps));
	for (size_t i = 0, k = 0, before = 0; i < n; i++)
		if (x[i] != common) {
			gaps[k++] = i - before;
			before = i + 1;
		}
	return gaps;
}

/* Takes the numbers. */
static size_t price_codes(uint64_t *u, size_t n, unsigned *width)
{
	size_t bytes = rice_plan(u, n, width);
	free(u);
	return bytes;
}

static void write_codes(uint64_t *u, size_t n, unsigned width, struct strbuf *out)
{
	rice_encode(u, n, width, out);
	free(u);
}

static size_t pick_others(const int64_t *x, size_t n, int64_t common, int64_t *out)
{
	size_t m = 0;
	for (size_t i = 0; i < n; i++) {
		out[m] = (int64_t)diff(x[i], common);
		m += x[i] != common;
	}
	return m;
}

static void plan_flat(const int64_t *x, size_t n, const struct column_stats *s, struct int_column_plan *plan)
{
	*plan = (struct int_column_plan){.bytes = SIZE_MAX, .spread = s->spread};
	if (s->min == s->max) {
		consider(plan, KIND_SAME, s->min, 0, 0, 0);
		return;
	}
	unsigned width = bit_pack_width(diff(s->max, s->min));
	consider(plan, KIND_PACK, s->min, 1 + bit_pack_bytes(n, width), width, 0);
	if (n > BLOCK)
		consider(plan, KIND_BLOCKS, s->min, blocks_bytes(x, n, s->min), 0, 0);
	size_t rice = price_codes(folded(x, n, s->mean), n, &width);
	consider(plan, KIND_RICE, s->mean, rice, width, 0);
}

/* The bytes of the others' column. */
static size_t others_bytes(const int64_t *x, size_t n, const struct column_stats *s)
{
	int64_t others[INT_COLUMN_MAX / 4];
	struct column_stats inner;
	struct int_column_plan plan;
	if (s->others > ARRAY_LEN(others))
		return SIZE_MAX / 2;
	size_t m = 0;
	for (size_t i = 0; i < n; i++)
		if (x[i] != s->common)
			others[m++] = (int64_t)diff(x[i], s->common);
	take_stats(others, m, &inner);
	plan_flat(others, m, &inner, &plan);
	return plan.bytes;
}

void int_column_plan(
    const int64_t *x, size_t n, const struct int_column_plan *rival, struct int_column_plan *plan)
{
	struct column_stats s;
	take_stats(x, n, &s);
	*plan = (struct int_column_plan){.bytes = SIZE_MAX, .spread = s.spread};
	if (rival && s.others > n / 2 && s.spread > rival->spread &&
	    s.spread - rival->spread > rival->spread / 8)
		return;
	plan_flat(x, n, &s, plan);
	if (plan->kind == KIND_SAME || s.others > n / 2 || s.others > INT_COLUMN_MAX / 4)
		return;
	unsigned width;
	size_t inner = others_bytes(x, n, &s) + varint_size(s.others);
	size_t gaps = price_codes(gaps_between(x, n, s.common, s.others), s.others, &width);
	consider(plan, KIND_BITMAP, s.common, (n + 7) / 8 + inner, 0, s.others);
	consider(plan, KIND_SPARSE, s.common, gaps + inner, width, s.others);
}

/* --- encoding --------------------------------------------------------------------------------------------------- */

static void encode_packed(const int64_t *x, size_t n, int64_t base, unsigned width, struct strbuf *out)
{
	uint64_t u[BLOCK];
	for (size_t i = 0; i < n; i += BLOCK) {
		size_t m = n - i < BLOCK ? n - i : BLOCK, bytes = bit_pack_bytes(m, width);
		uint8_t *to = (uint8_t *)strbuf_reserve(out, bytes);
		if (!to)
			return;
		for (size_t k = 0; k < m; k++)
			u[k] = diff(x[i + k], base);
		bit_pack(u, m, width, to);
		strbuf_advance(out, bytes);
	}
}

static void encode_blocks(const int64_t *x, size_t n, int64_t base, struct strbuf *out)
{
	uint8_t widths[INT_COLUMN_MAX / BLOCK];
	size_t blocks = 0;
	for (size_t i = 0; i < n; i += BLOCK) {
		uint64_t all = 0;
		for (size_t k = i; k < n && k < i + BLOCK; k++)
			all |= diff(x[k], base);
		widths[blocks++] = (uint8_t)bit_pack_width(all);
	}
	strbuf_add(out, widths, blocks);
	for (size_t b = 0; b < blocks; b++) {
		size_t i = b * BLOCK;
		encode_packed(x + i, n - i < BLOCK ? n - i : BLOCK, base, widths[b], out);
	}
}

static void encode_bitmap(const int64_t *x, size_t n, int64_t common, struct strbuf *out)
{
	for (size_t i = 0; i < n; i += 8) {
		unsigned byte = 0;
		for (size_t k = i; k < n && k < i + 8; k++)
			byte |= (unsigned)(x[k] != common) << (k - i);
		strbuf_addch(out, (char)byte);
	}
}

static void encode_others(const int64_t *x, size_t n, int64_t common, struct strbuf *out)
{
	int64_t others[INT_COLUMN_MAX / 4 + 1];
	struct column_stats inner;
	struct int_column_plan plan;
	size_t m = pick_others(x, n, common, others);
	take_stats(others, m, &inner);
	plan_flat(others, m, &inner, &plan);
	int_column_encode(others, m, &plan, out);
}

void int_column_encode(const int64_t *x, size_t n, const struct int_column_plan *plan, struct strbuf *out)
{
	strbuf_addch(out, (char)plan->kind);
	varint_add(out, zigzag(plan->base));
	switch ((enum int_column_kind)plan->kind) {
	case KIND_PACK:
		strbuf_addch(out, (char)plan->width);
		encode_packed(x, n, plan->base, plan->width, out);
		break;
	case KIND_BLOCKS:
		encode_blocks(x, n, plan->base, out);
		break;
	case KIND_SPARSE:
	case KIND_BITMAP:
		varint_add(out, plan->others);
		if (plan->kind == KIND_SPARSE)
			write_codes(
			    gaps_between(x, n, plan->base, plan->others), plan->others, plan->width, out);
		else
			encode_bitmap(x, n, plan->base, out);
		encode_others(x, n, plan->base, out);
		break;
	case KIND_RICE:
		write_codes(folded(x, n, plan->base), n, plan->width, out);
		break;
	case KIND_SAME:
	case KINDS:
		break;
	}
}
