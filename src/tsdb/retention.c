#include "tsdb/retention.h"

#include "base/counters.h"
#include "base/xmalloc.h"
#include "tsdb/wal_commit.h"
#include <stdlib.h>

static int64_t newest_sample(const struct tsdb *db, const struct part_set *set)
{
	int64_t newest = db->head.max_t_ms;
	for (size_t i = 0; i < set->n; i++)
		if (part_meta(set->v[i])->max_t_ms > newest)
			newest = part_meta(set->v[i])->max_t_ms;
	return newest;
}

/* Before this time all may go; INT64_MIN: nothing. */
static int64_t keep_from(const struct tsdb *db, const struct part_set *set, int64_t now_ms)
{
	int64_t newest = newest_sample(db, set), from;
	if (db->options.retention_ms <= 0)
		return INT64_MIN;
	if (newest < now_ms)
		now_ms = newest;
	return __builtin_sub_overflow(now_ms, db->options.retention_ms, &from) ? INT64_MIN : from;
}

static int oldest_first(const void *a, const void *b)
{
	const struct part_meta *x = part_meta(*(struct part *const *)a),
			       *y = part_meta(*(struct part *const *)b);
	if (x->max_t_ms != y->max_t_ms)
		return x->max_t_ms < y->max_t_ms ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The most that log and parts may take; 0: as much as there is. A file system that says nothing bounds nothing. */
static uint64_t most_bytes(const struct tsdb *db)
{
	uint64_t room, total;
	double percent = db->options.retention_percent;
	if (percent <= 0)
		return db->options.retention_bytes;
	return fs_space(db->dir.fs, db->dir.path, &room, &total, NULL)
		   ? 0
		   : (uint64_t)((double)total * percent / 100);
}

static uint64_t log_bytes(struct tsdb *db)
{
	struct wal_stats wal;
	wal_stats(db->wal, &wal);
	return wal.bytes;
}

/* The parts that go, oldest first: *n_aged of them for their age. */
struct choice {
	struct part **v;
	size_t n, n_aged;
};

static void choose(struct tsdb *db, const struct part_set *set, int64_t now_ms, struct choice *out)
{
	int64_t from = keep_from(db, set, now_ms);
	uint64_t total = log_bytes(db), max = most_bytes(db);
	for (size_t i = 0; i < set->n; i++) {
		out->v[i] = set->v[i];
		total += part_disk_bytes(set->v[i]);
	}
	qsort(out->v, set->n, sizeof(*out->v), oldest_first);
	for (; out->n < set->n; out->n++) {
		bool is_aged = part_meta(out->v[out->n])->max_t_ms < from;
		if (!is_aged && (max == 0 || total <= max))
			break;
		out->n_aged += is_aged;
		total -= part_disk_bytes(out->v[out->n]);
	}
}

static int drop(struct tsdb *db, const struct choice *gone, struct err *err)
{
	uint64_t *seqs = xreallocarray(NULL, gone->n, sizeof(*seqs));
	for (size_t i = 0; i < gone->n; i++)
		seqs[i] = part_meta(gone->v[i])->seq;
	struct manifest_change change = {.remove = seqs, .n_remove = gone->n};
	int rc = manifest_commit(db->manifest, &change, err);
	if (rc == 0) {
		for (size_t i = 0; i < gone->n; i++)
			part_unlink_when_done(gone->v[i]);
		part_sets_change(&db->parts, &(struct part_set_change){.remove = seqs, .n_remove = gone->n});
		counter_add(M_TSDB_TIME_RETENTIONS, gone->n_aged);
		counter_add(M_TSDB_SIZE_RETENTIONS, gone->n - gone->n_aged);
	}
	free(seqs);
	return rc;
}

int retention_run(struct tsdb *db, int64_t now_ms, struct err *err)
{
	struct part_set *set = part_sets_get(&db->parts);
	struct choice gone = {.v = xcalloc(set->n + 1, sizeof(*gone.v))};
	choose(db, set, now_ms, &gone);
	int rc = gone.n ? drop(db, &gone, err) : 0;
	free(gone.v);
	part_sets_put(&db->parts, set);
	return rc;
}

static void set_limit_gauges(const struct tsdb *db)
{
	gauge_set(M_TSDB_RETENTION_BYTES, (double)db->options.retention_bytes);
	gauge_set(M_TSDB_RETENTION_SECONDS, (double)db->options.retention_ms / 1000);
	gauge_set(M_TSDB_RETENTION_PERCENT, db->options.retention_percent);
}

void tsdb_set_retention(struct tsdb *db, int64_t ms, uint64_t bytes, double percent)
{
	lock_take(&db->maintenance);
	db->options.retention_ms = ms;
	atomic_store_explicit(&db->head.retention_ms, ms, memory_order_relaxed);
	db->options.retention_bytes = bytes;
	db->options.retention_percent = percent;
	set_limit_gauges(db);
	lock_release(&db->maintenance);
}
