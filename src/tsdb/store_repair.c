#include "tsdb/store_repair.h"

#include "base/crc32c.h"
#include "base/vec.h"
#include "tsdb/data_dir.h"
#include "tsdb/deletions.h"
#include "tsdb/manifest.h"
#include "tsdb/part_orphans.h"
#include "tsdb/part_read.h"
#include "tsdb/part_write.h"
#include "tsdb/series_snapshot.h"
#include "tsdb/store_verify.h"
#include "tsdb/wal_segment.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_BYTES = 4 << 20, SMALLEST_MS = 60000 };

/* What is to be mended: each file once, however many damages it has. */
struct target {
	enum store_damage_kind kind;
	uint64_t number;
};
VEC_DEFINE(target_vec, struct target);

struct repair {
	struct store_repair *r;
	struct data_dir dir;
	char *quarantine; /* of this run */
	struct manifest *manifest;
	struct target_vec targets;
	struct strbuf report;
};

static PRINTF_LIKE(2, 3) void note(struct repair *x, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	x->r->note(x->r->arg, strbuf_cstr(&text));
	strbuf_add_slice(&x->report, strbuf_slice(&text));
	strbuf_addch(&x->report, '\n');
	strbuf_done(&text);
}

static void take_damage(void *arg, const struct store_damage *d)
{
	struct repair *x = arg;
	enum store_damage_kind kind = d->kind == DAMAGE_TAIL ? DAMAGE_SEGMENT : d->kind;
	if (d->offset == NO_OFFSET)
		note(x, "%s: %s", d->path, d->why);
	else
		note(x, "%s: byte %" PRIu64 ": %s", d->path, d->offset, d->why);
	VEC_EACH (struct target, t, &x->targets)
		if (t->kind == kind && t->number == d->number)
			return;
	target_vec_push(&x->targets, (struct target){kind, d->number});
}

/* --- quarantine ----------------------------------------------------------------------------------------------- */

static int set_aside(struct repair *x, const char *path, struct err *err)
{
	const char *name = strrchr(path, '/') + 1;
	char *to = xasprintf("%s/%s", x->quarantine, name);
	int rc = fs_mkdir(x->r->fs, x->quarantine, err);
	if (rc == 0 && fs_exists(x->r->fs, to))
		rc = err_set(err, ERR_EXISTS, "%s is there already, from an earlier repair", to);
	if (rc == 0)
		rc = fs_rename(x->r->fs, path, to, err);
	if (rc == 0)
		rc = fs_sync_dir(x->r->fs, x->quarantine, err);
	if (rc == 0)
		note(x, "%s was moved to %s", path, to);
	free(to);
	return rc;
}

/* --- parts ------------------------------------------------------------------------------------------------------- */

/* What can be read of a series: around chunks that cannot, by halves. */
static void read_around(
    struct part *p, uint32_t ordinal, int64_t min_t_ms, int64_t max_t_ms, struct sample_column *c)
{
	size_t n = c->n;
	if (part_estimate(p, ordinal, min_t_ms, max_t_ms) == 0 ||
	    part_read(p, ordinal, min_t_ms, max_t_ms, c, NULL) == 0)
		return;
	sample_column_forget_times(c);
	c->n = n;
	if (max_t_ms - min_t_ms < SMALLEST_MS)
		return;
	int64_t mid = min_t_ms + (max_t_ms - min_t_ms) / 2;
	read_around(p, ordinal, min_t_ms, mid, c);
	read_around(p, ordinal, mid + 1, max_t_ms, c);
}

/* False: some of it, or all, is lost. */
static bool read_series(struct part *p, uint32_t ordinal, struct sample_column *c)
{
	struct part_series_size size;
	sample_column_reset(c);
	if (part_read(p, ordinal, INT64_MIN, INT64_MAX, c, NULL) == 0)
		return true;
	sample_column_reset(c);
	int64_t span;
	if (part_series_size(p, ordinal, &size, NULL) == 0 &&
	    !__builtin_sub_overflow(size.max_t_ms, size.min_t_ms, &span))
		read_around(p, ordinal, size.min_t_ms, size.max_t_ms, c);
	return false;
}

/* What can be read, as a new part; *lost is the number of series of which something cannot. */
static int copy_series(struct part *p, struct part_writer *w, uint32_t *lost, struct err *err)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	int rc = 0;
	*lost = 0;
	sample_column_init(&c, arena);
	for (uint32_t i = 0; rc == 0 && i < part_series_count(p); i++) {
		const struct labels *labels;
		arena_reset(arena);
		if (part_labels(p, i, arena, &labels, NULL) != 0) {
			++*lost;
			continue;
		}
		*lost += !read_series(p, i, &c);
		rc = part_writer_series(w, labels, err);
		if (rc == 0)
			rc = part_writer_column(w, &c, err);
	}
	sample_column_done(&c);
	arena_free(arena);
	return rc;
}

