/* Reading and writing for the Alertmanager API. */
#include "config/alert_matcher.h"
#include "model/duration.h"
#include "web/alerts_v2_priv.h"

/* Numbers of go-openapi, which clients of Alertmanager see. */
enum { CODE_INVALID_TYPE = 601 };

/* Thousands of alerts with dozens of labels each; a value takes up to 250 bytes of memory. */
enum { MAX_JSON_VALUES = 1000000 };

/* Year 1 of Go's zero time. */
static const int64_t go_zero_time_ms = -62135596800000;

/* --- answers ----------------------------------------------------------------------------------------------------- */
static void common_headers(struct http_request *req)
{
	http_reply_header(req, "Cache-Control", "no-store");
	http_reply_header(req, "Access-Control-Allow-Origin", "*");
}

void alerts_v2_reply_json(struct http_request *req, int status, struct strbuf *body)
{
	common_headers(req);
	strbuf_addch(body, '\n');
	http_reply(req, status, "application/json", body);
}

void alerts_v2_reply_error(struct http_request *req, int status, const char *text)
{
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_cstr(&j, text);
	alerts_v2_reply_json(req, status, &body);
}

void alerts_v2_reply_invalid(struct http_request *req, int status, int code, const char *message)
{
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_object_begin(&j);
	json_key(&j, "code");
	json_int(&j, code);
	json_key(&j, "message");
	json_cstr(&j, message);
	json_object_end(&j);
	alerts_v2_reply_json(req, status, &body);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */
static bool is_json_type(struct slice type)
{
	struct slice name = slice_trim(slice_of(type.ptr, slice_find(type, ';')));
	return name.len == 0 || slice_eq_nocase(name, SL("application/json"));
}

bool alerts_v2_read_body(struct http_request *req, struct json_doc **doc)
{
	struct slice type = http_req_header(req, "Content-Type");
	struct err err;
	if (!is_json_type(type)) {
		struct slice text = arena_printf(http_req_arena(req),
		    "unsupported media type \"%" SL_FMT "\", only [application/json] are allowed", SL_ARG(type));
		alerts_v2_reply_invalid(req, 415, 415, text.ptr);
		return false;
	}
	if (json_text_values(http_req_body(req)) > MAX_JSON_VALUES) {
		alerts_v2_reply_invalid(req, 413, 413, "the body has more than 1000000 JSON values: send it in parts");
		return false;
	}
	if (json_doc_parse(http_req_body(req), doc, &err) == 0)
		return true;
	err_prefix(&err, "parsing body from \"\" failed, because ");
	alerts_v2_reply_invalid(req, 400, 400, err.msg);
	return false;
}

bool alerts_v2_flag(struct http_request *req, const char *name)
{
	static const char *const yes[] = {
	    "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"};
	struct slice value;
	if (!http_req_param(req, name, &value) || value.len == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (slice_eq_nocase(value, slice_cstr(yes[i])))
			return true;
	return false;
}

bool alerts_v2_matchers(struct http_request *req, const char *param, struct matcher_list *out)
{
	struct arena *arena = http_req_arena(req);
	struct slice value;
	size_t n = 0;
	while (http_req_param_at(req, param, n, &value))
		n++;
	out->v = ARENA_ARRAY(arena, const struct matcher *, n);
	out->n = n;
	for (size_t i = 0; i < n; i++) {
		struct err err;
		http_req_param_at(req, param, i, &value);
		if (alert_matcher_parse_one(value, ALERT_MATCHER_FALLBACK, arena, &out->v[i], &err) == 0)
			continue;
		alerts_v2_reply_error(req, 400, err.msg);
		return false;
	}
	return true;
}

bool alerts_v2_time(
    struct http_request *req, const struct json_value *object, const char *member, int64_t *out)
{
	const struct json_value *v = json_member(object, member);
	struct slice text;
	*out = 0;
	if (json_kind_of(v) == JSON_KIND_NONE || json_kind_of(v) == JSON_KIND_NULL)
		return true;
	if (json_get_string(v, &text) && (text.len == 0 || rfc3339_parse(text, out, NULL) == 0)) {
		if (*out == go_zero_time_ms)
			*out = 0;
		return true;
	}
	struct slice message = arena_printf(http_req_arena(req), "%s in body must be of type date-time: \"%" SL_FMT "\"",
	    member, SL_ARG(json_kind_of(v) == JSON_KIND_STRING ? text : SL("")));
	alerts_v2_reply_invalid(req, 422, CODE_INVALID_TYPE, message.ptr);
	return false;
}

bool alerts_v2_labels(
    struct http_request *req, const struct json_value *object, const char *member, const struct labels **out)
{
	const struct json_value *map = json_member(object, member), *value;
	struct arena *arena = http_req_arena(req);
	struct label *l = ARENA_ARRAY(arena, struct label, json_count(map));
	struct slice name;
	size_t n = 0;
	struct err err;
	bool is_good = json_kind_of(map) == JSON_KIND_OBJECT || json_kind_of(map) == JSON_KIND_NONE ||
	    json_kind_of(map) == JSON_KIND_NULL;
	for (void *at = NULL; is_good && json_next_member(map, &at, &name, &value); n++) {
		l[n].name = name;
		is_good = json_get_string(value, &l[n].value);
	}
	if (is_good && labels_from_pairs(arena, l, n, out, &err) == 0)
		return true;
	struct slice message = arena_printf(arena, "%s in body must be of type object: map of string to string", member);
	alerts_v2_reply_invalid(req, 422, CODE_INVALID_TYPE, message.ptr);
	return false;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */
void alerts_v2_key_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

void alerts_v2_key_time(struct json *j, const char *key, int64_t t_ms)
{
	struct strbuf sb = STRBUF_INIT;
	rfc3339_print(&sb, t_ms, 3);
	alerts_v2_key_text(j, key, strbuf_slice(&sb));
	strbuf_done(&sb);
}

void alerts_v2_key_labels(struct json *j, const char *key, const struct labels *ls)
{
	json_key(j, key);
	json_object_begin(j);
	LABELS_EACH (l, ls) {
		json_key_slice(j, l->name);
		json_string(j, l->value);
	}
	json_object_end(j);
}
