#include "tsdb/part_read.h"

#include "base/xmalloc.h"
#include "tsdb/chunk_column.h"
#include "tsdb/chunk_histogram.h"
#include "tsdb/chunk_summary.h"
#include "tsdb/part_index.h"
#include "tsdb/part_priv.h"
#include "tsdb/tombstones.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { DIR_KEPT_BYTES = 256 << 10 }; /* a directory of at most that stays in memory */
enum { BATCH = 64 };                 /* chunks whose directory entries are read at once */

struct part {
	uint64_t number; /* no other part of this process has it */
	struct fs *fs;
	char *path;
	struct part_meta meta;
	uint64_t disk_bytes; /* of all files */
	struct page_file *chunks, *dir, *index_file;
	struct part_index *index;
	struct packed_column columns[DIR_COLUMNS];
	struct tombstones *stones; /* NULL: nothing was deleted */
	_Atomic uint32_t refs;
	atomic_bool unlink;
};

/* --- opening ------------------------------------------------------------------------------------------------------ */

static int check_magic(struct page_file *f, const char *magic, struct err *err)
{
	char got[PART_MAGIC_BYTES];
	int rc = page_file_copy(f, 0, sizeof(got), got, err);
	if (rc == 0 && memcmp(got, magic, sizeof(got)) != 0)
		rc = err_set(err, ERR_CORRUPT, "%s: not a file of a known version", page_file_path(f));
	return rc;
}

static int open_file(
    struct part *p, const char *name, struct page_cache *cache, struct page_file **out, struct err *err)
{
	char *path = xasprintf("%s/%s", p->path, name);
	int rc = page_file_open(p->fs, path, cache, out, err);
	free(path);
	return rc;
}

/* What the columns must agree on; lookups rely on it. */
static bool directory_is_sound(const struct part *p)
{
	const struct packed_column *c = p->columns;
	uint64_t chunks = c[DIR_MIN_T].n;
	return chunks > 0 && c[DIR_OFFSET].n == chunks + 1 && c[DIR_MAX_T].n == chunks &&
	       c[DIR_COUNT].n == chunks && c[DIR_ENCODING].n == chunks && c[DIR_TIMES].n > 0 &&
	       c[DIR_FIRST_CHUNK].n == (uint64_t)part_index_series(p->index) + 1 &&
	       c[DIR_SUMMARY].n == c[DIR_FIRST_CHUNK].n && p->meta.chunks == chunks &&
	       p->meta.series == part_index_series(p->index);
}

static int read_directory(struct part *p, struct err *err)
{
	uint8_t trailer[DIR_TRAILER_BYTES];
	char contents[DIR_MAX_CONTENTS_BYTES];
	struct byte_reader r;
	uint64_t size = page_file_size(p->dir);
	if (size < PART_MAGIC_BYTES + DIR_TRAILER_BYTES)
		return err_set(err, ERR_CORRUPT, "%s: too short", page_file_path(p->dir));
	int rc = page_file_copy(p->dir, size - sizeof(trailer), sizeof(trailer), trailer, err);
	if (rc)
		return rc;
	byte_reader_init(&r, slice_of((const char *)trailer, sizeof(trailer)));
	uint64_t offset = read_u64(&r);
	uint32_t len = read_u32(&r);
	if (read_u32(&r) != DIR_TRAILER_MAGIC || len > sizeof(contents))
		return err_set(err, ERR_CORRUPT, "%s: broken trailer", page_file_path(p->dir));
	rc = page_file_copy(p->dir, offset, len, contents, err);
	if (rc)
		return rc;
	byte_reader_init(&r, slice_of(contents, len));
	for (size_t i = 0; i < DIR_COLUMNS; i++)
		packed_column_take(&r, &p->columns[i]);
	if (r.failed || !byte_reader_done(&r) || !directory_is_sound(p))
		return err_set(err, ERR_CORRUPT, "%s: the table of contents does not make sense",
		    page_file_path(p->dir));
	return 0;
}

