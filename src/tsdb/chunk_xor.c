/* The codes, as in Prometheus's XOR chunks (docs/formats/chunk_xor.md):
 *
 *   first sample   64 bits value (the time stands in the struct)
 *   second         step as uvarint bytes, value code
 *   others         time code of the change of step, value code
 *
 *   time code      0 | 10 + 14 bits | 110 + 17 bits | 1110 + 20 bits | 1111 + 64 bits
 *   value code     0 | 10 + the bits of the last window | 11 + 5 bits leading + 6 bits length + window
 *
 * Bits behind the end of the last byte are zero: appending ors into it. */
#include "tsdb/chunk_xor.h"

#include "model/stale_marker.h"
#include <string.h>

enum { NO_WINDOW = 0xff, MAX_LEADING = 31, MAX_PIECES = 8 };

/* What one append writes: a run of zero bits, then these codes. */
struct codes {
	struct {
		uint64_t bits;
		unsigned n;
	} piece[MAX_PIECES];
	unsigned len;
	size_t zeros; /* in front */
	size_t total;
	uint8_t leading, trailing;
};

void chunk_xor_reset(struct chunk_xor *c)
{
	uint32_t handle = c->handle;
	memset(c, 0, sizeof(*c));
	c->handle = handle;
	c->leading = NO_WINDOW;
}

/* --- writing ---------------------------------------------------------------------------------------------- */

static void codes_add(struct codes *k, uint64_t bits, unsigned n)
{
	k->piece[k->len].bits = bits;
	k->piece[k->len++].n = n;
	k->total += n;
}

static void codes_add_step(struct codes *k, uint32_t step)
{
	uint64_t bytes = 0;
	unsigned n = 0;
	for (; step >= 0x80; step >>= 7, n += 8)
		bytes = bytes << 8 | (step & 0x7f) | 0x80;
	codes_add(k, bytes << 8 | step, n + 8);
}

/* A change of step fits `n` bits when it is within (-2^(n-1), 2^(n-1)]. */
static bool fits(int64_t x, unsigned n)
{
	int64_t half = INT64_C(1) << (n - 1);
	return x > -half && x <= half;
}

static void codes_add_time(struct codes *k, int64_t change)
{
	uint64_t x = (uint64_t)change;
	if (change == 0)
		codes_add(k, 0, 1);
	else if (fits(change, 14))
		codes_add(k, UINT64_C(0x2) << 14 | (x & 0x3fff), 16);
	else if (fits(change, 17))
		codes_add(k, UINT64_C(0x6) << 17 | (x & 0x1ffff), 20);
	else if (fits(change, 20))
		codes_add(k, UINT64_C(0xe) << 20 | (x & 0xfffff), 24);
	else {
		codes_add(k, 0xf, 4);
		codes_add(k, x, 64);
	}
}

static void codes_add_value(struct codes *k, uint64_t last, uint64_t v)
{
	uint64_t x = last ^ v;
	if (x == 0) {
		codes_add(k, 0, 1);
		return;
	}
	unsigned leading = (unsigned)__builtin_clzll(x), trailing = (unsigned)__builtin_ctzll(x);
	if (leading > MAX_LEADING)
		leading = MAX_LEADING;
	if (k->leading != NO_WINDOW && leading >= k->leading && trailing >= k->trailing) {
		codes_add(k, 0x2, 2);
		codes_add(k, x >> k->trailing, 64u - k->leading - k->trailing);
		return;
	}
	unsigned width = 64 - leading - trailing;
	codes_add(k, UINT64_C(0x3) << 11 | leading << 6 | (width & 63), 13);
	codes_add(k, x >> trailing, width);
	k->leading = (uint8_t)leading;
	k->trailing = (uint8_t)trailing;
}

