/* Order of making, which is the order of the layers; server_stop() goes the other way.
 *
 *   pools, scheduler            who works, and when
 *   listener                    bound first: a port in use ends the start before anything is touched
 *   configuration               all files; what is wrong ends the start before the store is opened
 *   web, routing                answering: "not ready" so far
 *   store                       locked, its parts open
 *   engine, rules, scraping     over the store; queries are answered from parts
 *   log                         read back
 *   generation applied          rules and scrapes begin; ready */
#include "main/wire.h"

#include "base/counters.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/scheduler.h"
#include "base/xmalloc.h"
#include "config.h"
#include "config/config_check.h"
#include "ingest/ingest_limits.h"
#include "ingest/remote_write.h"
#include "main/reload.h"
#include "main/routing.h"
#include "main/store_provider.h"
#include "net/http_client.h"
#include "net/http_metrics.h"
#include "net/http_server.h"
#include "net/url.h"
#include "promql/active_queries.h"
#include "promql/engine.h"
#include "rules/rule_manager.h"
#include "scrape/scrape_manager.h"
#include "tsdb/tsdb.h"
#include "web/web.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

/* Threads of the query lane mostly wait: the engine says who runs, and lets the cheap overtake the heavy. A query can only be
 * overtaken once it has a thread. */
enum { CONTROL_THREADS = 2, QUERY_THREADS = 128, MAX_QUEUED_REQUESTS = 1000 };

struct server {
	const struct options *options;
	struct clock *clock;
	char *external_url, *route_prefix, *own_address;
	struct web_flag flags[OPTIONS];

	struct thread_pool *pools[HTTP_LANES];
	struct thread_pool *helpers; /* of big queries */
	struct thread_pool *workers;
	struct scheduler *scheduler;
	struct http_metrics *http_metrics;
	struct http_server *http;
	struct web *web;
	struct routing *routing;
	struct tsdb *store;
	struct active_queries *active_queries;
	struct promql_engine *engine;
	struct rule_manager *rules;
	struct http_client *scrape_client;
	struct scrape_manager *scrapes;
	struct remote_write *remote_write;
	atomic_bool is_ready; /* release in make_ready, acquire in on_write: remote_write is set before */

	struct lock reload_lock;
	struct lock lock;
	struct config_generation *generation; /* lock: the one in force */
};

static bool fail(struct strbuf *problems, const struct err *err)
{
	strbuf_addf(problems, "promqd: %s", err->msg);
	return false;
}

/* --- settings ------------------------------------------------------------------------------------------------------------ */

static size_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 2 ? (size_t)n : 2;
}

/* Without a slash at the end. */
static char *without_slash(struct slice s)
{
	while (s.len && s.ptr[s.len - 1] == '/')
		s.len--;
	return slice_dup(s);
}

static bool set_urls(struct server *s, struct strbuf *problems)
{
	const char *given = options_text(s->options, OPT_WEB_EXTERNAL_URL);
	char host[256] = "localhost";
	gethostname(host, sizeof(host) - 1);
	char *url = given[0] ? xstrdup(given) : xasprintf("http://%s:%u", host, http_server_port(s->http));
	struct url parts;
	struct err err;
	bool good = url_parse(slice_cstr(url), &parts, &err) == 0;
	if (good && !slice_eq(parts.scheme, SL("http")) && !slice_eq(parts.scheme, SL("https"))) {
		err_set(&err, ERR_INVALID, "flag --web.external-url: want http:// or https://, not %s", url);
		good = false;
	}
	s->external_url = without_slash(slice_cstr(url));
	s->own_address = xasprintf("localhost:%u", http_server_port(s->http));
	free(url);
	return good ? true : fail(problems, &err);
}

/* "/prefix", or "": --web.route-prefix, or the path of the external URL. */
static char *route_prefix(const struct options *o)
{
	struct url parts = {.path = SL_EMPTY};
	const char *url = options_text(o, OPT_WEB_EXTERNAL_URL);
	struct slice prefix = slice_cstr(options_text(o, OPT_WEB_ROUTE_PREFIX));
	if (!options_given(o, OPT_WEB_ROUTE_PREFIX) && url_parse(slice_cstr(url), &parts, NULL) == 0)
		prefix = parts.path;
	char *bare = without_slash(prefix);
	if (bare[0] == '\0' || bare[0] == '/')
		return bare;
	char *slashed = xasprintf("/%s", bare);
	free(bare);
	return slashed;
}

