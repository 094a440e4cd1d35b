/* query_exemplars: what the store keeps for the series of every selector of an expression. */
#include "web/api_call.h"

#include "web/api_json.h"

VEC_DEFINE(matcher_list_vec, struct matcher_list);

static void gather(const struct expr *e, struct matcher_list_vec *out)
{
	switch (e->kind) {
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		matcher_list_vec_push(
		    out, (struct matcher_list){e->selector.matchers, e->selector.n_matchers});
		break;
	case EXPR_SUBQUERY:
		gather(e->subquery.inner, out);
		break;
	case EXPR_AGGREGATE:
		gather(e->aggregate.inner, out);
		if (e->aggregate.param)
			gather(e->aggregate.param, out);
		break;
	case EXPR_BINARY:
		gather(e->binary.lhs, out);
		gather(e->binary.rhs, out);
		break;
	case EXPR_UNARY:
		gather(e->unary.inner, out);
		break;
	case EXPR_PAREN:
		gather(e->paren, out);
		break;
	case EXPR_CALL:
		for (size_t i = 0; i < e->call.n_args; i++)
			gather(e->call.args[i], out);
		break;
	case EXPR_NUMBER:
	case EXPR_STRING:
		break;
	}
}

static void put_series(struct json *j, const struct exemplar_series *s)
{
	json_object_begin(j);
	json_key(j, "seriesLabels");
	json_labels(j, s->labels);
	json_key(j, "exemplars");
	json_array_begin(j);
	for (size_t i = 0; i < s->n; i++) {
		json_object_begin(j);
		json_key(j, "labels");
		json_labels(j, s->v[i].labels);
		json_key(j, "value");
		json_sample_value(j, s->v[i].v);
		json_key(j, "timestamp");
		json_timestamp(j, s->v[i].t_ms);
		json_object_end(j);
	}
	json_array_end(j);
	json_object_end(j);
}

static int answer(struct api_call *c, const struct matcher_list_vec *selectors, int64_t start_ms,
    int64_t end_ms, struct err *err)
{
	struct exemplar_queryable *from = c->deps->exemplars;
	const struct exemplar_series *series;
	size_t n = 0;
	int rc = from ? from->select(
			    from, c->arena, selectors->v, selectors->len, start_ms, end_ms, &series, &n, err)
		      : 0;
	if (rc)
		return rc;
	json_array_begin(&c->json);
	for (size_t i = 0; i < n; i++)
		put_series(&c->json, &series[i]);
	json_array_end(&c->json);
	return 0;
}

/* Grafana probes with milliseconds for seconds, and is content with an empty list. */
int api_query_exemplars(struct api_call *c, struct err *err)
{
	int64_t start_ms, end_ms;
	const struct expr *e;
	int rc = api_param_range(c, &start_ms, &end_ms, err);
	if (rc)
		return rc;
	if (end_ms < start_ms)
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"end\": end timestamp must not be before start timestamp");
	if ((rc = promql_parse(c->arena, api_param(c, "query"), &c->deps->parse, &e, err)))
		return err_prefix(err, "invalid parameter \"query\": ");
	struct matcher_list_vec selectors = {0};
	gather(e, &selectors);
	rc = selectors.len ? answer(c, &selectors, start_ms, end_ms, err) : API_NO_DATA;
	matcher_list_vec_done(&selectors);
	return rc;
}
