/* Variable-length integers, 7 bits a byte, lowest first (LEB128, as protobuf has them), and the zigzag that makes small
 * negative numbers short. Reading goes through base/byte_reader.h. */
#pragma once

#include "base/strbuf.h"
#include <stdint.h>

enum { VARINT_MAX_BYTES = 10 };

static inline size_t varint_size(uint64_t v)
{
	unsigned bits = 64u - (unsigned)__builtin_clzll(v | 1);
	return (bits + 6) / 7;
}

/* Writes up to VARINT_MAX_BYTES bytes; returns how many. */
static inline size_t varint_put(uint8_t *p, uint64_t v)
{
	size_t n = 0;
	for (; v >= 0x80; v >>= 7)
		p[n++] = (uint8_t)(v | 0x80);
	p[n++] = (uint8_t)v;
	return n;
}

static inline void varint_add(struct strbuf *out, uint64_t v)
{
	uint8_t bytes[VARINT_MAX_BYTES];
	strbuf_add(out, bytes, varint_put(bytes, v));
}

static inline uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static inline int64_t unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
