#include "tsdb/rice_code.h"

#include "base/by_cpu.h"
#include "base/varint.h"
#include "tsdb/bit_pack.h"
#include "tsdb/column_kernels.h"

enum { BLOCK = 64, BATCH_BYTES = 128 };

/* --- encoding ----------------------------------------------------------------------------------------------------- */

struct rice_size {
	uint64_t quotient_bits, escape_bytes;
};

/* Bits of the quotients, and how many numbers are too large for one. */
BY_CPU static uint64_t quotients_with(const uint64_t *u, size_t n, unsigned k, uint64_t *escapes)
{
	uint64_t bits = n, too_large = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t q = u[i] >> k, escape = q >= RICE_ESCAPE;
		bits += escape ? RICE_ESCAPE : q;
		too_large += escape;
	}
	*escapes = too_large;
	return bits;
}

static struct rice_size size_with(const uint64_t *u, size_t n, unsigned k)
{
	uint64_t escapes;
	struct rice_size s = {.quotient_bits = quotients_with(u, n, k, &escapes)};
	for (size_t i = 0; escapes > 0 && i < n; i++)
		s.escape_bytes += u[i] >> k < RICE_ESCAPE ? 0 : varint_size(u[i]);
	return s;
}

static size_t bytes_with(const uint64_t *u, size_t n, unsigned k)
{
	struct rice_size s = size_with(u, n, k);
	size_t quotients = (size_t)((s.quotient_bits + 7) / 8);
	return 1 + varint_size(quotients) + bit_pack_bytes(n, k) + quotients + s.escape_bytes;
}

BY_CPU static uint64_t sum_up_to(const uint64_t *u, size_t n, uint64_t most)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += u[i] < most ? u[i] : most;
	return sum;
}

/* The best k lies near the logarithm of the mean; a few large numbers must not count for much in it. */
static unsigned guess_width(const uint64_t *u, size_t n)
{
	uint64_t mean = sum_up_to(u, n, UINT64_C(1) << 40) / n;
	unsigned k = mean ? 63 - (unsigned)__builtin_clzll(mean) : 0;
	return k < RICE_MAX_WIDTH ? k : RICE_MAX_WIDTH - 1;
}

size_t rice_plan(const uint64_t *u, size_t n, unsigned *k)
{
	unsigned guess = guess_width(u, n);
	size_t bytes = bytes_with(u, n, guess), more = bytes_with(u, n, guess + 1);
	*k = more < bytes ? guess + 1 : guess;
	return more < bytes ? more : bytes;
}

static void put_remainders(const uint64_t *u, size_t n, unsigned k, uint8_t *to)
{
	for (size_t i = 0; i < n; i += BLOCK) {
		uint64_t low[BLOCK];
		size_t m = n - i < BLOCK ? n - i : BLOCK;
		for (size_t j = 0; j < m; j++)
			low[j] = u[i + j] & ((UINT64_C(1) << k) - 1);
		bit_pack(low, m, k, to + i * k / 8);
	}
}

static void put_quotients(const uint64_t *u, size_t n, unsigned k, uint8_t *to, size_t bytes)
{
	uint64_t at = 0;
	memset(to, 0, bytes);
	for (size_t i = 0; i < n; i++, at++) {
		uint64_t q = u[i] >> k;
		at += q < RICE_ESCAPE ? q : RICE_ESCAPE;
		to[at / 8] |= (uint8_t)(1u << at % 8);
	}
}

void rice_encode(const uint64_t *u, size_t n, unsigned k, struct strbuf *out)
{
	size_t quotients = (size_t)((size_with(u, n, k).quotient_bits + 7) / 8),
	       remainders = bit_pack_bytes(n, k);
	strbuf_addch(out, (char)k);
	varint_add(out, quotients);
	uint8_t *to = (uint8_t *)strbuf_reserve(out, remainders + quotients);
	if (!to)
		return;
	put_remainders(u, n, k, to);
	put_quotients(u, n, k, to + remainders, quotients);
	strbuf_advance(out, remainders + quotients);
	for (size_t i = 0; i < n; i++)
		if (u[i] >> k >= RICE_ESCAPE)
			varint_add(out, u[i]);
}

/* --- decoding ----------------------------------------------------------------------------------------------------- */

/* The numbers whose quotients end at ends[0..n) follow as they are. */
static bool read_escapes(struct byte_reader *r, const uint32_t *ends, size_t n, uint64_t *u)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t q = ends[i] - (ends - 1)[i] - 1;
		if (q > RICE_ESCAPE)
			return false;
		if (q == RICE_ESCAPE)
			u[i] = read_varint(r);
	}
	return !r->failed;
}

bool rice_decode(struct byte_reader *r, size_t n, uint64_t *u)
{
	const struct column_kernels *kernels = column_kernels();
	uint32_t ends[1 + BATCH_BYTES * 8 + KERNEL_GROUP];
	unsigned k = read_u8(r);
	uint64_t size = read_varint(r);
	if (r->failed || k > RICE_MAX_WIDTH || size > byte_reader_left(r))
		return false;
	struct slice low = read_bytes(r, bit_pack_bytes(n, k)), quotients = read_bytes(r, size);
	if (r->failed)
		return false;
	bit_unpack((const uint8_t *)low.ptr, low.len, n, k, 0, u);
	ends[0] = UINT32_MAX; /* the one in front of bit 0 */
	size_t done = 0;
	for (size_t at = 0; at < size; at += BATCH_BYTES) {
		size_t m = size - at < BATCH_BYTES ? size - at : BATCH_BYTES;
		size_t ones =
		    kernels->ones((const uint8_t *)quotients.ptr + at, m, (uint32_t)(at * 8), ends + 1);
		if (ones > n - done)
			return false;
		if (kernels->add_quotients(ends + 1, ones, k, u + done) >= RICE_ESCAPE &&
		    !read_escapes(r, ends + 1, ones, u + done))
			return false;
		done += ones;
		ends[0] = ends[ones];
	}
	return done == n;
}
