#include "tsdb/head_exemplar.h"

#include "base/counters.h"
#include "base/xmalloc.h"

enum { RECORD_BYTES = 64 << 10 };

void exemplar_batch_reset(struct exemplar_batch *b)
{
	pending_exemplars_reset(&b->v);
	if (b->arena)
		arena_reset(b->arena);
}

void exemplar_batch_done(struct exemplar_batch *b)
{
	pending_exemplars_done(&b->v);
	arena_free(b->arena);
	b->arena = NULL;
}

/* --- appending --------------------------------------------------------------------------------------------------- */

/* NULL: no series has this ref. */
static const struct labels *series_of_ref(struct head *h, series_ref ref, struct arena *arena)
{
	const struct head_block *b = head_columns_block(&h->columns, ref);
	if (!b)
		return NULL;
	struct series_stripe *stripe = &h->stripes[series_stripe_of(ref)];
	lock_take(&stripe->lock); /* as long as it is held the series cannot go */
	uint32_t handle = b->series[series_in_block(ref)].labels;
	const struct labels *labels = handle ? series_labels_copy(&h->index.labels, handle, arena) : NULL;
	lock_release(&stripe->lock);
	return labels;
}

static enum exemplar_result check(const struct exemplar *e)
{
	int rc = exemplar_check(e->labels, NULL);
	return rc == 0 ? EXEMPLAR_TAKEN : rc == ERR_LIMIT ? EXEMPLAR_TOO_LONG : EXEMPLAR_INVALID;
}

static enum exemplar_result add(struct head *h, struct exemplar_batch *b, const struct exemplar *e,
    const struct labels *series, bool judge)
{
	enum exemplar_result r = check(e);
	if (r != EXEMPLAR_TAKEN)
		return r;
	if (judge) {
		lock_take(&h->exemplars.lock);
		r = exemplar_ring_judge(&h->exemplars, series, e, h->late_window_ms);
		lock_release(&h->exemplars.lock);
	}
	if (r == EXEMPLAR_OUT_OF_ORDER)
		counter_add(M_TSDB_EXEMPLARS_OUT_OF_ORDER, 1);
	if (r != EXEMPLAR_TAKEN)
		return r;
	struct pending_exemplar p = {series, *e};
	p.exemplar.labels = labels_copy_to(b->arena, e->labels);
	pending_exemplars_push(&b->v, p);
	return r;
}

void head_append_exemplars(struct head *h, uint32_t round, struct exemplar_batch *b,
    const struct exemplar_sample *e, size_t n, uint8_t *results)
{
	const struct labels *series = NULL;
	bool is_off = atomic_load_explicit(&h->exemplars.is_off, memory_order_relaxed);
	if (!is_off && !b->arena)
		b->arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < n; i++) {
		enum exemplar_result r = EXEMPLAR_OFF;
		bool in_time = e[i].round == 0 || round - e[i].round <= 1;
		bool is_same = i > 0 && e[i].ref == e[i - 1].ref && e[i].round == e[i - 1].round;
		if (!is_off && !is_same)
			series = in_time ? series_of_ref(h, e[i].ref, b->arena) : NULL;
		if (!is_off)
			r = series ? add(h, b, &e[i].exemplar, series, results != NULL)
				   : EXEMPLAR_UNKNOWN_REF;
		if (results)
			results[i] = (uint8_t)r;
	}
}

/* --- the log ------------------------------------------------------------------------------------------------------ */

/* Exemplars of the ring on their way to the log; the ring's lock is held. */
struct log_writer {
	struct head *head;
	struct strbuf payload;
	struct wal_series_writer series;
};

static void log_begin(struct log_writer *w, struct head *h)
{
	*w = (struct log_writer){.head = h};
	strbuf_init(&w->payload, STRBUF_NO_LIMIT);
	wal_series_begin(&w->series, &w->payload);
}

static void log_end(struct log_writer *w)
{
	wal_series_done(&w->series);
	strbuf_done(&w->payload);
}

static uint64_t log_flush(struct log_writer *w)
{
	uint64_t record = wal_append(w->head->wal, WAL_EXEMPLARS, 0, strbuf_slice(&w->payload));
	strbuf_reset(&w->payload);
	wal_series_begin(&w->series, &w->payload);
	return record;
}

