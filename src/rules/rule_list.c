/* The listing: copies, made under the locks, of what the API shows. */
#include "rules/rule_priv.h"

const char *rule_health_name(enum rule_health h)
{
	static const char *const names[] = {
	    [RULE_UNKNOWN] = "unknown", [RULE_OK] = "ok", [RULE_ERROR] = "err"};
	return names[h];
}

static void view_alerts(const struct rule *r, struct arena *arena, struct rule_view *out)
{
	out->alerts = ARENA_ARRAY(arena, struct alert_view, r->alerts.len);
	for (size_t i = 0; i < r->alerts.len; i++) {
		const struct alert_instance *a = (const struct alert_instance *)(const void *)r->alerts.v[i];
		if (a->state == ALERT_INACTIVE)
			continue;
		out->alerts[out->n_alerts++] =
		    (struct alert_view){.labels = labels_copy_to(arena, a->entry.labels),
			.annotations = labels_copy_to(arena, a->annotations),
			.state = a->state,
			.active_at_ms = a->active_at_ms,
			.keep_firing_since_ms = a->keep_firing_since_ms,
			.value = a->value};
	}
}

static void view_rule(const struct rule *r, struct arena *arena, struct rule_view *out)
{
	const struct rule_def *def = r->def;
	*out = (struct rule_view){.is_alert = def->is_alert,
	    .name = arena_slice(arena, def->name),
	    .query = arena_slice(arena, def->query),
	    .labels = labels_copy_to(arena, def->labels),
	    .annotations = labels_copy_to(arena, def->annotations),
	    .for_ms = def->for_ms,
	    .keep_firing_for_ms = def->keep_firing_for_ms,
	    .has_state = r->has_state,
	    .state = alert_table_state(&r->alerts),
	    .health = r->health,
	    .last_error = r->last_error ? arena_slice(arena, slice_cstr(r->last_error)) : SL_EMPTY,
	    .evaluation_seconds = r->evaluation_seconds,
	    .last_evaluation_ms = r->last_evaluation_ms};
	view_alerts(r, arena, out);
}

static void view_group(struct rule_group *g, struct arena *arena, struct rule_group_view *out)
{
	*out = (struct rule_group_view){.name = arena_slice(arena, g->def->name),
	    .file = arena_slice(arena, g->def->file),
	    .interval_ms = g->def->interval_ms,
	    .limit = g->def->limit,
	    .query_offset_ms = g->def->query_offset_ms,
	    .rules = ARENA_ARRAY(arena, struct rule_view, g->n_rules),
	    .n_rules = g->n_rules};
	lock_take(&g->lock);
	out->evaluation_seconds = g->last_duration_s;
	out->last_evaluation_ms = g->last_evaluation_ms;
	for (size_t i = 0; i < g->n_rules; i++)
		view_rule(&g->rules[i], arena, &out->rules[i]);
	lock_release(&g->lock);
}

void rule_manager_list(struct rule_manager *m, struct arena *arena, struct rule_group_view **out, size_t *n)
{
	lock_take(&m->lock);
	struct rule_group_view *v = ARENA_ARRAY(arena, struct rule_group_view, m->groups.len);
	for (size_t i = 0; i < m->groups.len; i++)
		view_group(m->groups.v[i], arena, &v[i]);
	*n = m->groups.len;
	*out = v;
	lock_release(&m->lock);
}