/* Ors the low n bits of `v` in at bit `pos`; the bytes that are begun are overwritten. */
static void put_bits(uint8_t *bytes, size_t pos, uint64_t v, unsigned n)
{
	unsigned used = pos & 7;
	uint8_t *p = bytes + (pos >> 3);
	if (n < 64)
		v &= (UINT64_C(1) << n) - 1;
	unsigned __int128 window = (unsigned __int128)v << (72 - used - n);
	if (used)
		window |= (unsigned __int128)*p << 64;
	unsigned end = (used + n + 7) / 8;
	for (unsigned i = 0; i < end; i++)
		p[i] = (uint8_t)(window >> (64 - 8 * i));
}

static void put_zeros(uint8_t *bytes, size_t pos, size_t n)
{
	size_t from = (pos + 7) / 8, to = (pos + n + 7) / 8;
	memset(bytes + from, 0, to - from);
}

static void codes_write(const struct codes *k, uint8_t *bytes, size_t pos)
{
	put_zeros(bytes, pos, k->zeros);
	pos += k->zeros;
	for (unsigned i = 0; i < k->len; i++) {
		put_bits(bytes, pos, k->piece[i].bits, k->piece[i].n);
		pos += k->piece[i].n;
	}
}

/* The stream begins: first sample, then the counted ones, which become zero bits. */
static enum chunk_xor_append begin_stream(
    struct chunk_xor *c, uint8_t *bytes, size_t cap, uint64_t last_bits, int64_t step, uint64_t v)
{
	struct codes head = {.leading = NO_WINDOW};
	codes_add(&head, last_bits, 64);
	struct codes k = {.leading = NO_WINDOW};
	if (c->count > 1) {
		codes_add_step(&head, (uint32_t)c->step_ms);
		codes_add(&head, 0, 1);
		k.zeros = k.total = 2u * (c->count - 2u);
		codes_add_time(&k, step - c->step_ms);
	} else {
		codes_add_step(&k, (uint32_t)step);
	}
	codes_add_value(&k, last_bits, v);
	size_t need = (head.total + k.total + 7) / 8;
	if (need > CHUNK_XOR_MAX_BYTES)
		return CHUNK_XOR_FULL;
	if (need > cap)
		return CHUNK_XOR_GROW;
	codes_write(&head, bytes, 0);
	codes_write(&k, bytes, head.total);
	c->bits = (uint16_t)(head.total + k.total);
	c->leading = k.leading;
	c->trailing = k.trailing;
	return CHUNK_XOR_OK;
}

/* The usual append: the change of step fits 20 bits, so that time code and head of the value code are one word, and the
 * value's window another. */
struct short_codes {
	uint64_t head, window;
	unsigned head_bits, window_bits;
	uint8_t leading, trailing;
};

static inline bool short_time(int64_t change, struct short_codes *k)
{
	uint64_t x = (uint64_t)change;
	if (change == 0) {
		k->head = 0;
		k->head_bits = 1;
	} else if (fits(change, 14)) {
		k->head = UINT64_C(0x2) << 14 | (x & 0x3fff);
		k->head_bits = 16;
	} else if (fits(change, 17)) {
		k->head = UINT64_C(0x6) << 17 | (x & 0x1ffff);
		k->head_bits = 20;
	} else if (fits(change, 20)) {
		k->head = UINT64_C(0xe) << 20 | (x & 0xfffff);
		k->head_bits = 24;
	} else {
		return false;
	}
	return true;
}

static inline void short_value(uint64_t x, struct short_codes *k)
{
	if (x == 0) {
		k->head <<= 1;
		k->head_bits++;
		k->window_bits = 0;
		return;
	}
	unsigned leading = (unsigned)__builtin_clzll(x), trailing = (unsigned)__builtin_ctzll(x);
	if (leading > MAX_LEADING)
		leading = MAX_LEADING;
	if (k->leading != NO_WINDOW && leading >= k->leading && trailing >= k->trailing) {
		k->head = k->head << 2 | 2;
		k->head_bits += 2;
	} else {
		k->head = k->head << 13 | UINT64_C(3) << 11 | leading << 6 | ((64 - leading - trailing) & 63);
		k->head_bits += 13;
		k->leading = (uint8_t)leading;
		k->trailing = (uint8_t)trailing;
	}
	k->window = x >> k->trailing;
	k->window_bits = 64u - k->leading - k->trailing;
}