/* The newest n of the ring are in this record. */
static void note_record(struct exemplar_ring *ring, size_t n, uint64_t record)
{
	size_t len = ring->slots.len;
	for (size_t i = 0; i < n && i < len; i++)
		exemplar_ring_set_record(ring, len - 1 - i, record);
}

void head_commit_exemplars(struct head *h, const struct exemplar_batch *b)
{
	struct exemplar_ring *ring = &h->exemplars;
	struct log_writer w;
	size_t waiting = 0, taken = 0, late = 0;
	if (b->v.len == 0)
		return;
	log_begin(&w, h);
	lock_take(&ring->lock);
	VEC_EACH (const struct pending_exemplar, p, &b->v) {
		enum exemplar_result r = exemplar_ring_add(ring, p->series, &p->exemplar, h->late_window_ms);
		late += r == EXEMPLAR_OUT_OF_ORDER;
		if (r != EXEMPLAR_TAKEN)
			continue;
		wal_exemplar_add(&w.series, p->series, &p->exemplar);
		taken++;
		waiting++;
		if (w.payload.len < RECORD_BYTES)
			continue;
		note_record(ring, waiting, log_flush(&w));
		waiting = 0;
	}
	if (waiting)
		note_record(ring, waiting, log_flush(&w));
	lock_release(&ring->lock);
	log_end(&w);
	counter_add(M_TSDB_EXEMPLARS_APPENDED, taken);
	counter_add(M_TSDB_EXEMPLARS_OUT_OF_ORDER, late);
	head_set_exemplar_gauges(h);
}

void head_log_exemplars_again(struct head *h, uint64_t record)
{
	struct exemplar_ring *ring = &h->exemplars;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct log_writer w;
	log_begin(&w, h);
	lock_take(&ring->lock);
	size_t first = 0; /* of those that are in the payload */
	for (size_t i = 0; i < ring->slots.len; i++) {
		const struct labels *series;
		struct exemplar e;
		bool is_last = i + 1 == ring->slots.len;
		if (exemplar_ring_record(ring, i) <= record) {
			exemplar_ring_get(ring, i, arena, &series, &e);
			wal_exemplar_add(&w.series, series, &e);
		}
		if (w.payload.len == 0 || (w.payload.len < RECORD_BYTES && !is_last))
			continue;
		uint64_t again = log_flush(&w);
		for (; first <= i; first++)
			if (exemplar_ring_record(ring, first) <= record)
				exemplar_ring_set_record(ring, first, again);
		arena_reset(arena);
	}
	lock_release(&ring->lock);
	log_end(&w);
	arena_free(arena);
}

int head_replay_exemplars(struct head *h, uint64_t record, struct slice payload)
{
	struct wal_series_reader reader = {0};
	struct wal_exemplar e;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	int rc;
	wal_series_open(&reader, payload);
	lock_take(&h->exemplars.lock);
	while ((rc = wal_exemplar_next(&reader, &e)) == 0) {
		e.exemplar.labels = labels_from_sorted(arena, e.l, e.n);
		if (exemplar_check(e.exemplar.labels, NULL) == 0 &&
		    exemplar_ring_add(&h->exemplars, labels_from_sorted(arena, reader.l, reader.n),
			&e.exemplar, EXEMPLAR_ANY_AGE) == EXEMPLAR_TAKEN)
			note_record(&h->exemplars, 1, record);
		arena_reset(arena);
	}
	lock_release(&h->exemplars.lock);
	wal_series_close(&reader);
	arena_free(arena);
	return rc == 1 ? 0 : rc;
}

void head_set_exemplar_gauges(struct head *h)
{
	struct exemplar_stats s;
	exemplar_ring_stats(&h->exemplars, &s);
	gauge_set(M_TSDB_EXEMPLARS, (double)s.exemplars);
	gauge_set(M_TSDB_EXEMPLAR_SERIES, (double)s.series);
	gauge_set(M_TSDB_EXEMPLARS_OLDEST, (double)s.oldest_t_ms / 1000);
	gauge_set(M_TSDB_EXEMPLARS_MAX, (double)s.max);
}
