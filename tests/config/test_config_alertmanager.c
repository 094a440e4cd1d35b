/* alertmanager.yml: what loads, what is refused and where, and what the fields become. */
#include "config/config_alertmanager.h"

#include "base/json_read.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdio.h>

struct loaded {
	struct arena *arena;
	struct config_error_vec errors;
	struct strbuf text;       /* of the errors, one a line */
	struct am_config *config; /* NULL: refused */
};

static void begin(struct loaded *l)
{
	*l = (struct loaded){.arena = arena_new(ARENA_NO_LIMIT), .text = STRBUF_INIT};
}

static void parse(struct loaded *l, const char *text)
{
	begin(l);
	am_config_parse(slice_cstr(text), "am.yml", l->arena, &l->errors, &l->config);
	config_errors_print(&l->text, &l->errors);
}

static void load(struct loaded *l, const char *path)
{
	begin(l);
	am_config_load(path, l->arena, &l->errors, &l->config);
	config_errors_print(&l->text, &l->errors);
}

static void end(struct loaded *l)
{
	config_error_vec_done(&l->errors);
	strbuf_done(&l->text);
	arena_free(l->arena);
}

static void check_error(struct loaded *l, const char *name, const char *want)
{
	if (l->config)
		fail_msg("%s: loads, but should be refused with %s", name, want);
	if (!strstr(strbuf_cstr(&l->text), want))
		fail_msg("%s: want %s\ngot %s", name, want, strbuf_cstr(&l->text));
}

static void check_loads(struct loaded *l, const char *name)
{
	if (!l->config)
		fail_msg("%s: %s", name, strbuf_cstr(&l->text));
}

/* --- our own ----------------------------------------------------------------------------------------------------- */
#define HEAD "receivers: [{name: r}]\nroute:\n  receiver: r\n"

