/* The cache of pages: what it finds, what it lets go, and that it keeps to its bound while many threads use it. */
#include "tsdb/page_cache.h"

#include "base/xmalloc.h"
#include "tests/lib/test.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_LEN = 1000, SHARDS = 16, THREADS = 4, FILES = 3, PAGES = 500, STEPS = 20000, HELD = 5 };

static struct page *make_page(uint64_t file, uint64_t no)
{
	struct page *p = xcalloc(1, sizeof(*p) + PAGE_LEN);
	p->file_id = file;
	p->no = no;
	p->len = PAGE_LEN;
	memset(p->bytes, (int)(file * 31 + no) & 0xff, PAGE_LEN);
	return p;
}

static void check_content(const struct page *p, uint64_t file, uint64_t no)
{
	if (p->file_id != file || p->no != no || p->bytes[0] != (uint8_t)(file * 31 + no) ||
	    p->bytes[PAGE_LEN - 1] != p->bytes[0])
		abort(); /* cmocka's checks are for the main thread */
}

static struct page *fetch(struct page_cache *c, uint64_t file, uint64_t no)
{
	struct page *p = page_cache_get(c, file, no);
	p = p ? p : page_cache_put(c, make_page(file, no));
	check_content(p, file, no);
	return p;
}

static size_t bytes_of(struct page_cache *c)
{
	struct page_cache_stats s;
	page_cache_stats(c, &s);
	return s.bytes;
}

static void what_was_put_is_found(void **state)
{
	(void)state;
	struct page_cache *c = page_cache_new(1 << 20);
	struct page_cache_stats s;
	uint64_t a = page_cache_new_file(c), b = page_cache_new_file(c);
	check_true("files differ", a != b);
	check_true("nothing yet", !page_cache_get(c, a, 7));
	page_cache_unpin(c, page_cache_put(c, make_page(a, 7)));
	struct page *p = page_cache_get(c, a, 7);
	check_true("found", p != NULL);
	check_content(p, a, 7);
	check_true("not of the other file", !page_cache_get(c, b, 7));
	check_true("nor another page", !page_cache_get(c, a, 8));
	struct page *again = page_cache_put(c, make_page(a, 7));
	check_true("the first one stays", again == p);
	page_cache_unpin(c, again);
	page_cache_unpin(c, p);
	page_cache_stats(c, &s);
	check_int("hits", (int64_t)s.hits, 1);
	check_int("misses", (int64_t)s.misses, 3);
	check_int("bytes", (int64_t)s.bytes, PAGE_LEN);
	page_cache_drop_file(c, a);
	check_int("forgotten", (int64_t)bytes_of(c), 0);
	check_true("indeed", !page_cache_get(c, a, 7));
	page_cache_free(c);
	page_cache_free(NULL);
}

/* Room for `pages` pages a shard. */
static struct page_cache *small_cache(size_t pages)
{
	return page_cache_new(SHARDS * pages * PAGE_LEN);
}

static void old_pages_make_room(void **state)
{
	(void)state;
	static const size_t rooms[] = {0, 1, 4, 20};
	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		struct page_cache *c = small_cache(rooms[i]);
		struct page_cache_stats s;
		uint64_t file = page_cache_new_file(c);
		for (uint64_t no = 0; no < PAGES; no++) {
			page_cache_unpin(c, fetch(c, file, no));
			/* The page that comes in is pinned, and stays until the next one. */
			check_true("bound", bytes_of(c) <= SHARDS * (rooms[i] + 1) * PAGE_LEN);
		}
		page_cache_stats(c, &s);
		check_true("some stay", s.bytes >= SHARDS * rooms[i] * PAGE_LEN / 2);
		check_int("all others went", (int64_t)s.evictions, PAGES - (int64_t)(s.bytes / PAGE_LEN));
		page_cache_free(c);
	}
}

