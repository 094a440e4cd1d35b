#include "tsdb/head_series.h"

#include "base/xmalloc.h"
#include <stdlib.h>
#include <string.h>

void head_columns_init(struct head_columns *c)
{
	c->blocks = xcalloc(HEAD_BLOCKS, sizeof(*c->blocks));
	atomic_init(&c->n_blocks, 0);
	c->dropped = (struct dropped_blocks){0};
}

void head_columns_done(struct head_columns *c)
{
	for (uint32_t i = 0; i < c->n_blocks; i++)
		free(c->blocks[i]);
	VEC_EACH (struct dropped_block, d, &c->dropped)
		free(d->block);
	dropped_blocks_done(&c->dropped);
	free(c->blocks);
}

static struct head_block *block_new(void)
{
	struct head_block *b = NULL;
	if (posix_memalign((void **)&b, 64, sizeof(*b)) != 0)
		return NULL;
	b->has_histograms = false;
	for (unsigned i = 0; i < HEAD_BLOCK_SERIES; i++) {
		b->last[i] = (struct last_sample){.t_ms = INT64_MIN};
		struct head_series *s = &b->series[i];
		s->chunk.handle = 0;
		chunk_xor_reset(&s->chunk);
		atomic_init(&s->labels, 0);
		s->closed = 0;
		s->flags = 0;
		atomic_init(&b->keys[i], 0);
		atomic_init(&b->next[i], 0);
	}
	return b;
}

struct head_block *head_columns_make(struct head_columns *c, series_ref ref)
{
	uint32_t i = ref >> HEAD_BLOCK_SHIFT;
	if (i >= HEAD_BLOCKS)
		return NULL;
	struct head_block *b = c->blocks[i];
	if (b)
		return b;
	b = block_new();
	if (!b)
		return NULL;
	atomic_store_explicit(&c->blocks[i], b, memory_order_release);
	if (i >= c->n_blocks)
		c->n_blocks = i + 1;
	return b;
}

void head_columns_drop(struct head_columns *c, uint32_t block, uint64_t epoch)
{
	struct head_block *b = c->blocks[block];
	if (!b)
		return;
	atomic_store(&c->blocks[block], NULL);
	dropped_blocks_push(&c->dropped, (struct dropped_block){b, epoch});
}

void head_columns_free_dropped(struct head_columns *c, uint64_t epoch)
{
	size_t n = 0;
	while (n < c->dropped.len && epoch >= c->dropped.v[n].epoch + 2)
		free(c->dropped.v[n++].block);
	if (n == 0)
		return;
	c->dropped.len -= n;
	memmove(c->dropped.v, c->dropped.v + n, c->dropped.len * sizeof(*c->dropped.v));
}

size_t head_columns_bytes(const struct head_columns *c)
{
	size_t n = 0;
	for (uint32_t i = 0; i < c->n_blocks; i++)
		n += c->blocks[i] != NULL;
	return n * sizeof(struct head_block);
}
