#include "web/api_call.h"

#include "base/utf8.h"
#include "web/api_json.h"

#include <stdio.h>

enum { CALL_ARENA_BYTES = 1 << 30, MAX_ANNOTATIONS = 10 };

/* What an error code is to the client. What is not in the table failed while it was carried out. */
static const struct error_class {
	int code;
	const char *type;
	int status;
} error_classes[] = {
    {ERR_INVALID, "bad_data", 400},
    {ERR_CANCELED, "canceled", 499},
    {ERR_TIMEOUT, "timeout", 503},
    {ERR_NOT_FOUND, "not_found", 404},
    {ERR_UNAVAILABLE, "unavailable", 500},
    {ERR_IO, "internal", 500},
    {ERR_CORRUPT, "internal", 500},
    {ERR_NO_MEMORY, "internal", 500},
    {ERR_EXECUTION, "execution", 422},
};

static const struct error_class *classify(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(error_classes); i++)
		if (error_classes[i].code == code)
			return &error_classes[i];
	return &error_classes[ARRAY_LEN(error_classes) - 1];
}

void api_warn(struct api_call *c, struct slice text)
{
	slice_vec_push(&c->warnings, text);
}

const char *api_quoted(struct api_call *c, struct slice s)
{
	struct strbuf sb = STRBUF_INIT;
	utf8_quote_go(&sb, s);
	const char *copy = arena_strdup(c->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return copy;
}

/* At most ten, then how many more there are. */
static void put_annotations(struct json *j, const char *key, const char *kind, const struct slice_vec *v)
{
	if (v->len == 0)
		return;
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < v->len && i < MAX_ANNOTATIONS; i++)
		json_string(j, v->v[i]);
	if (v->len > MAX_ANNOTATIONS) {
		char text[80];
		snprintf(
		    text, sizeof(text), "%zu more %s annotations omitted", v->len - MAX_ANNOTATIONS, kind);
		json_cstr(j, text);
	}
	json_array_end(j);
}

static void put_end(struct api_call *c)
{
	put_annotations(&c->json, "warnings", "warning", &c->warnings);
	put_annotations(&c->json, "infos", "info", &c->infos);
	json_object_end(&c->json);
}

/* Begins the envelope up to its data. */
static void put_begin(struct api_call *c, const char *status)
{
	strbuf_reset(&c->body);
	json_init(&c->json, &c->body);
	c->json.long_exponents = true;
	json_object_begin(&c->json);
	json_key(&c->json, "status");
	json_cstr(&c->json, status);
}

static int put_error(struct api_call *c, int code, const struct err *err)
{
	const struct error_class *class = classify(code);
	put_begin(c, "error");
	json_key(&c->json, "errorType");
	json_cstr(&c->json, class->type);
	json_key(&c->json, "error");
	json_cstr(&c->json, err->msg);
	put_end(c);
	return class->status;
}

/* Fills the body; returns the HTTP status. */
static int run(struct api_call *c, api_handler handler)
{
	struct err err = {0};
	put_begin(c, "success");
	json_key(&c->json, "data");
	int rc = handler(c, &err);
	if (rc == API_NO_DATA)
		return 204;
	if (rc == 0 && arena_overflowed(c->arena))
		rc = err_set(&err, ERR_LIMIT, "the answer needs more memory than one request may take");
	if (rc == 0) {
		put_end(c);
		if (!strbuf_overflowed(&c->body))
			return 200;
		strbuf_done(&c->body);
		rc = err_set(&err, ERR_NO_MEMORY, "no memory for the answer");
	}
	return put_error(c, rc, &err);
}

static void reply(struct api_call *c, int status)
{
	if (status != 200 || !c->streamed) {
		http_reply(c->req, status, "application/json", &c->body);
		return;
	}
	struct http_body_source source = {.fill = result_stream_fill,
	    .done = result_stream_free,
	    .arg = result_stream_new(c->streamed, c->stream_limit, &c->before, &c->body)};
	c->streamed = NULL;
	http_reply_source(c->req, status, "application/json", &source);
}

void api_run(struct web *web, struct http_request *req, const struct web_route *route)
{
	struct api_call c = {
	    .web = web, .deps = &web->deps, .req = req, .arena = arena_new(CALL_ARENA_BYTES)};
	strbuf_init(&c.body, STRBUF_NO_LIMIT);
	strbuf_init(&c.before, STRBUF_NO_LIMIT);
	if ((route->flags & ROUTE_PARTS) && web_is_replaying(web))
		api_warn(&c, SL("the server is starting: samples of the last hour may be missing, their log "
				"is being read"));
	int status = run(&c, route->api);
	web_reply_cors(web, req);
	if (status == 204)
		http_reply_empty(req, status);
	else
		reply(&c, status);
	query_result_free(c.streamed);
	strbuf_done(&c.before);
	strbuf_done(&c.body);
	slice_vec_done(&c.warnings);
	slice_vec_done(&c.infos);
	arena_free(c.arena);
}
