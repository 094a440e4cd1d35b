/* `for` across a restart. ALERTS_FOR_STATE holds, as its value, when each alert became pending. Its last sample before the
 * restart is (t, v): the alert had waited t - v. What is left of its `for` counts from now on, so that the time the server
 * was down is not counted, but an alert that was due to fire anyhow fires. */
#include "rules/rule_priv.h"

#include "base/log.h"
#include "model/label_builder.h"
#include "model/stale_marker.h"

#include <math.h>

struct restoring {
	struct rule_group *group;
	struct rule *rule;
	int64_t ts_ms;
	struct arena *arena;
};

/* The labels of the rule that hold no template narrow the search. */
static int make_matchers(const struct restoring *x, const struct matcher ***out, size_t *n, struct err *err)
{
	const struct labels *labels = x->rule->def->labels;
	const struct matcher **v = ARENA_ARRAY(x->arena, const struct matcher *, labels->n + 2u);
	*n = 0;
	int rc = matcher_new(x->arena, MATCH_EQUAL, SL(LABEL_NAME), SL("ALERTS_FOR_STATE"), &v[(*n)++], err);
	if (rc == 0)
		rc = matcher_new(x->arena, MATCH_EQUAL, SL("alertname"), x->rule->def->name, &v[(*n)++], err);
	LABELS_EACH (l, labels)
		if (rc == 0 && !memmem(l->value.ptr, l->value.len, "{{", 2) &&
		    !slice_eq_cstr(l->name, "alertname"))
			rc = matcher_new(x->arena, MATCH_EQUAL, l->name, l->value, &v[(*n)++], err);
	*out = v;
	return rc;
}

static void restore_alert(const struct restoring *x, struct alert_instance *a, int64_t t_ms, double v)
{
	int64_t hold_ms = x->rule->def->for_ms;
	int64_t grace_ms = x->group->manager->options.grace_period_ms;
	int64_t active_at_ms = (int64_t)v * 1000;
	int64_t left_ms = hold_ms - (t_ms - active_at_ms);
	if (left_ms > 0 && left_ms < grace_ms)
		active_at_ms = x->ts_ms + grace_ms - hold_ms;
	else if (left_ms > 0)
		active_at_ms += x->ts_ms - t_ms;
	a->active_at_ms = active_at_ms;
}

static void restore_series(
    const struct restoring *x, const struct labels *series, const struct sample_column *c)
{
	if (c->n == 0 || is_stale(c->v[c->n - 1]) || !isfinite(c->v[c->n - 1]))
		return;
	struct label_builder b;
	label_builder_init(&b, x->arena, series);
	label_builder_del(&b, SL(LABEL_NAME));
	struct alert_instance *a = label_table_find(&x->rule->alerts, label_builder_labels(&b));
	if (!a || a->state == ALERT_INACTIVE)
		return;
	lock_take(&x->group->lock);
	restore_alert(x, a, c->t[c->n - 1], c->v[c->n - 1]);
	lock_release(&x->group->lock);
}

static int read_series(const struct restoring *x, struct querier *q, int64_t from_ms, struct err *err)
{
	const struct matcher **matchers;
	size_t n;
	int rc = make_matchers(x, &matchers, &n, err);
	if (rc < 0)
		return rc;
	struct select_hints hints = {.start_ms = from_ms, .end_ms = x->ts_ms};
	struct series_set *set;
	rc = q->ops->select(q, x->arena, matchers, n, false, &hints, &set, err);
	if (rc < 0)
		return rc;
	struct sample_column column;
	sample_column_init(&column, x->arena);
	for (size_t i = 0; rc == 0 && i < set->n; i++) {
		rc = set->ops->read(set, i, &column, err);
		if (rc == 0)
			restore_series(x, set->ops->labels(set, i, x->arena), &column);
	}
	sample_column_done(&column);
	return rc;
}

static int restore_rule(const struct restoring *x, struct err *err)
{
	const struct rule_manager_options *o = &x->group->manager->options;
	int64_t from_ms = x->ts_ms - o->outage_tolerance_ms;
	struct querier *q;
	int rc = o->queryable->open(o->queryable, from_ms, x->ts_ms, &q, err);
	if (rc < 0)
		return rc;
	rc = read_series(x, q, from_ms, err);
	q->ops->close(q);
	return rc;
}

void alert_restore_group(struct rule_group *g, int64_t ts_ms)
{
	for (size_t i = 0; i < g->n_rules; i++) {
		struct rule *r = &g->rules[i];
		struct restoring x = {.group = g, .rule = r, .ts_ms = ts_ms, .arena = g->arena};
		bool is_wanted = r->def->is_alert && r->def->for_ms >= g->manager->options.grace_period_ms &&
				 r->alerts.len;
		struct err err;
		if (is_wanted && restore_rule(&x, &err) < 0)
			log_warn("restoring the state of alerts failed", KV_STR("component", "rules"),
			    KV_SLICE("group", g->def->name), KV_SLICE("rule", r->def->name), KV_ERR(&err));
		r->is_restored = true;
		arena_reset(g->arena);
	}
}
