/* The block of HTTP client settings (`http_config`) that scraping, service discovery, remote storage and the
 * router's receivers share: authentication, TLS, proxies, redirects, extra headers. Inline in most blocks:
 * put one row
 *
 *   {NULL, CONFIG_INLINE, offsetof(struct x, http), CONFIG_HTTP_INLINE},
 *
 * in the block's table, config_http_init() before decoding, config_http_check() after. Lives in the arena of
 * its configuration; immutable afterwards, readable from any thread. */
#pragma once

#include "config/decode.h"
#include "net/http_client.h"

struct config_basic_auth {
	bool is_set;
	struct slice username, username_file, username_ref;
	struct slice password, password_file, password_ref;
};

struct config_authorization {
	bool is_set;
	struct slice type; /* "Bearer" */
	struct slice credentials, credentials_file, credentials_ref;
};

struct config_tls {
	bool is_set;
	struct slice ca, ca_file, ca_ref;
	struct slice cert, cert_file, cert_ref;
	struct slice key, key_file, key_ref;
	struct slice server_name;
	bool insecure_skip_verify;
	struct slice min_version, max_version; /* "TLS12"; empty: the library's */
};

struct config_header {
	struct slice name;
	struct config_strings values, secrets, files;
};

struct config_headers {
	struct config_header *v;
	size_t n;
};

struct config_proxy {
	struct slice proxy_url, no_proxy;
	bool proxy_from_environment;
	struct config_headers proxy_connect_header; /* all of it in secrets */
};

struct config_oauth2 {
	bool is_set;
	struct slice client_id;
	struct slice client_secret, client_secret_file, client_secret_ref;
	struct slice grant_type, signature_algorithm, iss, audience, client_certificate_key_id;
	struct slice client_certificate_key, client_certificate_key_file, client_certificate_key_ref;
	struct config_pairs claims;
	struct config_strings scopes;
	struct slice token_url;
	struct config_pairs endpoint_params;
	struct config_tls tls;
	struct config_proxy proxy;
};

struct config_http {
	struct config_basic_auth basic_auth;
	struct config_authorization authorization;
	struct config_oauth2 oauth2;
	struct slice bearer_token,
	    bearer_token_file; /* empty after config_http_check(): moved to authorization */
	struct config_tls tls;
	struct config_proxy proxy;
	bool follow_redirects, enable_http2;
	struct config_headers headers;
};

enum { CONFIG_HTTP_FIELDS = 13, CONFIG_TLS_FIELDS = 13 };
extern const struct config_field config_http_fields[CONFIG_HTTP_FIELDS];
extern const struct config_field config_tls_fields[CONFIG_TLS_FIELDS];
#define CONFIG_HTTP_INLINE .inline_fields = config_http_fields, .n_inline_fields = CONFIG_HTTP_FIELDS

/* Redirects and HTTP/2 on, all else unset. */
void config_http_init(struct config_http *h);
/* What excludes what; errors stand at `at`. The deprecated bearer_token keys become an authorization. */
void config_http_check(struct config_ctx *ctx, const struct yaml_node *at, struct config_http *h);
void config_tls_check(struct config_ctx *ctx, const struct yaml_node *at, const struct config_tls *tls);
/* decode callbacks for CONFIG_CUSTOM rows of a struct config_http / struct config_tls of its own key. */
void config_decode_http(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_decode_tls(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_print_tls(struct config_printer *p, const char *key, const void *field);
/* "http://host/path" or an error at the node. */
bool config_check_url(struct config_ctx *ctx, const struct yaml_node *at, struct slice url);

/* The same as the HTTP client takes it; strings live in the arena. */
void config_http_auth(const struct config_http *h, struct arena *arena, struct http_client_auth *out);
/* Some authentication is set. */
bool config_http_has_auth(const struct config_http *h);
