/* Reading back what the process before had in memory: series from their snapshots, what came since from the log. Until that
 * is done queries see an empty head, and so the parts alone. */
#include "tsdb/tsdb_priv.h"

#include "base/counters.h"
#include "base/xmalloc.h"
#include "tsdb/compact.h"
#include "tsdb/head_exemplar.h"
#include "tsdb/series_snapshot.h"
#include "tsdb/wal_replay.h"
#include "tsdb/wal_segment.h"
#include <inttypes.h>
#include <unistd.h>

enum { NOTICE_NS = 2000000000 }; /* between two lines of progress */

/* --- progress -------------------------------------------------------------------------------------------------- */

static unsigned percent_done(const struct tsdb_replay *r)
{
	uint64_t steps = r->steps, done = r->steps_done;
	return steps == 0 ? 0 : done >= steps ? 100 : (unsigned)(done * 100 / steps);
}

void tsdb_replay_state(struct tsdb *db, struct tsdb_replay_state *out)
{
	const struct tsdb_replay *r = &db->replay;
	*out = (struct tsdb_replay_state){.phase = (enum tsdb_replay_phase)atomic_load(&r->phase),
	    .first_segment = r->first_segment,
	    .last_segment = r->last_segment,
	    .segment = r->segment,
	    .percent = percent_done(r)};
	if (out->phase == TSDB_REPLAY_DONE)
		out->percent = 100;
}

static void tell_progress(struct tsdb *db)
{
	struct tsdb_replay *r = &db->replay;
	gauge_set(M_TSDB_REPLAY_PERCENT, percent_done(r));
	int64_t now_ns = clock_mono_ns(db->options.clock);
	if (now_ns - r->told_ns < NOTICE_NS)
		return;
	r->told_ns = now_ns;
	tsdb_notice(db, false, "reading series and log back: %u %%, log segment %" PRIu64 " of %" PRIu64,
	    percent_done(r), (uint64_t)r->segment, (uint64_t)r->last_segment);
}

static void on_segment(void *arg, uint64_t number, uint64_t last)
{
	struct tsdb *db = arg;
	db->replay.segment = number;
	db->replay.last_segment = last;
	db->replay.steps_done += SEGMENT_STEPS;
	tell_progress(db);
}

/* A segment takes about as long as all snapshots of a small store. */
static int count_steps(struct tsdb *db, struct err *err)
{
	struct wal_segment_numbers numbers = {0};
	int rc = wal_segment_list(db->dir.fs, db->dir.wal, &numbers, err);
	db->replay.steps = HEAD_STRIPES + numbers.len * SEGMENT_STEPS;
	if (numbers.len) {
		db->replay.first_segment = numbers.v[0];
		db->replay.last_segment = numbers.v[numbers.len - 1];
	}
	wal_segment_numbers_done(&numbers);
	return rc;
}

/* --- snapshots -------------------------------------------------------------------------------------------------- */

/* The next sealing writes the snapshot anew: the damaged one stays beside it. */
static int keep_damaged_snapshot(struct tsdb *db, unsigned stripe, struct err *err)
{
	if (db->options.read_only)
		return 0;
	char *path = series_snapshot_path(db->dir.head, stripe), *aside = xasprintf("%s.damaged", path);
	struct strbuf content = STRBUF_INIT;
	int rc = fs_read_file(db->dir.fs, path, &content, err);
	if (rc == 0)
		rc = fs_write_file(db->dir.fs, aside, strbuf_slice(&content), err);
	strbuf_done(&content);
	free(aside);
	free(path);
	return rc;
}

static int note_damaged_snapshot(struct tsdb *db, unsigned stripe, const struct err *why, struct err *err)
{
	tsdb_note(db, "%s: series of this stripe may be missing until they are written again", why->msg);
	db->series_missing = true;
	return keep_damaged_snapshot(db, stripe, err);
}

struct snapshots {
	struct tsdb *db;
	int rc[HEAD_STRIPES];
	struct err err[HEAD_STRIPES];
};

static void load_snapshot(void *arg, size_t i)
{
	struct snapshots *s = arg;
	struct tsdb *db = s->db;
	s->rc[i] = series_snapshot_load(&db->head, (unsigned)i, db->dir.fs, db->dir.head, &s->err[i]);
	db->replay.steps_done++;
}