static void store_be64(uint8_t *p, uint64_t x)
{
	x = __builtin_bswap64(x);
	memcpy(p, &x, sizeof(x));
}

/* Nine bytes from the byte of bit `used` (0 to 7) on are overwritten; v has n (1 to 64) bits. */
static inline void put_word(uint8_t *p, unsigned used, uint64_t v, unsigned n)
{
	uint64_t old = used ? (uint64_t)(*p >> (8 - used)) << (64 - used) : 0;
	unsigned end = used + n;
	if (end <= 64) {
		store_be64(p, old | v << (64 - end));
		p[8] = 0;
		return;
	}
	store_be64(p, old | v >> (end - 64));
	p[8] = (uint8_t)(v << (72 - end));
}

static inline void put_short(uint8_t *bytes, size_t pos, const struct short_codes *k)
{
	put_word(bytes + (pos >> 3), pos & 7, k->head, k->head_bits);
	pos += k->head_bits;
	if (k->window_bits > 0)
		put_word(bytes + (pos >> 3), pos & 7, k->window, k->window_bits);
}

enum { SHORT_ROOM = 24 }; /* bytes that put_short() may touch from the byte of its first bit on */

/* Near the end of the buffer the codes are written beside it, and only their bytes moved in. */
static void put_short_at_end(uint8_t *bytes, size_t pos, const struct short_codes *k)
{
	uint8_t beside[SHORT_ROOM] = {0};
	size_t n = ((pos & 7) + k->head_bits + k->window_bits + 7) / 8;
	if (pos & 7)
		beside[0] = bytes[pos >> 3];
	put_short(beside, pos & 7, k);
	memcpy(bytes + (pos >> 3), beside, n);
}

static enum chunk_xor_append continue_long(
    struct chunk_xor *c, uint8_t *bytes, size_t cap, uint64_t last_bits, int64_t change, uint64_t v)
{
	struct codes k = {.leading = c->leading, .trailing = c->trailing};
	k.zeros = k.total = 2u * c->run;
	codes_add_time(&k, change);
	codes_add_value(&k, last_bits, v);
	size_t need = (c->bits + k.total + 7) / 8;
	if (need > CHUNK_XOR_MAX_BYTES)
		return CHUNK_XOR_FULL;
	if (need > cap)
		return CHUNK_XOR_GROW;
	codes_write(&k, bytes, c->bits);
	c->bits = (uint16_t)(c->bits + k.total);
	c->leading = k.leading;
	c->trailing = k.trailing;
	return CHUNK_XOR_OK;
}

static enum chunk_xor_append continue_stream(
    struct chunk_xor *c, uint8_t *bytes, size_t cap, uint64_t last_bits, int64_t step, uint64_t v)
{
	struct short_codes k = {.leading = c->leading, .trailing = c->trailing};
	if (!short_time(step - c->step_ms, &k))
		return continue_long(c, bytes, cap, last_bits, step - c->step_ms, v);
	short_value(last_bits ^ v, &k);
	size_t pos = c->bits + 2u * c->run, end = pos + k.head_bits + k.window_bits;
	size_t need = (end + 7) / 8;
	if (need > CHUNK_XOR_MAX_BYTES)
		return CHUNK_XOR_FULL;
	if (need > cap)
		return CHUNK_XOR_GROW;
	if (c->run > 0)
		put_zeros(bytes, c->bits, 2u * c->run);
	if ((pos >> 3) + SHORT_ROOM <= cap)
		put_short(bytes, pos, &k);
	else
		put_short_at_end(bytes, pos, &k);
	c->bits = (uint16_t)end;
	c->leading = k.leading;
	c->trailing = k.trailing;
	return CHUNK_XOR_OK;
}