/* ERR_NOT_FOUND: nothing can be saved. */
static int save_part(
    struct repair *x, const char *name, struct page_cache *cache, struct part_meta *out, struct err *err)
{
	struct part *p;
	if (part_open(x->r->fs, x->dir.parts, name, cache, &p, err) != 0)
		return ERR_NOT_FOUND;
	const struct part_meta *m = part_meta(p);
	struct part_write_options o = {.fs = x->r->fs,
	    .parts_dir = x->dir.parts,
	    .seq = manifest_next_seq(x->manifest),
	    .newest_seq = m->newest_seq,
	    .level = m->level,
	    .out_of_order = m->out_of_order};
	struct part_writer *w;
	uint32_t lost, all = part_series_count(p);
	int rc = part_writer_new(&o, &w, err);
	if (rc == 0) {
		rc = copy_series(p, w, &lost, err);
		if (rc == 0 && part_writer_is_empty(w))
			rc = ERR_NOT_FOUND;
		if (rc == 0)
			rc = part_writer_commit(w, out, err);
		else
			part_writer_free(w);
	}
	part_unref(p);
	if (rc == 0)
		note(x, "%s: %" PRIu32 " of %" PRIu32 " series were saved as a whole to %s", name, all - lost,
		    all, out->name);
	return rc;
}

/* The old part is in quarantine before the list forgets it: what the list does not name is removed at the next start. */
static int mend_part(struct repair *x, uint64_t seq, struct err *err)
{
	char name[PART_NAME_MAX];
	part_name(seq, name);
	char *path = xasprintf("%s/%s", x->dir.parts, name);
	struct part_meta saved = {0};
	struct page_cache *cache = page_cache_new(CACHE_BYTES);
	int rc = save_part(x, name, cache, &saved, err);
	page_cache_free(cache);
	bool is_saved = rc == 0;
	if (rc == ERR_NOT_FOUND)
		rc = 0;
	if (rc == 0 && fs_exists(x->r->fs, path))
		rc = set_aside(x, path, err);
	struct manifest_part add = {saved.seq, saved.level, saved.min_t_ms, saved.max_t_ms};
	struct manifest_change change = {.add = &add, .n_add = is_saved, .remove = &seq, .n_remove = 1};
	if (rc == 0)
		rc = manifest_commit(x->manifest, &change, err);
	free(path);
	return rc;
}

static void orphan_note(void *arg, const char *text)
{
	note((struct repair *)arg, "%s", text);
}

