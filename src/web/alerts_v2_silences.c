/* Silences of the Alertmanager API. */
#include "alertmanager/silence_store.h"
#include "config/alert_matcher.h"
#include "web/alerts_v2_priv.h"

enum { CODE_INVALID_TYPE = 601, CODE_REQUIRED = 602, CODE_TOO_FEW_ITEMS = 612 };

static const char *state_text(enum silence_state s)
{
	static const char *const texts[] = {
	    [SILENCE_ACTIVE] = "active", [SILENCE_PENDING] = "pending", [SILENCE_EXPIRED] = "expired"};
	return texts[s];
}

/* --- writing ----------------------------------------------------------------------------------------------------- */
static void write_matcher(struct json *j, const struct matcher *m)
{
	json_object_begin(j);
	json_key(j, "isEqual");
	json_bool(j, m->op == MATCH_EQUAL || m->op == MATCH_REGEX);
	json_key(j, "isRegex");
	json_bool(j, m->op == MATCH_REGEX || m->op == MATCH_NOT_REGEX);
	alerts_v2_key_text(j, "name", m->name);
	alerts_v2_key_text(j, "value", m->value);
	json_object_end(j);
}

static void write_silence(struct json *j, const struct silence *s, int64_t now_ms)
{
	json_object_begin(j);
	alerts_v2_key_text(j, "id", s->id);
	json_key(j, "status");
	json_object_begin(j);
	alerts_v2_key_text(j, "state", slice_cstr(state_text(silence_state_at(s, now_ms))));
	json_object_end(j);
	alerts_v2_key_time(j, "updatedAt", s->updated_at_ms);
	alerts_v2_key_labels(j, "annotations", s->annotations ? s->annotations : &labels_empty);
	alerts_v2_key_text(j, "comment", s->comment);
	alerts_v2_key_text(j, "createdBy", s->created_by);
	alerts_v2_key_time(j, "endsAt", s->ends_at_ms);
	json_key(j, "matchers");
	json_array_begin(j);
	for (size_t i = 0; i < s->n_matchers; i++)
		write_matcher(j, s->matchers[i]);
	json_array_end(j);
	alerts_v2_key_time(j, "startsAt", s->starts_at_ms);
	json_object_end(j);
}

/* --- listing ----------------------------------------------------------------------------------------------------- */
/* A filter is compared with the silence's matchers, not with alerts. */
static bool passes(const struct silence *s, const struct matcher_list *filter)
{
	for (size_t i = 0; i < filter->n; i++) {
		bool found = false;
		for (size_t k = 0; k < s->n_matchers && !found; k++)
			found = alert_matcher_cmp(filter->v[i], s->matchers[k]) == 0;
		if (!found)
			return false;
	}
	return true;
}

void alerts_v2_get_silences(struct http_request *req, void *arg)
{
	struct api_alerts_v2 *api = arg;
	struct matcher_list filter;
	if (!alerts_v2_matchers(req, "filter", &filter))
		return;
	const bool wanted[] = {
	    [SILENCE_ACTIVE] = alerts_v2_flag(req, "active"),
	    [SILENCE_PENDING] = alerts_v2_flag(req, "pending"),
	    [SILENCE_EXPIRED] = alerts_v2_flag(req, "expired"),
	};
	int64_t now_ms = clock_now_ms(api->clock);
	const struct silence *v;
	size_t n;
	silence_store_list(router_silences(api->router), now_ms, http_req_arena(req), &v, &n);
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_array_begin(&j);
	for (size_t i = 0; i < n; i++)
		if (wanted[silence_state_at(&v[i], now_ms)] && passes(&v[i], &filter))
			write_silence(&j, &v[i], now_ms);
	json_array_end(&j);
	alerts_v2_reply_json(req, 200, &body);
}

/* --- one of them ------------------------------------------------------------------------------------------------- */
static bool is_uuid(struct slice s)
{
	if (s.len != 36)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_hex = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_dash ? c != '-' : !is_hex)
			return false;
	}
	return true;
}

static bool read_id(struct http_request *req, struct slice *id)
{
	*id = http_req_path_param(req, "silenceID");
	if (is_uuid(*id))
		return true;
	struct slice message = arena_printf(
	    http_req_arena(req), "silenceID in path must be of type uuid: \"%" SL_FMT "\"", SL_ARG(*id));
	alerts_v2_reply_invalid(req, 422, CODE_INVALID_TYPE, message.ptr);
	return false;
}

void alerts_v2_get_silence(struct http_request *req, void *arg)
{
	struct api_alerts_v2 *api = arg;
	struct slice id;
	struct silence s;
	if (!read_id(req, &id))
		return;
	if (silence_store_get(router_silences(api->router), id, http_req_arena(req), &s, NULL)) {
		http_reply_empty(req, 404);
		return;
	}
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	write_silence(&j, &s, clock_now_ms(api->clock));
	alerts_v2_reply_json(req, 200, &body);
}

void alerts_v2_delete_silence(struct http_request *req, void *arg)
{
	struct api_alerts_v2 *api = arg;
	struct slice id;
	if (!read_id(req, &id))
		return;
	bool found =
	    silence_store_expire(router_silences(api->router), id, clock_now_ms(api->clock), NULL) == 0;
	http_reply_header(req, "Cache-Control", "no-store");
	http_reply_empty(req, found ? 200 : 404);
}