static int open_files(struct part *p, struct page_cache *cache, struct err *err)
{
	int rc = open_file(p, PART_FILE_CHUNKS, cache, &p->chunks, err);
	if (rc == 0)
		rc = check_magic(p->chunks, CHUNKS_MAGIC, err);
	if (rc == 0)
		rc = open_file(p, PART_FILE_INDEX, cache, &p->index_file, err);
	if (rc == 0)
		rc = part_index_open(p->index_file, &p->index, err);
	if (rc == 0)
		rc = open_file(p, PART_FILE_DIR, cache, &p->dir, err);
	if (rc == 0)
		rc = check_magic(p->dir, DIR_MAGIC, err);
	if (rc == 0)
		rc = read_directory(p, err);
	if (rc == 0)
		page_file_keep(p->dir, DIR_KEPT_BYTES);
	return rc;
}

static void part_free(struct part *p)
{
	part_index_close(p->index);
	page_file_close(p->chunks);
	page_file_close(p->dir);
	page_file_close(p->index_file);
	tombstones_free(p->stones);
	free(p->path);
	free(p);
}

static int read_stones(struct part *p, struct err *err)
{
	char *path = xasprintf("%s/" PART_FILE_STONES, p->path);
	int rc = tombstones_read(p->fs, path, part_index_series(p->index), &p->stones, err);
	free(path);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* A file whose size cannot be told takes nothing: it is small, and the part can be read. */
static uint64_t size_of(struct part *p, const char *name)
{
	char *path = xasprintf("%s/%s", p->path, name);
	uint64_t size = 0;
	int fd;
	if (fs_open(p->fs, path, FS_READ, &fd, NULL) == 0) {
		int rc = fs_size(p->fs, fd, &size, NULL);
		(void)rc;
		fs_close(p->fs, fd);
	}
	free(path);
	return size;
}

int part_open(struct fs *fs, const char *parts_dir, const char *name, struct page_cache *cache,
    struct part **out, struct err *err)
{
	static _Atomic uint64_t parts; /* relaxed */
	struct part *p = xcalloc(1, sizeof(*p));
	p->number = atomic_fetch_add_explicit(&parts, 1, memory_order_relaxed) + 1;
	p->fs = fs;
	p->path = xasprintf("%s/%s", parts_dir, name);
	atomic_init(&p->refs, 1);
	char *meta_path = xasprintf("%s/" PART_FILE_META, p->path);
	int rc = part_meta_read(fs, meta_path, &p->meta, err);
	free(meta_path);
	if (rc == 0 && strcmp(p->meta.name, name) != 0)
		rc = err_set(err, ERR_CORRUPT, "%s: this is part %s", p->path, p->meta.name);
	if (rc == 0)
		rc = open_files(p, cache, err);
	if (rc == 0)
		rc = read_stones(p, err);
	if (rc) {
		part_free(p);
		return rc;
	}
	p->disk_bytes = p->meta.chunks_bytes + p->meta.dir_bytes + p->meta.index_bytes +
			size_of(p, PART_FILE_META) + size_of(p, PART_FILE_STONES);
	*out = p;
	return 0;
}

struct part *part_ref(struct part *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

/* The release of every other reference happens before the acquire of the last one, which frees. */
void part_unref(struct part *p)
{
	if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (atomic_load_explicit(&p->unlink, memory_order_relaxed)) {
		/* What cannot be removed now is garbage that the next start removes. */
		int rc = fs_remove_tree(p->fs, p->path, NULL);
		(void)rc;
	}
	part_free(p);
}

void part_unlink_when_done(struct part *p)
{
	atomic_store_explicit(&p->unlink, true, memory_order_relaxed);
}

const struct part_meta *part_meta(const struct part *p)
{
	return &p->meta;
}

uint64_t part_disk_bytes(const struct part *p)
{
	return p->disk_bytes;
}

uint32_t part_series_count(const struct part *p)
{
	return part_index_series(p->index);
}

/* --- labels ------------------------------------------------------------------------------------------------------- */

int part_select(struct part *p, const struct matcher *const *matchers, size_t n_matchers,
    struct postings *out, struct err *err)
{
	return part_index_select(p->index, matchers, n_matchers, out, err);
}

int part_labels(
    struct part *p, uint32_t ordinal, struct arena *arena, const struct labels **out, struct err *err)
{
	return part_index_labels(p->index, ordinal, arena, out, err);
}

int part_find(struct part *p, const struct labels *labels, uint32_t *ordinal, struct err *err)
{
	return part_index_find(p->index, labels, ordinal, err);
}

int part_each_name(struct part *p, int (*each)(void *arg, struct slice name), void *arg, struct err *err)
{
	return part_index_each_name(p->index, each, arg, err);
}

int part_each_value(struct part *p, struct slice name,
    int (*each)(void *arg, struct slice value, uint64_t series), void *arg, struct err *err)
{
	return part_index_each_value(p->index, name, NULL, each, arg, err);
}

int part_each_value_among(struct part *p, struct slice name, const struct postings *among,
    int (*each)(void *arg, struct slice value, uint64_t series), void *arg, struct err *err)
{
	return part_index_each_value(p->index, name, among, each, arg, err);
}

/* --- samples ------------------------------------------------------------------------------------------------------ */

/* The directory entries of up to BATCH chunks. */
struct entries {
	size_t n;
	int64_t min_t[BATCH], max_t[BATCH], count[BATCH];
};

static int corrupt(struct part *p, struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "%s: %s", p->path, what);
}

static int column(struct part *p, enum dir_column c, uint64_t from, size_t n, int64_t *x, struct err *err)
{
	return packed_column_get(p->dir, &p->columns[c], from, n, x, err);
}

static int read_entries(struct part *p, uint64_t from, size_t n, struct entries *e, struct err *err)
{
	e->n = n;
	int rc = column(p, DIR_MIN_T, from, n, e->min_t, err);
	if (rc == 0)
		rc = column(p, DIR_MAX_T, from, n, e->max_t, err);
	return rc ? rc : column(p, DIR_COUNT, from, n, e->count, err);
}

static int chunks_of(struct part *p, uint32_t ordinal, uint64_t *from, uint64_t *to, struct err *err)
{
	int64_t ends[2];
	int rc = column(p, DIR_FIRST_CHUNK, ordinal, 2, ends, err);
	if (rc)
		return rc;
	if (ends[0] < 0 || ends[1] <= ends[0] || (uint64_t)ends[1] > p->meta.chunks)
		return corrupt(p, err, "a series with impossible chunks");
	*from = (uint64_t)ends[0];
	*to = (uint64_t)ends[1];
	return 0;
}

static int read_between(struct part *p, enum dir_column c, uint64_t i, struct page_span *out, struct err *err)
{
	struct page_file *f = c == DIR_SUMMARY ? p->dir : p->chunks;
	int64_t ends[2];
	int rc = column(p, c, i, 2, ends, err);
	if (rc)
		return rc;
	if (ends[0] < 0 || ends[1] < ends[0])
		return corrupt(p, err, "offsets go backwards");
	return page_file_read(f, (uint64_t)ends[0], (uint64_t)(ends[1] - ends[0]), out, err);
}

static int read_floats(struct part *p, struct slice bytes, int64_t first_t_ms, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	bool shared;
	uint64_t id;
	struct page_span span = {.bytes = SL_EMPTY};
	int rc = chunk_column_times_id(bytes, &shared, &id, err);
	if (rc == 0 && shared)
		rc = read_between(p, DIR_TIMES, id, &span, err);
	struct chunk_times times = {span.bytes, p->number};
	if (rc == 0)
		rc = chunk_column_read(bytes, &times, first_t_ms, min_t_ms, max_t_ms, out, err);
	page_span_done(&span);
	return rc;
}

static int read_chunk(struct part *p, struct slice bytes, int64_t encoding, int64_t first_t_ms,
    int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	if (encoding == CHUNK_ENCODING_COLUMN)
		return read_floats(p, bytes, first_t_ms, min_t_ms, max_t_ms, out, err);
	if (encoding == CHUNK_ENCODING_HISTOGRAM)
		return chunk_histogram_read(bytes, first_t_ms, min_t_ms, max_t_ms, out, err);
	return err_set(err, ERR_CORRUPT, "chunk of an unknown encoding");
}

/* Up to BATCH chunks that follow each other in the file. */
struct run {
	uint64_t first;
	size_t n;
	int64_t min_t[BATCH], max_t[BATCH], encoding[BATCH], offset[BATCH + 1];
};

/* Where they stand and what they are. */
static int read_places(struct part *p, struct run *r, struct err *err)
{
	int rc = column(p, DIR_ENCODING, r->first, r->n, r->encoding, err);
	if (rc == 0)
		rc = column(p, DIR_OFFSET, r->first, r->n + 1, r->offset, err);
	for (size_t i = 0; rc == 0 && i < r->n; i++)
		if (r->offset[i] < 0 || r->offset[i + 1] <= r->offset[i])
			rc = corrupt(p, err, "offsets do not ascend");
	return rc;
}

/* The bytes of chunks from..to - 1 come in one piece. */
static int read_piece(struct part *p, const struct run *r, size_t from, size_t to,
    const struct tombstone *stones, size_t n_stones, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	struct page_span span;
	uint64_t begin = (uint64_t)r->offset[from];
	int rc = page_file_read(p->chunks, begin, (uint64_t)r->offset[to] - begin, &span, err);
	if (rc)
		return rc;
	for (size_t i = from; rc == 0 && i < to; i++) {
		struct slice bytes = slice_of(span.bytes.ptr + ((uint64_t)r->offset[i] - begin),
		    (size_t)(r->offset[i + 1] - r->offset[i]));
		if (tombstones_cover(stones, n_stones, r->min_t[i], r->max_t[i]))
			continue;
		rc = read_chunk(p, bytes, r->encoding[i], r->min_t[i], min_t_ms, max_t_ms, out, err);
		if (rc)
			err_prefix(err, "%s: chunk %llu: ", p->path, (unsigned long long)(r->first + i));
	}
	page_span_done(&span);
	return rc;
}

static int read_run(struct part *p, struct run *r, const struct tombstone *stones, size_t n_stones,
    int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	enum { PIECE_BYTES = 2 * PAGE_BYTES };
	int rc = read_places(p, r, err);
	for (size_t from = 0, to; rc == 0 && from < r->n; from = to) {
		for (to = from + 1; to < r->n && r->offset[to + 1] - r->offset[from] <= PIECE_BYTES;)
			to++;
		rc = read_piece(p, r, from, to, stones, n_stones, min_t_ms, max_t_ms, out, err);
	}
	return rc;
}

/* Narrows a run to what touches the range. */
static void cut_run(struct run *r, int64_t min_t_ms, int64_t max_t_ms)
{
	size_t from = 0, to = r->n;
	while (from < to && r->max_t[from] < min_t_ms)
		from++;
	while (to > from && r->min_t[to - 1] > max_t_ms)
		to--;
	memmove(r->min_t, r->min_t + from, (to - from) * sizeof(r->min_t[0]));
	memmove(r->max_t, r->max_t + from, (to - from) * sizeof(r->max_t[0]));
	r->first += from;
	r->n = to - from;
}

/* The samples of one series, those of chunks that are deleted as a whole left out. */
static int read_chunks(struct part *p, uint32_t ordinal, const struct tombstone *stones, size_t n_stones,
    int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	uint64_t from, to;
	int rc = chunks_of(p, ordinal, &from, &to, err);
	for (; rc == 0 && from < to; from += BATCH) {
		struct run r; /* large, and written before it is read */
		r.first = from;
		r.n = to - from < BATCH ? to - from : BATCH;
		rc = column(p, DIR_MIN_T, from, r.n, r.min_t, err);
		if (rc == 0)
			rc = column(p, DIR_MAX_T, from, r.n, r.max_t, err);
		if (rc)
			return rc;
		bool is_last = r.min_t[r.n - 1] > max_t_ms;
		cut_run(&r, min_t_ms, max_t_ms);
		if (r.n > 0)
			rc = read_run(p, &r, stones, n_stones, min_t_ms, max_t_ms, out, err);
		if (is_last)
			return rc;
	}
	return rc;
}

/* Takes deleted samples out from index `from` on; both lists are in the order of time. */
static void leave_out(const struct tombstone *stones, size_t n_stones, struct sample_column *c, size_t from)
{
	size_t kept = from;
	sample_column_forget_times(c);
	for (size_t i = from; i < c->n; i++) {
		for (; n_stones > 0 && stones->max_t_ms < c->t[i]; n_stones--)
			stones++;
		if (n_stones > 0 && stones->min_t_ms <= c->t[i])
			continue;
		c->t[kept] = c->t[i];
		c->v[kept] = c->v[i];
		if (c->h)
			c->h[kept] = c->h[i];
		if (c->start)
			c->start[kept] = c->start[i];
		kept++;
	}
	c->n = kept;
}

int part_read(struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out,
    struct err *err)
{
	size_t n_stones, from = out->n;
	const struct tombstone *stones = tombstones_of(p->stones, ordinal, &n_stones);
	int rc = read_chunks(p, ordinal, stones, n_stones, min_t_ms, max_t_ms, out, err);
	if (rc == 0 && n_stones > 0)
		leave_out(stones, n_stones, out, from);
	return rc;
}

/* How many samples the chunks have that touch the range. */
static int count_samples(struct part *p, uint32_t ordinal, const struct tombstone *stones, size_t n_stones,
    int64_t min_t_ms, int64_t max_t_ms, uint64_t *out, struct err *err)
{
	uint64_t from, to, sum = 0;
	int rc = chunks_of(p, ordinal, &from, &to, err);
	for (; rc == 0 && from < to; from += BATCH) {
		struct entries e;
		rc = read_entries(p, from, to - from < BATCH ? to - from : BATCH, &e, err);
		for (size_t i = 0; rc == 0 && i < e.n; i++)
			if (e.min_t[i] <= max_t_ms && e.max_t[i] >= min_t_ms && e.count[i] > 0 &&
			    !tombstones_cover(stones, n_stones, e.min_t[i], e.max_t[i]))
				sum += (uint64_t)e.count[i];
	}
	if (rc == 0)
		*out = sum;
	return rc;
}

static int count_left(
    struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms, uint64_t *out, struct err *err)
{
	size_t n_stones;
	const struct tombstone *stones = tombstones_of(p->stones, ordinal, &n_stones);
	return count_samples(p, ordinal, stones, n_stones, min_t_ms, max_t_ms, out, err);
}

uint64_t part_estimate(struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms)
{
	uint64_t n;
	return count_left(p, ordinal, min_t_ms, max_t_ms, &n, NULL) ? 0 : n;
}

/* The chunks of the series ordinals[0..n), which are neighbours: ends[i] to ends[i + 1]. */
static int chunk_ends(struct part *p, uint32_t ordinal, size_t n, int64_t *ends, struct err *err)
{
	int rc = column(p, DIR_FIRST_CHUNK, ordinal, n + 1, ends, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (ends[i] < 0 || ends[i + 1] <= ends[i] || (uint64_t)ends[i + 1] > p->meta.chunks)
			return corrupt(p, err, "a series with impossible chunks");
	return 0;
}

/* Of neighbours, at most BATCH. */
static int neighbours_touch(struct part *p, uint32_t ordinal, size_t n, int64_t min_t_ms, int64_t max_t_ms,
    bool *touches, struct err *err)
{
	int64_t ends[BATCH + 1], first_ms, last_ms;
	int rc = chunk_ends(p, ordinal, n, ends, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = column(p, DIR_MIN_T, (uint64_t)ends[i], 1, &first_ms, err);
		if (rc == 0)
			rc = column(p, DIR_MAX_T, (uint64_t)ends[i + 1] - 1, 1, &last_ms, err);
		touches[i] = rc == 0 && first_ms <= max_t_ms && last_ms >= min_t_ms;
	}
	return rc;
}

int part_touches(struct part *p, const uint32_t *ordinals, size_t n, int64_t min_t_ms, int64_t max_t_ms,
    bool *touches, struct err *err)
{
	int rc = 0;
	if (p->meta.min_t_ms >= min_t_ms && p->meta.max_t_ms <= max_t_ms) {
		for (size_t i = 0; i < n; i++)
			touches[i] = true;
		return 0;
	}
	for (size_t i = 0, run; rc == 0 && i < n; i += run) {
		for (run = 1; run < BATCH && i + run < n && ordinals[i + run] == ordinals[i] + run;)
			run++;
		rc = neighbours_touch(p, ordinals[i], run, min_t_ms, max_t_ms, touches + i, err);
	}
	return rc;
}

/* --- summaries ---------------------------------------------------------------------------------------------------- */

/* The rows of a series' summaries, while they are walked. */
struct summary_walk {
	struct page_span span;
	struct byte_reader rows;
	bool any; /* there are rows */
	bool has_before;
	struct sample_summary before;
};

static int summaries_begin(struct part *p, uint32_t ordinal, struct summary_walk *w, struct err *err)
{
	*w = (struct summary_walk){.span = {.bytes = SL_EMPTY}};
	int rc = read_between(p, DIR_SUMMARY, ordinal, &w->span, err);
	if (rc)
		return rc;
	byte_reader_init(&w->rows, w->span.bytes);
	w->any = !byte_reader_done(&w->rows);
	return 0;
}

/* That of the next chunk. */
static int next_summary(struct part *p, struct summary_walk *w, const struct entries *e, size_t i,
    struct chunk_span *span, struct err *err)
{
	*span = (struct chunk_span){.min_t_ms = e->min_t[i], .max_t_ms = e->max_t[i]};
	if (!w->any)
		return 0;
	struct sample_summary *s = &span->summary;
	s->first_t_ms = e->min_t[i];
	s->last_t_ms = e->max_t[i];
	s->count = (uint32_t)e->count[i];
	if (!chunk_summary_decode(&w->rows, w->has_before ? &w->before : NULL, s, &span->has_summary))
		return corrupt(p, err, "a torn summary of a chunk");
	if (span->has_summary) {
		w->before = *s;
		w->has_before = true;
	}
	return 0;
}

static bool stones_touch(const struct tombstone *v, size_t n, int64_t min_t_ms, int64_t max_t_ms)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].min_t_ms <= max_t_ms && v[i].max_t_ms >= min_t_ms)
			return true;
	return false;
}

