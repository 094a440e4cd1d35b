/* The scrape of one target, step by step and thread by thread:
 *
 *   timer    due()          takes the job's current settings, sends the request
 *   client   answered()     copies the answer
 *   pool     process()      parses, appends, reports, sets the next timer
 *
 * After a stop with stale markers, end_of_run() is the last timer. */
#include "scrape/scrape_loop.h"

#include "base/counters.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "scrape/content_type.h"
#include "scrape/metadata_cache.h"
#include "scrape/scrape_append.h"
#include "scrape/scrape_report.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_BODY_BYTES = 512 << 20, SNAP_MS = 2 };

struct scrape_loop {
	_Atomic unsigned refs;
	struct scrape_env *env;
	struct arena *arena; /* of the target */
	struct target target;
	const char *url;
	/* the scrape that runs */
	struct scrape_cache cache;
	uint64_t cache_fingerprint;
	struct metadata_cache metadata; /* changes: lock */
	struct kept_ref report_refs[REPORT_SERIES];
	int64_t started_ns; /* when the last scrape began; 0: none has */
	size_t body_bytes;  /* of the last page */

	struct lock lock; /* LOCK_SCRAPE_POOL; guards the rest */
	struct scrape_job *job;
	timer_id timer;
	int64_t next_ms; /* when the next scrape is due */
	bool is_scraping, is_stopped, ends_stale, is_over;
	enum scrape_health health;
	char *last_error; /* NULL: none */
	int64_t last_scrape_ms;
	double last_seconds;
};

/* One scrape: the answer on its way to the store. */
struct scrape_run {
	struct scrape_loop *loop;
	struct scrape_job *job;
	int64_t t_ms; /* of its samples */
	int64_t started_ns;
	int rc; /* of the request */
	struct err err;
	char *body;
	size_t len; /* with the newline put behind it */
};

/* --- life ------------------------------------------------------------------------------------------------------------------ */

struct scrape_loop *scrape_loop_new(
    struct scrape_env *env, struct scrape_job *job, struct arena *arena, const struct target *target)
{
	struct scrape_loop *l = (struct scrape_loop *)xcalloc(1, sizeof(*l));
	l->refs = 1;
	l->env = scrape_env_ref(env);
	l->arena = arena;
	l->target = *target;
	l->url = arena_strdup(arena, target->url);
	l->job = scrape_job_ref(job);
	l->cache_fingerprint = job->label_fingerprint;
	lock_init(&l->lock, LOCK_SCRAPE_POOL, "scrape_loop");
	scrape_cache_init(&l->cache, target->hash ^ env->offset_seed);
	metadata_cache_init(&l->metadata, &l->lock);
	return l;
}

static struct scrape_loop *loop_ref(struct scrape_loop *l)
{
	l->refs++;
	return l;
}

void scrape_loop_unref(struct scrape_loop *l)
{
	if (!l || --l->refs > 0)
		return;
	scrape_cache_done(&l->cache);
	metadata_cache_done(&l->metadata);
	scrape_job_unref(l->job);
	scrape_env_unref(l->env);
	lock_done(&l->lock);
	arena_free(l->arena);
	free(l->last_error);
	free(l);
}

const struct target *scrape_loop_target(const struct scrape_loop *l)
{
	return &l->target;
}

void scrape_loop_set_job(struct scrape_loop *l, struct scrape_job *job)
{
	lock_take(&l->lock);
	struct scrape_job *old = l->job;
	l->job = scrape_job_ref(job);
	lock_release(&l->lock);
	scrape_job_unref(old);
}

/* --- the store ----------------------------------------------------------------------------------------------------------- */

static void count_limits(const struct err *err)
{
	static const struct {
		const char *starts;
		enum metric_id id;
	} limits[] = {
	    {"sample limit", M_SCRAPE_SAMPLE_LIMIT},
	    {"body size limit", M_SCRAPE_BODY_SIZE_LIMIT},
	    {"label_", M_SCRAPE_LABEL_LIMITS},
	};
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (strncmp(err->msg, limits[i].starts, strlen(limits[i].starts)) == 0)
			counter_add(limits[i].id, 1);
}

