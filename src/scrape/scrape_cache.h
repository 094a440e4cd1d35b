/* What a target exposed the last time: for each series the hash of its raw text and its reference in the store, in the
 * order of the page. A page hardly changes its order, so the next scrape finds most entries by walking along, with one
 * comparison and no table; only where the order breaks a table is built, for the rest of that scrape. 16 bytes a series
 * between scrapes.
 *
 * A scrape: scrape_cache_begin(), scrape_cache_find() for each line, then either scrape_cache_each_vanished() for what was
 * there before and is not now, and scrape_cache_end(); or, when it failed, scrape_cache_fail(), scrape_cache_each_vanished()
 * for all of it, scrape_cache_all_gone(). One owner. */
#pragma once

#include "storage/appender.h"

enum {
	CACHE_SEEN = 1,    /* found in this scrape */
	CACHE_DROPPED = 2, /* relabelling drops it: no reference */
	CACHE_TIMED = 4,   /* came with a timestamp of its own: no stale marker when it goes */
	CACHE_GONE = 8,    /* has its stale marker already: kept for when the target comes back */
};

struct cache_entry {
	uint64_t hash; /* of the raw text; 0: of a former configuration, matches nothing */
	series_ref ref;
	uint32_t flags : 8;
	uint32_t round : 24; /* in which the reference was taken last (storage/appender.h) */
};

struct cache_entries {
	struct cache_entry *v;
	size_t len, cap;
};

struct scrape_cache {
	uint64_t seed;
	struct cache_entries last, now; /* of the last scrape; of this one */
	size_t cursor;                  /* where in `last` the next line is expected */
	/* Hash -> 1 + index, of `last` and, with the top bit, of `now`; NULL while the order holds. */
	uint32_t *slots;
	size_t n_slots, n_used;
};

void scrape_cache_init(struct scrape_cache *c, uint64_t seed);
void scrape_cache_done(struct scrape_cache *c);

void scrape_cache_begin(struct scrape_cache *c);
/* The entry of this raw text, in this scrape's list and marked as seen. *is_new: nothing is known of it but its hash;
 * *is_again: this scrape has had it before. The entry is valid until the next call. */
struct cache_entry *scrape_cache_find(struct scrape_cache *c, struct slice raw, bool *is_new, bool *is_again);
/* Calls `each` for every entry of the last scrape that was not seen in this one, is in the store and not gone already. */
void scrape_cache_each_vanished(
    struct scrape_cache *c, void (*each)(void *arg, const struct cache_entry *e), void *arg);
/* This scrape becomes the last one. */
void scrape_cache_end(struct scrape_cache *c);
/* Forgets this scrape. */
void scrape_cache_fail(struct scrape_cache *c);
void scrape_cache_all_gone(struct scrape_cache *c);
/* The meaning of raw text has changed (other relabelling): forgets the hashes, so that the next scrape takes up everything
 * anew and what it does not find again is known as vanished. */
void scrape_cache_forget_text(struct scrape_cache *c);
