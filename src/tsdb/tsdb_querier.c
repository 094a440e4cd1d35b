#include "tsdb/tsdb_querier.h"

#include "base/xmalloc.h"
#include "tsdb/part_set.h"
#include "tsdb/tsdb_priv.h"
#include "tsdb/tsdb_select.h"
#include <stdlib.h>
#include <string.h>

struct tsdb_querier {
	struct querier base;
	struct tsdb *db;
	struct head *head; /* as of opening */
	struct part_set *parts;
	int64_t min_t_ms, max_t_ms;
	uint64_t epoch; /* of a user (ref_recycle.h) */
};

static struct tsdb_querier *querier_of(struct querier *q)
{
	return (struct tsdb_querier *)q;
}

static int select_series(struct querier *base, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, bool sorted, const struct select_hints *hints, struct series_set **out,
    struct err *err)
{
	struct tsdb_querier *q = querier_of(base);
	struct select_range range = {.db = q->db,
	    .head = q->head,
	    .parts = q->parts,
	    .min_t_ms = q->min_t_ms,
	    .max_t_ms = q->max_t_ms,
	    .sorted = sorted,
	    .labels_only = !hints || (hints->func && strcmp(hints->func, "series") == 0)};
	if (hints) {
		range.min_t_ms = hints->start_ms > range.min_t_ms ? hints->start_ms : range.min_t_ms;
		range.max_t_ms = hints->end_ms < range.max_t_ms ? hints->end_ms : range.max_t_ms;
		range.newest_only = hints->newest_only;
		range.last_ms = hints->end_ms;
		range.step_ms = hints->step_ms;
		range.window_ms = hints->step_ms > 0 ? hints->window_ms : 0;
	}
	return tsdb_select(&range, arena, matchers, n_matchers, out, err);
}

/* --- names and values ---------------------------------------------------------------------------------------- */

VEC_DEFINE(texts, struct slice);

struct gathering {
	struct texts texts;
	struct arena *arena;
};

/* Text of the head does not move; it is copied when it is known to be wanted. */
static int gather_borrowed(void *arg, struct slice text)
{
	texts_push(&((struct gathering *)arg)->texts, text);
	return 0;
}

static int gather_copied(void *arg, struct slice text)
{
	struct gathering *g = arg;
	texts_push(&g->texts, arena_slice(g->arena, text));
	return 0;
}

static int gather_value(void *arg, struct slice text, uint64_t series)
{
	(void)series;
	return gather_copied(arg, text);
}

static int stop_at_first(void *arg, struct slice text, uint64_t series)
{
	(void)arg, (void)text, (void)series;
	return 1;
}

