/* The real server and the real client over loopback. */
#include "net/http_server.h"

#include "base/thread_pool.h"
#include "base/xmalloc.h"
#include "net/http_client.h"
#include "tests/lib/test.h"

#include <pthread.h>
#include <stdio.h>

struct setup {
	struct thread_pool *pool;
	struct http_server *server;
	struct http_client *client;
	struct strbuf response;
};

static void echo(struct http_request *req, void *arg)
{
	(void)arg;
	struct strbuf sb = STRBUF_INIT;
	struct slice v;
	strbuf_addf(&sb, "%" SL_FMT "|%" SL_FMT "|", SL_ARG(http_req_path(req)),
	    SL_ARG(http_req_path_param(req, "name")));
	for (size_t k = 0; http_req_param_at(req, "q", k, &v); k++)
		strbuf_addf(&sb, "%" SL_FMT ",", SL_ARG(v));
	strbuf_addf(&sb, "|%" SL_FMT, SL_ARG(http_req_header(req, "x-test")));
	http_reply_header(req, "X-Answer", "yes");
	http_reply(req, 200, "text/plain", &sb);
}

static void large(struct http_request *req, void *arg)
{
	(void)arg;
	struct strbuf sb = STRBUF_INIT;
	for (int i = 0; i < 100000; i++)
		strbuf_adds(&sb, "0123456789");
	http_reply(req, 200, "text/plain", &sb);
}

/* A body in pieces: numbers up to a limit, some at a time. */
struct pieces {
	int next, end;
};
static _Atomic int pieces_done;

static bool fill_piece(void *arg, struct strbuf *out)
{
	struct pieces *p = arg;
	for (int i = 0; i < 7000 && p->next < p->end; i++)
		strbuf_addf(out, "%d,", p->next++);
	return p->next < p->end;
}

static void end_pieces(void *arg)
{
	free(arg);
	pieces_done++;
}

static void in_pieces(struct http_request *req, void *arg)
{
	struct pieces *p = xcalloc(1, sizeof(*p));
	(void)arg;
	p->end = 300000;
	http_reply_source(req, 200, "text/plain", &(struct http_body_source){fill_piece, end_pieces, p});
}

static void *reply_later(void *arg)
{
	http_reply_empty(arg, 204);
	return NULL;
}

/* Answers from a thread of its own, after the handler returned. */
static void later(struct http_request *req, void *arg)
{
	pthread_t t;
	(void)arg;
	assert_int_equal(pthread_create(&t, NULL, reply_later, req), 0);
	pthread_detach(t);
}

static _Atomic bool was_answered, has_returned;

/* Has work left when the client has its answer. */
static void tidy_up(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply_empty(req, 204);
	while (!was_answered)
		sched_yield();
	for (int i = 0; i < 1000; i++)
		sched_yield();
	has_returned = true;
}

static const struct http_route routes[] = {
    {HTTP_GET | HTTP_POST, "/echo/:name", HTTP_LANE_QUERY, 1000, echo, NULL},
    {HTTP_GET, "/large", HTTP_LANE_QUERY, 0, large, NULL},
    {HTTP_GET, "/pieces", HTTP_LANE_QUERY, 0, in_pieces, NULL},
    {HTTP_POST, "/later", HTTP_LANE_INGEST, 1000, later, NULL},
    {HTTP_GET, "/tidy", HTTP_LANE_INGEST, 0, tidy_up, NULL},
};

static void start(struct setup *s, const char *prefix)
{
	struct err err;
	*s = (struct setup){.pool = thread_pool_new("test", 2), .client = http_client_new("promq-test")};
	struct http_server_options opt = {.listen_address = "127.0.0.1:0", .route_prefix = prefix};
	for (size_t i = 0; i < HTTP_LANES; i++)
		opt.pools[i] = s->pool;
	check_ok("new", http_server_new(&opt, &s->server, &err), &err);
	http_server_add(s->server, routes, ARRAY_LEN(routes));
	check_ok("start", http_server_start(s->server, &err), &err);
	strbuf_init(&s->response, STRBUF_NO_LIMIT);
}

static void stop(struct setup *s)
{
	http_client_free(s->client);
	http_server_free(s->server);
	thread_pool_free(s->pool);
	strbuf_done(&s->response);
}

static struct http_result call(struct setup *s, struct http_call *c, const char *path)
{
	char url[4096];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server_port(s->server), path);
	c->url = url;
	c->timeout_ms = 20000;
	struct http_result r;
	struct err err;
	check_ok(path, http_client_do(s->client, c, &r, &s->response, &err), &err);
	return r;
}

