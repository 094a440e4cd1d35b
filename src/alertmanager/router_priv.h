/* The router's own struct, shared by router.c, router_list.c and router_metrics.c. */
#pragma once

#include "alertmanager/dispatch.h"
#include "alertmanager/inhibit.h"
#include "alertmanager/notify_pipeline.h"
#include "alertmanager/router.h"

/* One configuration in force, or on its way out. */
struct router_generation {
	struct router_generation *next; /* of router->old: ROUTER */
	struct arena *arena;
	const struct am_config *config;
	struct route_tree *tree;
	struct inhibit_index *inhibit; /* ROUTER */
	struct dispatcher dispatcher;
	struct notify_context notify;
};

struct router {
	struct lock lock;
	struct cond idle; /* a flush has ended */
	struct scheduler *scheduler;
	struct clock *clock;
	struct http_client *http;
	char *external_url;
	int64_t retention_ms, started_ms;
	struct silence_store *silences;
	struct alert_store store;      /* ROUTER */
	struct notify_log log;         /* ROUTER */
	struct router_generation *gen; /* ROUTER; NULL without a configuration */
	struct router_generation *old; /* ROUTER: whose flushes still run */
	timer_id maintenance;          /* ROUTER */
	bool is_closing;               /* ROUTER */
	struct notify_stats stats;
	_Atomic uint64_t received_firing, received_resolved, invalid;
};

/* The collector of /metrics. */
struct metrics_writer;
void router_collect_metrics(void *router, struct metrics_writer *w);
