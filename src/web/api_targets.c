/* targets, scrape_pools, targets/metadata, metadata, alertmanagers. */
#include "web/api_call.h"

#include "config/config_print.h"
#include "model/duration.h"
#include "web/api_json.h"

static void put_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

static void put_duration(struct json *j, const char *key, int64_t ms)
{
	struct strbuf sb = STRBUF_INIT;
	duration_print(&sb, ms);
	put_text(j, key, strbuf_slice(&sb));
	strbuf_done(&sb);
}

/* Sorted as the manager lists them: by pool, then by labels. */
static struct scrape_list list_targets(struct api_call *c)
{
	struct scrape_list t = {0};
	if (c->deps->targets.list)
		c->deps->targets.list(c->deps->targets.arg, c->arena, &t);
	return t;
}

/* --- targets ----------------------------------------------------------------------------------------------------- */

static void put_active(struct json *j, const struct scrape_target_info *t)
{
	static const char *const health[] = {
	    [SCRAPE_HEALTH_UNKNOWN] = "unknown", [SCRAPE_HEALTH_UP] = "up", [SCRAPE_HEALTH_DOWN] = "down"};
	json_object_begin(j);
	json_key(j, "discoveredLabels");
	json_labels(j, t->discovered);
	json_key(j, "labels");
	json_labels(j, t->labels);
	put_text(j, "scrapePool", t->pool);
	put_text(j, "scrapeUrl", t->scrape_url);
	put_text(j, "globalUrl", t->global_url);
	put_text(j, "lastError", t->last_error);
	json_key(j, "lastScrape");
	json_time(j, t->last_scrape_ms);
	json_key(j, "lastScrapeDuration");
	json_double(j, t->last_scrape_seconds);
	json_key(j, "health");
	json_cstr(j, health[t->health]);
	put_duration(j, "scrapeInterval", t->interval_ms);
	put_duration(j, "scrapeTimeout", t->timeout_ms);
	json_object_end(j);
}

static void put_dropped(struct json *j, const struct scrape_dropped_info *t)
{
	json_object_begin(j);
	json_key(j, "discoveredLabels");
	json_labels(j, t->discovered);
	put_text(j, "scrapePool", t->pool);
	json_object_end(j);
}

/* What of the targets a request wants to see. */
struct target_filter {
	struct slice pool; /* empty: all */
	bool wants_active, wants_dropped;
};

static bool pool_passes(const struct target_filter *f, struct slice pool)
{
	return f->pool.len == 0 || slice_eq(f->pool, pool);
}

static void put_dropped_counts(struct json *j, const struct scrape_list *t, const struct target_filter *f)
{
	json_key(j, "droppedTargetCounts");
	json_object_begin(j);
	for (size_t i = 0; f->wants_dropped && i < t->n_pools; i++) {
		if (!pool_passes(f, t->pools[i].name))
			continue;
		json_key_slice(j, t->pools[i].name);
		json_uint(j, t->pools[i].dropped);
	}
	json_object_end(j);
}

int api_targets(struct api_call *c, struct err *err)
{
	(void)err;
	struct slice state = api_param(c, "state");
	bool is_any = state.len == 0 || slice_eq_nocase(state, SL("any"));
	struct target_filter f = {.pool = api_param(c, "scrapePool"),
	    .wants_active = is_any || slice_eq_nocase(state, SL("active")),
	    .wants_dropped = is_any || slice_eq_nocase(state, SL("dropped"))};
	struct scrape_list t = list_targets(c);
	struct json *j = &c->json;
	json_object_begin(j);
	json_key(j, "activeTargets");
	json_array_begin(j);
	for (size_t i = 0; f.wants_active && i < t.n_active; i++)
		if (pool_passes(&f, t.active[i].pool))
			put_active(j, &t.active[i]);
	json_array_end(j);
	json_key(j, "droppedTargets");
	json_array_begin(j);
	for (size_t i = 0; f.wants_dropped && i < t.n_dropped; i++)
		if (pool_passes(&f, t.dropped[i].pool))
			put_dropped(j, &t.dropped[i]);
	json_array_end(j);
	put_dropped_counts(j, &t, &f);
	json_object_end(j);
	return 0;
}

int api_scrape_pools(struct api_call *c, struct err *err)
{
	(void)err;
	struct scrape_list t = list_targets(c);
	json_object_begin(&c->json);
	json_key(&c->json, "scrapePools");
	json_array_begin(&c->json);
	for (size_t i = 0; i < t.n_pools; i++)
		json_string(&c->json, t.pools[i].name);
	json_array_end(&c->json);
	json_object_end(&c->json);
	return 0;
}

static struct config_generation *running_config(struct api_call *c)
{
	return c->deps->config.get ? c->deps->config.get(c->deps->config.arg) : NULL;
}

int api_scrape_pool_config(struct api_call *c, struct err *err)
{
	struct slice pool = api_param(c, "scrapePool");
	if (pool.len == 0)
		return err_set(err, ERR_INVALID, "no scrapePool parameter provided");
	struct config_generation *g = running_config(c);
	const struct scrape_config *s = g ? config_find_scrape(g->config, pool) : NULL;
	int rc = s ? 0
		   : err_set(err, ERR_INVALID, "error retrieving scrape config: scrape pool %s not found",
			 api_quoted(c, pool));
	if (s) {
		struct strbuf text = STRBUF_INIT;
		scrape_config_print(&text, s);
		json_object_begin(&c->json);
		put_text(&c->json, "yaml", strbuf_slice(&text));
		json_object_end(&c->json);
		strbuf_done(&text);
	}
	config_generation_unref(g);
	return rc;
}