static int open_manifest(struct repair *x, struct err *err)
{
	enum manifest_state state;
	int rc = manifest_open(x->r->fs, x->r->path, &x->manifest, &state, err);
	if (rc != 0 || state == MANIFEST_WHOLE)
		return rc;
	note(x, "the damaged manifest was kept as %s/manifest.damaged", x->r->path);
	struct page_cache *cache = page_cache_new(CACHE_BYTES);
	struct part_orphans o = {.fs = x->r->fs,
	    .parts_dir = x->dir.parts,
	    .manifest = x->manifest,
	    .cache = cache,
	    .salvage = true,
	    .note = orphan_note,
	    .arg = x};
	rc = part_orphans_settle(&o, err);
	page_cache_free(cache);
	return rc;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

/* The checksum of a frame is over its place too, so one that moves gets a new one. */
static void add_frame(struct strbuf *out, struct wal_frame f, struct slice payload, uint64_t place)
{
	uint8_t head[WAL_FRAME_BYTES];
	f.check = wal_frame_check(&f, crc32c(0, payload.ptr, payload.len), place, out->len);
	wal_frame_encode(&f, head);
	strbuf_add(out, head, sizeof(head));
	strbuf_add_slice(out, payload);
}

/* All good frames behind what `out` holds; `keep` says which of them are worth it. Returns how many. */
static uint64_t copy_frames(struct wal_frames *frames, bool resync_by_number,
    bool (*keep)(const struct wal_frame *f, struct slice payload), struct strbuf *out)
{
	struct wal_frame f;
	struct slice payload;
	uint64_t n = 0, last = 0;
	int rc;
	while ((rc = wal_frames_next(frames, &f, &payload)) != 1) {
		if (rc == 0 && keep(&f, payload)) {
			add_frame(out, f, payload, frames->place);
			last = f.number;
			n++;
		}
		if (rc != 0 && !wal_frames_resync(frames, resync_by_number ? last : 0))
			break;
	}
	return n;
}

static int write_segment(struct repair *x, uint64_t number, struct slice frames, struct err *err)
{
	struct wal_segment s;
	struct fs *fs = x->r->fs;
	int rc = wal_segment_create(fs, x->dir.wal, number, WAL_SEGMENT_HEADER_BYTES + frames.len, &s, err);
	if (rc != 0)
		return rc;
	rc = wal_segment_write(fs, &s, frames.ptr, frames.len, err);
	if (rc == 0)
		rc = fs_datasync(fs, s.fd, err);
	if (rc != 0) {
		wal_segment_abandon(fs, &s);
		return rc;
	}
	return wal_segment_finish(fs, &s, err);
}

static int mend_segment(struct repair *x, uint64_t number, struct err *err)
{
	char *path = wal_segment_path(x->dir.wal, number);
	struct strbuf content = STRBUF_INIT, out = STRBUF_INIT;
	int rc = fs_read_file(x->r->fs, path, &content, err);
	if (rc == 0)
		rc = set_aside(x, path, err);
	if (rc == 0 && content.len > WAL_SEGMENT_HEADER_BYTES) {
		struct wal_frames frames;
		strbuf_add(&out, content.ptr, WAL_SEGMENT_HEADER_BYTES);
		wal_frames_open(&frames, strbuf_slice(&content), WAL_SEGMENT_HEADER_BYTES, number);
		uint64_t n = copy_frames(&frames, true, store_record_is_good, &out);
		rc = write_segment(x, number, slice_from(strbuf_slice(&out), WAL_SEGMENT_HEADER_BYTES), err);
		if (rc == 0)
			note(x, "%s: %" PRIu64 " records were saved", path, n);
	}
	strbuf_done(&content);
	strbuf_done(&out);
	free(path);
	return rc;
}

static int mend_snapshot(struct repair *x, unsigned stripe, struct err *err)
{
	char *path = series_snapshot_path(x->dir.head, stripe);
	struct strbuf content = STRBUF_INIT, out = STRBUF_INIT;
	struct wal_frames frames;
	int rc = fs_read_file(x->r->fs, path, &content, err);
	if (rc == 0)
		rc = set_aside(x, path, err);
	if (rc == 0 && series_snapshot_walk(strbuf_slice(&content), stripe, &frames, NULL) == 0) {
		strbuf_add(&out, content.ptr, frames.offset);
		uint64_t n = copy_frames(&frames, false, store_snapshot_frame_is_good, &out);
		rc = fs_write_file(x->r->fs, path, strbuf_slice(&out), err);
		if (rc == 0)
			note(x, "%s: %" PRIu64 " frames were saved", path, n);
	}
	strbuf_done(&content);
	strbuf_done(&out);
	free(path);
	return rc;
}

/* Without the list nothing is known of deletions but what parts have of them: all newest samples may be deleted ones. */
static int mend_deletions(struct repair *x, struct err *err)
{
	char *path = xasprintf("%s/deletions", x->dir.path);
	struct deletions d;
	int rc = set_aside(x, path, err);
	deletions_init(&d);
	d.until_ms = x->r->now_ms;
	if (rc == 0)
		rc = deletions_write(x->r->fs, path, &d, err);
	deletions_done(&d);
	free(path);
	return rc;
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */

static int mend(struct repair *x, const struct target *t, struct err *err)
{
	switch (t->kind) {
	case DAMAGE_PART:
		return mend_part(x, t->number, err);
	case DAMAGE_SEGMENT:
	case DAMAGE_TAIL:
		return mend_segment(x, t->number, err);
	case DAMAGE_SNAPSHOT:
		return mend_snapshot(x, (unsigned)t->number, err);
	case DAMAGE_DELETIONS:
		return mend_deletions(x, err);
	case DAMAGE_MANIFEST: /* opening it was all */
	case DAMAGE_GAP:      /* nothing is there that could be mended */
		break;
	}
	return 0;
}

static int write_report(struct repair *x, struct err *err)
{
	char *path = xasprintf("%s/report.txt", x->quarantine);
	int rc = fs_mkdir(x->r->fs, x->quarantine, err);
	if (rc == 0)
		rc = fs_write_file(x->r->fs, path, strbuf_slice(&x->report), err);
	free(path);
	return rc;
}

static int repair_locked(struct repair *x, struct err *err)
{
	struct store_verify v = {.fs = x->r->fs, .path = x->r->path, .damage = take_damage, .arg = x};
	int rc = store_verify_locked(&v, err);
	x->r->damages = v.damages;
	if (rc != 0 || x->targets.len == 0)
		return rc;
	rc = open_manifest(x, err);
	for (size_t i = 0; rc == 0 && i < x->targets.len; i++) {
		rc = mend(x, &x->targets.v[i], err);
		x->r->mended += rc == 0 && x->targets.v[i].kind != DAMAGE_GAP;
	}
	int report_rc = write_report(x, rc == 0 ? err : NULL);
	return rc ? rc : report_rc;
}

int store_repair_run(struct store_repair *r, struct err *err)
{
	struct repair x = {.r = r, .report = STRBUF_INIT};
	int rc = data_dir_open_existing(r->fs, r->path, &x.dir, err);
	if (rc != 0)
		return rc;
	x.quarantine = xasprintf("%s/quarantine/%" PRId64, r->path, r->now_ms);
	rc = repair_locked(&x, err);
	manifest_close(x.manifest);
	data_dir_close(&x.dir);
	target_vec_done(&x.targets);
	strbuf_done(&x.report);
	free(x.quarantine);
	return rc;
}
