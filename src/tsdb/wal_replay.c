#include "tsdb/wal_replay.h"

#include "base/xmalloc.h"
#include "tsdb/head_append.h"
#include "tsdb/head_exemplar.h"
#include "tsdb/wal_frames.h"
#include "tsdb/wal_segment.h"
#include <inttypes.h>

enum { BATCH = 256 };

static PRINTF_LIKE(2, 3) void note(struct wal_replay *r, const char *fmt, ...)
{
	if (!r->note)
		return;
	struct strbuf text = STRBUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	r->note(r->arg, strbuf_cstr(&text));
	strbuf_done(&text);
}

/* --- records ------------------------------------------------------------------------------------------------- */

static uint64_t covered_record(const struct wal_replay *r, series_ref ref)
{
	return r->head->stripes[series_stripe_of(ref)].replay_record;
}

static int replay_series(struct wal_replay *r, uint64_t number, struct slice payload)
{
	struct wal_series_reader reader = {0};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	wal_series_open(&reader, payload);
	series_ref ref;
	int rc;
	while ((rc = wal_series_next(&reader, &ref)) == 0) {
		if (number <= covered_record(r, ref))
			continue;
		r->series += head_restore_series(r->head, ref, labels_from_sorted(arena, reader.l, reader.n));
		arena_reset(arena);
	}
	wal_series_close(&reader);
	arena_free(arena);
	return rc == 1 ? 0 : rc;
}

/* A series of which the log or a snapshot lost the labels: its ref must not be given to another. */
static bool is_known(struct wal_replay *r, series_ref ref)
{
	const struct head_block *b = head_columns_block(&r->head->columns, ref);
	if (b && b->series[series_in_block(ref)].labels != 0)
		return true;
	if (ref >= r->head->next_ref && ref < UINT32_MAX)
		r->head->next_ref = ref + 1;
	r->unknown++;
	return false;
}

/* By a deletion that came behind this record. Rare: a series snapshot, which covers the record, was lost. */
static bool is_deleted(const struct wal_replay *r, uint64_t number, series_ref ref, int64_t t_ms)
{
	if (number > r->deleted_record)
		return false;
	const struct head_block *b = head_columns_block(&r->head->columns, ref);
	uint32_t handle = b ? b->series[series_in_block(ref)].labels : 0;
	if (handle == 0)
		return false;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	bool is = deletions_cover(
	    r->deletions, number, series_labels_get(&r->head->index.labels, handle, arena), t_ms);
	arena_free(arena);
	return is;
}

static int replay_samples(struct wal_replay *r, uint64_t number, struct slice payload)
{
	struct wal_samples_reader reader;
	struct sample batch[BATCH];
	size_t n = 0;
	int rc;
	wal_samples_open(&reader, payload);
	while ((rc = wal_samples_next(&reader, &batch[n])) == 0) {
		if (number <= covered_record(r, batch[n].ref))
			continue;
		if (!is_known(r, batch[n].ref) || is_deleted(r, number, batch[n].ref, batch[n].t_ms))
			continue;
		if (++n < BATCH - 1)
			continue;
		r->samples += head_replay_samples(r->head, batch, n);
		n = 0;
	}
	r->samples += head_replay_samples(r->head, batch, n);
	return rc == 1 ? 0 : rc;
}

static int replay_histograms(struct wal_replay *r, uint64_t number, struct slice payload)
{
	struct byte_reader reader;
	series_ref ref;
	int64_t t_ms;
	struct slice chunk;
	int rc;
	byte_reader_init(&reader, payload);
	while ((rc = wal_histogram_next(&reader, &ref, &t_ms, &chunk)) == 0)
		if (number > covered_record(r, ref) && !is_deleted(r, number, ref, t_ms))
			r->samples += head_replay_histogram(r->head, ref, t_ms, chunk);
	return rc == 1 ? 0 : rc;
}

static int replay_metadata(struct wal_replay *r, struct slice payload)
{
	struct byte_reader reader;
	struct slice metric;
	struct metadata m;
	int rc;
	byte_reader_init(&reader, payload);
	while ((rc = wal_metadata_next(&reader, &metric, &m)) == 0)
		metadata_store_set(&r->head->metadata, metric, &m);
	return rc == 1 ? 0 : rc;
}