static void errors_have_a_place_and_come_all_at_once(void **state)
{
	static const struct {
		const char *name, *in, *want;
	} cases[] = {
	    {"empty", "", "am.yml: no routes provided"},
	    {"unknown key", HEAD "  grup_by: [a]\n",
		"am.yml:4:3: field grup_by not found in type config.plain (did you mean \"group_by\"?)"},
	    {"bad duration", HEAD "  group_wait: 1.5m\n",
		"am.yml:4:15: unknown unit \".\" in duration \"1.5m\""},
	    {"undefined receiver", "route: {receiver: x}\n",
		"am.yml:1:19: undefined receiver \"x\" used in route"},
	    {"below", HEAD "  routes:\n  - routes:\n    - receiver: y\n",
		"am.yml:6:17: undefined receiver \"y\" used in route"},
	    {"bad matcher", HEAD "  routes:\n  - matchers: ['a!b']\n",
		"am.yml:5:16: bad matcher format: a!b"},
	    {"bad regex", HEAD "  routes:\n  - match_re: {a: '('}\n",
		"am.yml:5:19: error parsing regexp: missing closing ): `^(?:()$`"},
	    {"matchers of the root", HEAD "  match: {a: b}\n", "root route must not have any matchers"},
	    {"group_interval", HEAD "  group_interval: 0s\n", "am.yml:4:19: group_interval cannot be zero"},
	    {"flow style", HEAD "  routes: [{receiver: w}]\n",
		"am.yml:4:23: undefined receiver \"w\" used in route"},
	    {"webhook timeout",
		"route: {receiver: r}\nreceivers:\n- name: r\n  webhook_configs:\n  - {url: 'http://x', "
		"timeout: 1d}\n",
		"am.yml:5:32: time: unknown unit \"d\" in duration \"1d\""},
	    {"webhook without url", "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{}]}]\n",
		"one of url or url_file must be configured"},
	    {"scheme", "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: 'ftp://x'}]}]\n",
		"am.yml:2:47: unsupported scheme \"ftp\" for URL"},
	    {"smarthost",
		"global: {smtp_smarthost: localhost, smtp_from: a}\nroute: {receiver: r}\n"
		"receivers: [{name: r, email_configs: [{to: a}]}]\n",
		"address localhost: missing port in address"},
	    {"receiver kind", "route: {receiver: r}\nreceivers: [{name: r, sms_configs: [{}]}]\n",
		"field sms_configs not found in type config.plain (did you mean \"sns_configs\"?)"},
	    {"inhibit", HEAD "inhibit_rules: [{source: {a: b}}]\n",
		"field source not found in type config.InhibitRule"},
	    {"second mistake", "global: {resolve_timeout: x}\nroute: {receiver: y}\n",
		"am.yml:2:19: undefined receiver"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded l;
		parse(&l, cases[i].in);
		check_error(&l, cases[i].name, cases[i].want);
		end(&l);
	}
}

static void defaults_and_inheritance(void **state)
{
	(void)state;
	struct loaded l;
	parse(&l, "global: {smtp_smarthost: 'mail:25', smtp_from: me@x, smtp_require_tls: false, "
		  "slack_api_url: 'http://s/',"
		  " http_config: {follow_redirects: false}}\n"
		  "route: {receiver: r}\n"
		  "receivers:\n"
		  "- name: r\n"
		  "  email_configs: [{to: you@x, headers: {subject: Hi}}]\n"
		  "  slack_configs: [{channel: c, send_resolved: true}, {api_url: 'http://own/'}]\n"
		  "  webhook_configs: [{url: 'http://w/', http_config: {}}]\n");
	check_loads(&l, "config");
	const struct am_receiver *r = &l.config->receivers[0];
	check_int("integrations", r->n_integrations, 4);
	check_int("webhooks first", r->integrations[0].kind, AM_WEBHOOK);
	check_true("sends resolved", r->integrations[0].send_resolved);
	check_true("own http_config", r->integrations[0].http != l.config->global.http);
	const struct am_email *e = r->integrations[1].email;
	check_slice("host", e->smarthost_host, SL("mail"));
	check_slice("port", e->smarthost_port, SL("25"));
	check_slice("from", e->from, SL("me@x"));
	check_true("no tls", !e->require_tls);
	check_int("headers", e->headers.n, 3);
	check_slice("canonical", e->headers.v[0].name, SL("Subject"));
	check_true("does not send resolved", !r->integrations[1].send_resolved);
	check_slice("global url", r->integrations[2].slack->api_url.value, SL("http://s/"));
	check_true("inherits http", r->integrations[2].http == l.config->global.http);
	check_true("given", r->integrations[2].send_resolved);
	check_slice("own url", r->integrations[3].slack->api_url.value, SL("http://own/"));
	check_int("index", r->integrations[3].index, 1);
	check_slice("label", labels_get(r->labels, SL("name")), SL("r"));
	check_int("resolve_timeout", l.config->global.resolve_timeout_ms, 300000);
	end(&l);
}

static void warnings_do_not_refuse(void **state)
{
	(void)state;
	struct loaded l;
	parse(&l, HEAD "  routes: [{matchers: ['a=$b\\n']}]\ntracing: {endpoint: x}\n");
	check_loads(&l, "config");
	check_int("two", l.errors.len, 2);
	check_true("classic", strstr(strbuf_cstr(&l.text),
				  "am.yml:4:24: warning: matcher a=$b\\n is only valid in the classic"));
	end(&l);
}

static void secrets_are_hidden(void **state)
{
	(void)state;
	struct loaded l;
	parse(&l, "global: {slack_api_url: 'http://s/hush'}\nroute: {receiver: r, group_by: "
		  "['...']}\nreceivers:\n- name: r\n"
		  "  webhook_configs:\n  - url: 'http://w/hush'\n    http_config: {basic_auth: {username: u, "
		  "password: hush}}\n"
		  "  opsgenie_configs: [{api_key: hush, api_url: 'http://open/'}]\n");
	check_loads(&l, "config");
	check_slice("text", l.config->text,
	    SL("global:\n  slack_api_url: <secret>\nroute:\n  receiver: r\n  group_by:\n  - "
	       "\"...\"\nreceivers:\n- name: r\n"
	       "  webhook_configs:\n  - url: <secret>\n    http_config:\n      basic_auth:\n        "
	       "username: u\n"
	       "        password: <secret>\n  opsgenie_configs:\n  - api_key: <secret>\n    api_url: "
	       "\"http://open/\"\n"));
	struct loaded again;
	parse(&again, arena_strdup(l.arena, l.config->text));
	check_loads(&again, "its own text");
	end(&again);
	end(&l);
}

static void the_example_loads(void **state)
{
	(void)state;
	struct loaded l;
	load(&l, test_source_path("conf/alertmanager.yml"));
	check_loads(&l, "conf/alertmanager.yml");
	check_int("nothing to warn of", l.errors.len, 0);
	end(&l);
}

static void all_kinds_of_receivers_load(void **state)
{
	(void)state;
	struct loaded l;
	load(&l, test_source_path("fuzz/corpus/alertmanager_config/kinds.yml"));
	check_loads(&l, "kinds.yml");
	const struct am_receiver *r = &l.config->receivers[0];
	check_int("one of each", r->n_integrations, AM_KINDS);
	for (size_t i = 0; i < AM_KINDS; i++)
		check_int("in order", r->integrations[i].kind, i);
	check_int("timeout", r->integrations[AM_WEBHOOK].webhook->timeout_ns, 5);
	check_int("retry", r->integrations[AM_PUSHOVER].pushover->retry_ns, 90000000000);
	check_true("update", !r->integrations[AM_JIRA].jira->update_summary);
	check_slice("template", r->integrations[AM_JIRA].jira->summary, SL("t"));
	check_slice("card", r->integrations[AM_MATTERMOST].mattermost->props_card, SL("c"));
	check_slice("confirm", r->integrations[AM_SLACK].slack->actions[0].confirm_text, SL("d"));
	check_slice("region", r->integrations[AM_SNS].sns->region, SL("r"));
	end(&l);
}

/* --- conformance ------------------------------------------------------------------------------------------------- */
static const char *conformance_path(char *buffer, size_t size, const char *relative)
{
	snprintf(buffer, size, "%s/%s", test_conformance_dir(), relative);
	return buffer;
}

static struct json_doc *read_json(const char *relative)
{
	char path[512];
	size_t len;
	struct json_doc *doc;
	struct err err;
	char *text = test_read_file(conformance_path(path, sizeof(path), relative), &len);
	if (!text)
		fail_msg("%s is missing", path);
	check_ok(relative, json_doc_parse(slice_of(text, len), &doc, &err), &err);
	free(text);
	return doc;
}

/* Of upstream's "yaml: unmarshal errors:\n  line 16: field ..." the part that says what is wrong. */
static struct slice gist(struct slice error)
{
	size_t at = 0;
	for (size_t i = 0; i + 1 < error.len; i++)
		if (error.ptr[i] == '\n')
			at = i + 1;
	if (at == 0)
		return error;
	struct slice rest = slice_from(error, at);
	size_t colon = slice_find(rest, ':');
	return slice_trim(slice_from(rest, colon + 1));
}

static void upstream_files(void **state)
{
	(void)state;
	if (!test_conformance_dir())
		return;
	struct json_doc *doc = read_json("alertmanager_config/expected.json");
	struct slice name;
	const struct json_value *value;
	for (void *at = NULL; json_next_member(json_doc_root(doc), &at, &name, &value);) {
		char relative[256], path[512];
		struct slice error = SL_EMPTY;
		snprintf(relative, sizeof(relative), "alertmanager_config/%.*s", (int)name.len, name.ptr);
		struct loaded l;
		load(&l, conformance_path(path, sizeof(path), relative));
		if (json_get_string(json_member(value, "error_contains"), &error))
			check_error(&l, relative, arena_strdup(l.arena, gist(error)));
		else
			check_loads(&l, relative);
		end(&l);
	}
	json_doc_free(doc);
}

static void upstream_inline_errors(void **state)
{
	(void)state;
	if (!test_conformance_dir())
		return;
	struct json_doc *doc = read_json("alertmanager_config/inline_bad.json");
	const struct json_value *root = json_doc_root(doc);
	for (size_t i = 0; i < json_count(root); i++) {
		struct slice name, config, error;
		assert_true(json_get_string(json_member(json_item(root, i), "name"), &name));
		assert_true(json_get_string(json_member(json_item(root, i), "config"), &config));
		assert_true(json_get_string(json_member(json_item(root, i), "error"), &error));
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct loaded l;
		parse(&l, arena_strdup(arena, config));
		check_error(&l, arena_strdup(arena, name), arena_strdup(arena, error));
		end(&l);
		arena_free(arena);
	}
	json_doc_free(doc);
}

/* The list of a receiver's block by Go's name of the type. */
static const char *list_of(struct slice type)
{
	static const struct {
		const char *type, *list;
	} lists[] = {
	    {"EmailConfig", "email_configs"},
	    {"VictorOpsConfig", "victorops_configs"},
	    {"PagerdutyConfig", "pagerduty_configs"},
	    {"PushoverConfig", "pushover_configs"},
	    {"WebhookConfig", "webhook_configs"},
	};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (slice_eq_cstr(type, lists[i].type))
			return lists[i].list;
	fail_msg("no list for %.*s", (int)type.len, type.ptr);
	return NULL;
}

static void upstream_receiver_errors(void **state)
{
	(void)state;
	if (!test_conformance_dir())
		return;
	struct json_doc *doc = read_json("alertmanager_config/notifier_bad.json");
	const struct json_value *root = json_doc_root(doc);
	for (size_t i = 0; i < json_count(root); i++) {
		struct slice type, yaml, error;
		assert_true(json_get_string(json_member(json_item(root, i), "receiver_type"), &type));
		assert_true(json_get_string(json_member(json_item(root, i), "yaml"), &yaml));
		assert_true(json_get_string(json_member(json_item(root, i), "error"), &error));
		if (slice_eq(yaml, SL("\nrouting_key: test\napi_key_file: /global_file\n")))
			continue; /* a good block that the table pairs with the error of another one */
		struct strbuf sb = STRBUF_INIT;
		strbuf_addf(&sb, "route: {receiver: r}\nreceivers:\n- name: r\n  %s:\n  -", list_of(type));
		for (size_t k = 0; k < yaml.len; k++) {
			strbuf_addch(&sb, yaml.ptr[k]);
			if (yaml.ptr[k] == '\n')
				strbuf_adds(&sb, "    ");
		}
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct loaded l;
		parse(&l, strbuf_cstr(&sb));
		check_error(&l, strbuf_cstr(&sb), arena_strdup(arena, error));
		end(&l);
		arena_free(arena);
		strbuf_done(&sb);
	}
	json_doc_free(doc);
}

static void files_in_use(void **state)
{
	static const char *const good[] = {"seeds/alertmanager-pipeline-route.yml",
	    "seeds/alertmanager-teams.yml", "alertmanager_config/examples/examples_ha_alertmanager.yml",
	    "alertmanager_config/examples/kube-prometheus_alertmanager.yaml",
	    "alertmanager_config/examples/doc_examples_route_labels.yml",
	    "alertmanager_config/examples/doc_examples_simple.yml",
	    "alertmanager_config/amtool/conf.good.yml", "alertmanager_config/amtool/conf.routing.yml",
	    "alertmanager_config/amtool/conf.routing-reverted.yml"};
	(void)state;
	if (!test_conformance_dir())
		return;
	char path[512];
	struct loaded l;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		load(&l, conformance_path(path, sizeof(path), good[i]));
		check_loads(&l, good[i]);
		end(&l);
	}
	load(&l, conformance_path(path, sizeof(path), "seeds/rejected/alertmanager-email-subject.yml"));
	check_error(&l, "email subject",
	    "alertmanager-email-subject.yml:69:5: field subject not found in type email.plain (it belongs "
	    "under headers: "
	    "`headers: {Subject: ...}`)");
	end(&l);
}

TEST_MAIN("config_alertmanager", cmocka_unit_test(errors_have_a_place_and_come_all_at_once),
    cmocka_unit_test(defaults_and_inheritance), cmocka_unit_test(warnings_do_not_refuse),
    cmocka_unit_test(secrets_are_hidden), cmocka_unit_test(the_example_loads),
    cmocka_unit_test(all_kinds_of_receivers_load), cmocka_unit_test(upstream_files),
    cmocka_unit_test(upstream_inline_errors), cmocka_unit_test(upstream_receiver_errors),
    cmocka_unit_test(files_in_use))
