#include "tsdb/wal_commit.h"

#include "base/counters.h"
#include "base/crc32c.h"
#include "base/lock.h"
#include "base/vec.h"
#include "base/xmalloc.h"
#include "tsdb/wal_segment.h"
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

enum {
	FULL_BATCH_BYTES = 1 << 20,   /* is written without waiting for company */
	MAX_WAITING_BYTES = 32 << 20, /* more and transactions wait */
	SERIES_RECORD_BYTES = 64 << 10,
	LINGER_MS = 50, /* how long records that nobody waits for may stay in memory */
	GATHER_MS = 2,  /* how long those who wait for a sync wait for transactions that run */
	REST_MS = 1,    /* between two syncs */
	SYNC_INTERVAL_MS = 1000,
	RETRY_MS = 2000,
	KEEP_CAP_BYTES = 8 << 20, /* a larger buffer is given back after use */
};

struct waiter {
	void (*done)(void *arg, int rc, const char *why);
	void *arg;
};
VEC_DEFINE(waiters, struct waiter);
VEC_DEFINE(old_segments, struct wal_old_segment);
VEC_DEFINE(wal_bytes, uint8_t);

/* Records that travel to the disk together. */
struct wal_batch {
	struct wal_bytes bytes;
	struct waiters waiters;
	uint64_t last_record;
	struct wal_batch *next;
};

/* What the writing thread waits for. */
enum writer_state {
	WRITES,  /* nothing: it looks again when it is done */
	SLEEPS,  /* anything */
	LINGERS, /* somebody who waits for the disk */
	GATHERS, /* the end of the transactions that run */
};

struct wal {
	struct fs *fs;
	char *dir;
	enum wal_sync sync;
	uint64_t segment_bytes;
	pthread_t thread;

	struct lock lock; /* LOCK_WAL */
	struct cond wake; /* the writing thread */
	struct cond room; /* transactions in wal_ready() */
	/* WAL: */
	struct wal_batch *filling;
	unsigned running; /* transactions */
	enum writer_state state;
	struct strbuf series; /* the record of new series */
	struct wal_series_writer series_writer;
	uint64_t next_record;
	bool closing, refusing, retry;
	bool sync_wanted; /* with the next batch, whatever the policy */
	struct err why; /* we refuse */
	char *held;     /* why wal_ready() refuses all the same; NULL: it does not */
	struct old_segments old;
	uint64_t cut_record; /* the last one of the segments that were removed */
	uint64_t end;        /* of the segment being written */
	uint64_t syncs, failures;

	/* writing thread: */
	int64_t synced_at_ns; /* when the last sync ended, monotonic */
	struct wal_segment segment;
	uint64_t next_segment;
	uint64_t last_written;                      /* record */
	struct wal_batch *unsynced, **unsynced_end; /* in order; written, perhaps not on disk */
	struct wal_batch *spare;
};

/* --- appending ----------------------------------------------------------------------------------------------- */

static struct wal_batch *batch_new(void)
{
	return xcalloc(1, sizeof(struct wal_batch));
}

static void batch_free(struct wal_batch *b)
{
	if (!b)
		return;
	wal_bytes_done(&b->bytes);
	waiters_done(&b->waiters);
	free(b);
}

/* The check is put in when the record's place is known. */
static uint64_t add_frame(struct wal *w, enum wal_type type, unsigned stripe, struct slice payload)
{
	struct wal_frame f = {
	    .len = (uint32_t)payload.len,
	    .number = w->next_record++,
	    .type = (uint8_t)type,
	    .version = WAL_RECORD_VERSION,
	    .stripe = (uint16_t)stripe,
	};
	struct wal_batch *b = w->filling;
	wal_bytes_reserve(&b->bytes, b->bytes.len + WAL_FRAME_BYTES + payload.len);
	uint8_t *p = b->bytes.v + b->bytes.len;
	wal_frame_encode(&f, p);
	memcpy(p + WAL_FRAME_BYTES, payload.ptr, payload.len);
	b->bytes.len += WAL_FRAME_BYTES + payload.len;
	b->last_record = f.number;
	return f.number;
}

