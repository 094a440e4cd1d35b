#include "tsdb/head_seal.h"

#include "base/counters.h"
#include "base/xmalloc.h"
#include "tsdb/column_order.h"
#include "tsdb/head_read.h"
#include <string.h>

/* --- freezing ------------------------------------------------------------------------------------------------ */

series_ref stripe_seal_ref(const struct stripe_seal *s, uint32_t place)
{
	uint32_t block = s->stripe + (place >> HEAD_BLOCK_SHIFT) * HEAD_STRIPES;
	return block << HEAD_BLOCK_SHIFT | (place & (HEAD_BLOCK_SERIES - 1));
}

void stripe_seal_done(struct stripe_seal *s)
{
	free(s->last);
	free(s->flags);
}

/* STRIPE. A series without samples twice in a row has ended. */
static void age_series(struct head_block *b, unsigned i, int64_t idle_before_ms)
{
	struct head_series *s = &b->series[i];
	if (s->labels == 0 || s->chunk.count > 0 || s->closed ||
	    (s->flags & (SERIES_HAS_HISTOGRAMS | SERIES_HAS_LATE)))
		return;
	bool is_old = b->last[i].t_ms < idle_before_ms;
	if (is_old && (s->flags & SERIES_IDLE))
		s->flags |= SERIES_DYING;
	s->flags |= SERIES_IDLE;
}

static void copy_block(struct stripe_seal *s, uint32_t at, struct head_block *b, int64_t idle_before_ms)
{
	for (unsigned i = 0; i < HEAD_BLOCK_SERIES && idle_before_ms != INT64_MIN; i++)
		age_series(b, i, idle_before_ms);
	memcpy(&s->last[at], b->last, sizeof(b->last));
	for (unsigned i = 0; i < HEAD_BLOCK_SERIES; i++)
		s->flags[at + i] = (uint8_t)b->series[i].flags;
}

void head_freeze(struct head *h, unsigned stripe, int64_t idle_before_ms, struct stripe_seal *out)
{
	struct series_stripe *s = &h->stripes[stripe];
	uint32_t n_blocks = h->columns.n_blocks;
	uint32_t mine = n_blocks > stripe ? (n_blocks - stripe + HEAD_STRIPES - 1) / HEAD_STRIPES : 0;
	*out = (struct stripe_seal){.stripe = stripe, .n = mine * HEAD_BLOCK_SERIES};
	out->last = xreallocarray(NULL, out->n + 1, sizeof(*out->last));
	out->flags = xcalloc(out->n + 1, 1);
	lock_take(&s->lock);
	for (uint32_t i = 0; i < mine; i++) {
		struct head_block *b = h->columns.blocks[stripe + i * HEAD_STRIPES];
		if (b)
			copy_block(out, i * HEAD_BLOCK_SERIES, b, idle_before_ms);
		else
			for (unsigned k = 0; k < HEAD_BLOCK_SERIES; k++)
				out->last[i * HEAD_BLOCK_SERIES + k] =
				    (struct last_sample){.t_ms = INT64_MIN};
	}
	atomic_fetch_sub_explicit(&h->late_bytes, s->late.bytes, memory_order_relaxed);
	series_stripe_freeze(s, &h->columns);
	out->record = wal_last_record(h->wal);
	lock_release(&s->lock);
}

/* --- writing ------------------------------------------------------------------------------------------------- */

struct to_write {
	series_ref ref;
	const struct labels *labels;
};
VEC_DEFINE(write_list, struct to_write);

static int by_ref(const void *a, const void *b)
{
	const struct to_write *x = a, *y = b;
	return (x->ref > y->ref) - (x->ref < y->ref);
}

static int by_labels(const void *a, const void *b)
{
	const struct to_write *x = a, *y = b;
	int c = labels_cmp(x->labels, y->labels);
	return c ? c : by_ref(a, b);
}

static bool has_kind(const struct frozen *f, enum frozen_kind kind)
{
	return kind == FROZEN_LATE ? !ooo_buffer_is_empty(&f->late)
				   : f->chunks.len > 0 || f->histograms.series.len > 0;
}

bool head_has_frozen(const struct head *h, const struct stripe_seal *seals, size_t n, enum frozen_kind kind)
{
	for (size_t i = 0; i < n; i++)
		for (const struct frozen *f = h->stripes[seals[i].stripe].frozen; f; f = f->older)
			if (f->part_seq == 0 && has_kind(f, kind))
				return true;
	return false;
}

static void list_histograms(const struct head_histograms *h, struct write_list *out)
{
	VEC_EACH (struct series_histograms, s, &h->series)
		write_list_push(out, (struct to_write){.ref = s->ref});
}

static void list_frozen(const struct frozen *f, enum frozen_kind kind, struct write_list *out)
{
	if (kind == FROZEN_LATE) {
		VEC_EACH (struct ooo_series, s, &f->late.series)
			write_list_push(out, (struct to_write){.ref = s->ref});
		list_histograms(&f->late.histograms, out);
		return;
	}
	for (size_t i = 0; i < f->chunks.len; i++)
		if (i == 0 || f->chunks.v[i].ref != f->chunks.v[i - 1].ref)
			write_list_push(out, (struct to_write){.ref = f->chunks.v[i].ref});
	list_histograms(&f->histograms, out);
}