static void tell_refusals(const struct scrape_loop *l, const struct scrape_counts *c)
{
	static struct log_limit limit;
	counter_add(M_SCRAPE_DUPLICATE, c->duplicates);
	counter_add(M_SCRAPE_OUT_OF_ORDER, c->out_of_order);
	counter_add(M_SCRAPE_OUT_OF_BOUNDS, c->out_of_bounds);
	if (c->duplicates + c->out_of_order + c->out_of_bounds + c->refused == 0 || !log_limit_ok(&limit, 10))
		return;
	log_warn("samples of a scrape were refused", KV_STR("component", "scrape"),
	    KV_SLICE("target", l->target.url), KV_U64("duplicate", c->duplicates),
	    KV_U64("out_of_order", c->out_of_order), KV_U64("out_of_bounds", c->out_of_bounds),
	    KV_U64("series_limit", c->refused));
}

static int append_page(
    struct scrape_run *run, struct appender *a, struct scrape_counts *counts, struct err *err)
{
	struct scrape_loop *l = run->loop;
	struct scrape_page page = {
	    .body = slice_of(run->body, run->len),
	    .config = run->job->config,
	    .target = &l->target,
	    .cache = &l->cache,
	    .metadata = &l->metadata,
	    .t_ms = run->t_ms,
	    .now_ms = clock_now_ms(scheduler_clock(l->env->scheduler)),
	};
	int rc = scrape_append_page(&page, a, counts, err);
	if (rc == 0)
		rc = scrape_append_stale(&l->cache, a, run->t_ms, err);
	return rc;
}

/* A failed scrape counts as an empty one: all series of the target end. The transaction so far is given up for a new one. */
static int append_failure(struct scrape_run *run, struct appender **a, struct err *err)
{
	struct scrape_loop *l = run->loop;
	(*a)->ops->rollback(*a);
	*a = NULL;
	scrape_cache_fail(&l->cache);
	int rc = l->env->store->begin(l->env->store, a, err);
	if (rc == 0)
		rc = scrape_append_stale(&l->cache, *a, run->t_ms, err);
	scrape_cache_all_gone(&l->cache);
	return rc;
}

static double body_size(const struct scrape_run *run)
{
	if (run->rc == 0)
		return run->len > 0 ? (double)(run->len - 1) : 0;
	return strncmp(run->err.msg, "body size limit", 15) == 0 ? -1 : 0;
}

static double seconds_since(const struct scrape_run *run)
{
	return (double)(clock_mono_ns(scheduler_clock(run->loop->env->scheduler)) - run->started_ns) / 1e9;
}

static int append_report(
    struct scrape_run *run, struct appender *a, bool is_up, const struct scrape_counts *c, struct err *err)
{
	struct scrape_loop *l = run->loop;
	const struct scrape_config *config = run->job->config;
	double values[REPORT_SERIES] = {
	    [REPORT_UP] = is_up,
	    [REPORT_DURATION] = seconds_since(run),
	    [REPORT_SCRAPED] = (double)c->scraped,
	    [REPORT_KEPT] = (double)c->kept,
	    [REPORT_ADDED] = (double)c->added,
	    [REPORT_TIMEOUT] = (double)l->target.timeout_ms / 1000,
	    [REPORT_SAMPLE_LIMIT] = (double)config->limits.samples,
	    [REPORT_BODY_SIZE] = body_size(run),
	};
	bool extra = l->env->extra_metrics || config->switches.extra_metrics;
	return scrape_report(
	    a, &l->target, l->report_refs, extra ? REPORT_SERIES : REPORT_USUAL, values, run->t_ms, err);
}

/* One transaction with everything of this scrape. The page's own error goes to run->err; what is returned is the store's. */
static int store_scrape(struct scrape_run *run, struct err *err)
{
	struct scrape_loop *l = run->loop;
	struct scrape_counts counts = {0};
	struct appender *a;
	int rc = l->env->store->begin(l->env->store, &a, err);
	if (rc < 0)
		return rc;
	if (run->rc == 0)
		run->rc = append_page(run, a, &counts, &run->err);
	if (run->rc == 0)
		scrape_cache_end(&l->cache);
	else
		rc = append_failure(run, &a, err);
	tell_refusals(l, &counts);
	if (rc == 0)
		rc = append_report(run, a, run->rc == 0, &counts, err);
	if (rc == 0)
		return a->ops->commit(a, NULL, NULL, NULL, err);
	if (a)
		a->ops->rollback(a);
	return rc;
}

/* --- after the last scrape --------------------------------------------------------------------------------------------------- */

