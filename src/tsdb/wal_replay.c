#include "tsdb/wal_replay.h"

#include "base/xmalloc.h"
#include "tsdb/wal_apply.h"
#include "tsdb/wal_frames.h"
#include "tsdb/wal_segment.h"
#include <inttypes.h>

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

/* A segment on its way: read and walked while the one before is applied. */
struct segment {
	size_t at; /* in r->segments */
	struct strbuf content;
	struct wal_gather gather;
	struct wal_apply_counts counts; /* of what was applied while walking */
	bool is_there;
};

static void replay_frame(
    struct wal_replay *r, struct segment *g, const struct wal_frame *f, struct slice payload)
{
	if (f->version <= WAL_RECORD_VERSION && wal_gather_add(&g->gather, f, payload))
		return;
	if (f->version > WAL_RECORD_VERSION || wal_apply_record(&r->apply, f, payload, &g->counts) != 0)
		wal_apply_counts_add(
		    &g->counts, &(struct wal_apply_counts){.bad = 1, .first_bad = f->number});
}

static void replay_frames(struct wal_replay *r, struct walk *w, struct segment *g)
{
	struct wal_old_segment *s = &r->segments.v[g->at];
	struct wal_frames frames;
	struct wal_frame f;
	struct slice payload;
	wal_frames_open(&frames, strbuf_slice(&g->content), WAL_SEGMENT_HEADER_BYTES, s->number);
	for (;;) {
		int rc = wal_frames_next(&frames, &f, &payload);
		if (rc == ERR_CORRUPT) {
			note_doubt(w, g->at, frames.offset);
			if (wal_frames_resync(&frames, w->last))
				continue;
		}
		if (rc != 0)
			break;
		if (w->any && f.number <= w->last)
			continue;
		settle_doubt(r, w, f.number);
		replay_frame(r, g, &f, payload);
		w->last = f.number;
		w->any = true;
	}
	s->bytes = frames.offset;
	s->last_record = w->any ? w->last : 0;
}

/* What the segment holds, once all of it is applied. */
static void settle_segment(struct wal_replay *r, struct segment *g)
{
	struct wal_old_segment *s = &r->segments.v[g->at];
	struct wal_apply_counts *c = &g->counts;
	wal_apply_counts_add(c, &g->gather.counts);
	r->series += c->series;
	r->samples += c->samples;
	r->unknown += c->unknown;
	s->damaged = s->damaged || c->bad || c->unknown;
	if (c->bad)
		note(r,
		    "%" PRIu64 " records of log segment %016" PRIx64
		    " cannot be understood and are left out, the first is %" PRIu64,
		    c->bad, s->number, c->first_bad);
	if (c->unknown)
		note(r, "log segment %016" PRIx64 " has %" PRIu64 " samples of series whose labels are lost",
		    s->number, c->unknown);
}

/* A segment that was made just before the crash and never written goes. */
static int drop_empty(struct wal_replay *r, struct err *err)
{
	uint64_t number = r->segments.v[--r->segments.len].number;
	if (r->read_only)
		return 0;
	char *path = wal_segment_path(r->dir, number);
	int rc = fs_unlink(r->fs, path, err);
	free(path);
	return rc;
}

static int walk_segment(
    struct wal_replay *r, struct walk *w, uint64_t number, struct segment *g, struct err *err)
{
	struct err why;
	wal_old_segments_add(&r->segments)->number = number;
	g->at = r->segments.len - 1;
	int rc = wal_segment_load(r->fs, r->dir, number, &g->content, &why);
	if (rc == ERR_CORRUPT && all_zero(strbuf_slice(&g->content)))
		return drop_empty(r, err);
	if (rc != 0 && rc != ERR_CORRUPT)
		return err_copy(err, &why);
	g->is_there = true;
	if (rc == ERR_CORRUPT) {
		note(r, "%s: its records are read one by one", why.msg);
		r->segments.v[g->at].damaged = true;
	}
	if (g->content.len >= WAL_SEGMENT_HEADER_BYTES)
		replay_frames(r, w, g);
	else
		r->segments.v[g->at].last_record = w->any ? w->last : 0;
	return 0;
}

