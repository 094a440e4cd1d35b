/* query, query_range, explain, format_query. */
#include "web/api_call.h"

#include "promql/ast_print.h"
#include "promql/explain.h"
#include "web/api_json.h"
#include "web/query_watch.h"

#include <stdio.h>

enum { MAX_POINTS = 11000 };

enum stats_mode { STATS_NONE, STATS_TOTAL, STATS_ALL };

/* What query and query_range share. */
struct query_params {
	struct promql_query query;
	uint64_t limit;
	enum stats_mode stats;
};

static int wrong_query(struct err *err)
{
	return err_prefix(err, "invalid parameter \"query\": ");
}

static void read_stats_mode(struct api_call *c, struct query_params *p)
{
	struct slice s = api_param(c, "stats");
	if (s.len == 0)
		return;
	p->stats = slice_eq(s, SL("all")) ? STATS_ALL : STATS_TOTAL;
	if (!slice_eq(s, SL("all")) && !slice_eq(s, SL("true")))
		api_warn(c, arena_printf(c->arena,
				"value %s for parameter \"stats\" is deprecated and will be rejected in the "
				"next major release, "
				"use \"true\" or \"all\"",
				api_quoted(c, s)));
}

static int read_options(struct api_call *c, struct query_params *p, struct err *err)
{
	int rc;
	if (api_has_param(c, "timeout")) {
		if ((rc = api_param_duration(c, "timeout", &p->query.timeout_ms, err)))
			return rc;
		if (p->query.timeout_ms <= 0)
			p->query.timeout_ms = 1; /* 0 would mean the engine's own */
	}
	if (api_has_param(c, "lookback_delta") &&
	    (rc = api_parse_duration(c->arena, api_param(c, "lookback_delta"), &p->query.lookback_ms, err)))
		return err_prefix(err, "error parsing lookback delta duration: ");
	p->query.store = c->deps->queryable;
	p->query.text = api_param(c, "query");
	read_stats_mode(c, p);
	/* Samples read within subqueries are attributed to steps before they can be summed. */
	p->query.wants_steps = p->stats != STATS_NONE;
	return 0;
}

/* Annotations live as long as the result; the answer is printed after it is gone. */
static void keep_annotations(struct api_call *c, const struct query_result *r)
{
	for (size_t i = 0; i < r->n_warnings; i++)
		slice_vec_push(&c->warnings, arena_slice(c->arena, r->warnings[i]));
	for (size_t i = 0; i < r->n_infos; i++)
		slice_vec_push(&c->infos, arena_slice(c->arena, r->infos[i]));
}

static bool is_cut(const struct query_result *r, uint64_t limit)
{
	return limit && (r->kind == QUERY_VECTOR || r->kind == QUERY_MATRIX) && r->n_series > limit;
}

/* "10.0.0.1" of "10.0.0.1:51234", "::1" of "[::1]:51234". */
static struct slice client_ip(struct slice client)
{
	size_t end = client.len;
	while (end > 0 && client.ptr[end - 1] != ':')
		end--;
	struct slice ip = slice_of(client.ptr, end ? end - 1 : client.len);
	if (ip.len > 1 && ip.ptr[0] == '[')
		ip = slice_of(ip.ptr + 1, ip.len - 2);
	return ip;
}

static struct query_origin origin_of(const struct http_request *req)
{
	return (struct query_origin){.client_ip = client_ip(http_req_client(req)),
	    .method = http_req_method(req) == HTTP_POST ? SL("POST") : SL("GET"),
	    .path = http_req_path(req)};
}

int api_run_query(struct api_call *c, struct promql_query *q, struct query_result **out, struct err *err)
{
	struct query_record record;
	struct query_watch watch;
	q->origin = origin_of(c->req);
	q->record = &record;
	query_watch_begin(&watch, c->deps->scheduler, c->req);
	q->canceled = &watch.is_canceled;
	int rc = promql_engine_run(c->deps->engine, q, out, err);
	query_watch_end(&watch);
	q->canceled = NULL;
	q->record = NULL;
	/* Out of time or over a bound: what is to blame. */
	if ((rc == ERR_LIMIT || rc == ERR_TIMEOUT) && record.heaviest[0])
		api_warn(c, arena_slice(c->arena, slice_cstr(record.heaviest)));
	return rc == ERR_INVALID ? wrong_query(err) : rc;
}

/* What was written so far comes before the series; what is written from now on, behind them. */
static void api_stream(struct api_call *c, struct query_result *r, uint64_t limit)
{
	c->streamed = r;
	c->stream_limit = limit;
	c->before = c->body;
	strbuf_init(&c->body, STRBUF_NO_LIMIT);
	json_array_end(&c->json);
}

