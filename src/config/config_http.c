#include "config/config_http.h"

#include "config/printer.h"
#include "net/url.h"

#include <ctype.h>

#define AT(type, member) offsetof(struct type, member)

/* clang-format off */
const struct config_field config_tls_fields[CONFIG_TLS_FIELDS] = {
	{"ca", CONFIG_STRING, AT(config_tls, ca)},
	{"cert", CONFIG_STRING, AT(config_tls, cert)},
	{"key", CONFIG_SECRET, AT(config_tls, key)},
	{"ca_file", CONFIG_PATH, AT(config_tls, ca_file)},
	{"cert_file", CONFIG_PATH, AT(config_tls, cert_file)},
	{"key_file", CONFIG_PATH, AT(config_tls, key_file)},
	{"ca_ref", CONFIG_STRING, AT(config_tls, ca_ref)},
	{"cert_ref", CONFIG_STRING, AT(config_tls, cert_ref)},
	{"key_ref", CONFIG_STRING, AT(config_tls, key_ref)},
	{"server_name", CONFIG_STRING, AT(config_tls, server_name)},
	{"insecure_skip_verify", CONFIG_BOOL, AT(config_tls, insecure_skip_verify), .prints_zero = true},
	{"min_version", CONFIG_STRING, AT(config_tls, min_version)},
	{"max_version", CONFIG_STRING, AT(config_tls, max_version)},
};

static const struct config_field basic_auth_fields[] = {
	{"username", CONFIG_STRING, AT(config_basic_auth, username)},
	{"username_file", CONFIG_PATH, AT(config_basic_auth, username_file)},
	{"username_ref", CONFIG_STRING, AT(config_basic_auth, username_ref)},
	{"password", CONFIG_SECRET, AT(config_basic_auth, password)},
	{"password_file", CONFIG_PATH, AT(config_basic_auth, password_file)},
	{"password_ref", CONFIG_STRING, AT(config_basic_auth, password_ref)},
};

static const struct config_field authorization_fields[] = {
	{"type", CONFIG_STRING, AT(config_authorization, type)},
	{"credentials", CONFIG_SECRET, AT(config_authorization, credentials)},
	{"credentials_file", CONFIG_PATH, AT(config_authorization, credentials_file)},
	{"credentials_ref", CONFIG_STRING, AT(config_authorization, credentials_ref)},
};
/* clang-format on */

/* Blocks of their own. */

void config_tls_check(struct config_ctx *ctx, const struct yaml_node *at, const struct config_tls *t)
{
	static const char *const versions[] = {"TLS10", "TLS11", "TLS12", "TLS13"};
	size_t place[2] = {0, ARRAY_LEN(versions)};
	const struct slice given[2] = {t->min_version, t->max_version};
	for (size_t k = 0; k < 2; k++) {
		if (given[k].len == 0)
			continue;
		size_t i = 0;
		while (i < ARRAY_LEN(versions) && !slice_eq_cstr(given[k], versions[i]))
			i++;
		place[k] = i;
		if (i == ARRAY_LEN(versions))
			config_error(ctx, at,
			    "unknown TLS version: %" SL_FMT " (TLS10, TLS11, TLS12 or TLS13)",
			    SL_ARG(given[k]));
	}
	if (given[0].len && given[1].len && place[0] > place[1])
		config_error(ctx, at,
		    "tls_config.max_version must be greater than or equal to tls_config.min_version if both "
		    "are specified");
	if (!!t->ca.len + !!t->ca_file.len + !!t->ca_ref.len > 1)
		config_error(ctx, at, "at most one of ca, ca_file & ca_ref must be configured");
	int certs = !!t->cert.len + !!t->cert_file.len + !!t->cert_ref.len;
	int keys = !!t->key.len + !!t->key_file.len + !!t->key_ref.len;
	if (certs > 1)
		config_error(ctx, at, "at most one of cert, cert_file & cert_ref must be configured");
	if (keys > 1)
		config_error(ctx, at, "at most one of key and key_file must be configured");
	if (certs > 0 && keys == 0)
		config_error(ctx, at,
		    "exactly one of key or key_file must be configured when a client certificate is "
		    "configured");
	if (keys > 0 && certs == 0)
		config_error(ctx, at,
		    "exactly one of cert or cert_file must be configured when a client key is configured");
}