static bool parse_wal_sync(const char *text, enum wal_sync *out, struct strbuf *problems)
{
	static const char *const names[] = {"always", "interval", "off"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*out = (enum wal_sync)i;
		return true;
	}
	strbuf_addf(problems, "promqd: flag --storage.wal-sync: want always, interval or off, not %s", text);
	return false;
}

/* --- HTTP --------------------------------------------------------------------------------------------------------------- */

static struct http_server_options http_options(struct server *s)
{
	struct http_server_options o = {
	    .listen_address = options_text(s->options, OPT_WEB_LISTEN_ADDRESS),
	    .route_prefix = s->route_prefix,
	    .max_connections = (unsigned)options_uint(s->options, OPT_WEB_MAX_CONNECTIONS),
	    .on_done = http_metrics_done,
	    .on_done_arg = s->http_metrics,
	};
	for (size_t i = 0; i < HTTP_LANES; i++)
		o.pools[i] = s->pools[i];
	return o;
}

static void on_write(struct http_request *req, void *arg)
{
	struct server *s = arg;
	if (atomic_load_explicit(&s->is_ready, memory_order_acquire))
		remote_write_handle(req, s->remote_write);
	else
		http_reply_text(req, 503, "Service Unavailable");
}

static void on_write_disabled(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_text(
	    req, 404, "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n");
}

static bool listen_first(struct server *s, struct strbuf *problems)
{
	size_t n = processors();
	s->pools[HTTP_LANE_INGEST] = thread_pool_new("ingest", n);
	s->pools[HTTP_LANE_QUERY] = thread_pool_new("query", QUERY_THREADS);
	s->helpers = thread_pool_new("promql", n - 1);
	s->pools[HTTP_LANE_CONTROL] = thread_pool_new("control", CONTROL_THREADS);
	for (size_t i = 0; i < HTTP_LANES; i++)
		thread_pool_set_max_queued(s->pools[i], MAX_QUEUED_REQUESTS);
	s->workers = thread_pool_new("worker", n);
	s->scheduler = scheduler_new(s->clock, s->workers);
	s->http_metrics = http_metrics_new();
	struct http_server_options o = http_options(s);
	struct err err;
	return http_server_new(&o, &s->http, &err) == 0 || fail(problems, &err);
}

static bool reload_for_web(void *arg, struct strbuf *problems)
{
	struct server *s = arg;
	if (!atomic_load_explicit(&s->is_ready, memory_order_acquire)) {
		strbuf_adds(problems, "the server is still starting");
		return false;
	}
	return server_reload(s, problems);
}

static void quit_for_web(void *arg)
{
	(void)arg;
	kill(getpid(), SIGTERM);
}

static bool make_web(struct server *s, struct strbuf *problems)
{
	for (int i = 0; i < OPTIONS; i++)
		s->flags[i] = (struct web_flag){slice_cstr(option_name((enum option_id)i)),
		    slice_cstr(options_text(s->options, (enum option_id)i))};
	struct web_options o = {
	    .clock = s->clock,
	    .external_url = slice_cstr(s->external_url),
	    .cors_origin = slice_cstr(options_text(s->options, OPT_WEB_CORS_ORIGIN)),
	    .flags = s->flags,
	    .n_flags = OPTIONS,
	    .version = SL(PACKAGE_VERSION),
	    .retention = slice_cstr(options_text(s->options, OPT_TSDB_RETENTION_TIME)),
	    .enable_lifecycle = options_bool(s->options, OPT_WEB_ENABLE_LIFECYCLE),
	    .enable_admin = options_bool(s->options, OPT_WEB_ENABLE_ADMIN_API),
	    .reload = reload_for_web,
	    .quit = quit_for_web,
	    .lifecycle_arg = s,
	};
	struct err err;
	if (web_new(&o, &s->web, &err))
		return fail(problems, &err);
	web_add(s->web, s->http);
	bool takes_writes = options_bool(s->options, OPT_WEB_ENABLE_REMOTE_WRITE);
	struct http_route write = {HTTP_POST, "/api/v1/write", HTTP_LANE_INGEST, INGEST_MAX_BODY_BYTES,
	    takes_writes ? on_write : on_write_disabled, s};
	http_server_add(s->http, &write, 1);
	return true;
}

static bool start_answering(struct server *s, struct strbuf *problems)
{
	struct routing_options o = {
	    .options = s->options,
	    .scheduler = s->scheduler,
	    .external_url = s->external_url,
	    .server = s->http,
	    .listener = http_options(s),
	    .version = PACKAGE_VERSION,
	};
	struct err err;
	if (routing_new(&o, &s->routing, &err) || http_server_start(s->http, &err) ||
	    routing_start(s->routing, &err))
		return fail(problems, &err);
	return true;
}