static void requests(void **state)
{
	(void)state;
	struct setup s;
	start(&s, "/p");
	static const char *const headers[] = {
	    "X-Test: h", "Content-Type: application/x-www-form-urlencoded", NULL};
	static const struct {
		const char *method, *path, *body;
		int status;
		const char *want;
	} cases[] = {
	    {"GET", "/p/echo/a%20b?q=1&q=2", "", 200, "/echo/a b|a b|1,2,|h"},
	    {"POST", "/p/echo/x?q=2", "q=1%2B1", 200, "/echo/x|x|1+1,2,|h"},
	    {"GET", "/echo/x", "", 404, "404 page not found\n"},
	    {"GET", "/p/none", "", 404, "404 page not found\n"},
	    {"PUT", "/p/echo/x", "", 405, "Method Not Allowed\n"},
	    {"POST", "/p/later", "abc", 204, ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_call c = {
		    .method = cases[i].method, .headers = headers, .body = slice_cstr(cases[i].body)};
		struct http_result r = call(&s, &c, cases[i].path);
		check_int(cases[i].path, r.status, cases[i].status);
		check_str(cases[i].path, r.body, cases[i].want);
	}
	stop(&s);
}

static void a_body_over_its_bound_is_413(void **state)
{
	(void)state;
	struct setup s;
	start(&s, "");
	char *body = xcalloc(1, 200000);
	memset(body, 'x', 200000);
	struct http_call c = {.method = "POST", .body = slice_of(body, 1001)};
	struct http_result r = call(&s, &c, "/echo/x");
	check_int("one byte too many", r.status, 413);
	c = (struct http_call){.method = "POST", .body = slice_of(body, 1000)};
	check_int("just fits", call(&s, &c, "/echo/x").status, 200);
	free(body);
	stop(&s);
}

static void compression_follows_the_client(void **state)
{
	(void)state;
	struct setup s;
	start(&s, "");
	struct http_call plain = {.method = "GET"}, packed = {.method = "GET", .accept_gzip = true};
	check_int("plain", call(&s, &plain, "/large").body.len, 1000000);
	struct http_result r = call(&s, &packed, "/large");
	check_int("inflated by the client", r.body.len, 1000000);
	packed.max_response_bytes = 999999;
	packed.url = "";
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/large", http_server_port(s.server));
	packed.url = url;
	struct err err;
	check_int("bound of the answer", http_client_do(s.client, &packed, &r, &s.response, &err), ERR_LIMIT);
	stop(&s);
}

static void check_pieces(struct setup *s, bool accept_gzip)
{
	struct http_call c = {.method = "GET", .accept_gzip = accept_gzip};
	struct http_result r = call(s, &c, "/pieces");
	struct strbuf want = STRBUF_INIT;
	for (int i = 0; i < 300000; i++)
		strbuf_addf(&want, "%d,", i);
	check_int("status", r.status, 200);
	check_true("all of it", slice_eq(r.body, strbuf_slice(&want)));
	strbuf_done(&want);
}

static void bodies_in_pieces(void **state)
{
	(void)state;
	struct setup s;
	start(&s, "");
	pieces_done = 0;
	check_pieces(&s, false);
	check_pieces(&s, true);
	/* A client that goes away in the middle. */
	struct http_call c = {.method = "GET", .max_response_bytes = 100000};
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/pieces", http_server_port(s.server));
	c.url = url;
	struct http_result r;
	struct err err;
	check_int("too large for it", http_client_do(s.client, &c, &r, &s.response, &err), ERR_LIMIT);
	stop(&s);
	check_int("every source was told of its end", pieces_done, 3);
}

struct many {
	_Atomic int ok, done;
};

static void count(void *arg, const struct http_result *r)
{
	struct many *m = arg;
	m->ok += r->rc == 0 && r->status == 200;
	m->done++;
}

static void many_at_once(void **state)
{
	(void)state;
	struct setup s;
	start(&s, "");
	struct many m = {0};
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo/x?q=1", http_server_port(s.server));
	for (int i = 0; i < 300; i++)
		http_client_send(s.client,
		    &(struct http_call){.method = "GET", .url = url, .timeout_ms = 20000}, count, &m);
	while (m.done < 300)
		sched_yield();
	check_int("all answered", m.ok, 300);
	stop(&s);
}

static void an_end_waits_for_handlers(void **state)
{
	(void)state;
	struct setup s;
	start(&s, "");
	struct http_call c = {.method = "GET"};
	check_int("answer", call(&s, &c, "/tidy").status, 204);
	was_answered = true;
	http_server_free(s.server);
	s.server = NULL;
	check_true("returned", has_returned);
	stop(&s);
}

TEST_MAIN("http_server", cmocka_unit_test(requests), cmocka_unit_test(a_body_over_its_bound_is_413),
    cmocka_unit_test(compression_follows_the_client), cmocka_unit_test(bodies_in_pieces),
    cmocka_unit_test(many_at_once), cmocka_unit_test(an_end_waits_for_handlers))