static void flush_series(struct wal *w)
{
	if (w->series.len == 0)
		return;
	add_frame(w, WAL_SERIES, 0, strbuf_slice(&w->series));
	strbuf_reset(&w->series);
	wal_series_begin(&w->series_writer, &w->series);
}

/* Whether the writing thread must hear of it now, and not only at the end of the transaction: the buffer became full. */
static bool is_worth_waking(const struct wal *w, size_t len_before)
{
	return len_before < FULL_BATCH_BYTES && w->filling->bytes.len >= FULL_BATCH_BYTES;
}

uint64_t wal_append(struct wal *w, enum wal_type type, unsigned stripe, struct slice payload)
{
	lock_take(&w->lock);
	size_t before = w->filling->bytes.len;
	flush_series(w);
	uint64_t number = add_frame(w, type, stripe, payload);
	bool wake = is_worth_waking(w, before);
	lock_release(&w->lock);
	if (wake)
		cond_signal(&w->wake);
	return number;
}

void wal_append_series(struct wal *w, series_ref ref, const struct label *l, size_t n)
{
	lock_take(&w->lock);
	size_t before = w->filling->bytes.len;
	wal_series_add(&w->series_writer, ref, l, n);
	if (w->series.len >= SERIES_RECORD_BYTES)
		flush_series(w);
	bool wake = is_worth_waking(w, before);
	lock_release(&w->lock);
	if (wake)
		cond_signal(&w->wake);
}

/* WAL */
static bool has_work(const struct wal *w)
{
	return w->filling->bytes.len > 0 || w->filling->waiters.len > 0 || w->series.len > 0;
}

/* WAL */
static void add_waiter(struct wal *w, void (*done)(void *arg, int rc, const char *why), void *arg)
{
	flush_series(w);
	waiters_push(&w->filling->waiters, (struct waiter){done, arg});
}

void wal_on_durable(struct wal *w, void (*done)(void *arg, int rc, const char *why), void *arg)
{
	lock_take(&w->lock);
	add_waiter(w, done, arg);
	lock_release(&w->lock);
	cond_signal(&w->wake);
}

void wal_end(struct wal *w, void (*done)(void *arg, int rc, const char *why), void *arg)
{
	lock_take(&w->lock);
	assert(w->running > 0);
	w->running--;
	if (done)
		add_waiter(w, done, arg);
	bool wake = w->state == GATHERS   ? w->running == 0
		    : w->state == LINGERS ? done != NULL
					  : w->state == SLEEPS && has_work(w);
	lock_release(&w->lock);
	if (wake)
		cond_signal(&w->wake);
}

int wal_begin(struct wal *w, struct err *err)
{
	int rc = wal_ready(w, err);
	if (rc != 0)
		return rc;
	lock_take(&w->lock);
	w->running++;
	lock_release(&w->lock);
	return 0;
}

/* WAL */
static int refusal(const struct wal *w, struct err *err)
{
	if (w->held)
		return err_set(err, ERR_UNAVAILABLE, "%s", w->held);
	if (w->refusing)
		return err_set(
		    err, ERR_UNAVAILABLE, "the log cannot be written, no samples are taken: %s", w->why.msg);
	return 0;
}

int wal_ready(struct wal *w, struct err *err)
{
	lock_take(&w->lock);
	while (w->filling->bytes.len > MAX_WAITING_BYTES && !w->refusing)
		cond_wait(&w->room, &w->lock);
	int rc = refusal(w, err);
	lock_release(&w->lock);
	return rc;
}

int wal_refusal(struct wal *w, struct err *err)
{
	lock_take(&w->lock);
	int rc = refusal(w, err);
	lock_release(&w->lock);
	return rc;
}

void wal_hold(struct wal *w, const char *why)
{
	lock_take(&w->lock);
	free(w->held);
	w->held = why ? xstrdup(why) : NULL;
	lock_release(&w->lock);
}

