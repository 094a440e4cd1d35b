#include "config/config_route.h"

#include "base/utf8.h"
#include "config/alert_matcher.h"
#include <stdlib.h>

VEC_DEFINE(matcher_vec, const struct matcher *);
VEC_DEFINE(route_ptr_vec, struct am_route *);
VEC_DEFINE(inhibit_vec, struct am_inhibit_rule);

/* --- matchers ---------------------------------------------------------------------------------------------------- */
/* The spellings of one node, as they stand in the file. */
struct matcher_keys {
	const struct yaml_node *matchers, *match, *match_re;
};

static void add_matcher_text(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct slice text, note = SL_EMPTY;
	struct alert_matcher_list list;
	struct err err;
	if (!config_decode_string(ctx, item, &text))
		return;
	if (alert_matcher_parse(text, ALERT_MATCHER_FALLBACK, ctx->arena, &list, &note, &err)) {
		config_error(
		    ctx, item, "%s (name=\"value\" would be right; operators are =, !=, =~, !~)", err.msg);
		return;
	}
	if (note.len > 0)
		config_warn(ctx, item, "%" SL_FMT, SL_ARG(note));
	for (size_t i = 0; i < list.n; i++)
		matcher_vec_push(arg, list.v[i]);
}

/* Alertmanager shows an old-style expression with its anchors, and group keys have it that way. */
static const struct matcher *with_anchors(struct arena *arena, const struct matcher *m)
{
	if (m->op != MATCH_REGEX)
		return m;
	struct matcher *shown = ARENA_NEW(arena, struct matcher);
	*shown = *m;
	shown->value = arena_printf(arena, "^(?:%" SL_FMT ")$", SL_ARG(m->value));
	return shown;
}

static void add_matcher_map(
    struct config_ctx *ctx, const struct yaml_node *node, enum match_op op, struct matcher_vec *vec)
{
	if (!node || node->kind == YAML_NULL)
		return;
	if (node->kind != YAML_MAP) {
		config_error(ctx, node, "a map would be right here: {label: value}");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		const struct yaml_node *key = node->keys[i], *item = node->items[i];
		struct slice value;
		struct err err;
		const struct matcher *m;
		if (!label_name_valid_legacy(key->text))
			config_error(ctx, key,
			    "invalid label name \"%" SL_FMT
			    "\" (other names than [a-zA-Z_][a-zA-Z0-9_]* need `matchers`)",
			    SL_ARG(key->text));
		else if (op == MATCH_REGEX && item->kind == YAML_NULL)
			config_error(ctx, item, "invalid regexp value for label \"%" SL_FMT "\": null",
			    SL_ARG(key->text));
		else if (!config_decode_string(ctx, item, &value))
			continue;
		else if (alert_matcher_new(ctx->arena, op, key->text, value, &m, &err))
			config_error(ctx, item, "%s", err.msg);
		else
			matcher_vec_push(vec, with_anchors(ctx->arena, m));
	}
}

static int matcher_order(const void *a, const void *b)
{
	return alert_matcher_cmp(*(const struct matcher *const *)a, *(const struct matcher *const *)b);
}

/* One sorted list of all spellings: keys of groups must not depend on the order in the file. */
static void collect_matchers(struct config_ctx *ctx, const struct matcher_keys *keys, struct am_matchers *out)
{
	struct matcher_vec vec = {0};
	add_matcher_map(ctx, keys->match, MATCH_EQUAL, &vec);
	add_matcher_map(ctx, keys->match_re, MATCH_REGEX, &vec);
	if (keys->matchers)
		config_decode_list(ctx, keys->matchers, "matchers", add_matcher_text, &vec);
	out->n = vec.len;
	out->v = ARENA_ARRAY(ctx->arena, const struct matcher *, vec.len);
	if (vec.len > 0)
		memcpy(out->v, vec.v, vec.len * sizeof(*vec.v));
	if (vec.len > 1)
		qsort(out->v, out->n, sizeof(*out->v), matcher_order);
	matcher_vec_done(&vec);
}

static void keep_node(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)ctx;
	*(const struct yaml_node **)field = node;
}

/* --- routes ------------------------------------------------------------------------------------------------------ */
struct raw_route {
	struct am_route route; /* first, so that set_offset is never 0 */
	struct matcher_keys keys;
	const struct yaml_node *group_by, *routes;
};

