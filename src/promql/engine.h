/* The PromQL engine: takes a query (text, or a tree of promql/parse.h) and a store (storage/querier.h), gives a result
 * (promql/query_result.h). It holds the limits that all queries share (how many at once, how long, how many samples) and
 * nothing about any one of them: thread-safe, one per process, made by main.
 *
 * How a query runs: docs/internals/promql-engine.md. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/thread_pool.h"
#include "promql/parse.h"
#include "promql/query_result.h"
#include "storage/querier.h"
#include <stdatomic.h>
#include <stdint.h>

struct promql_options {
	size_t max_samples;     /* points held in memory at one time by a query; 0: 50,000,000 */
	size_t max_query_bytes; /* memory of one query; 0: 1 GiB */
	int64_t timeout_ms;     /* 0: two minutes */
	int64_t lookback_ms;    /* 0: five minutes */
	int64_t
	    default_step_ms; /* of subqueries that name none: the global evaluation interval; 0: one minute */
	unsigned max_concurrent;    /* queries running at once, the others wait; 0: 20 */
	struct parse_options parse; /* which experimental syntax and functions texts may use */
	bool delayed_name_removal;
	bool use_start_timestamps;
	bool
	    type_and_unit_labels; /* series may differ in __type__ and __unit__ alone, and rate() looks at the former */
	struct clock *clock; /* for deadlines and statistics; NULL: the real one */
	/* helps with big queries; NULL: each query runs on its caller's thread alone */
	struct thread_pool *pool;
	uint64_t parallel_samples; /* what reads fewer is not worth threads; 0: 50,000 */
};

struct promql_engine;

/* Options are copied. The caller frees with promql_engine_free(), which takes NULL, when no query runs any more. */
struct promql_engine *promql_engine_new(const struct promql_options *options);
void promql_engine_free(struct promql_engine *e);
/* The configuration was reloaded: the global evaluation interval is another. */
void promql_engine_set_default_step(struct promql_engine *e, int64_t step_ms);
/* Queries running now. */
unsigned promql_engine_running(const struct promql_engine *e);

/* One question. Zero the struct, then fill in what is needed. */
struct promql_query {
	struct queryable *store;
	const struct expr
	    *expr; /* a parsed tree, which must outlive the call; NULL: `text` is parsed, with the engine's
				  * options */
	struct slice text; /* beside a tree: what it was parsed from, for the positions in annotations */
	int64_t start_ms, end_ms;    /* instant: both the same */
	int64_t step_ms;             /* 0: instant query; > 0: range query */
	int64_t lookback_ms;         /* 0: the engine's */
	int64_t timeout_ms;          /* 0: the engine's; never longer than it */
	const atomic_bool *canceled; /* asked now and then; NULL: cannot be canceled */
	bool wants_steps;            /* statistics by step as well */
};

/* Runs it on the calling thread (and on idle ones of the pool). On success *out is the result, which the caller frees.
 *
 * ERR_INVALID: parse and type errors, with position (API type bad_data); ERR_TIMEOUT (timeout); ERR_CANCELED (canceled);
 * everything else (ERR_EXECUTION, ERR_LIMIT, ERR_UNSUPPORTED, what the store says) is execution. The text is the bare
 * engine error, as Prometheus words it. */
MUST_CHECK int promql_engine_run(
    struct promql_engine *e, const struct promql_query *q, struct query_result **out, struct err *err);

/* "bad_data", "timeout", "canceled", "execution": the API's errorType for an error of promql_engine_run(). */
const char *promql_error_type(int code);
