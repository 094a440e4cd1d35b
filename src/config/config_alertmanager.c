/* The document as a whole: its blocks are decoded in the order in which they need each other (global before receivers),
 * whatever their order in the file; then names are looked up across blocks. */
#include "config/config_alertmanager.h"

#include "base/hash.h"
#include "config/config_redact.h"
#include "config/config_route.h"

VEC_DEFINE(receiver_vec, struct am_receiver);
VEC_DEFINE(integration_vec, struct am_integration);
VEC_DEFINE(named_interval_vec, struct am_time_interval);
VEC_DEFINE(interval_vec, struct time_interval);

static void keep_node(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)ctx;
	*(const struct yaml_node **)field = node;
}

/* --- receivers --------------------------------------------------------------------------------------------------- */
struct raw_receiver {
	struct slice name;
	struct config_pairs labels;
	const struct yaml_node *lists[AM_KINDS];
};

#define LIST_ROW(key, kind)                                                                                  \
	{                                                                                                    \
		key "_configs", CONFIG_CUSTOM, offsetof(struct raw_receiver, lists[kind]),                   \
		    .decode = keep_node                                                                      \
	}

static const struct config_field receiver_fields[] = {
    {"name", CONFIG_STRING, offsetof(struct raw_receiver, name)},
    {"labels", CONFIG_LABELS, offsetof(struct raw_receiver, labels)},
    LIST_ROW("webhook", AM_WEBHOOK),
    LIST_ROW("email", AM_EMAIL),
    LIST_ROW("pagerduty", AM_PAGERDUTY),
    LIST_ROW("opsgenie", AM_OPSGENIE),
    LIST_ROW("wechat", AM_WECHAT),
    LIST_ROW("slack", AM_SLACK),
    LIST_ROW("victorops", AM_VICTOROPS),
    LIST_ROW("pushover", AM_PUSHOVER),
    LIST_ROW("sns", AM_SNS),
    LIST_ROW("telegram", AM_TELEGRAM),
    LIST_ROW("discord", AM_DISCORD),
    LIST_ROW("webex", AM_WEBEX),
    LIST_ROW("msteams", AM_MSTEAMS),
    LIST_ROW("msteamsv2", AM_MSTEAMSV2),
    LIST_ROW("jira", AM_JIRA),
    LIST_ROW("incidentio", AM_INCIDENTIO),
    LIST_ROW("rocketchat", AM_ROCKETCHAT),
    LIST_ROW("mattermost", AM_MATTERMOST),
};

struct receiver_list {
	const struct am_global *global;
	struct receiver_vec vec;
};

struct integration_list {
	const struct am_global *global;
	enum am_kind kind;
	uint32_t n_of_kind;
	struct integration_vec vec;
};

static void add_integration(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct integration_list *list = arg;
	struct am_integration *in = integration_vec_add(&list->vec);
	in->index = list->n_of_kind++;
	am_integration_decode(ctx, item, list->global, list->kind, in);
}

static void decode_integrations(struct config_ctx *ctx, const struct raw_receiver *raw,
    const struct am_global *global, struct am_receiver *out)
{
	struct integration_list list = {.global = global};
	for (int kind = 0; kind < AM_KINDS; kind++) {
		list.kind = (enum am_kind)kind;
		list.n_of_kind = 0;
		if (raw->lists[kind])
			config_decode_list(
			    ctx, raw->lists[kind], am_kind_name(list.kind), add_integration, &list);
	}
	out->n_integrations = list.vec.len;
	out->integrations = ARENA_ARRAY(ctx->arena, struct am_integration, list.vec.len);
	if (list.vec.len > 0)
		memcpy(out->integrations, list.vec.v, list.vec.len * sizeof(*list.vec.v));
	integration_vec_done(&list.vec);
}

/* The label `name` is always there and is the receiver's name. */
static void decode_receiver_labels(struct config_ctx *ctx, const struct yaml_node *node,
    const struct raw_receiver *raw, struct am_receiver *out)
{
	struct label *l = ARENA_ARRAY(ctx->arena, struct label, raw->labels.n + 1);
	size_t n = 0;
	l[n++] = (struct label){SL("name"), raw->name};
	for (size_t i = 0; i < raw->labels.n; i++) {
		const struct config_pair *p = &raw->labels.v[i];
		bool is_name = slice_eq(p->name, SL("name"));
		if (is_name && !slice_eq(p->value, raw->name))
			config_error(ctx, yaml_get(node, "labels"),
			    "label \"name\" of receiver \"%" SL_FMT "\" must be the receiver's name",
			    SL_ARG(raw->name));
		if (!is_name)
			l[n++] = (struct label){p->name, p->value};
	}
	struct err err;
	if (labels_from_pairs(ctx->arena, l, n, &out->labels, &err)) {
		config_error(ctx, yaml_get(node, "labels"), "%s", err.msg);
		out->labels = &labels_empty;
	}
}

