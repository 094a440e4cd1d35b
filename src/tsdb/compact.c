#include "tsdb/compact.h"

#include "base/counters.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "tsdb/compact_plan.h"
#include "tsdb/compact_run.h"
#include <string.h>

#define HOUR_MS   INT64_C(3600000)
#define MAX_BYTES (UINT64_C(1) << 36)
enum {
	MAX_SERIES = 1 << 20, /* some hundred bytes of memory each */
	PERIOD_MS = 30000,
	SOON_MS = 1000, /* after a job there is often another */
	RETRY_MS = 60000,
	MAX_DOUBLINGS = 6, /* of RETRY_MS: an hour */
	WINDOWS_KEPT = 4,  /* a part goes as a whole, so parts are short where little is kept */
};

/* What a job works on, and what it makes. */
struct work {
	struct part_set *set; /* keeps the old parts */
	size_t n;
	struct part *parts[COMPACT_PARTS_MAX]; /* oldest first */
	const struct part_meta *metas[COMPACT_PARTS_MAX];
	uint64_t seqs[COMPACT_PARTS_MAX];
	size_t n_pieces, n_made;
	struct compact_piece pieces[COMPACT_PIECES_MAX];
	struct part *made[COMPACT_PIECES_MAX];
};

/* --- planning ------------------------------------------------------------------------------------------------- */

/* Before this time nothing is in the head alone. */
static int64_t closed_until(struct tsdb *db)
{
	int64_t until = db->head.max_t_ms;
	for (unsigned i = 0; i < HEAD_STRIPES; i++) {
		struct series_stripe *s = &db->head.stripes[i];
		lock_take(&s->lock);
		if (s->min_t_ms < until)
			until = s->min_t_ms;
		lock_release(&s->lock);
	}
	return until;
}

static struct compact_limits limits_of(struct tsdb *db, bool at_once)
{
	struct compact_limits l = {.range_ms = {2 * HOUR_MS, 24 * HOUR_MS},
	    .closed_ms = closed_until(db),
	    .max_series = MAX_SERIES,
	    .max_bytes = MAX_BYTES,
	    .at_once = at_once};
	lock_take(&db->maintenance);
	int64_t retention_ms = db->options.retention_ms;
	lock_release(&db->maintenance);
	for (int i = 1; i < COMPACT_LEVELS; i++)
		if (retention_ms > 0 && retention_ms / WINDOWS_KEPT < l.range_ms[i])
			l.range_ms[i] = 0;
	return l;
}

static bool is_damaged(const struct tsdb *db, uint64_t seq)
{
	VEC_EACH (uint64_t, bad, &db->damaged_parts)
		if (*bad == seq)
			return true;
	return false;
}

/* A part that cannot be read would make every job fail that it is in: it stays as it is, and the others go on. */
static void note_damaged(struct tsdb *db, const struct work *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (part_verify(w->parts[i], NULL) == ERR_CORRUPT)
			seq_vec_push(&db->damaged_parts, w->seqs[i]);
}

/* The first part that has tombstones, alone. */
static bool plan_cleaning(struct part *const *parts, size_t n, struct compact_job *job)
{
	for (size_t i = 0; i < n; i++) {
		if (!part_has_tombstones(parts[i]))
			continue;
		job->n = job->n_pieces = 1;
		job->parts[0] = i;
		job->pieces[0] = (struct compact_piece){part_meta(parts[i])->level, INT64_MIN, INT64_MAX};
		return true;
	}
	return false;
}

static bool plan_joining(
    struct tsdb *db, bool at_once, struct part *const *parts, size_t n, struct compact_job *job)
{
	struct compact_limits limits = limits_of(db, at_once);
	const struct part_meta **metas = xreallocarray(NULL, n + 1, sizeof(*metas));
	for (size_t i = 0; i < n; i++)
		metas[i] = part_meta(parts[i]);
	bool found = compact_plan(metas, n, &limits, job);
	free(metas);
	return found;
}

