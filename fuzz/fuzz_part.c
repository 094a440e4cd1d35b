/* A part with some bytes of it changed, under checksums that are right, so that they do not stop the fuzzer at the door.
 * The part is always the same: floats of several codecs, histograms, deletions. The input is a list of patches:
 *
 *   u8 file (of `names` below), u16 offset, u8 length, that many bytes; length 0 cuts the file there. */
#include "base/crc32c.h"
#include "base/fs.h"
#include "base/xmalloc.h"
#include "tsdb/page_file.h"
#include "tsdb/part_priv.h"
#include "tsdb/part_read.h"
#include "tsdb/part_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHUNKS, DIRECTORY, INDEX, STONES, META, FILES, PAGED = STONES };
static const char *const names[FILES] = {
    PART_FILE_CHUNKS, PART_FILE_DIR, PART_FILE_INDEX, PART_FILE_STONES, PART_FILE_META};
enum { SERIES = 6, SAMPLES = 300, STONES_HEAD_BYTES = 12, STONES_CRC_AT = 8 };
#define META_CHECK ",\"crc32c\":\"%08x\"}\n"
enum { META_CHECK_BYTES = 22 };

struct base {
	struct fs *fs;
	char dir[64], path[128];
	struct page_cache *cache;
	struct strbuf content[FILES]; /* as they should be */
};

static int no_sync(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)arg, (void)path, (void)n;
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

static char *file_path(const struct base *b, unsigned file)
{
	return xasprintf("%s/%s", b->path, names[file]);
}

/* --- the part as it should be ------------------------------------------------------------------------------------ */

static double value_of(unsigned series, int64_t i)
{
	switch (series) {
	case 0:
		return 1;
	case 1:
		return (double)(i * 7);
	case 2:
		return (double)(i % 100) / 100;
	default:
		return (double)(i * i) * 0x1.23456789abcdep-7;
	}
}

static void write_series(struct part_writer *w, struct arena *arena, unsigned series)
{
	const struct labels *labels =
	    labels_of(arena, "__name__", "m", "n", arena_printf(arena, "%u", series).ptr, NULL);
	struct sample_column c;
	sample_column_init(&c, arena);
	for (int64_t i = 0; i < SAMPLES; i++) {
		struct histogram *h = series == SERIES - 1 ? ARENA_NEW(arena, struct histogram) : NULL;
		if (h)
			*h = (struct histogram){
			    .schema = 3, .count = (double)i, .zero_count = (double)i, .sum = 1};
		if (!sample_column_push(&c, i * 15000 + (series == 3 ? i % 7 : 0), value_of(series, i), h))
			abort();
	}
	if (part_writer_series(w, labels, NULL) != 0 || part_writer_column(w, &c, NULL) != 0)
		abort();
	sample_column_done(&c);
}

static void write_part(struct base *b)
{
	struct part_write_options o = {.fs = b->fs, .parts_dir = b->dir, .seq = 1, .chunk_samples = 120};
	struct part_writer *w;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct part *p;
	struct part_meta meta;
	struct postings all = {0};
	bool changed;
	if (part_writer_new(&o, &w, NULL) != 0)
		abort();
	for (unsigned i = 0; i < SERIES; i++)
		write_series(w, arena, i);
	if (part_writer_commit(w, &meta, NULL) != 0 ||
	    part_open(b->fs, b->dir, meta.name, b->cache, &p, NULL) != 0 ||
	    part_select(p, NULL, 0, &all, NULL) != 0 ||
	    part_delete(p, &all, 20 * 15000, 30 * 15000, &changed, NULL) != 0)
		abort();
	postings_done(&all);
	part_unref(p);
	arena_free(arena);
	snprintf(b->path, sizeof(b->path), "%s/%s", b->dir, meta.name);
}

static void read_content(struct base *b, unsigned file)
{
	char *path = file_path(b, file);
	struct page_file *f;
	strbuf_init(&b->content[file], STRBUF_NO_LIMIT);
	if (file >= PAGED) {
		if (fs_read_file(b->fs, path, &b->content[file], NULL) != 0)
			abort();
	} else {
		if (page_file_open(b->fs, path, b->cache, &f, NULL) != 0)
			abort();
		size_t n = page_file_size(f);
		if (page_file_copy(f, 0, n, strbuf_reserve(&b->content[file], n), NULL) != 0)
			abort();
		strbuf_advance(&b->content[file], n);
		page_file_close(f);
	}
	free(path);
}

static struct base base;

static void remove_base(void)
{
	int rc = fs_remove_tree(base.fs, base.dir, NULL);
	(void)rc;
}

