/* status/config, flags, buildinfo, runtimeinfo, tsdb, walreplay. */
#include "web/api_call.h"

#include "base/clock.h"
#include "config/config_print.h"
#include "web/api_json.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static void put_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

static void put_uint(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_uint(j, v);
}

int api_status_config(struct api_call *c, struct err *err)
{
	struct config_generation *g = c->deps->config.get ? c->deps->config.get(c->deps->config.arg) : NULL;
	if (!g)
		return err_set(err, ERR_UNAVAILABLE, "no configuration is loaded");
	struct strbuf text = STRBUF_INIT;
	config_print(&text, g->config);
	json_object_begin(&c->json);
	put_text(&c->json, "yaml", strbuf_slice(&text));
	json_object_end(&c->json);
	strbuf_done(&text);
	config_generation_unref(g);
	return 0;
}

int api_status_flags(struct api_call *c, struct err *err)
{
	(void)err;
	const struct web_options *o = &c->web->options;
	json_object_begin(&c->json);
	for (size_t i = 0; i < o->n_flags; i++) {
		json_key_slice(&c->json, o->flags[i].name);
		json_string(&c->json, o->flags[i].value);
	}
	json_object_end(&c->json);
	return 0;
}

/* Without "features": their presence makes Grafana take the server for a Mimir. */
int api_status_buildinfo(struct api_call *c, struct err *err)
{
	(void)err;
	const struct web_options *o = &c->web->options;
	json_object_begin(&c->json);
	put_text(&c->json, "version", o->version);
	put_text(&c->json, "revision", o->revision);
	put_text(&c->json, "branch", o->branch);
	put_text(&c->json, "buildUser", o->build_user);
	put_text(&c->json, "buildDate", o->build_date);
	put_text(&c->json, "goVersion", SL_EMPTY);
	json_object_end(&c->json);
	return 0;
}

static uint64_t count_corruptions(struct api_call *c)
{
	struct web_store_status s = {0};
	if (c->deps->store.status)
		c->deps->store.status(c->deps->store.arg, 0, c->arena, &s);
	return s.corruptions;
}

static void put_place(struct json *j)
{
	char cwd[PATH_MAX], host[HOST_NAME_MAX + 1];
	put_text(j, "CWD", getcwd(cwd, sizeof(cwd)) ? slice_cstr(cwd) : SL_EMPTY);
	put_text(j, "hostname", gethostname(host, sizeof(host)) == 0 ? slice_cstr(host) : SL_EMPTY);
}

int api_status_runtimeinfo(struct api_call *c, struct err *err)
{
	(void)err;
	struct web *web = c->web;
	struct json *j = &c->json;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	json_object_begin(j);
	json_key(j, "startTime");
	json_time(j, web->start_ms);
	put_place(j);
	json_key(j, "serverTime");
	json_time(j, clock_now_ms(web->options.clock));
	json_key(j, "reloadConfigSuccess");
	json_bool(j, atomic_load(&web->reload_was_successful));
	json_key(j, "lastConfigTime");
	json_time(j, atomic_load(&web->last_config_ms));
	put_uint(j, "corruptionCount", count_corruptions(c));
	put_uint(j, "goroutineCount", 0);
	put_uint(j, "GOMAXPROCS", cpus > 0 ? (uint64_t)cpus : 1);
	put_uint(j, "GOMEMLIMIT", INT64_MAX);
	put_text(j, "GOGC", SL_EMPTY);
	put_text(j, "GODEBUG", SL_EMPTY);
	put_text(j, "storageRetention", web->options.retention);
	json_object_end(j);
	return 0;
}

static void put_list(struct json *j, const char *key, const struct web_store_list *l)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < l->n; i++) {
		json_object_begin(j);
		put_text(j, "name", l->v[i].name);
		put_uint(j, "value", l->v[i].value);
		json_object_end(j);
	}
	json_array_end(j);
}

static int read_top(struct api_call *c, size_t *top, struct err *err)
{
	enum { DEFAULT_TOP = 10, MAX_TOP = 10000 };
	struct slice s = api_param(c, "limit");
	double v = DEFAULT_TOP;
	if (s.len && (!api_parse_count(s, &v) || v < 1))
		return err_set(err, ERR_INVALID, "limit must be a positive number");
	if (v > MAX_TOP)
		return err_set(err, ERR_INVALID, "limit must not exceed %d", MAX_TOP);
	*top = (size_t)v;
	return 0;
}

