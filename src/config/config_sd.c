/* Each mechanism is a row of `mechanisms`: its keys with their types, and a check of what the types do not say. Values
 * are decoded into cells that nobody reads: that is the check of their types. */
#include "config/config_sd.h"

#include "base/utf8.h"
#include "config/printer.h"
#include "config/sd_check.h"

#include <stdio.h>

enum { SD_MAX_KEYS = 24 };

union sd_cell {
	struct slice text;
	struct config_strings list;
	struct config_pairs pairs;
	uint64_t number;
};

struct sd_scratch {
	struct config_http http;
	union sd_cell cells[SD_MAX_KEYS];
};

struct sd_key {
	const char *key;
	enum config_type type;
	void (*decode)(struct config_ctx *ctx, const struct yaml_node *node, void *field);
};

struct sd_mechanism {
	const char *name;
	bool has_http;
	sd_check_fn check;
	struct sd_key keys[SD_MAX_KEYS];
};

#define TEXT(k)                                                                                              \
	{                                                                                                    \
		k, CONFIG_STRING, NULL                                                                       \
	}
#define SECRET(k)                                                                                            \
	{                                                                                                    \
		k, CONFIG_SECRET, NULL                                                                       \
	}
#define FILE_(k)                                                                                             \
	{                                                                                                    \
		k, CONFIG_PATH, NULL                                                                         \
	}
#define NUMBER(k)                                                                                            \
	{                                                                                                    \
		k, CONFIG_UINT, NULL                                                                         \
	}
#define SWITCH(k)                                                                                            \
	{                                                                                                    \
		k, CONFIG_BOOL, NULL                                                                         \
	}
#define EVERY(k)                                                                                             \
	{                                                                                                    \
		k, CONFIG_DURATION, NULL                                                                     \
	}
#define LIST(k)                                                                                              \
	{                                                                                                    \
		k, CONFIG_STRING_LIST, NULL                                                                  \
	}
#define MAP(k)                                                                                               \
	{                                                                                                    \
		k, CONFIG_LABELS, NULL                                                                       \
	}
#define SUB(k, f)                                                                                            \
	{                                                                                                    \
		k, CONFIG_CUSTOM, f                                                                          \
	}
#define REFRESH EVERY("refresh_interval")
#define PORT    NUMBER("port")

