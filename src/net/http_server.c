/* A request's way through the threads:
 *
 *   I/O thread   on_uri: request made -> on_access: route found, body collected -> connection suspended
 *   worker       handler runs -> http_reply*: response built, connection resumed     (request is dead for the handler)
 *   I/O thread   on_access again: response queued -> on_completed: counted, freed
 *
 * libmicrohttpd does not look at a suspended connection, so whether the client is still there is asked of the socket. */
#include "net/http_server.h"

#include "base/clock.h"
#include "base/compress.h"
#include "base/lock.h"
#include "base/thread_pool.h"
#include "base/xmalloc.h"
#include "net/http_params.h"
#include "net/http_routes.h"
#include "net/listen_address.h"
#include "net/url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTION_MEMORY_BYTES =
	    128 << 10, /* bounds the head of a request; long GET queries of dashboards must fit */
	IDLE_TIMEOUT_S = 300,
	COMPRESS_MIN_BYTES = 1024,
	REQUEST_ARENA_BYTES = 64 << 20,
};

struct http_server {
	struct http_server_options opt;
	char *route_prefix;
	struct http_route_vec routes;
	http_handler fallback;
	void *fallback_arg;
	struct MHD_Daemon *daemon;
	int listen_fd;
	unsigned port;
	struct lock lock;
	struct cond idle;
	size_t running; /* LOCK_POOL: requests without a reply, and handlers that have not returned */
	_Atomic bool stopping;
};

enum request_state { READING, RUNNING, REPLIED };

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct arena *arena;
	enum http_method method;
	struct slice raw_path, raw_query, path;
	const struct http_route *route;
	struct http_route fallback_route;
	struct http_path_params path_params;
	struct http_param_vec params;
	bool has_params;
	struct strbuf body;
	enum request_state state;
	int fd;
	int64_t start_ns;
	int early_status; /* an answer without handler: 404, 405, 413, 503 */
	unsigned allowed;
	struct MHD_Response *response;
	int status;
	size_t response_bytes;
	struct slice client;
	struct http_param_vec reply_headers;
};

/* --- methods ------------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
    {"GET", HTTP_GET},
    {"HEAD", HTTP_HEAD},
    {"POST", HTTP_POST},
    {"PUT", HTTP_PUT},
    {"DELETE", HTTP_DELETE},
    {"OPTIONS", HTTP_OPTIONS},
    {"PATCH", HTTP_PATCH},
};

static enum http_method method_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return HTTP_NONE;
}

static void print_methods(unsigned mask, char *out, size_t size)
{
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (mask & (unsigned)methods[i].method)
			len +=
			    (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "", methods[i].name);
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

/* Called for each request line, before anything else: the one place that sees the URI as it was sent. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http_server *s = cls;
	struct http_request *req = xcalloc(1, sizeof(*req));
	req->server = s;
	req->connection = connection;
	req->arena = arena_new(REQUEST_ARENA_BYTES);
	req->start_ns = clock_mono_ns(clock_real());
	struct slice text = arena_slice(req->arena, slice_cstr(uri));
	size_t question = slice_find(text, '?');
	req->raw_path = slice_of(text.ptr, question);
	req->raw_query = question < text.len ? slice_from(text, question + 1) : SL_EMPTY;
	strbuf_init(&req->body, 0);
	return req;
}

static void print_client(struct http_request *req)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	char host[INET6_ADDRSTRLEN] = "";
	if (!info || !info->client_addr)
		return;
	const struct sockaddr *sa = info->client_addr;
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		req->client = arena_printf(req->arena, "%s:%u", host, ntohs(in->sin_port));
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)sa;
		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
		bool mapped = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
		req->client = arena_printf(req->arena, mapped ? "%s:%u" : "[%s]:%u",
		    mapped ? strrchr(host, ':') + 1 : host, ntohs(in->sin6_port));
	}
}

/* Takes the route prefix off; false when the path is outside it. */
static bool strip_prefix(struct http_request *req)
{
	struct slice prefix = slice_cstr(req->server->route_prefix);
	if (!slice_starts(req->raw_path, prefix))
		return false;
	struct slice rest = slice_from(req->raw_path, prefix.len);
	if (prefix.len && rest.len && rest.ptr[0] != '/')
		return false;
	req->raw_path = rest.len ? rest : SL("/");
	return true;
}

