/* Templates as receivers use them: the data behind the dot, the functions, the defaults, payloads. */
#include "alertmanager/notify_template.h"

#include "alertmanager/notify_data.h"
#include "alertmanager/notify_funcs.h"
#include "template/template_exec.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

struct bench {
	struct arena *arena;
	struct am_config config;
	const struct template_set *set;
	struct alert alerts[3];
	struct notified_alert notified[3];
	struct config_pairs route_labels;
	struct notification n;
	struct send_request req;
};

static void bench_init(struct bench *b)
{
	struct err err;
	*b = (struct bench){.arena = arena_new(ARENA_NO_LIMIT)};
	check_ok("defaults", notify_templates_load(b->arena, &b->config, &b->set, &err), &err);
	for (size_t i = 0; i < 3; i++) {
		const char *host = arena_printf(b->arena, "h%zu", i).ptr;
		b->alerts[i] = (struct alert){
		    .labels = labels_of(b->arena, "alertname", "Disk", "host", host, "a", "<x>", NULL),
		    .annotations = labels_of(b->arena, "summary", "full", NULL),
		    .starts_at_ms = 1767225600000,
		    .ends_at_ms = 1767229200500,
		    .generator_url = SL("http://g"),
		};
		b->notified[i] = (struct notified_alert){&b->alerts[i], i + 1, i == 2};
	}
	b->n = (struct notification){
	    .receiver = SL("ops"),
	    .group_key = SL("{}:{}"),
	    .group_labels = labels_of(b->arena, "alertname", "Disk", NULL),
	    .route_label_templates = &b->route_labels,
	    .route_labels = labels_of(b->arena, "tier", "one", NULL),
	    .external_url = SL("http://am"),
	    .reason = NOTIFY_FIRST,
	    .now_ms = 1767225600000 + 90000,
	    .alerts = b->notified,
	    .n_alerts = 3,
	};
	b->req = (struct send_request){.notification = &b->n, .templates = b->set, .arena = b->arena};
}

static void check_text(struct bench *b, const char *text, const char *want)
{
	struct slice out = SL_EMPTY;
	struct err err;
	check_ok(text, notify_template_text(&b->req, slice_cstr(text), &out, &err), &err);
	check_str(text, out, want);
}

static void the_data(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"{{ .Receiver }} {{ .Status }} {{ .ExternalURL }} {{ .NotificationReason }}",
		"ops firing http://am first notification"},
	    {"{{ len .Alerts }} {{ .Alerts.Firing | len }} {{ .Alerts.Resolved | len }}", "3 2 1"},
	    {"{{ range .Alerts }}{{ .Labels.host }}:{{ .Status }} {{ end }}",
		"h0:firing h1:firing h2:resolved "},
	    {"{{ range .Alerts.Resolved }}{{ .EndsAt.Unix }} {{ .Fingerprint }}{{ end }}",
		"1767229200 0000000000000003"},
	    {"{{ (index .Alerts 0).EndsAt.IsZero }}", "true"},
	    {"{{ .CommonLabels }}", "alertname=Disk, a=<x>"},
	    {"{{ .CommonLabels.Names }}", "[alertname a]"},
	    {"{{ (.CommonLabels.Remove (stringSlice \"a\")).Values | join \"+\" }}", "Disk"},
	    {"{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}",
		"alertname=Disk;a=<x>;"},
	    {"{{ .GroupLabels.nope }}|{{ .RouteLabels.tier }}", "|one"},
	    {"{{ .CommonAnnotations.SortedPairs.Values | join \",\" }}", "full"},
	    {"{{ .GroupLabels | toJson }}", "{\"alertname\":\"Disk\"}"},
	    {"{{ (index .Alerts 0).Labels.a | toJson }}", "\"\\u003cx\\u003e\""},
	    {"{{ since (index .Alerts 0).StartsAt }} {{ now.Unix }}", "1m30s 1767225690"},
	    {"{{ (index .Alerts 0).StartsAt | tz \"Europe/Berlin\" | date \"15:04\" }}", "01:00"},
	    {"{{ \"aGkh\" | base64decode }} {{ \"hi!\" | base64encode }}", "hi! aGkh"},
	    {"no action", "no action"},
	};
	(void)state;
	struct bench b;
	bench_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_text(&b, cases[i].in, cases[i].want);
	arena_free(b.arena);
}

