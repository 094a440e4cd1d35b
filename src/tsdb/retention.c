#include "tsdb/retention.h"

#include "base/counters.h"
#include "base/xmalloc.h"
#include <stdlib.h>

static uint64_t part_bytes(const struct part *p)
{
	const struct part_meta *m = part_meta(p);
	return m->chunks_bytes + m->dir_bytes + m->index_bytes;
}

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

static size_t choose(const struct tsdb *db, const struct part_set *set, int64_t now_ms, struct part **gone)
{
	int64_t from = keep_from(db, set, now_ms);
	uint64_t total = 0, max = db->options.retention_bytes;
	struct part **sorted = xreallocarray(NULL, set->n + 1, sizeof(struct part *));
	for (size_t i = 0; i < set->n; i++) {
		sorted[i] = set->v[i];
		total += part_bytes(set->v[i]);
	}
	qsort(sorted, set->n, sizeof(*sorted), oldest_first);
	size_t n = 0;
	for (size_t i = 0; i < set->n; i++) {
		if (part_meta(sorted[i])->max_t_ms >= from && (max == 0 || total <= max))
			break;
		total -= part_bytes(sorted[i]);
		gone[n++] = sorted[i];
	}
	free(sorted);
	return n;
}

static int drop(struct tsdb *db, struct part **gone, size_t n, struct err *err)
{
	uint64_t *seqs = xreallocarray(NULL, n, sizeof(*seqs));
	for (size_t i = 0; i < n; i++)
		seqs[i] = part_meta(gone[i])->seq;
	int rc = manifest_commit(db->manifest, &(struct manifest_change){.remove = seqs, .n_remove = n}, err);
	if (rc == 0) {
		for (size_t i = 0; i < n; i++)
			part_unlink_when_done(gone[i]);
		part_sets_change(&db->parts, NULL, seqs, n, 0);
		counter_add(M_TSDB_TIME_RETENTIONS, n);
	}
	free(seqs);
	return rc;
}

int retention_run(struct tsdb *db, int64_t now_ms, struct err *err)
{
	struct part_set *set = part_sets_get(&db->parts);
	struct part **gone = xreallocarray(NULL, set->n + 1, sizeof(struct part *));
	size_t n = choose(db, set, now_ms, gone);
	int rc = n ? drop(db, gone, n, err) : 0;
	free(gone);
	part_sets_put(&db->parts, set);
	return rc;
}