static void find_route(struct http_request *req, const char *method)
{
	struct http_server *s = req->server;
	req->method = method_of(method);
	bool inside = strip_prefix(req);
	req->path = url_decode(req->raw_path, false, req->arena);
	req->client = SL_EMPTY;
	print_client(req);
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(req->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	req->fd = info ? info->connect_fd : -1;
	if (inside)
		req->route = http_routes_find(
		    &s->routes, req->method, req->raw_path, req->arena, &req->path_params, &req->allowed);
	if (!req->route && inside && !req->allowed && s->fallback) {
		req->fallback_route = (struct http_route){
		    .path = "", .lane = HTTP_LANE_CONTROL, .handler = s->fallback, .arg = s->fallback_arg};
		req->route = &req->fallback_route;
	}
	if (!req->route)
		req->early_status = req->allowed ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND;
	else
		strbuf_init(&req->body, req->route->max_body_bytes);
}

/* One allocation for the whole body when its length is announced. */
static void reserve_body(struct http_request *req)
{
	struct slice text = http_req_header(req, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (!text.len || req->early_status)
		return;
	unsigned long long n = strtoull(text.ptr, NULL, 10);
	if (n > req->body.max || (n && !strbuf_reserve(&req->body, (size_t)n)))
		req->early_status = MHD_HTTP_CONTENT_TOO_LARGE;
}

static void count_running(struct http_server *s, bool more)
{
	lock_take(&s->lock);
	if (more)
		s->running++;
	else if (--s->running == 0)
		cond_broadcast(&s->idle);
	lock_release(&s->lock);
}

/* A handler may have work to do behind its reply, with what its owner frees when the server is gone. */
static void run_handler(void *arg)
{
	struct http_request *req = arg;
	struct http_server *s = req->server;
	req->route->handler(req, req->route->arg);
	count_running(s, false);
}

static void dispatch(struct http_request *req)
{
	struct http_server *s = req->server;
	count_running(s, true); /* the request */
	count_running(s, true); /* the handler */
	req->state = RUNNING;
	MHD_suspend_connection(req->connection);
	if (thread_pool_submit(s->opt.pools[req->route->lane], run_handler, req))
		return;
	http_reply_text(req, MHD_HTTP_SERVICE_UNAVAILABLE, "server is busy: too many requests are waiting\n");
	count_running(s, false);
}

/* --- responses ---------------------------------------------------------------------------------------------------- */

static struct MHD_Response *text_response(const char *text)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(strlen(text), xstrdup(text), MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	return r;
}

static enum MHD_Result queue_early(struct http_request *req)
{
	char allow[80];
	const char *text = "404 page not found\n";
	if (req->early_status == MHD_HTTP_METHOD_NOT_ALLOWED)
		text = "Method Not Allowed\n";
	else if (req->early_status == MHD_HTTP_CONTENT_TOO_LARGE)
		text = "request body too large\n";
	else if (req->early_status == MHD_HTTP_SERVICE_UNAVAILABLE)
		text = "server is stopping\n";
	struct MHD_Response *r = text_response(text);
	if (req->early_status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		print_methods(req->allowed, allow, sizeof(allow));
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, allow);
	}
	req->status = req->early_status;
	req->response_bytes = strlen(text);
	enum MHD_Result rc = MHD_queue_response(req->connection, (unsigned)req->early_status, r);
	MHD_destroy_response(r);
	return rc;
}

enum encoding { PLAIN, GZIP, DEFLATE };

/* The first of gzip and deflate that the client lists. */
static enum encoding accepted_encoding(const struct http_request *req)
{
	struct slice rest = http_req_header(req, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	while (rest.len) {
		size_t comma = slice_find(rest, ',');
		struct slice item = slice_of(rest.ptr, comma);
		rest = slice_from(rest, comma < rest.len ? comma + 1 : comma);
		struct slice name = slice_trim(slice_of(item.ptr, slice_find(item, ';')));
		if (slice_eq(name, SL("gzip")))
			return GZIP;
		if (slice_eq(name, SL("deflate")))
			return DEFLATE;
	}
	return PLAIN;
}

/* Replaces the content of `body` when the client wants it smaller; returns what it became. */
static enum encoding compress_body(struct http_request *req, struct strbuf *body)
{
	enum encoding encoding = body->len >= COMPRESS_MIN_BYTES ? accepted_encoding(req) : PLAIN;
	if (encoding == PLAIN)
		return PLAIN;
	struct strbuf packed;
	strbuf_init(&packed, STRBUF_NO_LIMIT);
	int rc = encoding == GZIP ? gzip_encode(strbuf_slice(body), &packed, NULL)
				  : deflate_encode(strbuf_slice(body), &packed, NULL);
	if (rc) {
		strbuf_done(&packed);
		return PLAIN;
	}
	strbuf_done(body);
	*body = packed;
	return encoding;
}

static void finish(struct http_request *req, int status, struct MHD_Response *r)
{
	struct http_server *s = req->server;
	VEC_EACH (struct http_param, h, &req->reply_headers)
		MHD_add_response_header(r, h->name.ptr, h->value.ptr);
	req->response = r;
	req->status = status;
	req->state = REPLIED;
	struct MHD_Connection *connection = req->connection;
	/* From here on the I/O thread may free the request. */
	MHD_resume_connection(connection);
	count_running(s, false);
}

void http_reply_header(struct http_request *req, const char *name, const char *value)
{
	struct http_param h = {
	    arena_slice(req->arena, slice_cstr(name)), arena_slice(req->arena, slice_cstr(value))};
	http_param_vec_push(&req->reply_headers, h);
}

static void add_type(struct MHD_Response *r, const char *content_type, enum encoding encoding)
{
	if (content_type)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	if (encoding == PLAIN)
		return;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, encoding == GZIP ? "gzip" : "deflate");
	MHD_add_response_header(r, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
}

void http_reply(struct http_request *req, int status, const char *content_type, struct strbuf *body)
{
	enum encoding encoding = compress_body(req, body);
	req->response_bytes = body->len;
	size_t len = body->len;
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(len, strbuf_take(body), MHD_RESPMEM_MUST_FREE);
	add_type(r, content_type, encoding);
	finish(req, status, r);
}

/* --- bodies made while they are sent -------------------------------------------------------------------------------- */

/* Of one response. */
struct body_pump {
	struct http_body_source source;
	struct http_request *req;
	struct strbuf piece;
	size_t sent; /* of the piece */
	bool is_last;
};

/* The next bytes to libmicrohttpd's buffer. */
static ssize_t pump_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct body_pump *p = cls;
	(void)pos;
	while (p->sent == p->piece.len) {
		if (p->is_last)
			return MHD_CONTENT_READER_END_OF_STREAM;
		strbuf_reset(&p->piece);
		p->sent = 0;
		p->is_last = !p->source.fill(p->source.arg, &p->piece);
		if (strbuf_overflowed(&p->piece))
			return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	size_t n = p->piece.len - p->sent < max ? p->piece.len - p->sent : max;
	memcpy(buf, p->piece.ptr + p->sent, n);
	p->sent += n;
	p->req->response_bytes += n;
	return (ssize_t)n;
}

static void pump_free(void *cls)
{
	struct body_pump *p = cls;
	p->source.done(p->source.arg);
	strbuf_done(&p->piece);
	free(p);
}

/* False: it could not be compressed, and part of it is gone. */
static bool compress_source(const struct http_body_source *source, bool gzip, struct strbuf *out)
{
	struct compress_stream *s = compress_stream_new(gzip);
	struct strbuf piece;
	bool more = true, ok = s != NULL;
	strbuf_init(&piece, STRBUF_NO_LIMIT);
	while (ok && more) {
		strbuf_reset(&piece);
		more = source->fill(source->arg, &piece);
		ok = !strbuf_overflowed(&piece) &&
		     compress_stream_add(s, strbuf_slice(&piece), !more, out, NULL) == 0;
	}
	strbuf_done(&piece);
	compress_stream_free(s);
	return ok;
}

static void reply_compressed(struct http_request *req, int status, const char *content_type,
    const struct http_body_source *source, enum encoding encoding)
{
	struct strbuf body;
	strbuf_init(&body, STRBUF_NO_LIMIT);
	bool ok = compress_source(source, encoding == GZIP, &body);
	source->done(source->arg);
	if (!ok) {
		strbuf_done(&body);
		http_reply_text(req, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory for the answer\n");
		return;
	}
	req->response_bytes = body.len;
	size_t len = body.len;
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(len, strbuf_take(&body), MHD_RESPMEM_MUST_FREE);
	add_type(r, content_type, encoding);
	finish(req, status, r);
}

void http_reply_source(
    struct http_request *req, int status, const char *content_type, const struct http_body_source *source)
{
	enum encoding encoding = accepted_encoding(req);
	if (encoding != PLAIN) {
		reply_compressed(req, status, content_type, source, encoding);
		return;
	}
	struct body_pump *p = xcalloc(1, sizeof(*p));
	p->source = *source;
	p->req = req;
	strbuf_init(&p->piece, STRBUF_NO_LIMIT);
	struct MHD_Response *r =
	    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP_PIECE_BYTES, pump_read, p, pump_free);
	add_type(r, content_type, PLAIN);
	finish(req, status, r);
}

void http_reply_text(struct http_request *req, int status, const char *text)
{
	req->response_bytes = strlen(text);
	finish(req, status, text_response(text));
}

void http_reply_empty(struct http_request *req, int status)
{
	static char nothing[1];
	finish(req, status, MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT));
}

/* --- libmicrohttpd's callbacks ------------------------------------------------------------------------------------- */

static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *upload_size, void **con_cls)
{
	(void)cls;
	(void)url;
	(void)version;
	struct http_request *req = *con_cls;
	if (!req)
		return MHD_NO;
	if (req->state == REPLIED)
		return MHD_queue_response(connection, (unsigned)req->status, req->response);
	if (!req->path.ptr) { /* the first call: head only */
		find_route(req, method);
		reserve_body(req);
		/* Answering now, before the body, closes the connection: right for a body nobody will read. */
		return req->early_status == MHD_HTTP_CONTENT_TOO_LARGE ? queue_early(req) : MHD_YES;
	}
	if (*upload_size) {
		if (!req->early_status) {
			strbuf_add(&req->body, upload, *upload_size);
			if (strbuf_overflowed(&req->body))
				req->early_status = MHD_HTTP_CONTENT_TOO_LARGE;
		}
		*upload_size = 0;
		return MHD_YES;
	}
	if (atomic_load(&req->server->stopping))
		req->early_status = MHD_HTTP_SERVICE_UNAVAILABLE;
	if (req->early_status)
		return queue_early(req);
	dispatch(req);
	return MHD_YES;
}