static int append_spans(struct part *p, struct summary_walk *w, uint32_t ordinal, int64_t min_t_ms,
    int64_t max_t_ms, struct chunk_spans *out, struct err *err)
{
	uint64_t from, to;
	size_t n_stones;
	const struct tombstone *stones = tombstones_of(p->stones, ordinal, &n_stones);
	int rc = chunks_of(p, ordinal, &from, &to, err);
	for (; rc == 0 && from < to; from += BATCH) {
		struct entries e;
		rc = read_entries(p, from, to - from < BATCH ? to - from : BATCH, &e, err);
		for (size_t i = 0; rc == 0 && i < e.n; i++) {
			struct chunk_span span;
			if (e.min_t[i] > max_t_ms)
				return 0;
			rc = next_summary(p, w, &e, i, &span, err);
			if (rc || e.max_t[i] < min_t_ms ||
			    tombstones_cover(stones, n_stones, e.min_t[i], e.max_t[i]))
				continue;
			span.has_summary &= !stones_touch(stones, n_stones, e.min_t[i], e.max_t[i]);
			chunk_spans_push(out, span);
		}
	}
	return rc;
}

int part_spans(struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms, struct chunk_spans *out,
    struct err *err)
{
	struct summary_walk w;
	int rc = summaries_begin(p, ordinal, &w, err);
	if (rc)
		return rc;
	rc = append_spans(p, &w, ordinal, min_t_ms, max_t_ms, out, err);
	page_span_done(&w.span);
	return rc;
}

