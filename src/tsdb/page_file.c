#include "tsdb/page_file.h"

#include "base/crc32c.h"
#include "base/xmalloc.h"
#include <string.h>

enum { STRIDE = PAGE_BYTES + PAGE_CRC_BYTES };

/* The page's number is part of the sum: a page in a wrong place is as bad as a broken one. */
static uint32_t page_crc(uint64_t no, const void *bytes, size_t n)
{
	uint8_t le[8];
	for (unsigned i = 0; i < 8; i++)
		le[i] = (uint8_t)(no >> (8 * i));
	return crc32c_mask(crc32c(crc32c(0, le, sizeof(le)), bytes, n));
}

static void put_u32(uint8_t *p, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(x >> (8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

struct page_writer {
	struct fs *fs;
	int fd;
	uint64_t pages; /* full ones, written */
	size_t len;     /* in page[] */
	int rc;
	struct err err;
	uint8_t page[STRIDE];
};

int page_writer_new(struct fs *fs, const char *path, struct page_writer **out, struct err *err)
{
	int fd;
	int rc = fs_open(fs, path, FS_CREATE_NEW, &fd, err);
	if (rc)
		return rc;
	struct page_writer *w = xcalloc(1, sizeof(*w));
	w->fs = fs;
	w->fd = fd;
	*out = w;
	return 0;
}

static void flush_page(struct page_writer *w)
{
	if (w->rc == 0 && w->len > 0) {
		put_u32(w->page + w->len, page_crc(w->pages, w->page, w->len));
		w->rc = fs_pwrite(w->fs, w->fd, w->page, w->len + PAGE_CRC_BYTES, w->pages * STRIDE, &w->err);
	}
	if (w->len == PAGE_BYTES) {
		w->pages++;
		w->len = 0;
	}
}

void page_writer_add(struct page_writer *w, const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	while (n > 0) {
		size_t room = PAGE_BYTES - w->len, m = n < room ? n : room;
		memcpy(w->page + w->len, from, m);
		w->len += m;
		from += m;
		n -= m;
		if (w->len == PAGE_BYTES)
			flush_page(w);
	}
}

uint64_t page_writer_offset(const struct page_writer *w)
{
	return w->pages * PAGE_BYTES + w->len;
}

int page_writer_finish(struct page_writer *w, uint64_t *bytes_on_disk, struct err *err)
{
	uint64_t size = w->pages * STRIDE + (w->len ? w->len + PAGE_CRC_BYTES : 0);
	flush_page(w);
	if (w->rc == 0)
		w->rc = fs_datasync(w->fs, w->fd, &w->err);
	int rc = w->rc;
	if (rc)
		err_copy(err, &w->err);
	else if (bytes_on_disk)
		*bytes_on_disk = size;
	page_writer_free(w);
	return rc;
}

void page_writer_free(struct page_writer *w)
{
	if (!w)
		return;
	fs_close(w->fs, w->fd);
	free(w);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

struct page_file {
	struct fs *fs;
	int fd;
	struct page_cache *cache;
	uint64_t id;
	uint64_t size; /* logical */
	char *path;
	char *kept; /* all of it; NULL: it is read through the cache */
};

/* The logical size, from the one on disk; false when no writer leaves such a size. */
static bool logical_size(uint64_t on_disk, uint64_t *size)
{
	uint64_t pages = on_disk / STRIDE, rest = on_disk % STRIDE;
	if (rest > 0 && rest <= PAGE_CRC_BYTES)
		return false;
	*size = pages * PAGE_BYTES + (rest ? rest - PAGE_CRC_BYTES : 0);
	return true;
}

int page_file_open(
    struct fs *fs, const char *path, struct page_cache *cache, struct page_file **out, struct err *err)
{
	int fd;
	int rc = fs_open(fs, path, FS_READ, &fd, err);
	if (rc)
		return rc;
	uint64_t on_disk, size = 0;
	rc = fs_size(fs, fd, &on_disk, err);
	if (rc == 0 && !logical_size(on_disk, &size))
		rc = err_set(err, ERR_CORRUPT, "%s: torn page at the end", path);
	if (rc) {
		fs_close(fs, fd);
		return rc;
	}
	struct page_file *f = xcalloc(1, sizeof(*f));
	*f = (struct page_file){.fs = fs,
	    .fd = fd,
	    .cache = cache,
	    .id = page_cache_new_file(cache),
	    .size = size,
	    .path = xstrdup(path)};
	*out = f;
	return 0;
}

void page_file_close(struct page_file *f)
{
	if (!f)
		return;
	page_cache_drop_file(f->cache, f->id);
	fs_close(f->fs, f->fd);
	free(f->path);
	free(f->kept);
	free(f);
}

uint64_t page_file_size(const struct page_file *f)
{
	return f->size;
}

const char *page_file_path(const struct page_file *f)
{
	return f->path;
}

static int load_page(struct page_file *f, uint64_t no, struct page **out, struct err *err)
{
	uint64_t begin = no * PAGE_BYTES;
	size_t len = f->size - begin < PAGE_BYTES ? (size_t)(f->size - begin) : PAGE_BYTES, got;
	struct page *p = malloc(sizeof(*p) + len + PAGE_CRC_BYTES);
	if (!p)
		return err_set(err, ERR_NO_MEMORY, "%s: no memory for a page", f->path);
	int rc = fs_pread(f->fs, f->fd, p->bytes, len + PAGE_CRC_BYTES, no * STRIDE, &got, err);
	if (rc == 0 &&
	    (got != len + PAGE_CRC_BYTES || get_u32(p->bytes + len) != page_crc(no, p->bytes, len)))
		rc = err_set(
		    err, ERR_CORRUPT, "%s: page %llu: wrong checksum", f->path, (unsigned long long)no);
	if (rc) {
		free(p);
		return rc;
	}
	/* Field by field: the bytes begin within the padding of the struct. */
	p->file_id = f->id;
	p->no = no;
	p->len = (uint32_t)len;
	p->next = NULL;
	p->pins = 0;
	p->used = false;
	*out = p;
	return 0;
}

static int pin_page(struct page_file *f, uint64_t no, struct page **out, struct err *err)
{
	struct page *p = page_cache_get(f->cache, f->id, no);
	if (!p) {
		int rc = load_page(f, no, &p, err);
		if (rc)
			return rc;
		p = page_cache_put(f->cache, p);
	}
	*out = p;
	return 0;
}

static int check_range(const struct page_file *f, uint64_t offset, uint64_t n, struct err *err)
{
	if (n <= f->size && offset <= f->size - n)
		return 0;
	return err_set(err, ERR_CORRUPT, "%s: a reference to byte %llu, the file has %llu", f->path,
	    (unsigned long long)(offset + n), (unsigned long long)f->size);
}

int page_file_copy(struct page_file *f, uint64_t offset, size_t n, void *to, struct err *err)
{
	int rc = check_range(f, offset, n, err);
	if (rc == 0 && f->kept) {
		memcpy(to, f->kept + offset, n);
		return 0;
	}
	for (uint8_t *at = to; rc == 0 && n > 0;) {
		struct page *p;
		rc = pin_page(f, offset / PAGE_BYTES, &p, err);
		if (rc)
			break;
		size_t in_page = offset % PAGE_BYTES, m = p->len - in_page < n ? p->len - in_page : n;
		memcpy(at, p->bytes + in_page, m);
		page_cache_unpin(f->cache, p);
		at += m;
		offset += m;
		n -= m;
	}
	return rc;
}

int page_file_read(struct page_file *f, uint64_t offset, uint64_t n, struct page_span *out, struct err *err)
{
	struct page_span span = {.bytes = SL_EMPTY, .file = f};
	int rc = check_range(f, offset, n, err);
	if (rc == 0 && f->kept)
		span.bytes = slice_of(f->kept + offset, n);
	else if (rc == 0 && n > 0 && offset / PAGE_BYTES == (offset + n - 1) / PAGE_BYTES) {
		rc = pin_page(f, offset / PAGE_BYTES, &span.pinned, err);
		if (rc == 0)
			span.bytes = slice_of((const char *)span.pinned->bytes + offset % PAGE_BYTES, n);
	} else if (rc == 0 && n > 0) {
		span.copy = malloc(n);
		rc = span.copy ? page_file_copy(f, offset, n, span.copy, err)
			       : err_set(err, ERR_NO_MEMORY, "%s: no memory for %llu bytes", f->path,
				     (unsigned long long)n);
		span.bytes = slice_of(span.copy, n);
	}
	if (rc)
		free(span.copy);
	else
		*out = span;
	return rc;
}

void page_file_keep(struct page_file *f, uint64_t max_bytes)
{
	char *bytes = f->size > 0 && f->size <= max_bytes ? malloc(f->size) : NULL;
	if (!bytes)
		return;
	if (page_file_copy(f, 0, f->size, bytes, NULL) == 0)
		f->kept = bytes;
	else
		free(bytes);
}

void page_span_done(struct page_span *s)
{
	if (s->pinned)
		page_cache_unpin(s->file->cache, s->pinned);
	free(s->copy);
	memset(s, 0, sizeof(*s));
}

int page_file_verify(struct page_file *f, struct err *err)
{
	for (uint64_t no = 0; no * PAGE_BYTES < f->size; no++) {
		struct page *p;
		int rc = load_page(f, no, &p, err);
		if (rc)
			return rc;
		free(p);
	}
	return 0;
}

void page_file_verify_each(
    struct page_file *f, void (*bad)(void *arg, uint64_t offset, const char *why), void *arg)
{
	for (uint64_t no = 0; no * PAGE_BYTES < f->size; no++) {
		struct page *p;
		struct err err;
		int rc = load_page(f, no, &p, &err);
		if (rc == 0)
			free(p);
		else
			bad(arg, no * STRIDE, rc == ERR_CORRUPT ? "wrong checksum of the page" : err.msg);
	}
}