static void on_completed(
    void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode code)
{
	(void)connection;
	(void)code;
	struct http_server *s = cls;
	struct http_request *req = *con_cls;
	*con_cls = NULL;
	if (!req)
		return;
	if (s->opt.on_done && req->status)
		s->opt.on_done(s->opt.on_done_arg, req->route ? req->route->path : "", req->status,
		    clock_mono_ns(clock_real()) - req->start_ns, req->response_bytes);
	if (req->response)
		MHD_destroy_response(req->response);
	strbuf_done(&req->body);
	http_param_vec_done(&req->params);
	http_param_vec_done(&req->reply_headers);
	arena_free(req->arena);
	free(req);
}

/* --- reading a request ---------------------------------------------------------------------------------------------- */

enum http_method http_req_method(const struct http_request *req)
{
	return req->method;
}

struct slice http_req_path(const struct http_request *req)
{
	return req->path;
}

struct slice http_req_raw_query(const struct http_request *req)
{
	return req->raw_query;
}

struct slice http_req_header(const struct http_request *req, const char *name)
{
	const char *value = MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name);
	return value ? slice_cstr(value) : SL_EMPTY;
}

struct slice http_req_body(const struct http_request *req)
{
	return strbuf_slice(&req->body);
}

struct slice http_req_client(const struct http_request *req)
{
	return req->client;
}