static int run_query(struct api_call *c, struct query_params *p, struct err *err)
{
	struct query_result *r;
	int rc = api_run_query(c, &p->query, &r, err);
	if (rc)
		return rc;
	json_object_begin(&c->json);
	bool streams = json_query_result_begin(&c->json, r, p->limit);
	if (streams)
		api_stream(c, r, p->limit);
	else
		json_query_result(&c->json, r, p->limit);
	if (p->stats != STATS_NONE) {
		json_key(&c->json, "stats");
		query_record_put_stats(&c->json, &r->stats, p->stats == STATS_ALL ? r : NULL);
	}
	json_object_end(&c->json);
	keep_annotations(c, r);
	if (is_cut(r, p->limit))
		api_warn(c, SL("results truncated due to limit"));
	if (!streams)
		query_result_free(r);
	return 0;
}

static int read_instant(struct api_call *c, struct promql_query *q, struct err *err)
{
	int rc = api_param_time_or(c, "time", clock_now_ms(c->web->options.clock), &q->start_ms, err);
	q->end_ms = q->start_ms;
	return rc;
}

int api_query(struct api_call *c, struct err *err)
{
	struct query_params p = {0};
	int rc = api_param_limit(c, &p.limit, err);
	if (rc || (rc = read_instant(c, &p.query, err)) || (rc = read_options(c, &p, err)))
		return rc;
	return run_query(c, &p, err);
}

static int read_range(struct api_call *c, struct promql_query *q, struct err *err)
{
	int rc = api_param_time(c, "start", &q->start_ms, err);
	if (rc || (rc = api_param_time(c, "end", &q->end_ms, err)))
		return rc;
	if (q->end_ms < q->start_ms)
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"end\": end timestamp must not be before start time");
	if ((rc = api_param_duration(c, "step", &q->step_ms, err)))
		return rc;
	if (q->step_ms <= 0)
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"step\": zero or negative query resolution step widths are not "
		    "accepted. Try a "
		    "positive integer");
	if ((q->end_ms - q->start_ms) / q->step_ms > MAX_POINTS)
		return err_set(err, ERR_INVALID,
		    "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query "
		    "resolution "
		    "(?step=XX)");
	return 0;
}

int api_query_range(struct api_call *c, struct err *err)
{
	struct query_params p = {0};
	int rc = api_param_limit(c, &p.limit, err);
	if (rc || (rc = read_range(c, &p.query, err)) || (rc = read_options(c, &p, err)))
		return rc;
	return run_query(c, &p, err);
}

/* --- explain ------------------------------------------------------------------------------------------------------ */

static void put_explained(struct api_call *c, const struct query_params *p, const struct query_result *r)
{
	struct json *j = &c->json;
	bool analyze = p->query.explain == EXPLAIN_ANALYZE;
	json_object_begin(j);
	json_key(j, "analyze");
	json_bool(j, analyze);
	json_key(j, "plan");
	explain_put(j, r->plan, analyze);
	if (analyze) {
		json_key(j, "stats");
		query_record_put_stats(j, &r->stats, NULL);
	}
	json_object_end(j);
}

/* As query, or, with a step, as query_range: but what is answered is how the result would come about, or (analyze=true) how it
 * did. */
int api_explain(struct api_call *c, struct err *err)
{
	struct query_params p = {0};
	struct query_result *r;
	int rc = api_has_param(c, "step") ? read_range(c, &p.query, err) : read_instant(c, &p.query, err);
	if (rc || (rc = read_options(c, &p, err)))
		return rc;
	p.query.explain = slice_eq(api_param(c, "analyze"), SL("true")) ? EXPLAIN_ANALYZE : EXPLAIN_PLAN;
	if ((rc = api_run_query(c, &p.query, &r, err)))
		return rc;
	put_explained(c, &p, r);
	keep_annotations(c, r);
	query_result_free(r);
	return 0;
}

/* --- without evaluating -------------------------------------------------------------------------------------------- */

static int parse(struct api_call *c, const struct expr **out, struct err *err)
{
	int rc = promql_parse(c->arena, api_param(c, "query"), &c->deps->parse, out, err);
	return rc ? wrong_query(err) : 0;
}

int api_format_query(struct api_call *c, struct err *err)
{
	const struct expr *e;
	int rc = parse(c, &e, err);
	if (rc)
		return rc;
	struct strbuf text = STRBUF_INIT;
	ast_print_pretty(&text, e, AST_PRETTY_LINE);
	json_string(&c->json, strbuf_slice(&text));
	strbuf_done(&text);
	return 0;
}
