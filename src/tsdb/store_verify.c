#include "tsdb/store_verify.h"

#include "base/xmalloc.h"
#include "tsdb/chunk_histogram.h"
#include "tsdb/data_dir.h"
#include "tsdb/deletions.h"
#include "tsdb/manifest.h"
#include "tsdb/part_priv.h"
#include "tsdb/part_read.h"
#include "tsdb/series_snapshot.h"
#include "tsdb/wal_segment.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_BYTES = 4 << 20, MANIFEST_TRIES = 3 };

static PRINTF_LIKE(6, 7) void report(struct store_verify *v, enum store_damage_kind kind, uint64_t number,
    const char *path, uint64_t offset, const char *fmt, ...)
{
	struct strbuf why = STRBUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&why, fmt, ap);
	va_end(ap);
	struct store_damage d = {
	    .kind = kind, .number = number, .path = path, .offset = offset, .why = strbuf_cstr(&why)};
	v->damages++;
	v->damage(v->arg, &d);
	strbuf_done(&why);
}

/* --- parts --------------------------------------------------------------------------------------------------- */

struct part_check {
	struct store_verify *v;
	struct page_cache *cache;
	const char *parts_dir;
	char name[PART_NAME_MAX];
	char *path; /* of what is looked at */
	struct part_meta meta;
	uint64_t damages; /* of this part */
};

static void part_report(struct part_check *c, uint64_t offset, const char *why)
{
	c->damages++;
	report(c->v, DAMAGE_PART, c->meta.seq, c->path, offset, "%s", why);
}

static void bad_page(void *arg, uint64_t offset, const char *why)
{
	part_report((struct part_check *)arg, offset, why);
}

static void bad_series(void *arg, const struct err *why)
{
	part_report((struct part_check *)arg, NO_OFFSET, why->msg);
}

static void set_path(struct part_check *c, const char *file)
{
	free(c->path);
	c->path = xasprintf("%s/%s%s%s", c->parts_dir, c->name, *file ? "/" : "", file);
}

/* The size that the file should have stands in the meta file: a page file that lost its end has good pages only. */
static void check_page_file(struct part_check *c, const char *file, uint64_t want_bytes)
{
	struct page_file *f;
	struct err err;
	set_path(c, file);
	if (page_file_open(c->v->fs, c->path, c->cache, &f, &err) != 0) {
		part_report(c, NO_OFFSET, err.msg);
		return;
	}
	uint64_t pages = (page_file_size(f) + PAGE_BYTES - 1) / PAGE_BYTES;
	uint64_t bytes = page_file_size(f) + pages * PAGE_CRC_BYTES;
	page_file_verify_each(f, bad_page, c);
	page_file_close(f);
	if (bytes == want_bytes)
		return;
	c->damages++;
	report(c->v, DAMAGE_PART, c->meta.seq, c->path, bytes < want_bytes ? bytes : want_bytes,
	    "the file has %" PRIu64 " bytes, should have %" PRIu64, bytes, want_bytes);
}

static void check_series(struct part_check *c)
{
	struct part *part;
	struct err err;
	set_path(c, "");
	if (part_open(c->v->fs, c->parts_dir, c->name, c->cache, &part, &err) != 0) {
		part_report(c, NO_OFFSET, err.msg);
		return;
	}
	part_verify_series(part, bad_series, c);
	part_unref(part);
}

static void check_part_files(struct part_check *c)
{
	struct err err;
	uint64_t seq = c->meta.seq;
	set_path(c, PART_FILE_META);
	if (part_meta_read(c->v->fs, c->path, &c->meta, &err) != 0) {
		part_report(c, NO_OFFSET, err.msg);
		return;
	}
	if (c->meta.seq != seq || strcmp(c->meta.name, c->name) != 0)
		part_report(c, NO_OFFSET, "the file is that of another part");
	c->meta.seq = seq;
	check_page_file(c, PART_FILE_CHUNKS, c->meta.chunks_bytes);
	check_page_file(c, PART_FILE_DIR, c->meta.dir_bytes);
	check_page_file(c, PART_FILE_INDEX, c->meta.index_bytes);
	/* With a bad page every series that touches it would be named. */
	if (c->damages == 0)
		check_series(c);
}