struct slice http_req_path_param(const struct http_request *req, const char *name)
{
	for (size_t i = 0; i < req->path_params.n; i++)
		if (slice_eq_cstr(req->path_params.name[i], name))
			return req->path_params.value[i];
	return SL_EMPTY;
}

static bool has_form_body(const struct http_request *req)
{
	if (!(req->method & (HTTP_POST | HTTP_PUT | HTTP_PATCH)))
		return false;
	struct slice type = http_req_header(req, MHD_HTTP_HEADER_CONTENT_TYPE);
	return slice_eq_nocase(
	    slice_trim(slice_of(type.ptr, slice_find(type, ';'))), SL("application/x-www-form-urlencoded"));
}

bool http_req_param_at(struct http_request *req, const char *name, size_t k, struct slice *value)
{
	if (!req->has_params) {
		if (has_form_body(req))
			http_params_add(&req->params, strbuf_slice(&req->body), req->arena);
		http_params_add(&req->params, req->raw_query, req->arena);
		req->has_params = true;
	}
	return http_params_get(&req->params, name, k, value);
}

bool http_req_param(struct http_request *req, const char *name, struct slice *value)
{
	return http_req_param_at(req, name, 0, value);
}

struct arena *http_req_arena(struct http_request *req)
{
	return req->arena;
}

