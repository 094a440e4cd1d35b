#include "config/config_http.h"
#include "tests/config/config_fixture.h"

static bool load(struct config_fixture *f, const char *text, struct config_http *http)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	config_http_init(http);
	if (!config_parse_yaml(f->arena, SL("/etc/promq/h.yml"), slice_cstr(text), &f->errors, &ctx, &root))
		return false;
	config_decode_http(&ctx, root, http);
	return !config_has_errors(&f->errors);
}

static void what_excludes_what(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"authorization: {type: Basic, credentials: x}",
		"1:16: authorization type cannot be set to \"basic\", use \"basic_auth\" instead"},
	    {"authorization: {credentials: x, credentials_file: y}",
		"1:16: at most one of authorization credentials & credentials_file must be configured"},
	    {"{authorization: {credentials: x}, bearer_token: y}",
		"1:1: authorization is not compatible with bearer_token & bearer_token_file"},
	    {"{authorization: {credentials: x}, basic_auth: {username: y}}",
		"1:1: at most one of basic_auth, oauth2 & authorization must be configured"},
	    {"tls_config: {cert_file: x}", "1:13: exactly one of key or key_file must be configured when a "
					   "client certificate is configured"},
	    {"tls_config: {key: x}",
		"1:13: exactly one of cert or cert_file must be configured when a client key is configured"},
	    {"tls_config: {ca: x, ca_file: y}",
		"1:13: at most one of ca, ca_file & ca_ref must be configured"},
	    {"tls_config: {min_version: TLS1}",
		"1:13: unknown TLS version: TLS1 (TLS10, TLS11, TLS12 or TLS13)"},
	    {"no_proxy: x", "1:1: if no_proxy is configured, proxy_url must also be configured"},
	    {"oauth2: {client_id: a, client_secret: b, token_url: http://t, grant_type: password}",
		"1:9: oauth2 grant_type \"password\" is unknown (client_credentials or "
		"urn:ietf:params:oauth:grant-type:jwt-bearer)"},
	    {"http_headers: {x-amz-date: {values: [a]}}",
		"1:16: setting header \"X-Amz-Date\" is not allowed"},
	    {"basic_atuh: {}", "1:1: field basic_atuh not found in type config.HTTPClientConfig (did you "
			       "mean \"basic_auth\"?)"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		struct config_http http;
		check_true(cases[i].in, !load(&f, cases[i].in, &http));
		struct slice want = arena_printf(f.arena, "/etc/promq/h.yml:%s\n", cases[i].want);
		check_errors(cases[i].in, &f, want.ptr);
		config_fixture_done(&f);
	}
}

static void the_client_gets_what_was_said(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config_http http;
	check_true("good",
	    load(&f,
		"bearer_token_file: token\ntls_config: {ca_file: ca.pem, insecure_skip_verify: true}\n"
		"proxy_url: http://p:1\nfollow_redirects: false\n",
		&http));
	struct http_client_auth auth;
	config_http_auth(&http, f.arena, &auth);
	check_str("type", slice_cstr(auth.authorization_type), "Bearer");
	check_str("file", slice_cstr(auth.authorization_credentials_file), "/etc/promq/token");
	check_true("no text", !auth.authorization_credentials && !auth.basic_user);
	check_str("ca", slice_cstr(auth.tls_ca_file), "/etc/promq/ca.pem");
	check_true("skip", auth.tls_insecure_skip_verify);
	check_str("proxy", slice_cstr(auth.proxy_url), "http://p:1");
	check_true("redirects", auth.no_follow_redirects);
	config_fixture_done(&f);
}

static void urls(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool want;
	} cases[] = {{"http://a", true}, {"https://a:1/b?c", true}, {"ftp://a", false}, {"a:1", false},
	    {"http://", false}, {"", false}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		struct config_ctx ctx = {
		    .arena = f.arena, .file = SL("x"), .dir = SL("."), .errors = &f.errors};
		check_int(cases[i].in, config_check_url(&ctx, NULL, slice_cstr(cases[i].in)), cases[i].want);
		check_int(cases[i].in, f.errors.len, !cases[i].want);
		config_fixture_done(&f);
	}
}

TEST_MAIN("config_http", cmocka_unit_test(what_excludes_what),
    cmocka_unit_test(the_client_gets_what_was_said), cmocka_unit_test(urls))
