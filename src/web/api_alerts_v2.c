#include "web/api_alerts_v2.h"

#include "base/counters.h"
#include "base/xmalloc.h"
#include "config.h"
#include "config/alert_matcher.h"
#include "model/label_regex.h"
#include "web/alerts_v2_priv.h"
#include <inttypes.h>
#include <stdio.h>

enum { CODE_INVALID_TYPE = 601, CODE_REQUIRED = 602, MAX_ALERTS_BODY = 64 << 20, MAX_SILENCE_BODY = 1 << 20 };

/* --- filters ----------------------------------------------------------------------------------------------------- */
static void free_regex(void *ptr)
{
	label_regex_free(ptr);
}

static bool read_receiver(struct http_request *req, struct router_filter *f)
{
	struct slice text;
	struct label_regex *re;
	if (!http_req_param(req, "receiver", &text) || text.len == 0)
		return true;
	if (label_regex_new(text, &re, NULL)) {
		struct slice message = arena_printf(
		    http_req_arena(req), "failed to parse receiver param: %" SL_FMT, SL_ARG(text));
		alerts_v2_reply_error(req, 400, message.ptr);
		return false;
	}
	arena_at_free(http_req_arena(req), free_regex, re);
	f->receiver = re;
	return true;
}

static bool read_filter(struct http_request *req, struct router_filter *f)
{
	struct matcher_list alerts, receivers;
	*f = (struct router_filter){
	    .active = alerts_v2_flag(req, "active"),
	    .silenced = alerts_v2_flag(req, "silenced"),
	    .inhibited = alerts_v2_flag(req, "inhibited"),
	    .muted = alerts_v2_flag(req, "muted"),
	};
	if (!alerts_v2_matchers(req, "filter", &alerts) ||
	    !alerts_v2_matchers(req, "receiver_matchers", &receivers))
		return false;
	f->matchers = alerts.v;
	f->n_matchers = alerts.n;
	f->receiver_matchers = receivers.v;
	f->n_receiver_matchers = receivers.n;
	return read_receiver(req, f);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */
static void key_texts(struct json *j, const char *key, const struct slice *v, size_t n)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < n; i++)
		json_string(j, v[i]);
	json_array_end(j);
}

static void write_status(struct json *j, const struct routed_alert *v)
{
	static const char *const states[] = {[ROUTED_ACTIVE] = "active",
	    [ROUTED_SUPPRESSED] = "suppressed",
	    [ROUTED_UNPROCESSED] = "unprocessed"};
	json_key(j, "status");
	json_object_begin(j);
	key_texts(j, "inhibitedBy", v->inhibited_by, v->n_inhibited_by);
	key_texts(j, "mutedBy", v->muted_by, v->n_muted_by);
	key_texts(j, "silencedBy", v->silenced_by, v->n_silenced_by);
	alerts_v2_key_text(j, "state", slice_cstr(states[v->state]));
	json_object_end(j);
}

static void write_receiver_name(struct json *j, struct slice name)
{
	json_object_begin(j);
	alerts_v2_key_text(j, "name", name);
	json_object_end(j);
}

static void write_alert(struct json *j, const struct routed_alert *v)
{
	char fingerprint[17];
	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, v->fingerprint);
	json_object_begin(j);
	alerts_v2_key_labels(j, "annotations", v->alert.annotations);
	alerts_v2_key_time(j, "endsAt", v->alert.ends_at_ms);
	alerts_v2_key_text(j, "fingerprint", slice_cstr(fingerprint));
	json_key(j, "receivers");
	json_array_begin(j);
	for (size_t i = 0; i < v->n_receivers; i++)
		write_receiver_name(j, v->receivers[i]);
	json_array_end(j);
	alerts_v2_key_time(j, "startsAt", v->alert.starts_at_ms);
	write_status(j, v);
	alerts_v2_key_time(j, "updatedAt", v->alert.updated_at_ms);
	if (v->alert.generator_url.len > 0)
		alerts_v2_key_text(j, "generatorURL", v->alert.generator_url);
	alerts_v2_key_labels(j, "labels", v->alert.labels);
	json_object_end(j);
}

/* --- alerts ------------------------------------------------------------------------------------------------------ */
static void get_alerts(struct http_request *req, void *arg)
{
	struct api_alerts_v2 *api = arg;
	struct router_filter f;
	const struct routed_alert *v;
	size_t n;
	if (!read_filter(req, &f))
		return;
	router_list_alerts(api->router, &f, clock_now_ms(api->clock), http_req_arena(req), &v, &n);
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_array_begin(&j);
	for (size_t i = 0; i < n; i++)
		write_alert(&j, &v[i]);
	json_array_end(&j);
	alerts_v2_reply_json(req, 200, &body);
}

