#include "config/config_remote.h"

#include "config/printer.h"
#include "net/url.h"

#define W(member) offsetof(struct remote_write_config, member)
#define R(member) offsetof(struct remote_read_config, member)
#define Q(member) offsetof(struct remote_queue_config, member)
#define M(member) offsetof(struct remote_metadata_config, member)
#define S(member) offsetof(struct config_sigv4, member)

/* Headers. */

static bool is_reserved(struct slice name)
{
	static const char *const names[] = {"host", "content-encoding", "content-length", "content-type",
	    "user-agent", "connection", "keep-alive", "proxy-authenticate", "proxy-authorization",
	    "www-authenticate", "accept-encoding", "x-prometheus-remote-write-version",
	    "x-prometheus-remote-read-version", "x-prometheus-scrape-timeout-seconds", "x-amz-date",
	    "x-amz-security-token", "x-amz-content-sha256"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_nocase(name, slice_cstr(names[i])))
			return true;
	return false;
}

void config_check_headers(
    struct config_ctx *ctx, const struct config_pairs *headers, const char *if_authorization)
{
	for (size_t i = 0; i < headers->n; i++) {
		const struct config_pair *h = &headers->v[i];
		struct yaml_node at = {.line = h->line, .column = h->column};
		if (slice_eq_nocase(h->name, SL("authorization")))
			config_error(ctx, &at, "%s", if_authorization);
		else if (is_reserved(h->name))
			config_error(ctx, &at, "%" SL_FMT " is a reserved header. It must not be changed",
			    SL_ARG(h->name));
	}
}

static void check_remote_headers(struct config_ctx *ctx, const struct config_pairs *headers)
{
	config_check_headers(ctx, headers,
	    "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread "
	    "or google_iam "
	    "parameter");
}

/* Queue, metadata, sigv4. */

/* clang-format off */
static const struct config_field queue_fields[] = {
	{"capacity", CONFIG_INT, Q(capacity)},
	{"max_shards", CONFIG_INT, Q(max_shards)},
	{"min_shards", CONFIG_INT, Q(min_shards)},
	{"max_samples_per_send", CONFIG_INT, Q(max_samples_per_send)},
	{"batch_send_deadline", CONFIG_DURATION, Q(batch_send_deadline_ms)},
	{"min_backoff", CONFIG_DURATION, Q(min_backoff_ms)},
	{"max_backoff", CONFIG_DURATION, Q(max_backoff_ms)},
	{"retry_on_http_429", CONFIG_BOOL, Q(retry_on_http_429)},
	{"sample_age_limit", CONFIG_DURATION, Q(sample_age_limit_ms)},
};

static const struct config_field metadata_fields[] = {
	{"send", CONFIG_BOOL, M(send), .prints_zero = true},
	{"send_interval", CONFIG_DURATION, M(send_interval_ms)},
	{"max_samples_per_send", CONFIG_INT, M(max_samples_per_send)},
};

static const struct config_field sigv4_fields[] = {
	{"region", CONFIG_STRING, S(region)},
	{"access_key", CONFIG_STRING, S(access_key)},
	{"secret_key", CONFIG_SECRET, S(secret_key)},
	{"profile", CONFIG_STRING, S(profile)},
	{"role_arn", CONFIG_STRING, S(role_arn)},
	{"external_id", CONFIG_STRING, S(external_id)},
	{"use_fips_sts_endpoint", CONFIG_BOOL, S(use_fips_sts_endpoint)},
};
/* clang-format on */

static void decode_queue(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct remote_queue_config *q = field;
	if (!config_decode(ctx, node, "config.QueueConfig", queue_fields, ARRAY_LEN(queue_fields), q))
		return;
	const struct {
		const char *key;
		int64_t value;
	} positive[] = {{"capacity", q->capacity}, {"max_shards", q->max_shards},
	    {"min_shards", q->min_shards}, {"max_samples_per_send", q->max_samples_per_send}};
	for (size_t i = 0; i < ARRAY_LEN(positive); i++)
		if (positive[i].value <= 0)
			config_error(ctx, yaml_get(node, positive[i].key),
			    "remote write queue %s must be positive", positive[i].key);
	if (q->max_backoff_ms < q->min_backoff_ms)
		config_error(ctx, node, "remote write queue max_backoff must not be less than min_backoff");
	if (q->max_shards > 0 && q->max_shards < q->min_shards)
		config_error(ctx, node, "remote write queue max_shards must not be less than min_shards");
}

