/* Reading bytes of unknown worth: a cursor that never passes the end, with a sticky failure, so that a decoder reads ten
 * fields and asks once. After a failure every read gives zero or an empty slice. Little-endian. One thread. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

struct byte_reader {
	const uint8_t *at, *end;
	bool failed;
};

static inline void byte_reader_init(struct byte_reader *r, struct slice bytes)
{
	r->at = (const uint8_t *)bytes.ptr;
	r->end = r->at + bytes.len;
	r->failed = false;
}

static inline size_t byte_reader_left(const struct byte_reader *r)
{
	return (size_t)(r->end - r->at);
}

static inline bool byte_reader_done(const struct byte_reader *r)
{
	return r->at == r->end;
}

static inline void byte_reader_fail(struct byte_reader *r)
{
	r->failed = true;
	r->at = r->end;
}

/* Borrowed. */
static inline struct slice read_bytes(struct byte_reader *r, size_t n)
{
	if (unlikely(n > byte_reader_left(r))) {
		byte_reader_fail(r);
		return SL_EMPTY;
	}
	struct slice s = slice_of((const char *)r->at, n);
	r->at += n;
	return s;
}

static inline uint64_t read_uint(struct byte_reader *r, size_t bytes)
{
	struct slice s = read_bytes(r, bytes);
	uint64_t v = 0;
	for (size_t i = s.len; i > 0; i--)
		v = v << 8 | (uint8_t)s.ptr[i - 1];
	return v;
}

static inline uint8_t read_u8(struct byte_reader *r)
{
	return (uint8_t)read_uint(r, 1);
}

static inline uint32_t read_u32(struct byte_reader *r)
{
	return (uint32_t)read_uint(r, 4);
}

static inline uint64_t read_u64(struct byte_reader *r)
{
	return read_uint(r, 8);
}

/* Ten bytes at most; bits beyond the 64th are a failure. */
static inline uint64_t read_varint(struct byte_reader *r)
{
	if (likely(r->at < r->end && *r->at < 0x80))
		return *r->at++;
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 70 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;
		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
	byte_reader_fail(r);
	return 0;
}