static void get_groups(struct http_request *req, void *arg)
{
	struct api_alerts_v2 *api = arg;
	struct router_filter f;
	const struct routed_group *v;
	size_t n;
	if (!read_filter(req, &f))
		return;
	router_list_groups(api->router, &f, clock_now_ms(api->clock), http_req_arena(req), &v, &n);
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_array_begin(&j);
	for (size_t i = 0; i < n; i++) {
		json_object_begin(&j);
		json_key(&j, "alerts");
		json_array_begin(&j);
		for (size_t k = 0; k < v[i].n_alerts; k++)
			write_alert(&j, &v[i].alerts[k]);
		json_array_end(&j);
		alerts_v2_key_labels(&j, "labels", v[i].labels);
		json_key(&j, "receiver");
		write_receiver_name(&j, v[i].receiver);
		alerts_v2_key_labels(&j, "routeLabels", v[i].route_labels);
		json_object_end(&j);
	}
	json_array_end(&j);
	alerts_v2_reply_json(req, 200, &body);
}

static bool is_uri(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
			return false;
	return true;
}

/* One alert of the body; the text is the document's. */
static bool read_alert(struct http_request *req, const struct json_value *v, struct alert *out)
{
	*out = (struct alert){.generator_url = SL_EMPTY};
	if (json_kind_of(json_member(v, "labels")) != JSON_KIND_OBJECT) {
		alerts_v2_reply_invalid(req, 422, CODE_REQUIRED, "labels in body is required");
		return false;
	}
	json_get_string(json_member(v, "generatorURL"), &out->generator_url);
	if (!is_uri(out->generator_url)) {
		alerts_v2_reply_invalid(
		    req, 422, CODE_INVALID_TYPE, "generatorURL in body must be of type uri");
		return false;
	}
	return alerts_v2_labels(req, v, "labels", &out->labels) &&
	       alerts_v2_labels(req, v, "annotations", &out->annotations) &&
	       alerts_v2_time(req, v, "startsAt", &out->starts_at_ms) &&
	       alerts_v2_time(req, v, "endsAt", &out->ends_at_ms);
}

/* The good alerts are taken, the bad ones named. */
static void put_alerts(struct http_request *req, struct api_alerts_v2 *api, const struct alert *v, size_t n)
{
	struct strbuf errors = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		struct err err;
		if (router_check_alert(&v[i], &err))
			strbuf_addf(&errors, "%s%s", errors.len ? "; " : "", err.msg);
	}
	router_put_alerts(api->router, v, n, clock_now_ms(api->clock));
	if (errors.len > 0) {
		alerts_v2_reply_error(req, 400, strbuf_cstr(&errors));
	} else {
		http_reply_header(req, "Cache-Control", "no-store");
		http_reply_empty(req, 200);
	}
	strbuf_done(&errors);
}

static void post_alerts(struct http_request *req, void *arg)
{
	struct json_doc *doc;
	if (!alerts_v2_read_body(req, &doc))
		return;
	const struct json_value *root = json_doc_root(doc);
	size_t n = json_count(root), len = 0;
	if (json_kind_of(root) != JSON_KIND_LIST) {
		alerts_v2_reply_invalid(req, 400, 400, "the body must be a JSON array of alerts");
		json_doc_free(doc);
		return;
	}
	struct alert *v = ARENA_ARRAY(http_req_arena(req), struct alert, n);
	while (len < n && read_alert(req, json_item(root, len), &v[len]))
		len++;
	if (len == n)
		put_alerts(req, arg, v, n);
	json_doc_free(doc);
}

/* --- receivers and status ---------------------------------------------------------------------------------------- */
static void get_receivers(struct http_request *req, void *arg)
{
	struct api_alerts_v2 *api = arg;
	struct matcher_list matchers;
	const struct receiver_view *v;
	size_t n;
	if (!alerts_v2_matchers(req, "receiver_matchers", &matchers))
		return;
	struct router_filter f = {.receiver_matchers = matchers.v, .n_receiver_matchers = matchers.n};
	router_list_receivers(api->router, &f, http_req_arena(req), &v, &n);
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_array_begin(&j);
	for (size_t i = 0; i < n; i++) {
		json_object_begin(&j);
		alerts_v2_key_labels(&j, "labels", v[i].labels);
		alerts_v2_key_text(&j, "name", v[i].name);
		json_object_end(&j);
	}
	json_array_end(&j);
	alerts_v2_reply_json(req, 200, &body);
}

static void write_version(struct json *j)
{
	static const char *const unknown[] = {"branch", "buildDate", "buildUser", "goVersion", "revision"};
	json_key(j, "versionInfo");
	json_object_begin(j);
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		alerts_v2_key_text(j, unknown[i], SL_EMPTY);
	alerts_v2_key_text(j, "version", slice_cstr(PACKAGE_VERSION));
	json_object_end(j);
}

