/* The bounded cache that all reads of sealed parts go through: pages of page files (tsdb/page_file.h), each verified when it
 * enters and never again while it stays. Replacement is the clock algorithm; pages in use are pinned and stay.
 *
 * Shared by all parts of a store; thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_cache;

/* A page in the cache. Its bytes do not change while it is pinned. */
struct page {
	uint64_t file_id;
	uint64_t no;
	struct page *next; /* the cache's: chain of a bucket */
	uint32_t pins;     /* shard lock */
	bool used;         /* since the hand passed; shard lock */
	uint32_t len;
	uint8_t bytes[];
};

struct page_cache_stats {
	uint64_t hits, misses, evictions;
	size_t bytes;
};

/* Keeps at most about `max_bytes` of pages (pinned ones beyond that too). */
struct page_cache *page_cache_new(size_t max_bytes);
/* No page may be pinned. Takes NULL. */
void page_cache_free(struct page_cache *c);
void page_cache_stats(struct page_cache *c, struct page_cache_stats *out);

/* A number for a file that is about to be read through the cache. */
uint64_t page_cache_new_file(struct page_cache *c);
/* Forgets the pages of a file; none may be pinned. */
void page_cache_drop_file(struct page_cache *c, uint64_t file_id);

/* The page, pinned, or NULL. */
struct page *page_cache_get(struct page_cache *c, uint64_t file_id, uint64_t no);
/* Takes a malloc()ed page that was read and verified, and returns it pinned; or, when another thread was faster, that one's
 * (ours is freed then). */
struct page *page_cache_put(struct page_cache *c, struct page *page);
void page_cache_unpin(struct page_cache *c, struct page *page);