static void append_first(struct chunk_xor *c, int64_t t_ms)
{
	chunk_xor_reset(c);
	c->first_t_ms = t_ms;
	c->count = c->run = 1;
}

enum chunk_xor_append chunk_xor_append(
    struct chunk_xor *c, uint8_t *bytes, size_t cap, int64_t last_t_ms, double last_v, int64_t t_ms, double v)
{
	if (c->count == 0) {
		append_first(c, t_ms);
		return CHUNK_XOR_OK;
	}
	int64_t step;
	if (c->count >= CHUNK_XOR_MAX_SAMPLES || __builtin_sub_overflow(t_ms, last_t_ms, &step) ||
	    step <= 0 || step > INT32_MAX)
		return CHUNK_XOR_FULL;
	uint64_t last_bits = double_bits(last_v), v_bits = double_bits(v);
	bool same_value = last_bits == v_bits;
	if (same_value && (step == c->step_ms || c->count == 1)) {
		c->step_ms = (int32_t)step;
		c->count++;
		c->run++;
		return CHUNK_XOR_OK;
	}
	enum chunk_xor_append rc = c->bits == 0 ? begin_stream(c, bytes, cap, last_bits, step, v_bits)
						: continue_stream(c, bytes, cap, last_bits, step, v_bits);
	if (rc != CHUNK_XOR_OK)
		return rc;
	c->step_ms = (int32_t)step;
	c->count++;
	c->run = 0;
	return CHUNK_XOR_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------- */

/* Bits of a copy with READ_AHEAD zero bytes behind it. A sample is at most MAX_SAMPLE_BITS long, and whether it ended
 * within the bits is asked behind each: so reading needs no other check. */
struct bit_reader {
	const uint8_t *bytes;
	size_t pos; /* in bits */
};

enum { MAX_SAMPLE_BITS = 4 + 64 + 13 + 64, READ_AHEAD = 32 };
_Static_assert(READ_AHEAD * 8 >= MAX_SAMPLE_BITS + 72, "what a sample may touch behind the end");

static uint64_t load_be64(const uint8_t *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof(x));
	return __builtin_bswap64(x);
}

/* The next 64 bits. */
static inline uint64_t peek(const struct bit_reader *r)
{
	const uint8_t *p = r->bytes + (r->pos >> 3);
	unsigned used = r->pos & 7;
	return load_be64(p) << used | (uint64_t)p[8] >> (8 - used);
}

/* n is 1..64. */
static inline uint64_t take(struct bit_reader *r, unsigned n)
{
	uint64_t x = peek(r) >> (64 - n);
	r->pos += n;
	return x;
}

static bool take_step(struct bit_reader *r, int64_t *step)
{
	uint64_t x = 0;
	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint64_t byte = take(r, 8);
		x |= (byte & 0x7f) << shift;
		if (byte < 0x80) {
			*step = (int64_t)x;
			return x > 0 && x <= INT32_MAX;
		}
	}
	return false;
}

static int64_t take_time_change(struct bit_reader *r)
{
	static const uint8_t prefix[] = {1, 2, 3, 4, 4}, width[] = {0, 14, 17, 20, 64};
	uint64_t window = peek(r);
	unsigned ones = (unsigned)__builtin_clzll(~window | 1);
	if (ones > 4)
		ones = 4;
	r->pos += prefix[ones];
	if (ones == 0)
		return 0;
	unsigned n = width[ones];
	uint64_t x = take(r, n);
	if (n < 64 && x > UINT64_C(1) << (n - 1))
		x -= UINT64_C(1) << n;
	return (int64_t)x;
}

/* The window of the newest value code, and the value it gave. */
struct value_state {
	unsigned leading, width;
	uint64_t bits;
};

/* XORs the next value code in, which is not 0 and begins at the top of `window` (the reader's position), of which `known` bits
 * (63 or 64) are right. False when its window of bits is impossible. */