static void check_part(struct store_verify *v, const char *parts_dir, struct page_cache *cache, uint64_t seq)
{
	struct part_check c = {.v = v, .cache = cache, .parts_dir = parts_dir, .meta = {.seq = seq}};
	part_name(seq, c.name);
	set_path(&c, "");
	if (fs_exists(v->fs, c.path)) {
		check_part_files(&c);
		v->parts++;
		v->series += c.meta.series;
		v->chunks += c.meta.chunks;
		v->samples += c.meta.samples;
	} else if (!v->in_use) { /* a server may have dropped it meanwhile */
		part_report(&c, NO_OFFSET, "the manifest names this part, which is not there");
	}
	free(c.path);
}

/* Beside a server its last record may be half written when it is read. */
static int read_manifest(
    struct store_verify *v, struct manifest **out, enum manifest_state *state, struct err *err)
{
	int rc = manifest_read(v->fs, v->path, out, state, err);
	for (int i = 1; rc == 0 && v->in_use && *state == MANIFEST_DAMAGED && i < MANIFEST_TRIES; i++) {
		manifest_close(*out);
		rc = manifest_read(v->fs, v->path, out, state, err);
	}
	return rc;
}

static void check_parts(struct store_verify *v, const struct data_dir *d)
{
	struct manifest *m;
	struct err err;
	enum manifest_state state;
	char *path = xasprintf("%s/manifest", v->path);
	int rc = read_manifest(v, &m, &state, &err);
	if (rc != 0 || state == MANIFEST_DAMAGED)
		report(v, DAMAGE_MANIFEST, 0, path, NO_OFFSET, "%s",
		    rc ? err.msg : "a record is torn or damaged: parts may be missing from the list");
	free(path);
	if (rc != 0)
		return;
	size_t n;
	const struct manifest_part *parts = manifest_parts(m, &n);
	struct page_cache *cache = page_cache_new(CACHE_BYTES);
	for (size_t i = 0; i < n; i++)
		check_part(v, d->parts, cache, parts[i].seq);
	page_cache_free(cache);
	manifest_close(m);
}

/* --- records -------------------------------------------------------------------------------------------------- */

static int check_series_record(struct slice payload)
{
	struct wal_series_reader r = {0};
	series_ref ref;
	int rc;
	wal_series_open(&r, payload);
	while ((rc = wal_series_next(&r, &ref)) == 0)
		;
	wal_series_close(&r);
	return rc;
}

static int check_samples_record(struct slice payload)
{
	struct wal_samples_reader r;
	struct sample s;
	int rc;
	wal_samples_open(&r, payload);
	while ((rc = wal_samples_next(&r, &s)) == 0)
		;
	return rc;
}

static int check_histograms_record(struct slice payload)
{
	struct byte_reader r;
	series_ref ref;
	int64_t t_ms;
	struct slice chunk;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	int rc;
	sample_column_init(&c, arena);
	byte_reader_init(&r, payload);
	while ((rc = wal_histogram_next(&r, &ref, &t_ms, &chunk)) == 0) {
		sample_column_reset(&c);
		rc = chunk_histogram_read(chunk, t_ms, INT64_MIN, INT64_MAX, &c, NULL);
		if (rc != 0)
			break;
		arena_reset(arena);
	}
	sample_column_done(&c);
	arena_free(arena);
	return rc;
}

static int check_metadata_record(struct slice payload)
{
	struct byte_reader r;
	struct slice metric;
	struct metadata m;
	int rc;
	byte_reader_init(&r, payload);
	while ((rc = wal_metadata_next(&r, &metric, &m)) == 0)
		;
	return rc;
}

static int check_exemplars_record(struct slice payload)
{
	struct wal_series_reader r = {0};
	struct wal_exemplar e;
	int rc;
	wal_series_open(&r, payload);
	while ((rc = wal_exemplar_next(&r, &e)) == 0)
		;
	wal_series_close(&r);
	return rc;
}

