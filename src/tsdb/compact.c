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

/* What a job works on: parts that stay open. */
struct work {
	struct part_set *set;
	struct compact_job job;
	const struct part_meta *parts[PART_PARENTS_MAX];
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

static void take_parts(struct work *w, const struct part_meta *const *metas)
{
	for (size_t i = 0; i < w->job.n; i++) {
		w->parts[i] = metas[w->job.parts[i]];
		w->seqs[i] = w->parts[i]->seq;
	}
}

/* The first part that has tombstones, alone. */
static bool plan_cleaning(const struct work *w, struct compact_job *job)
{
	for (size_t i = 0; i < w->set->n; i++) {
		if (!part_has_tombstones(w->set->v[i]))
			continue;
		*job = (struct compact_job){.level = part_meta(w->set->v[i])->level, .n = 1, .parts = {i}};
		return true;
	}
	return false;
}

static bool plan(struct tsdb *db, enum compact_why why, struct work *w)
{
	struct compact_limits limits = limits_of(db, why == COMPACT_AT_ONCE);
	w->set = part_sets_get(&db->parts);
	const struct part_meta **metas = xreallocarray(NULL, w->set->n + 1, sizeof(*metas));
	for (size_t i = 0; i < w->set->n; i++)
		metas[i] = part_meta(w->set->v[i]);
	bool found = why == COMPACT_CLEAN ? plan_cleaning(w, &w->job)
					  : compact_plan(metas, w->set->n, &limits, &w->job);
	if (found)
		take_parts(w, metas);
	else
		part_sets_put(&db->parts, w->set);
	free(metas);
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
	for (size_t i = 0; i < w->job.n; i++)
		all = all && has_part(now, w->set->v[w->job.parts[i]]);
	part_sets_put(&db->parts, now);
	return all;
}

/* MAINTENANCE. The record decides; `part` NULL: nothing was left of the old ones. */
static int swap(struct tsdb *db, const struct work *w, struct part *part, struct err *err)
{
	struct manifest_change change = {.remove = w->seqs, .n_remove = w->job.n};
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
	for (size_t i = 0; i < w->job.n; i++)
		part_unlink_when_done(w->set->v[w->job.parts[i]]);
	part_sets_change(&db->parts, part, w->seqs, w->job.n, 0);
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
	    .parts = w->parts,
	    .n = w->job.n,
	    .level = w->job.level,
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
	for (size_t i = 0; i < w->job.n; i++)
		need += w->parts[i]->chunks_bytes + w->parts[i]->dir_bytes + w->parts[i]->index_bytes;
	int rc = fs_space(db->dir.fs, db->dir.path, &room, &total, err);
	if (rc == 0 && room < need)
		rc = err_set(err, ERR_IO, "%s: joining %zu parts takes up to %llu bytes, %llu are free",
		    db->dir.path, w->job.n, (unsigned long long)need, (unsigned long long)room);
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
		part_sets_put(&db->parts, w.set);
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

static void tick(void *arg, int64_t when_ms)
{
	struct tsdb *db = arg;
	struct err err;
	bool did;
	int64_t wait_ms = PERIOD_MS;
	int rc = compact_one(db, COMPACT_DUE, &did, &err);
	if (rc == 0) {
		db->compact_failures = 0;
		wait_ms = did ? SOON_MS : PERIOD_MS;
	} else if (rc != ERR_CANCELED) {
		wait_ms = rest_ms(++db->compact_failures);
		log_debug("joining parts failed", KV_STR("component", "tsdb"), KV_ERR(&err));
	}
	int64_t now_ms = clock_now_ms(db->options.clock), from_ms = now_ms > when_ms ? now_ms : when_ms;
	lock_take(&db->maintenance);
	if (!db->closing)
		db->compact_timer = scheduler_at(db->options.scheduler, from_ms + wait_ms, tick, db);
	lock_release(&db->maintenance);
}

void compact_start_timer(struct tsdb *db)
{
	if (!db->options.scheduler)
		return;
	lock_take(&db->maintenance);
	db->compact_timer =
	    scheduler_at(db->options.scheduler, clock_now_ms(db->options.clock) + PERIOD_MS, tick, db);
	lock_release(&db->maintenance);
}

void compact_stop_timer(struct tsdb *db)
{
	if (!db->options.scheduler)
		return;
	atomic_store_explicit(&db->stopping, true, memory_order_relaxed);
	lock_take(&db->maintenance);
	db->closing = true;
	timer_id timer = db->compact_timer;
	lock_release(&db->maintenance);
	scheduler_cancel(db->options.scheduler, timer);
}