static int store_end(struct scrape_loop *l, int64_t t_ms, struct err *err)
{
	struct appender *a;
	int rc = l->env->store->begin(l->env->store, &a, err);
	if (rc < 0)
		return rc;
	double values[REPORT_SERIES];
	for (size_t i = 0; i < REPORT_SERIES; i++)
		values[i] = double_from_bits(STALE_NAN_BITS);
	rc = scrape_append_stale(&l->cache, a, t_ms, err);
	size_t n = l->report_refs[REPORT_TIMEOUT].ref ? REPORT_SERIES : REPORT_USUAL;
	if (rc == 0 && l->report_refs[REPORT_UP].ref)
		rc = scrape_report(a, &l->target, l->report_refs, n, values, t_ms, err);
	if (rc == 0)
		return a->ops->commit(a, NULL, NULL, NULL, err);
	a->ops->rollback(a);
	return rc;
}

static void end_of_run(void *arg, int64_t when_ms)
{
	(void)when_ms;
	struct scrape_loop *l = (struct scrape_loop *)arg;
	lock_take(&l->lock);
	bool wanted = l->ends_stale;
	l->timer = 0;
	l->is_over = true;
	lock_release(&l->lock);
	struct err err;
	if (wanted && scrape_env_enter(l->env)) {
		if (store_end(l, l->next_ms, &err) < 0)
			log_error("cannot end the series of a target", KV_STR("component", "scrape"),
			    KV_SLICE("target", l->target.url), KV_ERR(&err));
		scrape_env_leave(l->env);
	}
	scrape_loop_unref(l);
}

/* The lock is held. In time for a target that has merely moved to be scraped again before. */
static void schedule_end(struct scrape_loop *l)
{
	int64_t at_ms = l->next_ms + l->target.interval_ms + l->target.interval_ms / 10;
	l->timer = scheduler_at(l->env->scheduler, at_ms, end_of_run, loop_ref(l));
}

/* --- one scrape ---------------------------------------------------------------------------------------------------------------- */

static void due(void *arg, int64_t when_ms);

/* The lock is held. A scrape that took until the next was due is followed by that at once; what lies further back is left
 * out. */
static void schedule_next(struct scrape_loop *l, int64_t now_ms)
{
	int64_t late_ms = now_ms - l->next_ms;
	if (late_ms >= l->target.interval_ms)
		l->next_ms += late_ms / l->target.interval_ms * l->target.interval_ms;
	l->timer = scheduler_at(l->env->scheduler, l->next_ms, due, loop_ref(l));
}

static void run_free(struct scrape_run *run)
{
	scrape_job_unref(run->job);
	scrape_loop_unref(run->loop);
	free(run->body);
	free(run);
}

static void set_status(struct scrape_run *run)
{
	struct scrape_loop *l = run->loop;
	char *error = run->rc < 0 ? xstrdup(run->err.msg) : NULL;
	double seconds = seconds_since(run);
	lock_take(&l->lock);
	free(l->last_error);
	l->last_error = error;
	l->health = run->rc == 0 ? SCRAPE_HEALTH_UP : SCRAPE_HEALTH_DOWN;
	l->last_scrape_ms = run->t_ms;
	l->last_seconds = seconds;
	lock_release(&l->lock);
}

static void finish(struct scrape_run *run)
{
	struct scrape_loop *l = run->loop;
	int64_t now_ms = clock_now_ms(scheduler_clock(l->env->scheduler));
	lock_take(&l->lock);
	l->is_scraping = false;
	if (!l->is_stopped)
		schedule_next(l, now_ms);
	else if (l->ends_stale)
		schedule_end(l);
	else
		l->is_over = true;
	lock_release(&l->lock);
}

static void process(void *arg)
{
	struct scrape_run *run = (struct scrape_run *)arg;
	struct scrape_loop *l = run->loop;
	if (l->cache_fingerprint != run->job->label_fingerprint) {
		scrape_cache_forget_text(&l->cache);
		l->cache_fingerprint = run->job->label_fingerprint;
	}
	struct err err;
	if (store_scrape(run, &err) < 0) {
		log_error("cannot store a scrape", KV_STR("component", "scrape"),
		    KV_SLICE("target", l->target.url), KV_ERR(&err));
		if (run->rc == 0)
			run->rc = err_set(&run->err, ERR_UNAVAILABLE, "cannot store: %s", err.msg);
	}
	if (run->rc < 0) {
		count_limits(&run->err);
		log_debug("scrape failed", KV_STR("component", "scrape"), KV_SLICE("target", l->target.url),
		    KV_ERR(&run->err));
	}
	set_status(run);
	finish(run);
	struct scrape_env *env = scrape_env_ref(l->env);
	run_free(run);
	scrape_env_leave(env);
	scrape_env_unref(env);
}

