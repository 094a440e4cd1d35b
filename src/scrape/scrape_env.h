/* What all loops share: where time, connections and the store come from, and how the whole is stopped. Refcounted, because an
 * answer may come from the network after the manager has gone; it then finds `stopping` and touches nothing else. */
#pragma once

#include "base/lock.h"
#include "base/scheduler.h"
#include "net/http_client.h"
#include "scrape/interval_stats.h"
#include "storage/appender.h"

struct scrape_env {
	struct scheduler *scheduler; /* borrowed, as the next two; dead once stopping */
	struct http_client *client;
	struct appendable *store;
	uint64_t offset_seed; /* spreads equal targets of several servers over the interval */
	bool extra_metrics;
	struct interval_stats intervals;
	struct lock lock; /* LOCK_POOL */
	struct cond idle;
	unsigned working; /* lock: answers that are being processed */
	bool stopping;    /* lock */
	_Atomic unsigned refs;
};

struct scrape_env *scrape_env_new(void);
struct scrape_env *scrape_env_ref(struct scrape_env *env);
void scrape_env_unref(struct scrape_env *env);

/* False: the server stops, do nothing. Else scrape_env_leave() follows. */
bool scrape_env_enter(struct scrape_env *env);
void scrape_env_leave(struct scrape_env *env);
/* Nobody enters any more; waits for those inside. */
void scrape_env_stop(struct scrape_env *env);