static void print_queue(struct config_printer *p, const char *key, const void *field)
{
	config_print_open(p, key);
	config_print_fields(p, queue_fields, ARRAY_LEN(queue_fields), field);
	config_print_close(p);
}

static void decode_metadata(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode(ctx, node, "config.MetadataConfig", metadata_fields, ARRAY_LEN(metadata_fields), field);
}

static void print_metadata(struct config_printer *p, const char *key, const void *field)
{
	config_print_open(p, key);
	config_print_fields(p, metadata_fields, ARRAY_LEN(metadata_fields), field);
	config_print_close(p);
}

void config_decode_sigv4(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_sigv4 *s = field;
	s->is_set = true;
	if (!config_decode(ctx, node, "sigv4.SigV4Config", sigv4_fields, ARRAY_LEN(sigv4_fields), s))
		return;
	if (!s->access_key.len != !s->secret_key.len)
		config_error(ctx, node,
		    "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the "
		    "SigV4 config");
}

void config_print_sigv4(struct config_printer *p, const char *key, const void *field)
{
	if (!((const struct config_sigv4 *)field)->is_set)
		return;
	config_print_open(p, key);
	config_print_fields(p, sigv4_fields, ARRAY_LEN(sigv4_fields), field);
	config_print_close(p);
}

/* azuread and google_iam: their keys are checked, the tree is kept. */

struct azure_block {
	struct slice text[16];
	bool flag;
};

#define A(i) offsetof(struct azure_block, text[i])

static void decode_azure_part(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct config_field fields[] = {
	    {"client_id", CONFIG_STRING, A(0)},
	    {"client_secret", CONFIG_SECRET, A(1)},
	    {"tenant_id", CONFIG_STRING, A(2)},
	    {"token_file_path", CONFIG_PATH, A(3)},
	    {"certificate_path", CONFIG_PATH, A(4)},
	    {"certificate_key_path", CONFIG_PATH, A(5)},
	    {"certificate_password", CONFIG_SECRET, A(6)},
	    {"send_certificate_chain", CONFIG_BOOL, offsetof(struct azure_block, flag)},
	};
	(void)field;
	struct azure_block b = {0};
	config_decode(ctx, node, "azuread authentication", fields, ARRAY_LEN(fields), &b);
}

static void decode_azuread(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct config_field fields[] = {
	    {"cloud", CONFIG_STRING, A(0)},
	    {"scope", CONFIG_STRING, A(1)},
	    {"managed_identity", CONFIG_CUSTOM, A(2), .decode = decode_azure_part},
	    {"workload_identity", CONFIG_CUSTOM, A(3), .decode = decode_azure_part},
	    {"oauth", CONFIG_CUSTOM, A(4), .decode = decode_azure_part},
	    {"sdk", CONFIG_CUSTOM, A(5), .decode = decode_azure_part},
	    {"certificate", CONFIG_CUSTOM, A(6), .decode = decode_azure_part},
	};
	struct azure_block b = {.text[0] = SL_INIT("AzurePublic")};
	*(const struct yaml_node **)field = node;
	if (!config_decode(ctx, node, "azuread.AzureADConfig", fields, ARRAY_LEN(fields), &b))
		return;
	static const char *const clouds[] = {"AzurePublic", "AzureChina", "AzureGovernment"};
	bool is_known = false;
	for (size_t i = 0; i < ARRAY_LEN(clouds); i++)
		is_known |= slice_eq_cstr(b.text[0], clouds[i]);
	if (!is_known)
		config_error(ctx, node,
		    "must provide a cloud in the Azure AD config (AzurePublic, AzureChina or "
		    "AzureGovernment)");
	int methods = 0;
	for (size_t i = 2; i < ARRAY_LEN(fields); i++)
		methods += yaml_get(node, fields[i].key) != NULL;
	if (methods != 1)
		config_error(ctx, node,
		    "%s provide %s Azure Managed Identity, Azure Workload Identity, Azure OAuth, Azure SDK "
		    "or certificate in the "
		    "Azure AD config",
		    methods ? "cannot" : "must", methods ? "more than one of" : "an");
}

