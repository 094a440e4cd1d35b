/* A merge: parts have their series in the order of labels, those of the head are sorted first. */
#include "tsdb/store_census.h"

#include "base/xmalloc.h"
#include "tsdb/head_read.h"
#include "tsdb/tsdb_priv.h"
#include <stdlib.h>

struct head_entry {
	const struct labels *labels;
	series_ref ref;
};
VEC_DEFINE(head_entries, struct head_entry);

/* Where one of the merged lists stands. */
struct cursor {
	struct part *part; /* NULL: the head */
	uint32_t at, n;
	struct arena *arena;         /* of `labels` */
	const struct labels *labels; /* of series `at`; NULL: the end */
};

struct census {
	struct tsdb *db;
	struct part_set *parts;
	struct arena *arena;
	struct head_entries head;
	struct cursor *cursors;
	size_t n_cursors;
	struct sample_column column;
	uint64_t epoch;
};

static int by_labels(const void *x, const void *y)
{
	return labels_cmp(((const struct head_entry *)x)->labels, ((const struct head_entry *)y)->labels);
}

static void list_head(struct census *c)
{
	struct head *h = &c->db->head;
	for (series_ref ref = 1; ref < h->next_ref; ref++) {
		const struct head_block *b = head_columns_block(&h->columns, ref);
		uint32_t handle = b ? b->series[series_in_block(ref)].labels : 0;
		if (handle)
			head_entries_push(&c->head,
			    (struct head_entry){series_labels_get(&h->index.labels, handle, c->arena), ref});
	}
	qsort(c->head.v, c->head.len, sizeof(c->head.v[0]), by_labels);
}

static int cursor_load(struct census *c, struct cursor *k, struct err *err)
{
	k->labels = NULL;
	if (k->at == k->n)
		return 0;
	if (!k->part) {
		k->labels = c->head.v[k->at].labels;
		return 0;
	}
	arena_reset(k->arena);
	return part_labels(k->part, k->at, k->arena, &k->labels, err);
}

static int begin(struct census *c, struct err *err)
{
	int rc = 0;
	c->n_cursors = c->parts->n + 1;
	c->cursors = xcalloc(c->n_cursors, sizeof(*c->cursors));
	c->cursors[0].n = (uint32_t)c->head.len;
	for (size_t i = 0; i < c->parts->n; i++) {
		c->cursors[i + 1].part = c->parts->v[i];
		c->cursors[i + 1].n = part_series_count(c->parts->v[i]);
		c->cursors[i + 1].arena = arena_new(ARENA_NO_LIMIT);
	}
	for (size_t i = 0; rc == 0 && i < c->n_cursors; i++)
		rc = cursor_load(c, &c->cursors[i], err);
	return rc;
}

static void widen(struct census_series *s, int64_t min_t_ms, int64_t max_t_ms)
{
	s->min_t_ms = min_t_ms < s->min_t_ms ? min_t_ms : s->min_t_ms;
	s->max_t_ms = max_t_ms > s->max_t_ms ? max_t_ms : s->max_t_ms;
}

static int add_part(struct cursor *k, struct census_series *s, struct err *err)
{
	struct part_series_size size;
	int rc = part_series_size(k->part, k->at, &size, err);
	if (rc != 0)
		return rc;
	s->samples += size.samples;
	s->part_samples += size.samples;
	s->chunks += size.chunks;
	s->bytes += size.bytes;
	widen(s, size.min_t_ms, size.max_t_ms);
	return 0;
}

static int add_head(struct census *c, struct cursor *k, struct census_series *s, struct err *err)
{
	struct sample_column *column = &c->column;
	sample_column_reset(column);
	int rc = head_read(
	    &c->db->head, c->head.v[k->at].ref, c->parts->sealed_seq, INT64_MIN, INT64_MAX, column, err);
	if (rc != 0)
		return rc;
	s->in_head = true;
	s->samples += column->n;
	if (column->n > 0)
		widen(s, column->t[0], column->t[column->n - 1]);
	return 0;
}

/* The least series of all lists, taken from those that have it. 1: the end. */
static int next(struct census *c, struct census_series *s, struct arena *arena, struct err *err)
{
	const struct labels *least = NULL;
	for (size_t i = 0; i < c->n_cursors; i++) {
		const struct labels *labels = c->cursors[i].labels;
		if (labels && (!least || labels_cmp(labels, least) < 0))
			least = labels;
	}
	if (!least)
		return 1;
	arena_reset(arena);
	*s = (struct census_series){
	    .labels = labels_copy_to(arena, least), .min_t_ms = INT64_MAX, .max_t_ms = INT64_MIN};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < c->n_cursors; i++) {
		struct cursor *k = &c->cursors[i];
		if (!k->labels || labels_cmp(k->labels, s->labels) != 0)
			continue;
		rc = k->part ? add_part(k, s, err) : add_head(c, k, s, err);
		k->at++;
		if (rc == 0)
			rc = cursor_load(c, k, err);
	}
	return rc;
}

static void end(struct census *c)
{
	for (size_t i = 0; i < c->n_cursors; i++)
		arena_free(c->cursors[i].arena);
	free(c->cursors);
	head_entries_done(&c->head);
	sample_column_done(&c->column);
	arena_free(c->arena);
	part_sets_put(&c->db->parts, c->parts);
	ref_recycler_leave(&c->db->head.refs, c->epoch);
}

int store_census(
    struct tsdb *db, void (*each)(void *arg, const struct census_series *s), void *arg, struct err *err)
{
	struct census c = {.db = db, .epoch = ref_recycler_enter(&db->head.refs)};
	c.parts = part_sets_get(&db->parts);
	c.arena = arena_new(ARENA_NO_LIMIT);
	struct arena *series = arena_new(ARENA_NO_LIMIT), *histograms = arena_new(ARENA_NO_LIMIT);
	struct census_series s;
	sample_column_init(&c.column, histograms);
	list_head(&c);
	int rc = begin(&c, err);
	while (rc == 0 && (rc = next(&c, &s, series, err)) == 0) {
		if (s.samples > 0)
			each(arg, &s);
		arena_reset(histograms);
	}
	end(&c);
	arena_free(series);
	arena_free(histograms);
	return rc == 1 ? 0 : rc;
}
