/* What the files of this folder share about the web as a whole. */
#pragma once

#include "base/vec.h"
#include "model/label_regex.h"
#include "web/web.h"

#include <stdatomic.h>

enum web_state { WEB_STARTING, WEB_REPLAYING, WEB_READY, WEB_STOPPING };

struct web_route;

/* What a handler of the server gets as its argument. */
struct web_binding {
	struct web *web;
	const struct web_route *route;
};

struct web {
	struct web_options options;
	struct web_deps
	    deps; /* written before `state` leaves STARTING (release), read after that is seen (acquire) */
	_Atomic int state;               /* enum web_state */
	struct label_regex *cors_origin; /* NULL: any */
	struct web_binding *bindings;    /* one a route */
	int64_t start_ms;
	_Atomic bool reload_was_successful;
	_Atomic int64_t last_config_ms; /* of the last success */
	_Atomic bool quit_was_asked;
};

/* A route with its handler: one of the two. API handlers answer JSON through an api_call; pages answer as they like. */
struct api_call;
typedef int (*api_handler)(struct api_call *c, struct err *err);
typedef void (*page_handler)(struct web *web, struct http_request *req);

enum web_route_flag {
	ROUTE_EARLY = 1, /* works before the server is ready */
	ROUTE_PARTS = 4, /* works while the store reads its log back */
	ROUTE_GATED = 2, /* reads much of the store: waits for a slot as queries do */
};

struct web_route {
	unsigned methods;
	const char *path;
	enum http_lane lane;
	unsigned flags; /* enum web_route_flag */
	api_handler api;
	page_handler page;
};

/* The table, in routes.c. */
const struct web_route *web_routes(size_t *n);

static inline bool web_is_ready(const struct web *web)
{
	return atomic_load_explicit(&web->state, memory_order_acquire) == WEB_READY;
}

static inline bool web_is_replaying(const struct web *web)
{
	return atomic_load_explicit(&web->state, memory_order_acquire) == WEB_REPLAYING;
}

/* How the store is; zeros before it is there. */
void web_store_state(struct web *web, struct web_store_state *out);

/* 503 "Service Unavailable" as long as it is not ready. */
void web_reply_unavailable(struct web *web, struct http_request *req);
void web_reply_cors(const struct web *web, struct http_request *req);

/* What an API endpoint does is in its file; this is the list. 0: one JSON value was written to c->json; API_NO_DATA: there
 * is none (204); else an error. */
int api_query(struct api_call *c, struct err *err);
int api_query_range(struct api_call *c, struct err *err);
int api_explain(struct api_call *c, struct err *err);
int api_query_exemplars(struct api_call *c, struct err *err);
int api_format_query(struct api_call *c, struct err *err);
int api_parse_query(struct api_call *c, struct err *err);
int api_series(struct api_call *c, struct err *err);
int api_labels(struct api_call *c, struct err *err);
int api_label_values(struct api_call *c, struct err *err);
int api_rules(struct api_call *c, struct err *err);
int api_alerts(struct api_call *c, struct err *err);
int api_targets(struct api_call *c, struct err *err);
int api_scrape_pools(struct api_call *c, struct err *err);
int api_scrape_pool_config(struct api_call *c, struct err *err);
int api_targets_metadata(struct api_call *c, struct err *err);
int api_metadata(struct api_call *c, struct err *err);
int api_alertmanagers(struct api_call *c, struct err *err);
int api_status_config(struct api_call *c, struct err *err);
int api_status_flags(struct api_call *c, struct err *err);
int api_status_buildinfo(struct api_call *c, struct err *err);
int api_status_runtimeinfo(struct api_call *c, struct err *err);
int api_status_tsdb(struct api_call *c, struct err *err);
int api_status_slow_queries(struct api_call *c, struct err *err);
int api_status_walreplay(struct api_call *c, struct err *err);
int api_admin_delete_series(struct api_call *c, struct err *err);
int api_admin_clean_tombstones(struct api_call *c, struct err *err);
int api_admin_snapshot(struct api_call *c, struct err *err);
int api_admin_seal(struct api_call *c, struct err *err);

void page_healthy(struct web *web, struct http_request *req);
void page_ready(struct web *web, struct http_request *req);
void page_reload(struct web *web, struct http_request *req);
void page_quit(struct web *web, struct http_request *req);
void page_wrong_method(struct web *web, struct http_request *req);
void page_metrics(struct web *web, struct http_request *req);
void page_version(struct web *web, struct http_request *req);
void page_federate(struct web *web, struct http_request *req);
void page_root(struct web *web, struct http_request *req);
void page_query(struct web *web, struct http_request *req);
void page_graph(struct web *web, struct http_request *req);