static struct base *base_of_process(void)
{
	if (base.fs)
		return &base;
	base.fs = fs_faulty_new(no_sync, NULL);
	base.cache = page_cache_new(1 << 20);
	snprintf(base.dir, sizeof(base.dir), "/tmp/fuzz-part-%d", (int)getpid());
	write_part(&base);
	atexit(remove_base);
	for (unsigned i = 0; i < FILES; i++)
		read_content(&base, i);
	return &base;
}

/* --- the part as the input wants it ------------------------------------------------------------------------------ */

static void put_u32(char *to, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (char)(x >> (8 * i));
}

static void mend_checksum(unsigned file, struct strbuf *s)
{
	if (file == STONES && s->len >= STONES_HEAD_BYTES)
		put_u32(s->ptr + STONES_CRC_AT,
		    crc32c_mask(crc32c(0, s->ptr + STONES_HEAD_BYTES, s->len - STONES_HEAD_BYTES)));
	if (file == META && s->len >= META_CHECK_BYTES) {
		char check[META_CHECK_BYTES + 1];
		size_t body = s->len - META_CHECK_BYTES;
		snprintf(check, sizeof(check), META_CHECK, (unsigned)crc32c(0, s->ptr, body));
		memcpy(s->ptr + body, check, META_CHECK_BYTES);
	}
}

static void write_file(const struct base *b, unsigned file, const struct strbuf *s)
{
	char *path = file_path(b, file);
	struct page_writer *w;
	int rc = fs_unlink(b->fs, path, NULL);
	if (file >= PAGED)
		rc = fs_write_file(b->fs, path, strbuf_slice(s), NULL);
	else if ((rc = page_writer_new(b->fs, path, &w, NULL)) == 0) {
		page_writer_add(w, s->ptr, s->len);
		rc = page_writer_finish(w, NULL, NULL);
	}
	if (rc != 0)
		abort();
	free(path);
}

static void apply(struct strbuf *files, const uint8_t *data, size_t size)
{
	for (size_t at = 0, len; at + 4 <= size; at += 4 + len) {
		struct strbuf *s = &files[data[at] % FILES];
		size_t offset = data[at + 1] | (size_t)data[at + 2] << 8;
		len = data[at + 3];
		if (len > size - at - 4)
			len = size - at - 4;
		if (s->len == 0)
			continue;
		offset %= s->len;
		if (len == 0)
			s->len = offset;
		else
			memcpy(s->ptr + offset, data + at + 4, len < s->len - offset ? len : s->len - offset);
	}
}

/* --- reading it -------------------------------------------------------------------------------------------------- */

static void read_series(struct part *p, uint32_t ordinal, struct arena *arena)
{
	const struct labels *labels;
	struct part_series_size bytes;
	struct sample_column c;
	sample_column_init(&c, arena);
	int rc = part_labels(p, ordinal, arena, &labels, NULL);
	rc = part_series_size(p, ordinal, &bytes, NULL);
	rc = part_read(p, ordinal, INT64_MIN, INT64_MAX, &c, NULL);
	sample_column_reset(&c);
	rc = part_read(p, ordinal, 25 * 15000, 150 * 15000, &c, NULL);
	(void)rc; /* refusing is fine, falling over is not */
	sample_column_done(&c);
}

static void read_part(const struct base *b)
{
	struct part *p;
	struct postings all = {0};
	bool changed;
	if (part_open(b->fs, b->dir, strrchr(b->path, '/') + 1, b->cache, &p, NULL) != 0)
		return;
	struct arena *arena = arena_new(1 << 26);
	uint32_t n = part_series_count(p);
	for (uint32_t i = 0; i < n && i < 2 * SERIES; i++)
		read_series(p, i, arena);
	int rc = part_verify(p, NULL);
	rc = part_select(p, NULL, 0, &all, NULL);
	rc = part_delete(p, &all, 0, 1000, &changed, NULL);
	(void)rc;
	postings_done(&all);
	arena_free(arena);
	part_unref(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct base *b = base_of_process();
	struct strbuf files[FILES];
	for (unsigned i = 0; i < FILES; i++) {
		strbuf_init(&files[i], STRBUF_NO_LIMIT);
		strbuf_add_slice(&files[i], strbuf_slice(&b->content[i]));
	}
	apply(files, data, size);
	for (unsigned i = 0; i < FILES; i++) {
		mend_checksum(i, &files[i]);
		write_file(b, i, &files[i]);
		strbuf_done(&files[i]);
	}
	read_part(b);
	return 0;
}