static void pinned_pages_stay(void **state)
{
	(void)state;
	struct page_cache *c = small_cache(1);
	uint64_t file = page_cache_new_file(c);
	struct page *held[100];
	for (uint64_t no = 0; no < 100; no++)
		held[no] = fetch(c, file, no);
	check_int("beyond the bound", (int64_t)bytes_of(c), 100 * PAGE_LEN);
	for (uint64_t no = 0; no < 100; no++) {
		check_content(held[no], file, no);
		page_cache_unpin(c, held[no]);
	}
	for (uint64_t no = 100; no < 300; no++)
		page_cache_unpin(c, fetch(c, file, no));
	check_true("not any more", bytes_of(c) <= SHARDS * 2 * PAGE_LEN);
	page_cache_free(c);
}

static void what_is_used_again_outlives_the_rest(void **state)
{
	(void)state;
	struct page_cache *c = small_cache(8);
	uint64_t file = page_cache_new_file(c);
	size_t missed = 0;
	page_cache_unpin(c, fetch(c, file, 0));
	for (uint64_t no = 1; no < 2000; no++) {
		struct page *p = page_cache_get(c, file, 0);
		missed += p == NULL;
		page_cache_unpin(c, p ? p : fetch(c, file, 0));
		page_cache_unpin(c, fetch(c, file, no));
	}
	check_int("it was always there", (int64_t)missed, 0);
	page_cache_free(c);
}

/* --- many threads -------------------------------------------------------------------------------------------------- */

struct crowd {
	struct page_cache *cache;
	uint64_t files[FILES];
	unsigned number;
};

/* Holds some pages at a time, of files that all share, and of one of its own that comes and goes. */
static void *use(void *arg)
{
	struct crowd *t = arg;
	struct test_random r = {.state = t->number + 1};
	struct page *held[HELD] = {NULL};
	uint64_t own = page_cache_new_file(t->cache);
	for (int i = 0; i < STEPS; i++) {
		size_t k = test_random_below(&r, HELD);
		if (held[k])
			page_cache_unpin(t->cache, held[k]);
		held[k] =
		    fetch(t->cache, t->files[test_random_below(&r, FILES)], test_random_below(&r, PAGES));
		page_cache_unpin(t->cache, fetch(t->cache, own, test_random_below(&r, 20)));
		if (i % 500)
			continue;
		page_cache_drop_file(t->cache, own);
		own = page_cache_new_file(t->cache);
	}
	for (size_t k = 0; k < HELD; k++)
		if (held[k])
			page_cache_unpin(t->cache, held[k]);
	return NULL;
}

static void many_threads_keep_to_the_bound(void **state)
{
	(void)state;
	struct page_cache *c = small_cache(6);
	struct crowd threads[THREADS];
	pthread_t ids[THREADS];
	uint64_t files[FILES];
	for (size_t i = 0; i < FILES; i++)
		files[i] = page_cache_new_file(c);
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct crowd){.cache = c, .number = i};
		memcpy(threads[i].files, files, sizeof(files));
		check_int("thread", pthread_create(&ids[i], NULL, use, &threads[i]), 0);
	}
	/* What is pinned may be beyond it, and a page a shard that comes in. */
	for (int i = 0; i < 1000; i++)
		check_true("bound", bytes_of(c) <= (SHARDS * 7 + THREADS * (HELD + 1)) * PAGE_LEN);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	struct page_cache_stats s;
	page_cache_stats(c, &s);
	check_int("every question was answered", (int64_t)(s.hits + s.misses), 2 * THREADS * STEPS);
	check_true("pages went and were found", s.evictions > STEPS && s.hits > STEPS / 10);
	for (size_t i = 0; i < FILES; i++)
		page_cache_drop_file(c, files[i]);
	page_cache_free(c);
}

TEST_MAIN("page cache", cmocka_unit_test(what_was_put_is_found), cmocka_unit_test(old_pages_make_room),
    cmocka_unit_test(pinned_pages_stay), cmocka_unit_test(what_is_used_again_outlives_the_rest),
    cmocka_unit_test(many_threads_keep_to_the_bound))
