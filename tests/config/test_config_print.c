#include "config/config_print.h"
#include "tests/config/config_fixture.h"

/* Printed text has none of the secrets, and all of the rest. */
static void secrets_are_masked(void **state)
{
	(void)state;
	static const char in[] = "scrape_configs:\n"
				 "- job_name: a\n"
				 "  basic_auth: {username: me, password: hunter2}\n"
				 "- job_name: b\n"
				 "  authorization: {credentials: hunter2}\n"
				 "- job_name: c\n"
				 "  bearer_token: hunter2\n"
				 "- job_name: d\n"
				 "  oauth2: {client_id: x, client_secret: hunter2, token_url: http://t/}\n"
				 "- job_name: e\n"
				 "  tls_config: {cert: pem, key: hunter2}\n"
				 "  http_headers: {X-A: {values: [seen], secrets: [hunter2]}}\n"
				 "  proxy_url: http://p\n"
				 "  proxy_connect_header: {X-B: [hunter2]}\n"
				 "- job_name: f\n"
				 "  consul_sd_configs: [{token: hunter2, server: 'c:8500', basic_auth: "
				 "{username: me, password: hunter2}}]\n"
				 "  ec2_sd_configs: [{region: r, secret_key: hunter2}]\n"
				 "  http_sd_configs: [{url: 'http://me:hunter2@sd/'}]\n"
				 "remote_write:\n"
				 "- url: http://me:hunter2@w/\n"
				 "  sigv4: {access_key: k, secret_key: hunter2}\n"
				 "- url: http://v/\n"
				 "  azuread: {oauth: {client_id: a, client_secret: hunter2, tenant_id: t}}\n";
	struct config_fixture f;
	config_fixture_init(&f);
	struct config *c = config_load_text(f.arena, SL("p.yml"), slice_cstr(in), false, &f.errors);
	check_errors("errors", &f, "");
	struct strbuf sb = STRBUF_INIT;
	config_print(&sb, c);
	const char *text = strbuf_cstr(&sb);
	if (strstr(text, "hunter2"))
		fail_msg("a secret is shown:\n%s", text);
	static const char *const wanted[] = {"username: me", "password: <secret>", "credentials: <secret>",
	    "- seen", "client_secret: <secret>", "server: c:8500", "token: <secret>", "region: r",
	    "secret_key: <secret>", "url: http://me:xxxxx@w/", "url: http://me:xxxxx@sd/"};
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("%s is missing:\n%s", wanted[i], text);
	strbuf_done(&sb);
	config_fixture_done(&f);
}

static void one_job_prints_whole(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config *c = config_load_text(f.arena, SL("p.yml"),
	    SL("scrape_configs:\n- job_name: 'true'\n  params: {'match[]': ['{a=\"b\"}', 'it''s']}\n  "
	       "body_size_limit: 10MB\n"
	       "  static_configs: [{targets: ['a:1'], labels: {x: '12', y: \"line\\nbreak\", z: 'a: b'}}]\n"
	       "  relabel_configs: [{source_labels: [a, b], separator: '', target_label: c}]\n"),
	    false, &f.errors);
	check_errors("errors", &f, "");
	struct strbuf sb = STRBUF_INIT;
	scrape_config_print(&sb, &c->scrapes.v[0]);
	check_slice("printed", strbuf_slice(&sb),
	    SL("job_name: 'true'\n"
	       "honor_timestamps: true\n"
	       "track_timestamps_staleness: false\n"
	       "params:\n"
	       "  match[]:\n"
	       "  - '{a=\"b\"}'\n"
	       "  - it's\n"
	       "scrape_interval: 1m\n"
	       "scrape_timeout: 10s\n"
	       "scrape_protocols:\n"
	       "- OpenMetricsText1.0.0\n"
	       "- OpenMetricsText0.0.1\n"
	       "- PrometheusText1.0.0\n"
	       "- PrometheusText0.0.4\n"
	       "metrics_path: /metrics\n"
	       "scheme: http\n"
	       "enable_compression: true\n"
	       "body_size_limit: 10MiB\n"
	       "metric_name_validation_scheme: utf8\n"
	       "metric_name_escaping_scheme: allow-utf-8\n"
	       "follow_redirects: true\n"
	       "enable_http2: true\n"
	       "relabel_configs:\n"
	       "- source_labels:\n"
	       "  - a\n"
	       "  - b\n"
	       "  separator: ''\n"
	       "  target_label: c\n"
	       "  action: replace\n"
	       "static_configs:\n"
	       "- targets:\n"
	       "  - a:1\n"
	       "  labels:\n"
	       "    x: '12'\n"
	       "    'y': \"line\\nbreak\"\n"
	       "    z: 'a: b'\n"));
	strbuf_done(&sb);
	config_fixture_done(&f);
}

TEST_MAIN("config_print", cmocka_unit_test(secrets_are_masked), cmocka_unit_test(one_job_prints_whole))