/* clang-format off */
/* X(mechanism, has http keys, check, keys...) */
#define MECHANISMS(X) \
	X(aws, true, NULL, TEXT("role"), TEXT("region"), TEXT("endpoint"), TEXT("access_key"), SECRET("secret_key"), \
	    TEXT("profile"), TEXT("role_arn"), TEXT("external_id"), LIST("clusters"), PORT, REFRESH, \
	    SUB("filters", sd_decode_filters)) \
	X(azure, true, sd_check_azure, TEXT("environment"), PORT, TEXT("subscription_id"), TEXT("tenant_id"), TEXT("client_id"), \
	    SECRET("client_secret"), REFRESH, TEXT("authentication_method"), TEXT("resource_group")) \
	X(consul, true, sd_check_consul, TEXT("server"), TEXT("path_prefix"), SECRET("token"), TEXT("datacenter"), \
	    TEXT("namespace"), TEXT("partition"), TEXT("tag_separator"), TEXT("scheme"), TEXT("username"), SECRET("password"), \
	    SWITCH("allow_stale"), REFRESH, LIST("services"), LIST("tags"), MAP("node_meta"), TEXT("filter"), \
	    TEXT("health_filter")) \
	X(digitalocean, true, NULL, REFRESH, PORT) \
	X(docker, true, sd_check_docker, TEXT("host"), PORT, SUB("filters", sd_decode_filters), TEXT("host_networking_host"), \
	    SWITCH("match_first_network"), REFRESH) \
	X(dockerswarm, true, sd_check_dockerswarm, TEXT("host"), TEXT("role"), PORT, SUB("filters", sd_decode_filters), REFRESH) \
	X(dns, false, sd_check_dns, LIST("names"), REFRESH, TEXT("type"), PORT) \
	X(ec2, true, NULL, TEXT("endpoint"), TEXT("region"), TEXT("access_key"), SECRET("secret_key"), TEXT("profile"), \
	    TEXT("role_arn"), TEXT("external_id"), REFRESH, PORT, SUB("filters", sd_decode_ec2_filters)) \
	X(eureka, true, sd_check_eureka, TEXT("server"), REFRESH) \
	X(file, false, sd_check_file, LIST("files"), REFRESH) \
	X(gce, false, sd_check_gce, TEXT("project"), TEXT("zone"), TEXT("filter"), REFRESH, PORT, TEXT("tag_separator")) \
	X(hetzner, true, sd_check_hetzner, TEXT("role"), REFRESH, PORT, TEXT("label_selector")) \
	X(http, true, sd_check_http, TEXT("url"), REFRESH) \
	X(ionos, true, sd_check_ionos, TEXT("datacenter_id"), REFRESH, PORT) \
	X(kubernetes, true, sd_check_kubernetes, TEXT("api_server"), TEXT("role"), FILE_("kubeconfig_file"), \
	    SUB("namespaces", sd_decode_namespaces), SUB("selectors", sd_decode_selectors), \
	    SUB("attach_metadata", sd_decode_attach)) \
	X(kuma, true, sd_check_kuma, TEXT("server"), REFRESH, EVERY("fetch_timeout"), TEXT("client_id")) \
	X(lightsail, true, NULL, TEXT("endpoint"), TEXT("region"), TEXT("access_key"), SECRET("secret_key"), TEXT("profile"), \
	    TEXT("role_arn"), TEXT("external_id"), REFRESH, PORT) \
	X(linode, true, NULL, REFRESH, PORT, TEXT("tag_separator"), TEXT("region")) \
	X(marathon, true, sd_check_marathon, LIST("servers"), REFRESH, SECRET("auth_token"), FILE_("auth_token_file")) \
	X(nerve, false, sd_check_nerve, LIST("servers"), LIST("paths"), EVERY("timeout")) \
	X(nomad, true, sd_check_nomad, SWITCH("allow_stale"), TEXT("namespace"), REFRESH, TEXT("region"), TEXT("server"), \
	    TEXT("tag_separator")) \
	X(oci, true, NULL, TEXT("region"), TEXT("tenancy"), TEXT("user"), TEXT("fingerprint"), FILE_("key_file"), \
	    SECRET("key_passphrase"), LIST("compartments"), PORT, REFRESH, TEXT("auth"), SECRET("private_key")) \
	X(openstack, false, sd_check_openstack, TEXT("identity_endpoint"), TEXT("username"), TEXT("userid"), SECRET("password"), \
	    TEXT("project_name"), TEXT("project_id"), TEXT("application_credential_name"), TEXT("application_credential_id"), \
	    SECRET("application_credential_secret"), TEXT("domain_name"), TEXT("domain_id"), TEXT("role"), TEXT("region"), \
	    REFRESH, PORT, SWITCH("all_tenants"), TEXT("availability"), SUB("tls_config", sd_decode_tls)) \
	X(outscale, true, sd_check_outscale, TEXT("region"), TEXT("endpoint"), TEXT("access_key"), SECRET("secret_key"), \
	    FILE_("secret_key_file"), PORT, REFRESH) \
	X(ovhcloud, false, sd_check_ovhcloud, TEXT("endpoint"), TEXT("application_key"), SECRET("application_secret"), \
	    SECRET("consumer_key"), REFRESH, TEXT("service")) \
	X(puppetdb, true, sd_check_puppetdb, TEXT("url"), TEXT("query"), SWITCH("include_parameters"), PORT, REFRESH) \
	X(scaleway, true, sd_check_scaleway, TEXT("project_id"), TEXT("api_url"), TEXT("zone"), TEXT("access_key"), \
	    SECRET("secret_key"), FILE_("secret_key_file"), TEXT("name_filter"), LIST("tags_filter"), REFRESH, PORT, TEXT("role")) \
	X(serverset, false, sd_check_serverset, LIST("servers"), LIST("paths"), EVERY("timeout")) \
	X(stackit, true, sd_check_stackit, TEXT("project"), TEXT("region"), TEXT("endpoint"), PORT, REFRESH, \
	    SECRET("service_account_key"), FILE_("service_account_key_path"), SECRET("private_key"), FILE_("private_key_path"), \
	    FILE_("credentials_file_path")) \
	X(triton, false, sd_check_triton, TEXT("account"), TEXT("role"), TEXT("dns_suffix"), TEXT("endpoint"), LIST("groups"), \
	    PORT, REFRESH, NUMBER("version"), SUB("tls_config", sd_decode_tls)) \
	X(uyuni, true, sd_check_uyuni, TEXT("server"), TEXT("username"), SECRET("password"), TEXT("entitlement"), \
	    TEXT("separator"), REFRESH) \
	X(vultr, true, NULL, REFRESH, PORT)

#define ROW(mechanism, http, check, ...) \
	static const struct sd_mechanism sd_##mechanism = {#mechanism, http, check, {__VA_ARGS__}};
MECHANISMS(ROW)
/* clang-format on */

/* The decoder's table, made of the mechanism's keys. */
static size_t make_fields(const struct sd_mechanism *m, struct config_field *fields)
{
	size_t n = 0;
	while (n < SD_MAX_KEYS && m->keys[n].key) {
		fields[n] = (struct config_field){.key = m->keys[n].key,
		    .type = m->keys[n].type,
		    .offset = offsetof(struct sd_scratch, cells) + n * sizeof(union sd_cell),
		    .decode = m->keys[n].decode};
		n++;
	}
	if (m->has_http)
		fields[n++] = (struct config_field){.type = CONFIG_INLINE, CONFIG_HTTP_INLINE};
	return n;
}

