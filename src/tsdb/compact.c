#include "tsdb/compact.h"

#include "base/counters.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "tsdb/compact_plan.h"
#include "tsdb/compact_run.h"

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

/* What a job works on: parts that stay open. */
struct work {
	struct part_set *set; /* keeps them */
	int level;            /* of the new one */
	size_t n;
	struct part *parts[PART_PARENTS_MAX]; /* oldest first */
	const struct part_meta *metas[PART_PARENTS_MAX];
	uint64_t seqs[PART_PARENTS_MAX];
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
		*job = (struct compact_job){.level = part_meta(parts[i])->level, .n = 1, .parts = {i}};
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
	w->level = job->level;
	w->n = job->n;
	for (size_t i = 0; i < job->n; i++) {
		w->parts[i] = parts[job->parts[i]];
		w->metas[i] = part_meta(w->parts[i]);
		w->seqs[i] = w->metas[i]->seq;
	}
}

static bool plan(struct tsdb *db, enum compact_why why, struct work *w)
{
	w->set = part_sets_get(&db->parts);
	struct part **parts = xreallocarray(NULL, w->set->n + 1, sizeof(*parts));
	size_t n = list_sound(db, w->set, parts);
	struct compact_job job;
	bool found = why == COMPACT_CLEAN ? plan_cleaning(parts, n, &job)
					  : plan_joining(db, why == COMPACT_AT_ONCE, parts, n, &job);
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

/* MAINTENANCE. The record decides; `part` NULL: nothing was left of the old ones. */
static int swap(struct tsdb *db, const struct work *w, struct part *part, struct err *err)
{
	struct manifest_change change = {.remove = w->seqs, .n_remove = w->n};
	struct manifest_part entry;
	if (part) {
		const struct part_meta *m = part_meta(part);
		entry = (struct manifest_part){m->seq, m->level, m->min_t_ms, m->max_t_ms};
		change.add = &entry;
		change.n_add = 1;
	}
	int rc = manifest_commit(db->manifest, &change, err);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < w->n; i++)
		part_unlink_when_done(w->parts[i]);
	part_sets_change(&db->parts, part, w->seqs, w->n, 0);
	return 0;
}

static int replace(struct tsdb *db, const struct work *w, struct part *part, struct err *err)
{
	bool drop = true;
	int rc = 0;
	lock_take(&db->maintenance);
	if (!is_still_wanted(db, w))
		counter_add(M_TSDB_COMPACTIONS_SKIPPED, 1);
	else {
		rc = swap(db, w, part, err);
		drop = rc != 0 && !manifest_may_have_it(db->manifest);
		counter_add(M_TSDB_COMPACTIONS, rc == 0);
	}
	lock_release(&db->maintenance);
	if (part && drop)
		part_unlink_when_done(part);
	if (part && (drop || rc != 0))
		part_unref(part);
	return rc;
}

static int join(struct tsdb *db, const struct work *w, struct err *err)
{
	lock_take(&db->maintenance);
	uint64_t seq = manifest_next_seq(db->manifest);
	lock_release(&db->maintenance);
	struct compact_run run = {.fs = db->dir.fs,
	    .parts_dir = db->dir.parts,
	    .parts = w->metas,
	    .n = w->n,
	    .level = w->level,
	    .seq = seq,
	    .stop = &db->stopping};
	struct part_meta meta;
	struct part *part = NULL;
	bool is_empty;
	int rc = compact_run(&run, &meta, &is_empty, err);
	if (rc == 0 && !is_empty)
		rc = part_open(db->dir.fs, db->dir.parts, meta.name, db->cache, &part, err);
	return rc == 0 ? replace(db, w, part, err) : rc;
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
