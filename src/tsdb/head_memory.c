#include "tsdb/head_memory.h"

enum { PAIRS_AT_ONCE = 1 << 16 };
#define POSTINGS_AGE_NS INT64_C(60000000000)

static size_t histogram_bytes(const struct head_histograms *h)
{
	return h->bytes;
}

static void add_frozen(const struct frozen *f, struct head_memory *out)
{
	for (; f; f = f->older)
		out->bytes[HEAD_MEMORY_FROZEN] += sizeof(*f) + f->chunks.cap * sizeof(struct closed_chunk) +
						  slab_reserved_bytes(f->slab) +
						  histogram_bytes(&f->histograms) + f->late.bytes;
}

static void add_stripe(struct series_stripe *s, struct head_memory *out)
{
	lock_take(&s->lock);
	out->bytes[HEAD_MEMORY_CHUNKS] +=
	    slab_reserved_bytes(s->slab) + s->closed.cap * sizeof(struct closed_chunk);
	out->bytes[HEAD_MEMORY_HISTOGRAMS] += histogram_bytes(&s->histograms);
	out->bytes[HEAD_MEMORY_LATE] += s->late.bytes;
	add_frozen(s->frozen, out);
	lock_release(&s->lock);
}

/* A part of all pairs at a time: new series wait for the lock. *next is where to go on; 0: that was all. */
static size_t some_postings(struct head *h, uint32_t *next)
{
	const struct head_index *ix = &h->index;
	size_t n = 0;
	rwlock_read(&h->index_lock);
	uint32_t from = *next, end = from + PAIRS_AT_ONCE < ix->n_pairs ? from + PAIRS_AT_ONCE : ix->n_pairs;
	for (uint32_t i = from; i < end; i++)
		n += postings_bytes(&head_index_pair(ix, i)->series);
	if (from == 0) {
		n += postings_bytes(&ix->all);
		for (uint32_t i = 0; i < ix->labels.n_schemas; i++)
			n += postings_bytes(&series_labels_schema_at(&ix->labels, i)->series);
	}
	*next = end < ix->n_pairs ? end : 0;
	rwlock_release(&h->index_lock);
	return n;
}

static size_t all_postings(struct head *h)
{
	uint32_t next = 0;
	size_t n = some_postings(h, &next);
	while (next)
		n += some_postings(h, &next);
	return n;
}

static size_t postings_lately(struct head *h)
{
	int64_t now_ns = clock_mono_ns(h->options.clock), counted_ns = h->postings_counted_ns;
	if (counted_ns == 0 || now_ns - counted_ns >= POSTINGS_AGE_NS) {
		h->postings_bytes = all_postings(h);
		h->postings_counted_ns = now_ns;
	}
	return h->postings_bytes;
}

static void add_index(struct head *h, struct head_memory *out)
{
	rwlock_read(&h->index_lock);
	out->bytes[HEAD_MEMORY_COLUMNS] = head_columns_bytes(&h->columns);
	out->bytes[HEAD_MEMORY_SYMBOLS] = symbols_bytes(&h->index.symbols);
	out->bytes[HEAD_MEMORY_LABELS] = head_index_bytes(&h->index) - out->bytes[HEAD_MEMORY_SYMBOLS];
	out->bytes[HEAD_MEMORY_TABLES] = h->by_labels.bytes;
	out->bytes[HEAD_MEMORY_REFS] = h->dropped.cap * sizeof(struct dropped_labels) +
				       h->refs.free.runs.cap * sizeof(struct ref_stretch);
	rwlock_release(&h->index_lock);
	rwlock_read(&h->keys_lock);
	out->bytes[HEAD_MEMORY_TABLES] += h->by_key.bytes;
	rwlock_release(&h->keys_lock);
}

void head_memory(struct head *h, struct head_memory *out)
{
	struct exemplar_stats exemplars;
	*out = (struct head_memory){0};
	add_index(h, out);
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		add_stripe(&h->stripes[i], out);
	exemplar_ring_stats(&h->exemplars, &exemplars);
	out->bytes[HEAD_MEMORY_EXEMPLARS] = exemplars.bytes;
	out->bytes[HEAD_MEMORY_POSTINGS] = postings_lately(h);
}

size_t head_memory_total(const struct head_memory *m)
{
	size_t n = 0;
	for (size_t i = 0; i < HEAD_MEMORY_OWNERS; i++)
		n += m->bytes[i];
	return n;
}
