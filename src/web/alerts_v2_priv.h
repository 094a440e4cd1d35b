/* Shared by the files of the Alertmanager API. */
#pragma once

#include "alertmanager/router.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_read.h"
#include "net/http_server.h"
#include "web/api_alerts_v2.h"

struct api_alerts_v2 {
	struct router *router;
	struct clock *clock;
};

/* --- answers ----------------------------------------------------------------------------------------------------- */
/* Takes the body. */
void alerts_v2_reply_json(struct http_request *req, int status, struct strbuf *body);
/* A handler's error: a bare JSON string. */
void alerts_v2_reply_error(struct http_request *req, int status, const char *text);
/* An error of the API description: {"code": ..., "message": ...}. */
void alerts_v2_reply_invalid(struct http_request *req, int status, int code, const char *message);

/* --- reading; each answers the request and returns false when something is wrong --------------------------------- */
/* A JSON body; the caller frees the document. */
bool alerts_v2_read_body(struct http_request *req, struct json_doc **doc);
/* active, silenced, ... of the query string; true when absent. */
bool alerts_v2_flag(struct http_request *req, const char *name);
/* All values of a repeated parameter as matchers, in the request's arena. */
struct matcher_list {
	const struct matcher **v;
	size_t n;
};
bool alerts_v2_matchers(struct http_request *req, const char *param, struct matcher_list *out);
/* A date-time member; absent and the zero time give 0. */
bool alerts_v2_time(
    struct http_request *req, const struct json_value *object, const char *member, int64_t *out);
/* A map of texts; entries with an empty value are left out. Absent: the empty set. */
bool alerts_v2_labels(
    struct http_request *req, const struct json_value *object, const char *member, const struct labels **out);

/* --- writing ----------------------------------------------------------------------------------------------------- */
void alerts_v2_key_time(struct json *j, const char *key, int64_t t_ms);
void alerts_v2_key_labels(struct json *j, const char *key, const struct labels *ls);
void alerts_v2_key_text(struct json *j, const char *key, struct slice s);

/* --- handlers ---------------------------------------------------------------------------------------------------- */
void alerts_v2_get_silences(struct http_request *req, void *api);
void alerts_v2_post_silence(struct http_request *req, void *api);
void alerts_v2_get_silence(struct http_request *req, void *api);
void alerts_v2_delete_silence(struct http_request *req, void *api);
