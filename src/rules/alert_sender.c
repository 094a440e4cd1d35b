/* From alert instances to the sink: what is due, with external labels and alert relabelling applied. */
#include "rules/rule_priv.h"

#include "model/label_builder.h"
#include "net/url.h"

static struct slice generator_url(const struct rule_group *g, const struct rule *r)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_add_slice(&sb, g->manager->options.external_url);
	strbuf_adds(&sb, "/graph?g0.expr=");
	url_query_escape(&sb, r->def->query);
	strbuf_adds(&sb, "&g0.tab=1");
	struct slice url = arena_slice(g->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return url;
}

/* The alert's labels, the external ones where it has none of the name, then alert_relabel_configs. NULL: dropped. */
static const struct labels *outgoing_labels(
    const struct config *config, const struct alert_instance *a, struct label_builder *b)
{
	label_builder_reset(b, a->entry.labels);
	LABELS_EACH (l, config->global.external_labels)
		if (!labels_has(a->entry.labels, l->name))
			label_builder_set(b, l->name, l->value);
	const struct config_relabels *rules = &config->alerting.alert_relabel;
	if (rules->n && !relabel_apply(rules->v, rules->n, b))
		return NULL;
	const struct labels *out = label_builder_labels(b);
	return out->n ? out : NULL;
}

static void mark_sent(const struct rule_group *g, struct alert_instance *a, int64_t ts_ms)
{
	int64_t delay = g->manager->options.resend_delay_ms;
	int64_t longest = delay > g->def->interval_ms ? delay : g->def->interval_ms;
	a->last_sent_at_ms = ts_ms;
	a->valid_until_ms = ts_ms + 4 * longest;
}

static void send_due(struct rule_group *g, struct rule *r, const struct config *config, int64_t ts_ms)
{
	const struct rule_manager_options *o = &g->manager->options;
	struct alert *out = ARENA_ARRAY(g->arena, struct alert, r->alerts.len);
	struct label_builder b;
	label_builder_init(&b, g->arena, NULL);
	struct slice url = SL_EMPTY;
	size_t n = 0;
	for (size_t i = 0; i < r->alerts.len; i++) {
		struct alert_instance *a = (struct alert_instance *)(void *)r->alerts.v[i];
		if (!alert_needs_sending(a, ts_ms, o->resend_delay_ms))
			continue;
		mark_sent(g, a, ts_ms);
		const struct labels *labels = outgoing_labels(config, a, &b);
		if (!labels)
			continue;
		if (url.len == 0)
			url = generator_url(g, r);
		out[n++] = (struct alert){.labels = labels,
		    .annotations = a->annotations,
		    .starts_at_ms = a->fired_at_ms,
		    .ends_at_ms = a->resolved_at_ms ? a->resolved_at_ms : a->valid_until_ms,
		    .updated_at_ms = ts_ms,
		    .generator_url = url};
	}
	if (n)
		o->sink->send(o->sink, out, n, ts_ms);
}

void alert_send_due(struct rule_group *g, struct rule *r, int64_t ts_ms)
{
	if (!g->manager->options.sink || r->alerts.len == 0)
		return;
	struct config_generation *current = rule_manager_current(g->manager);
	send_due(g, r, current->config, ts_ms);
	config_generation_unref(current);
}
