/* A group in time. Its slots lie at `offset + k * interval`, where the offset is a hash of its name: groups of one interval
 * are spread over it, and the same group has the same slots after a restart. */
#include "rules/rule_priv.h"

#include "base/hash.h"
#include "base/log.h"

int64_t rule_group_slot(const struct rule_group_def *def, int64_t now_ms)
{
	uint64_t seed = hash64(def->file.ptr, def->file.len);
	int64_t offset =
	    (int64_t)(hash64_seed(def->name.ptr, def->name.len, seed) % (uint64_t)def->interval_ms);
	int64_t since = now_ms - offset;
	int64_t slots = since / def->interval_ms - (since % def->interval_ms < 0);
	return slots * def->interval_ms + offset;
}

struct rule_group *rule_group_new(struct rule_manager *m, struct config_generation *generation,
    const struct rule_group_def *def, bool wants_restore)
{
	struct rule_group *g = xcalloc(1, sizeof(*g));
	g->manager = m;
	g->generation = config_generation_ref(generation);
	g->def = def;
	g->arena = arena_new(ARENA_NO_LIMIT);
	g->rules = xcalloc(def->n_rules ? def->n_rules : 1, sizeof(*g->rules));
	g->n_rules = def->n_rules;
	g->wants_restore = wants_restore;
	for (size_t i = 0; i < g->n_rules; i++) {
		g->rules[i].def = &def->rules[i];
		g->rules[i].is_restored = !wants_restore;
	}
	lock_init(&g->lock, LOCK_RULE_GROUP, "rule group");
	return g;
}

void rule_group_free(struct rule_group *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_rules; i++) {
		label_table_done(&g->rules[i].series, NULL);
		label_table_done(&g->rules[i].alerts, alert_instance_release);
		free(g->rules[i].last_error);
	}
	free(g->rules);
	label_table_done(&g->orphans, NULL);
	lock_done(&g->lock);
	arena_free(g->arena);
	config_generation_unref(g->generation);
	free(g);
}

/* One evaluation. */

static struct clock *clock_of(const struct rule_group *g)
{
	return scheduler_clock(g->manager->options.scheduler);
}

static double seconds_since(const struct rule_group *g, int64_t start_ns)
{
	return (double)(clock_mono_ns(clock_of(g)) - start_ns) / 1e9;
}

static void log_failure(const struct rule_group *g, const struct rule *r, const struct err *err)
{
	static struct log_limit limit;
	if (log_limit_ok(&limit, 60))
		log_warn("evaluating rule failed", KV_STR("component", "rules"),
		    KV_SLICE("file", g->def->file), KV_SLICE("group", g->def->name),
		    KV_SLICE("rule", r->def->name), KV_ERR(err));
}

static void set_health(
    struct rule_group *g, struct rule *r, int rc, const struct err *err, double seconds, int64_t ts)
{
	char *text = rc < 0 ? xstrdup(err->msg) : NULL;
	lock_take(&g->lock);
	char *old = r->last_error;
	r->last_error = text;
	r->health = rc < 0 ? RULE_ERROR : RULE_OK;
	r->evaluation_seconds = seconds;
	r->last_evaluation_ms = ts;
	r->evaluations++;
	r->failures += rc < 0;
	lock_release(&g->lock);
	free(old);
}

static size_t run_rule(struct rule_group *g, struct rule *r, int64_t ts_ms, double *seconds)
{
	int64_t start_ns = clock_mono_ns(clock_of(g));
	struct err err;
	size_t n_written = 0;
	int rc = rule_eval(g, r, ts_ms, &n_written, &err);
	*seconds = seconds_since(g, start_ns);
	set_health(g, r, rc, &err, *seconds, ts_ms);
	if (rc < 0)
		log_failure(g, r, &err);
	else if (r->def->is_alert)
		alert_send_due(g, r, ts_ms);
	arena_reset(g->arena);
	return rc < 0 ? 0 : n_written;
}

static void evaluate(struct rule_group *g, int64_t ts_ms)
{
	int64_t start_ns = clock_mono_ns(clock_of(g));
	double in_rules = 0;
	uint64_t samples = 0;
	for (size_t i = 0; i < g->n_rules; i++) {
		double seconds;
		samples += run_rule(g, &g->rules[i], ts_ms, &seconds);
		in_rules += seconds;
	}
	struct err err;
	if (rule_write_ends(g->manager, &g->orphans, ts_ms - g->def->query_offset_ms, &err) < 0)
		log_warn("ending the series of removed rules failed", KV_STR("component", "rules"),
		    KV_SLICE("group", g->def->name), KV_ERR(&err));
	lock_take(&g->lock);
	g->iterations++;
	g->last_evaluation_ms = ts_ms;
	g->last_duration_s = seconds_since(g, start_ns);
	g->last_rule_duration_s = in_rules;
	g->last_samples = samples;
	lock_release(&g->lock);
}

/* The state of before the restart is taken over after the second evaluation: by then targets have been scraped again, so
 * the alerts are there to take it. */