/* The page, with a newline in the place of the buffer's terminator. */
static void take_body(struct scrape_run *run, const struct http_result *r)
{
	run->body = r->buffer ? strbuf_take(r->buffer) : (char *)malloc(r->body.len + 1);
	if (!run->body) {
		run->rc =
		    err_set(&run->err, ERR_NO_MEMORY, "no memory for an answer of %zu bytes", r->body.len);
		return;
	}
	if (!r->buffer && r->body.len > 0)
		memcpy(run->body, r->body.ptr, r->body.len);
	run->body[r->body.len] = '\n';
	run->len = r->body.len + 1;
}

static const char *status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
	    {201, " Created"},
	    {202, " Accepted"},
	    {204, " No Content"},
	    {301, " Moved Permanently"},
	    {302, " Found"},
	    {304, " Not Modified"},
	    {307, " Temporary Redirect"},
	    {308, " Permanent Redirect"},
	    {400, " Bad Request"},
	    {401, " Unauthorized"},
	    {403, " Forbidden"},
	    {404, " Not Found"},
	    {405, " Method Not Allowed"},
	    {406, " Not Acceptable"},
	    {408, " Request Timeout"},
	    {410, " Gone"},
	    {429, " Too Many Requests"},
	    {500, " Internal Server Error"},
	    {501, " Not Implemented"},
	    {502, " Bad Gateway"},
	    {503, " Service Unavailable"},
	    {504, " Gateway Timeout"},
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].status == status)
			return known[i].text;
	return "";
}

/* Whether the answer is a page to be parsed. */
static int check_answer(struct scrape_run *run, const struct http_result *r)
{
	if (r->rc == ERR_LIMIT)
		return err_set(&run->err, ERR_LIMIT, "body size limit exceeded");
	if (r->rc < 0)
		return err_set(&run->err, r->rc, "Get \"%s\": %s", run->loop->url,
		    r->rc == ERR_TIMEOUT ? "context deadline exceeded"
		    : r->error           ? r->error
					 : err_code_name(r->rc));
	if (r->status != 200)
		return err_set(
		    &run->err, ERR_IO, "server returned HTTP status %d%s", r->status, status_text(r->status));
	return content_type_check(r->content_type, run->job->config, &run->err);
}

static void hand_to_pool(struct scrape_run *run)
{
	struct thread_pool *pool = scheduler_pool(run->loop->env->scheduler);
	/* A queue without room cannot be waited for here; the page is parsed on this thread instead. */
	if (!pool || !thread_pool_submit(pool, process, run))
		process(run);
}

static void answered(void *arg, const struct http_result *r)
{
	struct scrape_run *run = (struct scrape_run *)arg;
	if (!scrape_env_enter(run->loop->env)) {
		run_free(run);
		return;
	}
	run->rc = check_answer(run, r);
	run->loop->body_bytes = r->body.len;
	if (run->rc == 0)
		take_body(run, r);
	hand_to_pool(run);
}

static void send_request(struct scrape_run *run)
{
	struct scrape_loop *l = run->loop;
	const struct scrape_config *config = run->job->config;
	char timeout[80];
	snprintf(timeout, sizeof(timeout), "X-Prometheus-Scrape-Timeout-Seconds: %g",
	    (double)l->target.timeout_ms / 1000);
	const char **headers = (const char **)xcalloc(run->job->n_headers + 2, sizeof(*headers));
	memcpy(headers, run->job->headers, run->job->n_headers * sizeof(*headers));
	headers[run->job->n_headers] = timeout;
	uint64_t limit = config->limits.body_size_bytes;
	char *socket = l->target.unix_socket.len > 0 ? slice_dup(l->target.unix_socket) : NULL;
	struct http_call call = {
	    .method = "GET",
	    .url = l->url,
	    .headers = headers,
	    .auth = &run->job->auth,
	    .timeout_ms = l->target.timeout_ms,
	    .max_response_bytes = limit > 1    ? limit - 1
				  : limit == 1 ? 1
					       : MAX_BODY_BYTES, /* equality fails */
	    .expected_bytes = l->body_bytes + l->body_bytes / 16,
	    .accept_gzip = config->enable_compression,
	    .unix_socket = socket,
	};
	http_client_send(l->env->client, &call, answered, run);
	free(socket);
	free(headers);
}

/* Upstream's grid: a scrape that begins a hair late still carries the time it was due. */
static int64_t sample_time(const struct scrape_loop *l, int64_t when_ms, int64_t now_ms)
{
	int64_t snap_ms = l->target.interval_ms / 100 < SNAP_MS ? l->target.interval_ms / 100 : SNAP_MS;
	return now_ms - when_ms <= snap_ms ? when_ms : now_ms;
}