static void add_receiver(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct receiver_list *list = arg;
	struct raw_receiver raw = {0};
	config_decode(ctx, item, "config.plain", receiver_fields, ARRAY_LEN(receiver_fields), &raw);
	struct am_receiver r = {.name = raw.name, .line = item->line, .column = item->column};
	if (raw.name.len == 0)
		config_error(ctx, item, "missing name in receiver");
	for (size_t i = 0; i < list->vec.len; i++)
		if (raw.name.len > 0 && slice_eq(list->vec.v[i].name, raw.name))
			config_error(ctx, yaml_get(item, "name"),
			    "notification config name \"%" SL_FMT "\" is not unique", SL_ARG(raw.name));
	decode_receiver_labels(ctx, item, &raw, &r);
	decode_integrations(ctx, &raw, list->global, &r);
	receiver_vec_push(&list->vec, r);
}

static void decode_receivers(struct config_ctx *ctx, const struct yaml_node *node, struct am_config *out)
{
	struct receiver_list list = {.global = &out->global};
	config_decode_list(ctx, node, "receivers", add_receiver, &list);
	out->n_receivers = list.vec.len;
	out->receivers = ARENA_ARRAY(ctx->arena, struct am_receiver, list.vec.len);
	if (list.vec.len > 0)
		memcpy(out->receivers, list.vec.v, list.vec.len * sizeof(*list.vec.v));
	receiver_vec_done(&list.vec);
}

/* --- time intervals ---------------------------------------------------------------------------------------------- */
static void add_interval(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	time_interval_decode(ctx, item, interval_vec_add(arg));
}

static void decode_intervals(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_time_interval *t = CONTAINER_OF(field, struct am_time_interval, intervals);
	struct interval_vec vec = {0};
	config_decode_list(ctx, node, "time_intervals", add_interval, &vec);
	t->n_intervals = vec.len;
	t->intervals = ARENA_ARRAY(ctx->arena, struct time_interval, vec.len);
	if (vec.len > 0)
		memcpy(t->intervals, vec.v, vec.len * sizeof(*vec.v));
	interval_vec_done(&vec);
}

static const struct config_field named_interval_fields[] = {
    {"name", CONFIG_STRING, offsetof(struct am_time_interval, name)},
    {"time_intervals", CONFIG_CUSTOM, offsetof(struct am_time_interval, intervals),
	.decode = decode_intervals},
};

struct named_interval_list {
	const char *noun; /* "time interval", "mute time interval" */
	struct named_interval_vec vec;
};

static void add_named_interval(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct named_interval_list *list = arg;
	struct am_time_interval t = {0};
	config_decode(ctx, item, "config.plain", named_interval_fields, ARRAY_LEN(named_interval_fields), &t);
	if (t.name.len == 0)
		config_error(ctx, item, "missing name in %s", list->noun);
	for (size_t i = 0; i < list->vec.len; i++)
		if (t.name.len > 0 && slice_eq(list->vec.v[i].name, t.name))
			config_error(ctx, yaml_get(item, "name"), "%s \"%" SL_FMT "\" is not unique",
			    list->noun, SL_ARG(t.name));
	named_interval_vec_push(&list->vec, t);
}

/* Both spellings share one space of names. */
static void decode_named_intervals(
    struct config_ctx *ctx, const struct yaml_node *mute, const struct yaml_node *both, struct am_config *out)
{
	struct named_interval_list list = {.noun = "mute time interval"};
	if (mute)
		config_decode_list(ctx, mute, "mute_time_intervals", add_named_interval, &list);
	list.noun = "time interval";
	if (both)
		config_decode_list(ctx, both, "time_intervals", add_named_interval, &list);
	out->n_time_intervals = list.vec.len;
	out->time_intervals = ARENA_ARRAY(ctx->arena, struct am_time_interval, list.vec.len);
	if (list.vec.len > 0)
		memcpy(out->time_intervals, list.vec.v, list.vec.len * sizeof(*list.vec.v));
	named_interval_vec_done(&list.vec);
}

const struct am_receiver *am_config_receiver(const struct am_config *c, struct slice name)
{
	for (size_t i = 0; i < c->n_receivers; i++)
		if (slice_eq(c->receivers[i].name, name))
			return &c->receivers[i];
	return NULL;
}

const struct am_time_interval *am_config_time_interval(const struct am_config *c, struct slice name)
{
	for (size_t i = 0; i < c->n_time_intervals; i++)
		if (slice_eq(c->time_intervals[i].name, name))
			return &c->time_intervals[i];
	return NULL;
}

