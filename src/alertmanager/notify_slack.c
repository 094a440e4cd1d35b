#include "alertmanager/notify_slack.h"

#include "alertmanager/notify_fields.h"
#include "alertmanager/notify_http.h"
#include "alertmanager/notify_template.h"
#include "alertmanager/notify_text.h"
#include "base/json_read.h"

enum { MAX_TITLE_RUNES = 1024, NS_PER_MS = 1000000 };

static void write_field(struct notify_fields *f, const struct am_field *field)
{
	json_object_begin(&f->j);
	notify_fields_text(f, "title", field->title);
	notify_fields_text(f, "value", field->value);
	if (field->is_short) {
		json_key(&f->j, "short");
		json_bool(&f->j, true);
	}
	json_object_end(&f->j);
}

static void write_action(struct notify_fields *f, const struct am_slack_action *a)
{
	json_object_begin(&f->j);
	notify_fields_text(f, "type", a->type);
	notify_fields_text(f, "text", a->text);
	notify_fields_text_if(f, "url", a->url);
	notify_fields_text_if(f, "style", a->style);
	notify_fields_text_if(f, "name", a->name);
	notify_fields_text_if(f, "value", a->value);
	if (a->has_confirm) {
		json_key(&f->j, "confirm");
		json_object_begin(&f->j);
		notify_fields_text_if(f, "title", a->confirm_title);
		notify_fields_text(f, "text", a->confirm_text);
		notify_fields_text_if(f, "ok_text", a->confirm_ok);
		notify_fields_text_if(f, "dismiss_text", a->confirm_dismiss);
		json_object_end(&f->j);
	}
	json_object_end(&f->j);
}

static void write_lists(struct notify_fields *f, const struct am_slack *s)
{
	if (s->fields.n > 0) {
		json_key(&f->j, "fields");
		json_array_begin(&f->j);
		for (size_t i = 0; i < s->fields.n; i++)
			write_field(f, &s->fields.v[i]);
		json_array_end(&f->j);
	}
	if (s->n_actions > 0) {
		json_key(&f->j, "actions");
		json_array_begin(&f->j);
		for (size_t i = 0; i < s->n_actions; i++)
			write_action(f, &s->actions[i]);
		json_array_end(&f->j);
	}
}

static void write_markdown_in(struct json *j, const struct config_strings *given)
{
	static const struct slice defaults[] = {SL_INIT("fallback"), SL_INIT("pretext"), SL_INIT("text")};
	const struct slice *v = given->n > 0 ? given->v : defaults;
	size_t n = given->n > 0 ? given->n : ARRAY_LEN(defaults);
	json_key(j, "mrkdwn_in");
	json_array_begin(j);
	for (size_t i = 0; i < n; i++)
		json_string(j, v[i]);
	json_array_end(j);
}

static void write_attachment(struct notify_fields *f, const struct am_slack *s)
{
	struct slice title = notify_fields_expand(f, s->title);
	title = notify_truncate_runes(f->req->arena, title, MAX_TITLE_RUNES);
	json_object_begin(&f->j);
	if (title.len > 0)
		notify_fields_raw(f, "title", title);
	notify_fields_text_if(f, "title_link", s->title_link);
	notify_fields_text_if(f, "pretext", s->pretext);
	notify_fields_text(f, "text", s->text);
	notify_fields_text(f, "fallback", s->fallback);
	notify_fields_text(f, "callback_id", s->callback_id);
	write_lists(f, s);
	notify_fields_text_if(f, "image_url", s->image_url);
	notify_fields_text_if(f, "thumb_url", s->thumb_url);
	notify_fields_text(f, "footer", s->footer);
	notify_fields_text_if(f, "color", s->color);
	write_markdown_in(&f->j, &s->mrkdwn_in);
	json_object_end(&f->j);
}

static void write_message(struct notify_fields *f, const struct am_slack *s)
{
	json_object_begin(&f->j);
	notify_fields_text_if(f, "channel", s->channel);
	notify_fields_text_if(f, "username", s->username);
	notify_fields_text_if(f, "icon_emoji", s->icon_emoji);
	notify_fields_text_if(f, "icon_url", s->icon_url);
	if (s->link_names) {
		json_key(&f->j, "link_names");
		json_bool(&f->j, true);
	}
	notify_fields_text_if(f, "text", s->message_text);
	json_key(&f->j, "attachments");
	json_array_begin(&f->j);
	write_attachment(f, s);
	json_array_end(&f->j);
	json_object_end(&f->j);
	strbuf_addch(f->j.out, '\n');
}

/* Slack answers 200 to what it refuses: the body has to say "ok", or {"ok": true}. */
static void judge(const struct send_request *req, struct slice content_type, struct slice body)
{
	struct json_doc *doc = NULL;
	bool is_ok = false;
	struct slice reason = body;
	if (!slice_starts(content_type, SL("application/json"))) {
		is_ok = slice_eq(body, SL("ok"));
	} else if (json_doc_parse(body, &doc, NULL) == 0) {
		json_get_bool(json_member(json_doc_root(doc), "ok"), &is_ok);
		json_get_string(json_member(json_doc_root(doc), "error"), &reason);
	}
	if (is_ok)
		receiver_done(req, SEND_OK, SEND_REASON_OTHER, "%s", "");
	else
		receiver_done(req, SEND_FAILED, SEND_REASON_CLIENT_ERROR,
		    "error response from Slack: %" SL_FMT, SL_ARG(reason));
	json_doc_free(doc);
}

/* Where to, and with which token. */
static int find_target(const struct send_request *req, const struct am_slack *s, struct slice *url,
    const char **headers, struct err *err)
{
	bool has_token = s->app_token.value.len > 0 || s->app_token.file.len > 0;
	if (!has_token)
		return notify_template_secret(req, &s->api_url, url, err);
	struct slice token;
	int rc = notify_template_secret(req, &s->app_token, &token, err);
	if (rc)
		return rc;
	headers[0] = arena_printf(req->arena, "Authorization: Bearer %" SL_FMT, SL_ARG(token)).ptr;
	*url = s->app_url;
	return 0;
}

void notify_slack_send(const struct send_request *req)
{
	const struct am_slack *s = req->integration->slack;
	struct strbuf body = STRBUF_INIT;
	struct notify_fields f;
	struct slice url = SL_EMPTY;
	const char *headers[2] = {NULL, NULL};
	notify_fields_init(&f, req, &body);
	write_message(&f, s);
	if (f.rc == 0)
		f.rc = find_target(req, s, &url, headers, &f.err);
	if (f.rc) {
		receiver_done(req, SEND_FAILED, SEND_REASON_OTHER, "%s", f.err.msg);
	} else {
		struct notify_http_post post = {.url = url,
		    .is_secret_url = true,
		    .body = strbuf_slice(&body),
		    .headers = headers,
		    .timeout_ms = s->timeout_ns > 0 ? (s->timeout_ns + NS_PER_MS - 1) / NS_PER_MS : 0,
		    .judge = judge};
		notify_http_send(req, &post);
	}
	strbuf_done(&body);
}