bool store_record_is_good(const struct wal_frame *f, struct slice payload)
{
	if (f->version > WAL_RECORD_VERSION)
		return false;
	switch (f->type) {
	case WAL_SERIES:
		return check_series_record(payload) == 1;
	case WAL_SAMPLES:
		return check_samples_record(payload) == 1;
	case WAL_HISTOGRAMS:
		return check_histograms_record(payload) == 1;
	case WAL_METADATA:
		return check_metadata_record(payload) == 1;
	case WAL_EXEMPLARS:
		return check_exemplars_record(payload) == 1;
	default:
		return true;
	}
}

/* --- the log -------------------------------------------------------------------------------------------------- */

/* Where reading stands between segments. A bad end of a segment that is not the last is no loss when the next one goes on
 * with the number that is due: a batch is written again, to a new file, when a sync failed. */
struct log_walk {
	bool any; /* a record was seen */
	uint64_t last;
	struct {
		bool is_set;
		char *path; /* owned */
		uint64_t number, offset;
	} doubt;
};

static void settle(struct store_verify *v, struct log_walk *w, const struct wal_frame *f, uint64_t segment,
    const char *path, uint64_t offset)
{
	bool is_next = w->any && f->number == w->last + 1;
	if (w->doubt.is_set && !is_next)
		report(v, DAMAGE_SEGMENT, w->doubt.number, w->doubt.path, w->doubt.offset,
		    "no good record here: what stands in front of number %" PRIu64 " cannot be read",
		    f->number);
	else if (w->any && !is_next)
		report(v, DAMAGE_GAP, segment, path, offset,
		    "%" PRIu64 " records are missing in front of number %" PRIu64, f->number - w->last - 1,
		    f->number);
	w->doubt.is_set = false;
}

static void take_doubt(struct log_walk *w, uint64_t segment, const char *path, uint64_t offset)
{
	free(w->doubt.path);
	w->doubt.path = xstrdup(path);
	w->doubt.number = segment;
	w->doubt.offset = offset;
	w->doubt.is_set = true;
}

static void walk_segment(
    struct store_verify *v, struct log_walk *w, uint64_t segment, const char *path, struct slice content)
{
	struct wal_frames frames;
	struct wal_frame f;
	struct slice payload;
	wal_frames_open(&frames, content, WAL_SEGMENT_HEADER_BYTES, segment);
	for (;;) {
		size_t offset = frames.offset;
		int rc = wal_frames_next(&frames, &f, &payload);
		if (rc == ERR_CORRUPT) {
			take_doubt(w, segment, path, offset);
			if (wal_frames_resync(&frames, w->any ? w->last : 0))
				continue;
		}
		if (rc != 0)
			return;
		v->records++;
		if (w->any && f.number <= w->last)
			continue;
		settle(v, w, &f, segment, path, offset);
		w->any = true;
		w->last = f.number;
		if (!store_record_is_good(&f, payload))
			report(v, DAMAGE_SEGMENT, segment, path, offset,
			    "record %" PRIu64 " cannot be decoded", f.number);
	}
}

static bool all_zero(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i])
			return false;
	return true;
}

static void check_segment(struct store_verify *v, const char *dir, struct log_walk *w, uint64_t segment)
{
	struct strbuf content = STRBUF_INIT;
	struct err err;
	char *path = wal_segment_path(dir, segment);
	int rc = wal_segment_load(v->fs, dir, segment, &content, &err);
	if (rc == 0)
		walk_segment(v, w, segment, path, strbuf_slice(&content));
	/* Made just before a crash and never written; or cut meanwhile, by a server. */
	else if (!(rc == ERR_CORRUPT && all_zero(strbuf_slice(&content))) &&
		 !(rc == ERR_NOT_FOUND && v->in_use))
		report(v, DAMAGE_SEGMENT, segment, path, 0, "%s", err.msg);
	v->segments++;
	free(path);
	strbuf_done(&content);
}

