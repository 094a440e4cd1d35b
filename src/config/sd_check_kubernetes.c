/* kubernetes_sd_configs: roles, namespaces, and selectors that fit the role. */
#include "config/sd_check.h"

static const char *const roles[] = {"pod", "service", "endpoints", "endpointslice", "node", "ingress"};

/* Which selectors a role may have. */
static const struct {
	const char *role;
	const char *allowed[4];
	const char *text;
} selector_roles[] = {
    {"pod", {"pod", "node"}, "pod, node"},
    {"service", {"service"}, "service"},
    {"endpointslice", {"pod", "service", "endpointslice"}, "pod, service, endpointslice"},
    {"endpoints", {"pod", "service", "endpoints"}, "pod, service, endpoints"},
    {"node", {"node"}, "node"},
    {"ingress", {"ingress"}, "ingress"},
};

struct selector {
	struct slice role, label, field;
};

static const struct config_field selector_fields[] = {
    {"role", CONFIG_STRING, offsetof(struct selector, role)},
    {"label", CONFIG_STRING, offsetof(struct selector, label)},
    {"field", CONFIG_STRING, offsetof(struct selector, field)},
};

/* name=value, name==value, name!=value, with commas between. */
static void check_field_selector(struct config_ctx *ctx, const struct yaml_node *at, struct slice s)
{
	struct slice rest = s;
	while (rest.len) {
		size_t n = slice_find(rest, ',');
		struct slice part = slice_of(rest.ptr, n);
		if (part.len && slice_find(part, '=') == part.len)
			config_error(ctx, at,
			    "invalid selector: '%" SL_FMT "'; can't understand '%" SL_FMT "' (name=value)",
			    SL_ARG(s), SL_ARG(part));
		rest = n < rest.len ? slice_from(rest, n + 1) : SL_EMPTY;
	}
}

static void check_selector(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	(void)arg;
	struct selector s = {0};
	if (config_decode(
		ctx, item, "kubernetes.SelectorConfig", selector_fields, ARRAY_LEN(selector_fields), &s))
		check_field_selector(ctx, sd_place(item, "field"), s.field);
}

void sd_decode_selectors(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)field;
	config_decode_list(ctx, node, "selectors", check_selector, NULL);
}

struct namespaces {
	struct config_strings names;
	bool own_namespace;
};

void sd_decode_namespaces(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct config_field fields[] = {
	    {"own_namespace", CONFIG_BOOL, offsetof(struct namespaces, own_namespace)},
	    {"names", CONFIG_STRING_LIST, offsetof(struct namespaces, names)},
	};
	(void)field;
	struct namespaces n = {0};
	config_decode(ctx, node, "kubernetes.NamespaceDiscovery", fields, ARRAY_LEN(fields), &n);
}

struct attach {
	bool node, namespace, deployment, job, cronjob;
};

void sd_decode_attach(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct config_field fields[] = {
	    {"node", CONFIG_BOOL, offsetof(struct attach, node)},
	    {"namespace", CONFIG_BOOL, offsetof(struct attach, namespace)},
	    {"deployment", CONFIG_BOOL, offsetof(struct attach, deployment)},
	    {"job", CONFIG_BOOL, offsetof(struct attach, job)},
	    {"cronjob", CONFIG_BOOL, offsetof(struct attach, cronjob)},
	};
	(void)field;
	struct attach a = {0};
	config_decode(ctx, node, "kubernetes.AttachMetadataConfig", fields, ARRAY_LEN(fields), &a);
}

static void check_selector_roles(struct config_ctx *ctx, const struct yaml_node *node, struct slice role)
{
	const struct yaml_node *list = yaml_get(node, "selectors");
	size_t r = 0;
	while (r < ARRAY_LEN(selector_roles) && !slice_eq_cstr(role, selector_roles[r].role))
		r++;
	if (!list || list->kind != YAML_LIST || r == ARRAY_LEN(selector_roles))
		return;
	size_t n_allowed = 0;
	while (n_allowed < 4 && selector_roles[r].allowed[n_allowed])
		n_allowed++;
	for (size_t i = 0; i < list->n; i++) {
		struct slice mine = sd_text(list->items[i], "role", "");
		if (!sd_is_one_of(mine, selector_roles[r].allowed, n_allowed))
			config_error(ctx, list->items[i], "%s role supports only %s selectors",
			    selector_roles[r].role, selector_roles[r].text);
		for (size_t k = 0; k < i; k++)
			if (slice_eq(mine, sd_text(list->items[k], "role", "")))
				config_error(
				    ctx, list->items[i], "duplicated selector role: %" SL_FMT, SL_ARG(mine));
	}
}

SD_CHECK(kubernetes)
{
	struct slice role = sd_text(node, "role", "");
	if (role.len == 0)
		config_error(ctx, node,
		    "role missing (one of: pod, service, endpoints, endpointslice, node, ingress)");
	else if (!sd_is_one_of(role, roles, ARRAY_LEN(roles)))
		config_error(ctx, sd_place(node, "role"),
		    "unknown Kubernetes SD role \"%" SL_FMT
		    "\" (pod, service, endpoints, endpointslice, node or ingress)",
		    SL_ARG(role));
	bool has_file = sd_given(node, "kubeconfig_file"), has_server = sd_given(node, "api_server");
	const struct yaml_node *namespaces = yaml_get(node, "namespaces");
	bool wants_own = namespaces && namespaces->kind == YAML_MAP &&
			 slice_eq_cstr(sd_text(namespaces, "own_namespace", "false"), "true");
	bool has_http =
	    config_http_has_auth(http) || http->tls.is_set || http->proxy.proxy_url.len || http->headers.n;
	if (has_file && has_server)
		config_error(ctx, node, "cannot use 'kubeconfig_file' and 'api_server' simultaneously");
	if (has_file && has_http)
		config_error(ctx, node,
		    "cannot use a custom HTTP client configuration together with 'kubeconfig_file'");
	if (!has_file && !has_server && has_http)
		config_error(ctx, node,
		    "to use custom HTTP client configuration please provide the 'api_server' URL explicitly");
	if (has_file && wants_own)
		config_error(
		    ctx, node, "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously");
	if (has_server && wants_own)
		config_error(
		    ctx, node, "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously");
	check_selector_roles(ctx, node, role);
}
