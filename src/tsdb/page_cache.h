/* Files of checksummed pages, and the bounded cache that all reads of them go through. A page file is a
 * logical stream of bytes cut into pages of PAGE_BYTES, each followed by its CRC-32C on disk. A page is read
 * with pread, verified when it enters the cache, and never again while it stays; mmap is not used (an I/O
 * error would be a signal, and the kernel would decide what stays).
 *
 * The cache is shared by all parts of a store and thread-safe. A page_file belongs to one part. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_BYTES = 16384 };

/* --- the cache
 * -------------------------------------------------------------------------------------------------- */
struct page_cache;

struct page_cache_stats {
	uint64_t hits, misses, evictions;
	size_t bytes;
};

/* Keeps at most about `max_bytes` of pages (pinned ones beyond that too). */
struct page_cache *page_cache_new(size_t max_bytes);
/* All page files must be closed. Takes NULL. */
void page_cache_free(struct page_cache *c);
void page_cache_stats(struct page_cache *c, struct page_cache_stats *out);

/* --- writing
 * ---------------------------------------------------------------------------------------------------- */
struct page_writer;

/* Makes the file, which must not exist. */
MUST_CHECK int page_writer_new(struct fs *fs, const char *path, struct page_writer **out, struct err *err);
/* Errors are sticky and come out of page_writer_finish(). */
void page_writer_add(struct page_writer *w, const void *bytes, size_t n);
/* The logical offset of the next byte. */
uint64_t page_writer_offset(const struct page_writer *w);
/* Writes what is left, syncs, closes; *bytes_on_disk is the file's size. The writer is freed in every case.
 */
MUST_CHECK int page_writer_finish(struct page_writer *w, uint64_t *bytes_on_disk, struct err *err);
/* Without finishing; the file stays as it is. Takes NULL. */
void page_writer_free(struct page_writer *w);

/* --- reading
 * ---------------------------------------------------------------------------------------------------- */
struct page_file;

MUST_CHECK int page_file_open(
    struct fs *fs, const char *path, struct page_cache *cache, struct page_file **out, struct err *err);
/* Its pages leave the cache. Takes NULL. */
void page_file_close(struct page_file *f);
/* Logical bytes: the checksums not counted. */
uint64_t page_file_size(const struct page_file *f);

/* A stretch of the file: borrowed from a pinned page when it lies within one, else copied together. Released
 * when done. */
struct page_span {
	struct slice bytes;
	void *pinned; /* the page, or NULL */
	char *copy;   /* on the heap, or NULL */
};
/* ERR_CORRUPT: outside of the file or a checksum is wrong (path and page are named); ERR_IO; ERR_NO_MEMORY.
 */
MUST_CHECK int page_file_read(
    struct page_file *f, uint64_t offset, size_t n, struct page_span *out, struct err *err);
void page_span_done(struct page_span *s);
/* Into the caller's memory. */
MUST_CHECK int page_file_copy(struct page_file *f, uint64_t offset, size_t n, void *to, struct err *err);
/* Reads and verifies every page, past the cache: for repair and `verify`. */
MUST_CHECK int page_file_verify(struct page_file *f, struct err *err);
