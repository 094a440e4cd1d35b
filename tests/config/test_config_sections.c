/* Sections that are checked key by key: relabelling, discovery, alerting, remote storage, otlp, storage, tracing. One block
 * each, and all that is said about it. */
#include "config/config_file.h"
#include "tests/config/config_fixture.h"

static const struct {
	const char *in, *want; /* want: the only error, with its place; empty: good */
} cases[] = {
    /* relabelling */
    {"relabel_configs: [{action: Replace, target_label: a}]", ""},
    {"relabel_configs: [{action: hashmod, target_label: a, source_labels: [b]}]",
	"3:21: relabel configuration for hashmod requires non-zero modulus"},
    {"relabel_configs: [{regex: '(', target_label: a}]",
	"3:29: error parsing regexp: missing closing ): `(`"},
    {"relabel_configs: {action: drop}",
	"3:20: yaml: unmarshal errors: a list of relabelling rules is wanted here (\"- \")"},
    {"metric_relabel_configs: [~]", "3:28: empty or null metric relabeling rule in scrape config"},
    {"relabel_configs: [{action: drop, modulus: -1}]",
	"3:45: yaml: unmarshal errors: cannot unmarshal !!str `-1` into uint (a whole number of 0 or more is "
	"wanted here)"},
    /* names and protocols */
    {"scrape_protocols: []",
	"3:21: scrape_protocols cannot be empty (a list, such as [PrometheusText0.0.4])"},
    {"metric_name_validation_scheme: ascii", "3:34: invalid metric_name_validation_scheme: unrecognized "
					     "ValidationScheme: \"ascii\" (utf8 or legacy)"},
    {"static_configs: [{targets: ['http://a:1']}]",
	"3:20: \"http://a:1\" is not a valid hostname (host:port, without scheme or path)"},
    {"params: {a: b}", "3:15: yaml: unmarshal errors: cannot unmarshal !!str `b` into []string (a list is "
		       "wanted here: [\"a\", \"b\"])"},
    /* discovery */
    {"dns_sd_configs: [{names: [a], type: A, port: 80}]", ""},
    {"dns_sd_configs: [{names: [a], type: A}]",
	"3:20: a port is required in DNS-SD configs for all record types except SRV"},
    {"dns_sd_configs: [{names: [a], type: TXT}]",
	"3:39: invalid DNS-SD records type TXT (SRV, A, AAAA, MX or NS)"},
    {"file_sd_configs: [{files: ['a/*.yml', b.json]}]", ""},
    {"file_sd_configs: [{files: ['*/a.yml']}]", "3:30: path name \"*/a.yml\" is not valid for file discovery "
						"(*.json, *.yml or *.yaml, with a * in the last part only)"},
    {"consul_sd_configs: [{}]", ""},
    {"consul_sd_configs: [{server: ''}]", "3:32: consul SD configuration requires a server address"},
    {"http_sd_configs: [{url: 'https://sd/x', basic_auth: {username: a}}]", ""},
    {"kubernetes_sd_configs: [{role: pods}]", "3:34: unknown Kubernetes SD role \"pods\" (pod, service, "
					      "endpoints, endpointslice, node or ingress)"},
    {"kubernetes_sd_configs: [{role: pod, attach_metadata: {nodes: true}}]",
	"3:57: field nodes not found in type kubernetes.AttachMetadataConfig (did you mean \"node\"?)"},
    {"docker_sd_configs: [{host: 'unix:///var/run/docker.sock', filters: [{name: a, values: [b]}]}]", ""},
    {"nerve_sd_configs: [{servers: [a], paths: [b]}]", "3:45: nerve SD config paths must begin with '/': b"},
    {"ec2_sd_configs: [~]", "3:20: empty or null section in ec2_sd_configs"},
};

static void jobs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		struct slice text =
		    arena_printf(f.arena, "scrape_configs:\n- job_name: j\n  %s\n", cases[i].in);
		config_load_text(f.arena, SL("p"), text, false, &f.errors);
		struct slice want =
		    cases[i].want[0] ? arena_printf(f.arena, "p:%s\n", cases[i].want) : SL_EMPTY;
		check_errors(cases[i].in, &f, want.ptr);
		config_fixture_done(&f);
	}
}