void config_decode_tls(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_tls *tls = field;
	tls->is_set = true;
	if (config_decode(ctx, node, "config.TLSConfig", config_tls_fields, CONFIG_TLS_FIELDS, tls))
		config_tls_check(ctx, node, tls);
}

void config_print_tls(struct config_printer *p, const char *key, const void *field)
{
	const struct config_tls *tls = field;
	if (!tls->is_set)
		return;
	config_print_open(p, key);
	config_print_fields(p, config_tls_fields, CONFIG_TLS_FIELDS, tls);
	config_print_close(p);
}

static void decode_basic_auth(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_basic_auth *a = field;
	a->is_set = true;
	if (!config_decode(ctx, node, "config.BasicAuth", basic_auth_fields, ARRAY_LEN(basic_auth_fields), a))
		return;
	if (!!a->username.len + !!a->username_file.len + !!a->username_ref.len > 1)
		config_error(ctx, node,
		    "at most one of basic_auth username, username_file & username_ref must be configured");
	if (!!a->password.len + !!a->password_file.len + !!a->password_ref.len > 1)
		config_error(ctx, node,
		    "at most one of basic_auth password, password_file & password_ref must be configured");
}

static void print_basic_auth(struct config_printer *p, const char *key, const void *field)
{
	if (!((const struct config_basic_auth *)field)->is_set)
		return;
	config_print_open(p, key);
	config_print_fields(p, basic_auth_fields, ARRAY_LEN(basic_auth_fields), field);
	config_print_close(p);
}

