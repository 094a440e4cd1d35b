/* What the store says about itself. */
#include "base/counters.h"
#include "tsdb/head_memory.h"
#include "tsdb/tsdb_priv.h"
#include "tsdb/wal_commit.h"
#include <stdio.h>
#include <stdlib.h>

static void part_status(struct tsdb *db, struct tsdb_status *out)
{
	struct part_set *set = part_sets_get(&db->parts);
	out->parts = set->n;
	for (size_t i = 0; i < set->n; i++) {
		const struct part_meta *m = part_meta(set->v[i]);
		out->part_bytes += part_disk_bytes(set->v[i]);
		out->part_samples += m->samples;
		if (m->min_t_ms < out->min_t_ms)
			out->min_t_ms = m->min_t_ms;
		if (m->max_t_ms > out->max_t_ms)
			out->max_t_ms = m->max_t_ms;
	}
	part_sets_put(&db->parts, set);
}

static void head_status(struct head *h, struct tsdb_status *out)
{
	out->head_series = h->n_series;
	out->head_label_pairs = h->label_pairs;
	rwlock_read(&h->index_lock);
	out->head_symbols = symbols_count(&h->index.symbols);
	rwlock_release(&h->index_lock);
	struct head_memory memory;
	head_memory(h, &memory);
	out->head_memory_bytes = head_memory_total(&memory);
	out->head_min_t_ms = INT64_MAX;
	out->head_max_t_ms = INT64_MIN;
	for (unsigned i = 0; i < HEAD_STRIPES; i++) {
		struct series_stripe *s = &h->stripes[i];
		lock_take(&s->lock);
		out->head_chunks += s->closed.len;
		if (s->min_t_ms < out->head_min_t_ms)
			out->head_min_t_ms = s->min_t_ms;
		if (s->max_t_ms > out->head_max_t_ms)
			out->head_max_t_ms = s->max_t_ms;
		lock_release(&s->lock);
	}
	out->head_chunks += out->head_series;
}

void tsdb_status(struct tsdb *db, struct tsdb_status *out)
{
	*out = (struct tsdb_status){0};
	head_status(&db->head, out);
	out->min_t_ms = out->head_min_t_ms;
	out->max_t_ms = out->head_max_t_ms;
	part_status(db, out);
	struct wal_stats wal = {.refusing = db->options.read_only};
	if (db->wal)
		wal_stats(db->wal, &wal);
	out->wal_bytes = wal.bytes;
	out->wal_segments = wal.segments;
	out->wal_damaged = wal.damaged_segments;
	out->read_only = wal.refusing;
	out->disk_full = db->disk_full;
	out->disk_free_bytes = db->disk_free_bytes;
}

void tsdb_trouble(struct tsdb *db, char *text, size_t size)
{
	struct err why;
	text[0] = '\0';
	if (db->wal && wal_refusal(db->wal, &why) != 0)
		snprintf(text, size, "%s", why.msg);
}

/* Those of the head stand in the order of its owners. */
_Static_assert(M_TSDB_MEMORY_EXEMPLARS - M_TSDB_MEMORY_COLUMNS == HEAD_MEMORY_OWNERS - 1, "a row each");

static void set_memory_gauges(struct tsdb *db)
{
	struct head_memory memory;
	head_memory(&db->head, &memory);
	for (size_t i = 0; i < HEAD_MEMORY_OWNERS; i++)
		gauge_set((enum metric_id)(M_TSDB_MEMORY_COLUMNS + i), (double)memory.bytes[i]);
	gauge_set(M_TSDB_MEMORY_ORDINALS, (double)ordinal_refs_bytes(db->ordinals));
}

void tsdb_set_gauges(struct tsdb *db)
{
	struct tsdb_status s;
	tsdb_status(db, &s);
	bool is_empty = s.head_min_t_ms > s.head_max_t_ms;
	gauge_set(M_TSDB_HEAD_SERIES, (double)s.head_series);
	gauge_set(M_TSDB_HEAD_CHUNKS, (double)s.head_chunks);
	gauge_set(M_TSDB_HEAD_MIN_TIME, is_empty ? 0 : (double)s.head_min_t_ms);
	gauge_set(M_TSDB_HEAD_MAX_TIME, is_empty ? 0 : (double)s.head_max_t_ms);
	gauge_set(M_TSDB_HEAD_BYTES, (double)s.head_memory_bytes);
	set_memory_gauges(db);
	gauge_set(M_TSDB_LATE_BYTES, (double)db->head.late_bytes);
	gauge_set(M_TSDB_LATE_LIMIT, (double)db->head.options.late_max_bytes);
	gauge_set(M_TSDB_SERIES_LIMIT, (double)db->head.options.max_series);
	gauge_set(M_TSDB_PARTS, (double)s.parts);
	gauge_set(M_TSDB_PART_BYTES, (double)s.part_bytes);
	gauge_set(M_TSDB_WAL_BYTES, (double)s.wal_bytes);
}