/* --- making ------------------------------------------------------------------------------------------------------ */
static bool require(struct http_request *req, const struct json_value *object, const char *member)
{
	enum json_kind kind = json_kind_of(json_member(object, member));
	if (kind != JSON_KIND_NONE && kind != JSON_KIND_NULL)
		return true;
	struct slice message = arena_printf(http_req_arena(req), "%s in body is required", member);
	alerts_v2_reply_invalid(req, 422, CODE_REQUIRED, message.ptr);
	return false;
}

static bool read_matcher(struct http_request *req, const struct json_value *v, const struct matcher **out)
{
	struct slice name, value;
	bool is_regex = false, is_equal = true;
	struct err err;
	if (!require(req, v, "name") || !require(req, v, "value") || !require(req, v, "isRegex"))
		return false;
	json_get_bool(json_member(v, "isEqual"), &is_equal);
	if (!json_get_string(json_member(v, "name"), &name) ||
	    !json_get_string(json_member(v, "value"), &value) ||
	    !json_get_bool(json_member(v, "isRegex"), &is_regex)) {
		alerts_v2_reply_invalid(req, 422, CODE_INVALID_TYPE,
		    "matchers in body must be objects of name and value (strings), isRegex and isEqual "
		    "(booleans)");
		return false;
	}
	enum match_op op = is_regex ? (is_equal ? MATCH_REGEX : MATCH_NOT_REGEX)
				    : (is_equal ? MATCH_EQUAL : MATCH_NOT_EQUAL);
	if (alert_matcher_new(http_req_arena(req), op, name, value, out, &err) == 0)
		return true;
	err_prefix(&err, "Failed to create silence: ");
	alerts_v2_reply_error(req, 400, err.msg);
	return false;
}

static bool read_matchers(struct http_request *req, const struct json_value *root, struct silence *out)
{
	const struct json_value *list = json_member(root, "matchers");
	size_t n = json_count(list);
	if (json_kind_of(list) != JSON_KIND_LIST || n == 0) {
		alerts_v2_reply_invalid(
		    req, 422, CODE_TOO_FEW_ITEMS, "matchers in body should have at least 1 items");
		return false;
	}
	const struct matcher **v = ARENA_ARRAY(http_req_arena(req), const struct matcher *, n);
	for (size_t i = 0; i < n; i++)
		if (!read_matcher(req, json_item(list, i), &v[i]))
			return false;
	out->matchers = v;
	out->n_matchers = n;
	return true;
}

/* Everything is borrowed from the document or lives in the request's arena. */
static bool read_silence(struct http_request *req, const struct json_value *root, struct silence *out)
{
	static const char *const required[] = {"matchers", "startsAt", "endsAt", "createdBy", "comment"};
	*out = (struct silence){.id = SL_EMPTY, .created_by = SL_EMPTY, .comment = SL_EMPTY};
	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (!require(req, root, required[i]))
			return false;
	json_get_string(json_member(root, "id"), &out->id);
	json_get_string(json_member(root, "createdBy"), &out->created_by);
	json_get_string(json_member(root, "comment"), &out->comment);
	return read_matchers(req, root, out) && alerts_v2_time(req, root, "startsAt", &out->starts_at_ms) &&
	       alerts_v2_time(req, root, "endsAt", &out->ends_at_ms) &&
	       alerts_v2_labels(req, root, "annotations", &out->annotations);
}

static void store_silence(struct http_request *req, struct api_alerts_v2 *api, const struct silence *s)
{
	int64_t now_ms = clock_now_ms(api->clock);
	char id[37];
	struct err err;
	if (s->starts_at_ms >= s->ends_at_ms) {
		alerts_v2_reply_error(
		    req, 400, "Failed to create silence: start time must be before end time");
		return;
	}
	if (s->ends_at_ms < now_ms) {
		alerts_v2_reply_error(req, 400, "Failed to create silence: end time can't be in the past");
		return;
	}
	int rc = silence_store_set(router_silences(api->router), s, now_ms, id, &err);
	if (rc) {
		alerts_v2_reply_error(req, rc == ERR_NOT_FOUND ? 404 : 400, err.msg);
		return;
	}
	struct strbuf body = STRBUF_INIT;
	struct json j;
	json_init(&j, &body);
	json_object_begin(&j);
	alerts_v2_key_text(&j, "silenceID", slice_cstr(id));
	json_object_end(&j);
	alerts_v2_reply_json(req, 200, &body);
}

void alerts_v2_post_silence(struct http_request *req, void *arg)
{
	struct json_doc *doc;
	struct silence s;
	if (!alerts_v2_read_body(req, &doc))
		return;
	const struct json_value *root = json_doc_root(doc);
	if (json_kind_of(root) != JSON_KIND_OBJECT)
		alerts_v2_reply_invalid(req, 400, 400, "the body must be a silence: a JSON object");
	else if (read_silence(req, root, &s))
		store_silence(req, arg, &s);
	json_doc_free(doc);
}