static int load_snapshots(struct tsdb *db, struct thread_pool *pool, struct err *err)
{
	struct snapshots *s = xcalloc(1, sizeof(*s));
	s->db = db;
	thread_pool_for(pool, HEAD_STRIPES, load_snapshot, s);
	int rc = 0;
	for (unsigned i = 0; i < HEAD_STRIPES && rc == 0; i++)
		if (s->rc[i] == ERR_CORRUPT)
			rc = note_damaged_snapshot(db, i, &s->err[i], err);
		else if (s->rc[i] != 0)
			rc = err_copy(err, &s->err[i]);
	free(s);
	return rc;
}

/* --- the log ----------------------------------------------------------------------------------------------------- */

static int replay_and_open_log(struct tsdb *db, struct thread_pool *pool, struct err *err)
{
	struct wal_replay replay = {.fs = db->dir.fs,
	    .dir = db->dir.wal,
	    .head = &db->head,
	    .pool = pool,
	    .deletions = &db->deletions,
	    .read_only = db->options.read_only,
	    .progress = on_segment,
	    .note = tsdb_note_text,
	    .arg = db};
	int rc = wal_replay_run(&replay, err);
	if (rc == 0 && !db->options.read_only) {
		struct wal_options o = {.fs = db->dir.fs,
		    .dir = db->dir.wal,
		    .sync = db->options.wal_sync,
		    .segment_bytes = db->options.wal_segment_bytes,
		    .next_segment = replay.next_segment,
		    .next_record = replay.next_record,
		    .old = replay.segments.v,
		    .n_old = replay.segments.len};
		rc = wal_open(&o, &db->wal, err);
	}
	wal_replay_done(&replay);
	return rc;
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

void tsdb_init_replay(struct tsdb *db)
{
	struct head *h = &db->head;
	if (db->options.replay_later) {
		h = db->replay.empty = xcalloc(1, sizeof(*h));
		head_init(h, &(struct head_options){.clock = db->options.clock});
	}
	atomic_store(&db->queried_head, h);
	db->replay.told_ns = clock_mono_ns(db->options.clock);
}

void tsdb_done_replay(struct tsdb *db)
{
	if (db->replay.empty)
		head_done(db->replay.empty);
	free(db->replay.empty);
}

static size_t helper_threads(const struct tsdb *db)
{
	long n =
	    db->options.replay_threads ? (long)db->options.replay_threads : sysconf(_SC_NPROCESSORS_ONLN);
	return n > 1 ? (size_t)n - 1 : 0;
}

/* From here on samples are taken, and what is due is done. */
static void begin_taking(struct tsdb *db)
{
	db->head.wal = db->wal;
	if (db->wal) {
		tsdb_watch_disk(db);
		head_retire_unused(&db->head);
	}
	int64_t now_ms = clock_now_ms(db->options.clock);
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		db->head.stripes[i].frozen_at_ms = now_ms;
	atomic_store_explicit(&db->queried_head, &db->head, memory_order_release);
	atomic_store(&db->replay.phase, TSDB_REPLAY_DONE);
	gauge_set(M_TSDB_REPLAY_PERCENT, 100);
	tsdb_set_gauges(db);
	head_set_exemplar_gauges(&db->head);
	tsdb_start_timer(db);
	compact_start_timer(db);
}

int tsdb_replay(struct tsdb *db, struct err *err)
{
	int64_t begin_ns = clock_mono_ns(db->options.clock);
	atomic_store(&db->replay.phase, TSDB_REPLAY_RUNNING);
	int rc = count_steps(db, err);
	if (rc != 0)
		return rc;
	struct thread_pool *pool = thread_pool_new("replay", helper_threads(db));
	rc = load_snapshots(db, pool, err);
	if (rc == 0)
		rc = tsdb_load_deletions(db, err);
	if (rc == 0)
		rc = replay_and_open_log(db, pool, err);
	thread_pool_free(pool);
	if (rc != 0)
		return rc;
	gauge_set(M_TSDB_REPLAY_SECONDS, (double)(clock_mono_ns(db->options.clock) - begin_ns) / 1e9);
	begin_taking(db);
	return 0;
}
