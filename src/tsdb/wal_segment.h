/* Segments of the log: files DIR/NNNNNNNNNNNNNNNN.wal (the number in hexadecimal), written from front to back, preallocated so
 * that a sync need not touch the file's length. Each begins with a header of 24 bytes (docs/formats/wal.md). One thread. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/vec.h"
#include <stdint.h>

enum { WAL_SEGMENT_HEADER_BYTES = 24, WAL_SEGMENT_VERSION = 1 };

struct wal_segment {
	int fd; /* -1: none is open */
	uint64_t number;
	uint64_t end; /* where the next byte goes */
};
VEC_DEFINE(wal_segment_numbers, uint64_t);

/* Makes the file, `bytes` of it reserved, header written, folder synced. */
MUST_CHECK int wal_segment_create(
    struct fs *fs, const char *dir, uint64_t number, uint64_t bytes, struct wal_segment *s, struct err *err);
MUST_CHECK int wal_segment_write(
    struct fs *fs, struct wal_segment *s, const void *bytes, size_t n, struct err *err);
/* Gives back the reserved rest of the file and closes it. */
MUST_CHECK int wal_segment_finish(struct fs *fs, struct wal_segment *s, struct err *err);
/* Closes and removes it; nothing when none is open. */
void wal_segment_discard(struct fs *fs, const char *dir, struct wal_segment *s);
/* Closes it as it is. */
void wal_segment_abandon(struct fs *fs, struct wal_segment *s);

/* The path of a segment on the heap; the caller frees it. */
char *wal_segment_path(const char *dir, uint64_t number);
/* All segments of the folder, ascending. A folder that is not there has none. */
MUST_CHECK int wal_segment_list(
    struct fs *fs, const char *dir, struct wal_segment_numbers *out, struct err *err);
/* A whole segment, header checked. ERR_CORRUPT: the header is damaged; ERR_UNSUPPORTED: a later version. The caller
 * frees *content. */
MUST_CHECK int wal_segment_load(
    struct fs *fs, const char *dir, uint64_t number, struct strbuf *content, struct err *err);
