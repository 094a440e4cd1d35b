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
#include "promql/query_gate.h"
#include "promql/query_record.h"
#include "promql/query_result.h"
#include "storage/querier.h"
#include <stdatomic.h>
#include <stdint.h>

struct active_queries;

struct promql_options {
	/* samples held at one time by a query, as Prometheus counts; 0: 50,000,000 */
	size_t max_samples;
	size_t max_query_bytes; /* memory of one query; 0: 1 GiB */
	size_t max_all_bytes;   /* memory of all that run together; 0: no bound */
	uint64_t max_series;    /* that a query selects; 0: no bound */
	int64_t timeout_ms;     /* 0: two minutes */
	int64_t lookback_ms;    /* 0: five minutes */
	int64_t
	    default_step_ms; /* of subqueries that name none: the global evaluation interval; 0: one minute */
	unsigned max_concurrent; /* queries running at once, the others wait; 0: 20 */
	unsigned max_heavy;      /* of them those whose estimated cost is not small; 0: 2 */
	/* what takes this long is kept for the list of slow queries; 0: one second; < 0: all are kept */
	int64_t slow_query_ms;
	struct parse_options parse; /* which experimental syntax and functions texts may use */
	bool delayed_name_removal;
	bool use_start_timestamps;
	/* series may differ in __type__ and __unit__ alone, and rate() looks at the former */
	bool type_and_unit_labels;
	struct clock *clock; /* for deadlines and statistics; NULL: the real one */
	/* helps with big queries; NULL: each query runs on its caller's thread alone */
	struct thread_pool *pool;
	uint64_t parallel_samples; /* what reads fewer is not worth threads; 0: 50,000 */
	/* borrowed: where running queries are noted; NULL: nowhere */
	struct active_queries *active;
};

struct promql_engine;

/* Options are copied. The caller frees with promql_engine_free(), which takes NULL, when no query runs any more. */
struct promql_engine *promql_engine_new(const struct promql_options *options);
void promql_engine_free(struct promql_engine *e);
/* The configuration was reloaded: the global evaluation interval is another. */
void promql_engine_set_default_step(struct promql_engine *e, int64_t step_ms);
/* From now on queries are logged to this file, opened anew even when it is the same; empty: to none. On an error nothing
 * changes. */
MUST_CHECK int promql_engine_set_query_log(struct promql_engine *e, struct slice path, struct err *err);
/* The newest queries that were slow, newest first, in the arena. */
void promql_engine_slow_queries(struct promql_engine *e, struct arena *arena, struct query_record **out,
    size_t *n, int64_t *threshold_ms);
/* For others who read much from the store on behalf of clients: they queue with the queries. */
struct query_gate *promql_engine_gate(struct promql_engine *e);
/* The time by which a caller that waits at the gate has to be let in: the engine's timeout from now. */
int64_t promql_engine_deadline_ns(const struct promql_engine *e);

/* Rules never wait for dashboards: their queries run at once, on their own workers. */
enum query_lane { QUERY_LANE_CLIENTS, QUERY_LANE_RULES };

/* Instead of the result, or beside it, a tree that tells how it comes about (promql/explain.h). */
enum query_explain { EXPLAIN_NOTHING, EXPLAIN_PLAN /* nothing is evaluated */, EXPLAIN_ANALYZE };

/* One question. Zero the struct, then fill in what is needed. */
struct promql_query {
	struct queryable *store;
	/* A parsed tree, which must outlive the call; NULL: `text` is parsed, with the engine's options. */
	const struct expr *expr;
	struct slice text; /* beside a tree: what it was parsed from, for the positions in annotations */
	int64_t start_ms, end_ms;    /* instant: both the same */
	int64_t step_ms;             /* 0: instant query; > 0: range query */
	int64_t lookback_ms;         /* 0: the engine's */
	int64_t timeout_ms;          /* 0: the engine's; never longer than it */
	const atomic_bool *canceled; /* asked now and then; NULL: cannot be canceled */
	enum query_lane lane;
	struct query_origin origin;
	bool wants_steps; /* statistics by step as well */
	enum query_explain explain;
	struct query_record
	    *record; /* filled in success and failure; its texts are the query's; NULL: not wanted */
};

/* Runs it on the calling thread (and on idle ones of the pool). On success *out is the result, which the caller frees.
 *
 * ERR_INVALID: parse and type errors, with position, and running out of time before it began (API type bad_data); ERR_TIMEOUT
 * (timeout); ERR_CANCELED (canceled); everything else (ERR_EXECUTION, ERR_LIMIT, ERR_UNSUPPORTED, what the store says) is
 * execution. The text is the bare engine error, as Prometheus words it. */
MUST_CHECK int promql_engine_run(
    struct promql_engine *e, const struct promql_query *q, struct query_result **out, struct err *err);

/* "bad_data", "timeout", "canceled", "execution": the API's errorType for an error of promql_engine_run(). */
const char *promql_error_type(int code);
