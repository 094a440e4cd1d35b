/* Draining: a source's rows go through tiles to a sink. Big sources are filled by several threads, a few tiles ahead of the
 * sink, which sees all tiles on the query's thread and in order: so results do not depend on the number of threads, down to
 * the last bit. */
#include "promql/eval.h"
#include "promql/source.h"

#include <string.h>

enum {
	TILE_ROWS = 256,
	THIN_ROWS = 16 * 1024,
	TILE_VALUES = 64 * 1024,
	SLOTS_PER_THREAD = 2,
	MAX_SLOTS = 64,
};

static size_t thread_count(const struct source *s)
{
	struct thread_pool *pool = s->eval->options->pool;

	if (pool == NULL || s->cost < s->eval->options->parallel_samples)
		return 1;
	return thread_pool_threads(pool) + 1;
}

/* Rows of a tile: about half a megabyte of values, at most 256 (more of those that take a look at one sample each), and few
 * enough that every thread gets some. */
static size_t tile_rows(const struct source *s)
{
	size_t rows = TILE_VALUES / s->grid->n, slots = thread_count(s) * SLOTS_PER_THREAD;

	bool is_thin = s->grid->n == 1 && s->cost <= 2 * (uint64_t)s->n;
	size_t most = is_thin ? THIN_ROWS : TILE_ROWS;

	if (rows > most)
		rows = most;
	if (slots > SLOTS_PER_THREAD && rows > s->n / slots + 1)
		rows = s->n / slots + 1;
	if (rows > s->n)
		rows = s->n;
	return rows ? rows : 1;
}

/* A tile and what it takes to fill it; no two threads use one at a time. */
struct slot {
	struct worker worker;
	struct tile tile;
	size_t first;
	int rc;
	struct err err;
};

struct drain {
	struct source *source;
	struct slot *slots;
	size_t n_slots, used, rows;
};

static int drain_init(struct drain *d, struct source *s, struct err *err)
{
	size_t tiles;

	*d = (struct drain){.source = s, .rows = tile_rows(s), .n_slots = 1};
	tiles = (s->n + d->rows - 1) / d->rows;
	if (thread_count(s) > 1)
		d->n_slots = thread_count(s) * SLOTS_PER_THREAD;
	if (d->n_slots > tiles)
		d->n_slots = tiles;
	if (d->n_slots > MAX_SLOTS)
		d->n_slots = MAX_SLOTS;
	d->slots = ARENA_ARRAY(s->eval->arena, struct slot, d->n_slots);
	for (size_t i = 0; i < d->n_slots; i++) {
		if (!tile_init(&d->slots[i].tile, s->eval->arena, d->rows, s->grid->n))
			return query_limits_no_memory(err);
	}
	for (size_t i = 0; i < d->n_slots; i++) {
		struct worker *w = &d->slots[i].worker;
		*w = (struct worker){
		    .eval = s->eval, .arena = arena_new(s->eval->options->max_query_bytes / d->n_slots)};
		d->slots[i].tile.arena = w->arena;
	}
	return 0;
}

static void drain_done(struct drain *d)
{
	for (size_t i = 0; i < d->n_slots; i++) {
		struct worker *w = &d->slots[i].worker;
		if (w->leaf_done)
			w->leaf_done(w->leaf);
		arena_free(w->arena);
	}
}

static void fill_slot(void *arg, size_t i)
{
	struct drain *d = arg;
	struct slot *slot = &d->slots[i];

	slot->rc = query_limits_check(&d->source->eval->limits, &slot->err);
	if (slot->rc == 0 && arena_overflowed(slot->worker.arena))
		slot->rc = query_limits_no_memory(&slot->err);
	if (slot->rc == 0)
		slot->rc = source_fill(d->source, &slot->worker, slot->first, &slot->tile, &slot->err);
}

/* The next rows to the slots; fills them, on as many threads as there are. */
static void fill_round(struct drain *d, size_t first)
{
	struct source *s = d->source;

	d->used = 0;
	for (; d->used < d->n_slots && first < s->n; first += d->rows) {
		struct slot *slot = &d->slots[d->used++];
		size_t left = s->n - first;
		slot->first = first;
		tile_begin(&slot->tile, (uint32_t)(left < d->rows ? left : d->rows));
	}
	if (d->used > 1)
		thread_pool_for(s->eval->options->pool, d->used, fill_slot, d);
	else
		fill_slot(d, 0);
}

static int sink_round(struct drain *d, source_sink sink, void *arg, struct err *err)
{
	for (size_t i = 0; i < d->used; i++) {
		struct slot *slot = &d->slots[i];
		int rc = slot->rc;
		if (rc) {
			if (err)
				*err = slot->err;
			return rc;
		}
		rc = sink(arg, slot->first, &slot->tile, err);
		if (rc)
			return rc;
		if (slot->tile.h)
			arena_reset(slot->worker.arena);
	}
	return 0;
}

static void forget_counts(struct source *s)
{
	for (; s; s = s->below)
		s->points = s->last_points = 0;
}

static int drain_tiles(struct source *s, source_sink sink, void *arg, struct err *err)
{
	struct drain d;
	int rc = drain_init(&d, s, err);

	if (rc)
		return rc;
	forget_counts(s);
	for (size_t first = 0; rc == 0 && first < s->n; first += d.used * d.rows) {
		fill_round(&d, first);
		rc = sink_round(&d, sink, arg, err);
	}
	drain_done(&d);
	if (rc == 0 && s->ops->drained)
		s->ops->drained(s);
	return rc;
}

int source_drain(struct source *s, source_sink sink, void *arg, struct err *err)
{
	if (s->n == 0)
		return 0;
	if (s->all)
		return sink(arg, 0, s->all, err);
	return drain_tiles(s, sink, arg, err);
}

/* The histograms of a row move from the tile's arena to the query's; steps that show the same sample share the copy. */
static void keep_histograms(struct arena *arena, struct row r, uint32_t words)
{
	const struct histogram *from = NULL, *copy = NULL;

	BITS_EACH(k, r.present, words)
	{
		if (r.h[k] == NULL)
			continue;
		if (r.h[k] != from) {
			from = r.h[k];
			copy = histogram_copy(arena, from);
		}
		r.h[k] = copy;
	}
}

static int keep_tile(void *arg, size_t first, const struct tile *t, struct err *err)
{
	struct tile *all = arg;
	(void)err;

	memcpy(all->v + first * t->steps, t->v, (size_t)t->rows * t->steps * sizeof(*t->v));
	memcpy(all->present + first * t->words, t->present, (size_t)t->rows * t->words * sizeof(*t->present));
	if (t->h) {
		tile_want_histograms(all);
		memcpy(all->h + first * t->steps, t->h, (size_t)t->rows * t->steps * sizeof(*t->h));
		for (uint32_t r = 0; r < t->rows; r++)
			keep_histograms(all->arena, tile_row(all, (uint32_t)(first + r)), t->words);
	}
	return 0;
}

int source_materialise(struct source *s, struct err *err)
{
	if (s->all)
		return 0;
	struct tile *all = ARENA_NEW(s->eval->arena, struct tile);
	if (!tile_init(all, s->eval->arena, s->n, s->grid->n))
		return query_limits_no_memory(err);
	if (s->n == 0) {
		s->all = all;
		return 0;
	}
	/* The source itself is no matrix before all of it is there. */
	int rc = drain_tiles(s, keep_tile, all, err);
	if (rc == 0)
		s->all = all;
	return rc;
}
