/* What encoder and decoder of integer columns share.
 *
 *   byte kind, zigzag varint base, then by kind:
 *   SAME    nothing
 *   PACK    byte width, ceil(n * width / 8) bytes of (x - base), lowest bit first
 *   BLOCKS  a byte width per block of 64, then each block packed from a byte boundary on
 *   SPARSE  varint others (m), m Rice codes of (distance - 1), then a column of m (x - base)
 *   BITMAP  varint others, ceil(n / 8) bytes, then a column of the others' (x - base)
 *   RICE    Rice codes of zigzag(x - base)
 *
 * The column inside SPARSE and BITMAP is PACK, BLOCKS, RICE or SAME: the nesting ends there. Widths 57 to 63 are 64.
 * Rice codes: tsdb/rice_code.h. */
#pragma once

#include "base/byte_reader.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum int_column_kind { KIND_SAME, KIND_PACK, KIND_BLOCKS, KIND_SPARSE, KIND_BITMAP, KIND_RICE, KINDS };
enum { BLOCK = 64 };

/* The rest of a column whose kind and base were read: n values. False: torn, or no such kind. */
bool int_column_decode_kind(struct byte_reader *r, uint8_t kind, size_t n, int64_t base, int64_t *x);