/* --- deleting ----------------------------------------------------------------------------------------------------- */

bool part_has_tombstones(const struct part *p)
{
	return p->stones && p->stones->n > 0;
}

/* Those that have samples there which are not deleted yet. */
static int select_touched(struct part *p, const struct postings *among, int64_t min_t_ms, int64_t max_t_ms,
    struct postings *out, struct err *err)
{
	struct postings_iter it;
	uint32_t ordinals[BATCH];
	int rc = 0;
	postings_iter_init(&it, among);
	for (size_t n; rc == 0 && (n = postings_iter_next(&it, ordinals, BATCH)) > 0;)
		for (size_t i = 0; i < n && rc == 0; i++) {
			uint64_t left = 0;
			rc = count_left(p, ordinals[i], min_t_ms, max_t_ms, &left, err);
			if (left > 0)
				postings_add(out, ordinals[i]);
		}
	return rc;
}

/* To what the file has, which may be more than what this part knows. */
static int add_stones(
    struct part *p, const struct postings *series, int64_t min_t_ms, int64_t max_t_ms, struct err *err)
{
	char *path = xasprintf("%s/" PART_FILE_STONES, p->path);
	struct tombstones *old = NULL;
	int rc = tombstones_read(p->fs, path, part_index_series(p->index), &old, err);
	if (rc == 0 || rc == ERR_NOT_FOUND) {
		struct tombstones *all = tombstones_with(old, series, min_t_ms, max_t_ms);
		rc = tombstones_write(p->fs, path, all, err);
		tombstones_free(all);
	}
	tombstones_free(old);
	free(path);
	return rc;
}

