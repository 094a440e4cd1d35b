#include "config/sd_check.h"

#include "net/url.h"

struct slice sd_text(const struct yaml_node *node, const char *key, const char *if_absent)
{
	const struct yaml_node *v = node->kind == YAML_MAP ? yaml_get(node, key) : NULL;
	return v && v->kind == YAML_SCALAR ? v->text : slice_cstr(if_absent);
}

const struct yaml_node *sd_place(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *v = node->kind == YAML_MAP ? yaml_get(node, key) : NULL;
	return v ? v : node;
}

bool sd_given(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *v = node->kind == YAML_MAP ? yaml_get(node, key) : NULL;
	return v && v->kind != YAML_NULL && (v->kind != YAML_SCALAR || v->text.len > 0);
}

static bool has_entries(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *v = node->kind == YAML_MAP ? yaml_get(node, key) : NULL;
	return v && v->kind == YAML_LIST && v->n > 0;
}

bool sd_is_one_of(struct slice s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq_cstr(s, words[i]))
			return true;
	return false;
}

#define IS_ONE_OF(s, ...)                                                                                    \
	sd_is_one_of((s), (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static void require(
    struct config_ctx *ctx, const struct yaml_node *node, const char *key, const char *message)
{
	if (!sd_given(node, key))
		config_error(ctx, sd_place(node, key), "%s", message);
}

SD_CHECK(azure)
{
	(void)http;
	struct slice method = sd_text(node, "authentication_method", "OAuth");
	if (!IS_ONE_OF(method, "OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"))
		config_error(ctx, sd_place(node, "authentication_method"),
		    "unknown authentication_type \"%" SL_FMT
		    "\". Supported types are \"OAuth\", \"ManagedIdentity\", \"SDK\" or \"WorkloadIdentity\"",
		    SL_ARG(method));
	require(ctx, node, "subscription_id", "azure SD configuration requires a subscription_id");
	if (!slice_eq_cstr(method, "OAuth"))
		return;
	require(ctx, node, "tenant_id", "azure SD configuration requires a tenant_id");
	require(ctx, node, "client_id", "azure SD configuration requires a client_id");
	require(ctx, node, "client_secret", "azure SD configuration requires a client_secret");
}

SD_CHECK(consul)
{
	if (yaml_get(node, "server"))
		require(ctx, node, "server", "consul SD configuration requires a server address");
	bool has_login = sd_given(node, "username") || sd_given(node, "password");
	if (has_login && config_http_has_auth(http))
		config_error(ctx, node,
		    "at most one of consul SD configuration username and password and basic auth can be "
		    "configured");
}

SD_CHECK(dns)
{
	(void)http;
	if (!has_entries(node, "names"))
		config_error(ctx, node, "DNS-SD config must contain at least one SRV record name");
	struct slice type = sd_text(node, "type", "SRV");
	if (!IS_ONE_OF(type, "SRV", "srv", "A", "a", "AAAA", "aaaa", "MX", "mx", "NS", "ns"))
		config_error(ctx, sd_place(node, "type"),
		    "invalid DNS-SD records type %" SL_FMT " (SRV, A, AAAA, MX or NS)", SL_ARG(type));
	else if (!slice_eq_nocase(type, SL("SRV")) && !sd_given(node, "port"))
		config_error(
		    ctx, node, "a port is required in DNS-SD configs for all record types except SRV");
}

static void check_host_url(struct config_ctx *ctx, const struct yaml_node *node)
{
	struct url parts;
	struct err err;
	struct slice host = sd_text(node, "host", "");
	if (host.len == 0)
		config_error(ctx, sd_place(node, "host"), "host missing");
	else if (url_parse(host, &parts, &err) < 0)
		config_error(ctx, sd_place(node, "host"), "%s", err.msg);
}

SD_CHECK(docker)
{
	(void)http;
	check_host_url(ctx, node);
}

SD_CHECK(dockerswarm)
{
	(void)http;
	check_host_url(ctx, node);
	struct slice role = sd_text(node, "role", "");
	if (role.len == 0)
		config_error(ctx, node, "role missing (one of: tasks, services, nodes)");
	else if (!IS_ONE_OF(role, "tasks", "services", "nodes"))
		config_error(ctx, sd_place(node, "role"),
		    "invalid role %" SL_FMT ", expected tasks, services, or nodes", SL_ARG(role));
}

SD_CHECK(eureka)
{
	(void)http;
	struct slice server = sd_text(node, "server", "");
	struct url parts;
	if (server.len == 0)
		config_error(ctx, sd_place(node, "server"), "eureka_sd: empty or null eureka server");
	else if (url_parse(server, &parts, NULL) < 0 || parts.scheme.len == 0 || parts.host.len == 0)
		config_error(
		    ctx, sd_place(node, "server"), "invalid eureka server URL (http://host:port/path)");
}

/* One `*` in the last element of the path at most, and a known ending. */
static bool is_file_pattern(struct slice s)
{
	size_t star = slice_find(s, '*');
	struct slice rest = slice_from(s, star);
	bool is_last = star == s.len || slice_find(rest, '/') == rest.len;
	return is_last &&
	       (slice_ends(s, SL(".json")) || slice_ends(s, SL(".yml")) || slice_ends(s, SL(".yaml")));
}

SD_CHECK(file)
{
	(void)http;
	if (!has_entries(node, "files")) {
		config_error(ctx, node, "file service discovery config must contain at least one path name");
		return;
	}
	const struct yaml_node *files = yaml_get(node, "files");
	for (size_t i = 0; i < files->n; i++)
		if (!is_file_pattern(files->items[i]->text))
			config_error(ctx, files->items[i],
			    "path name \"%" SL_FMT
			    "\" is not valid for file discovery (*.json, *.yml or *.yaml, with a * in the "
			    "last part only)",
			    SL_ARG(files->items[i]->text));
}

SD_CHECK(gce)
{
	(void)http;
	require(ctx, node, "project", "GCE SD configuration requires a project");
	require(ctx, node, "zone", "GCE SD configuration requires a zone");
}

SD_CHECK(hetzner)
{
	(void)http;
	struct slice role = sd_text(node, "role", "");
	if (role.len == 0)
		config_error(ctx, node, "role missing (one of: robot, hcloud)");
	else if (!IS_ONE_OF(role, "robot", "hcloud"))
		config_error(ctx, sd_place(node, "role"), "unknown role \"%" SL_FMT "\" (robot or hcloud)",
		    SL_ARG(role));
}

SD_CHECK(http)
{
	(void)http;
	struct slice url = sd_text(node, "url", "");
	if (url.len == 0)
		config_error(ctx, sd_place(node, "url"), "URL is missing");
	else
		config_check_url(ctx, sd_place(node, "url"), url);
}

SD_CHECK(ionos)
{
	(void)http;
	require(ctx, node, "datacenter_id", "datacenter id can't be empty");
}

SD_CHECK(kuma)
{
	(void)http;
	struct slice server = sd_text(node, "server", "");
	struct url parts;
	if (server.len == 0)
		config_error(ctx, node, "kuma SD server must not be empty: %s", "server URL is missing");
	else if (url_parse(server, &parts, NULL) < 0 || parts.scheme.len == 0 || parts.host.len == 0)
		config_error(ctx, sd_place(node, "server"),
		    "kuma SD server must not be empty and have a scheme: %" SL_FMT, SL_ARG(server));
}

SD_CHECK(marathon)
{
	if (!has_entries(node, "servers"))
		config_error(ctx, node, "marathon_sd: must contain at least one Marathon server");
	bool has_token = sd_given(node, "auth_token"), has_file = sd_given(node, "auth_token_file");
	if (has_token && has_file)
		config_error(
		    ctx, node, "marathon_sd: at most one of auth_token & auth_token_file must be configured");
	if (!has_token && !has_file)
		return;
	if (http->bearer_token.len || http->bearer_token_file.len)
		config_error(ctx, node,
		    "marathon_sd: at most one of bearer_token, bearer_token_file, auth_token & "
		    "auth_token_file must be "
		    "configured");
	if (http->basic_auth.is_set)
		config_error(ctx, node,
		    "marathon_sd: at most one of basic_auth, auth_token & auth_token_file must be "
		    "configured");
	if (http->authorization.is_set)
		config_error(ctx, node,
		    "marathon_sd: at most one of auth_token, auth_token_file & authorization must be "
		    "configured");
}

static void check_zookeeper(struct config_ctx *ctx, const struct yaml_node *node, const char *what)
{
	if (!has_entries(node, "servers"))
		config_error(ctx, node, "%s SD config must contain at least one Zookeeper server", what);
	if (!has_entries(node, "paths"))
		config_error(ctx, node, "%s SD config must contain at least one path", what);
	const struct yaml_node *paths = yaml_get(node, "paths");
	for (size_t i = 0; paths && paths->kind == YAML_LIST && i < paths->n; i++)
		if (!slice_starts(paths->items[i]->text, SL("/")))
			config_error(ctx, paths->items[i], "%s SD config paths must begin with '/': %" SL_FMT,
			    what, SL_ARG(paths->items[i]->text));
}

SD_CHECK(nerve)
{
	(void)http;
	check_zookeeper(ctx, node, "nerve");
}

SD_CHECK(serverset)
{
	(void)http;
	check_zookeeper(ctx, node, "serverset");
}

SD_CHECK(nomad)
{
	(void)http;
	if (yaml_get(node, "server"))
		require(ctx, node, "server", "nomad SD configuration requires a server address");
}

SD_CHECK(openstack)
{
	(void)http;
	struct slice role = sd_text(node, "role", "");
	struct slice availability = sd_text(node, "availability", "public");
	if (!IS_ONE_OF(availability, "public", "internal", "admin"))
		config_error(ctx, sd_place(node, "availability"),
		    "unknown availability %" SL_FMT ", must be one of admin, internal or public",
		    SL_ARG(availability));
	if (role.len == 0)
		config_error(ctx, node, "role missing (one of: instance, hypervisor, loadbalancer)");
	else if (!IS_ONE_OF(role, "instance", "hypervisor", "loadbalancer"))
		config_error(ctx, sd_place(node, "role"),
		    "unknown OpenStack SD role \"%" SL_FMT "\" (instance, hypervisor or loadbalancer)",
		    SL_ARG(role));
	require(ctx, node, "region", "openstack SD configuration requires a region");
}

static void check_secret_key(struct config_ctx *ctx, const struct yaml_node *node)
{
	bool has_key = sd_given(node, "secret_key"), has_file = sd_given(node, "secret_key_file");
	if (!has_key && !has_file)
		config_error(ctx, node, "one of secret_key & secret_key_file must be configured");
	if (has_key && has_file)
		config_error(ctx, node, "at most one of secret_key & secret_key_file must be configured");
}

SD_CHECK(outscale)
{
	(void)http;
	check_secret_key(ctx, node);
	require(ctx, node, "access_key", "outscale SD configuration requires an access_key");
	require(ctx, node, "region", "outscale SD configuration requires a region");
}

SD_CHECK(ovhcloud)
{
	(void)http;
	require(ctx, node, "endpoint", "endpoint can not be empty");
	require(ctx, node, "application_key", "application key can not be empty");
	require(ctx, node, "application_secret", "application secret can not be empty");
	require(ctx, node, "consumer_key", "consumer key can not be empty");
	struct slice service = sd_text(node, "service", "");
	if (!IS_ONE_OF(service, "vps", "dedicated_server"))
		config_error(ctx, sd_place(node, "service"),
		    "unknown service: %" SL_FMT " (vps or dedicated_server)", SL_ARG(service));
}

SD_CHECK(puppetdb)
{
	(void)http;
	struct slice url = sd_text(node, "url", "");
	if (url.len == 0)
		config_error(ctx, node, "URL is missing");
	else
		config_check_url(ctx, sd_place(node, "url"), url);
	require(ctx, node, "query", "query missing");
}

SD_CHECK(scaleway)
{
	(void)http;
	struct slice role = sd_text(node, "role", "");
	if (role.len == 0)
		config_error(ctx, node, "role missing (one of: instance, baremetal)");
	else if (!IS_ONE_OF(role, "instance", "baremetal"))
		config_error(ctx, sd_place(node, "role"),
		    "unknown role \"%" SL_FMT "\" (instance or baremetal)", SL_ARG(role));
	require(ctx, node, "project_id", "project_id is mandatory");
	require(ctx, node, "access_key", "access_key is mandatory");
	check_secret_key(ctx, node);
}

SD_CHECK(stackit)
{
	(void)http;
	struct slice endpoint = sd_text(node, "endpoint", "");
	struct url parts;
	if (endpoint.len && (url_parse(endpoint, &parts, NULL) < 0 || parts.host.len == 0))
		config_error(ctx, sd_place(node, "endpoint"),
		    "invalid endpoint \"%" SL_FMT "\" (https://host)", SL_ARG(endpoint));
	if (endpoint.len == 0)
		require(ctx, node, "project", "stackit SD configuration requires a project");
}

SD_CHECK(triton)
{
	(void)http;
	require(ctx, node, "account", "triton SD configuration requires an account");
	require(ctx, node, "dns_suffix", "triton SD configuration requires a dns_suffix");
	require(ctx, node, "endpoint", "triton SD configuration requires an endpoint");
	struct slice role = sd_text(node, "role", "container");
	if (!IS_ONE_OF(role, "container", "cn"))
		config_error(ctx, sd_place(node, "role"),
		    "triton SD configuration requires role to be 'container' or 'cn'");
}

SD_CHECK(uyuni)
{
	(void)http;
	require(ctx, node, "server", "Uyuni SD configuration requires server host");
	require(ctx, node, "username", "Uyuni SD configuration requires a username");
	require(ctx, node, "password", "Uyuni SD configuration requires a password");
}

/* Blocks within. */

struct filter {
	struct slice name;
	struct config_strings values;
};

static const struct config_field filter_fields[] = {
    {"name", CONFIG_STRING, offsetof(struct filter, name)},
    {"values", CONFIG_STRING_LIST, offsetof(struct filter, values)},
};

static void check_filter(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	const char *if_empty = arg;
	struct filter f = {0};
	if (config_decode(ctx, item, "Filter", filter_fields, ARRAY_LEN(filter_fields), &f) && if_empty &&
	    f.values.n == 0)
		config_error(ctx, item, "%s", if_empty);
}

void sd_decode_filters(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)field;
	config_decode_list(ctx, node, "filters", check_filter, NULL);
}

void sd_decode_ec2_filters(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)field;
	static char message[] = "EC2 SD configuration filter values cannot be empty";
	config_decode_list(ctx, node, "filters", check_filter, message);
}

void sd_decode_tls(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)field;
	struct config_tls tls = {0};
	config_decode_tls(ctx, node, &tls);
}
