#include "alertmanager/notify_pagerduty.h"

#include "alertmanager/notify_fields.h"
#include "alertmanager/notify_http.h"
#include "alertmanager/notify_template.h"
#include "alertmanager/notify_text.h"
#include "base/sha2.h"
#include "base/yaml.h"
#include <stdlib.h>

enum { MAX_DESCRIPTION_RUNES = 1024, MAX_EVENT_BYTES = 512000, NS_PER_MS = 1000000 };
#define V1_URL "https://events.pagerduty.com/generic/2010-04-15/create_event.json"

/* --- details ----------------------------------------------------------------------------------------------------- */
static const struct {
	const char *name, *template;
} default_details[] = {
    {"firing", "{{ .Alerts.Firing | toJson }}"},
    {"num_firing", "{{ .Alerts.Firing | len }}"},
    {"num_resolved", "{{ .Alerts.Resolved | len }}"},
    {"resolved", "{{ .Alerts.Resolved | toJson }}"},
};

static int detail_order(const void *a, const void *b)
{
	return slice_cmp(((const struct am_detail *)a)->name, ((const struct am_detail *)b)->name);
}

/* The configured ones over the defaults, sorted. */
static struct am_details merge_details(struct arena *arena, const struct am_details *given)
{
	struct am_details all = {
	    ARENA_ARRAY(arena, struct am_detail, given->n + ARRAY_LEN(default_details)), 0};
	for (size_t i = 0; i < given->n; i++)
		all.v[all.n++] = given->v[i];
	for (size_t i = 0; i < ARRAY_LEN(default_details); i++) {
		bool is_given = false;
		for (size_t k = 0; k < given->n; k++)
			is_given |= slice_eq_cstr(given->v[k].name, default_details[i].name);
		if (is_given)
			continue;
		struct yaml_node *node = ARENA_NEW(arena, struct yaml_node);
		*node = (struct yaml_node){
		    .kind = YAML_SCALAR, .text = slice_cstr(default_details[i].template), .is_quoted = true};
		all.v[all.n++] = (struct am_detail){slice_cstr(default_details[i].name), node};
	}
	qsort(all.v, all.n, sizeof(*all.v), detail_order);
	return all;
}

static void write_details(
    struct notify_fields *f, const char *key, const struct am_pagerduty *p, bool are_too_large)
{
	json_key(&f->j, key);
	json_object_begin(&f->j);
	if (are_too_large)
		notify_fields_raw(f, "error",
		    SL("Custom details have been removed because the original event exceeds the "
		       "maximum size of 512000 bytes"));
	struct am_details details = merge_details(f->req->arena, &p->details);
	for (size_t i = 0; i < details.n && !are_too_large && f->rc == 0; i++) {
		json_string(&f->j, details.v[i].name);
		strbuf_addch(f->j.out, ':');
		f->j.after_key = true;
		f->rc = notify_template_json(f->req, details.v[i].value, &f->j, &f->err);
	}
	if (f->rc == 0)
		json_object_end(&f->j);
}

/* --- events ------------------------------------------------------------------------------------------------------ */
struct event {
	struct slice key, incident, action, description;
	bool are_details_too_large;
};

static void write_links(
    struct notify_fields *f, const char *key, const struct am_links *links, bool are_images)
{
	bool any = false;
	for (size_t i = 0; i < links->n; i++) {
		const struct am_link *l = &links->v[i];
		struct slice needed = notify_fields_expand(f, are_images ? l->src : l->href);
		if (needed.len == 0)
			continue;
		if (!any) {
			json_key(&f->j, key);
			json_array_begin(&f->j);
		}
		any = true;
		json_object_begin(&f->j);
		notify_fields_raw(f, are_images ? "src" : "href", needed);
		notify_fields_text(f, are_images ? "alt" : "text", are_images ? l->alt : l->text);
		if (are_images)
			notify_fields_text(f, "href", l->href);
		json_object_end(&f->j);
	}
	if (any)
		json_array_end(&f->j);
}