/* --- store and what runs over it ----------------------------------------------------------------------------------------- */

static void log_note(void *arg, const char *note)
{
	(void)arg;
	log_warn("store repaired at start", KV_STR("component", "tsdb"), KV_STR("note", note));
}

static void log_notice(void *arg, bool is_bad, const char *text)
{
	(void)arg;
	if (is_bad)
		log_error("store", KV_STR("component", "tsdb"), KV_STR("notice", text));
	else
		log_info("store", KV_STR("component", "tsdb"), KV_STR("notice", text));
}

enum { LONGEST_IN_MEMORY_MS = 32 * 60 * 1000 };

static int64_t seal_interval_ms(const struct options *options)
{
	int64_t given = options_ms(options, OPT_TSDB_MIN_BLOCK);
	return given > 0 && given < LONGEST_IN_MEMORY_MS ? given : LONGEST_IN_MEMORY_MS;
}

static bool open_store(struct server *s, const struct config_storage *c, struct strbuf *problems)
{
	struct tsdb_options o = {
	    .path = options_text(s->options, OPT_TSDB_PATH),
	    .clock = s->clock,
	    .scheduler = s->scheduler,
	    .wal_segment_bytes = options_uint(s->options, OPT_TSDB_WAL_SEGMENT),
	    .retention_ms = options_ms(s->options, OPT_TSDB_RETENTION_TIME),
	    .retention_bytes = options_uint(s->options, OPT_TSDB_RETENTION_SIZE),
	    .seal_interval_ms = seal_interval_ms(s->options),
	    .max_series = options_uint(s->options, OPT_MAX_SERIES),
	    .max_exemplars = c->max_exemplars > 0 ? c->max_exemplars : -1,
	    .disk_reserve_bytes = options_uint(s->options, OPT_DISK_RESERVE),
	    .notice = log_notice,
	    .replay_later = true,
	};
	if (!parse_wal_sync(options_text(s->options, OPT_WAL_SYNC), &o.wal_sync, problems))
		return false;
	struct err err;
	return tsdb_open(&o, &s->store, &err) == 0 || fail(problems, &err);
}

/* Queries are answered meanwhile. */
static bool replay_store(struct server *s, struct strbuf *problems)
{
	int64_t begin_ns = clock_mono_ns(s->clock);
	struct err err;
	int rc = tsdb_replay(s->store, &err);
	tsdb_start_notes(s->store, log_note, NULL);
	if (rc)
		return fail(problems, &err);
	struct tsdb_status status;
	tsdb_status(s->store, &status);
	log_info("store is open", KV_STR("component", "tsdb"), KV_U64("series", status.head_series),
	    KV_U64("parts", status.parts),
	    KV_I64("duration_ms", (clock_mono_ns(s->clock) - begin_ns) / 1000000));
	return true;
}

/* A quarter of the machine's memory. */
static size_t memory_for_queries(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	return pages > 0 && size > 0 ? (size_t)pages / 4 * (size_t)size : (size_t)4 << 30;
}

/* The queries that run are noted in the data directory: those of clients, and one a worker for rules. */
static bool note_active_queries(struct server *s, struct strbuf *problems)
{
	unsigned max = (unsigned)(options_uint(s->options, OPT_QUERY_MAX_CONCURRENCY) + processors());
	struct strbuf unfinished = STRBUF_INIT;
	struct err err;
	int rc = active_queries_open(
	    fs_real(), options_text(s->options, OPT_TSDB_PATH), max, &s->active_queries, &unfinished, &err);
	if (unfinished.len)
		log_warn("These queries didn't finish in the last run:",
		    KV_STR("component", "activeQueryTracker"), KV_STR("queries", strbuf_cstr(&unfinished)));
	strbuf_done(&unfinished);
	if (rc && err_is_disk_full(&err)) { /* a server that answers is worth more than the note */
		log_warn("queries that run are not noted", KV_STR("component", "activeQueryTracker"),
		    KV_ERR(&err));
		return true;
	}
	return rc == 0 || fail(problems, &err);
}