static const struct {
	const char *in, *want;
} sections[] = {
    {"alerting: {alertmanagers: [{api_version: v1}]}",
	"p:1:28: expected Alertmanager api version to be one of [v2] but got v1 (v1 was removed: use v2)\n"},
    {"alerting: {alertmanagers: [{static_configs: [{targets: ['a:1']}], timeout: 5s, path_prefix: /x}]}", ""},
    {"alerting: {alertmanagers: [{sigv4: {region: r}, basic_auth: {username: a}}]}",
	"p:1:28: at most one of basic_auth, authorization, oauth2, & sigv4 must be configured for "
	"Alertmanagers\n"},
    {"remote_write: [{url: http://a, name: x}, {url: http://b, name: x}]",
	"p:1:42: found multiple remote write configs with job name \"x\"\n"},
    {"remote_write: [{url: http://a, sigv4: {region: r}, google_iam: {credentials_file: f}}]",
	"p:1:16: at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be "
	"configured\n"},
    {"remote_write: [{url: http://a, azuread: {cloud: Mars, sdk: {tenant_id: t}}}]",
	"p:1:41: must provide a cloud in the Azure AD config (AzurePublic, AzureChina or AzureGovernment)\n"},
    {"remote_write: [{url: http://a, headers: {Authorization: x}}]",
	"p:1:42: authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, "
	"azuread or google_iam "
	"parameter\n"},
    {"remote_read: [{url: http://a, required_matchers: {a: b}, filter_external_labels: false}]", ""},
    {"otlp: {ignore_resource_attributes: [a]}",
	"p:1:7: 'ignore_resource_attributes' is only supported with 'promote_all_resource_attributes'\n"},
    {"storage: {tsdb: {retention: {time: 30d, size: 5GB}, out_of_order_time_window: 1h}, exemplars: "
     "{max_exemplars: 5}}",
	""},
    {"storage: {tsdb: {chunk_encoding: {floats: zip}}}",
	"p:1:43: unknown chunk encoding \"zip\" for floats (xor or xor2)\n"},
    {"storage: {tsdb: {stale_series_compaction_threshold: 2}}",
	"p:1:53: 'storage.tsdb.stale_series_compaction_threshold' must be in the range [0, 1]\n"},
    {"tracing: {client_type: http}", "p:1:10: tracing endpoint must be set\n"},
    {"global: {scrape_timeout: 2m}", "p:1:9: global scrape timeout greater than scrape interval\n"},
    {"runtime: {gogc: 50}", ""},
    {"globals: {}", "p:1:1: field globals not found in type config.plain (did you mean \"global\"?)\n"},
};

static void whole_sections(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		struct config *c =
		    config_load_text(f.arena, SL("p"), slice_cstr(sections[i].in), false, &f.errors);
		check_errors(sections[i].in, &f, sections[i].want);
		check_int(sections[i].in, c != NULL, sections[i].want[0] == '\0');
		config_fixture_done(&f);
	}
}

static void values_arrive(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config *c = config_load_text(f.arena, SL("/c/p"),
	    SL("storage: {tsdb: {retention: {time: 30d, size: 5GB}, out_of_order_time_window: 1h}}\n"
	       "remote_write: [{url: 'http://a', queue_config: {max_shards: 7, max_backoff: 1m}}]\n"
	       "alerting: {alertmanagers: [{path_prefix: /x, timeout: 5s}]}\n"
	       "otlp: {promote_resource_attributes: [' a ']}\n"),
	    false, &f.errors);
	check_errors("errors", &f, "");
	check_int("retention", c->storage.retention_ms, INT64_C(30) * 24 * 3600 * 1000);
	check_int("size", c->storage.retention_bytes, INT64_C(5) << 30);
	check_int("out of order", c->storage.out_of_order_time_window_ms, 3600000);
	const struct remote_write_config *w = &c->remote_writes.v[0];
	check_int("shards", w->queue.max_shards, 7);
	check_int("default capacity", w->queue.capacity, 10000);
	check_int("backoff", w->queue.max_backoff_ms, 60000);
	check_true("no HTTP/2", !w->http.enable_http2);
	check_str("prefix", c->alerting.alertmanagers.v[0].path_prefix, "/x");
	check_int("timeout", c->alerting.alertmanagers.v[0].timeout_ms, 5000);
	check_str("trimmed", c->otlp.promote_resource_attributes.v[0], "a");
	config_fixture_done(&f);
}

/* Nothing, and nothing at all: the flag counts only for the first. */
static void out_of_order_may_be_off(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool is_there;
		int64_t ms;
	} windows[] = {
	    {"{}", false, 0},
	    {"storage: {exemplars: {max_exemplars: 0}}", false, 0},
	    {"storage: {tsdb: {retention: {time: 1d}}}", false, 0},
	    {"storage: {tsdb: {out_of_order_time_window: 0s}}", true, 0},
	    {"storage: {tsdb: {out_of_order_time_window: 90s}}", true, 90000},
	};
	for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		struct config *c =
		    config_load_text(f.arena, SL("p"), slice_cstr(windows[i].in), false, &f.errors);
		check_errors(windows[i].in, &f, "");
		check_int(windows[i].in, c->storage.has_out_of_order_time_window, windows[i].is_there);
		check_int(windows[i].in, c->storage.out_of_order_time_window_ms, windows[i].ms);
		config_fixture_done(&f);
	}
}

TEST_MAIN("config_sections", cmocka_unit_test(jobs), cmocka_unit_test(whole_sections),
    cmocka_unit_test(values_arrive), cmocka_unit_test(out_of_order_may_be_off))
