/*   byte kind, zigzag varint base, then by kind:
 *   SAME    nothing
 *   PACK    byte width, ceil(n * width / 8) bytes of (x - base), lowest bit first
 *   BLOCKS  a byte width per block of 64, then each block packed from a byte boundary on
 *   SPARSE  varint others (m), byte k, varint length, m Rice codes of (distance - 1), then a column of m (x - base)
 *   BITMAP  varint others, ceil(n / 8) bytes, then a column of the others' (x - base)
 *   RICE    byte k, varint length of the bits in bytes, codes of zigzag(x - base)
 *
 * The column inside SPARSE and BITMAP is PACK, BLOCKS, RICE or SAME: the nesting ends there. Widths 57 to 63 are 64.
 * A Rice code is a quotient in ones, a zero, and k bits; a quotient of RICE_ESCAPE ones is followed by 64 bits instead. */
#include "tsdb/int_column.h"

#include "base/varint.h"
#include "tsdb/bit_pack.h"
#include <string.h>

enum kind { KIND_SAME, KIND_PACK, KIND_BLOCKS, KIND_SPARSE, KIND_BITMAP, KIND_RICE, KINDS };
enum { BLOCK = 64, RICE_ESCAPE = 24 };

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

static uint64_t fold(int64_t x, int64_t base)
{
	return zigzag((int64_t)diff(x, base));
}

/* --- planning --------------------------------------------------------------------------------------------------- */

struct column_stats {
	int64_t min, max, mean;
	int64_t common;  /* the value of the majority, if there is one */
	uint32_t others; /* values unlike it */
};

static int64_t majority(const int64_t *x, size_t n)
{
	int64_t candidate = x[0];
	size_t votes = 0;
	for (size_t i = 0; i < n; i++) {
		if (votes == 0)
			candidate = x[i];
		votes += x[i] == candidate ? 1 : (size_t)-1;
	}
	return candidate;
}

static void take_stats(const int64_t *x, size_t n, struct column_stats *s)
{
	__int128 sum = 0;
	s->min = s->max = x[0];
	for (size_t i = 0; i < n; i++) {
		s->min = x[i] < s->min ? x[i] : s->min;
		s->max = x[i] > s->max ? x[i] : s->max;
		sum += x[i];
	}
	s->mean = (int64_t)(sum / (__int128)n);
	s->common = majority(x, n);
	s->others = 0;
	for (size_t i = 0; i < n; i++)
		s->others += x[i] != s->common;
}

static void consider(struct int_column_plan *plan, enum kind kind, int64_t base, size_t body_bytes,
    unsigned width, uint32_t others)
{
	size_t bytes = 1 + varint_size(zigzag(base)) + body_bytes;
	/* A slower kind has to earn it. */
	size_t price = kind == KIND_RICE ? bytes + bytes / 6 : bytes;
	if (price >= plan->bytes)
		return;
	*plan = (struct int_column_plan){bytes, base, (uint8_t)kind, (uint8_t)width, others};
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

static uint64_t rice_bits(uint64_t u, unsigned k)
{
	uint64_t q = u >> k;
	return q < RICE_ESCAPE ? q + 1 + k : RICE_ESCAPE + 64;
}

/* The best k lies near the logarithm of the mean. */
static unsigned rice_width(uint64_t sum, size_t n)
{
	uint64_t mean = sum / n;
	return mean ? 63 - (unsigned)__builtin_clzll(mean) : 0;
}

static size_t rice_bytes(const int64_t *x, size_t n, int64_t base, unsigned *width)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t u = fold(x[i], base);
		sum += u >> 12 > UINT64_C(1) << 40 ? UINT64_C(1) << 40 : u;
	}
	unsigned k = rice_width(sum, n);
	if (k > 56)
		k = 56;
	uint64_t bits[2] = {0, 0};
	for (size_t i = 0; i < n; i++) {
		uint64_t u = fold(x[i], base);
		bits[0] += rice_bits(u, k);
		bits[1] += rice_bits(u, k + 1);
	}
	*width = bits[1] < bits[0] ? k + 1 : k;
	uint64_t best = bits[1] < bits[0] ? bits[1] : bits[0];
	size_t bytes = (size_t)((best + 7) / 8);
	return bytes + 1 + varint_size(bytes);
}

