/* A router on a virtual clock with a receiver that writes down what it gets: the stage of the scenario tests. */
#pragma once

#include "alertmanager/router.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "base/vec.h"
#include "tests/lib/test.h"

struct http_call;
struct http_result;

struct received_call {
	int64_t at_ms;
	char *url, *body;
};
VEC_DEFINE(received_vec, struct received_call);

struct router_fixture {
	struct clock *clock;
	struct scheduler *scheduler;
	struct router *router;
	struct arena *arena; /* for the alerts of the test */
	struct received_vec calls;
	int status;                            /* of the next answers */
	int n_failures;                        /* so many answers are 503 before `status` holds */
	const char *answer_type, *answer_body; /* NULL: none */
	size_t n_seen;                         /* by fixture_expect() */
};

/* The clock starts at 2026-01-01T00:00:00Z. */
enum { FIXTURE_SECOND = 1000, FIXTURE_MINUTE = 60 * 1000 };
int64_t fixture_start_ms(void);

void fixture_init(struct router_fixture *f, const char *config);
void fixture_done(struct router_fixture *f);
/* Loads another configuration; fails the test when it is refused. */
void fixture_reload(struct router_fixture *f, const char *config);

/* Time passes until `ms` after the start. */
void fixture_run_until(struct router_fixture *f, int64_t ms);
int64_t fixture_now(const struct router_fixture *f); /* since the start */

/* Posts an alert: labels as a="1",b="2" pairs ended by NULL. Times are since the start; end 0: open. */
void fixture_alert(struct router_fixture *f, int64_t starts_ms, int64_t ends_ms, ...)
    __attribute__((sentinel));

/* How many calls came since the last question. */
size_t fixture_new_calls(struct router_fixture *f);
/* The latest call. */
const struct received_call *fixture_last(const struct router_fixture *f);
/* The text between "key": and the next comma or brace of the latest body; for status and the like. */
bool fixture_last_has(const struct router_fixture *f, const char *text);