void wal_retry(struct wal *w)
{
	lock_take(&w->lock);
	w->retry = w->refusing;
	lock_release(&w->lock);
	cond_signal(&w->wake);
}

uint64_t wal_last_record(struct wal *w)
{
	lock_take(&w->lock);
	size_t before = w->filling->bytes.len;
	flush_series(w);
	uint64_t number = w->next_record - 1;
	bool wake = is_worth_waking(w, before);
	lock_release(&w->lock);
	if (wake)
		cond_signal(&w->wake);
	return number;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

static void note_finished_segment(struct wal *w, bool damaged)
{
	lock_take(&w->lock);
	old_segments_push(&w->old, (struct wal_old_segment){.number = w->segment.number,
				       .last_record = w->last_written,
				       .bytes = w->segment.end,
				       .damaged = damaged});
	w->end = 0;
	lock_release(&w->lock);
}

static int sync_segment(struct wal *w, struct err *err)
{
	int rc = fs_datasync(w->fs, w->segment.fd, err);
	w->synced_at_ns = clock_mono_ns(clock_real());
	lock_take(&w->lock);
	w->syncs++;
	lock_release(&w->lock);
	counter_add(M_TSDB_WAL_SYNCS, 1);
	return rc;
}

static int next_segment(struct wal *w, struct err *err)
{
	struct wal_segment s;
	int rc = wal_segment_create(w->fs, w->dir, w->next_segment, w->segment_bytes, &s, err);
	/* Made half by an attempt that failed, and could not be removed: its number is gone. */
	if (rc == ERR_EXISTS)
		rc = wal_segment_create(w->fs, w->dir, ++w->next_segment, w->segment_bytes, &s, err);
	if (rc != 0)
		return rc;
	w->next_segment++;
	w->segment = s;
	lock_take(&w->lock);
	w->end = s.end;
	lock_release(&w->lock);
	return 0;
}

static int roll(struct wal *w, struct err *err)
{
	int rc = sync_segment(w, err);
	if (rc != 0)
		return rc;
	note_finished_segment(w, false);
	rc = wal_segment_finish(w->fs, &w->segment, err);
	return rc == 0 ? next_segment(w, err) : rc;
}

static int write_range(struct wal *w, const uint8_t *from, const uint8_t *to, struct err *err)
{
	if (from == to)
		return 0;
	int rc = wal_segment_write(w->fs, &w->segment, from, (size_t)(to - from), err);
	lock_take(&w->lock);
	w->end = w->segment.end;
	lock_release(&w->lock);
	return rc;
}

/* Gives each record its place and its check, and writes them in as few pieces as there are segments. */
static int write_batch(struct wal *w, struct wal_batch *b, struct err *err)
{
	uint8_t *from = b->bytes.v, *at = from, *end = from + b->bytes.len;
	uint64_t last = w->last_written;
	while (at < end) {
		struct wal_frame f;
		wal_frame_decode(at, &f);
		uint64_t offset = w->segment.end + (uint64_t)(at - from);
		if (offset + WAL_FRAME_BYTES + f.len > w->segment_bytes &&
		    offset > WAL_SEGMENT_HEADER_BYTES) {
			int rc = write_range(w, from, at, err);
			w->last_written = rc == 0 ? last : w->last_written;
			if (rc == 0)
				rc = roll(w, err);
			if (rc != 0)
				return rc;
			from = at;
			offset = w->segment.end;
		}
		f.check =
		    wal_frame_check(&f, crc32c(0, at + WAL_FRAME_BYTES, f.len), w->segment.number, offset);
		wal_frame_encode(&f, at);
		last = f.number;
		at += WAL_FRAME_BYTES + f.len;
	}
	int rc = write_range(w, from, end, err);
	if (rc == 0)
		w->last_written = last;
	return rc;
}

/* Nothing is written to a segment that failed; its end goes, which may be torn, and the room that was reserved. */
static void give_up_segment(struct wal *w)
{
	if (w->segment.fd < 0)
		return;
	note_finished_segment(w, false);
	int ignored = wal_segment_finish(w->fs, &w->segment, NULL);
	(void)ignored;
}

/* To a new segment. When that fails too, it goes: all it has is in memory and will be written once more. */
static int write_all_again(struct wal *w, struct err *err)
{
	give_up_segment(w);
	int rc = next_segment(w, err);
	if (rc != 0)
		return rc;
	for (struct wal_batch *b = w->unsynced; b && rc == 0; b = b->next)
		rc = write_batch(w, b, err);
	if (rc == 0)
		rc = sync_segment(w, err);
	if (rc != 0)
		wal_segment_discard(w->fs, w->dir, &w->segment);
	return rc;
}

static void drop_synced(struct wal *w)
{
	while (w->unsynced) {
		struct wal_batch *b = w->unsynced;
		w->unsynced = b->next;
		if (w->spare || b->bytes.cap > KEEP_CAP_BYTES) {
			batch_free(b);
		} else {
			b->next = NULL;
			wal_bytes_reset(&b->bytes);
			waiters_reset(&b->waiters);
			w->spare = b;
		}
	}
	w->unsynced_end = &w->unsynced;
}

static void tell(struct wal_batch *b, int rc, const char *why)
{
	VEC_EACH (struct waiter, waiter, &b->waiters)
		waiter->done(waiter->arg, rc, why);
	waiters_reset(&b->waiters);
}

static void set_refusing(struct wal *w, const struct err *why)
{
	lock_take(&w->lock);
	w->refusing = why != NULL;
	w->retry = false;
	w->failures++;
	counter_add(M_TSDB_WAL_FAILURES, 1);
	gauge_set(M_TSDB_READ_ONLY, w->refusing);
	if (why) {
		w->why = *why;
	}
	cond_broadcast(&w->room);
	lock_release(&w->lock);
}

/* Writes the batch, and syncs when `sync`. True: everything that was appended is as safe as it should be. */
static bool commit_batch(struct wal *w, struct wal_batch *b, bool sync, bool was_refusing)
{
	struct err err;
	*w->unsynced_end = b;
	w->unsynced_end = &b->next;
	int rc = ERR_IO;
	if (!was_refusing) {
		rc = write_batch(w, b, &err);
		if (rc == 0 && sync)
			rc = sync_segment(w, &err);
	}
	if (rc != 0) {
		rc = write_all_again(w, &err);
		sync = rc == 0;
		set_refusing(w, rc == 0 ? NULL : &err);
	}
	tell(b, rc, rc == 0 ? NULL : err.msg);
	if (rc == 0 && (sync || w->sync == WAL_SYNC_OFF))
		drop_synced(w);
	return rc == 0;
}

/* Whether others may still join those who wait for a sync. */
static bool is_sharable(const struct wal *w)
{
	return w->sync == WAL_SYNC_ALWAYS && w->filling->waiters.len > 0 && !w->closing &&
	       w->filling->bytes.len < FULL_BATCH_BYTES;
}

/* Transactions that run share the sync, and under load, when one would follow the other, those that come within a moment: a
 * sync costs more than that. */
static void gather(struct wal *w)
{
	w->state = GATHERS;
	while (w->running > 0 && is_sharable(w))
		if (!cond_wait_ms(&w->wake, &w->lock, GATHER_MS))
			break;
	w->state = WRITES;
	if (is_sharable(w) && clock_mono_ns(clock_real()) - w->synced_at_ns < REST_MS * INT64_C(1000000))
		cond_wait_ms(&w->wake, &w->lock, REST_MS);
}

/* Waits until there is something worth writing, the retry is due, or the end. */
static void wait_for_work(struct wal *w)
{
	if (w->refusing && !w->closing && !w->retry && w->filling->waiters.len == 0) {
		w->state = LINGERS;
		cond_wait_ms(&w->wake, &w->lock, RETRY_MS);
		w->state = WRITES;
		return;
	}
	if (w->retry)
		return;
	w->state = SLEEPS;
	while (!w->closing && !has_work(w)) {
		if (!w->unsynced)
			cond_wait(&w->wake, &w->lock);
		else if (!cond_wait_ms(&w->wake, &w->lock, SYNC_INTERVAL_MS))
			break;
	}
	/* Nobody waits for these records: let others join them. */
	w->state = LINGERS;
	if (!w->closing && has_work(w) && w->filling->waiters.len == 0 &&
	    w->filling->bytes.len < FULL_BATCH_BYTES)
		cond_wait_ms(&w->wake, &w->lock, LINGER_MS);
	gather(w);
}

static struct wal_batch *take_batch(struct wal *w)
{
	flush_series(w);
	struct wal_batch *b = w->filling;
	w->filling = w->spare ? w->spare : batch_new();
	w->spare = NULL;
	return b;
}

static void *writing_thread(void *arg)
{
	struct wal *w = arg;
	int64_t synced_ns = clock_mono_ns(clock_real());
	for (bool closing = false; !closing;) {
		lock_take(&w->lock);
		wait_for_work(w);
		closing = w->closing;
		bool refusing = w->refusing, wanted = w->sync_wanted;
		w->sync_wanted = false;
		struct wal_batch *b = take_batch(w);
		cond_broadcast(&w->room);
		lock_release(&w->lock);
		int64_t now_ns = clock_mono_ns(clock_real());
		bool due = now_ns - synced_ns >= SYNC_INTERVAL_MS * INT64_C(1000000);
		bool sync = closing || wanted || w->sync == WAL_SYNC_ALWAYS ||
			    (w->sync == WAL_SYNC_INTERVAL && due);
		if (commit_batch(w, b, sync, refusing) && sync)
			synced_ns = now_ns;
	}
	return NULL;
}

/* --- opening, closing, cutting --------------------------------------------------------------------------------- */

static void wal_free(struct wal *w)
{
	batch_free(w->filling);
	batch_free(w->spare);
	while (w->unsynced) {
		struct wal_batch *b = w->unsynced;
		w->unsynced = b->next;
		batch_free(b);
	}
	wal_series_done(&w->series_writer);
	strbuf_done(&w->series);
	old_segments_done(&w->old);
	free(w->held);
	cond_done(&w->wake);
	cond_done(&w->room);
	lock_done(&w->lock);
	free(w->dir);
	free(w);
}

int wal_open(const struct wal_options *o, struct wal **out, struct err *err)
{
	struct err why;
	int rc = fs_mkdir(o->fs, o->dir, err);
	if (rc != 0)
		return rc;
	struct wal *w = xcalloc(1, sizeof(*w));
	w->fs = o->fs;
	w->dir = xstrdup(o->dir);
	w->sync = o->sync;
	w->segment_bytes = o->segment_bytes;
	w->next_segment = o->next_segment;
	w->next_record = o->next_record;
	w->last_written = o->next_record - 1;
	w->unsynced_end = &w->unsynced;
	w->segment.fd = -1;
	lock_init(&w->lock, LOCK_WAL, "wal");
	cond_init(&w->wake);
	cond_init(&w->room);
	w->filling = batch_new();
	strbuf_init(&w->series, STRBUF_NO_LIMIT);
	wal_series_begin(&w->series_writer, &w->series);
	for (size_t i = 0; i < o->n_old; i++)
		old_segments_push(&w->old, o->old[i]);
	rc = next_segment(w, &why);
	if (rc != 0 && err_is_disk_full(&why)) {
		set_refusing(w, &why);
		rc = 0;
	}
	if (rc != 0)
		err_copy(err, &why);
	if (rc == 0 && pthread_create(&w->thread, NULL, writing_thread, w) != 0)
		rc = err_set(err, ERR_NO_MEMORY, "cannot start the thread that writes the log");
	if (rc != 0) {
		wal_segment_abandon(w->fs, &w->segment);
		wal_free(w);
		return rc;
	}
	pthread_setname_np(w->thread, "wal");
	*out = w;
	return 0;
}

void wal_close(struct wal *w)
{
	if (!w)
		return;
	lock_take(&w->lock);
	w->closing = true;
	lock_release(&w->lock);
	cond_signal(&w->wake);
	pthread_join(w->thread, NULL);
	if (w->segment.fd >= 0) {
		int ignored =
		    wal_segment_finish(w->fs, &w->segment, NULL); /* replay copes with the reserved rest */
		(void)ignored;
	}
	wal_free(w);
}

struct sync_wait {
	struct lock lock;
	struct cond done;
	bool is_done;
	int rc;
	struct err *err;
};

static void sync_done(void *arg, int rc, const char *why)
{
	struct sync_wait *s = arg;
	lock_take(&s->lock);
	s->rc = rc == 0 ? 0 : err_set(s->err, rc, "%s", why);
	s->is_done = true;
	cond_signal(&s->done);
	lock_release(&s->lock);
}

int wal_sync_now(struct wal *w, struct err *err)
{
	struct sync_wait s = {.err = err};
	lock_init(&s.lock, LOCK_POOL, "wal sync");
	cond_init(&s.done);
	lock_take(&w->lock);
	w->sync_wanted = true;
	add_waiter(w, sync_done, &s);
	lock_release(&w->lock);
	cond_signal(&w->wake);
	lock_take(&s.lock);
	while (!s.is_done)
		cond_wait(&s.done, &s.lock);
	lock_release(&s.lock);
	cond_done(&s.done);
	lock_done(&s.lock);
	return s.rc;
}

/* A damaged segment is evidence: it goes aside under another name. */
static int remove_segment(struct wal *w, const struct wal_old_segment *s, struct err *err)
{
	char *path = wal_segment_path(w->dir, s->number);
	char *aside = xasprintf("%s.damaged", path);
	int rc = s->damaged ? fs_rename(w->fs, path, aside, err) : fs_unlink(w->fs, path, err);
	free(path);
	free(aside);
	return rc;
}

bool wal_would_cut(struct wal *w, uint64_t record)
{
	lock_take(&w->lock);
	bool would = w->old.len > 0 && w->old.v[0].last_record <= record;
	lock_release(&w->lock);
	return would;
}

int wal_cut(struct wal *w, uint64_t record, struct err *err)
{
	struct old_segments gone = {0};
	lock_take(&w->lock);
	size_t n = 0;
	while (n < w->old.len && w->old.v[n].last_record <= record)
		old_segments_push(&gone, w->old.v[n++]);
	memmove(w->old.v, w->old.v + n, (w->old.len - n) * sizeof(*w->old.v));
	w->old.len -= n;
	lock_release(&w->lock);
	int rc = 0;
	for (size_t i = 0; i < gone.len && rc == 0; i++)
		rc = remove_segment(w, &gone.v[i], err);
	if (rc == 0 && gone.len > 0) {
		lock_take(&w->lock);
		w->cut_record = gone.v[gone.len - 1].last_record;
		lock_release(&w->lock);
	}
	old_segments_done(&gone);
	return rc;
}

uint64_t wal_cut_record(struct wal *w)
{
	lock_take(&w->lock);
	uint64_t record = w->cut_record;
	lock_release(&w->lock);
	return record;
}

void wal_stats(struct wal *w, struct wal_stats *out)
{
	lock_take(&w->lock);
	*out = (struct wal_stats){.bytes = w->end,
	    .segments = w->old.len + 1,
	    .syncs = w->syncs,
	    .failures = w->failures,
	    .refusing = w->refusing,
	    .disk_full = w->refusing && err_is_disk_full(&w->why)};
	VEC_EACH (struct wal_old_segment, s, &w->old) {
		out->bytes += s->bytes;
		out->damaged_segments += s->damaged;
	}
	lock_release(&w->lock);
}
