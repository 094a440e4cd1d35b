#include "ingest/pb_reader.h"

bool pb_varint_slow(struct pb_reader *r, uint64_t *v)
{
	uint64_t x = 0;
	for (unsigned shift = 0; shift < 70 && r->at < r->end; shift += 7) {
		uint8_t byte = *r->at++;
		/* Bits beyond the 64th are dropped, as other readers do: a negative int32 comes as ten bytes. */
		x |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
		if (byte < 0x80) {
			*v = x;
			return true;
		}
	}
	return pb_fail(r);
}

bool pb_take_varints(struct pb_reader *r, uint64_t *out, size_t *n, size_t cap)
{
	if (r->wire == PB_VARINT) {
		if (*n == cap)
			return pb_fail(r);
		out[(*n)++] = r->number;
		return true;
	}
	if (r->wire != PB_BYTES)
		return pb_fail(r);
	struct pb_reader packed = pb_reader_of(r->bytes);
	while (packed.at < packed.end) {
		if (*n == cap || !pb_varint(&packed, &out[*n]))
			return pb_fail(r);
		(*n)++;
	}
	return true;
}

bool pb_take_doubles(struct pb_reader *r, double *out, size_t *n, size_t cap)
{
	if (r->wire == PB_FIXED64) {
		if (*n == cap)
			return pb_fail(r);
		out[(*n)++] = pb_double(r);
		return true;
	}
	if (r->wire != PB_BYTES || r->bytes.len % 8 || r->bytes.len / 8 > cap - *n)
		return pb_fail(r);
	memcpy(out + *n, r->bytes.ptr, r->bytes.len);
	*n += r->bytes.len / 8;
	return true;
}
