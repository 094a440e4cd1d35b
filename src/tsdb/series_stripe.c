#include "tsdb/series_stripe.h"

#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include <assert.h>

void series_stripe_init(struct series_stripe *s, unsigned number)
{
	*s = (struct series_stripe){
	    .number = number, .min_t_ms = INT64_MAX, .max_t_ms = INT64_MIN, .deleted_until_ms = INT64_MIN};
	lock_init(&s->lock, LOCK_STRIPE, "stripe");
	s->slab = slab_new();
}

void series_stripe_done(struct series_stripe *s)
{
	while (s->frozen) {
		struct frozen *f = s->frozen;
		s->frozen = f->older;
		frozen_free(f);
	}
	slab_free(s->slab);
	closed_chunks_done(&s->closed);
	head_histograms_done(&s->histograms);
	ooo_buffer_done(&s->late);
	lock_done(&s->lock);
}

/* --- open and closed chunks ---------------------------------------------------------------------------------- */

void series_stripe_close_chunk(struct series_stripe *s, struct head_block *b, series_ref ref)
{
	struct head_series *series = &b->series[series_in_block(ref)];
	if (series->chunk.count == 0)
		return;
	closed_chunks_push(&s->closed, (struct closed_chunk){.ref = ref,
					   .before = series->closed,
					   .chunk = series->chunk,
					   .last = b->last[series_in_block(ref)]});
	assert(s->closed.len < 1u << 24);
	series->closed = (uint32_t)s->closed.len & 0xffffff;
	series->chunk.handle = SLAB_NONE;
	chunk_xor_reset(&series->chunk);
}

/* The rare ways: more room, or a new chunk. */
static bool append_slowly(
    struct series_stripe *s, struct head_block *b, series_ref ref, int64_t t_ms, double v)
{
	struct head_series *series = &b->series[series_in_block(ref)];
	struct chunk_xor *c = &series->chunk;
	const struct last_sample *last = &b->last[series_in_block(ref)];
	for (;;) {
		uint8_t *bytes = slab_ptr(s->slab, c->handle);
		switch (chunk_xor_append(c, bytes, slab_size(c->handle), last->t_ms, last->v, t_ms, v)) {
		case CHUNK_XOR_OK:
			return true;
		case CHUNK_XOR_GROW:
			if (slab_size(c->handle) < SLAB_MAX_BYTES) {
				uint32_t grown = slab_grow(s->slab, c->handle, chunk_xor_bytes(c));
				if (grown == SLAB_NONE)
					return false;
				c->handle = grown;
				break;
			}
			series_stripe_close_chunk(s, b, ref);
			break;
		case CHUNK_XOR_FULL:
			series_stripe_close_chunk(s, b, ref);
			break;
		}
	}
}

bool series_stripe_append(
    struct series_stripe *s, struct head_block *b, series_ref ref, int64_t t_ms, double v)
{
	struct chunk_xor *c = &b->series[series_in_block(ref)].chunk;
	struct last_sample *last = &b->last[series_in_block(ref)];
	if (chunk_xor_is_run(c, last->t_ms, double_bits(last->v), t_ms, double_bits(v))) {
		c->count++;
		c->run++;
		last->t_ms = t_ms;
		return true;
	}
	uint8_t *bytes = slab_ptr(s->slab, c->handle);
	if (chunk_xor_append(c, bytes, slab_size(c->handle), last->t_ms, last->v, t_ms, v) != CHUNK_XOR_OK &&
	    !append_slowly(s, b, ref, t_ms, v))
		return false;
	*last = (struct last_sample){t_ms, v};
	return true;
}

/* --- freezing ------------------------------------------------------------------------------------------------ */

/* The chunks of one series, oldest first. */
static void freeze_series(struct series_stripe *s, struct head_block *b, series_ref ref, struct frozen *f)
{
	struct head_series *series = &b->series[series_in_block(ref)];
	size_t first = f->chunks.len;
	if (series->chunk.count > 0)
		closed_chunks_push(&f->chunks,
		    (struct closed_chunk){
			.ref = ref, .chunk = series->chunk, .last = b->last[series_in_block(ref)]});
	for (uint32_t i = series->closed; i; i = s->closed.v[i - 1].before)
		closed_chunks_push(&f->chunks, s->closed.v[i - 1]);
	for (size_t i = first, k = f->chunks.len; i + 1 < k; i++) {
		struct closed_chunk swap = f->chunks.v[i];
		f->chunks.v[i] = f->chunks.v[--k];
		f->chunks.v[k] = swap;
	}
	series->chunk.handle = SLAB_NONE;
	chunk_xor_reset(&series->chunk);
	series->closed = 0;
	series->flags &= (uint32_t) ~(SERIES_HAS_HISTOGRAMS | SERIES_HAS_LATE) & 0xff;
}

struct frozen *series_stripe_freeze(struct series_stripe *s, const struct head_columns *columns)
{
	if (s->open_samples == 0)
		return NULL;
	struct frozen *f = xcalloc(1, sizeof(*f));
	for (uint32_t i = s->number; i < columns->n_blocks; i += HEAD_STRIPES) {
		struct head_block *b = columns->blocks[i];
		for (uint32_t k = 0; b && k < HEAD_BLOCK_SERIES; k++)
			if (b->series[k].chunk.count > 0 || b->series[k].closed || b->series[k].flags)
				freeze_series(s, b, i << HEAD_BLOCK_SHIFT | k, f);
	}
	f->slab = s->slab;
	f->histograms = s->histograms;
	f->late = s->late;
	f->older = s->frozen;
	s->frozen = f;
	s->slab = slab_new();
	s->histograms = (struct head_histograms){0};
	s->late = (struct ooo_buffer){0};
	closed_chunks_done(&s->closed);
	s->open_samples = 0;
	s->min_t_ms = INT64_MAX;
	s->max_t_ms = INT64_MIN;
	return f;
}

void frozen_free(struct frozen *f)
{
	closed_chunks_done(&f->chunks);
	slab_free(f->slab);
	head_histograms_done(&f->histograms);
	ooo_buffer_done(&f->late);
	free(f);
}

const struct closed_chunk *frozen_chunks(const struct frozen *f, series_ref ref, size_t *n)
{
	size_t lo = 0, hi = f->chunks.len;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (f->chunks.v[mid].ref < ref)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (hi = lo; hi < f->chunks.len && f->chunks.v[hi].ref == ref;)
		hi++;
	*n = hi - lo;
	return f->chunks.v + lo;
}
