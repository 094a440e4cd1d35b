/* The layout that builder and reader of a part's index share (docs/formats/part.md):
 *
 *   8 bytes   magic with version
 *   series    groups of INDEX_GROUP: each series is varint 0 (the names of the one before: then varint mask of the changed
 *             values, their ids) or varint schema + 1 (then all value ids); the first of a group always the latter
 *   groups    packed column: where each group begins, and where the last one ends
 *   names     for each, in byte order:
 *               values    blocks of INDEX_GROUP, front-coded: varint shared (0 for the first), varint length, bytes
 *               blocks    packed column: where each block begins, and where the last one ends
 *               postings  of each value in order, then of all series that have the name
 *               places    packed column: where each begins, and where the last one ends
 *   contents  varint series, groups; varint schemas, each: varint n, n name ids; varint names, each: varint length, text,
 *             varint values, blocks, places
 *   trailer   u64 offset of the contents, u32 their length, u32 magic
 */
#pragma once

#include "base/byte_reader.h"
#include "base/varint.h"
#include "tsdb/packed_column.h"

#define INDEX_MAGIC "PQINDEX\1"
enum { INDEX_MAGIC_BYTES = 8, INDEX_GROUP = 16, INDEX_TRAILER_BYTES = 16, INDEX_MAX_LABELS = 1024 };
enum { INDEX_MAX_CONTENTS_BYTES = 1 << 28 };
#define INDEX_TRAILER_MAGIC UINT32_C(0x58495150) /* "PQIX" */