int part_delete(struct part *p, const struct postings *series, int64_t min_t_ms, int64_t max_t_ms,
    bool *changed, struct err *err)
{
	struct postings touched = {0};
	int rc = select_touched(p, series, min_t_ms, max_t_ms, &touched, err);
	bool any = !postings_is_empty(&touched);
	if (rc == 0 && any)
		rc = add_stones(p, &touched, min_t_ms, max_t_ms, err);
	postings_done(&touched);
	if (rc == 0)
		*changed = any;
	return rc;
}

int part_series_size(struct part *p, uint32_t ordinal, struct part_series_size *out, struct err *err)
{
	uint64_t from, to;
	int64_t ends[2];
	struct part_series_size size = {.min_t_ms = INT64_MAX, .max_t_ms = INT64_MIN};
	int rc = chunks_of(p, ordinal, &from, &to, err);
	if (rc == 0)
		rc = column(p, DIR_OFFSET, from, 1, &ends[0], err);
	if (rc == 0)
		rc = column(p, DIR_OFFSET, to, 1, &ends[1], err);
	if (rc)
		return rc;
	size.chunks = to - from;
	size.bytes = (uint64_t)(ends[1] - ends[0]);
	for (; rc == 0 && from < to; from += BATCH) {
		struct entries e;
		rc = read_entries(p, from, to - from < BATCH ? to - from : BATCH, &e, err);
		for (size_t i = 0; rc == 0 && i < e.n; i++) {
			size.samples += (uint64_t)e.count[i];
			size.min_t_ms = e.min_t[i] < size.min_t_ms ? e.min_t[i] : size.min_t_ms;
			size.max_t_ms = e.max_t[i] > size.max_t_ms ? e.max_t[i] : size.max_t_ms;
		}
	}
	if (rc == 0)
		*out = size;
	return rc;
}

