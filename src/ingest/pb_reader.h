/* Walking a protobuf message in place: fields one by one, nothing copied, never past the end. The failure is sticky: a
 * reader that failed gives no more fields, and whoever walks asks pb_ok() once behind the loop.
 *
 *   struct pb_reader r = pb_reader_of(message);
 *   while (pb_next(&r))
 *           if (r.field == 1 && r.wire == PB_BYTES)
 *                   name = r.bytes;
 *   if (!pb_ok(&r)) ...
 *
 * The value of the current field is in `bytes`, or in `number` (varints, and the bits of fixed ones). Unknown fields need
 * no skipping: pb_next() has passed them already. Groups, which proto3 does not have, are a failure. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"
#include "model/stale_marker.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_reader {
	const uint8_t *at, *end;
	bool failed;
	uint32_t field;
	enum pb_wire wire;
	uint64_t number;
	struct slice bytes;
};

static inline struct pb_reader pb_reader_of(struct slice message)
{
	const uint8_t *at = (const uint8_t *)message.ptr;
	return (struct pb_reader){.at = at, .end = at + message.len};
}

static inline bool pb_ok(const struct pb_reader *r)
{
	return !r->failed;
}

static inline bool pb_fail(struct pb_reader *r)
{
	r->failed = true;
	r->at = r->end;
	return false;
}

/* The long way of pb_varint(), which itself knows those of one and two bytes. */
bool pb_varint_slow(struct pb_reader *r, uint64_t *v);

static inline bool pb_varint(struct pb_reader *r, uint64_t *v)
{
	if (likely(r->end - r->at >= 2)) {
		unsigned first = r->at[0], second = r->at[1];
		if (first < 0x80) {
			*v = first;
			r->at++;
			return true;
		}
		if (second < 0x80) {
			*v = (first & 0x7f) | second << 7;
			r->at += 2;
			return true;
		}
	}
	return pb_varint_slow(r, v);
}

static inline bool pb_fixed(struct pb_reader *r, size_t n)
{
	if (unlikely((size_t)(r->end - r->at) < n))
		return pb_fail(r);
	r->number = 0;
	memcpy(&r->number, r->at, n);
	r->at += n;
	return true;
}

/* The next field with its value; false at the end, and on failure. */
static inline bool pb_next(struct pb_reader *r)
{
	uint64_t tag, len;
	if (r->at == r->end || !pb_varint(r, &tag))
		return false;
	r->field = (uint32_t)(tag >> 3);
	r->wire = (enum pb_wire)(tag & 7);
	if (unlikely(tag >> 32 || r->field == 0))
		return pb_fail(r);
	switch (r->wire) {
	case PB_BYTES:
		if (!pb_varint(r, &len))
			return false;
		if (unlikely(len > (size_t)(r->end - r->at)))
			return pb_fail(r);
		r->bytes = slice_of((const char *)r->at, len);
		r->at += len;
		return true;
	case PB_VARINT:
		return pb_varint(r, &r->number);
	case PB_FIXED64:
		return pb_fixed(r, 8);
	case PB_FIXED32:
		return pb_fixed(r, 4);
	}
	return pb_fail(r);
}

/* The current fixed64 as a double. */
static inline double pb_double(const struct pb_reader *r)
{
	return double_from_bits(r->number);
}

static inline int64_t pb_zigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* Repeated numbers come packed (one PB_BYTES field) or one by one; both must be taken. Appends those of the current field to
 * out[*n...], which has room for `cap`. False, and the reader failed: torn, another wire type, or too many. */
bool pb_take_varints(struct pb_reader *r, uint64_t *out, size_t *n, size_t cap);
bool pb_take_doubles(struct pb_reader *r, double *out, size_t *n, size_t cap);
