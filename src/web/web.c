#include "web/web_priv.h"

#include "base/counters.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "web/api_call.h"

#include <stdio.h>

enum { MAX_FORM_BYTES = 10 << 20 };

static const char *text_of(struct slice s, char *room, size_t size)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;
	if (n)
		memcpy(room, s.ptr, n);
	room[n] = '\0';
	return room;
}

/* The metrics that say what this server is and how it is. */
static void collect(void *arg, struct metrics_writer *w)
{
	struct web *web = arg;
	const struct web_options *o = &web->options;
	char version[80], revision[80], branch[80];
	metrics_family(w, "prometheus_build_info", "gauge",
	    "A metric with a constant '1' value labeled by version, revision and branch from which promq was "
	    "built.");
	metrics_sample(w, "", 1, "branch", text_of(o->branch, branch, sizeof(branch)), "revision",
	    text_of(o->revision, revision, sizeof(revision)), "version",
	    text_of(o->version, version, sizeof(version)), NULL);
	metrics_family(w, "prometheus_ready", "gauge", "Whether the server is ready to answer queries.");
	metrics_sample(w, "", web_is_ready(web), NULL);
	metrics_family(w, "prometheus_config_last_reload_successful", "gauge",
	    "Whether the last configuration reload attempt was successful.");
	metrics_sample(w, "", atomic_load(&web->reload_was_successful), NULL);
	metrics_family(w, "prometheus_config_last_reload_success_timestamp_seconds", "gauge",
	    "Timestamp of the last successful configuration reload.");
	metrics_sample(w, "", (double)atomic_load(&web->last_config_ms) / 1000, NULL);
}

int web_new(const struct web_options *options, struct web **out, struct err *err)
{
	struct label_regex *origin = NULL;
	bool is_any = options->cors_origin.len == 0 || slice_eq(options->cors_origin, SL(".*"));
	if (!is_any && label_regex_new(options->cors_origin, &origin, err))
		return err_prefix(err, "web.cors.origin: ");
	struct web *web = xcalloc(1, sizeof(*web));
	web->options = *options;
	web->cors_origin = origin;
	web->start_ms = clock_now_ms(options->clock);
	counters_add_collector(collect, web);
	*out = web;
	return 0;
}

void web_free(struct web *web)
{
	if (!web)
		return;
	counters_remove_collector(collect, web);
	label_regex_free(web->cors_origin);
	free(web->bindings);
	free(web);
}

void web_set_replaying(struct web *web, const struct web_deps *deps)
{
	web->deps = *deps;
	atomic_store_explicit(&web->state, WEB_REPLAYING, memory_order_release);
}

void web_store_state(struct web *web, struct web_store_state *out)
{
	*out = (struct web_store_state){.replay = WEB_REPLAY_WAITING};
	if (!web_is_ready(web) && !web_is_replaying(web))
		return;
	if (web->deps.store.state)
		web->deps.store.state(web->deps.store.arg, out);
	else
		out->replay = WEB_REPLAY_DONE;
}

void web_set_ready(struct web *web, const struct web_deps *deps)
{
	if (deps)
		web->deps = *deps;
	atomic_store_explicit(&web->state, WEB_READY, memory_order_release);
}

void web_set_stopping(struct web *web)
{
	atomic_store(&web->state, WEB_STOPPING);
}

void web_set_reloaded(struct web *web, bool was_successful, int64_t now_ms)
{
	atomic_store(&web->reload_was_successful, was_successful);
	if (was_successful)
		atomic_store(&web->last_config_ms, now_ms);
}

void web_reply_unavailable(struct web *web, struct http_request *req)
{
	bool is_stopping = atomic_load(&web->state) == WEB_STOPPING;
	http_reply_header(req, "X-Prometheus-Stopping", is_stopping ? "true" : "false");
	if (!web_is_replaying(web)) {
		http_reply_text(req, 503, "Service Unavailable");
		return;
	}
	struct web_store_state s;
	char text[160];
	web_store_state(web, &s);
	snprintf(text, sizeof(text),
	    "Service Unavailable\nReading the log back: %u %%, segment %llu of %llu\n", s.replay_percent,
	    (unsigned long long)s.replay_current, (unsigned long long)s.replay_max);
	http_reply_text(req, 503, text);
}

void web_reply_cors(const struct web *web, struct http_request *req)
{
	struct slice origin = http_req_header(req, "Origin");
	http_reply_header(req, "Vary", "Origin");
	if (origin.len == 0)
		return;
	http_reply_header(req, "Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin");
	http_reply_header(req, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
	http_reply_header(req, "Access-Control-Expose-Headers", "Date");
	if (!web->cors_origin)
		http_reply_header(req, "Access-Control-Allow-Origin", "*");
	else if (label_regex_matches(web->cors_origin, origin))
		http_reply_header(
		    req, "Access-Control-Allow-Origin", arena_strdup(http_req_arena(req), origin));
}

static void reply_options(struct web *web, struct http_request *req)
{
	web_reply_cors(web, req);
	http_reply_empty(req, 204);
}

static void run(struct web_binding *b, struct http_request *req)
{
	if (b->route->api)
		api_run(b->web, req, b->route);
	else
		b->route->page(b->web, req);
}

/* Lists of series are as dear as queries: they take turns with them. */
static void run_gated(struct web_binding *b, struct http_request *req)
{
	struct promql_engine *engine = b->web->deps.engine;
	struct query_wait wait = {promql_engine_deadline_ns(engine), NULL};
	struct query_gate *gate = promql_engine_gate(engine);
	if (query_gate_enter(gate, &wait, NULL)) {
		http_reply_text(req, 503, "too many queries are running: timed out waiting for a slot\n");
		return;
	}
	run(b, req);
	query_gate_leave(gate, false);
}

static bool may_answer(const struct web_binding *b)
{
	return (b->route->flags & ROUTE_EARLY) || web_is_ready(b->web) ||
	       ((b->route->flags & ROUTE_PARTS) && web_is_replaying(b->web));
}

/* The handler of every route. */
static void on_request(struct http_request *req, void *arg)
{
	struct web_binding *b = arg;
	if (b->route->api && http_req_method(req) == HTTP_OPTIONS)
		reply_options(b->web, req);
	else if (!may_answer(b))
		web_reply_unavailable(b->web, req);
	else if (b->route->flags & ROUTE_GATED)
		run_gated(b, req);
	else
		run(b, req);
}

/* Browsers ask what they may do of any path below the API. */
static void on_unknown_path(struct http_request *req, void *arg)
{
	if (http_req_method(req) == HTTP_OPTIONS && slice_starts(http_req_path(req), SL("/api/v1/")))
		reply_options(arg, req);
	else
		http_reply_text(req, 404, "404 page not found\n");
}

void web_add(struct web *web, struct http_server *server)
{
	size_t n;
	const struct web_route *routes = web_routes(&n);
	struct http_route *added = xcalloc(n, sizeof(*added));
	free(web->bindings);
	web->bindings = xcalloc(n, sizeof(*web->bindings));
	for (size_t i = 0; i < n; i++) {
		web->bindings[i] = (struct web_binding){.web = web, .route = &routes[i]};
		added[i] =
		    (struct http_route){.methods = routes[i].methods | (routes[i].api ? HTTP_OPTIONS : 0u),
			.path = routes[i].path,
			.lane = routes[i].lane,
			.max_body_bytes = MAX_FORM_BYTES,
			.handler = on_request,
			.arg = &web->bindings[i]};
	}
	http_server_add(server, added, n);
	http_server_set_fallback(server, on_unknown_path, web);
	free(added);
}