static inline bool take_change(struct bit_reader *r, uint64_t window, unsigned known, struct value_state *s)
{
	/* Which of the two codes it is cannot be predicted: so no branch. */
	bool is_new = window >> 62 == 3;
	unsigned new_width = (((unsigned)(window >> 51) - 1) & 63) + 1;
	unsigned control = is_new ? 13 : 2;
	s->leading = is_new ? (unsigned)(window >> 57) & 31 : s->leading;
	s->width = is_new ? new_width : s->width;
	if (unlikely(s->width == 0 || s->leading + s->width > 64))
		return false;
	r->pos += control;
	uint64_t rest = likely(control + s->width <= known) ? window << control : peek(r);
	r->pos += s->width;
	s->bits ^= rest >> (64 - s->width) << (64 - s->leading - s->width);
	return true;
}

static int corrupt(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "open chunk: %s", what);
}

/* The samples that are in the bytes, which are at least two. In the usual case of an unchanged step the time code is one bit,
 * so one look is enough for both codes. */
static int decode_padded(
    const struct chunk_xor *c, const uint8_t *padded, size_t n, int64_t *t, double *v, struct err *err)
{
	struct bit_reader r = {padded, 0};
	int64_t step, at = c->first_t_ms;
	struct value_state s = {.bits = take(&r, 64)};
	t[0] = at;
	v[0] = double_from_bits(s.bits);
	if (!take_step(&r, &step))
		return corrupt(err, "impossible step");
	bool has_time_code = false; /* the second sample has none */
	for (size_t i = 1; i < n; i++, has_time_code = true) {
		uint64_t window = peek(&r);
		unsigned known = 64;
		if (has_time_code && unlikely(window >> 63)) {
			step = (int64_t)((uint64_t)step + (uint64_t)take_time_change(&r));
			window = peek(&r);
		} else if (has_time_code) {
			window <<= 1;
			known = 63;
			r.pos++;
		}
		if (!(window >> 63))
			r.pos++;
		else if (unlikely(!take_change(&r, window, known, &s)))
			return corrupt(err, "impossible window of bits");
		if (unlikely(step <= 0 || __builtin_add_overflow(at, step, &at)))
			return corrupt(err, "times do not ascend");
		t[i] = at;
		v[i] = double_from_bits(s.bits);
		if (unlikely(r.pos > c->bits))
			return corrupt(err, "the bits end early");
	}
	return 0;
}

static int decode_stream(
    const struct chunk_xor *c, const uint8_t *bytes, size_t n, int64_t *t, double *v, struct err *err)
{
	uint8_t padded[(UINT16_MAX + 7) / 8 + READ_AHEAD];
	size_t len = chunk_xor_bytes(c);
	memcpy(padded, bytes, len);
	memset(padded + len, 0, READ_AHEAD);
	return decode_padded(c, padded, n, t, v, err);
}

/* The samples that were only counted. */
static int decode_run(
    const struct chunk_xor *c, size_t from, double last_v, int64_t *t, double *v, struct err *err)
{
	int64_t next = from ? t[from - 1] : c->first_t_ms, step = from ? c->step_ms : 0;
	if (c->count > 1 && c->step_ms <= 0)
		return corrupt(err, "impossible step");
	for (size_t i = from; i < c->count; i++, step = c->step_ms) {
		if (__builtin_add_overflow(next, step, &next))
			return corrupt(err, "times do not ascend");
		t[i] = next;
		v[i] = last_v;
	}
	return 0;
}

int chunk_xor_decode(
    const struct chunk_xor *c, const uint8_t *bytes, double last_v, int64_t *t, double *v, struct err *err)
{
	if (c->run > c->count || (c->bits == 0) != (c->run == c->count) || (c->bits && c->count - c->run < 2))
		return corrupt(err, "counts do not fit together");
	size_t n = (size_t)c->count - c->run;
	if (n > 0) {
		int rc = decode_stream(c, bytes, n, t, v, err);
		if (rc)
			return rc;
	}
	return c->run > 0 ? decode_run(c, n, last_v, t, v, err) : 0;
}