/* --- metadata ---------------------------------------------------------------------------------------------------- */

static void put_metadata(struct json *j, const struct metadata *m)
{
	json_key(j, "type");
	json_cstr(j, metric_type_name(m->type));
	put_text(j, "help", m->help);
	put_text(j, "unit", m->unit);
}

/* A number of entries: negative or absent is no limit. */
static int read_count(struct api_call *c, const char *name, int64_t *limit, struct err *err)
{
	struct slice s = api_param(c, name);
	double v = -1;
	if (s.len && (!api_parse_count(s, &v)))
		return err_set(err, ERR_INVALID, "%s must be a number", name);
	*limit = v >= 0 ? (int64_t)v : -1;
	return 0;
}

/* While the metadata of one target is written. */
struct target_listing {
	struct api_call *c;
	const struct scrape_target_info *target;
	bool names_metric;
	int64_t left; /* -1: no limit */
};

static void put_target_entry(void *arg, struct slice metric, const struct metadata *m)
{
	struct target_listing *l = arg;
	if (l->left == 0)
		return;
	if (l->left > 0)
		l->left--;
	struct json *j = &l->c->json;
	json_object_begin(j);
	json_key(j, "target");
	json_labels(j, l->target->labels);
	if (l->names_metric)
		put_text(j, "metric", metric);
	put_metadata(j, m);
	json_object_end(j);
}

static bool set_matches(const struct matcher_set *set, const struct labels *ls)
{
	for (size_t i = 0; i < set->n; i++)
		if (!matcher_matches_labels(set->v[i], ls))
			return false;
	return true;
}

int api_targets_metadata(struct api_call *c, struct err *err)
{
	struct target_listing l = {.c = c};
	struct slice metric = api_param(c, "metric"), text = api_param(c, "match_target");
	struct matcher_set set = {0};
	int rc = read_count(c, "limit", &l.left, err);
	if (rc)
		return rc;
	if (text.len && (rc = promql_parse_selector(c->arena, text, &set.v, &set.n, err)))
		return err_prefix(err, "invalid parameter \"match_target\": ");
	l.names_metric = metric.len == 0;
	struct scrape_list t = list_targets(c);
	json_array_begin(&c->json);
	for (size_t i = 0; i < t.n_active && c->deps->targets.metadata; i++) {
		l.target = &t.active[i];
		if (set_matches(&set, l.target->labels))
			c->deps->targets.metadata(
			    c->deps->targets.arg, l.target, metric, put_target_entry, &l);
	}
	json_array_end(&c->json);
	return 0;
}

/* While the metadata of all metrics is written: entries of one metric come together. */
struct metric_listing {
	struct json *j;
	struct slice current; /* the metric whose list is open */
	bool is_open;
	int64_t per_metric; /* -1: no limit */
	int64_t in_current;
};

static void close_metric(struct metric_listing *l)
{
	if (l->is_open)
		json_array_end(l->j);
	l->is_open = false;
}

static void put_metric_entry(void *arg, struct slice metric, const struct metadata *m)
{
	struct metric_listing *l = arg;
	if (!l->is_open || !slice_eq(l->current, metric)) {
		close_metric(l);
		json_key_slice(l->j, metric);
		json_array_begin(l->j);
		l->current = metric;
		l->is_open = true;
		l->in_current = 0;
	}
	if (l->per_metric >= 0 && l->in_current == l->per_metric)
		return;
	l->in_current++;
	json_object_begin(l->j);
	put_metadata(l->j, m);
	json_object_end(l->j);
}

int api_metadata(struct api_call *c, struct err *err)
{
	int64_t limit;
	struct metric_listing l = {.j = &c->json};
	int rc = read_count(c, "limit", &limit, err);
	if (rc || (rc = read_count(c, "limit_per_metric", &l.per_metric, err)))
		return rc;
	if (l.per_metric == 0)
		l.per_metric = -1;
	json_object_begin(&c->json);
	if (limit != 0 && c->deps->store.metadata)
		c->deps->store.metadata(c->deps->store.arg, api_param(c, "metric"),
		    limit < 0 ? 0 : (size_t)limit, c->arena, put_metric_entry, &l);
	close_metric(&l);
	json_object_end(&c->json);
	return 0;
}

static void put_urls(struct json *j, const char *key, const struct slice *urls, size_t n)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < n; i++) {
		json_object_begin(j);
		put_text(j, "url", urls[i]);
		json_object_end(j);
	}
	json_array_end(j);
}

int api_alertmanagers(struct api_call *c, struct err *err)
{
	(void)err;
	struct web_alertmanagers a = {0};
	if (c->deps->alertmanagers.list)
		c->deps->alertmanagers.list(c->deps->alertmanagers.arg, c->arena, &a);
	json_object_begin(&c->json);
	put_urls(&c->json, "activeAlertmanagers", a.active, a.n_active);
	put_urls(&c->json, "droppedAlertmanagers", a.dropped, a.n_dropped);
	json_object_end(&c->json);
	return 0;
}