/* --- names across blocks ----------------------------------------------------------------------------------------- */
static void check_interval_names(struct config_ctx *ctx, const struct yaml_node *node, const char *key,
    const struct am_config *c, const struct config_strings *names)
{
	const struct yaml_node *list = yaml_get(node, key);
	for (size_t i = 0; i < names->n; i++)
		if (!am_config_time_interval(c, names->v[i]))
			config_error(ctx, list && list->kind == YAML_LIST ? list->items[i] : list,
			    "undefined time interval \"%" SL_FMT "\" used in route", SL_ARG(names->v[i]));
}

static void check_route_names(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_config *c, const struct am_route *r)
{
	if (node->kind != YAML_MAP)
		return;
	if (r->receiver.len > 0 && !am_config_receiver(c, r->receiver))
		config_error(ctx, yaml_get(node, "receiver"),
		    "undefined receiver \"%" SL_FMT "\" used in route", SL_ARG(r->receiver));
	check_interval_names(ctx, node, "mute_time_intervals", c, &r->mute_time_intervals);
	check_interval_names(ctx, node, "active_time_intervals", c, &r->active_time_intervals);
	const struct yaml_node *routes = yaml_get(node, "routes");
	for (size_t i = 0; routes && routes->kind == YAML_LIST && i < r->n_routes && i < routes->n; i++)
		check_route_names(ctx, routes->items[i], c, r->routes[i]);
}

/* --- the document ------------------------------------------------------------------------------------------------ */
struct raw_config {
	const struct yaml_node *global, *route, *inhibit_rules, *receivers, *time_intervals,
	    *mute_time_intervals;
	const struct yaml_node *tracing, *event_recorder;
	struct config_strings templates;
};

#define NODE_ROW(member)                                                                                     \
	{                                                                                                    \
#member, CONFIG_CUSTOM, offsetof(struct raw_config, member), .decode = keep_node             \
	}

static const struct config_field config_fields[] = {
    NODE_ROW(global),
    NODE_ROW(route),
    NODE_ROW(inhibit_rules),
    NODE_ROW(receivers),
    NODE_ROW(time_intervals),
    NODE_ROW(mute_time_intervals),
    NODE_ROW(tracing),
    NODE_ROW(event_recorder),
    {"templates", CONFIG_STRING_LIST, offsetof(struct raw_config, templates)},
};

static void decode_document(struct config_ctx *ctx, const struct yaml_node *root, struct am_config *out)
{
	struct raw_config raw = {0};
	config_decode(ctx, root, "config.plain", config_fields, ARRAY_LEN(config_fields), &raw);
	am_global_decode(ctx, raw.global, &out->global);
	decode_named_intervals(ctx, raw.mute_time_intervals, raw.time_intervals, out);
	if (raw.receivers)
		decode_receivers(ctx, raw.receivers, out);
	if (raw.inhibit_rules)
		am_inhibit_rules_decode(ctx, raw.inhibit_rules, out);
	out->templates = raw.templates;
	for (size_t i = 0; i < raw.templates.n; i++)
		out->templates.v[i] = config_resolve_path(ctx, raw.templates.v[i]);
	if (raw.tracing)
		config_warn(ctx, raw.tracing, "tracing is not implemented: the block is ignored");
	if (raw.event_recorder)
		config_warn(
		    ctx, raw.event_recorder, "event_recorder is not implemented: the block is ignored");
	if (!raw.route) {
		config_error(ctx, root->kind == YAML_MAP ? root : NULL, "no routes provided");
		return;
	}
	out->route = ARENA_NEW(ctx->arena, struct am_route);
	am_route_decode(ctx, raw.route, out->route, true);
	check_route_names(ctx, raw.route, out, out->route);
}

static bool finish(
    struct config_ctx *ctx, const struct yaml_node *root, struct slice content, struct am_config **out)
{
	struct am_config *c = ARENA_NEW(ctx->arena, struct am_config);
	c->file = ctx->file;
	decode_document(ctx, root, c);
	struct strbuf sb = STRBUF_INIT;
	config_print_redacted(&sb, root);
	c->text = arena_slice(ctx->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	c->content_hash = hash64(content.ptr, content.len) & 0xffffffffffff;
	if (config_has_errors(ctx->errors))
		return false;
	*out = c;
	return true;
}

bool am_config_load(
    const char *path, struct arena *arena, struct config_error_vec *errors, struct am_config **out)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice content;
	return config_read_yaml(arena, path, errors, &ctx, &root, &content) &&
	       finish(&ctx, root, content, out);
}

bool am_config_parse(struct slice text, const char *file, struct arena *arena,
    struct config_error_vec *errors, struct am_config **out)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice name = arena_slice(arena, slice_cstr(file));
	return config_parse_yaml(arena, name, text, errors, &ctx, &root) && finish(&ctx, root, text, out);
}