static void decode_google_iam(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct config_field fields[] = {{"credentials_file", CONFIG_PATH, 0}};
	struct slice path = SL_EMPTY;
	*(const struct yaml_node **)field = node;
	config_decode(ctx, node, "googleiam.Config", fields, ARRAY_LEN(fields), &path);
}

static void print_tree(struct config_printer *p, const char *key, const void *field)
{
	const struct yaml_node *node = *(const struct yaml_node *const *)field;
	if (!node)
		return;
	config_print_open(p, key);
	config_print_node(p, node);
	config_print_close(p);
}

/* remote_write. */

static void decode_write_relabels(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode_relabels_named(
	    ctx, node, "empty or null relabeling rule in remote write config", field);
}

/* clang-format off */
static const struct config_field write_fields[] = {
	{"url", CONFIG_URL, W(url)},
	{"remote_timeout", CONFIG_DURATION, W(remote_timeout_ms)},
	{"headers", CONFIG_LABELS, W(headers)},
	{"write_relabel_configs", CONFIG_CUSTOM, W(write_relabel),
	    .decode = decode_write_relabels, .print = config_print_relabels},
	{"name", CONFIG_STRING, W(name)},
	{"send_exemplars", CONFIG_BOOL, W(send_exemplars)},
	{"send_native_histograms", CONFIG_BOOL, W(send_native_histograms)},
	{"round_robin_dns", CONFIG_BOOL, W(round_robin_dns)},
	{"failed_request_logging", CONFIG_BOOL, W(failed_request_logging)},
	{"protobuf_message", CONFIG_STRING, W(protobuf_message)},
	{NULL, CONFIG_INLINE, W(http), CONFIG_HTTP_INLINE},
	{"queue_config", CONFIG_CUSTOM, W(queue), .decode = decode_queue, .print = print_queue},
	{"metadata_config", CONFIG_CUSTOM, W(metadata), .decode = decode_metadata, .print = print_metadata},
	{"sigv4", CONFIG_CUSTOM, W(sigv4), .decode = config_decode_sigv4, .print = config_print_sigv4},
	{"azuread", CONFIG_CUSTOM, W(azuread), .decode = decode_azuread, .print = print_tree},
	{"google_iam", CONFIG_CUSTOM, W(google_iam), .decode = decode_google_iam, .print = print_tree},
};

static const struct config_field read_fields[] = {
	{"url", CONFIG_URL, R(url)},
	{"remote_timeout", CONFIG_DURATION, R(remote_timeout_ms)},
	{"chunked_read_limit", CONFIG_UINT, R(chunked_read_limit_bytes)},
	{"headers", CONFIG_LABELS, R(headers)},
	{"read_recent", CONFIG_BOOL, R(read_recent)},
	{"name", CONFIG_STRING, R(name)},
	{NULL, CONFIG_INLINE, R(http), CONFIG_HTTP_INLINE},
	{"required_matchers", CONFIG_LABELS, R(required_matchers)},
	{"filter_external_labels", CONFIG_BOOL, R(filter_external_labels), .prints_zero = true},
};
/* clang-format on */

/* A URL without a scheme, "localhost:9090", is legal upstream; nonsense is not. */
static void check_remote_url(
    struct config_ctx *ctx, const struct yaml_node *item, struct slice url, const char *section)
{
	const struct yaml_node *at = item->kind == YAML_MAP ? yaml_get(item, "url") : NULL;
	struct url parts;
	struct err err;
	if (url.len == 0)
		config_error(ctx, at ? at : item, "url for %s is empty", section);
	else if (slice_find(url, '/') < url.len && url_parse(url, &parts, &err) < 0)
		config_error(ctx, at, "%s", err.msg);
}

static void check_write(struct config_ctx *ctx, const struct yaml_node *item, struct remote_write_config *w)
{
	check_remote_url(ctx, item, w->url, "remote_write");
	check_remote_headers(ctx, &w->headers);
	if (!slice_eq_cstr(w->protobuf_message, "prometheus.WriteRequest") &&
	    !slice_eq_cstr(w->protobuf_message, "io.prometheus.write.v2.Request"))
		config_error(ctx, yaml_get(item, "protobuf_message"),
		    "invalid protobuf_message value: unknown type for remote write protobuf message %" SL_FMT
		    ", supported: prometheus.WriteRequest, io.prometheus.write.v2.Request",
		    SL_ARG(w->protobuf_message));
	config_http_check(ctx, item, &w->http);
	int methods = config_http_has_auth(&w->http) + w->sigv4.is_set + !!w->azuread + !!w->google_iam;
	if (methods > 1)
		config_error(ctx, item,
		    "at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be "
		    "configured");
}

