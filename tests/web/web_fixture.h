/* A web on a real server over loopback, a store in plain arrays, and a clock that stands still. */
#pragma once

#include "base/json_read.h"
#include "base/thread_pool.h"
#include "storage/mem_store.h"
#include "tests/lib/test.h"
#include "web/web.h"

struct web_fixture {
	struct clock *clock;
	struct mem_store *store;
	struct promql_engine *engine;
	struct thread_pool *pool;
	struct http_server *server;
	struct web *web;
	struct web_deps deps; /* set before the web is made ready */
	struct arena *arena;
	/* The last answer. */
	struct strbuf response;
	int status;
	struct slice head, body;
	_Atomic int last_done; /* status of the newest request that ended, as the server counts it */
};

/* The server runs, and is not ready. `options` NULL: the usual ones; its clock is set here. */
void web_fixture_start(struct web_fixture *f, const struct web_options *options, int64_t now_ms);
void web_fixture_ready(struct web_fixture *f);
void web_fixture_stop(struct web_fixture *f);

/* Lines of the load language: "metric{a=\"b\"} 0+100x100 stale"; a sample a minute from 0 on. */
void web_fixture_load(struct web_fixture *f, const char *text);

/* Sends a request; `headers` are finished lines, "" for none. `form` NULL: no body. */
void web_fixture_call(
    struct web_fixture *f, const char *method, const char *path, const char *headers, const char *form);
void web_fixture_get(struct web_fixture *f, const char *path);
/* The value of a header of the last answer, or an empty slice. */
struct slice web_fixture_header(const struct web_fixture *f, const char *name);
/* GETs the path; status and body must be these. */
void web_fixture_expect(struct web_fixture *f, const char *path, int status, const char *body);

/* The same value, whatever the order of members and the digits of numbers. */
bool json_same(const struct json_value *a, const struct json_value *b);