static void make_engines(struct server *s)
{
	uint64_t all_bytes = options_uint(s->options, OPT_QUERY_MAX_ALL_BYTES);
	struct promql_options query = {
	    .parse = parse_all_syntax,
	    .max_samples = options_uint(s->options, OPT_QUERY_MAX_SAMPLES),
	    .max_query_bytes = options_uint(s->options, OPT_QUERY_MAX_BYTES),
	    .max_all_bytes = all_bytes ? all_bytes : memory_for_queries(),
	    .max_series = options_uint(s->options, OPT_QUERY_MAX_SERIES),
	    .slow_query_ms = options_ms(s->options, OPT_QUERY_SLOW),
	    .max_heavy = (unsigned)processors(),
	    .timeout_ms = options_ms(s->options, OPT_QUERY_TIMEOUT),
	    .lookback_ms = options_ms(s->options, OPT_QUERY_LOOKBACK),
	    .max_concurrent = (unsigned)options_uint(s->options, OPT_QUERY_MAX_CONCURRENCY),
	    .delayed_name_removal = options_feature(s->options, "promql-delayed-name-removal"),
	    .use_start_timestamps = options_feature(s->options, "use-start-timestamps"),
	    .type_and_unit_labels = options_feature(s->options, "type-and-unit-labels"),
	    .clock = s->clock,
	    .pool = s->helpers,
	    .active = s->active_queries,
	};
	s->engine = promql_engine_new(&query);
	struct rule_manager_options rules = {
	    .scheduler = s->scheduler,
	    .engine = s->engine,
	    .queryable = tsdb_queryable(s->store),
	    .appendable = tsdb_appendable(s->store),
	    .sink = routing_sink(s->routing),
	    .external_url = slice_cstr(s->external_url),
	    .resend_delay_ms = options_ms(s->options, OPT_RULES_RESEND_DELAY),
	    .outage_tolerance_ms = options_ms(s->options, OPT_RULES_OUTAGE_TOLERANCE),
	    .grace_period_ms = options_ms(s->options, OPT_RULES_GRACE_PERIOD),
	};
	s->rules = rule_manager_new(&rules);
	s->scrape_client = http_client_new("Prometheus/" PACKAGE_VERSION);
	char host[256] = "localhost";
	gethostname(host, sizeof(host) - 1);
	struct scrape_manager_options scrape = {
	    .scheduler = s->scheduler,
	    .client = s->scrape_client,
	    .store = tsdb_appendable(s->store),
	    .host_name = slice_cstr(host),
	    .external_address = slice_from(slice_cstr(s->external_url), strcspn(s->external_url, "/") + 2),
	    .extra_metrics = options_feature(s->options, "extra-scrape-metrics"),
	};
	s->scrapes = scrape_manager_new(&scrape);
	s->remote_write = remote_write_new(tsdb_appendable(s->store));
}

static struct config_generation *get_generation(void *arg)
{
	struct server *s = arg;
	lock_take(&s->lock);
	struct config_generation *g = s->generation ? config_generation_ref(s->generation) : NULL;
	lock_release(&s->lock);
	return g;
}

static void answer_queries(struct server *s)
{
	struct web_deps deps = {
	    .scheduler = s->scheduler,
	    .queryable = tsdb_queryable(s->store),
	    .exemplars = tsdb_exemplars(s->store),
	    .engine = s->engine,
	    .parse = parse_all_syntax,
	    .lookback_ms = options_ms(s->options, OPT_QUERY_LOOKBACK),
	    .rules = web_rules_of(s->rules),
	    .config = {get_generation, s},
	    .targets = web_targets_of(s->scrapes),
	    .store = store_provider(s->store),
	};
	web_set_replaying(s->web, &deps);
}

static void make_ready(struct server *s)
{
	web_set_ready(s->web, NULL);
	atomic_store_explicit(&s->is_ready, true, memory_order_release);
	log_info("Server is ready to receive web requests.", KV_STR("component", "web"),
	    KV_U64("port", http_server_port(s->http)));
}

/* --- configuration --------------------------------------------------------------------------------------------------------- */

/* What the file says goes before the flags. */
static void apply_storage(struct server *s, const struct config_storage *c)
{
	int64_t ms = options_ms(s->options, OPT_TSDB_RETENTION_TIME);
	int64_t late_ms = c->has_out_of_order_time_window ? c->out_of_order_time_window_ms
							  : options_ms(s->options, OPT_TSDB_OUT_OF_ORDER);
	uint64_t bytes = options_uint(s->options, OPT_TSDB_RETENTION_SIZE);
	tsdb_set_retention(s->store, c->retention_ms ? c->retention_ms : ms,
	    c->retention_bytes ? c->retention_bytes : bytes, c->retention_percentage);
	tsdb_set_max_exemplars(s->store, c->max_exemplars);
	tsdb_set_out_of_order(s->store, late_ms);
}