/* Distances between others: the first counts from in front of the column. */
static size_t gaps_bytes(const int64_t *x, size_t n, const struct column_stats *s, unsigned *width)
{
	unsigned k = rice_width(n - s->others, s->others);
	uint64_t bits = 0;
	for (size_t i = 0, before = 0; i < n; i++)
		if (x[i] != s->common) {
			bits += rice_bits(i - before, k);
			before = i + 1;
		}
	*width = k;
	size_t bytes = (size_t)((bits + 7) / 8);
	return bytes + 1 + varint_size(bytes);
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
	*plan = (struct int_column_plan){.bytes = SIZE_MAX};
	if (s->min == s->max) {
		consider(plan, KIND_SAME, s->min, 0, 0, 0);
		return;
	}
	unsigned width = bit_pack_width(diff(s->max, s->min));
	consider(plan, KIND_PACK, s->min, 1 + bit_pack_bytes(n, width), width, 0);
	if (n > BLOCK)
		consider(plan, KIND_BLOCKS, s->min, blocks_bytes(x, n, s->min), 0, 0);
	size_t rice = rice_bytes(x, n, s->mean, &width);
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

void int_column_plan(const int64_t *x, size_t n, struct int_column_plan *plan)
{
	struct column_stats s;
	take_stats(x, n, &s);
	plan_flat(x, n, &s, plan);
	if (plan->kind == KIND_SAME || s.others > n / 2 || s.others > INT_COLUMN_MAX / 4)
		return;
	unsigned width;
	size_t inner = others_bytes(x, n, &s) + varint_size(s.others);
	size_t gaps = gaps_bytes(x, n, &s, &width);
	consider(plan, KIND_SPARSE, s.common, gaps + inner, width, s.others);
	consider(plan, KIND_BITMAP, s.common, (n + 7) / 8 + inner, 0, s.others);
}

/* --- encoding --------------------------------------------------------------------------------------------------- */

struct bit_writer {
	uint8_t *at;
	uint64_t window;
	unsigned used;
};

static void put(struct bit_writer *w, uint64_t v, unsigned n)
{
	while (n > 0) {
		unsigned room = 8 - w->used, m = n < room ? n : room;
		w->window |= (v & ((1u << m) - 1)) << w->used;
		v >>= m;
		n -= m;
		w->used += m;
		if (w->used == 8) {
			*w->at++ = (uint8_t)w->window;
			w->window = w->used = 0;
		}
	}
}

static void put_rice(struct bit_writer *w, uint64_t u, unsigned k)
{
	uint64_t q = u >> k;
	if (q >= RICE_ESCAPE) {
		put(w, (UINT64_C(1) << RICE_ESCAPE) - 1, RICE_ESCAPE);
		put(w, u, 64);
		return;
	}
	put(w, (UINT64_C(1) << q) - 1, (unsigned)q + 1);
	put(w, u, k);
}

static void put_end(struct bit_writer *w)
{
	if (w->used > 0)
		*w->at++ = (uint8_t)w->window;
}

/* byte k, length, and room for as many bits as the codes take. */
static uint8_t *rice_begin(struct strbuf *out, unsigned k, uint64_t bits, size_t *bytes)
{
	*bytes = (size_t)((bits + 7) / 8);
	strbuf_addch(out, (char)k);
	varint_add(out, *bytes);
	return (uint8_t *)strbuf_reserve(out, *bytes);
}

static void encode_rice(const int64_t *x, size_t n, int64_t base, unsigned k, struct strbuf *out)
{
	uint64_t bits = 0;
	size_t bytes;
	for (size_t i = 0; i < n; i++)
		bits += rice_bits(fold(x[i], base), k);
	struct bit_writer w = {.at = rice_begin(out, k, bits, &bytes)};
	if (!w.at)
		return;
	for (size_t i = 0; i < n; i++)
		put_rice(&w, fold(x[i], base), k);
	put_end(&w);
	strbuf_advance(out, bytes);
}

static void encode_gaps(const int64_t *x, size_t n, int64_t common, unsigned k, struct strbuf *out)
{
	uint64_t bits = 0;
	size_t bytes, before = 0;
	for (size_t i = 0; i < n; i++)
		if (x[i] != common) {
			bits += rice_bits(i - before, k);
			before = i + 1;
		}
	struct bit_writer w = {.at = rice_begin(out, k, bits, &bytes)};
	if (!w.at)
		return;
	before = 0;
	for (size_t i = 0; i < n; i++)
		if (x[i] != common) {
			put_rice(&w, i - before, k);
			before = i + 1;
		}
	put_end(&w);
	strbuf_advance(out, bytes);
}

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
	switch ((enum kind)plan->kind) {
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
			encode_gaps(x, n, plan->base, plan->width, out);
		else
			encode_bitmap(x, n, plan->base, out);
		encode_others(x, n, plan->base, out);
		break;
	case KIND_RICE:
		encode_rice(x, n, plan->base, plan->width, out);
		break;
	case KIND_SAME:
	case KINDS:
		break;
	}
}