static size_t list_sound(const struct tsdb *db, const struct part_set *set, struct part **out)
{
	size_t n = 0;
	for (size_t i = 0; i < set->n; i++)
		if (!is_damaged(db, part_meta(set->v[i])->seq))
			out[n++] = set->v[i];
	return n;
}

static void take_parts(struct work *w, struct part *const *parts, const struct compact_job *job)
{
	w->n = job->n;
	w->n_made = 0;
	w->n_pieces = job->n_pieces;
	memcpy(w->pieces, job->pieces, job->n_pieces * sizeof(*job->pieces));
	for (size_t i = 0; i < job->n; i++) {
		w->parts[i] = parts[job->parts[i]];
		w->metas[i] = part_meta(w->parts[i]);
		w->seqs[i] = w->metas[i]->seq;
	}
}

/* The old parts and the new one are on the disk together for a while: not on a full one. */
static bool has_room(const struct tsdb *db, struct part *const *parts, const struct compact_job *job)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < job->n; i++) {
		const struct part_meta *m = part_meta(parts[job->parts[i]]);
		bytes += m->chunks_bytes + m->dir_bytes + m->index_bytes;
	}
	return !db->disk_full && bytes < db->disk_free_bytes;
}

static bool plan(struct tsdb *db, enum compact_why why, struct work *w)
{
	w->set = part_sets_get(&db->parts);
	struct part **parts = xreallocarray(NULL, w->set->n + 1, sizeof(*parts));
	size_t n = list_sound(db, w->set, parts);
	struct compact_job job;
	bool found = why == COMPACT_CLEAN ? plan_cleaning(parts, n, &job)
					  : plan_joining(db, why == COMPACT_AT_ONCE, parts, n, &job);
	found = found && has_room(db, parts, &job);
	if (found)
		take_parts(w, parts, &job);
	else
		part_sets_put(&db->parts, w->set);
	free(parts);
	return found;
}

/* --- a job ---------------------------------------------------------------------------------------------------- */

static bool has_part(const struct part_set *set, const struct part *p)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i] == p)
			return true;
	return false;
}

/* MAINTENANCE. A part that was dropped, or that got tombstones, is not in the set any more. */
static bool is_still_wanted(struct tsdb *db, const struct work *w)
{
	struct part_set *now = part_sets_get(&db->parts);
	bool all = true;
	for (size_t i = 0; i < w->n; i++)
		all = all && has_part(now, w->parts[i]);
	part_sets_put(&db->parts, now);
	return all;
}

/* MAINTENANCE. The record decides; it may be that nothing was left of the old ones. */
static int swap(struct tsdb *db, const struct work *w, struct err *err)
{
	struct manifest_part entries[COMPACT_PIECES_MAX];
	for (size_t i = 0; i < w->n_made; i++) {
		const struct part_meta *m = part_meta(w->made[i]);
		entries[i] = (struct manifest_part){m->seq, m->level, m->min_t_ms, m->max_t_ms};
	}
	struct manifest_change change = {
	    .add = entries, .n_add = w->n_made, .remove = w->seqs, .n_remove = w->n};
	int rc = manifest_commit(db->manifest, &change, err);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < w->n; i++)
		part_unlink_when_done(w->parts[i]);
	part_sets_change(
	    &db->parts, &(struct part_set_change){
			    .add = w->made, .n_add = w->n_made, .remove = w->seqs, .n_remove = w->n});
	return 0;
}

static void drop_made(struct work *w, bool unlink)
{
	for (size_t i = 0; i < w->n_made; i++) {
		if (unlink)
			part_unlink_when_done(w->made[i]);
		part_unref(w->made[i]);
	}
	w->n_made = 0;
}