static void write_v2(struct notify_fields *f, const struct am_pagerduty *p, const struct event *e)
{
	json_object_begin(&f->j);
	notify_fields_raw(f, "routing_key", e->key);
	notify_fields_raw(f, "dedup_key", e->incident);
	notify_fields_raw(f, "event_action", e->action);
	json_key(&f->j, "payload");
	json_object_begin(&f->j);
	notify_fields_raw(f, "summary", e->description);
	notify_fields_text(f, "source", p->source);
	notify_fields_text(f, "severity", p->severity);
	notify_fields_text_if(f, "class", p->class);
	notify_fields_text_if(f, "component", p->component);
	notify_fields_text_if(f, "group", p->group);
	write_details(f, "custom_details", p, e->are_details_too_large);
	if (f->rc)
		return;
	json_object_end(&f->j);
	notify_fields_text_if(f, "client", p->client);
	notify_fields_text_if(f, "client_url", p->client_url);
	write_links(f, "images", &p->images, true);
	write_links(f, "links", &p->links, false);
	json_object_end(&f->j);
}

/* The two members at the end stand in what Alertmanager sends, so they stand here. */
static void write_v1(struct notify_fields *f, const struct am_pagerduty *p, const struct event *e)
{
	json_object_begin(&f->j);
	notify_fields_raw(f, "service_key", e->key);
	notify_fields_raw(f, "incident_key", e->incident);
	notify_fields_raw(f, "event_type", e->action);
	notify_fields_raw(f, "description", e->description);
	if (slice_eq(e->action, SL("trigger"))) {
		notify_fields_text_if(f, "client", p->client);
		notify_fields_text_if(f, "client_url", p->client_url);
	}
	write_details(f, "details", p, e->are_details_too_large);
	if (f->rc)
		return;
	notify_fields_raw(f, "event_action", SL_EMPTY);
	json_key(&f->j, "payload");
	json_null(&f->j);
	json_object_end(&f->j);
}

static void write_event(struct notify_fields *f, const struct am_pagerduty *p, struct event *e, bool is_v1)
{
	for (int round = 0; round < 2; round++) {
		strbuf_reset(f->j.out);
		json_init(&f->j, f->j.out);
		if (is_v1)
			write_v1(f, p, e);
		else
			write_v2(f, p, e);
		if (f->rc || f->j.out->len <= MAX_EVENT_BYTES)
			break;
		e->are_details_too_large = true;
	}
	strbuf_addch(f->j.out, '\n');
}

static int fill_event(
    struct notify_fields *f, const struct am_pagerduty *p, const struct am_secret *key, struct event *e)
{
	const struct send_request *req = f->req;
	char *incident = arena_alloc(req->arena, SHA256_HEX);
	sha256_hex(req->notification->group_key, incident);
	bool is_firing = strcmp(notification_status(req->notification), "firing") == 0;
	*e = (struct event){
	    .incident = slice_of(incident, SHA256_HEX), .action = is_firing ? SL("trigger") : SL("resolve")};
	e->description =
	    notify_truncate_runes(req->arena, notify_fields_expand(f, p->description), MAX_DESCRIPTION_RUNES);
	if (f->rc)
		return f->rc;
	int rc = notify_template_secret(req, key, &e->key, &f->err);
	if (rc == 0 && e->key.len == 0)
		rc = err_set(&f->err, ERR_INVALID, "%s cannot be empty",
		    key == &p->service_key ? "service key" : "routing key");
	return rc;
}

void notify_pagerduty_send(const struct send_request *req)
{
	const struct am_pagerduty *p = req->integration->pagerduty;
	bool is_v1 = p->service_key.value.len > 0 || p->service_key.file.len > 0;
	struct strbuf body = STRBUF_INIT;
	struct notify_fields f;
	struct event e;
	notify_fields_init(&f, req, &body);
	f.rc = fill_event(&f, p, is_v1 ? &p->service_key : &p->routing_key, &e);
	if (f.rc == 0)
		write_event(&f, p, &e, is_v1);
	if (f.rc) {
		receiver_done(req, SEND_FAILED, SEND_REASON_OTHER, "%s", f.err.msg);
	} else {
		struct notify_http_post post = {.url = is_v1 ? SL(V1_URL) : p->url,
		    .body = strbuf_slice(&body),
		    .timeout_ms = p->timeout_ns > 0 ? (p->timeout_ns + NS_PER_MS - 1) / NS_PER_MS : 0,
		    .retry_status = is_v1 ? 403 : 429};
		notify_http_send(req, &post);
	}
	strbuf_done(&body);
}
