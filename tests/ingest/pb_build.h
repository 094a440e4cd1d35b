/* Building protobuf messages for tests, field by field. */
#pragma once

#include "base/strbuf.h"
#include "base/varint.h"
#include "model/stale_marker.h"

static inline void pb_put_varint(struct strbuf *out, unsigned field, uint64_t v)
{
	varint_add(out, field << 3);
	varint_add(out, v);
}

static inline void pb_put_double(struct strbuf *out, unsigned field, double v)
{
	uint64_t bits = double_bits(v);
	varint_add(out, field << 3 | 1);
	for (unsigned i = 0; i < 8; i++)
		strbuf_addch(out, (char)(bits >> (8 * i)));
}

static inline void pb_put_bytes(struct strbuf *out, unsigned field, struct slice s)
{
	varint_add(out, field << 3 | 2);
	varint_add(out, s.len);
	strbuf_add_slice(out, s);
}

/* Ends `part` as a field of `out`. */
static inline void pb_put_message(struct strbuf *out, unsigned field, struct strbuf *part)
{
	pb_put_bytes(out, field, strbuf_slice(part));
	strbuf_done(part);
}

static inline void pb_put_label(struct strbuf *series, const char *name, const char *value)
{
	struct strbuf label = STRBUF_INIT;
	pb_put_bytes(&label, 1, slice_cstr(name));
	pb_put_bytes(&label, 2, slice_cstr(value));
	pb_put_message(series, 1, &label);
}

static inline void pb_put_sample(struct strbuf *series, int64_t t_ms, double v)
{
	struct strbuf sample = STRBUF_INIT;
	pb_put_double(&sample, 1, v);
	pb_put_varint(&sample, 2, (uint64_t)t_ms);
	pb_put_message(series, 2, &sample);
}
