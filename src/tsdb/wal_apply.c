#include "tsdb/wal_apply.h"

#include "base/xmalloc.h"
#include "tsdb/head_append.h"
#include "tsdb/head_exemplar.h"
#include <string.h>

enum { BATCH = 256 };

/* --- one record ---------------------------------------------------------------------------------------------- */

static uint64_t covered_record(const struct wal_apply *a, series_ref ref)
{
	return a->head->stripes[series_stripe_of(ref)].replay_record;
}

static int apply_series(
    const struct wal_apply *a, uint64_t number, struct slice payload, struct wal_apply_counts *c)
{
	struct wal_series_reader reader = {0};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	wal_series_open(&reader, payload);
	series_ref ref;
	int rc;
	while ((rc = wal_series_next(&reader, &ref)) == 0) {
		if (number <= covered_record(a, ref))
			continue;
		c->series += head_restore_series(a->head, ref, labels_from_sorted(arena, reader.l, reader.n));
		arena_reset(arena);
	}
	wal_series_close(&reader);
	arena_free(arena);
	return rc == 1 ? 0 : rc;
}

/* A series of which the log or a snapshot lost the labels: its ref must not be given to another. */
static void keep_ref(struct head *h, series_ref ref)
{
	rwlock_write(&h->index_lock);
	if (ref >= h->next_ref && ref < UINT32_MAX)
		h->next_ref = ref + 1;
	rwlock_release(&h->index_lock);
}

static bool is_known(struct head *h, series_ref ref, struct wal_apply_counts *c)
{
	const struct head_block *b = head_columns_block(&h->columns, ref);
	if (b && atomic_load_explicit(&b->series[series_in_block(ref)].labels, memory_order_relaxed) != 0)
		return true;
	keep_ref(h, ref);
	c->unknown++;
	return false;
}

/* By a deletion that came behind this record. Rare: a series snapshot, which covers the record, was lost. */
static bool is_deleted(const struct wal_apply *a, uint64_t number, series_ref ref, int64_t t_ms)
{
	if (number > a->deleted_record)
		return false;
	const struct head_block *b = head_columns_block(&a->head->columns, ref);
	uint32_t handle = b ? b->series[series_in_block(ref)].labels : 0;
	if (handle == 0)
		return false;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	bool is = deletions_cover(
	    a->deletions, number, series_labels_copy(&a->head->index.labels, handle, arena), t_ms);
	arena_free(arena);
	return is;
}

static int apply_samples(
    const struct wal_apply *a, uint64_t number, struct slice payload, struct wal_apply_counts *c)
{
	struct wal_samples_reader reader;
	struct sample batch[BATCH];
	size_t n = 0;
	int rc;
	wal_samples_open(&reader, payload);
	while ((rc = wal_samples_next(&reader, &batch[n])) == 0) {
		if (number <= covered_record(a, batch[n].ref) || !is_known(a->head, batch[n].ref, c) ||
		    is_deleted(a, number, batch[n].ref, batch[n].t_ms))
			continue;
		if (++n < BATCH - 1)
			continue;
		c->samples += head_replay_samples(a->head, batch, n);
		n = 0;
	}
	c->samples += head_replay_samples(a->head, batch, n);
	return rc == 1 ? 0 : rc;
}

static int apply_histograms(
    const struct wal_apply *a, uint64_t number, struct slice payload, struct wal_apply_counts *c)
{
	struct byte_reader reader;
	series_ref ref;
	int64_t t_ms;
	struct slice chunk;
	int rc;
	byte_reader_init(&reader, payload);
	while ((rc = wal_histogram_next(&reader, &ref, &t_ms, &chunk)) == 0)
		if (number > covered_record(a, ref) && is_known(a->head, ref, c) &&
		    !is_deleted(a, number, ref, t_ms))
			c->samples += head_replay_histogram(a->head, ref, t_ms, chunk);
	return rc == 1 ? 0 : rc;
}

static int apply_metadata(struct head *h, struct slice payload)
{
	struct byte_reader reader;
	struct slice metric;
	struct metadata m;
	int rc;
	byte_reader_init(&reader, payload);
	while ((rc = wal_metadata_next(&reader, &metric, &m)) == 0)
		metadata_store_set(&h->metadata, metric, &m);
	return rc == 1 ? 0 : rc;
}

int wal_apply_record(
    const struct wal_apply *a, const struct wal_frame *f, struct slice payload, struct wal_apply_counts *c)
{
	switch (f->type) {
	case WAL_SERIES:
		return apply_series(a, f->number, payload, c);
	case WAL_SAMPLES:
		return apply_samples(a, f->number, payload, c);
	case WAL_HISTOGRAMS:
		return apply_histograms(a, f->number, payload, c);
	case WAL_METADATA:
		return apply_metadata(a->head, payload);
	case WAL_EXEMPLARS:
		return head_replay_exemplars(a->head, f->number, payload);
	default: /* of a later version that thought older ones could do without */
		return 0;
	}
}

/* --- many of them, by stripe ----------------------------------------------------------------------------------- */

bool wal_gather_add(struct wal_gather *g, const struct wal_frame *f, struct slice payload)
{
	bool is_of_stripe = f->type == WAL_SAMPLES || f->type == WAL_HISTOGRAMS;
	if (!is_of_stripe || f->stripe >= HEAD_STRIPES)
		return false;
	wal_gathered_vec_push(&g->by_stripe[f->stripe], (struct wal_gathered){*f, payload});
	return true;
}

void wal_gather_apply(struct wal_gather *g, const struct wal_apply *a, unsigned stripe)
{
	struct wal_apply_counts c = {0};
	VEC_EACH (struct wal_gathered, r, &g->by_stripe[stripe])
		if (wal_apply_record(a, &r->frame, r->payload, &c) != 0 && c.bad++ == 0)
			c.first_bad = r->frame.number;
	wal_gathered_vec_reset(&g->by_stripe[stripe]);
	lock_take(&g->lock);
	wal_apply_counts_add(&g->counts, &c);
	lock_release(&g->lock);
}

void wal_apply_counts_add(struct wal_apply_counts *to, const struct wal_apply_counts *c)
{
	if (c->bad && (to->bad == 0 || c->first_bad < to->first_bad))
		to->first_bad = c->first_bad;
	to->series += c->series;
	to->samples += c->samples;
	to->unknown += c->unknown;
	to->bad += c->bad;
}

void wal_gather_init(struct wal_gather *g)
{
	*g = (struct wal_gather){0};
	lock_init(&g->lock, LOCK_POOL, "replay");
}

void wal_gather_done(struct wal_gather *g)
{
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		wal_gathered_vec_done(&g->by_stripe[i]);
	lock_done(&g->lock);
}
