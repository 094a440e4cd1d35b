#include "tsdb/ooo_buffer.h"

#include <string.h>

enum { SLOT_BYTES = 16 }; /* of the table, about */

void ooo_buffer_done(struct ooo_buffer *b)
{
	VEC_EACH (struct ooo_series, s, &b->series)
		ooo_samples_done(&s->samples);
	ooo_series_vec_done(&b->series);
	tag_table_done(&b->by_ref);
	head_histograms_done(&b->histograms);
	b->bytes = 0;
}

static uint64_t ref_hash(series_ref ref)
{
	return ref * UINT64_C(0x9e3779b97f4a7c15);
}

static struct ooo_series *find_series(const struct ooo_buffer *b, series_ref ref)
{
	struct tag_walk w;
	for (uint32_t i = tag_table_first(&b->by_ref, ref_hash(ref), &w); i; i = tag_table_next(&w))
		if (b->series.v[i - 1].ref == ref)
			return &b->series.v[i - 1];
	return NULL;
}

static struct ooo_series *add_series(struct ooo_buffer *b, series_ref ref)
{
	struct ooo_series *s = ooo_series_vec_add(&b->series);
	s->ref = ref;
	tag_table_add(&b->by_ref, ref_hash(ref), (uint32_t)b->series.len);
	b->bytes += sizeof(*s) + SLOT_BYTES;
	return s;
}

/* The place of the first sample at or after t_ms. What comes late mostly comes in order all the same: the end is tried
 * first. */
static size_t place_of(const struct ooo_samples *v, int64_t t_ms)
{
	size_t lo = 0, hi = v->len;
	if (hi == 0 || v->v[hi - 1].t_ms < t_ms)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (v->v[mid].t_ms < t_ms)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool ooo_buffer_add(struct ooo_buffer *b, series_ref ref, int64_t t_ms, double v, size_t max)
{
	struct ooo_series *s = find_series(b, ref);
	if (!s)
		s = add_series(b, ref);
	struct ooo_samples *all = &s->samples;
	if (all->len >= max)
		return false;
	size_t cap = all->cap, at = place_of(all, t_ms);
	ooo_samples_add(all);
	b->bytes += (all->cap - cap) * sizeof(struct ooo_sample);
	memmove(&all->v[at + 1], &all->v[at], (all->len - 1 - at) * sizeof(*all->v));
	all->v[at] = (struct ooo_sample){t_ms, v};
	return true;
}

int ooo_buffer_add_histogram(
    struct ooo_buffer *b, series_ref ref, int64_t t_ms, struct slice chunk, struct err *err)
{
	size_t before = b->histograms.bytes;
	int rc = head_histograms_add(&b->histograms, ref, t_ms, chunk, err);
	b->bytes += b->histograms.bytes - before;
	return rc;
}

bool ooo_buffer_find(const struct ooo_buffer *b, series_ref ref, int64_t t_ms, double *v)
{
	const struct ooo_series *s = find_series(b, ref);
	if (!s)
		return false;
	size_t at = place_of(&s->samples, t_ms);
	if (at == s->samples.len || s->samples.v[at].t_ms != t_ms)
		return false;
	*v = s->samples.v[at].v;
	return true;
}

size_t ooo_buffer_count(const struct ooo_buffer *b, series_ref ref)
{
	const struct ooo_series *s = find_series(b, ref);
	const struct series_histograms *h = head_histograms_of(&b->histograms, ref);
	return (s ? s->samples.len : 0) + (h ? h->entries.len : 0);
}

/* What a late histogram said of the one before it, and the one behind it of it, holds no more. */
static int read_histograms(const struct ooo_buffer *b, series_ref ref, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	size_t first = out->n;
	int rc = head_histograms_read(&b->histograms, ref, min_t_ms, max_t_ms, out, err);
	for (size_t i = first; i < out->n; i++) {
		struct histogram *h = (struct histogram *)(uintptr_t)out->h[i]; /* was made just now */
		if (h->hint != HINT_GAUGE)
			h->hint = HINT_UNKNOWN;
	}
	return rc;
}

int ooo_buffer_read(const struct ooo_buffer *b, series_ref ref, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	const struct ooo_series *s = find_series(b, ref);
	for (size_t i = s ? place_of(&s->samples, min_t_ms) : 0;
	     s && i < s->samples.len && s->samples.v[i].t_ms <= max_t_ms; i++)
		if (!sample_column_push(out, s->samples.v[i].t_ms, s->samples.v[i].v, NULL))
			return err_set(err, ERR_NO_MEMORY, "no memory for %zu samples", s->samples.len);
	return b->histograms.series.len > 0 ? read_histograms(b, ref, min_t_ms, max_t_ms, out, err) : 0;
}
