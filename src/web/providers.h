/* What the web asks of parts it does not know by name. Each provider is a struct of callbacks with their argument; one
 * whose callbacks are NULL has nothing to show. Callbacks come from any worker, several at a time; what they hand out
 * lives in the arena they are given. */
#pragma once

#include "base/arena.h"
#include "config/config_check.h"
#include "model/labels.h"
#include "model/metadata.h"

/* The configuration in force. */
struct web_config_provider {
	/* A reference, which the web gives back; NULL: none is loaded. */
	struct config_generation *(*get)(void *arg);
	void *arg;
};

enum web_target_health { WEB_TARGET_UNKNOWN, WEB_TARGET_UP, WEB_TARGET_DOWN };

struct web_target {
	struct slice pool;                   /* job name of the scrape configuration */
	const struct labels *discovered;     /* before relabelling, with __address__ and the like */
	const struct labels *labels;         /* as samples get them */
	struct slice scrape_url, global_url; /* the second with a host that others can reach */
	struct slice last_error;             /* empty: none */
	int64_t last_scrape_ms;              /* 0: never */
	double last_scrape_seconds;          /* how long it took */
	enum web_target_health health;
	int64_t interval_ms, timeout_ms;
};

struct web_dropped_target {
	struct slice pool;
	const struct labels *discovered;
};

struct web_pool {
	struct slice name;
	uint64_t dropped; /* targets dropped by relabelling, also those not kept for listing */
};

struct web_targets {
	struct web_pool *pools;
	struct web_target *active;
	struct web_dropped_target *dropped;
	size_t n_pools, n_active, n_dropped;
};

struct web_target_provider {
	void (*list)(void *arg, struct arena *arena, struct web_targets *out);
	/* The metadata a target gave; `metric` empty: all of it. May be NULL. */
	void (*metadata)(void *arg, struct arena *arena, const struct web_target *target, struct slice metric,
	    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg);
	void *arg;
};

struct web_store_top {
	struct slice name;
	uint64_t value;
};

struct web_store_list {
	struct web_store_top *v; /* largest first */
	size_t n;
};

struct web_store_status {
	uint64_t series, label_pairs, chunks;
	int64_t min_t_ms, max_t_ms;
	uint64_t corruptions;
	uint64_t replay_min, replay_max, replay_current; /* segments */
	/* At most the number of entries asked for, each. */
	struct web_store_list series_by_metric, values_by_label, bytes_by_label, series_by_pair;
};

struct web_store_provider {
	/* `top` 0: the lists are not wanted. */
	void (*status)(void *arg, size_t top, struct arena *arena, struct web_store_status *out);
	/* Type, help and unit in the order of metric names; `metric` empty: all; `limit` metrics at most, 0: all. */
	void (*metadata)(void *arg, struct slice metric, size_t limit, struct arena *arena,
	    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg);
	void *arg;
};

struct web_alertmanagers {
	struct slice *active, *dropped; /* URLs of their alert endpoints */
	size_t n_active, n_dropped;
};

struct web_alertmanager_provider {
	void (*list)(void *arg, struct arena *arena, struct web_alertmanagers *out);
	void *arg;
};