int wal_replay_record(struct wal_replay *r, const struct wal_frame *f, struct slice payload)
{
	switch (f->type) {
	case WAL_SERIES:
		return replay_series(r, f->number, payload);
	case WAL_SAMPLES:
		return replay_samples(r, f->number, payload);
	case WAL_HISTOGRAMS:
		return replay_histograms(r, f->number, payload);
	case WAL_METADATA:
		return replay_metadata(r, payload);
	case WAL_EXEMPLARS:
		return head_replay_exemplars(r->head, f->number, payload);
	default: /* of a later version that thought older ones could do without */
		return 0;
	}
}

/* --- segments ------------------------------------------------------------------------------------------------ */

/* Where reading stands between segments. */
struct walk {
	bool any;      /* a record was seen */
	uint64_t last; /* the largest number */
	/* A bad record in an earlier segment, of which the next good record tells whether anything is lost. */
	bool doubtful;
	size_t doubtful_at; /* in segments */
	size_t offset;
};

static bool all_zero(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i])
			return false;
	return true;
}

static void settle_doubt(struct wal_replay *r, struct walk *w, uint64_t number)
{
	if (!w->any && w->doubtful) {
		struct wal_old_segment *s = &r->segments.v[w->doubtful_at];
		s->damaged = true;
		r->records_lost++;
		note(r,
		    "log segment %016" PRIx64 " is damaged at byte %zu: what stood before record %" PRIu64
		    " is lost",
		    s->number, w->offset, number);
	}
	if (w->any && number > w->last + 1) {
		uint64_t lost = number - w->last - 1;
		r->records_lost += lost;
		if (w->doubtful) {
			struct wal_old_segment *s = &r->segments.v[w->doubtful_at];
			s->damaged = true;
			note(r,
			    "log segment %016" PRIx64 " is damaged at byte %zu: %" PRIu64 " records are lost",
			    s->number, w->offset, lost);
		} else {
			note(r, "%" PRIu64 " records are missing from the log behind number %" PRIu64, lost,
			    w->last);
		}
	}
	w->doubtful = false;
}

static void note_doubt(struct walk *w, size_t at, size_t offset)
{
	w->doubtful = true;
	w->doubtful_at = at;
	w->offset = offset;
}

static void replay_frames(struct wal_replay *r, struct walk *w, struct slice content, size_t at)
{
	struct wal_old_segment *s = &r->segments.v[at];
	struct wal_frames frames;
	struct wal_frame f;
	struct slice payload;
	uint64_t unknown = r->unknown;
	int rc;
	wal_frames_open(&frames, content, WAL_SEGMENT_HEADER_BYTES, s->number);
	for (;;) {
		rc = wal_frames_next(&frames, &f, &payload);
		if (rc == ERR_CORRUPT) {
			note_doubt(w, at, frames.offset);
			if (wal_frames_resync(&frames, w->last))
				continue;
		}
		if (rc != 0)
			break;
		if (w->any && f.number <= w->last)
			continue;
		settle_doubt(r, w, f.number);
		if (f.version > WAL_RECORD_VERSION || wal_replay_record(r, &f, payload) != 0) {
			note(r,
			    "record %" PRIu64 " of log segment %016" PRIx64
			    " cannot be understood and is left out",
			    f.number, s->number);
			s->damaged = true;
		}
		w->last = f.number;
		w->any = true;
	}
	s->bytes = frames.offset;
	s->last_record = w->any ? w->last : 0;
	if (r->unknown > unknown) {
		s->damaged = true;
		note(r, "log segment %016" PRIx64 " has %" PRIu64 " samples of series whose labels are lost",
		    s->number, r->unknown - unknown);
	}
}

static int replay_segment(struct wal_replay *r, struct walk *w, size_t at, bool *is_empty, struct err *err)
{
	struct wal_old_segment *s = &r->segments.v[at];
	struct strbuf content = STRBUF_INIT;
	int rc = wal_segment_load(r->fs, r->dir, s->number, &content, err);
	*is_empty = rc == ERR_CORRUPT && all_zero(strbuf_slice(&content));
	if (rc == ERR_CORRUPT && !*is_empty) {
		note(r, "%s: its records are read one by one", err ? err->msg : "damaged log segment");
		s->damaged = true;
	}
	if (rc == 0 || (rc == ERR_CORRUPT && content.len >= WAL_SEGMENT_HEADER_BYTES && !*is_empty))
		replay_frames(r, w, strbuf_slice(&content), at);
	else if (rc == ERR_CORRUPT)
		s->last_record = w->any ? w->last : 0;
	rc = rc == ERR_CORRUPT ? 0 : rc;
	strbuf_done(&content);
	return rc;
}

