/* One rule at one time: query, then labels, then (alerts) the state machine, then the samples.
 * Templates run before the group's lock is taken, since they may query themselves. */
#include "rules/rule_priv.h"

#include "model/label_builder.h"

#include <inttypes.h>

/* Both fields of a sample that has one of them. */
static struct rule_sample sample_of(const struct result_series *s)
{
	return (struct rule_sample){
	    .labels = s->labels, .value = s->v[0], .histogram = s->h ? s->h[0] : NULL};
}

static int run_query(struct rule_group *g, const struct expr *expr, struct slice text, int64_t t_ms,
    struct query_result **out, struct err *err)
{
	const struct rule_manager_options *o = &g->manager->options;
	struct promql_query q = {.store = o->queryable,
	    .expr = expr,
	    .text = text,
	    .start_ms = t_ms,
	    .end_ms = t_ms,
	    .lane = QUERY_LANE_RULES,
	    .origin = {.rule_file = g->def->file, .rule_group = g->def->name}};
	struct query_result *result;
	int rc = promql_engine_run(o->engine, &q, &result, err);
	if (rc < 0)
		return rc;
	if (result->kind != QUERY_VECTOR && result->kind != QUERY_SCALAR) {
		query_result_free(result);
		return err_set(err, ERR_EXECUTION, "rule result is not a vector or scalar");
	}
	*out = result;
	return 0;
}

int rule_template_query(void *arg, struct slice expr, int64_t now_ms, struct arena *arena,
    struct template_sample **out, size_t *n, struct err *err)
{
	struct query_result *result;
	int rc = run_query(arg, NULL, expr, now_ms, &result, err);
	if (rc < 0)
		return rc;
	struct template_sample *v = ARENA_ARRAY(arena, struct template_sample, result->n_series);
	for (size_t i = 0; i < result->n_series; i++) {
		struct rule_sample s = sample_of(&result->series[i]);
		v[i] = (struct template_sample){.labels = labels_copy_to(arena, s.labels),
		    .value = s.value,
		    .histogram = s.histogram ? histogram_copy(arena, s.histogram) : NULL};
	}
	*out = v;
	*n = result->n_series;
	query_result_free(result);
	return 0;
}

/* Recording rules. */

static int eval_record(struct rule_group *g, struct rule *r, const struct query_result *result, int64_t t_ms,
    size_t *n_written, struct err *err)
{
	size_t n = result->n_series;
	struct rule_sample *v = ARENA_ARRAY(g->arena, struct rule_sample, n);
	const struct labels **sets = ARENA_ARRAY(g->arena, const struct labels *, n);
	struct label_builder b;
	label_builder_init(&b, g->arena, NULL);
	for (size_t i = 0; i < n; i++) {
		v[i] = sample_of(&result->series[i]);
		label_builder_reset(&b, v[i].labels);
		label_builder_set(&b, SL(LABEL_NAME), r->def->name);
		LABELS_EACH (l, r->def->labels)
			label_builder_set(&b, l->name, l->value);
		v[i].labels = sets[i] = label_builder_labels(&b);
	}
	if (label_sets_repeat(g->arena, sets, n))
		return err_set(err, ERR_EXECUTION,
		    "vector contains metrics with the same labelset after applying rule labels");
	if (g->def->limit > 0 && n > (size_t)g->def->limit)
		return err_set(
		    err, ERR_LIMIT, "exceeded limit of %" PRId64 " with %zu series", g->def->limit, n);
	*n_written = n;
	return rule_write(g, r, v, n, t_ms, err);
}

/* Alerting rules. */

/* The text of a label or an annotation, parsed once for all elements. */
struct expandable {
	struct slice name;
	const struct template_alert *parsed; /* NULL: `as_is` is the outcome */
	struct slice as_is;
};

struct expansion {
	struct rule_group *group;
	const struct rule *rule;
	const struct expandable *labels, *annotations;
	struct template_alert_data data;
	struct template_env env;
};

/* A text whose template fails becomes the message: the alert goes out all the same. */
static struct slice failure(struct arena *arena, const struct err *err)
{
	return arena_printf(arena, "<error expanding template: %s>", err->msg);
}

static struct expandable *parse_texts(const struct expansion *x, const struct labels *texts)
{
	struct arena *arena = x->group->arena;
	struct expandable *v = ARENA_ARRAY(arena, struct expandable, texts->n);
	struct err err;
	for (uint32_t i = 0; i < texts->n; i++) {
		struct slice text = texts->l[i].value;
		v[i] = (struct expandable){.name = texts->l[i].name, .as_is = text};
		bool has_action = memmem(text.ptr, text.len, "{{", 2) != NULL;
		if (has_action &&
		    template_alert_parse(x->rule->def->name, text, arena, &v[i].parsed, &err) != 0)
			v[i].as_is = failure(arena, &err);
	}
	return v;
}

static struct slice expand(const struct expansion *x, const struct expandable *e)
{
	struct arena *arena = x->group->arena;
	struct slice out;
	struct err err;
	if (!e->parsed)
		return e->as_is;
	if (template_alert_expand(e->parsed, &x->data, &x->env, arena, &out, &err) == 0)
		return out;
	return failure(arena, &err);
}