static void decode_authorization(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_authorization *a = field;
	a->is_set = true;
	if (!config_decode(
		ctx, node, "config.Authorization", authorization_fields, ARRAY_LEN(authorization_fields), a))
		return;
	a->type = slice_trim(a->type);
	if (a->type.len == 0)
		a->type = SL("Bearer");
	if (slice_eq_nocase(a->type, SL("basic")))
		config_error(
		    ctx, node, "authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
	if (!!a->credentials.len + !!a->credentials_file.len + !!a->credentials_ref.len > 1)
		config_error(ctx, node,
		    "at most one of authorization credentials & credentials_file must be configured");
}

static void print_authorization(struct config_printer *p, const char *key, const void *field)
{
	if (!((const struct config_authorization *)field)->is_set)
		return;
	config_print_open(p, key);
	config_print_fields(p, authorization_fields, ARRAY_LEN(authorization_fields), field);
	config_print_close(p);
}

/* Headers. */

/* The canonical form of Go: letters after a dash are upper case. */
static struct slice canonical_header(struct arena *arena, struct slice name)
{
	char *out = arena_strdup(arena, name);
	bool is_first = true;
	for (size_t i = 0; i < name.len; i++) {
		out[i] = (char)(is_first ? toupper((unsigned char)out[i]) : tolower((unsigned char)out[i]));
		is_first = out[i] == '-';
	}
	return slice_of(out, name.len);
}

static bool is_reserved_header(struct slice canonical)
{
	static const char *const names[] = {"Authorization", "Host", "Content-Encoding", "Content-Length",
	    "Content-Type", "User-Agent", "Connection", "Keep-Alive", "Proxy-Authenticate",
	    "Proxy-Authorization", "Www-Authenticate", "Accept-Encoding", "X-Prometheus-Remote-Write-Version",
	    "X-Prometheus-Remote-Read-Version", "X-Prometheus-Scrape-Timeout-Seconds", "X-Amz-Date",
	    "X-Amz-Security-Token", "X-Amz-Content-Sha256"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_cstr(canonical, names[i]))
			return true;
	return false;
}

static const struct config_field header_fields[] = {
    {"values", CONFIG_STRING_LIST, AT(config_header, values)},
    {"secrets", CONFIG_STRING_LIST, AT(config_header, secrets)},
    {"files", CONFIG_STRING_LIST, AT(config_header, files)},
};

static bool open_header_map(struct config_ctx *ctx, const struct yaml_node *node, struct config_headers *out)
{
	if (node->kind != YAML_MAP) {
		config_error(ctx, node, "yaml: unmarshal errors: a map of header names is wanted here");
		return false;
	}
	out->v = ARENA_ARRAY(ctx->arena, struct config_header, node->n);
	out->n = node->n;
	return true;
}

static void decode_http_headers(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_headers *out = field;
	if (!open_header_map(ctx, node, out))
		return;
	for (size_t i = 0; i < node->n; i++) {
		struct config_header *h = &out->v[i];
		h->name = canonical_header(ctx->arena, node->keys[i]->text);
		if (is_reserved_header(h->name))
			config_error(ctx, node->keys[i], "setting header \"%" SL_FMT "\" is not allowed",
			    SL_ARG(h->name));
		config_decode(
		    ctx, node->items[i], "config.Header", header_fields, ARRAY_LEN(header_fields), h);
		for (size_t k = 0; k < h->files.n; k++)
			h->files.v[k] = config_resolve_path(ctx, h->files.v[k]);
	}
}

static void print_masked_list(struct config_printer *p, const char *key, const struct config_strings *list)
{
	if (list->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < list->n; i++)
		strbuf_addf(p->out, "%*s- " CONFIG_SECRET_MASK "\n", 2 * (p->depth - 1), "");
	config_print_close(p);
}

static void print_http_headers(struct config_printer *p, const char *key, const void *field)
{
	const struct config_headers *headers = field;
	if (headers->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < headers->n; i++) {
		const struct config_header *h = &headers->v[i];
		config_print_open_slice(p, h->name);
		config_print_list(p, "values", &h->values);
		print_masked_list(p, "secrets", &h->secrets);
		config_print_list(p, "files", &h->files);
		config_print_close(p);
	}
	config_print_close(p);
}

static void decode_proxy_header(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_headers *out = field;
	if (!open_header_map(ctx, node, out))
		return;
	for (size_t i = 0; i < node->n; i++) {
		out->v[i].name = canonical_header(ctx->arena, node->keys[i]->text);
		config_decode_strings(ctx, node->items[i], &out->v[i].secrets);
	}
}

static void print_proxy_header(struct config_printer *p, const char *key, const void *field)
{
	const struct config_headers *headers = field;
	if (headers->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < headers->n; i++) {
		char *name = slice_dup(headers->v[i].name);
		print_masked_list(p, name, &headers->v[i].secrets);
		free(name);
	}
	config_print_close(p);
}

/* Proxies. */

/* clang-format off */
#define PROXY_ROWS(base)                                                                        \
	{"proxy_url", CONFIG_URL, (base) + AT(config_proxy, proxy_url)},                     \
	{"no_proxy", CONFIG_STRING, (base) + AT(config_proxy, no_proxy)},                       \
	{"proxy_from_environment", CONFIG_BOOL, (base) + AT(config_proxy, proxy_from_environment)}, \
	{"proxy_connect_header", CONFIG_CUSTOM, (base) + AT(config_proxy, proxy_connect_header),    \
	    .decode = decode_proxy_header, .print = print_proxy_header}
/* clang-format on */

static void check_proxy(struct config_ctx *ctx, const struct yaml_node *at, const struct config_proxy *p)
{
	if (p->proxy_from_environment && p->proxy_url.len)
		config_error(
		    ctx, at, "if proxy_from_environment is configured, proxy_url must not be configured");
	if (p->proxy_from_environment && p->no_proxy.len)
		config_error(
		    ctx, at, "if proxy_from_environment is configured, no_proxy must not be configured");
	if (!p->proxy_from_environment && !p->proxy_url.len && p->no_proxy.len)
		config_error(ctx, at, "if no_proxy is configured, proxy_url must also be configured");
	if (!p->proxy_from_environment && !p->proxy_url.len && p->proxy_connect_header.n)
		config_error(ctx, at,
		    "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be "
		    "configured");
}

/* OAuth 2. */

/* clang-format off */
static const struct config_field oauth2_fields[] = {
	{"client_id", CONFIG_STRING, AT(config_oauth2, client_id)},
	{"client_secret", CONFIG_SECRET, AT(config_oauth2, client_secret)},
	{"client_secret_file", CONFIG_PATH, AT(config_oauth2, client_secret_file)},
	{"client_secret_ref", CONFIG_STRING, AT(config_oauth2, client_secret_ref)},
	{"client_certificate_key_id", CONFIG_STRING, AT(config_oauth2, client_certificate_key_id)},
	{"client_certificate_key", CONFIG_SECRET, AT(config_oauth2, client_certificate_key)},
	{"client_certificate_key_file", CONFIG_PATH, AT(config_oauth2, client_certificate_key_file)},
	{"client_certificate_key_ref", CONFIG_STRING, AT(config_oauth2, client_certificate_key_ref)},
	{"grant_type", CONFIG_STRING, AT(config_oauth2, grant_type)},
	{"signature_algorithm", CONFIG_STRING, AT(config_oauth2, signature_algorithm)},
	{"iss", CONFIG_STRING, AT(config_oauth2, iss)},
	{"audience", CONFIG_STRING, AT(config_oauth2, audience)},
	{"claims", CONFIG_LABELS, AT(config_oauth2, claims)},
	{"scopes", CONFIG_STRING_LIST, AT(config_oauth2, scopes)},
	{"token_url", CONFIG_URL, AT(config_oauth2, token_url)},
	{"endpoint_params", CONFIG_LABELS, AT(config_oauth2, endpoint_params)},
	{"tls_config", CONFIG_CUSTOM, AT(config_oauth2, tls), .decode = config_decode_tls, .print = config_print_tls},
	PROXY_ROWS(AT(config_oauth2, proxy)),
};
/* clang-format on */

#define JWT_GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"

static void check_oauth2(struct config_ctx *ctx, const struct yaml_node *at, const struct config_oauth2 *o)
{
	if (o->client_id.len == 0)
		config_error(ctx, at, "oauth2 client_id must be configured");
	if (o->token_url.len == 0)
		config_error(ctx, at, "oauth2 token_url must be configured");
	if (!!o->client_secret.len + !!o->client_secret_file.len + !!o->client_secret_ref.len > 1)
		config_error(ctx, at,
		    "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must be "
		    "configured");
	bool is_jwt = slice_eq_cstr(o->grant_type, JWT_GRANT);
	int keys = !!o->client_certificate_key.len + !!o->client_certificate_key_file.len +
		   !!o->client_certificate_key_ref.len;
	if (is_jwt && keys > 1)
		config_error(ctx, at,
		    "at most one of oauth2 client_certificate_key, client_certificate_key_file & "
		    "client_certificate_key_ref must be configured using grant-type=" JWT_GRANT);
	if (o->grant_type.len && !is_jwt && !slice_eq_cstr(o->grant_type, "client_credentials"))
		config_error(ctx, at,
		    "oauth2 grant_type \"%" SL_FMT "\" is unknown (client_credentials or " JWT_GRANT ")",
		    SL_ARG(o->grant_type));
	static const char *const algorithms[] = {"RS256", "RS384", "RS512"};
	bool is_known = o->signature_algorithm.len == 0;
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		is_known |= slice_eq_cstr(o->signature_algorithm, algorithms[i]);
	if (!is_known)
		config_error(ctx, at, "oauth2 signature_algorithm must be one of RS256, RS384, RS512");
	check_proxy(ctx, at, &o->proxy);
}

static void decode_oauth2(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_oauth2 *o = field;
	o->is_set = true;
	if (config_decode(ctx, node, "config.OAuth2", oauth2_fields, ARRAY_LEN(oauth2_fields), o))
		check_oauth2(ctx, node, o);
}

static void print_oauth2(struct config_printer *p, const char *key, const void *field)
{
	if (!((const struct config_oauth2 *)field)->is_set)
		return;
	config_print_open(p, key);
	config_print_fields(p, oauth2_fields, ARRAY_LEN(oauth2_fields), field);
	config_print_close(p);
}

/* The whole block. */

/* clang-format off */
const struct config_field config_http_fields[CONFIG_HTTP_FIELDS] = {
	{"basic_auth", CONFIG_CUSTOM, AT(config_http, basic_auth), .decode = decode_basic_auth, .print = print_basic_auth},
	{"authorization", CONFIG_CUSTOM, AT(config_http, authorization),
	    .decode = decode_authorization, .print = print_authorization},
	{"oauth2", CONFIG_CUSTOM, AT(config_http, oauth2), .decode = decode_oauth2, .print = print_oauth2},
	{"bearer_token", CONFIG_SECRET, AT(config_http, bearer_token)},
	{"bearer_token_file", CONFIG_PATH, AT(config_http, bearer_token_file)},
	{"tls_config", CONFIG_CUSTOM, AT(config_http, tls), .decode = config_decode_tls, .print = config_print_tls},
	{"follow_redirects", CONFIG_BOOL, AT(config_http, follow_redirects), .prints_zero = true},
	{"enable_http2", CONFIG_BOOL, AT(config_http, enable_http2), .prints_zero = true},
	PROXY_ROWS(AT(config_http, proxy)),
	{"http_headers", CONFIG_CUSTOM, AT(config_http, headers), .decode = decode_http_headers, .print = print_http_headers},
};
/* clang-format on */

void config_http_init(struct config_http *h)
{
	*h = (struct config_http){.follow_redirects = true, .enable_http2 = true};
}

bool config_http_has_auth(const struct config_http *h)
{
	return h->basic_auth.is_set || h->authorization.is_set || h->oauth2.is_set || h->bearer_token.len ||
	       h->bearer_token_file.len;
}

static void bearer_to_authorization(struct config_http *h)
{
	h->authorization = (struct config_authorization){.is_set = true,
	    .type = SL("Bearer"),
	    .credentials = h->bearer_token,
	    .credentials_file = h->bearer_token_file};
	h->bearer_token = h->bearer_token_file = SL_EMPTY;
}

void config_http_check(struct config_ctx *ctx, const struct yaml_node *at, struct config_http *h)
{
	bool has_bearer = h->bearer_token.len || h->bearer_token_file.len;
	if (h->bearer_token.len && h->bearer_token_file.len)
		config_error(ctx, at, "at most one of bearer_token & bearer_token_file must be configured");
	if (has_bearer && (h->basic_auth.is_set || h->oauth2.is_set))
		config_error(ctx, at,
		    "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured");
	if (has_bearer && h->authorization.is_set)
		config_error(
		    ctx, at, "authorization is not compatible with bearer_token & bearer_token_file");
	if (h->basic_auth.is_set + h->oauth2.is_set + h->authorization.is_set > 1)
		config_error(ctx, at, "at most one of basic_auth, oauth2 & authorization must be configured");
	if (has_bearer && !h->authorization.is_set)
		bearer_to_authorization(h);
	check_proxy(ctx, at, &h->proxy);
}

void config_decode_http(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode(ctx, node, "config.HTTPClientConfig", config_http_fields, CONFIG_HTTP_FIELDS, field);
	config_http_check(ctx, node, field);
}

bool config_check_url(struct config_ctx *ctx, const struct yaml_node *at, struct slice url)
{
	struct url parts;
	struct err err;
	if (url_parse(url, &parts, &err) < 0) {
		config_error(ctx, at, "%s", err.msg);
		return false;
	}
	if (!slice_eq_cstr(parts.scheme, "http") && !slice_eq_cstr(parts.scheme, "https")) {
		config_error(ctx, at, "URL scheme must be 'http' or 'https'");
		return false;
	}
	if (parts.host.len == 0) {
		config_error(ctx, at, "host is missing in URL");
		return false;
	}
	return true;
}

/* For the client. */

static const char *text_or_null(struct arena *arena, struct slice s)
{
	return s.len ? arena_strdup(arena, s) : NULL;
}

void config_http_auth(const struct config_http *h, struct arena *arena, struct http_client_auth *out)
{
	*out = (struct http_client_auth){
	    .basic_user = text_or_null(arena, h->basic_auth.username),
	    .basic_password = text_or_null(arena, h->basic_auth.password),
	    .basic_user_file = text_or_null(arena, h->basic_auth.username_file),
	    .basic_password_file = text_or_null(arena, h->basic_auth.password_file),
	    .authorization_type = h->authorization.is_set ? text_or_null(arena, h->authorization.type) : NULL,
	    .authorization_credentials = text_or_null(arena, h->authorization.credentials),
	    .authorization_credentials_file = text_or_null(arena, h->authorization.credentials_file),
	    .tls_ca_file = text_or_null(arena, h->tls.ca_file),
	    .tls_cert_file = text_or_null(arena, h->tls.cert_file),
	    .tls_key_file = text_or_null(arena, h->tls.key_file),
	    .tls_insecure_skip_verify = h->tls.insecure_skip_verify,
	    .proxy_url = text_or_null(arena, h->proxy.proxy_url),
	    .no_proxy = text_or_null(arena, h->proxy.no_proxy),
	    .proxy_from_environment = h->proxy.proxy_from_environment,
	    .no_follow_redirects = !h->follow_redirects,
	};
}
