#include "tsdb/head_histogram.h"

#include "tsdb/chunk_histogram.h"
#include <stdlib.h>

void head_histograms_done(struct head_histograms *h)
{
	VEC_EACH (struct series_histograms, s, &h->series) {
		histogram_entries_done(&s->entries);
		strbuf_done(&s->bytes);
	}
	series_histograms_vec_done(&h->series);
	tag_table_done(&h->by_ref);
	h->bytes = 0;
}

static uint64_t ref_hash(series_ref ref)
{
	return ref * UINT64_C(0x9e3779b97f4a7c15);
}

static struct series_histograms *find(const struct head_histograms *h, series_ref ref)
{
	struct tag_walk w;
	for (uint32_t i = tag_table_first(&h->by_ref, ref_hash(ref), &w); i; i = tag_table_next(&w))
		if (h->series.v[i - 1].ref == ref)
			return &h->series.v[i - 1];
	return NULL;
}

const struct series_histograms *head_histograms_of(const struct head_histograms *h, series_ref ref)
{
	return find(h, ref);
}

static size_t memory_of(const struct series_histograms *s)
{
	return s->bytes.cap + s->entries.cap * sizeof(*s->entries.v);
}

static struct series_histograms *add_series(struct head_histograms *h, series_ref ref)
{
	size_t before = h->series.cap * sizeof(*h->series.v) + h->by_ref.bytes;
	struct series_histograms *s = series_histograms_vec_add(&h->series);
	s->ref = ref;
	strbuf_init(&s->bytes, UINT32_MAX);
	tag_table_add(&h->by_ref, ref_hash(ref), (uint32_t)h->series.len);
	h->bytes += h->series.cap * sizeof(*h->series.v) + h->by_ref.bytes - before;
	return s;
}

int head_histograms_add(
    struct head_histograms *h, series_ref ref, int64_t t_ms, struct slice chunk, struct err *err)
{
	struct series_histograms *s = find(h, ref);
	if (!s)
		s = add_series(h, ref);
	size_t before = memory_of(s);
	struct histogram_entry e = {
	    .t_ms = t_ms, .offset = (uint32_t)s->bytes.len, .len = (uint32_t)chunk.len};
	strbuf_add_slice(&s->bytes, chunk);
	bool has_room = !strbuf_overflowed(&s->bytes);
	if (has_room)
		histogram_entries_push(&s->entries, e);
	h->bytes += memory_of(s) - before;
	return has_room ? 0 : err_set(err, ERR_LIMIT, "4 GiB of histograms of one series are not sealed yet");
}

int head_histograms_read(const struct head_histograms *h, series_ref ref, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	const struct series_histograms *s = find(h, ref);
	for (size_t i = 0; s && i < s->entries.len; i++) {
		const struct histogram_entry *e = &s->entries.v[i];
		if (e->t_ms < min_t_ms || e->t_ms > max_t_ms)
			continue;
		struct slice chunk = slice_of(s->bytes.ptr + e->offset, e->len);
		int rc = chunk_histogram_read(chunk, e->t_ms, min_t_ms, max_t_ms, out, err);
		if (rc != 0)
			return rc;
	}
	return 0;
}