static const struct config_field route_fields[] = {
    {"receiver", CONFIG_STRING, offsetof(struct raw_route, route.receiver)},
    {"group_by", CONFIG_CUSTOM, offsetof(struct raw_route, group_by), .decode = keep_node},
    {"continue", CONFIG_BOOL, offsetof(struct raw_route, route.is_continue)},
    {"matchers", CONFIG_CUSTOM, offsetof(struct raw_route, keys.matchers), .decode = keep_node},
    {"match", CONFIG_CUSTOM, offsetof(struct raw_route, keys.match), .decode = keep_node},
    {"match_re", CONFIG_CUSTOM, offsetof(struct raw_route, keys.match_re), .decode = keep_node},
    {"group_wait", CONFIG_DURATION, offsetof(struct raw_route, route.group_wait_ms),
	.set_offset = offsetof(struct raw_route, route.has_group_wait)},
    {"group_interval", CONFIG_DURATION, offsetof(struct raw_route, route.group_interval_ms),
	.set_offset = offsetof(struct raw_route, route.has_group_interval)},
    {"repeat_interval", CONFIG_DURATION, offsetof(struct raw_route, route.repeat_interval_ms),
	.set_offset = offsetof(struct raw_route, route.has_repeat_interval)},
    {"mute_time_intervals", CONFIG_STRING_LIST, offsetof(struct raw_route, route.mute_time_intervals)},
    {"active_time_intervals", CONFIG_STRING_LIST, offsetof(struct raw_route, route.active_time_intervals)},
    {"labels", CONFIG_LABELS, offsetof(struct raw_route, route.labels)},
    {"routes", CONFIG_CUSTOM, offsetof(struct raw_route, routes), .decode = keep_node},
};

/* Any UTF-8 text is a name, but for one that starts with ASCII punctuation: that is a slip ("- -name"), not a name. */
static bool is_group_label(struct slice s)
{
	if (label_name_valid_legacy(s))
		return true;
	unsigned char c = s.len > 0 ? (unsigned char)s.ptr[0] : 0;
	bool is_letter = (c | 32) >= 'a' && (c | 32) <= 'z';
	bool starts_well = c >= 0x80 || is_letter || (c >= '0' && c <= '9') || c == '_';
	return starts_well && label_name_valid(s);
}

static bool is_listed(const struct config_strings *list, size_t n, struct slice s)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(list->v[i], s))
			return true;
	return false;
}

static void add_group_label(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct am_route *r = arg;
	struct slice name;
	if (!config_decode_string(ctx, item, &name))
		return;
	if (slice_eq(name, SL("...")))
		r->group_by_all = true;
	else if (!is_group_label(name))
		config_error(ctx, item, "invalid label name \"%" SL_FMT "\" in group_by list", SL_ARG(name));
	else if (is_listed(&r->group_by, r->group_by.n, name))
		config_error(ctx, item, "duplicated label \"%" SL_FMT "\" in group_by", SL_ARG(name));
	else
		r->group_by.v[r->group_by.n++] = name;
}

static void decode_group_by(struct config_ctx *ctx, const struct yaml_node *node, struct am_route *r)
{
	r->has_group_by = node != NULL;
	if (!node || node->kind != YAML_LIST) {
		if (node)
			config_error(ctx, node,
			    "group_by is a list of label names: ['alertname', 'cluster'] would be right");
		return;
	}
	r->group_by.v = ARENA_ARRAY(ctx->arena, struct slice, node->n);
	config_decode_list(ctx, node, "group_by", add_group_label, r);
	if (r->group_by_all && r->group_by.n > 0)
		config_error(
		    ctx, node, "cannot have wildcard group_by (`...`) and other labels at the same time");
}

static void check_intervals(struct config_ctx *ctx, const struct yaml_node *node, const struct am_route *r)
{
	if (r->has_group_interval && r->group_interval_ms == 0)
		config_error(ctx, yaml_get(node, "group_interval"), "group_interval cannot be zero");
	if (r->has_repeat_interval && r->repeat_interval_ms == 0)
		config_error(ctx, yaml_get(node, "repeat_interval"), "repeat_interval cannot be zero");
	if (r->has_repeat_interval && r->has_group_interval && r->repeat_interval_ms > 0 &&
	    r->repeat_interval_ms < r->group_interval_ms)
		config_warn(ctx, yaml_get(node, "repeat_interval"),
		    "repeat_interval is less than group_interval: notifications repeat at group_interval");
}

