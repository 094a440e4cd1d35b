/* Files of checksummed pages: what the data of a part are stored in. A page file is a logical stream of bytes, cut into pages
 * of PAGE_BYTES (the last may be shorter); on disk each page is followed by the CRC-32C of its number and content. Read
 * with pread through the page cache; mmap is not used (an I/O error would be a signal, and the kernel would decide what
 * stays in memory). Written once, front to back. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/slice.h"
#include "tsdb/page_cache.h"
#include <stddef.h>
#include <stdint.h>

enum { PAGE_BYTES = 16384, PAGE_CRC_BYTES = 4 };

/* --- writing; one thread ------------------------------------------------------------------------------------------ */
struct page_writer;

/* Makes the file, which must not exist. */
MUST_CHECK int page_writer_new(struct fs *fs, const char *path, struct page_writer **out, struct err *err);
/* Errors are sticky and come out of page_writer_finish(). */
void page_writer_add(struct page_writer *w, const void *bytes, size_t n);
/* The logical offset of the next byte. */
uint64_t page_writer_offset(const struct page_writer *w);
/* Writes what is left, syncs, closes; *bytes_on_disk is the file's size. The writer is freed in every case. */
MUST_CHECK int page_writer_finish(struct page_writer *w, uint64_t *bytes_on_disk, struct err *err);
/* Without finishing; the file stays as it is. Takes NULL. */
void page_writer_free(struct page_writer *w);

/* --- reading; thread-safe ----------------------------------------------------------------------------------------- */
struct page_file;

/* The cache is borrowed. */
MUST_CHECK int page_file_open(
    struct fs *fs, const char *path, struct page_cache *cache, struct page_file **out, struct err *err);
/* Its pages leave the cache. Takes NULL. */
void page_file_close(struct page_file *f);
/* Logical bytes: the checksums not counted. */
uint64_t page_file_size(const struct page_file *f);
const char *page_file_path(const struct page_file *f);

/* Keeps the content in memory when it is no more than `max_bytes`, so that reading it takes no visit to the cache: for small
 * files that every query looks into. What cannot be read now stays as it is, and is told when it is read. Before other threads
 * know the file. */
void page_file_keep(struct page_file *f, uint64_t max_bytes);

/* A stretch of the file: borrowed from a pinned page when it lies within one, else copied together. Released when done. */
struct page_span {
	struct slice bytes;
	struct page_file *file;
	struct page *pinned; /* or NULL */
	char *copy;          /* on the heap, or NULL */
};
/* ERR_CORRUPT: outside of the file or a checksum is wrong (path and page are named); ERR_IO; ERR_NO_MEMORY. */
MUST_CHECK int page_file_read(
    struct page_file *f, uint64_t offset, uint64_t n, struct page_span *out, struct err *err);
/* Takes a zeroed span too. */
void page_span_done(struct page_span *s);
/* Into the caller's memory. */
MUST_CHECK int page_file_copy(struct page_file *f, uint64_t offset, size_t n, void *to, struct err *err);
/* Reads and verifies every page, past the cache: for repair and `verify`. */
MUST_CHECK int page_file_verify(struct page_file *f, struct err *err);
/* The same, past bad pages: calls bad(arg, offset, why) for each, with its offset in the file as it is on disk. */
void page_file_verify_each(
    struct page_file *f, void (*bad)(void *arg, uint64_t offset, const char *why), void *arg);
