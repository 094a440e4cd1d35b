#include "tsdb/ordinal_refs.h"

#include "base/lock.h"
#include "base/vec.h"
#include "base/xmalloc.h"
#include <stdatomic.h>
#include <stdlib.h>

struct ordinal_map {
	uint64_t part_seq;
	uint64_t asked; /* when, by the count of pins */
	uint32_t n, pins;
	_Atomic uint32_t refs[]; /* relaxed: each stands for itself */
};
VEC_DEFINE(ordinal_maps, struct ordinal_map *);

struct ordinal_refs {
	struct lock lock;
	struct ordinal_maps maps; /* few: one a part */
	uint64_t pins;            /* so far */
	size_t bytes, max_bytes;
};

struct ordinal_refs *ordinal_refs_new(size_t max_bytes)
{
	struct ordinal_refs *r = xcalloc(1, sizeof(*r));
	lock_init(&r->lock, LOCK_POOL, "ordinals of parts");
	r->max_bytes = max_bytes;
	return r;
}

void ordinal_refs_free(struct ordinal_refs *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->maps.len; i++)
		free(r->maps.v[i]);
	ordinal_maps_done(&r->maps);
	lock_done(&r->lock);
	free(r);
}

static size_t map_bytes(uint32_t n)
{
	return sizeof(struct ordinal_map) + n * sizeof(_Atomic uint32_t);
}

static struct ordinal_map *find(struct ordinal_refs *r, uint64_t part_seq, uint32_t n)
{
	for (size_t i = 0; i < r->maps.len; i++)
		if (r->maps.v[i]->part_seq == part_seq && r->maps.v[i]->n == n)
			return r->maps.v[i];
	return NULL;
}

/* False: all that are left are in use. */
static bool drop_oldest(struct ordinal_refs *r)
{
	size_t at = SIZE_MAX;
	for (size_t i = 0; i < r->maps.len; i++) {
		const struct ordinal_map *m = r->maps.v[i];
		if (m->pins == 0 && (at == SIZE_MAX || m->asked < r->maps.v[at]->asked))
			at = i;
	}
	if (at == SIZE_MAX)
		return false;
	r->bytes -= map_bytes(r->maps.v[at]->n);
	free(r->maps.v[at]);
	r->maps.v[at] = r->maps.v[--r->maps.len];
	return true;
}

static struct ordinal_map *make(struct ordinal_refs *r, uint64_t part_seq, uint32_t n)
{
	size_t bytes = map_bytes(n);
	while (r->bytes + bytes > r->max_bytes)
		if (!drop_oldest(r))
			return NULL;
	struct ordinal_map *m = calloc(1, bytes);
	if (!m)
		return NULL;
	m->part_seq = part_seq;
	m->n = n;
	r->bytes += bytes;
	ordinal_maps_push(&r->maps, m);
	return m;
}

struct ordinal_map *ordinal_refs_pin(struct ordinal_refs *r, uint64_t part_seq, uint32_t n_series)
{
	lock_take(&r->lock);
	struct ordinal_map *m = find(r, part_seq, n_series);
	if (!m)
		m = make(r, part_seq, n_series);
	if (m) {
		m->pins++;
		m->asked = ++r->pins;
	}
	lock_release(&r->lock);
	return m;
}

void ordinal_refs_unpin(struct ordinal_refs *r, struct ordinal_map *m)
{
	if (!m)
		return;
	lock_take(&r->lock);
	m->pins--;
	lock_release(&r->lock);
}

series_ref ordinal_map_get(const struct ordinal_map *m, uint32_t ordinal)
{
	return m && ordinal < m->n ? atomic_load_explicit(&m->refs[ordinal], memory_order_relaxed) : 0;
}

void ordinal_map_put(struct ordinal_map *m, uint32_t ordinal, series_ref ref)
{
	if (m && ordinal < m->n)
		atomic_store_explicit(&m->refs[ordinal], ref, memory_order_relaxed);
}

static void forget_in(struct ordinal_map *m, const struct ref_set *gone)
{
	for (uint32_t i = 0; i < m->n; i++) {
		series_ref ref = atomic_load_explicit(&m->refs[i], memory_order_relaxed);
		if (ref && ref_set_has(gone, ref))
			atomic_store_explicit(&m->refs[i], 0, memory_order_relaxed);
	}
}

/* The maps are pinned meanwhile, not locked. Who puts another ref at the same time puts the same one again: the series that has
 * it is alive, so it is none of these. */
void ordinal_refs_forget(struct ordinal_refs *r, const struct ref_set *gone)
{
	struct ordinal_maps maps = {0};
	lock_take(&r->lock);
	for (size_t i = 0; i < r->maps.len; i++) {
		r->maps.v[i]->pins++;
		ordinal_maps_push(&maps, r->maps.v[i]);
	}
	lock_release(&r->lock);
	for (size_t i = 0; i < maps.len; i++) {
		forget_in(maps.v[i], gone);
		ordinal_refs_unpin(r, maps.v[i]);
	}
	ordinal_maps_done(&maps);
}

size_t ordinal_refs_bytes(struct ordinal_refs *r)
{
	lock_take(&r->lock);
	size_t bytes = r->bytes;
	lock_release(&r->lock);
	return bytes;
}