/* Puts a good generation in force, in the order of what can fail. RELOAD is held. */
static int apply(struct server *s, struct generation *g, struct err *err)
{
	int rc = promql_engine_set_query_log(s->engine, g->prometheus->config->global.query_log_file, err);
	if (rc == 0)
		rc = rule_manager_load(s->rules, g->prometheus, err);
	if (rc == 0)
		rc = routing_apply(s->routing, g, err);
	if (rc)
		return rc;
	apply_storage(s, &g->prometheus->config->storage);
	promql_engine_set_default_step(s->engine, g->prometheus->config->global.evaluation_interval_ms);
	scrape_manager_apply(s->scrapes, g->prometheus);
	lock_take(&s->lock);
	struct config_generation *old = s->generation;
	s->generation = config_generation_ref(g->prometheus);
	lock_release(&s->lock);
	config_generation_unref(old);
	return 0;
}

static void log_problems(struct slice problems)
{
	while (problems.len) {
		size_t end = slice_find(problems, '\n');
		log_error("configuration error", KV_STR("component", "config"),
		    KV_SLICE("err", slice_of(problems.ptr, end)));
		problems = slice_from(problems, end < problems.len ? end + 1 : end);
	}
}

bool server_reload(struct server *s, struct strbuf *problems)
{
	struct generation g;
	struct err err;
	bool good = generation_load(s->options, s->own_address, &g, problems);
	if (good) {
		lock_take(&s->reload_lock);
		int rc = apply(s, &g, &err);
		lock_release(&s->reload_lock);
		if (rc)
			good = fail(problems, &err);
	}
	generation_done(&g);
	web_set_reloaded(s->web, good, clock_now_ms(s->clock));
	if (good)
		log_info("configuration loaded", KV_STR("component", "config"));
	else
		log_problems(strbuf_slice(problems));
	return good;
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static bool start(struct server *s, struct generation *g, struct strbuf *problems)
{
	struct err err;
	if (options_bool(s->options, OPT_AGENT)) {
		strbuf_adds(problems, "promqd: agent mode is not available (start without --agent)");
		return false;
	}
	s->route_prefix = route_prefix(s->options);
	if (!listen_first(s, problems) || !set_urls(s, problems) ||
	    !generation_load(s->options, s->own_address, g, problems) || !make_web(s, problems) ||
	    !start_answering(s, problems) || !open_store(s, &g->prometheus->config->storage, problems) ||
	    !note_active_queries(s, problems))
		return false;
	make_engines(s);
	answer_queries(s);
	if (!replay_store(s, problems))
		return false;
	lock_take(&s->reload_lock);
	int rc = apply(s, g, &err);
	lock_release(&s->reload_lock);
	if (rc)
		return fail(problems, &err);
	web_set_reloaded(s->web, true, clock_now_ms(s->clock));
	make_ready(s);
	return true;
}

bool server_start(const struct options *o, struct server **out, struct strbuf *problems)
{
	struct server *s = xcalloc(1, sizeof(*s));
	s->options = o;
	s->clock = clock_real();
	lock_init(&s->reload_lock, LOCK_RELOAD, "reload");
	lock_init(&s->lock, LOCK_CONFIG, "server");
	struct generation g = {0};
	bool good = start(s, &g, problems);
	generation_done(&g);
	if (good)
		*out = s;
	else
		server_stop(s);
	return good;
}

void server_stop(struct server *s)
{
	if (!s)
		return;
	if (s->web)
		web_set_stopping(s->web);
	scrape_manager_free(s->scrapes);
	http_client_free(s->scrape_client);
	rule_manager_free(s->rules);
	if (s->routing)
		routing_stop(s->routing);
	http_server_free(s->http);
	routing_free(s->routing);
	web_free(s->web);
	remote_write_free(s->remote_write);
	promql_engine_free(s->engine);
	active_queries_close(s->active_queries);
	tsdb_close(s->store);
	scheduler_free(s->scheduler); /* behind all that cancel timers of it */
	thread_pool_free(s->workers);
	thread_pool_free(s->helpers);
	for (size_t i = 0; i < HTTP_LANES; i++)
		thread_pool_free(s->pools[i]);
	http_metrics_free(s->http_metrics);
	config_generation_unref(s->generation);
	lock_done(&s->lock);
	lock_done(&s->reload_lock);
	free(s->external_url);
	free(s->route_prefix);
	free(s->own_address);
	free(s);
}