/* Series with something frozen that no part has, each once. Frozen sets are changed by this thread only, so no lock. */
static void list_series(struct head *h, unsigned stripe, enum frozen_kind kind, struct write_list *out)
{
	size_t first = out->len;
	for (const struct frozen *f = h->stripes[stripe].frozen; f; f = f->older)
		if (f->part_seq == 0)
			list_frozen(f, kind, out);
	if (out->len == first)
		return;
	qsort(out->v + first, out->len - first, sizeof(*out->v), by_ref);
	size_t n = first + 1;
	for (size_t i = first + 1; i < out->len; i++)
		if (out->v[i].ref != out->v[n - 1].ref)
			out->v[n++] = out->v[i];
	out->len = n;
}

static void list_labels(struct head *h, struct write_list *list, struct arena *arena)
{
	size_t n = 0;
	VEC_EACH (struct to_write, w, list) {
		uint32_t handle =
		    head_columns_block(&h->columns, w->ref)->series[series_in_block(w->ref)].labels;
		if (handle == 0)
			continue;
		w->labels = series_labels_get(&h->index.labels, handle, arena);
		list->v[n++] = *w;
	}
	list->len = n;
	if (n)
		qsort(list->v, n, sizeof(*list->v), by_labels);
}

static int read_frozen(
    const struct frozen *f, series_ref ref, enum frozen_kind kind, struct sample_column *out, struct err *err)
{
	if (!f)
		return 0;
	int rc = read_frozen(f->older, ref, kind, out, err);
	if (rc != 0 || f->part_seq)
		return rc;
	if (kind == FROZEN_LATE)
		return ooo_buffer_read(&f->late, ref, INT64_MIN, INT64_MAX, out, err);
	size_t n;
	const struct closed_chunk *c = frozen_chunks(f, ref, &n);
	rc = head_decode_chunks(f->slab, c, n, out, err);
	if (rc == 0 && f->histograms.series.len > 0)
		rc = head_histograms_read(&f->histograms, ref, INT64_MIN, INT64_MAX, out, err);
	return rc;
}

/* One series; a series that was dropped and made again may have two refs. */
static int write_series(struct head *h, const struct to_write *s, size_t n, enum frozen_kind kind,
    struct sealed_times *known, struct part_writer *w, struct sample_column *column, struct err *err)
{
	sample_column_reset(column);
	for (size_t i = 0; i < n; i++) {
		const struct series_stripe *stripe = &h->stripes[series_stripe_of(s[i].ref)];
		int rc = read_frozen(stripe->frozen, s[i].ref, kind, column, err);
		if (rc != 0)
			return rc;
	}
	if (!column_order(column, 0))
		return err_set(err, ERR_NO_MEMORY, "no memory to order %zu samples", column->n);
	if (known)
		counter_add(M_TSDB_LATE_CONFLICTS, sealed_times_leave_out(known, s[0].labels, column));
	int rc = part_writer_series(w, s[0].labels, err);
	return rc == 0 ? part_writer_column(w, column, err) : rc;
}

int head_write_frozen(struct head *h, const struct stripe_seal *seals, size_t n, enum frozen_kind kind,
    struct sealed_times *known, struct part_writer *w, struct err *err)
{
	struct write_list list = {0};
	for (size_t i = 0; i < n; i++)
		list_series(h, seals[i].stripe, kind, &list);
	struct arena *labels = arena_new(ARENA_NO_LIMIT), *histograms = arena_new(ARENA_NO_LIMIT);
	list_labels(h, &list, labels);
	struct sample_column column;
	sample_column_init(&column, histograms);
	int rc = 0;
	for (size_t i = 0, end; i < list.len && rc == 0; i = end) {
		end = i + 1;
		while (end < list.len && labels_eq(list.v[end].labels, list.v[i].labels))
			end++;
		rc = write_series(h, list.v + i, end - i, kind, known, w, &column, err);
		arena_reset(histograms);
	}
	sample_column_done(&column);
	arena_free(histograms);
	arena_free(labels);
	write_list_done(&list);
	return rc;
}

/* --- afterwards ---------------------------------------------------------------------------------------------- */

void head_frozen_is_in(struct head *h, const struct stripe_seal *seals, size_t n, uint64_t seq)
{
	for (size_t i = 0; i < n; i++) {
		struct series_stripe *s = &h->stripes[seals[i].stripe];
		lock_take(&s->lock);
		for (struct frozen *f = s->frozen; f; f = f->older)
			if (f->part_seq == 0)
				f->part_seq = seq;
		lock_release(&s->lock);
	}
}

void head_drop_frozen(struct head *h, uint64_t seen_seq)
{
	for (unsigned i = 0; i < HEAD_STRIPES; i++) {
		struct series_stripe *s = &h->stripes[i];
		struct frozen *gone = NULL;
		lock_take(&s->lock);
		for (struct frozen **at = &s->frozen; *at;) {
			struct frozen *f = *at;
			if (f->part_seq == 0 || f->part_seq > seen_seq) {
				at = &f->older;
				continue;
			}
			*at = f->older;
			f->older = gone;
			gone = f;
		}
		lock_release(&s->lock);
		while (gone) {
			struct frozen *f = gone;
			gone = f->older;
			frozen_free(f);
		}
	}
}

void head_drop_dying(struct head *h, const struct stripe_seal *s, uint64_t seq)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->flags[i] & SERIES_DYING)
			head_drop_series(h, stripe_seal_ref(s, i), seq);
}

uint64_t head_replay_record(const struct head *h)
{
	uint64_t record = UINT64_MAX;
	for (unsigned i = 0; i < HEAD_STRIPES && i < h->columns.n_blocks; i++)
		if (h->stripes[i].replay_record < record)
			record = h->stripes[i].replay_record;
	return record == UINT64_MAX ? 0 : record;
}