static void check_root(struct config_ctx *ctx, const struct yaml_node *node, const struct raw_route *raw)
{
	const struct am_route *r = &raw->route;
	if (r->receiver.len == 0)
		config_error(ctx, node, "root route must specify a default receiver");
	if (raw->keys.matchers || raw->keys.match || raw->keys.match_re)
		config_error(ctx, node, "root route must not have any matchers");
	if (r->is_continue)
		config_error(ctx, yaml_get(node, "continue"), "cannot have continue in root route");
	if (r->mute_time_intervals.n > 0)
		config_error(ctx, yaml_get(node, "mute_time_intervals"),
		    "root route must not have any mute time intervals");
	if (r->active_time_intervals.n > 0)
		config_error(ctx, yaml_get(node, "active_time_intervals"),
		    "root route must not have any active time intervals");
}

static void add_route(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct am_route *r = ARENA_NEW(ctx->arena, struct am_route);
	am_route_decode(ctx, item, r, false);
	route_ptr_vec_push(arg, r);
}

static void decode_routes(struct config_ctx *ctx, const struct yaml_node *node, struct am_route *r)
{
	struct route_ptr_vec vec = {0};
	if (node)
		config_decode_list(ctx, node, "routes", add_route, &vec);
	r->n_routes = vec.len;
	r->routes = ARENA_ARRAY(ctx->arena, struct am_route *, vec.len);
	if (vec.len > 0)
		memcpy(r->routes, vec.v, vec.len * sizeof(*vec.v));
	route_ptr_vec_done(&vec);
}

void am_route_decode(struct config_ctx *ctx, const struct yaml_node *node, struct am_route *out, bool is_root)
{
	struct raw_route raw = {0};
	config_decode(ctx, node, "config.plain", route_fields, ARRAY_LEN(route_fields), &raw);
	*out = raw.route;
	out->line = node->line;
	out->column = node->column;
	if (node->kind != YAML_MAP)
		return;
	collect_matchers(ctx, &raw.keys, &out->matchers);
	decode_group_by(ctx, raw.group_by, out);
	check_intervals(ctx, node, out);
	if (is_root)
		check_root(ctx, node, &raw);
	decode_routes(ctx, raw.routes, out);
}

/* --- inhibition -------------------------------------------------------------------------------------------------- */
struct raw_inhibit {
	struct am_inhibit_rule rule;
	struct matcher_keys source, target;
};

static const struct config_field inhibit_fields[] = {
    {"name", CONFIG_STRING, offsetof(struct raw_inhibit, rule.name)},
    {"source_matchers", CONFIG_CUSTOM, offsetof(struct raw_inhibit, source.matchers), .decode = keep_node},
    {"source_match", CONFIG_CUSTOM, offsetof(struct raw_inhibit, source.match), .decode = keep_node},
    {"source_match_re", CONFIG_CUSTOM, offsetof(struct raw_inhibit, source.match_re), .decode = keep_node},
    {"target_matchers", CONFIG_CUSTOM, offsetof(struct raw_inhibit, target.matchers), .decode = keep_node},
    {"target_match", CONFIG_CUSTOM, offsetof(struct raw_inhibit, target.match), .decode = keep_node},
    {"target_match_re", CONFIG_CUSTOM, offsetof(struct raw_inhibit, target.match_re), .decode = keep_node},
    {"equal", CONFIG_STRING_LIST, offsetof(struct raw_inhibit, rule.equal)},
};

static void add_inhibit_rule(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct raw_inhibit raw = {0};
	config_decode(ctx, item, "config.InhibitRule", inhibit_fields, ARRAY_LEN(inhibit_fields), &raw);
	collect_matchers(ctx, &raw.source, &raw.rule.source);
	collect_matchers(ctx, &raw.target, &raw.rule.target);
	for (size_t i = 0; i < raw.rule.equal.n; i++)
		if (!label_name_valid(raw.rule.equal.v[i]))
			config_error(ctx, yaml_get(item, "equal"),
			    "invalid label name \"%" SL_FMT "\" in equal list", SL_ARG(raw.rule.equal.v[i]));
	inhibit_vec_push(arg, raw.rule);
}

void am_inhibit_rules_decode(struct config_ctx *ctx, const struct yaml_node *node, struct am_config *out)
{
	struct inhibit_vec vec = {0};
	config_decode_list(ctx, node, "inhibit_rules", add_inhibit_rule, &vec);
	out->n_inhibit_rules = vec.len;
	out->inhibit_rules = ARENA_ARRAY(ctx->arena, struct am_inhibit_rule, vec.len);
	if (vec.len > 0)
		memcpy(out->inhibit_rules, vec.v, vec.len * sizeof(*vec.v));
	inhibit_vec_done(&vec);
}
