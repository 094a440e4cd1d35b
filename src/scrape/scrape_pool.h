/* The targets of one job: those that are scraped, each with its loop, and those that relabelling dropped. Owned by the
 * manager and guarded by its lock. */
#pragma once

#include "base/vec.h"
#include "scrape/scrape_loop.h"

VEC_DEFINE(scrape_loop_vec, struct scrape_loop *);
VEC_DEFINE(scrape_labels_vec, const struct labels *);

struct scrape_pool {
	char *name;
	struct scrape_job *job;
	struct scrape_loop_vec loops; /* sorted by labels, then URL */
	struct arena *dropped_arena;
	struct scrape_labels_vec dropped; /* discovered labels; at most keep_dropped_targets */
	uint64_t n_dropped;
	uint64_t n_discovered, n_syncs;
	uint64_t target_limit;
	double sync_seconds;
};

struct scrape_pool *scrape_pool_new(struct slice name);
/* Brings the pool to what the configuration says. Loops that are stopped with stale markers to come move to `ending`. */
void scrape_pool_sync(struct scrape_pool *p, struct scrape_env *env, struct config_generation *g,
    const struct scrape_config *config, struct scrape_loop_vec *ending);
/* Stops all loops; with `ending` they write stale markers and move there, with NULL they are let go. Frees the pool. */
void scrape_pool_free(struct scrape_pool *p, struct scrape_loop_vec *ending);
