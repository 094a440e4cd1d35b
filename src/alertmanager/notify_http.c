#include "alertmanager/notify_http.h"

#include "base/vec.h"
#include "config/config_http.h"
#include "net/http_client.h"

enum { MAX_RESPONSE_BYTES = 1 << 20, HEADERS_MAX = 24 };

/* A call under way: copies, because the caller's are gone when the answer comes. In the attempt's arena. */
struct http_attempt {
	struct send_request req;
	struct notify_http_post post;
};

static enum send_reason reason_of_status(int status)
{
	if (status == 401 || status == 403)
		return SEND_REASON_AUTH_ERROR;
	if (status == 429)
		return SEND_REASON_RATE_LIMITED;
	if (status / 100 == 4)
		return SEND_REASON_CLIENT_ERROR;
	return status / 100 == 5 ? SEND_REASON_SERVER_ERROR : SEND_REASON_OTHER;
}

static enum send_reason reason_of_failure(int rc)
{
	if (rc == ERR_CANCELED)
		return SEND_REASON_CANCELED;
	return rc == ERR_TIMEOUT ? SEND_REASON_DEADLINE_EXCEEDED : SEND_REASON_OTHER;
}

static void on_answer(void *arg, const struct http_result *r)
{
	struct http_attempt *a = arg;
	if (r->rc) {
		struct slice shown = a->post.is_secret_url ? SL("<redacted>") : a->post.url;
		receiver_done(&a->req, SEND_RETRY, reason_of_failure(r->rc), "Post \"%" SL_FMT "\": %s",
		    SL_ARG(shown), r->error ? r->error : err_code_name(r->rc));
		return;
	}
	if (r->status / 100 == 2) {
		if (a->post.judge)
			a->post.judge(&a->req, r->content_type, r->body);
		else
			receiver_done(&a->req, SEND_OK, SEND_REASON_OTHER, "%s", "");
		return;
	}
	bool may_retry = r->status / 100 == 5 || r->status == a->post.retry_status;
	receiver_done(&a->req, may_retry ? SEND_RETRY : SEND_FAILED, reason_of_status(r->status),
	    "unexpected status code %d%s%" SL_FMT, r->status, r->body.len ? ": " : "", SL_ARG(r->body));
}

static bool has_bad_byte(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return true;
	return false;
}

struct header_list {
	const char *v[HEADERS_MAX + 1];
	size_t n;
};

static void add_header(struct header_list *h, struct arena *arena, struct slice name, struct slice value)
{
	if (h->n == HEADERS_MAX || has_bad_byte(value))
		return;
	struct slice line = arena_printf(arena, "%" SL_FMT ": %" SL_FMT, SL_ARG(name), SL_ARG(value));
	h->v[h->n++] = line.ptr;
}

/* http_headers of the configuration: plain values, then secrets. */
static void add_configured(struct header_list *h, struct arena *arena, const struct config_http *http)
{
	for (size_t i = 0; http && i < http->headers.n; i++) {
		const struct config_header *c = &http->headers.v[i];
		for (size_t k = 0; k < c->values.n; k++)
			add_header(h, arena, c->name, c->values.v[k]);
		for (size_t k = 0; k < c->secrets.n; k++)
			add_header(h, arena, c->name, c->secrets.v[k]);
	}
}

static void collect_headers(
    struct header_list *h, const struct send_request *req, const struct notify_http_post *post)
{
	h->v[h->n++] = "Content-Type: application/json";
	for (const char *const *own = post->headers; own && *own && h->n < HEADERS_MAX; own++)
		h->v[h->n++] = *own;
	add_configured(h, req->arena, req->integration->http);
}

void notify_http_send(const struct send_request *req, const struct notify_http_post *post)
{
	struct http_attempt *a = ARENA_NEW(req->arena, struct http_attempt);
	a->req = *req;
	a->post = *post;
	struct header_list headers = {0};
	collect_headers(&headers, req, post);
	struct http_client_auth auth = {0};
	if (req->integration->http)
		config_http_auth(req->integration->http, req->arena, &auth);
	int64_t timeout_ms = req->timeout_ms;
	if (post->timeout_ms > 0 && post->timeout_ms < timeout_ms)
		timeout_ms = post->timeout_ms;
	struct http_call call = {
	    .method = "POST",
	    .url = arena_strdup(req->arena, post->url),
	    .headers = headers.v,
	    .body = post->body,
	    .auth = &auth,
	    .timeout_ms = timeout_ms,
	    .max_response_bytes = MAX_RESPONSE_BYTES,
	};
	http_client_send(req->http, &call, on_answer, a);
}