static void segment_init(struct segment *g)
{
	*g = (struct segment){.is_there = false};
	strbuf_init(&g->content, STRBUF_NO_LIMIT);
	wal_gather_init(&g->gather);
}

static void segment_done(struct segment *g)
{
	strbuf_done(&g->content);
	wal_gather_done(&g->gather);
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

/* One turn: job 0 reads and walks the next segment, the others apply the stripes of the one before. */
struct turn {
	struct wal_replay *r;
	struct walk *walk;
	struct segment *next, *before;
	uint64_t number; /* of the next; 0: there is none */
	int rc;          /* of reading it */
	struct err err;
};

static void do_job(void *arg, size_t i)
{
	struct turn *t = arg;
	if (i > 0)
		wal_gather_apply(&t->before->gather, &t->r->apply, (unsigned)i - 1);
	else if (t->number)
		t->rc = walk_segment(t->r, t->walk, t->number, t->next, &t->err);
}

static void do_turn(struct turn *t)
{
	size_t jobs = t->before->is_there ? 1 + HEAD_STRIPES : 1;
	if (t->r->pool) {
		thread_pool_for(t->r->pool, jobs, do_job, t);
		return;
	}
	for (size_t i = jobs; i-- > 0;)
		do_job(t, i);
}

static int replay_all(
    struct wal_replay *r, const struct wal_segment_numbers *numbers, struct walk *w, struct err *err)
{
	struct segment segments[2];
	segment_init(&segments[0]);
	segment_init(&segments[1]);
	int rc = 0;
	for (size_t i = 0; i <= numbers->len && rc == 0; i++) {
		struct turn t = {.r = r,
		    .walk = w,
		    .next = &segments[i % 2],
		    .before = &segments[(i + 1) % 2],
		    .number = i < numbers->len ? numbers->v[i] : 0};
		do_turn(&t);
		if (t.before->is_there)
			settle_segment(r, t.before);
		segment_done(t.before);
		segment_init(t.before);
		rc = t.rc == 0 ? 0 : err_copy(err, &t.err);
		if (r->progress && i > 0)
			r->progress(r->arg, numbers->v[i - 1], numbers->v[numbers->len - 1]);
	}
	segment_done(&segments[0]);
	segment_done(&segments[1]);
	return rc == 0 && w->doubtful ? cut_tail(r, w, err) : rc;
}

static int sync_segment(struct wal_replay *r, uint64_t number, struct err *err)
{
	char *path = wal_segment_path(r->dir, number);
	int fd;
	int rc = fs_open(r->fs, path, FS_READ, &fd, err);
	if (rc == 0) {
		rc = fs_datasync(r->fs, fd, err);
		fs_close(r->fs, fd);
	}
	free(path);
	return rc;
}

/* A process that died may have left records that nobody synced. What comes builds on them: samples refer to the series they
 * made, and one that is sent again is not written again. */
static int sync_segments(struct wal_replay *r, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < r->segments.len && rc == 0; i++)
		rc = sync_segment(r, r->segments.v[i].number, err);
	return rc;
}

int wal_replay_run(struct wal_replay *r, struct err *err)
{
	struct wal_segment_numbers numbers = {0};
	struct walk w = {0};
	r->apply = (struct wal_apply){.head = r->head,
	    .deletions = r->deletions,
	    .deleted_record = r->deletions ? deletions_newest_record(r->deletions) : 0};
	int rc = wal_segment_list(r->fs, r->dir, &numbers, err);
	if (rc == 0)
		rc = replay_all(r, &numbers, &w, err);
	if (rc == 0 && !r->read_only)
		rc = sync_segments(r, err);
	r->next_segment = numbers.len ? numbers.v[numbers.len - 1] + 1 : 1;
	r->next_record = w.any ? w.last + 1 : 1;
	if (r->apply.deleted_record >= r->next_record)
		r->next_record = r->apply.deleted_record + 1;
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
