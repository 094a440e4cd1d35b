#include "tsdb/head_late.h"

#include "base/xmalloc.h"
#include "model/stale_marker.h"

/* --- what is there already ----------------------------------------------------------------------------------- */

/* What the head has of a series at a time. */
struct found {
	bool is_there, is_histogram;
	double v;
	struct slice chunk; /* of a histogram */
};

static bool search(const int64_t *t, const double *values, size_t n, int64_t t_ms, double *v)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t[mid] < t_ms)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == n || t[lo] != t_ms)
		return false;
	*v = values[lo];
	return true;
}

/* Few chunks have more samples than the stack has room for: those of values that do not change. */
static bool find_in_chunk(const struct chunk_xor *c, const struct slab *slab, const struct last_sample *last,
    int64_t t_ms, double *v)
{
	enum { FEW = 480 };
	int64_t few_times[FEW];
	double few_values[FEW];
	if (c->count == 0 || t_ms < c->first_t_ms || t_ms > last->t_ms)
		return false;
	bool is_few = c->count <= FEW;
	int64_t *t = is_few ? few_times : xreallocarray(NULL, c->count, sizeof(*t));
	double *values = is_few ? few_values : xreallocarray(NULL, c->count, sizeof(*values));
	bool found = chunk_xor_decode(c, slab_ptr(slab, c->handle), last->v, t, values, NULL) == 0 &&
		     search(t, values, c->count, t_ms, v);
	if (!is_few) {
		free(t);
		free(values);
	}
	return found;
}

static bool find_in_chunks(
    const struct series_stripe *s, const struct head_block *b, unsigned i, int64_t t_ms, double *v)
{
	const struct head_series *series = &b->series[i];
	if (find_in_chunk(&series->chunk, s->slab, &b->last[i], t_ms, v))
		return true;
	for (uint32_t at = series->closed; at; at = s->closed.v[at - 1].before)
		if (find_in_chunk(&s->closed.v[at - 1].chunk, s->slab, &s->closed.v[at - 1].last, t_ms, v))
			return true;
	return false;
}

static bool find_frozen(const struct frozen *f, series_ref ref, int64_t t_ms, double *v)
{
	size_t n;
	const struct closed_chunk *c = frozen_chunks(f, ref, &n);
	for (size_t i = 0; i < n; i++)
		if (find_in_chunk(&c[i].chunk, f->slab, &c[i].last, t_ms, v))
			return true;
	return ooo_buffer_find(&f->late, ref, t_ms, v);
}

static bool find_histogram(const struct head_histograms *h, series_ref ref, int64_t t_ms, struct slice *chunk)
{
	const struct series_histograms *s = h->series.len > 0 ? head_histograms_of(h, ref) : NULL;
	for (size_t i = 0; s && i < s->entries.len; i++) {
		const struct histogram_entry *e = &s->entries.v[i];
		if (e->t_ms != t_ms)
			continue;
		*chunk = slice_of(s->bytes.ptr + e->offset, e->len);
		return true;
	}
	return false;
}

static struct found find(
    const struct series_stripe *s, const struct head_block *b, series_ref ref, int64_t t_ms)
{
	struct found f = {.is_there = true};
	unsigned i = series_in_block(ref);
	if (find_in_chunks(s, b, i, t_ms, &f.v) ||
	    ((b->series[i].flags & SERIES_HAS_LATE) && ooo_buffer_find(&s->late, ref, t_ms, &f.v)))
		return f;
	f.is_histogram = true;
	if (find_histogram(&s->histograms, ref, t_ms, &f.chunk) ||
	    find_histogram(&s->late.histograms, ref, t_ms, &f.chunk))
		return f;
	for (const struct frozen *z = s->frozen; z; z = z->older) {
		if (z->part_seq && t_ms <= s->deleted_until_ms)
			continue;
		f.is_histogram = false;
		if (find_frozen(z, ref, t_ms, &f.v))
			return f;
		f.is_histogram = true;
		if (find_histogram(&z->histograms, ref, t_ms, &f.chunk) ||
		    find_histogram(&z->late.histograms, ref, t_ms, &f.chunk))
			return f;
	}
	return (struct found){0};
}

static bool is_same(const struct found *f, const struct late_sample *s)
{
	if (f->is_histogram)
		return slice_eq(f->chunk, s->chunk);
	return s->chunk.len == 0 && double_bits(f->v) == double_bits(s->v);
}

/* --- judging and taking --------------------------------------------------------------------------------------- */

/* The newest sample is known without its chunk, which may be in a part by now. */
static enum append_result judge_newest(const struct head_block *b, unsigned i, const struct late_sample *s)
{
	bool is_histogram = b->series[i].flags & SERIES_LAST_IS_HISTOGRAM;
	bool same = is_histogram == (s->chunk.len > 0) && double_bits(b->last[i].v) == double_bits(s->v);
	return same ? APPEND_REPEATED : APPEND_DUPLICATE;
}

enum append_result head_judge_late(const struct append_bounds *bounds, const struct series_stripe *stripe,
    const struct head_block *b, const struct late_sample *s)
{
	unsigned i = series_in_block(s->ref);
	if (s->t_ms == INT64_MIN) /* stands for no time at all (last_sample.h) */
		return APPEND_EXPIRED;
	if (s->t_ms == b->last[i].t_ms && s->t_ms > stripe->deleted_until_ms)
		return judge_newest(b, i, s);
	struct found f = find(stripe, b, s->ref, s->t_ms);
	if (f.is_there && is_same(&f, s))
		return APPEND_REPEATED;
	if (s->t_ms < bounds->min_t_ms)
		return APPEND_EXPIRED;
	if (bounds->late_from_ms == LATE_NEVER)
		return APPEND_OUT_OF_ORDER;
	if (s->t_ms < bounds->late_from_ms)
		return APPEND_TOO_OLD;
	return f.is_there ? APPEND_DUPLICATE : JUDGED_LATE;
}

/* What comes out of the log was taken before, so it is taken again. */
static bool has_room(const struct head *h)
{
	return !h->wal ||
	       atomic_load_explicit(&h->late_bytes, memory_order_relaxed) < h->options.late_max_bytes;
}

static bool put(struct head *h, struct ooo_buffer *late, const struct late_sample *s)
{
	if (s->chunk.len > 0)
		return ooo_buffer_add_histogram(late, s->ref, s->t_ms, s->chunk, NULL) == 0;
	return ooo_buffer_add(late, s->ref, s->t_ms, s->v, h->wal ? OOO_SERIES_MAX : SIZE_MAX);
}

enum append_result head_take_late(
    struct head *h, struct series_stripe *stripe, struct head_block *b, const struct late_sample *s)
{
	struct head_series *series = &b->series[series_in_block(s->ref)];
	size_t before = stripe->late.bytes;
	if (series->flags & SERIES_DYING)
		head_revive_series(h, s->ref);
	bool ok = has_room(h) && put(h, &stripe->late, s);
	atomic_fetch_add_explicit(&h->late_bytes, stripe->late.bytes - before, memory_order_relaxed);
	if (!ok)
		return APPEND_NO_ROOM;
	series->flags &= (uint32_t)~SERIES_IDLE & 0xff;
	series->flags |= SERIES_HAS_LATE;
	return APPEND_OK;
}
