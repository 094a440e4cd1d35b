#include "tsdb/page_cache.h"

#include "base/hash.h"
#include "base/lock.h"
#include "base/vec.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SHARDS = 16, BUCKETS = 512 };

VEC_DEFINE(page_vec, struct page *);

struct shard {
	struct lock lock;
	struct page *buckets[BUCKETS]; /* SHARD lock, as all below */
	struct page_vec ring;
	size_t hand;
	size_t bytes;
	uint64_t hits, misses, evictions;
};

struct page_cache {
	size_t shard_max_bytes;
	_Atomic uint64_t next_file;
	struct shard shards[SHARDS];
};

struct page_cache *page_cache_new(size_t max_bytes)
{
	struct page_cache *c = xcalloc(1, sizeof(*c));
	c->shard_max_bytes = max_bytes / SHARDS;
	for (size_t i = 0; i < SHARDS; i++)
		lock_init(&c->shards[i].lock, LOCK_POOL, "page cache");
	return c;
}

void page_cache_free(struct page_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];
		for (size_t k = 0; k < s->ring.len; k++) {
			assert(s->ring.v[k]->pins == 0);
			free(s->ring.v[k]);
		}
		page_vec_done(&s->ring);
		lock_done(&s->lock);
	}
	free(c);
}

void page_cache_stats(struct page_cache *c, struct page_cache_stats *out)
{
	*out = (struct page_cache_stats){0};
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];
		lock_take(&s->lock);
		out->hits += s->hits;
		out->misses += s->misses;
		out->evictions += s->evictions;
		out->bytes += s->bytes;
		lock_release(&s->lock);
	}
}

uint64_t page_cache_new_file(struct page_cache *c)
{
	return atomic_fetch_add_explicit(&c->next_file, 1, memory_order_relaxed) + 1;
}

static uint64_t page_hash(uint64_t file_id, uint64_t no)
{
	uint64_t h = (file_id * UINT64_C(0x9e3779b97f4a7c15) ^ no) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

static struct shard *shard_of(struct page_cache *c, uint64_t hash)
{
	return &c->shards[hash % SHARDS];
}

static struct page **bucket_of(struct shard *s, uint64_t hash)
{
	return &s->buckets[hash / SHARDS % BUCKETS];
}

static struct page *find(struct shard *s, uint64_t hash, uint64_t file_id, uint64_t no)
{
	struct page *p = *bucket_of(s, hash);
	while (p && (p->file_id != file_id || p->no != no))
		p = p->next;
	return p;
}

struct page *page_cache_get(struct page_cache *c, uint64_t file_id, uint64_t no)
{
	uint64_t hash = page_hash(file_id, no);
	struct shard *s = shard_of(c, hash);
	lock_take(&s->lock);
	struct page *p = find(s, hash, file_id, no);
	if (p) {
		p->pins++;
		p->used = true;
		s->hits++;
	} else {
		s->misses++;
	}
	lock_release(&s->lock);
	return p;
}

/* Takes the page at the ring's place `at` out; the last one moves there. */
static void drop(struct shard *s, size_t at)
{
	struct page *p = s->ring.v[at];
	struct page **link = bucket_of(s, page_hash(p->file_id, p->no));
	while (*link != p)
		link = &(*link)->next;
	*link = p->next;
	s->ring.v[at] = s->ring.v[--s->ring.len];
	s->bytes -= p->len;
	free(p);
}

/* Two rounds at most: the first may only take the marks away; what is pinned stays. */
static void evict(struct shard *s, size_t max_bytes)
{
	for (size_t steps = 2 * s->ring.len; steps > 0 && s->bytes > max_bytes && s->ring.len > 0; steps--) {
		if (s->hand >= s->ring.len)
			s->hand = 0;
		struct page *p = s->ring.v[s->hand];
		if (p->pins > 0 || p->used) {
			p->used = false;
			s->hand++;
		} else {
			drop(s, s->hand);
			s->evictions++;
		}
	}
}

struct page *page_cache_put(struct page_cache *c, struct page *page)
{
	uint64_t hash = page_hash(page->file_id, page->no);
	struct shard *s = shard_of(c, hash);
	lock_take(&s->lock);
	struct page *p = find(s, hash, page->file_id, page->no);
	if (!p) {
		/* Marked when it is asked for again: pages of a scan go before those that are in use. */
		p = page;
		p->pins = 0;
		p->used = false;
		p->next = *bucket_of(s, hash);
		*bucket_of(s, hash) = p;
		page_vec_push(&s->ring, p);
		s->bytes += p->len;
	} else {
		free(page);
		p->used = true;
	}
	p->pins++;
	evict(s, c->shard_max_bytes);
	lock_release(&s->lock);
	return p;
}

void page_cache_unpin(struct page_cache *c, struct page *page)
{
	struct shard *s = shard_of(c, page_hash(page->file_id, page->no));
	lock_take(&s->lock);
	assert(page->pins > 0);
	page->pins--;
	lock_release(&s->lock);
}

void page_cache_drop_file(struct page_cache *c, uint64_t file_id)
{
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &c->shards[i];
		lock_take(&s->lock);
		for (size_t k = s->ring.len; k > 0; k--)
			if (s->ring.v[k - 1]->file_id == file_id) {
				assert(s->ring.v[k - 1]->pins == 0);
				drop(s, k - 1);
			}
		lock_release(&s->lock);
	}
}
