/* The router's part of the server: the router itself, its door for the rules, its HTTP API, and the second listener that
 * serves the API where an Alertmanager would. Exists in every server; without an Alertmanager configuration it keeps alerts
 * and tells nobody, and has no API. Made and ended on the main thread. */
#pragma once

#include "base/scheduler.h"
#include "main/options.h"
#include "main/reload.h"
#include "net/http_server.h"
#include "rules/alert_sink.h"

struct routing;

struct routing_options {
	const struct options *options;
	struct scheduler *scheduler;
	const char *external_url;            /* of the server, without a slash at the end */
	struct http_server *server;          /* gets /api/v2 */
	struct http_server_options listener; /* for the second one; its address is taken from the options */
	const char *version;
};

/* ERR_IO, ERR_INVALID: the second listener cannot listen. Everything is borrowed. */
MUST_CHECK int routing_new(const struct routing_options *o, struct routing **out, struct err *err);
/* Answers from here on. */
MUST_CHECK int routing_start(struct routing *r, struct err *err);
/* Stops listening; after it no handler runs. */
void routing_stop(struct routing *r);
/* After the server and the rules are gone. Takes NULL. */
void routing_free(struct routing *r);

/* Where rules send to. Borrowed. */
struct alert_sink *routing_sink(struct routing *r);
/* Puts a loaded generation in force; the arena of its routes is taken over. ERR_*: nothing has changed. */
MUST_CHECK int routing_apply(struct routing *r, struct generation *g, struct err *err);