/* --- cardinality ----------------------------------------------------------------------------------------------- */

/* The `n` largest so far: a heap would be faster, lists this short do not need one. */
struct top {
	struct tsdb_top *v;
	size_t n, cap;
};

static bool is_before(const struct tsdb_top *a, const struct tsdb_top *b)
{
	return a->count != b->count ? a->count > b->count : slice_cmp(a->name, b->name) < 0;
}

static bool top_wants(const struct top *t, uint64_t count)
{
	return t->cap > 0 && count > 0 && (t->n < t->cap || count >= t->v[t->n - 1].count);
}

static void top_add(struct top *t, struct slice name, uint64_t count)
{
	struct tsdb_top x = {name, count};
	if (!top_wants(t, count) || (t->n == t->cap && !is_before(&x, &t->v[t->n - 1])))
		return;
	size_t i = t->n < t->cap ? t->n++ : t->n - 1;
	for (; i > 0 && is_before(&x, &t->v[i - 1]); i--)
		t->v[i] = t->v[i - 1];
	t->v[i] = x;
}

static struct top top_new(struct arena *arena, size_t n)
{
	return (struct top){.v = ARENA_ARRAY(arena, struct tsdb_top, n), .cap = n};
}

static void list_pairs(
    const struct head_index *ix, struct arena *arena, struct top *metrics, struct top *pairs)
{
	uint32_t metric_name = symbols_find(&ix->symbols, SL(LABEL_NAME));
	for (uint32_t i = 0; i < ix->n_pairs; i++) {
		const struct index_pair *p = head_index_pair(ix, i);
		uint64_t count = postings_count(&p->series);
		if (count == 0)
			continue;
		bool is_metric = ix->names.v[p->name].symbol == metric_name;
		if (!top_wants(pairs, count) && !(is_metric && top_wants(metrics, count)))
			continue;
		struct slice name = symbols_text(&ix->symbols, ix->names.v[p->name].symbol);
		struct slice value = symbols_text(&ix->symbols, p->value);
		if (is_metric)
			top_add(metrics, value, count);
		top_add(
		    pairs, arena_printf(arena, "%" SL_FMT "=%" SL_FMT, SL_ARG(name), SL_ARG(value)), count);
	}
}

static void list_names(const struct head_index *ix, struct top *values, struct top *bytes)
{
	VEC_EACH (struct index_name, name, &ix->names) {
		struct slice text = symbols_text(&ix->symbols, name->symbol);
		top_add(values, text, name->pairs.len);
		top_add(bytes, text, name->value_bytes);
	}
}

void tsdb_cardinality(struct tsdb *db, size_t n, struct arena *arena, struct tsdb_cardinality *out)
{
	struct top metrics = top_new(arena, n), values = top_new(arena, n), bytes = top_new(arena, n),
		   pairs = top_new(arena, n);
	rwlock_read(&db->head.index_lock);
	list_pairs(&db->head.index, arena, &metrics, &pairs);
	list_names(&db->head.index, &values, &bytes);
	rwlock_release(&db->head.index_lock);
	for (size_t i = 0; i < metrics.n; i++)
		metrics.v[i].name = arena_slice(arena, metrics.v[i].name);
	*out = (struct tsdb_cardinality){
	    .series_by_metric = metrics.v,
	    .values_by_label = values.v,
	    .bytes_by_label = bytes.v,
	    .series_by_pair = pairs.v,
	    .n_series_by_metric = metrics.n,
	    .n_values_by_label = values.n,
	    .n_bytes_by_label = bytes.n,
	    .n_series_by_pair = pairs.n,
	};
}

void tsdb_metadata(struct tsdb *db, struct slice metric, size_t limit, struct arena *arena,
    void (*each)(void *arg, struct slice metric, const struct metadata *m), void *arg)
{
	struct metadata_of *all;
	size_t n = metadata_store_list(&db->head.metadata, metric, arena, &all);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++)
		each(arg, all[i].metric, &all[i].m);
}