/* --- decoding --------------------------------------------------------------------------------------------------- */

struct rice_reader {
	const uint8_t *bytes;
	size_t pos, end; /* in bits */
	unsigned k;
	bool failed;
};

static bool rice_open(struct byte_reader *r, struct rice_reader *rice)
{
	rice->k = read_u8(r);
	struct slice bytes = read_bytes(r, read_varint(r));
	rice->bytes = (const uint8_t *)bytes.ptr;
	rice->pos = 0;
	rice->end = bytes.len * 8;
	rice->failed = false;
	return !r->failed && rice->k < 64;
}

/* At least 57 bits from the position on, zeros behind the end. */
static uint64_t rice_peek(const struct rice_reader *r)
{
	size_t byte = r->pos >> 3, size = r->end >> 3;
	uint64_t x = 0;
	if (likely(byte + 8 <= size))
		memcpy(&x, r->bytes + byte, 8);
	else if (byte < size)
		memcpy(&x, r->bytes + byte, size - byte);
	return x >> (r->pos & 7);
}

static uint64_t rice_bits_at(struct rice_reader *r, unsigned n)
{
	uint64_t low = n > 32 ? rice_bits_at(r, 32) : 0;
	unsigned m = n > 32 ? n - 32 : n;
	uint64_t x = rice_peek(r) & ((UINT64_C(1) << m) - 1);
	r->pos += m;
	return n > 32 ? x << 32 | low : x;
}

static uint64_t rice_next(struct rice_reader *r)
{
	uint64_t window = rice_peek(r);
	unsigned q = (unsigned)__builtin_ctzll(~window | UINT64_C(1) << RICE_ESCAPE);
	if (unlikely(q >= RICE_ESCAPE)) {
		r->pos += RICE_ESCAPE;
		uint64_t x = rice_bits_at(r, 64);
		r->failed |= r->pos > r->end;
		return x;
	}
	uint64_t low;
	if (likely(q + 1 + r->k <= 57)) {
		low = window >> (q + 1) & ((UINT64_C(1) << r->k) - 1);
		r->pos += q + 1 + r->k;
	} else {
		r->pos += q + 1;
		low = rice_bits_at(r, r->k);
	}
	r->failed |= r->pos > r->end;
	return (uint64_t)q << r->k | low;
}

static bool decode_rice(struct byte_reader *r, size_t n, int64_t base, int64_t *x)
{
	struct rice_reader rice;
	if (!rice_open(r, &rice))
		return false;
	for (size_t i = 0; i < n; i++)
		x[i] = (int64_t)((uint64_t)base + (uint64_t)unzigzag(rice_next(&rice)));
	return !rice.failed;
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
static bool decode_sparse(struct byte_reader *r, size_t n, int64_t base, int64_t *x)
{
	uint64_t m = read_varint(r);
	struct rice_reader gaps;
	if (m == 0 || m > n || !rice_open(r, &gaps) || !decode_flat(r, m, x + n - m))
		return false;
	size_t at = 0;
	for (size_t k = 0; k < m; k++) {
		uint64_t gap = rice_next(&gaps);
		if (gap >= n - at - (m - k - 1))
			return false;
		uint64_t other = (uint64_t)x[n - m + k];
		for (size_t end = at + gap; at < end; at++)
			x[at] = base;
		x[at++] = (int64_t)(other + (uint64_t)base);
	}
	while (at < n)
		x[at++] = base;
	return !gaps.failed;
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

static bool decode_kind(struct byte_reader *r, uint8_t kind, size_t n, int64_t base, int64_t *x)
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
	return !r->failed && decode_kind(r, kind, n, base, x) && !r->failed;
}

bool int_column_decode(struct byte_reader *r, size_t n, int64_t *x)
{
	uint8_t kind = read_u8(r);
	int64_t base = unzigzag(read_varint(r));
	if (r->failed)
		return false;
	bool ok = kind == KIND_SPARSE   ? decode_sparse(r, n, base, x)
		  : kind == KIND_BITMAP ? decode_bitmap(r, n, base, x)
					: decode_kind(r, kind, n, base, x);
	return ok && !r->failed;
}
