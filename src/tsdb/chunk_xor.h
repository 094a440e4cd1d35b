/* The open chunk: what a series' newest samples are appended to. Prometheus's XOR bit stream (delta of delta
 * for times, XOR with the previous value), with one addition: samples that repeat the value at the regular
 * step are only counted (`run`) and cost no bits until something else comes; a series that never changed has
 * no bytes at all.
 *
 * The state is small enough to be embedded in the head's series struct. Two things live outside of it: the
 * chunk's bytes (the caller's memory, grown by slab classes) and the newest sample (the head keeps it in a
 * dense column anyway): both are handed in. Not thread-safe: the owner's lock. docs/formats/chunk_xor.md has
 * the bits. */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CHUNK_XOR_MAX_BYTES = 1024,   /* the largest buffer worth handing in */
	CHUNK_XOR_MAX_SAMPLES = 4096, /* more are refused with CHUNK_XOR_FULL */
};

struct chunk_xor {
	int64_t first_t_ms; /* of the first sample */
	int32_t step_ms;    /* between the two newest samples; 0 while count < 2 */
	uint32_t handle;    /* the owner's: where the bytes are (tsdb/slab.h); not looked at here */
	uint16_t bits;      /* written to the bytes; 0: all samples so far have one value and one step */
	uint16_t count;     /* samples, the run included */
	uint16_t run;       /* newest samples that are not in the bytes yet: same value, same step */
	uint8_t leading;    /* zero bits in front of / behind the newest XOR window; leading 0xff: none yet */
	uint8_t trailing;
};
_Static_assert(sizeof(struct chunk_xor) == 24, "embedded in a 48-byte series");

enum chunk_xor_append {
	CHUNK_XOR_OK,
	CHUNK_XOR_GROW, /* does not fit `cap`: nothing changed; hand in a larger buffer with the same content
			 */
	CHUNK_XOR_FULL, /* does not fit this chunk at all: nothing changed; seal it and begin another */
};

/* Empties the chunk; `handle` is kept. */
void chunk_xor_reset(struct chunk_xor *c);

/* Appends (t_ms, v). last_t_ms/last_v is the newest sample of the chunk (ignored when it is empty); t_ms must
 * be above it, else the answer is CHUNK_XOR_FULL. `bytes` (NULL with cap 0 is fine) has room for `cap` bytes.
 * Every bit pattern of `v` comes back as it was. */
enum chunk_xor_append chunk_xor_append(struct chunk_xor *c, uint8_t *bytes, size_t cap, int64_t last_t_ms,
    double last_v, int64_t t_ms, double v);

/* Whether the next sample would be only counted: then `bytes` is not touched (and need not be fetched). */
static inline bool chunk_xor_is_run(
    const struct chunk_xor *c, int64_t last_t_ms, uint64_t last_bits, int64_t t_ms, uint64_t v_bits)
{
	return c->count > 1 && c->count < CHUNK_XOR_MAX_SAMPLES && last_bits == v_bits &&
	       (uint64_t)t_ms - (uint64_t)last_t_ms == (uint64_t)c->step_ms;
}

/* Bytes of the buffer that are in use. */
static inline size_t chunk_xor_bytes(const struct chunk_xor *c)
{
	return ((size_t)c->bits + 7) / 8;
}

/* All c->count samples into t[] and v[], which have room for them. `last_v` is the newest value. The state
 * may come from a disk: nothing outside chunk_xor_bytes(c) is read, and ERR_CORRUPT says that the bits end
 * early or times do not ascend. */
MUST_CHECK int chunk_xor_decode(
    const struct chunk_xor *c, const uint8_t *bytes, double last_v, int64_t *t, double *v, struct err *err);