static void get_status(struct http_request *req, void *arg)
{
	struct api_alerts_v2 *api = arg;
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_object_begin(&j);
	json_key(&j, "cluster");
	json_object_begin(&j);
	json_key(&j, "peers");
	json_array_begin(&j);
	json_array_end(&j);
	alerts_v2_key_text(&j, "status", SL("disabled"));
	json_object_end(&j);
	json_key(&j, "config");
	json_object_begin(&j);
	alerts_v2_key_text(&j, "original", router_config_text(api->router, http_req_arena(req)));
	json_object_end(&j);
	alerts_v2_key_time(&j, "uptime", router_started_ms(api->router));
	write_version(&j);
	json_object_end(&j);
	alerts_v2_reply_json(req, 200, &body);
}

/* --- routes ------------------------------------------------------------------------------------------------------ */
struct api_alerts_v2 *api_alerts_v2_new(struct router *router, struct clock *clock)
{
	struct api_alerts_v2 *api = xcalloc(1, sizeof(*api));
	api->router = router;
	api->clock = clock;
	return api;
}

void api_alerts_v2_free(struct api_alerts_v2 *api)
{
	free(api);
}

void api_alerts_v2_add(struct api_alerts_v2 *api, struct http_server *server)
{
	const struct http_route routes[] = {
	    {HTTP_GET, "/api/v2/status", HTTP_LANE_CONTROL, 0, get_status, api},
	    {HTTP_GET, "/api/v2/receivers", HTTP_LANE_CONTROL, 0, get_receivers, api},
	    {HTTP_GET, "/api/v2/alerts", HTTP_LANE_CONTROL, 0, get_alerts, api},
	    {HTTP_POST, "/api/v2/alerts", HTTP_LANE_CONTROL, MAX_ALERTS_BODY, post_alerts, api},
	    {HTTP_GET, "/api/v2/alerts/groups", HTTP_LANE_CONTROL, 0, get_groups, api},
	    {HTTP_GET, "/api/v2/silences", HTTP_LANE_CONTROL, 0, alerts_v2_get_silences, api},
	    {HTTP_POST, "/api/v2/silences", HTTP_LANE_CONTROL, MAX_SILENCE_BODY, alerts_v2_post_silence, api},
	    {HTTP_GET, "/api/v2/silence/:silenceID", HTTP_LANE_CONTROL, 0, alerts_v2_get_silence, api},
	    {HTTP_DELETE, "/api/v2/silence/:silenceID", HTTP_LANE_CONTROL, 0, alerts_v2_delete_silence, api},
	};
	http_server_add(server, routes, ARRAY_LEN(routes));
}

static void reply_ok(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_text(req, 200, "OK");
}

static void reply_removed(struct http_request *req, void *arg)
{
	(void)arg;
	struct strbuf body = STRBUF_INIT;
	strbuf_adds(&body, "{\"status\":\"deprecated\",\"error\":\"version 1 of this API is gone since "
			   "Alertmanager 0.27: use "
			   "/api/v2/\"}");
	http_reply(req, 410, "application/json", &body);
}

static void get_metrics(struct http_request *req, void *arg)
{
	(void)arg;
	struct strbuf body = STRBUF_INIT;
	counters_expose(&body);
	http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}

void api_alerts_v2_add_standalone(struct api_alerts_v2 *api, struct http_server *server)
{
	const unsigned any = HTTP_GET | HTTP_POST | HTTP_DELETE;
	const struct http_route routes[] = {
	    {HTTP_GET, "/-/healthy", HTTP_LANE_CONTROL, 0, reply_ok, api},
	    {HTTP_GET, "/-/ready", HTTP_LANE_CONTROL, 0, reply_ok, api},
	    {HTTP_GET, "/metrics", HTTP_LANE_CONTROL, 0, get_metrics, api},
	    {any, "/api/v1/status", HTTP_LANE_CONTROL, MAX_SILENCE_BODY, reply_removed, api},
	    {any, "/api/v1/receivers", HTTP_LANE_CONTROL, MAX_SILENCE_BODY, reply_removed, api},
	    {any, "/api/v1/alerts", HTTP_LANE_CONTROL, MAX_SILENCE_BODY, reply_removed, api},
	    {any, "/api/v1/silences", HTTP_LANE_CONTROL, MAX_SILENCE_BODY, reply_removed, api},
	    {any, "/api/v1/silence/:id", HTTP_LANE_CONTROL, MAX_SILENCE_BODY, reply_removed, api},
	};
	http_server_add(server, routes, ARRAY_LEN(routes));
}
