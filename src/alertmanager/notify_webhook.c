#include "alertmanager/notify_webhook.h"

#include "alertmanager/notify_data.h"
#include "alertmanager/notify_http.h"
#include "alertmanager/notify_template.h"
#include "base/json.h"

enum { NS_PER_MS = 1000000 };

static void key_labels(struct json *j, const char *key, const struct labels *ls)
{
	json_key(j, key);
	notify_json_labels(j, ls);
}

static void key_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

void notify_webhook_body(
    struct strbuf *out, const struct notification *given, uint64_t max_alerts, struct arena *arena)
{
	/* Alertmanager cuts first: status and common labels are those of the alerts that are left. */
	struct notification n = *given;
	if (max_alerts > 0 && n.n_alerts > max_alerts)
		n.n_alerts = (size_t)max_alerts;
	struct json j;
	json_init(&j, out);
	json_object_begin(&j);
	key_text(&j, "receiver", n.receiver);
	key_text(&j, "status", slice_cstr(notification_status(&n)));
	json_key(&j, "alerts");
	json_array_begin(&j);
	for (size_t i = 0; i < n.n_alerts; i++)
		notify_json_alert(&j, &n.alerts[i]);
	json_array_end(&j);
	key_text(&j, "notification_reason", slice_cstr(notify_reason_text(n.reason)));
	key_labels(&j, "groupLabels", n.group_labels);
	key_labels(&j, "commonLabels", notification_common_labels(&n, arena));
	key_labels(&j, "commonAnnotations", notification_common_annotations(&n, arena));
	key_labels(&j, "routeLabels", n.route_labels);
	key_text(&j, "externalURL", n.external_url);
	key_text(&j, "version", SL("4"));
	key_text(&j, "groupKey", n.group_key);
	json_key(&j, "truncatedAlerts");
	json_uint(&j, given->n_alerts - n.n_alerts);
	json_object_end(&j);
	strbuf_addch(out, '\n');
}

void notify_webhook_send(const struct send_request *req)
{
	const struct am_webhook *w = req->integration->webhook;
	struct err err;
	struct slice url;
	int rc = notify_template_secret(req, &w->url, &url, &err);
	if (rc == ERR_IO || rc == ERR_NOT_FOUND || rc == ERR_LIMIT) {
		receiver_done(req, SEND_FAILED, SEND_REASON_OTHER, "read url_file: %s", err.msg);
		return;
	}
	struct strbuf body = STRBUF_INIT;
	if (rc == 0 && w->payload)
		rc = notify_template_payload(req, w->payload, &body, &err);
	else if (rc == 0)
		notify_webhook_body(&body, req->notification, w->max_alerts, req->arena);
	if (rc) {
		receiver_done(req, SEND_FAILED, SEND_REASON_CLIENT_ERROR, "%s", err.msg);
		strbuf_done(&body);
		return;
	}
	struct notify_http_post post = {
	    .url = url,
	    .is_secret_url = true,
	    .body = strbuf_slice(&body),
	    .timeout_ms = w->timeout_ns > 0 ? (w->timeout_ns + NS_PER_MS - 1) / NS_PER_MS : 0,
	};
	notify_http_send(req, &post);
	strbuf_done(&body);
}