/* The bytes from `offset` to the last that is not zero, in "<path>.damaged". */
static int keep_tail(struct wal_replay *r, const char *path, size_t offset, struct err *err)
{
	struct strbuf content = STRBUF_INIT;
	int rc = fs_read_file(r->fs, path, &content, err);
	size_t end = content.len;
	while (end > offset && content.ptr[end - 1] == 0)
		end--;
	char *aside = xasprintf("%s.damaged", path);
	if (rc == 0 && end > offset)
		rc = fs_write_file(r->fs, aside, slice_of(content.ptr + offset, end - offset), err);
	free(aside);
	strbuf_done(&content);
	return rc;
}

static int cut_file(struct wal_replay *r, const char *path, size_t offset, struct err *err)
{
	int fd;
	int rc = fs_open(r->fs, path, FS_READ_WRITE, &fd, err);
	if (rc != 0)
		return rc;
	rc = fs_truncate(r->fs, fd, offset, err);
	if (rc == 0)
		rc = fs_datasync(r->fs, fd, err);
	fs_close(r->fs, fd);
	return rc;
}

/* The torn tail of a crash: what stands behind the last good record goes. */
static int cut_tail(struct wal_replay *r, const struct walk *w, struct err *err)
{
	const struct wal_old_segment *s = &r->segments.v[w->doubtful_at];
	if (r->read_only) {
		note(r, "log segment %016" PRIx64 " is torn at byte %zu", s->number, w->offset);
		return 0;
	}
	char *path = wal_segment_path(r->dir, s->number);
	int rc = keep_tail(r, path, w->offset, err);
	if (rc == 0)
		rc = cut_file(r, path, w->offset, err);
	if (rc == 0)
		note(r, "log segment %016" PRIx64 " was torn at byte %zu: cut there", s->number, w->offset);
	if (rc != 0 && err_is_disk_full(err)) {
		/* Numbers go on behind the last good record: the tail does no harm where it is. */
		note(r, "log segment %016" PRIx64 " is torn at byte %zu, and left so: the disk is full",
		    s->number, w->offset);
		rc = 0;
	}
	free(path);
	return rc;
}

/* A segment that was made just before the crash and never written. */
static int remove_empty(struct wal_replay *r, uint64_t number, struct err *err)
{
	char *path = wal_segment_path(r->dir, number);
	int rc = fs_unlink(r->fs, path, err);
	free(path);
	return rc;
}

static int replay_all(
    struct wal_replay *r, const struct wal_segment_numbers *numbers, struct walk *w, struct err *err)
{
	for (size_t i = 0; i < numbers->len; i++) {
		wal_old_segments_add(&r->segments)->number = numbers->v[i];
		bool is_empty;
		int rc = replay_segment(r, w, r->segments.len - 1, &is_empty, err);
		if (rc == 0 && is_empty) {
			r->segments.len--;
			rc = r->read_only ? 0 : remove_empty(r, numbers->v[i], err);
		}
		if (rc != 0)
			return rc;
		if (r->progress)
			r->progress(r->arg, i + 1, numbers->len);
	}
	return w->doubtful ? cut_tail(r, w, err) : 0;
}

int wal_replay_run(struct wal_replay *r, struct err *err)
{
	struct wal_segment_numbers numbers = {0};
	struct walk w = {0};
	r->deleted_record = r->deletions ? deletions_newest_record(r->deletions) : 0;
	int rc = wal_segment_list(r->fs, r->dir, &numbers, err);
	if (rc == 0)
		rc = replay_all(r, &numbers, &w, err);
	r->next_segment = numbers.len ? numbers.v[numbers.len - 1] + 1 : 1;
	r->next_record = w.any ? w.last + 1 : 1;
	/* Numbers that a deletion knows are not given again, even if the log is gone. */
	if (r->deleted_record >= r->next_record)
		r->next_record = r->deleted_record + 1;
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		if (r->head->stripes[i].replay_record >= r->next_record)
			r->next_record = r->head->stripes[i].replay_record + 1;
	wal_segment_numbers_done(&numbers);
	return rc;
}

void wal_replay_done(struct wal_replay *r)
{
	wal_old_segments_done(&r->segments);
}
