#include "config/config_alerting.h"

#include "config/config_sd.h"
#include "config/printer.h"

#define AT(member) offsetof(struct alertmanager_config, member)

static void decode_target_relabels(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode_relabels_named(ctx, node, "empty or null Alertmanager target relabeling rule", field);
}

static void decode_alert_relabels(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode_relabels_named(ctx, node, "empty or null alert relabeling rule", field);
}

/* clang-format off */
static const struct config_field alertmanager_fields[] = {
	{NULL, CONFIG_INLINE, AT(http), CONFIG_HTTP_INLINE},
	{"sigv4", CONFIG_CUSTOM, AT(sigv4), .decode = config_decode_sigv4, .print = config_print_sigv4},
	{"scheme", CONFIG_STRING, AT(scheme)},
	{"path_prefix", CONFIG_STRING, AT(path_prefix)},
	{"timeout", CONFIG_DURATION, AT(timeout_ms)},
	{"api_version", CONFIG_STRING, AT(api_version)},
	{"relabel_configs", CONFIG_CUSTOM, AT(relabel), .decode = decode_target_relabels, .print = config_print_relabels},
	{"alert_relabel_configs", CONFIG_CUSTOM, AT(alert_relabel),
	    .decode = decode_alert_relabels, .print = config_print_relabels},
	{NULL, CONFIG_INLINE, AT(sources),
	    .inline_fields = target_source_fields, .n_inline_fields = TARGET_SOURCE_FIELDS},
};
/* clang-format on */

static void check_alertmanager(
    struct config_ctx *ctx, const struct yaml_node *item, const struct alertmanager_config *a)
{
	if (!slice_eq_cstr(a->api_version, "v2"))
		config_error(ctx, item,
		    "expected Alertmanager api version to be one of [v2] but got %" SL_FMT
		    " (v1 was removed: use v2)",
		    SL_ARG(a->api_version));
	if (a->sigv4.is_set && config_http_has_auth(&a->http))
		config_error(ctx, item,
		    "at most one of basic_auth, authorization, oauth2, & sigv4 must be configured for "
		    "Alertmanagers");
	if (a->relabel.n)
		return;
	for (size_t i = 0; i < a->sources.static_groups.n; i++) {
		const struct static_group *g = &a->sources.static_groups.v[i];
		for (size_t k = 0; k < g->targets.n; k++)
			if (slice_find(g->targets.v[k], '/') < g->targets.v[k].len)
				config_error(ctx, item,
				    "\"%" SL_FMT
				    "\" is not a valid hostname (host:port, without scheme or path)",
				    SL_ARG(g->targets.v[k]));
	}
}

static void decode_alertmanager(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct alertmanager_configs *out = arg;
	struct alertmanager_config *a = &out->v[out->n++];
	*a = (struct alertmanager_config){.scheme = SL("http"),
	    .timeout_ms = 10000,
	    .api_version = SL("v2"),
	    .line = item->line,
	    .column = item->column};
	config_http_init(&a->http);
	if (!config_decode(ctx, item, "config.AlertmanagerConfig", alertmanager_fields,
		ARRAY_LEN(alertmanager_fields), a))
		return;
	check_alertmanager(ctx, item, a);
	config_http_check(ctx, item, &a->http);
}

static void decode_alertmanagers(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct alertmanager_configs *out = field;
	if (node->kind == YAML_LIST)
		out->v = ARENA_ARRAY(ctx->arena, struct alertmanager_config, node->n);
	config_decode_list(ctx, node, "alertmanagers", decode_alertmanager, out);
}

static void print_alertmanagers(struct config_printer *p, const char *key, const void *field)
{
	const struct alertmanager_configs *all = field;
	if (all->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < all->n; i++) {
		config_print_item(p);
		config_print_fields(p, alertmanager_fields, ARRAY_LEN(alertmanager_fields), &all->v[i]);
		config_print_item_end(p);
	}
	config_print_close(p);
}

static const struct config_field fields[] = {
    {"alert_relabel_configs", CONFIG_CUSTOM, offsetof(struct config_alerting, alert_relabel),
	.decode = decode_alert_relabels, .print = config_print_relabels},
    {"alertmanagers", CONFIG_CUSTOM, offsetof(struct config_alerting, alertmanagers),
	.decode = decode_alertmanagers, .print = print_alertmanagers},
};

void config_decode_alerting(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode(ctx, node, "config.AlertingConfig", fields, ARRAY_LEN(fields), field);
}

void config_print_alerting(struct config_printer *p, const char *key, const void *field)
{
	const struct config_alerting *a = field;
	if (a->alert_relabel.n == 0 && a->alertmanagers.n == 0)
		return;
	config_print_open(p, key);
	config_print_fields(p, fields, ARRAY_LEN(fields), a);
	config_print_close(p);
}
