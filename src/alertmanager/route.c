#include "alertmanager/route.h"

#include "base/utf8.h"
#include "config/alert_matcher.h"
#include <stdlib.h>

enum {
	DEFAULT_GROUP_WAIT_MS = 30 * 1000,
	DEFAULT_GROUP_INTERVAL_MS = 5 * 60 * 1000,
	DEFAULT_REPEAT_INTERVAL_MS = 4 * 3600 * 1000,
};

static int slice_order(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static int pair_order(const void *a, const void *b)
{
	return slice_cmp(((const struct config_pair *)a)->name, ((const struct config_pair *)b)->name);
}

/* What the root has when the file says nothing, as a parent of it. */
static const struct route route_defaults = {
    .group_wait_ms = DEFAULT_GROUP_WAIT_MS,
    .group_interval_ms = DEFAULT_GROUP_INTERVAL_MS,
    .repeat_interval_ms = DEFAULT_REPEAT_INTERVAL_MS,
};

/* Alertmanager's rule: a list replaces the parent's and clears its "all"; "..." sets the flag and keeps the list. */
static void inherit_group_by(struct arena *arena, struct route *r, const struct route *from)
{
	const struct am_route *c = r->config;
	r->group_by = from->group_by;
	r->n_group_by = from->n_group_by;
	r->group_by_all = from->group_by_all || c->group_by_all;
	if (!c->has_group_by || c->group_by_all)
		return;
	struct slice *names = ARENA_ARRAY(arena, struct slice, c->group_by.n);
	for (size_t i = 0; i < c->group_by.n; i++)
		names[i] = c->group_by.v[i];
	if (c->group_by.n > 0)
		qsort(names, c->group_by.n, sizeof(*names), slice_order);
	r->group_by = names;
	r->n_group_by = c->group_by.n;
	r->group_by_all = false;
}

static void inherit_labels(struct arena *arena, struct route *r, const struct route *from)
{
	const struct config_pairs *own = &r->config->labels;
	if (own->n == 0) {
		r->labels = from->labels;
		return;
	}
	struct config_pair *v = ARENA_ARRAY(arena, struct config_pair, own->n + from->labels.n);
	size_t n = own->n;
	memcpy(v, own->v, n * sizeof(*v));
	for (size_t i = 0; i < from->labels.n; i++) {
		bool is_overridden = false;
		for (size_t k = 0; k < own->n; k++)
			is_overridden |= slice_eq(own->v[k].name, from->labels.v[i].name);
		if (!is_overridden)
			v[n++] = from->labels.v[i];
	}
	qsort(v, n, sizeof(*v), pair_order);
	r->labels = (struct config_pairs){v, n};
}

static const struct am_time_interval **resolve_intervals(
    struct arena *arena, const struct am_config *config, const struct config_strings *names, size_t *n)
{
	const struct am_time_interval **v = ARENA_ARRAY(arena, const struct am_time_interval *, names->n);
	*n = 0;
	for (size_t i = 0; i < names->n; i++) {
		v[*n] = am_config_time_interval(config, names->v[i]);
		*n += v[*n] != NULL;
	}
	return v;
}

static void name_route(struct arena *arena, struct route *r, size_t place)
{
	struct strbuf key = STRBUF_INIT;
	if (r->parent)
		strbuf_addf(&key, "%" SL_FMT "/", SL_ARG(r->parent->key));
	alert_matchers_print(&key, r->config->matchers.v, r->config->matchers.n);
	r->key = arena_slice(arena, strbuf_slice(&key));
	strbuf_reset(&key);
	if (r->parent)
		strbuf_addf(&key, "%" SL_FMT "/", SL_ARG(r->parent->id));
	alert_matchers_print(&key, r->config->matchers.v, r->config->matchers.n);
	if (r->parent)
		strbuf_addf(&key, "/%zu", place);
	r->id = arena_slice(arena, strbuf_slice(&key));
	strbuf_done(&key);
}

static void fill_route(struct arena *arena, const struct am_config *config, struct route *r,
    const struct route *from, size_t place)
{
	const struct am_route *c = r->config;
	r->receiver = c->receiver.len ? am_config_receiver(config, c->receiver) : from->receiver;
	inherit_group_by(arena, r, from);
	inherit_labels(arena, r, from);
	r->group_wait_ms = c->has_group_wait ? c->group_wait_ms : from->group_wait_ms;
	r->group_interval_ms = c->has_group_interval ? c->group_interval_ms : from->group_interval_ms;
	r->repeat_interval_ms = c->has_repeat_interval ? c->repeat_interval_ms : from->repeat_interval_ms;
	r->mute = resolve_intervals(arena, config, &c->mute_time_intervals, &r->n_mute);
	r->active = resolve_intervals(arena, config, &c->active_time_intervals, &r->n_active);
	name_route(arena, r, place);
}

static size_t count_routes(const struct am_route *c)
{
	size_t n = 1;
	for (size_t i = 0; i < c->n_routes; i++)
		n += count_routes(c->routes[i]);
	return n;
}

/* The depth is bounded by that of a YAML document. */
static struct route *build_route(struct arena *arena, const struct am_config *config, struct route_tree *tree,
    const struct am_route *c, const struct route *parent, size_t place)
{
	struct route *r = ARENA_NEW(arena, struct route);
	r->config = c;
	r->parent = parent;
	r->index = (uint32_t)tree->n;
	tree->all[tree->n++] = r;
	fill_route(arena, config, r, parent ? parent : &route_defaults, place);
	r->n_children = c->n_routes;
	r->children = ARENA_ARRAY(arena, struct route *, c->n_routes);
	for (size_t i = 0; i < c->n_routes; i++)
		r->children[i] = build_route(arena, config, tree, c->routes[i], r, i);
	return r;
}

struct route_tree *route_tree_new(struct arena *arena, const struct am_config *config)
{
	struct route_tree *tree = ARENA_NEW(arena, struct route_tree);
	tree->all = ARENA_ARRAY(arena, struct route *, count_routes(config->route));
	tree->root = build_route(arena, config, tree, config->route, NULL, 0);
	return tree;
}

static bool matches_all(const struct am_matchers *m, const struct labels *ls)
{
	for (size_t i = 0; i < m->n; i++)
		if (!matcher_matches_labels(m->v[i], ls))
			return false;
	return true;
}

static bool match_below(const struct route *r, const struct labels *ls, struct route_vec *out)
{
	if (!matches_all(&r->config->matchers, ls))
		return false;
	bool any_child = false;
	for (size_t i = 0; i < r->n_children; i++) {
		if (!match_below(r->children[i], ls, out))
			continue;
		any_child = true;
		if (!r->children[i]->config->is_continue)
			break;
	}
	if (!any_child)
		route_vec_push(out, r);
	return true;
}

void route_match(const struct route *root, const struct labels *ls, struct route_vec *out)
{
	match_below(root, ls, out);
}

const struct labels *route_group_labels(const struct route *r, const struct labels *ls, struct arena *arena)
{
	if (r->group_by_all)
		return ls;
	struct label *l = ARENA_ARRAY(arena, struct label, r->n_group_by);
	size_t n = 0;
	for (size_t i = 0; i < r->n_group_by; i++) {
		l[n] = (struct label){r->group_by[i], labels_get(ls, r->group_by[i])};
		n += l[n].value.len > 0;
	}
	return labels_from_sorted(arena, l, n);
}

void route_group_key(struct strbuf *out, const struct route *r, const struct labels *group_labels)
{
	strbuf_add_slice(out, r->key);
	strbuf_adds(out, ":{");
	LABELS_EACH (l, group_labels) {
		if (l != group_labels->l)
			strbuf_adds(out, ", ");
		strbuf_add_slice(out, l->name);
		strbuf_addch(out, '=');
		utf8_quote_go(out, l->value);
	}
	strbuf_addch(out, '}');
}
