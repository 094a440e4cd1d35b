/* One page into one transaction of the store: parsing, the cache, labels of new series, batches of samples. The page fails
 * as a whole (syntax, illegal names, limits of the job), and then the caller rolls back; single samples that the store
 * refuses (late, duplicate, too far ahead) are counted and left out. */
#pragma once

#include "scrape/metadata_cache.h"
#include "scrape/scrape_cache.h"
#include "scrape/target.h"

struct scrape_counts {
	uint64_t scraped; /* samples on the page */
	uint64_t kept;    /* of these, after relabelling */
	uint64_t added;   /* series that were new */
	uint64_t duplicates, out_of_order, out_of_bounds;
	uint64_t refused; /* by the store's series limit */
};

struct scrape_page {
	struct slice body; /* ends with a newline; empty: a page without samples */
	const struct scrape_config *config;
	const struct target *target;
	struct scrape_cache *cache;
	struct metadata_cache *metadata;
	int64_t t_ms;   /* for samples without a time of their own */
	int64_t now_ms; /* what is ten minutes ahead of this is refused */
};

/* ERR_INVALID, ERR_LIMIT, ERR_NO_MEMORY, ERR_UNAVAILABLE; *counts is filled in every case. The cache is between begin and end
 * afterwards: the caller ends it or lets it fail. */
MUST_CHECK int scrape_append_page(
    const struct scrape_page *page, struct appender *a, struct scrape_counts *counts, struct err *err);

/* Stale markers at t_ms for what vanished; refusals do not matter (the series goes on elsewhere). */
MUST_CHECK int scrape_append_stale(
    struct scrape_cache *cache, struct appender *a, int64_t t_ms, struct err *err);