static void the_defaults(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"{{ template \"__subject\" . }}", "[FIRING:2] Disk (<x>)"},
	    {"{{ template \"__alertmanagerURL\" . }}", "http://am/#/alerts?receiver=ops"},
	    {"{{ template \"slack.default.fallback\" . }}",
		"[FIRING:2] Disk (<x>) | http://am/#/alerts?receiver=ops"},
	    {"{{ template \"__text_alert_list\" .Alerts.Resolved }}",
		"Labels:\n - alertname = Disk\n - a = <x>\n - host = h2\nAnnotations:\n - summary = full\n"
		"Source: http://g\n"},
	    {"{{ template \"jira.default.priority\" . }}", ""},
	    {"{{ template \"email.default.subject\" . }}", "[FIRING:2] Disk (<x>)"},
	};
	(void)state;
	struct bench b;
	bench_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_text(&b, cases[i].in, cases[i].want);
	struct slice html = SL_EMPTY;
	struct err err;
	check_ok("html",
	    notify_template_html(&b.req, SL("{{ template \"email.default.html\" . }}"), &html, &err), &err);
	check_true("escaped", strstr(html.ptr, "a = &lt;x&gt;") != NULL);
	arena_free(b.arena);
}

static void errors_are_told(void **state)
{
	static const char *const bad[] = {"{{ ", "{{ .Nope }}", "{{ nope }}", "{{ template \"nope\" . }}",
	    "{{ \"%zz\" | urlUnescape }}", "{{ dict 1 2 }}", "{{ \"x\" | tz \"Mars\" }}"};
	(void)state;
	struct bench b;
	bench_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct slice out;
		struct err err;
		check_int(bad[i], notify_template_text(&b.req, slice_cstr(bad[i]), &out, &err), ERR_INVALID);
		check_true(bad[i], slice_starts(slice_cstr(err.msg), SL("template: ")));
	}
	arena_free(b.arena);
}

static void route_labels_may_name_each_other(void **state)
{
	struct config_pair good[] = {{.name = SL("a"), .value = SL("{{ routeLabels \"b\" }}!")},
	    {.name = SL("b"), .value = SL("{{ .GroupLabels.alertname }}")},
	    {.name = SL("c"), .value = SL("")}};
	struct config_pair bad[] = {{.name = SL("a"), .value = SL("{{ routeLabels \"a\" }}")}};
	(void)state;
	struct bench b;
	struct err err;
	bench_init(&b);
	b.route_labels = (struct config_pairs){good, ARRAY_LEN(good)};
	check_ok("good", notify_template_route_labels(&b.req, &b.n, &err), &err);
	check_int("not the empty one", b.n.route_labels->n, 2);
	check_slice("a", labels_get(b.n.route_labels, SL("a")), SL("Disk!"));
	b.route_labels = (struct config_pairs){bad, ARRAY_LEN(bad)};
	check_true("cycle", notify_template_route_labels(&b.req, &b.n, &err) < 0);
	arena_free(b.arena);
}

static void payloads(void **state)
{
	static const struct {
		const char *yaml, *want;
	} cases[] = {
	    {"{b: '{{ .Status }}', a: [1, 2.5, true, null, '3', x]}",
		"{\"a\":[1,2.5,true,null,3,\"x\"],\"b\":\"firing\"}\n"},
	    {"{'{{ .Receiver }}': {n: '{{ len .Alerts }}', l: '{{ .GroupLabels | toJson }}'}}",
		"{\"ops\":{\"l\":{\"alertname\":\"Disk\"},\"n\":3}}\n"},
	    {"'{{ .GroupLabels | toJson }}'", "{\"alertname\":\"Disk\"}\n"},
	    {"{e: '{{ .GroupLabels.nope }}', t: 'a: b: c', h: '<&>'}",
		"{\"e\":\"\",\"h\":\"\\u003c\\u0026\\u003e\",\"t\":\"a: b: c\"}\n"},
	};
	(void)state;
	struct bench b;
	bench_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct yaml_node *root;
		struct strbuf sb = STRBUF_INIT;
		struct err err;
		check_ok(cases[i].yaml, yaml_parse(slice_cstr(cases[i].yaml), b.arena, &root, &err), &err);
		check_ok(cases[i].yaml, notify_template_payload(&b.req, root, &sb, &err), &err);
		check_str(cases[i].yaml, strbuf_slice(&sb), cases[i].want);
		strbuf_done(&sb);
	}
	arena_free(b.arena);
}