static void make_element(
    struct expansion *x, const struct rule_sample *s, struct label_builder *b, struct alert_element *out)
{
	const struct rule_def *def = x->rule->def;
	label_builder_reset(b, s->labels);
	label_builder_del(b, SL(LABEL_NAME));
	x->data.labels = label_builder_labels(b);
	x->data.value = s->value;
	x->data.histogram = s->histogram;
	for (uint32_t i = 0; i < def->labels->n; i++)
		label_builder_set(b, x->labels[i].name, expand(x, &x->labels[i]));
	label_builder_set(b, SL("alertname"), def->name);
	out->labels = label_builder_labels(b);
	label_builder_reset(b, NULL);
	for (uint32_t i = 0; i < def->annotations->n; i++)
		label_builder_set(b, x->annotations[i].name, expand(x, &x->annotations[i]));
	out->annotations = label_builder_labels(b);
	out->value = s->value;
}

static struct alert_element *make_elements(struct rule_group *g, const struct rule *r,
    const struct labels *external_labels, const struct query_result *result, int64_t ts_ms)
{
	struct alert_element *v = ARENA_ARRAY(g->arena, struct alert_element, result->n_series);
	struct expansion x = {.group = g,
	    .rule = r,
	    .data = {.external_labels = external_labels},
	    .env = {.query = rule_template_query,
		.query_arg = g,
		.now_ms = ts_ms,
		.external_url = g->manager->options.external_url}};
	struct label_builder b;
	if (result->n_series == 0)
		return v;
	x.labels = parse_texts(&x, r->def->labels);
	x.annotations = parse_texts(&x, r->def->annotations);
	label_builder_init(&b, g->arena, NULL);
	for (size_t i = 0; i < result->n_series; i++) {
		struct rule_sample s = sample_of(&result->series[i]);
		make_element(&x, &s, &b, &v[i]);
	}
	return v;
}

/* ALERTS and ALERTS_FOR_STATE of the active alerts. Only this task changes alerts, so no lock is needed to read them. */
static struct rule_sample *state_samples(struct rule_group *g, const struct rule *r, size_t *n)
{
	struct rule_sample *v = ARENA_ARRAY(g->arena, struct rule_sample, 2 * r->alerts.len);
	struct label_builder b;
	label_builder_init(&b, g->arena, NULL);
	*n = 0;
	for (size_t i = 0; i < r->alerts.len; i++) {
		const struct alert_instance *a = (const struct alert_instance *)(const void *)r->alerts.v[i];
		if (a->state == ALERT_INACTIVE)
			continue;
		label_builder_reset(&b, a->entry.labels);
		label_builder_set(&b, SL(LABEL_NAME), SL("ALERTS_FOR_STATE"));
		v[*n + 1] = (struct rule_sample){
		    .labels = label_builder_labels(&b), .value = (double)(a->active_at_ms / 1000)};
		label_builder_set(&b, SL(LABEL_NAME), SL("ALERTS"));
		label_builder_set(&b, SL("alertstate"), slice_cstr(alert_state_name(a->state)));
		v[*n] = (struct rule_sample){.labels = label_builder_labels(&b), .value = 1};
		*n += 2;
	}
	return v;
}

static int update_alerts(struct rule_group *g, struct rule *r, const struct alert_element *elements, size_t n,
    int64_t ts_ms, struct err *err)
{
	struct alert_policy policy = {.for_ms = r->def->for_ms,
	    .keep_firing_for_ms = r->def->keep_firing_for_ms,
	    .limit = g->def->limit};
	lock_take(&g->lock);
	int rc = alert_table_update(&r->alerts, elements, n, &policy, ts_ms, ++r->alert_round, err);
	r->has_state = true;
	lock_release(&g->lock);
	return rc;
}

static int eval_alert(struct rule_group *g, struct rule *r, const struct query_result *result, int64_t ts_ms,
    size_t *n_written, struct err *err)
{
	struct config_generation *current = rule_manager_current(g->manager);
	const struct labels *external = labels_copy_to(g->arena, current->config->global.external_labels);
	config_generation_unref(current);
	struct alert_element *elements = make_elements(g, r, external, result, ts_ms);
	const struct labels **sets = ARENA_ARRAY(g->arena, const struct labels *, result->n_series);
	for (size_t i = 0; i < result->n_series; i++)
		sets[i] = elements[i].labels;
	if (label_sets_repeat(g->arena, sets, result->n_series))
		return err_set(err, ERR_EXECUTION,
		    "vector contains metrics with the same labelset after applying alert labels");
	int rc = update_alerts(g, r, elements, result->n_series, ts_ms, err);
	if (rc < 0 || !r->is_restored)
		return rc;
	size_t n;
	struct rule_sample *v = state_samples(g, r, &n);
	*n_written = n;
	return rule_write(g, r, v, n, ts_ms - g->def->query_offset_ms, err);
}

int rule_eval(struct rule_group *g, struct rule *r, int64_t ts_ms, size_t *n_written, struct err *err)
{
	int64_t query_ms = ts_ms - g->def->query_offset_ms;
	struct query_result *result;
	*n_written = 0;
	int rc = run_query(g, r->def->expr, r->def->query, query_ms, &result, err);
	if (rc < 0)
		return rc;
	if (r->def->is_alert)
		rc = eval_alert(g, r, result, ts_ms, n_written, err);
	else
		rc = eval_record(g, r, result, query_ms, n_written, err);
	query_result_free(result);
	return rc;
}