/* --- verifying ---------------------------------------------------------------------------------------------------- */

/* That chunk's summary is what its samples add up to. */
static bool summary_is_right(
    const struct chunk_span *span, const struct sample_column *c, size_t from, size_t n)
{
	struct sample_summary s;
	bool floats = true;
	for (size_t i = from; c->h && i < from + n; i++)
		floats &= c->h[i] == NULL;
	bool has = floats && chunk_summary_make(c->t + from, c->v + from, n, &s);
	return has == span->has_summary && (!has || chunk_summary_equal(&s, &span->summary));
}

static int verify_rows(
    struct part *p, struct summary_walk *w, uint32_t ordinal, const struct sample_column *c, struct err *err)
{
	uint64_t from, to;
	size_t at = 0;
	int rc = chunks_of(p, ordinal, &from, &to, err);
	for (; rc == 0 && from < to; from += BATCH) {
		struct entries e;
		rc = read_entries(p, from, to - from < BATCH ? to - from : BATCH, &e, err);
		for (size_t i = 0; rc == 0 && i < e.n; at += (size_t)e.count[i++]) {
			struct chunk_span span;
			if (e.count[i] <= 0 || (uint64_t)e.count[i] > c->n - at)
				return corrupt(p, err, "a chunk has other samples than the directory says");
			rc = next_summary(p, w, &e, i, &span, err);
			if (rc == 0 && !summary_is_right(&span, c, at, (size_t)e.count[i]))
				rc = corrupt(p, err, "a summary is not what the samples add up to");
		}
	}
	if (rc == 0 && !byte_reader_done(&w->rows))
		rc = corrupt(p, err, "summaries of more chunks than there are");
	return rc;
}