bool http_req_gone(const struct http_request *req)
{
	char byte;
	ssize_t n = req->fd < 0 ? 1 : recv(req->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* --- the server ------------------------------------------------------------------------------------------------------ */

int http_server_new(const struct http_server_options *opt, struct http_server **out, struct err *err)
{
	int fd;
	unsigned port;
	int rc = listen_on(opt->listen_address, &fd, &port, err);
	if (rc)
		return rc;
	struct http_server *s = xcalloc(1, sizeof(*s));
	s->opt = *opt;
	s->opt.listen_address = NULL;
	s->route_prefix = xstrdup(opt->route_prefix ? opt->route_prefix : "");
	s->listen_fd = fd;
	s->port = port;
	lock_init(&s->lock, LOCK_POOL, "http server");
	cond_init(&s->idle);
	*out = s;
	return 0;
}

void http_server_add(struct http_server *s, const struct http_route *routes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		http_route_vec_push(&s->routes, routes[i]);
}

void http_server_set_fallback(struct http_server *s, http_handler handler, void *arg)
{
	s->fallback = handler;
	s->fallback_arg = arg;
}

int http_server_start(struct http_server *s, struct err *err)
{
	unsigned io_threads = s->opt.io_threads ? s->opt.io_threads : 2;
	unsigned connections = s->opt.max_connections ? s->opt.max_connections : 512;
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO,
	    0, NULL, NULL, on_access, s, MHD_OPTION_LISTEN_SOCKET, s->listen_fd, MHD_OPTION_URI_LOG_CALLBACK,
	    on_uri, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_THREAD_POOL_SIZE, io_threads,
	    MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_END);
	if (!s->daemon)
		return err_set_errno(err, "cannot start the web server on port %u", s->port);
	return 0;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	atomic_store(&s->stopping, true);
	if (s->daemon) {
		MHD_quiesce_daemon(s->daemon);
		lock_take(&s->lock);
		while (s->running)
			cond_wait(&s->idle, &s->lock);
		lock_release(&s->lock);
		MHD_stop_daemon(s->daemon);
	}
	close(s->listen_fd);
	http_route_vec_done(&s->routes);
	cond_done(&s->idle);
	lock_done(&s->lock);
	free(s->route_prefix);
	free(s);
}

unsigned http_server_port(const struct http_server *s)
{
	return s->port;
}
