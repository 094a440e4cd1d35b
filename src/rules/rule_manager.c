#include "rules/rule_manager.h"

#include "base/log.h"
#include "rules/rule_priv.h"

/* All groups of a generation, parsed. */
struct parsed_rules {
	bool is_good;
	struct rule_group_def **groups;
	size_t n_groups;
};

struct rule_manager *rule_manager_new(const struct rule_manager_options *options)
{
	struct rule_manager *m = xcalloc(1, sizeof(*m));
	m->options = *options;
	struct rule_manager_options *o = &m->options;
	m->external_url = slice_dup(o->external_url);
	o->external_url = slice_cstr(m->external_url);
	while (slice_ends(o->external_url, SL("/")))
		o->external_url.len--;
	if (o->resend_delay_ms == 0)
		o->resend_delay_ms = 60 * 1000;
	if (o->outage_tolerance_ms == 0)
		o->outage_tolerance_ms = 60 * 60 * 1000;
	if (o->grace_period_ms == 0)
		o->grace_period_ms = 10 * 60 * 1000;
	lock_init(&m->lock, LOCK_CONFIG, "rule manager");
	lock_init(&m->current_lock, LOCK_RULE_GROUP, "rule manager generation");
	counters_add_collector(rule_metrics_collect, m);
	return m;
}

void rule_manager_stop(struct rule_manager *m)
{
	lock_take(&m->lock);
	for (size_t i = 0; i < m->groups.len; i++)
		rule_group_stop(m->groups.v[i]);
	for (size_t i = 0; i < m->zombies.len; i++)
		rule_group_stop(m->zombies.v[i]);
	lock_release(&m->lock);
}

void rule_manager_free(struct rule_manager *m)
{
	if (!m)
		return;
	counters_remove_collector(rule_metrics_collect, m);
	rule_manager_stop(m);
	for (size_t i = 0; i < m->groups.len; i++)
		rule_group_free(m->groups.v[i]);
	for (size_t i = 0; i < m->zombies.len; i++)
		rule_group_free(m->zombies.v[i]);
	group_vec_done(&m->groups);
	group_vec_done(&m->zombies);
	config_generation_unref(m->current);
	lock_done(&m->current_lock);
	lock_done(&m->lock);
	free(m->external_url);
	free(m);
}

struct config_generation *rule_manager_current(struct rule_manager *m)
{
	lock_take(&m->current_lock);
	struct config_generation *g = config_generation_ref(m->current);
	lock_release(&m->current_lock);
	return g;
}

static void set_current(struct rule_manager *m, struct config_generation *g)
{
	lock_take(&m->current_lock);
	struct config_generation *old = m->current;
	m->current = config_generation_ref(g);
	lock_release(&m->current_lock);
	config_generation_unref(old);
}

/* Parsing. */

void rule_manager_check(struct config_generation *g)
{
	if (g->parsed_rules || !g->config)
		return;
	size_t n = 0;
	for (size_t i = 0; i < g->n_rule_files; i++)
		n += g->rule_files[i].n_groups;
	struct parsed_rules *p = ARENA_NEW(g->arena, struct parsed_rules);
	p->groups = ARENA_ARRAY(g->arena, struct rule_group_def *, n);
	p->is_good = true;
	for (size_t i = 0; i < g->n_rule_files; i++) {
		struct rule_group_def *groups;
		p->is_good &=
		    rule_file_parse(g->arena, &g->rule_files[i], &g->config->global, &g->errors, &groups);
		for (size_t k = 0; k < g->rule_files[i].n_groups; k++)
			p->groups[p->n_groups++] = &groups[k];
	}
	g->parsed_rules = p;
}

/* Loading. */

static bool is_same_group(const struct rule_group_def *a, const struct rule_group_def *b)
{
	return slice_eq(a->file, b->file) && slice_eq(a->name, b->name);
}

/* Takes the group with the name of `def` out of `from`; NULL: there is none. */
static struct rule_group *take_group(struct group_vec *from, const struct rule_group_def *def)
{
	for (size_t i = 0; i < from->len; i++) {
		struct rule_group *g = from->v[i];
		if (!g || !is_same_group(g->def, def))
			continue;
		from->v[i] = NULL;
		return g;
	}
	return NULL;
}

static struct rule_group *replace_group(struct rule_manager *m, struct config_generation *generation,
    const struct rule_group_def *def, struct rule_group *old)
{
	struct rule_group *g = rule_group_new(m, generation, def, !m->was_loaded);
	if (old) {
		rule_group_stop(old);
		rule_group_take_state(g, old);
		rule_group_free(old);
	}
	return g;
}

static int by_file_and_name(const void *a, const void *b)
{
	const struct rule_group_def *x = (*(struct rule_group *const *)a)->def;
	const struct rule_group_def *y = (*(struct rule_group *const *)b)->def;
	int c = slice_cmp(x->file, y->file);
	return c ? c : slice_cmp(x->name, y->name);
}

static bool was_buried(struct rule_group *g)
{
	lock_take(&g->lock);
	bool is_buried = g->is_buried;
	lock_release(&g->lock);
	return is_buried;
}

/* Entries that were taken go, and so do groups whose series have ended. */
static void sweep_zombies(struct rule_manager *m)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->zombies.len; i++) {
		struct rule_group *g = m->zombies.v[i];
		if (g && was_buried(g)) {
			rule_group_stop(g);
			rule_group_free(g);
		} else if (g) {
			m->zombies.v[kept++] = g;
		}
	}
	m->zombies.len = kept;
}

/* What is left in the old list is in the new files no more. */
static void bury_groups(struct rule_manager *m, struct group_vec *old)
{
	for (size_t i = 0; i < old->len; i++) {
		struct rule_group *g = old->v[i];
		if (!g)
			continue;
		rule_group_stop(g);
		rule_group_start_burial(g);
		group_vec_push(&m->zombies, g);
	}
}

static void swap_groups(
    struct rule_manager *m, struct config_generation *generation, const struct parsed_rules *p)
{
	struct group_vec old = m->groups, fresh = {0};
	m->groups = (struct group_vec){0};
	for (size_t i = 0; i < p->n_groups; i++) {
		const struct rule_group_def *def = p->groups[i];
		struct rule_group *g = take_group(&old, def);
		if (!g || !slice_eq(g->def->signature, def->signature)) {
			g = replace_group(m, generation, def, g ? g : take_group(&m->zombies, def));
			group_vec_push(&fresh, g);
		}
		group_vec_push(&m->groups, g);
	}
	sweep_zombies(m);
	bury_groups(m, &old);
	if (m->groups.len)
		qsort(m->groups.v, m->groups.len, sizeof(*m->groups.v), by_file_and_name);
	for (size_t i = 0; i < fresh.len; i++)
		rule_group_start(fresh.v[i]);
	group_vec_done(&fresh);
	group_vec_done(&old);
}

int rule_manager_load(struct rule_manager *m, struct config_generation *g, struct err *err)
{
	rule_manager_check(g);
	const struct parsed_rules *p = g->parsed_rules;
	if (!p || !p->is_good)
		return err_set(err, ERR_INVALID, "the rule files have errors");
	set_current(m, g);
	lock_take(&m->lock);
	swap_groups(m, g, p);
	m->was_loaded = true;
	lock_release(&m->lock);
	return 0;
}
