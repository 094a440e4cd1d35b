/* What the web asks of parts it does not know by name. Each provider is a struct of callbacks with their argument; one
 * whose callbacks are NULL has nothing to show. Callbacks come from any worker, several at a time; what they hand out
 * lives in the arena they are given. */
#pragma once

#include "base/arena.h"
#include "config/config_check.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/metadata.h"
#include "rules/rule_manager.h"
#include "scrape/scrape_manager.h"

/* The configuration in force. */
struct web_config_provider {
	/* A reference, which the web gives back; NULL: none is loaded. */
	struct config_generation *(*get)(void *arg);
	void *arg;
};

/* The targets, as scrape/scrape_manager.h lists them. */
struct web_target_provider {
	void (*list)(void *arg, struct arena *arena, struct scrape_list *out);
	/* The metadata a target gave; `metric` empty: all of it. May be NULL. */
	void (*metadata)(void *arg, const struct scrape_target_info *target, struct slice metric,
	    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg);
	void *arg;
};
struct web_target_provider web_targets_of(struct scrape_manager *m);

/* Groups of rules, as rules/rule_manager.h lists them. */
struct web_rule_provider {
	void (*list)(void *arg, struct arena *arena, struct rule_group_view **out, size_t *n);
	void *arg;
};
struct web_rule_provider web_rules_of(struct rule_manager *m);

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
	/* At most the number of entries asked for, each. */
	struct web_store_list series_by_metric, values_by_label, bytes_by_label, series_by_pair;
};

enum { WEB_TROUBLE_MAX = 512 };

/* How the store is, asked often and before it is ready. */
struct web_store_state {
	uint64_t replay_min, replay_max, replay_current; /* segments of the log */
	unsigned replay_percent;
	enum { WEB_REPLAY_WAITING, WEB_REPLAY_RUNNING, WEB_REPLAY_DONE } replay;
	char trouble[WEB_TROUBLE_MAX]; /* why no samples are taken; empty: they are */
};

struct web_store_provider {
	/* NULL: it was always there. */
	void (*state)(void *arg, struct web_store_state *out);
	/* `top` 0: the lists are not wanted. */
	void (*status)(void *arg, size_t top, struct arena *arena, struct web_store_status *out);
	/* Type, help and unit in the order of metric names; `metric` empty: all; `limit` metrics at most, 0: all. */
	void (*metadata)(void *arg, struct slice metric, size_t limit, struct arena *arena,
	    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg);
	/* Brings what is in memory into parts on disk; NULL: there is no such thing. */
	int (*seal)(void *arg, struct err *err);
	/* Joins parts as far as it goes; NULL: there is no such thing. */
	int (*compact)(void *arg, struct err *err);
	/* Deletes the samples within [min_t_ms, max_t_ms] of what matches; NULL: it cannot. */
	int (*delete_series)(void *arg, const struct matcher *const *matchers, size_t n, int64_t min_t_ms,
	    int64_t max_t_ms, struct err *err);
	/* Frees the room of what was deleted; NULL: it cannot. */
	int (*clean_tombstones)(void *arg, struct err *err);
	/* Makes a snapshot; its name lives in the arena. NULL: it cannot. */
	int (*snapshot)(void *arg, bool with_head, struct arena *arena, struct slice *name, struct err *err);
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