static void restore_when_due(struct rule_group *g, int64_t ts_ms)
{
	if (!g->wants_restore || g->iterations < 2)
		return;
	int64_t start_ns = clock_mono_ns(clock_of(g));
	alert_restore_group(g, ts_ms);
	g->wants_restore = false;
	lock_take(&g->lock);
	g->last_restore_duration_s = seconds_since(g, start_ns);
	lock_release(&g->lock);
}

/* The timer. */

static void run_group(void *arg, int64_t when_ms);

static void arm(struct rule_group *g, int64_t when_ms, void (*fn)(void *arg, int64_t when_ms))
{
	lock_take(&g->lock);
	if (!g->is_stopped) {
		g->previous_timer = g->timer;
		g->timer = scheduler_at(g->manager->options.scheduler, when_ms, fn, g);
	}
	lock_release(&g->lock);
}

/* The slot after this one, or a later one when the evaluation took longer: those between are counted as missed. */
static int64_t next_slot(struct rule_group *g)
{
	int64_t late = clock_now_ms(clock_of(g)) - g->next_ms;
	int64_t missed = late > 0 ? late / g->def->interval_ms : 0;
	if (missed > 0) {
		lock_take(&g->lock);
		g->missed += (uint64_t)missed;
		g->iterations += (uint64_t)missed;
		lock_release(&g->lock);
	}
	return g->next_ms + (missed + 1) * g->def->interval_ms;
}

static void run_group(void *arg, int64_t when_ms)
{
	struct rule_group *g = arg;
	(void)when_ms;
	evaluate(g, g->next_ms);
	restore_when_due(g, g->next_ms);
	g->next_ms = next_slot(g);
	arm(g, g->next_ms, run_group);
}

void rule_group_start(struct rule_group *g)
{
	g->next_ms = rule_group_slot(g->def, clock_now_ms(clock_of(g))) + g->def->interval_ms;
	arm(g, g->next_ms, run_group);
}

void rule_group_stop(struct rule_group *g)
{
	lock_take(&g->lock);
	g->is_stopped = true;
	timer_id timer = g->timer, previous = g->previous_timer;
	lock_release(&g->lock);
	scheduler_cancel(g->manager->options.scheduler, timer);
	scheduler_cancel(g->manager->options.scheduler, previous);
}

/* Removed groups. */

static void move_series(struct label_table *to, struct label_table *from)
{
	for (size_t i = 0; i < from->len; i++) {
		if (label_table_find(to, from->v[i]->labels))
			continue;
		struct written_series *s = label_table_add(to, from->v[i]->labels, sizeof(*s));
		s->kept = ((struct written_series *)(void *)from->v[i])->kept;
	}
	label_table_done(from, NULL);
}

static void bury(void *arg, int64_t when_ms)
{
	struct rule_group *g = arg;
	struct err err;
	for (size_t i = 0; i < g->n_rules; i++)
		move_series(&g->orphans, &g->rules[i].series);
	if (rule_write_ends(g->manager, &g->orphans, when_ms, &err) < 0)
		log_warn("ending the series of a removed group failed", KV_STR("component", "rules"),
		    KV_SLICE("group", g->def->name), KV_ERR(&err));
	lock_take(&g->lock);
	g->is_buried = true;
	lock_release(&g->lock);
}

void rule_group_start_burial(struct rule_group *g)
{
	g->is_stopped = false;
	arm(g, clock_now_ms(clock_of(g)) + 2 * g->def->interval_ms, bury);
}

/* Reloads. */

static bool is_same_rule(const struct rule_def *a, const struct rule_def *b)
{
	return a->is_alert == b->is_alert && slice_eq(a->name, b->name) && labels_eq(a->labels, b->labels);
}

static void take_rule(struct rule *to, struct rule *from)
{
	const struct rule_def *def = to->def;
	*to = *from;
	to->def = def;
	*from = (struct rule){.def = from->def};
}

void rule_group_take_state(struct rule_group *to, struct rule_group *from)
{
	bool *taken = xcalloc(from->n_rules + 1, sizeof(*taken));
	to->wants_restore = from->wants_restore;
	for (size_t i = 0; i < to->n_rules; i++) {
		to->rules[i].is_restored = !to->wants_restore;
		size_t k = 0;
		while (k < from->n_rules && (taken[k] || !is_same_rule(to->rules[i].def, from->rules[k].def)))
			k++;
		if (k == from->n_rules)
			continue;
		taken[k] = true;
		take_rule(&to->rules[i], &from->rules[k]);
	}
	for (size_t k = 0; k < from->n_rules; k++)
		if (!taken[k])
			move_series(&to->orphans, &from->rules[k].series);
	move_series(&to->orphans, &from->orphans);
	to->last_evaluation_ms = from->last_evaluation_ms;
	to->last_duration_s = from->last_duration_s;
	to->iterations = from->iterations;
	to->missed = from->missed;
	free(taken);
}