static int by_text(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void hand_out(struct gathering *g, size_t limit, struct slice **out, size_t *n, bool *truncated)
{
	if (g->texts.len)
		qsort(g->texts.v, g->texts.len, sizeof(struct slice), by_text);
	size_t kept = 0;
	for (size_t i = 0; i < g->texts.len; i++)
		if (kept == 0 || !slice_eq(g->texts.v[i], g->texts.v[kept - 1]))
			g->texts.v[kept++] = g->texts.v[i];
	*truncated = limit > 0 && kept > limit;
	*n = *truncated ? limit : kept;
	*out = ARENA_ARRAY(g->arena, struct slice, *n + 1);
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = arena_slice(g->arena, g->texts.v[i]);
}

static bool overlaps(const struct tsdb_querier *q, const struct part *p)
{
	const struct part_meta *m = part_meta(p);
	return m->min_t_ms <= q->max_t_ms && m->max_t_ms >= q->min_t_ms;
}

/* Names, or the values of `name` when it is not empty, of the matching series of the head. */
static void gather_head(struct tsdb_querier *q, struct gathering *g, struct slice name,
    const struct matcher *const *matchers, size_t n_matchers)
{
	struct head *h = q->head;
	struct postings matched = {0};
	if (h->max_t_ms < q->min_t_ms)
		return;
	rwlock_read(&h->index_lock);
	if (n_matchers)
		head_index_select(&h->index, matchers, n_matchers, &matched);
	const struct postings *among = n_matchers ? &matched : NULL;
	int rc = name.len ? head_index_values(&h->index, name, among, gather_borrowed, g)
			  : head_index_names(&h->index, among, gather_borrowed, g);
	(void)rc; /* the callback never stops it */
	rwlock_release(&h->index_lock);
	postings_done(&matched);
}

static int gather_part_names(
    struct gathering *g, struct part *p, const struct postings *among, struct err *err)
{
	struct gathering names = {.arena = g->arena};
	int rc = part_each_name(p, gather_copied, &names, err);
	for (size_t i = 0; i < names.texts.len && rc == 0; i++) {
		rc = part_each_value_among(p, names.texts.v[i], among, stop_at_first, NULL, err);
		if (rc == 1)
			texts_push(&g->texts, names.texts.v[i]);
		rc = rc == 1 ? 0 : rc;
	}
	texts_done(&names.texts);
	return rc;
}

static int gather_part(struct gathering *g, struct part *p, struct slice name,
    const struct matcher *const *matchers, size_t n_matchers, struct err *err)
{
	if (n_matchers == 0)
		return name.len ? part_each_value(p, name, gather_value, g, err)
				: part_each_name(p, gather_copied, g, err);
	struct postings among = {0};
	int rc = part_select(p, matchers, n_matchers, &among, err);
	if (rc == 0 && !postings_is_empty(&among))
		rc = name.len ? part_each_value_among(p, name, &among, gather_value, g, err)
			      : gather_part_names(g, p, &among, err);
	postings_done(&among);
	return rc;
}

static int gather(struct tsdb_querier *q, struct arena *arena, struct slice name,
    const struct matcher *const *matchers, size_t n_matchers, size_t limit, struct slice **out, size_t *n,
    bool *truncated, struct err *err)
{
	struct gathering g = {.arena = arena};
	gather_head(q, &g, name, matchers, n_matchers);
	int rc = 0;
	for (size_t i = 0; i < q->parts->n && rc == 0; i++)
		if (overlaps(q, q->parts->v[i]))
			rc = gather_part(&g, q->parts->v[i], name, matchers, n_matchers, err);
	if (rc == 0)
		hand_out(&g, limit, out, n, truncated);
	texts_done(&g.texts);
	return rc;
}

static int label_names(struct querier *base, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, size_t limit, struct slice **out, size_t *n, bool *truncated, struct err *err)
{
	return gather(querier_of(base), arena, SL_EMPTY, matchers, n_matchers, limit, out, n, truncated, err);
}

static int label_values(struct querier *base, struct arena *arena, struct slice name,
    const struct matcher *const *matchers, size_t n_matchers, size_t limit, struct slice **out, size_t *n,
    bool *truncated, struct err *err)
{
	if (name.len == 0) {
		*out = ARENA_ARRAY(arena, struct slice, 1);
		*n = 0;
		*truncated = false;
		return 0;
	}
	return gather(querier_of(base), arena, name, matchers, n_matchers, limit, out, n, truncated, err);
}

static void querier_close(struct querier *base)
{
	struct tsdb_querier *q = querier_of(base);
	part_sets_put(&q->db->parts, q->parts);
	ref_recycler_leave(&q->db->head.refs, q->epoch);
	free(q);
}

static const struct querier_ops querier_ops = {
    .select = select_series,
    .label_names = label_names,
    .label_values = label_values,
    .close = querier_close,
};

int tsdb_querier_open(
    struct queryable *self, int64_t min_t_ms, int64_t max_t_ms, struct querier **out, struct err *err)
{
	(void)err;
	struct tsdb *db = CONTAINER_OF(self, struct tsdb, queryable);
	struct tsdb_querier *q = xcalloc(1, sizeof(*q));
	q->base.ops = &querier_ops;
	q->db = db;
	q->epoch = ref_recycler_enter(&db->head.refs);
	q->head = atomic_load_explicit(&db->queried_head, memory_order_acquire);
	q->parts = part_sets_get(&db->parts);
	q->min_t_ms = min_t_ms;
	q->max_t_ms = max_t_ms;
	*out = &q->base;
	return 0;
}