/* --- upstream's table -------------------------------------------------------------------------------------------- */
static struct template_value value_of(struct arena *arena, const struct json_value *v)
{
	struct slice text;
	int64_t integer;
	double number;
	if (json_get_string(v, &text))
		return template_text(text);
	if (json_get_int(v, &integer))
		return template_int(integer);
	if (json_get_double(v, &number))
		return template_float(number);
	if (json_kind_of(v) != JSON_KIND_LIST)
		return TEMPLATE_NIL;
	struct template_value *items = ARENA_ARRAY(arena, struct template_value, json_count(v));
	for (size_t i = 0; i < json_count(v); i++)
		items[i] = value_of(arena, json_item(v, i));
	return template_list(items, json_count(v));
}

/* Maps of texts of the data as labels, or as the pairs of a route. */
static struct config_pairs pairs_of(struct arena *arena, const struct json_value *map)
{
	struct config_pairs p = {ARENA_ARRAY(arena, struct config_pair, json_count(map)), 0};
	const struct json_value *value;
	for (void *at = NULL; json_next_member(map, &at, &p.v[p.n].name, &value); p.n++)
		assert_true(json_get_string(value, &p.v[p.n].value));
	return p;
}

static const struct labels *labels_from(struct arena *arena, const struct json_value *map)
{
	struct config_pairs p = pairs_of(arena, map);
	struct label *l = ARENA_ARRAY(arena, struct label, p.n);
	const struct labels *ls;
	for (size_t i = 0; i < p.n; i++)
		l[i] = (struct label){p.v[i].name, p.v[i].value};
	assert_int_equal(labels_from_pairs(arena, l, p.n, &ls, NULL), 0);
	return ls;
}

static void upstream_cases(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("template_alertmanager.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *data = json_member(c, "data");
		struct arena *arena = test_cases_arena(cases);
		struct slice text = test_case_text(cases, c, "text"), want_error;
		const char *title = arena_strdup(arena, test_case_text(cases, c, "title"));
		if (json_kind_of(json_member(data, "Alerts")) != JSON_KIND_NONE)
			continue; /* alerts without labels, times and fingerprint: ours always have them */
		struct template_set *set = template_set_new(arena, &notify_template_funcs);
		struct config_pairs route_labels = pairs_of(arena, json_member(data, "RouteLabels"));
		struct notified_alert none = {0};
		struct alert common = {.labels = labels_from(arena, json_member(data, "CommonLabels"))};
		none.alert = &common;
		struct notification n = {.route_label_templates = &route_labels,
		    .group_labels = labels_from(arena, json_member(data, "GroupLabels")),
		    .route_labels = &labels_empty,
		    .alerts = &none,
		    .n_alerts = 1};
		struct notify_env env = {.notification = &n, .set = set};
		struct template_value root =
		    json_kind_of(data) == JSON_KIND_OBJECT ? notify_data_root(&n) : value_of(arena, data);
		struct template_options options = {.user = &env, .escape_html = test_case_bool(c, "html")};
		struct strbuf sb = STRBUF_INIT;
		struct err err;
		int rc = template_parse(set, SL_EMPTY, text, &err);
		if (rc == 0)
			rc = template_exec(set, SL_EMPTY, &root, &options, arena, &sb, &err);
		if (json_get_string(json_member(c, "error"), &want_error))
			check_slice(title, slice_cstr(err.msg), want_error);
		else if (test_case_bool(c, "error"))
			check_true(title, rc < 0);
		else
			check_ok(title, rc, &err);
		if (rc == 0)
			check_slice(title, strbuf_slice(&sb), test_case_text(cases, c, "output"));
		strbuf_done(&sb);
	}
	test_cases_close(cases);
}

TEST_MAIN("notify_template", cmocka_unit_test(the_data), cmocka_unit_test(the_defaults),
    cmocka_unit_test(errors_are_told), cmocka_unit_test(route_labels_may_name_each_other),
    cmocka_unit_test(payloads), cmocka_unit_test(upstream_cases))