static int verify_summaries(struct part *p, uint32_t ordinal, const struct sample_column *c, struct err *err)
{
	struct summary_walk w;
	int rc = summaries_begin(p, ordinal, &w, err);
	if (rc)
		return rc;
	rc = verify_rows(p, &w, ordinal, c, err);
	page_span_done(&w.span);
	return rc;
}

/* Every series' labels, in order, and its samples, in order and as many as the directory says; and their summaries. */
static int verify_series(
    struct part *p, uint32_t ordinal, struct sample_column *c, uint64_t *samples, struct err *err)
{
	uint64_t want;
	sample_column_reset(c);
	int rc = read_chunks(p, ordinal, NULL, 0, INT64_MIN, INT64_MAX, c, err);
	if (rc == 0)
		rc = count_samples(p, ordinal, NULL, 0, INT64_MIN, INT64_MAX, &want, err);
	if (rc)
		return rc;
	for (size_t i = 1; i < c->n; i++)
		if (c->t[i] <= c->t[i - 1])
			return corrupt(p, err, "times do not ascend from chunk to chunk");
	if (c->n != want)
		return corrupt(p, err, "a chunk has other samples than the directory says");
	*samples += c->n;
	return verify_summaries(p, ordinal, c, err);
}

/* One series after the other. `before` is the labels of the last good one; the caller frees them. */
struct verify_walk {
	struct part *part;
	struct arena *arena;
	struct sample_column column;
	struct labels *before;
	uint64_t samples;
};