static int check_log(struct store_verify *v, const struct data_dir *d, struct err *err)
{
	struct wal_segment_numbers numbers = {0};
	struct log_walk w = {0};
	int rc = wal_segment_list(v->fs, d->wal, &numbers, err);
	for (size_t i = 0; rc == 0 && i < numbers.len; i++)
		check_segment(v, d->wal, &w, numbers.v[i]);
	if (w.doubt.is_set && !v->in_use)
		report(v, DAMAGE_TAIL, w.doubt.number, w.doubt.path, w.doubt.offset,
		    "the log is torn here, as a crash leaves it");
	free(w.doubt.path);
	wal_segment_numbers_done(&numbers);
	return rc;
}

/* --- series snapshots ------------------------------------------------------------------------------------------ */

bool store_snapshot_frame_is_good(const struct wal_frame *f, struct slice payload)
{
	if (f->type == SNAPSHOT_SERIES)
		return check_series_record(payload) == 1;
	if (f->type == SNAPSHOT_LAST || f->type == SNAPSHOT_LAST_HISTOGRAM)
		return check_samples_record(payload) == 1;
	return true;
}

static void walk_snapshot(struct store_verify *v, unsigned stripe, const char *path, struct slice content)
{
	struct wal_frames frames;
	struct wal_frame f;
	struct slice payload;
	struct err err;
	if (series_snapshot_walk(content, stripe, &frames, &err) != 0) {
		report(v, DAMAGE_SNAPSHOT, stripe, path, 0, "%s", err.msg);
		return;
	}
	for (;;) {
		size_t offset = frames.offset;
		int rc = wal_frames_next(&frames, &f, &payload);
		if (rc == 1)
			return;
		if (rc == 0 && store_snapshot_frame_is_good(&f, payload))
			continue;
		report(v, DAMAGE_SNAPSHOT, stripe, path, offset, "a frame is damaged: series may be missing");
		if (rc != 0 && !wal_frames_resync(&frames, 0))
			return;
	}
}

static void check_snapshots(struct store_verify *v, const struct data_dir *d)
{
	for (unsigned stripe = 0; stripe < HEAD_STRIPES; stripe++) {
		struct strbuf content = STRBUF_INIT;
		struct err err;
		char *path = series_snapshot_path(d->head, stripe);
		int rc = fs_read_file(v->fs, path, &content, &err);
		if (rc == 0)
			walk_snapshot(v, stripe, path, strbuf_slice(&content));
		else if (rc != ERR_NOT_FOUND)
			report(v, DAMAGE_SNAPSHOT, stripe, path, NO_OFFSET, "%s", err.msg);
		v->snapshots += rc == 0;
		free(path);
		strbuf_done(&content);
	}
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

static void check_deletions(struct store_verify *v)
{
	char *path = xasprintf("%s/deletions", v->path);
	struct deletions d;
	struct err err;
	deletions_init(&d);
	int rc = deletions_read(v->fs, path, &d, &err);
	if (rc != 0 && rc != ERR_NOT_FOUND)
		report(v, DAMAGE_DELETIONS, 0, path, NO_OFFSET, "%s", err.msg);
	deletions_done(&d);
	free(path);
}

int store_verify_locked(struct store_verify *v, struct err *err)
{
	struct data_dir d = data_dir_at(v->fs, v->path);
	check_parts(v, &d);
	check_deletions(v);
	int rc = check_log(v, &d, err);
	if (rc == 0)
		check_snapshots(v, &d);
	data_dir_close(&d);
	return rc;
}

int store_verify_run(struct store_verify *v, struct err *err)
{
	struct data_dir lock;
	int rc = data_dir_open_existing(v->fs, v->path, &lock, err);
	v->in_use = rc == ERR_BUSY;
	if (rc != 0 && !v->in_use)
		return rc;
	rc = store_verify_locked(v, err);
	if (!v->in_use)
		data_dir_close(&lock);
	return rc;
}