static void decode_write(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct remote_write_configs *out = arg;
	if (item->kind == YAML_NULL) {
		config_error(ctx, item, "empty or null remote write config section");
		return;
	}
	struct remote_write_config *w = &out->v[out->n++];
	*w = (struct remote_write_config){.protobuf_message = SL("prometheus.WriteRequest"),
	    .remote_timeout_ms = 30000,
	    .queue = {.capacity = 10000,
		.max_shards = 50,
		.min_shards = 1,
		.max_samples_per_send = 2000,
		.batch_send_deadline_ms = 5000,
		.min_backoff_ms = 30,
		.max_backoff_ms = 5000},
	    .metadata = {.send = true, .send_interval_ms = 60000, .max_samples_per_send = 2000},
	    .line = item->line,
	    .column = item->column};
	config_http_init(&w->http);
	w->http.enable_http2 = false;
	if (config_decode(ctx, item, "config.RemoteWriteConfig", write_fields, ARRAY_LEN(write_fields), w))
		check_write(ctx, item, w);
	for (size_t i = 0; i + 1 < out->n; i++)
		if (w->name.len && slice_eq(w->name, out->v[i].name))
			config_error(ctx, item,
			    "found multiple remote write configs with job name \"%" SL_FMT "\"",
			    SL_ARG(w->name));
}

void config_decode_remote_writes(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct remote_write_configs *out = field;
	if (node->kind == YAML_LIST)
		out->v = ARENA_ARRAY(ctx->arena, struct remote_write_config, node->n);
	config_decode_list(ctx, node, "remote write configs", decode_write, out);
	if (out->n)
		config_warn(ctx, node,
		    "remote_write: nothing is forwarded yet: the section is read and checked only");
}

static void decode_read(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct remote_read_configs *out = arg;
	if (item->kind == YAML_NULL) {
		config_error(ctx, item, "empty or null remote read config section");
		return;
	}
	struct remote_read_config *r = &out->v[out->n++];
	*r = (struct remote_read_config){.remote_timeout_ms = 60000,
	    .chunked_read_limit_bytes = 50000000,
	    .filter_external_labels = true,
	    .line = item->line,
	    .column = item->column};
	config_http_init(&r->http);
	if (config_decode(ctx, item, "config.RemoteReadConfig", read_fields, ARRAY_LEN(read_fields), r)) {
		check_remote_url(ctx, item, r->url, "remote_read");
		check_remote_headers(ctx, &r->headers);
		config_http_check(ctx, item, &r->http);
	}
	for (size_t i = 0; i + 1 < out->n; i++)
		if (r->name.len && slice_eq(r->name, out->v[i].name))
			config_error(ctx, item,
			    "found multiple remote read configs with job name \"%" SL_FMT "\"",
			    SL_ARG(r->name));
}

void config_decode_remote_reads(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct remote_read_configs *out = field;
	if (node->kind == YAML_LIST)
		out->v = ARENA_ARRAY(ctx->arena, struct remote_read_config, node->n);
	config_decode_list(ctx, node, "remote read configs", decode_read, out);
	if (out->n)
		config_warn(ctx, node,
		    "remote_read: no other server is asked yet: the section is read and checked only");
}

void config_print_remote_writes(struct config_printer *p, const char *key, const void *field)
{
	const struct remote_write_configs *all = field;
	if (all->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < all->n; i++) {
		config_print_item(p);
		config_print_fields(p, write_fields, ARRAY_LEN(write_fields), &all->v[i]);
	}
	config_print_close(p);
}

void config_print_remote_reads(struct config_printer *p, const char *key, const void *field)
{
	const struct remote_read_configs *all = field;
	if (all->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < all->n; i++) {
		config_print_item(p);
		config_print_fields(p, read_fields, ARRAY_LEN(read_fields), &all->v[i]);
	}
	config_print_close(p);
}