static int verify_next(struct verify_walk *w, uint32_t ordinal, struct err *err)
{
	const struct labels *labels;
	arena_reset(w->arena);
	int rc = part_labels(w->part, ordinal, w->arena, &labels, err);
	if (rc)
		return rc;
	if (w->before && labels_cmp(w->before, labels) >= 0)
		return corrupt(w->part, err, "series are not in the order of their labels");
	labels_free(w->before);
	w->before = labels_copy(labels);
	return verify_series(w->part, ordinal, &w->column, &w->samples, err);
}

void part_verify_series(struct part *p, void (*bad)(void *arg, const struct err *why), void *arg)
{
	struct verify_walk w = {.part = p, .arena = arena_new(ARENA_NO_LIMIT)};
	struct err err;
	bool any = false;
	sample_column_init(&w.column, w.arena);
	for (uint32_t i = 0; i < part_series_count(p); i++) {
		if (verify_next(&w, i, &err) == 0)
			continue;
		bad(arg, &err);
		any = true;
	}
	if (!any && w.samples != p->meta.samples) {
		corrupt(p, &err, "the number of samples is not that of the meta file");
		bad(arg, &err);
	}
	labels_free(w.before);
	sample_column_done(&w.column);
	arena_free(w.arena);
}

static void keep_first(void *arg, const struct err *why)
{
	struct err *first = arg;
	if (first->code == ERR_OK)
		*first = *why;
}

int part_verify(struct part *p, struct err *err)
{
	int rc = page_file_verify(p->chunks, err);
	if (rc == 0)
		rc = page_file_verify(p->dir, err);
	if (rc == 0)
		rc = page_file_verify(p->index_file, err);
	if (rc)
		return rc;
	struct err first = {.code = ERR_OK};
	part_verify_series(p, keep_first, &first);
	return first.code == ERR_OK ? 0 : err_set(err, first.code, "%s", first.msg);
}
