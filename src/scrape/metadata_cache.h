/* What a target says of its metrics: type and help, the last thing it said. What it stops mentioning is kept for ten
 * scrapes. Written by the scrape that runs; readers take the lock that was given. */
#pragma once

#include "base/hashtab.h"
#include "base/lock.h"
#include "model/metadata.h"
#include "storage/appender.h"

struct metadata_cache {
	struct lock *lock; /* borrowed; taken for every change */
	struct hashtab by_metric;
	uint64_t scrape; /* number of the scrape that runs */
};

void metadata_cache_init(struct metadata_cache *c, struct lock *lock);
void metadata_cache_done(struct metadata_cache *c);

/* Once a scrape, before the others; forgets what is too old. */
void metadata_cache_begin(struct metadata_cache *c);
/* Raw help as it stands on the page; changes are told to the store. */
void metadata_cache_help(
    struct metadata_cache *c, struct slice metric, struct slice raw_help, struct appender *a);
void metadata_cache_type(
    struct metadata_cache *c, struct slice metric, enum metric_type type, struct appender *a);

/* The lock must be held. `metric` empty: all. */
void metadata_cache_each(const struct metadata_cache *c, struct slice metric,
    void (*each)(void *arg, struct slice metric, const struct metadata *m), void *arg);
