#include "tsdb/head_read.h"

#include "tsdb/column_order.h"
#include <string.h>

VEC_DEFINE(chunk_places, uint32_t);

/* Room in which whole chunks are decoded, also past the range: cutting them afterwards is cheaper than asking a sample. */
static int decode(const struct chunk_xor *c, const struct slab *slab, double last_v,
    struct sample_column *out, struct err *err)
{
	if (!sample_column_reserve(out, c->count))
		return err_set(err, ERR_NO_MEMORY, "no memory for %u samples", c->count);
	int rc =
	    chunk_xor_decode(c, slab_ptr(slab, c->handle), last_v, out->t + out->n, out->v + out->n, err);
	if (rc != 0)
		return rc;
	size_t end = out->n + c->count;
	if (out->h) { /* floats among histograms */
		double *v = out->v;
		const int64_t *t = out->t;
		while (out->n < end)
			if (!sample_column_push(out, t[out->n], v[out->n], NULL))
				return err_set(err, ERR_NO_MEMORY, "no memory for %u samples", c->count);
	}
	out->n = end;
	return 0;
}

int head_decode_chunks(const struct slab *slab, const struct closed_chunk *chunks, size_t n,
    struct sample_column *out, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = decode(&chunks[i].chunk, slab, chunks[i].last.v, out, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Drops what is outside of the range from the floats that stand from `from` on: they ascend. */
static void cut(struct sample_column *c, size_t from, int64_t min_t_ms, int64_t max_t_ms)
{
	while (c->n > from && c->t[c->n - 1] > max_t_ms)
		c->n--;
	size_t skip = from;
	while (skip < c->n && c->t[skip] < min_t_ms)
		skip++;
	size_t left = c->n - skip;
	if (skip == from || left == 0) {
		c->n = from + left;
		return;
	}
	memmove(c->t + from, c->t + skip, left * sizeof(*c->t));
	memmove(c->v + from, c->v + skip, left * sizeof(*c->v));
	if (c->h)
		memmove(c->h + from, c->h + skip, left * sizeof(*c->h));
	c->n = from + left;
}

static bool overlaps(int64_t first_t_ms, int64_t last_t_ms, int64_t min_t_ms, int64_t max_t_ms)
{
	return first_t_ms <= max_t_ms && last_t_ms >= min_t_ms;
}

static int read_frozen(const struct frozen *f, series_ref ref, uint64_t seen_seq, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	if (!f)
		return 0;
	int rc = read_frozen(f->older, ref, seen_seq, min_t_ms, max_t_ms, out, err);
	if (rc != 0 || (f->part_seq && f->part_seq <= seen_seq))
		return rc;
	size_t n;
	const struct closed_chunk *c = frozen_chunks(f, ref, &n);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (overlaps(c[i].chunk.first_t_ms, c[i].last.t_ms, min_t_ms, max_t_ms))
			rc = head_decode_chunks(f->slab, &c[i], 1, out, err);
	if (rc == 0 && f->histograms.series.len > 0)
		rc = head_histograms_read(&f->histograms, ref, min_t_ms, max_t_ms, out, err);
	if (rc == 0 && !ooo_buffer_is_empty(&f->late))
		rc = ooo_buffer_read(&f->late, ref, min_t_ms, max_t_ms, out, err);
	return rc;
}

/* The list goes from new to old; it is read from its end. */
static int read_closed(const struct series_stripe *s, uint32_t at, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	struct chunk_places places = {0};
	for (; at; at = s->closed.v[at - 1].before)
		chunk_places_push(&places, at - 1);
	int rc = 0;
	for (size_t i = places.len; i-- > 0 && rc == 0;) {
		const struct closed_chunk *c = &s->closed.v[places.v[i]];
		if (overlaps(c->chunk.first_t_ms, c->last.t_ms, min_t_ms, max_t_ms))
			rc = head_decode_chunks(s->slab, c, 1, out, err);
	}
	chunk_places_done(&places);
	return rc;
}

static int read_open(const struct series_stripe *s, const struct head_block *b, unsigned i, int64_t min_t_ms,
    int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	const struct chunk_xor *c = &b->series[i].chunk;
	if (c->count == 0 || !overlaps(c->first_t_ms, b->last[i].t_ms, min_t_ms, max_t_ms))
		return 0;
	return decode(c, s->slab, b->last[i].v, out, err);
}

/* STRIPE */
static int read_all(struct series_stripe *s, const struct head_block *b, series_ref ref, uint64_t seen_seq,
    int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	unsigned i = series_in_block(ref);
	int rc = read_frozen(s->frozen, ref, seen_seq, min_t_ms, max_t_ms, out, err);
	if (rc == 0)
		rc = read_closed(s, b->series[i].closed, min_t_ms, max_t_ms, out, err);
	if (rc == 0)
		rc = read_open(s, b, i, min_t_ms, max_t_ms, out, err);
	if (rc == 0 && b->series[i].flags & SERIES_HAS_HISTOGRAMS)
		rc = head_histograms_read(&s->histograms, ref, min_t_ms, max_t_ms, out, err);
	if (rc == 0 && b->series[i].flags & SERIES_HAS_LATE)
		rc = ooo_buffer_read(&s->late, ref, min_t_ms, max_t_ms, out, err);
	return rc;
}

int head_read(struct head *h, series_ref ref, uint64_t seen_seq, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	const struct head_block *b = head_columns_block(&h->columns, ref);
	if (!b)
		return 0;
	struct series_stripe *s = &h->stripes[series_stripe_of(ref)];
	size_t from = out->n;
	lock_take(&s->lock);
	int rc = read_all(s, b, ref, seen_seq, min_t_ms, max_t_ms, out, err);
	lock_release(&s->lock);
	if (rc == 0 && !column_order(out, from))
		rc = err_set(err, ERR_NO_MEMORY, "no memory to order %zu samples", out->n);
	if (rc == 0)
		cut(out, from, min_t_ms, max_t_ms);
	else
		out->n = from;
	return rc;
}

static size_t estimate_frozen(
    const struct frozen *f, series_ref ref, uint64_t seen_seq, int64_t min_t_ms, int64_t max_t_ms)
{
	size_t total = 0;
	for (; f; f = f->older) {
		if (f->part_seq && f->part_seq <= seen_seq)
			continue;
		size_t n;
		const struct closed_chunk *c = frozen_chunks(f, ref, &n);
		for (size_t i = 0; i < n; i++)
			if (overlaps(c[i].chunk.first_t_ms, c[i].last.t_ms, min_t_ms, max_t_ms))
				total += c[i].chunk.count;
		const struct series_histograms *hist = head_histograms_of(&f->histograms, ref);
		total += hist ? hist->entries.len : 0;
		total += ooo_buffer_count(&f->late, ref);
	}
	return total;
}

size_t head_estimate(struct head *h, series_ref ref, uint64_t seen_seq, int64_t min_t_ms, int64_t max_t_ms)
{
	const struct head_block *b = head_columns_block(&h->columns, ref);
	if (!b)
		return 0;
	const struct head_series *series = &b->series[series_in_block(ref)];
	struct series_stripe *s = &h->stripes[series_stripe_of(ref)];
	lock_take(&s->lock);
	size_t total = estimate_frozen(s->frozen, ref, seen_seq, min_t_ms, max_t_ms);
	for (uint32_t i = series->closed; i; i = s->closed.v[i - 1].before)
		total += s->closed.v[i - 1].chunk.count;
	if (series->chunk.count &&
	    overlaps(series->chunk.first_t_ms, b->last[series_in_block(ref)].t_ms, min_t_ms, max_t_ms))
		total += series->chunk.count;
	const struct series_histograms *hist =
	    series->flags & SERIES_HAS_HISTOGRAMS ? head_histograms_of(&s->histograms, ref) : NULL;
	total += hist ? hist->entries.len : 0;
	if (series->flags & SERIES_HAS_LATE)
		total += ooo_buffer_count(&s->late, ref);
	lock_release(&s->lock);
	return total;
}

/* STRIPE */
static void peek_one(
    const struct series_stripe *s, const struct head_block *b, unsigned i, struct head_peek *out)
{
	const struct head_series *series = &b->series[i];
	*out = (struct head_peek){.labels = series->labels,
	    .last_is_histogram = series->flags & SERIES_LAST_IS_HISTOGRAM,
	    .has_nothing_until = !s->frozen && series->closed == 0 &&
				 !(series->flags & (SERIES_HAS_HISTOGRAMS | SERIES_HAS_LATE)),
	    .nothing_until_ms = series->chunk.count ? series->chunk.first_t_ms : INT64_MAX,
	    .last = b->last[i]};
}

void head_peek(struct head *h, const series_ref *refs, size_t n, struct head_peek *out)
{
	for (size_t i = 0; i < n;) {
		unsigned number = series_stripe_of(refs[i]);
		struct series_stripe *s = &h->stripes[number];
		lock_take(&s->lock);
		for (; i < n && series_stripe_of(refs[i]) == number; i++) {
			const struct head_block *b = head_columns_block(&h->columns, refs[i]);
			if (b)
				peek_one(s, b, series_in_block(refs[i]), &out[i]);
			else
				out[i] = (struct head_peek){.last.t_ms = INT64_MIN};
		}
		lock_release(&s->lock);
	}
}