static void note_interval(struct scrape_loop *l, int64_t now_ns)
{
	if (l->started_ns != 0)
		interval_stats_add(
		    &l->env->intervals, l->target.interval_ms, (double)(now_ns - l->started_ns) / 1e9);
	l->started_ns = now_ns;
}

static void due(void *arg, int64_t when_ms)
{
	struct scrape_loop *l = (struct scrape_loop *)arg;
	struct clock *clock = scheduler_clock(l->env->scheduler);
	lock_take(&l->lock);
	l->timer = 0;
	bool go = !l->is_stopped;
	struct scrape_job *job = scrape_job_ref(l->job);
	if (go) {
		l->is_scraping = true;
		l->next_ms = when_ms + l->target.interval_ms;
	}
	lock_release(&l->lock);
	if (!go) {
		scrape_job_unref(job);
		scrape_loop_unref(l);
		return;
	}
	struct scrape_run *run = (struct scrape_run *)xcalloc(1, sizeof(*run));
	run->loop = l; /* with the timer's reference */
	run->job = job;
	run->t_ms = sample_time(l, when_ms, clock_now_ms(clock));
	run->started_ns = clock_mono_ns(clock);
	note_interval(l, run->started_ns);
	if (!job->forced_error) {
		send_request(run);
	} else if (scrape_env_enter(l->env)) {
		run->rc = err_set(&run->err, ERR_LIMIT, "%s", job->forced_error);
		process(run);
	} else {
		run_free(run);
	}
}

/* --- start and stop -------------------------------------------------------------------------------------------------------------- */

void scrape_loop_start(struct scrape_loop *l)
{
	int64_t now_ms = clock_now_ms(scheduler_clock(l->env->scheduler));
	int64_t interval_ms = l->target.interval_ms;
	int64_t offset_ms = (int64_t)((l->target.hash ^ l->env->offset_seed) % (uint64_t)interval_ms);
	int64_t next_ms = now_ms - now_ms % interval_ms + offset_ms;
	lock_take(&l->lock);
	l->next_ms = next_ms <= now_ms ? next_ms + interval_ms : next_ms;
	l->timer = scheduler_at(l->env->scheduler, l->next_ms, due, loop_ref(l));
	lock_release(&l->lock);
}

void scrape_loop_stop(struct scrape_loop *l, bool write_stale)
{
	lock_take(&l->lock);
	l->is_stopped = true;
	l->ends_stale = write_stale;
	timer_id timer = l->timer;
	lock_release(&l->lock);
	bool canceled = timer && scheduler_cancel(l->env->scheduler, timer);
	lock_take(&l->lock);
	if (canceled && l->timer == timer)
		l->timer = 0;
	/* A scrape under way does the rest in finish(); so did one that ended just now, and set a timer. */
	bool at_rest = !l->is_scraping && !l->is_over && l->timer == 0;
	if (at_rest && write_stale)
		schedule_end(l);
	else if (at_rest)
		l->is_over = true;
	lock_release(&l->lock);
	if (canceled) /* the reference of the timer that will not run */
		scrape_loop_unref(l);
}

bool scrape_loop_is_over(struct scrape_loop *l)
{
	lock_take(&l->lock);
	bool over = l->is_over;
	lock_release(&l->lock);
	return over;
}

/* --- what others see --------------------------------------------------------------------------------------------------------------- */

void scrape_loop_info(struct scrape_loop *l, struct arena *arena, struct scrape_target_info *out)
{
	*out = (struct scrape_target_info){
	    .discovered = labels_copy_to(arena, l->target.discovered),
	    .labels = labels_copy_to(arena, l->target.labels),
	    .scrape_url = arena_slice(arena, l->target.url),
	    .interval_ms = l->target.interval_ms,
	    .timeout_ms = l->target.timeout_ms,
	};
	lock_take(&l->lock);
	out->last_error = l->last_error ? arena_slice(arena, slice_cstr(l->last_error)) : SL_EMPTY;
	out->last_scrape_ms = l->last_scrape_ms;
	out->last_scrape_seconds = l->last_seconds;
	out->health = l->health;
	lock_release(&l->lock);
}

void scrape_loop_metadata(struct scrape_loop *l, struct slice metric,
    void (*each)(void *arg, struct slice metric, const struct metadata *m), void *arg)
{
	lock_take(&l->lock);
	metadata_cache_each(&l->metadata, metric, each, arg);
	lock_release(&l->lock);
}

size_t scrape_loop_metadata_entries(struct scrape_loop *l)
{
	lock_take(&l->lock);
	size_t n = l->metadata.by_metric.len;
	lock_release(&l->lock);
	return n;
}
