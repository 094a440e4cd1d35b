/* The HTTP server: libmicrohttpd behind our own nouns. Its I/O threads only read and write; every handler runs on a
 * worker of the route's lane while the connection is suspended, and may answer later from any thread.
 *
 * Life of a request: the route is found when the head has come; the body is read into one buffer (bounded by the
 * route's max_body_bytes: 413); the handler is submitted to the lane's pool (queue full: 503); the handler calls one
 * http_reply_* exactly once; after that call the request is dead. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stdint.h>

struct http_server;
struct http_request;
struct thread_pool;

enum http_method {
	HTTP_NONE = 0,
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PUT = 8,
	HTTP_DELETE = 16,
	HTTP_OPTIONS = 32,
	HTTP_PATCH = 64
};

/* Which workers a handler runs on, so that a flood of one kind cannot stop the others. */
enum http_lane { HTTP_LANE_INGEST, HTTP_LANE_QUERY, HTTP_LANE_CONTROL, HTTP_LANES };

typedef void (*http_handler)(struct http_request *req, void *arg);

struct http_route {
	unsigned methods; /* mask; HTTP_GET implies HTTP_HEAD; other methods on a known path get 405 */
	const char *path; /* "/api/v1/label/:name/values"; a last segment of "*" takes the rest */
	enum http_lane lane;
	size_t max_body_bytes;
	http_handler handler;
	void *arg;
};

struct http_server_options {
	const char *listen_address; /* "0.0.0.0:9090", ":9090", "[::1]:9090"; port 0: any free one */
	const char *route_prefix;   /* "" or "/prefix", taken off before routes are looked up */
	unsigned io_threads;        /* 0: 2 */
	unsigned max_connections;   /* 0: 512; above it new ones wait */
	struct thread_pool *pools[HTTP_LANES]; /* borrowed */
	/* For each finished request, on the I/O thread; may be NULL. `route` is the pattern, or "" for 404. */
	void (*on_done)(void *arg, const char *route, int status, int64_t duration_ns, size_t response_bytes);
	void *on_done_arg;
};

/* Binds and listens; ERR_IO names the address and the reason. Nothing is answered before http_server_start(). */
MUST_CHECK int http_server_new(
    const struct http_server_options *opt, struct http_server **out, struct err *err);
/* Before start only. The route's strings must outlive the server. */
void http_server_add(struct http_server *s, const struct http_route *routes, size_t n);
/* For paths no route takes; without it: 404 "404 page not found\n". */
void http_server_set_fallback(struct http_server *s, http_handler handler, void *arg);
MUST_CHECK int http_server_start(struct http_server *s, struct err *err);
/* Stops listening, waits for handlers that run, frees. Takes NULL. */
void http_server_free(struct http_server *s);
unsigned http_server_port(const struct http_server *s);

/* --- reading a request; everything borrowed until the reply ---------------------------------------------------- */
enum http_method http_req_method(const struct http_request *req);
struct slice http_req_path(const struct http_request *req); /* decoded, without prefix and query string */
struct slice http_req_raw_query(const struct http_request *req);
/* A header's value, or an empty slice; the name in any case. */
struct slice http_req_header(const struct http_request *req, const char *name);
struct slice http_req_body(const struct http_request *req);
struct slice http_req_client(const struct http_request *req); /* "10.0.0.1:51234" */
/* The part of the path that stood for ":name" in the route, decoded; empty when there is none. */
struct slice http_req_path_param(const struct http_request *req, const char *name);
/* First value of a parameter of the query string or, for a POST with a form body, of the body (body first, as Go's
 * FormValue does); false when it is absent. */
bool http_req_param(struct http_request *req, const char *name, struct slice *value);
/* All values of it, in order (body then query string): the k-th, false behind the last. */
bool http_req_param_at(struct http_request *req, const char *name, size_t k, struct slice *value);
/* Scratch memory that dies with the request. */
struct arena *http_req_arena(struct http_request *req);
/* True once the client has gone away: long work should stop. */
bool http_req_gone(const struct http_request *req);

/* --- answering --------------------------------------------------------------------------------------------------- */
/* Before the reply. Both are copied. */
void http_reply_header(struct http_request *req, const char *name, const char *value);
/* Takes body's memory (it is empty afterwards); compressed when the client accepts it and it is worth it. */
void http_reply(struct http_request *req, int status, const char *content_type, struct strbuf *body);

/* A body that is made while it is sent, so that it is never in memory as a whole. Both are called on one thread at a time, an
 * I/O thread or the one that replied. */
struct http_body_source {
	/* Appends the next piece (best HTTP_PIECE_BYTES, never much more) to `out`, which is empty; false: it was the last. */
	bool (*fill)(void *arg, struct strbuf *out);
	void (*done)(void *arg); /* once: all was sent, or the client is gone */
	void *arg;
};
enum { HTTP_PIECE_BYTES = 65536 };
/* Compressed when the client accepts it: then the compressed body alone is in memory. */
void http_reply_source(
    struct http_request *req, int status, const char *content_type, const struct http_body_source *source);
void http_reply_text(struct http_request *req, int status, const char *text);
void http_reply_empty(struct http_request *req, int status);