static int replace(struct tsdb *db, struct work *w, struct err *err)
{
	bool wanted, may_count = false;
	int rc = 0;
	lock_take(&db->maintenance);
	wanted = is_still_wanted(db, w);
	if (wanted) {
		rc = swap(db, w, err);
		may_count = rc != 0 && manifest_may_have_it(db->manifest);
	}
	lock_release(&db->maintenance);
	counter_add(M_TSDB_COMPACTIONS_SKIPPED, !wanted);
	counter_add(M_TSDB_COMPACTIONS, wanted && rc == 0);
	if (!wanted || rc != 0)
		drop_made(w, !may_count);
	return rc;
}

/* The old parts, and what they stand for, as far as there is room. */
static size_t list_sources(const struct work *w, uint64_t sources[PART_PARENTS_MAX])
{
	size_t n = w->n;
	memcpy(sources, w->seqs, w->n * sizeof(*sources));
	for (size_t i = 0; i < w->n; i++)
		for (uint32_t k = 0; k < w->metas[i]->n_parents && n < PART_PARENTS_MAX; k++)
			sources[n++] = w->metas[i]->parents[k];
	return n;
}

static uint64_t take_seq(struct tsdb *db)
{
	lock_take(&db->maintenance);
	uint64_t seq = manifest_next_seq(db->manifest);
	lock_release(&db->maintenance);
	return seq;
}

/* The old parts that have something of a piece. A joined part overlaps others no more than its parts did; pieces beside it
 * may be late ones still. */
static void list_touched(const struct work *w, const struct compact_piece *piece, struct compact_run *run,
    const struct part_meta **out)
{
	run->parts = out;
	for (size_t i = 0; i < w->n; i++) {
		const struct part_meta *m = w->metas[i];
		if (m->min_t_ms > piece->max_t_ms || m->max_t_ms < piece->min_t_ms)
			continue;
		out[run->n++] = m;
		run->out_of_order |= m->out_of_order && piece->level == m->level;
	}
}

/* Only the piece that is made last says what it stands for: when it is there, all are. */
static int make_piece(struct tsdb *db, struct work *w, size_t number, struct err *err)
{
	const struct compact_piece *piece = &w->pieces[number];
	const struct part_meta *touched[COMPACT_PARTS_MAX];
	uint64_t sources[PART_PARENTS_MAX];
	struct compact_run run = {.fs = db->dir.fs,
	    .parts_dir = db->dir.parts,
	    .min_t_ms = piece->min_t_ms,
	    .max_t_ms = piece->max_t_ms,
	    .level = piece->level,
	    .sources = sources,
	    .n_sources = number + 1 == w->n_pieces ? list_sources(w, sources) : 0,
	    .stop = &db->stopping};
	struct part_meta meta;
	bool is_empty = true;
	list_touched(w, piece, &run, touched);
	if (run.n == 0)
		return 0;
	run.seq = take_seq(db);
	int rc = compact_run(&run, &meta, &is_empty, err);
	if (rc != 0 || is_empty)
		return rc;
	rc = part_open(db->dir.fs, db->dir.parts, meta.name, db->cache, &w->made[w->n_made], err);
	w->n_made += rc == 0;
	return rc;
}

static int join(struct tsdb *db, struct work *w, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; i < w->n_pieces && rc == 0; i++)
		rc = make_piece(db, w, i, err);
	if (rc == 0)
		return replace(db, w, err);
	drop_made(w, true);
	return rc;
}

/* The new part stands beside the old ones for a while. */
static int check_space(struct tsdb *db, const struct work *w, struct err *err)
{
	uint64_t need = 0, room, total;
	for (size_t i = 0; i < w->n; i++)
		need += w->metas[i]->chunks_bytes + w->metas[i]->dir_bytes + w->metas[i]->index_bytes;
	int rc = fs_space(db->dir.fs, db->dir.path, &room, &total, err);
	if (rc == 0 && room < need)
		rc = err_set(err, ERR_IO, "%s: joining %zu parts takes up to %llu bytes, %llu are free",
		    db->dir.path, w->n, (unsigned long long)need, (unsigned long long)room);
	return rc;
}

