#include "scrape/scrape_cache.h"

#include "base/hash.h"
#include "base/xmalloc.h"

#include <string.h>

enum { LOOK_AHEAD = 4, MIN_SLOTS = 64 };
#define OF_NOW UINT32_C(0x80000000)

void scrape_cache_init(struct scrape_cache *c, uint64_t seed)
{
	*c = (struct scrape_cache){.seed = seed};
}

static void entries_done(struct cache_entries *e)
{
	free(e->v);
	*e = (struct cache_entries){0};
}

static void drop_slots(struct scrape_cache *c)
{
	free(c->slots);
	c->slots = NULL;
	c->n_slots = c->n_used = 0;
}

void scrape_cache_done(struct scrape_cache *c)
{
	entries_done(&c->last);
	entries_done(&c->now);
	drop_slots(c);
}

static void entries_reserve(struct cache_entries *e, size_t n)
{
	if (n <= e->cap)
		return;
	size_t cap = e->cap + e->cap / 2 + 16;
	e->cap = cap < n ? n : cap;
	e->v = (struct cache_entry *)xreallocarray(e->v, e->cap, sizeof(e->v[0]));
}

void scrape_cache_begin(struct scrape_cache *c)
{
	c->cursor = 0;
	c->now.len = 0;
	entries_reserve(&c->now, c->last.len);
}

/* --- the table -------------------------------------------------------------------------------------------------------------- */

static struct cache_entry *slot_entry(struct scrape_cache *c, uint32_t slot)
{
	uint32_t i = (slot & ~OF_NOW) - 1;
	return slot & OF_NOW ? &c->now.v[i] : &c->last.v[i];
}

static void slot_put(struct scrape_cache *c, uint64_t hash, uint32_t slot)
{
	size_t at = hash & (c->n_slots - 1);
	while (c->slots[at])
		at = (at + 1) & (c->n_slots - 1);
	c->slots[at] = slot;
	c->n_used++;
}

static void make_slots(struct scrape_cache *c, size_t n_entries)
{
	c->n_slots = MIN_SLOTS;
	while (c->n_slots < n_entries * 2)
		c->n_slots *= 2;
	c->slots = (uint32_t *)xcalloc(c->n_slots, sizeof(c->slots[0]));
	c->n_used = 0;
}

static void build_slots(struct scrape_cache *c)
{
	make_slots(c, c->last.len);
	for (size_t i = 0; i < c->last.len; i++)
		if (c->last.v[i].hash)
			slot_put(c, c->last.v[i].hash, (uint32_t)i + 1);
}

static void grow_slots(struct scrape_cache *c)
{
	uint32_t *old = c->slots;
	size_t n = c->n_slots;
	make_slots(c, n);
	for (size_t i = 0; i < n; i++)
		if (old[i])
			slot_put(c, slot_entry(c, old[i])->hash, old[i]);
	free(old);
}

static struct cache_entry *slot_find(struct scrape_cache *c, uint64_t hash)
{
	for (size_t at = hash & (c->n_slots - 1); c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
		struct cache_entry *e = slot_entry(c, c->slots[at]);
		if (e->hash == hash)
			return e;
	}
	return NULL;
}

/* --- a scrape ---------------------------------------------------------------------------------------------------------------- */

static struct cache_entry *add_now(struct scrape_cache *c, struct cache_entry e)
{
	if (c->now.len == c->now.cap)
		entries_reserve(&c->now, c->now.len + 1);
	c->now.v[c->now.len] = e;
	return &c->now.v[c->now.len++];
}

static struct cache_entry *take_up(struct scrape_cache *c, struct cache_entry *old)
{
	old->flags |= CACHE_SEEN;
	c->cursor = (size_t)(old - c->last.v) + 1;
	struct cache_entry e = *old;
	e.flags &= ~(unsigned)(CACHE_SEEN | CACHE_GONE);
	return add_now(c, e);
}

static struct cache_entry *add_new(struct scrape_cache *c, uint64_t hash)
{
	if ((c->n_used + 1) * 2 > c->n_slots)
		grow_slots(c);
	struct cache_entry *e = add_now(c, (struct cache_entry){.hash = hash});
	slot_put(c, hash, (uint32_t)c->now.len | OF_NOW);
	return e;
}

static bool is_of_last(const struct scrape_cache *c, const struct cache_entry *e)
{
	return c->last.len > 0 && e >= c->last.v && e < c->last.v + c->last.len;
}

struct cache_entry *scrape_cache_find(struct scrape_cache *c, struct slice raw, bool *is_new, bool *is_again)
{
	uint64_t hash = hash64_seed(raw.ptr, raw.len, c->seed);
	hash += hash == 0;
	*is_new = *is_again = false;
	for (size_t i = c->cursor; i < c->last.len && i < c->cursor + LOOK_AHEAD; i++)
		if (c->last.v[i].hash == hash && !(c->last.v[i].flags & CACHE_SEEN))
			return take_up(c, &c->last.v[i]);
	if (!c->slots)
		build_slots(c);
	struct cache_entry *e = slot_find(c, hash);
	if (!e) {
		*is_new = true;
		return add_new(c, hash);
	}
	if (is_of_last(c, e) && !(e->flags & CACHE_SEEN))
		return take_up(c, e);
	*is_again = true;
	return e;
}

void scrape_cache_each_vanished(
    struct scrape_cache *c, void (*each)(void *arg, const struct cache_entry *e), void *arg)
{
	for (size_t i = 0; i < c->last.len; i++)
		if (!(c->last.v[i].flags & (CACHE_SEEN | CACHE_GONE | CACHE_DROPPED | CACHE_TIMED)) &&
		    c->last.v[i].ref)
			each(arg, &c->last.v[i]);
}

void scrape_cache_end(struct scrape_cache *c)
{
	entries_done(&c->last);
	c->last = c->now;
	c->now = (struct cache_entries){0};
	drop_slots(c);
}

void scrape_cache_fail(struct scrape_cache *c)
{
	entries_done(&c->now);
	drop_slots(c);
	for (size_t i = 0; i < c->last.len; i++)
		c->last.v[i].flags &= ~(unsigned)CACHE_SEEN;
}

void scrape_cache_all_gone(struct scrape_cache *c)
{
	for (size_t i = 0; i < c->last.len; i++)
		c->last.v[i].flags |= CACHE_GONE;
}

void scrape_cache_forget_text(struct scrape_cache *c)
{
	for (size_t i = 0; i < c->last.len; i++)
		c->last.v[i].hash = 0;
}