static void decode_one(struct config_ctx *ctx, const struct yaml_node *node, const struct sd_mechanism *m,
    struct sd_configs *out)
{
	struct config_field fields[SD_MAX_KEYS + 1];
	size_t n = make_fields(m, fields);
	struct sd_scratch scratch = {0};
	config_http_init(&scratch.http);
	char type[48];
	snprintf(type, sizeof(type), "%s.SDConfig", m->name);
	if (node->kind == YAML_NULL) {
		config_error(ctx, node, "empty or null section in %s_sd_configs", m->name);
		return;
	}
	if (!config_decode(ctx, node, type, fields, n, &scratch))
		return;
	if (m->check)
		m->check(ctx, node, &scratch.http);
	config_http_check(ctx, node, &scratch.http);
	out->v[out->n++] = (struct sd_config){.mechanism = m->name, .node = node, .http = scratch.http};
}

static void decode_mechanism(struct config_ctx *ctx, const struct yaml_node *node,
    const struct sd_mechanism *m, struct sd_configs *out)
{
	if (node->kind != YAML_LIST) {
		config_error(ctx, node,
		    "yaml: unmarshal errors: a list is wanted for %s_sd_configs (begin each with \"- \")",
		    m->name);
		return;
	}
	struct sd_config *all = ARENA_ARRAY(ctx->arena, struct sd_config, out->n + node->n);
	if (out->n)
		memcpy(all, out->v, out->n * sizeof(*all));
	out->v = all;
	for (size_t i = 0; i < node->n; i++)
		decode_one(ctx, node->items[i], m, out);
	if (node->n)
		config_warn(ctx, node,
		    "%s_sd_configs: this discovery mechanism does not run yet: the job gets no targets from "
		    "it",
		    m->name);
}

#define DECODER(mechanism, ...)                                                                              \
	static void decode_##mechanism(struct config_ctx *ctx, const struct yaml_node *node, void *field)    \
	{                                                                                                    \
		decode_mechanism(ctx, node, &sd_##mechanism, field);                                         \
	}
MECHANISMS(DECODER)

/* static_configs. */

static const struct config_field group_fields[] = {
    {"targets", CONFIG_STRING_LIST, offsetof(struct static_group, targets)},
    {"labels", CONFIG_LABELS, offsetof(struct static_group, labels)},
};

static void check_labels(struct config_ctx *ctx, const struct config_pairs *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		const struct config_pair *p = &labels->v[i];
		struct yaml_node at = {.line = p->line, .column = p->column};
		if (!label_name_valid(p->name))
			config_error(ctx, &at, "\"%" SL_FMT "\" is not a valid label name", SL_ARG(p->name));
		if (!utf8_valid(p->value))
			config_error(
			    ctx, &at, "\"%" SL_FMT "\" is not a valid label value", SL_ARG(p->value));
	}
}

static void decode_static(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct static_groups *out = field;
	if (node->kind != YAML_LIST) {
		config_error(ctx, node,
		    "yaml: unmarshal errors: a list of {targets, labels} is wanted for static_configs");
		return;
	}
	out->v = ARENA_ARRAY(ctx->arena, struct static_group, node->n);
	for (size_t i = 0; i < node->n; i++) {
		const struct yaml_node *item = node->items[i];
		if (item->kind == YAML_NULL) {
			config_error(ctx, item, "empty or null section in static_configs");
			continue;
		}
		struct static_group *g = &out->v[out->n++];
		g->line = item->line;
		g->column = item->column;
		if (config_decode(ctx, item, "struct", group_fields, ARRAY_LEN(group_fields), g))
			check_labels(ctx, &g->labels);
	}
}

static void print_static(struct config_printer *p, const char *key, const void *field)
{
	const struct static_groups *groups = field;
	if (groups->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < groups->n; i++) {
		config_print_item(p);
		config_print_fields(p, group_fields, ARRAY_LEN(group_fields), &groups->v[i]);
		config_print_item_end(p);
	}
	config_print_close(p);
}

/* The callback of a row knows its key, and so which of the entries are its own. */
static void print_mechanism(struct config_printer *p, const char *key, const void *field)
{
	const struct sd_configs *all = field;
	size_t name_len = strlen(key) - strlen("_sd_configs");
	bool is_open = false;
	for (size_t i = 0; i < all->n; i++) {
		if (!slice_eq_cstr(slice_of(key, name_len), all->v[i].mechanism))
			continue;
		if (!is_open)
			config_print_open(p, key);
		is_open = true;
		config_print_item(p);
		config_print_node(p, all->v[i].node);
		config_print_item_end(p);
	}
	if (is_open)
		config_print_close(p);
}

#define FIELD(mechanism, ...)                                                                                \
	{#mechanism "_sd_configs", CONFIG_CUSTOM, offsetof(struct target_sources, sd),                       \
	    .decode = decode_##mechanism, .print = print_mechanism},

const struct config_field target_source_fields[TARGET_SOURCE_FIELDS] = {
    {"static_configs", CONFIG_CUSTOM, offsetof(struct target_sources, static_groups), .decode = decode_static,
	.print = print_static},
    MECHANISMS(FIELD)};
