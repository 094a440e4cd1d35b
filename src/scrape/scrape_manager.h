/* All scraping: a pool per job, a loop per target. A generation of configuration is applied as a whole; loops of targets
 * that stay the same (labels, URL, settings of the job) go on undisturbed, with their caches and their place in the
 * interval. Each scrape is one transaction of the store; nothing here waits: requests are asynchronous, their answers are
 * parsed on the scheduler's pool.
 *
 * Thread-safe. The manager holds a reference on the generation it runs. */
#pragma once

#include "base/arena.h"
#include "base/scheduler.h"
#include "config/config_check.h"
#include "model/labels.h"
#include "model/metadata.h"
#include "net/http_client.h"
#include "storage/appender.h"

struct scrape_manager;

struct scrape_manager_options {
	struct scheduler *scheduler; /* borrowed, as all of these; its pool does the parsing */
	struct http_client *client;
	struct appendable *store;
	struct slice host_name; /* spreads equal targets of several servers over the interval */
	struct slice
	    external_address; /* "host:port" that others reach this server's host by; for global_url. May be empty */
	bool extra_metrics; /* scrape_timeout_seconds and the like for every job */
};

/* Nothing is scraped before a generation is applied. */
struct scrape_manager *scrape_manager_new(const struct scrape_manager_options *opt);
/* Takes up new jobs and targets, lets go of those that are gone; their series end with stale markers a little later.
 * Returns at once. */
void scrape_manager_apply(struct scrape_manager *m, struct config_generation *g);
/* Stops all loops and waits for scrapes that run; writes no stale markers, because the server may be back soon. Takes NULL. */
void scrape_manager_free(struct scrape_manager *m);

/* --- what the API shows; everything is copied to the arena --------------------------------------------------------- */

enum scrape_health { SCRAPE_HEALTH_UNKNOWN, SCRAPE_HEALTH_UP, SCRAPE_HEALTH_DOWN };

struct scrape_target_info {
	struct slice pool;               /* job_name of the configuration */
	const struct labels *discovered; /* before relabelling */
	const struct labels *labels;     /* as samples get them */
	struct slice scrape_url,
	    global_url;          /* the second has a host that others can reach in place of localhost */
	struct slice last_error; /* empty: none */
	int64_t last_scrape_ms;  /* 0: never */
	double last_scrape_seconds;
	enum scrape_health health;
	int64_t interval_ms, timeout_ms;
};

struct scrape_dropped_info {
	struct slice pool;
	const struct labels *discovered;
};

struct scrape_pool_info {
	struct slice name;
	uint64_t dropped; /* targets dropped by relabelling, also those beyond keep_dropped_targets */
};

struct scrape_list {
	struct scrape_pool_info *pools; /* by name */
	size_t n_pools;
	struct scrape_target_info *active; /* by pool, then by labels */
	size_t n_active;
	struct scrape_dropped_info *dropped;
	size_t n_dropped;
};

void scrape_manager_list(struct scrape_manager *m, struct arena *arena, struct scrape_list *out);

/* Calls `each` for the metadata that the target with these labels and URL gave; `metric` empty: for all of it. What `each`
 * gets is borrowed for the call. */
void scrape_manager_metadata(struct scrape_manager *m, struct slice pool, const struct labels *labels,
    struct slice scrape_url, struct slice metric,
    void (*each)(void *arg, struct slice metric, const struct metadata *meta), void *arg);
