/* Cancels a query whose client has gone: a dashboard that is left in the middle of loading should not keep the server
 * busy. Twice a second a timer looks at the connection, on the scheduler's pool; the query itself never waits for that.
 * Lives on the stack of the worker that runs the query. */
#pragma once

#include "base/lock.h"
#include "base/scheduler.h"
#include "net/http_server.h"
#include <stdatomic.h>

enum { QUERY_WATCH_INTERVAL_MS = 500 };

struct query_watch {
	struct scheduler *scheduler;
	struct http_request *req;
	atomic_bool is_canceled; /* what the engine asks */
	struct lock lock;
	timer_id timer; /* QUERY_WATCH: the newest that was set */
	bool is_over;   /* QUERY_WATCH: no other is set */
};

/* `scheduler` NULL: nobody looks. */
void query_watch_begin(struct query_watch *w, struct scheduler *scheduler, struct http_request *req);
/* Before the request is answered: afterwards nothing looks at it. */
void query_watch_end(struct query_watch *w);