int compact_one(struct tsdb *db, enum compact_why why, bool *did, struct err *err)
{
	struct work w;
	int rc = 0;
	lock_take(&db->compaction);
	bool found = plan(db, why, &w);
	if (found) {
		counter_add(M_TSDB_COMPACTIONS_TRIGGERED, 1);
		rc = check_space(db, &w, err);
		if (rc == 0)
			rc = join(db, &w, err);
		if (rc == ERR_CORRUPT)
			note_damaged(db, &w);
		part_sets_put(&db->parts, w.set);
		tsdb_set_gauges(db);
		counter_add(M_TSDB_COMPACTIONS_FAILED, rc != 0 && rc != ERR_CANCELED);
	}
	lock_release(&db->compaction);
	if (rc == 0)
		*did = found;
	return rc;
}

static int compact_all(struct tsdb *db, enum compact_why why, struct err *err)
{
	bool did = true;
	int rc = 0;
	while (rc == 0 && did)
		rc = compact_one(db, why, &did, err);
	return rc;
}

int tsdb_compact(struct tsdb *db, struct err *err)
{
	return compact_all(db, COMPACT_AT_ONCE, err);
}

int tsdb_clean_tombstones(struct tsdb *db, struct err *err)
{
	return compact_all(db, COMPACT_CLEAN, err);
}

/* --- the timer ------------------------------------------------------------------------------------------------ */

static int64_t rest_ms(unsigned failures)
{
	unsigned doublings = failures - 1;
	return (int64_t)RETRY_MS << (doublings < MAX_DOUBLINGS ? doublings : MAX_DOUBLINGS);
}

static int64_t do_what_is_due(struct tsdb *db)
{
	struct err err;
	bool did;
	int rc = compact_one(db, COMPACT_DUE, &did, &err);
	if (rc == 0 || rc == ERR_CANCELED) {
		db->compact_failures = 0;
		return rc == 0 && did ? SOON_MS : PERIOD_MS;
	}
	log_debug("joining parts failed", KV_STR("component", "tsdb"), KV_ERR(&err));
	return rest_ms(++db->compact_failures);
}

static void tick(void *arg, int64_t when_ms);

static void set_timer(struct tsdb *db, int64_t wait_ms)
{
	int64_t now_ms = clock_now_ms(db->options.clock);
	lock_take(&db->maintenance);
	if (!db->closing)
		db->compact_timer = scheduler_at(db->options.scheduler, now_ms + wait_ms, tick, db);
	lock_release(&db->maintenance);
}

static void work_and_wait(void *arg)
{
	struct tsdb *db = arg;
	if (thread_pool_threads(db->compact_pool) > 0)
		thread_pool_yield_to_others();
	set_timer(db, do_what_is_due(db));
}

static void tick(void *arg, int64_t when_ms)
{
	(void)when_ms;
	struct tsdb *db = arg;
	thread_pool_submit(db->compact_pool, work_and_wait, db);
}

/* A thread of its own: a job takes minutes when there is much, and the scheduler's workers are few. */
void compact_start_timer(struct tsdb *db)
{
	if (!db->options.scheduler)
		return;
	bool has_threads = scheduler_pool(db->options.scheduler) != NULL;
	db->compact_pool = thread_pool_new("compact", has_threads ? 1 : 0);
	set_timer(db, PERIOD_MS);
}

void compact_stop_timer(struct tsdb *db)
{
	if (!db->compact_pool)
		return;
	atomic_store_explicit(&db->stopping, true, memory_order_relaxed);
	lock_take(&db->maintenance);
	db->closing = true;
	timer_id timer = db->compact_timer;
	lock_release(&db->maintenance);
	scheduler_cancel(db->options.scheduler, timer);
	thread_pool_free(db->compact_pool);
}
