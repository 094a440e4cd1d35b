/* The HTTP API of a Prometheus, and the pages around it: queries, series, rules, targets, status, federation, /metrics,
 * lifecycle. Made by main before the server listens; until web_set_ready() hands it what it answers from, everything
 * that needs data says 503 and the rest works (/-/healthy, /metrics, buildinfo, flags, walreplay). Between the two, while the
 * store reads its log back, queries work.
 *
 * It does not know the store, nor who scrapes: it sees a queryable, an engine, a rule manager, and for the rest the
 * providers of web/providers.h. Handlers run on the server's workers: all of this is thread-safe. */
#pragma once

#include "base/clock.h"
#include "base/scheduler.h"
#include "net/http_server.h"
#include "promql/engine.h"
#include "promql/parse.h"
#include "web/providers.h"

struct web;

struct web_flag {
	struct slice name, value;
};

/* What is known before anything is loaded. All text is borrowed and must outlive the web. */
struct web_options {
	struct clock *clock;
	struct slice external_url; /* "http://host:9090/prefix": redirects go below its path */
	struct slice cors_origin;  /* regular expression, anchored; empty: ".*" */
	const struct web_flag *flags;
	size_t n_flags;
	struct slice version, revision, branch, build_user, build_date;
	struct slice retention; /* "15d", "15d or 10GiB": runtimeinfo */
	bool enable_lifecycle;  /* /-/reload and /-/quit work */
	bool enable_admin;      /* the admin endpoints may be used */
	/* Loads the configuration anew; false: `problems` says why. Called on a worker of the control lane. */
	bool (*reload)(void *arg, struct strbuf *problems);
	/* Asks the process to end; returns at once. */
	void (*quit)(void *arg);
	void *lifecycle_arg;
};

/* What it answers from. Borrowed: all of it outlives the server. */
struct web_deps {
	struct queryable *queryable;
	struct exemplar_queryable *exemplars; /* NULL: nobody keeps any */
	struct promql_engine *engine;
	struct scheduler
	    *scheduler; /* looks now and then whether a query's client is still there; NULL: nobody does */
	struct parse_options parse; /* which experimental language features are on */
	int64_t lookback_ms;        /* of federation; 0: five minutes */
	struct web_rule_provider rules;
	struct web_config_provider config;
	struct web_target_provider targets;
	struct web_store_provider store;
	struct web_alertmanager_provider alertmanagers;
};

/* ERR_INVALID: cors_origin is no regular expression. The caller frees it after the server. */
MUST_CHECK int web_new(const struct web_options *options, struct web **out, struct err *err);
void web_free(struct web *web); /* takes NULL */

/* Adds all routes. Before http_server_start(). */
void web_add(struct web *web, struct http_server *server);

/* The store reads its log back: from here on queries are answered, from what is on disk already and with a warning, and
 * /-/ready says how far it is. Once, before web_set_ready(), or not at all. */
void web_set_replaying(struct web *web, const struct web_deps *deps);
/* From here on everything is answered. Once. `deps` NULL: those of web_set_replaying(). */
void web_set_ready(struct web *web, const struct web_deps *deps);
/* 503 again, with X-Prometheus-Stopping: true. */
void web_set_stopping(struct web *web);
/* How the last load of the configuration went, for runtimeinfo and the prometheus_config_* metrics. `now_ms` of a
 * success is the time shown. */
void web_set_reloaded(struct web *web, bool was_successful, int64_t now_ms);