int api_status_tsdb(struct api_call *c, struct err *err)
{
	size_t top = 0;
	int rc = read_top(c, &top, err);
	if (rc)
		return rc;
	struct web_store_status s = {0};
	if (c->deps->store.status)
		c->deps->store.status(c->deps->store.arg, top, c->arena, &s);
	struct json *j = &c->json;
	json_object_begin(j);
	json_key(j, "headStats");
	json_object_begin(j);
	put_uint(j, "numSeries", s.series);
	put_uint(j, "numLabelPairs", s.label_pairs);
	put_uint(j, "chunkCount", s.chunks);
	json_key(j, "minTime");
	json_int(j, s.min_t_ms);
	json_key(j, "maxTime");
	json_int(j, s.max_t_ms);
	json_object_end(j);
	put_list(j, "seriesCountByMetricName", &s.series_by_metric);
	put_list(j, "labelValueCountByLabelName", &s.values_by_label);
	put_list(j, "memoryInBytesByLabelName", &s.bytes_by_label);
	put_list(j, "seriesCountByLabelValuePair", &s.series_by_pair);
	json_object_end(j);
	return 0;
}

/* Works before the store is there, and says zeros then. */
int api_status_walreplay(struct api_call *c, struct err *err)
{
	(void)err;
	static const char *const states[] = {[WEB_REPLAY_WAITING] = "waiting",
	    [WEB_REPLAY_RUNNING] = "in progress",
	    [WEB_REPLAY_DONE] = "done"};
	struct web_store_state s;
	web_store_state(c->web, &s);
	json_object_begin(&c->json);
	put_uint(&c->json, "min", s.replay_min);
	put_uint(&c->json, "max", s.replay_max);
	put_uint(&c->json, "current", s.replay_current);
	put_text(&c->json, "state", slice_cstr(states[s.replay]));
	json_object_end(&c->json);
	return 0;
}

static void put_slow_query(struct json *j, const struct query_record *r)
{
	json_object_begin(j);
	json_key(j, "query");
	json_string(j, r->text);
	json_key(j, "start");
	json_timestamp(j, r->start_ms);
	json_key(j, "end");
	json_timestamp(j, r->end_ms);
	json_key(j, "step");
	json_double(j, (double)r->step_ms / 1000);
	json_key(j, "ended");
	json_timestamp(j, r->ended_ms);
	json_key(j, "seconds");
	json_double(j, (double)r->stats.total_ns / 1e9);
	json_key(j, "cost");
	json_object_begin(j);
	json_key(j, "estimated");
	json_uint(j, r->cost);
	json_key(j, "series");
	json_uint(j, r->series);
	json_key(j, "samples");
	json_uint(j, r->stats.samples_decoded);
	json_key(j, "bytes");
	json_uint(j, r->bytes);
	json_object_end(j);
	if (r->heaviest[0]) {
		json_key(j, "heaviest");
		json_cstr(j, r->heaviest);
	}
	if (r->error) {
		json_key(j, "error");
		json_cstr(j, r->error);
	}
	json_key(j, "stats");
	query_record_put_stats(j, &r->stats, NULL);
	query_record_put_origin(j, &r->origin);
	json_object_end(j);
}

/* promq's own: the newest queries that took longer than the threshold, newest first, with what they cost. */
int api_status_slow_queries(struct api_call *c, struct err *err)
{
	struct query_record *v;
	int64_t threshold_ms;
	size_t n;
	(void)err;
	promql_engine_slow_queries(c->deps->engine, c->arena, &v, &n, &threshold_ms);
	json_object_begin(&c->json);
	json_key(&c->json, "thresholdSeconds");
	json_double(&c->json, (double)threshold_ms / 1000);
	json_key(&c->json, "queries");
	json_array_begin(&c->json);
	for (size_t i = 0; i < n; i++)
		put_slow_query(&c->json, &v[i]);
	json_array_end(&c->json);
	json_object_end(&c->json);
	return 0;
}
