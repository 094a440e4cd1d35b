/* What bounds one running query: its deadline, its cancellation, its memory. Checked once per tile, so that a query of any
 * size ends soon after it should. Thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct query_limits {
	const struct clock *clock;
	int64_t deadline_ns;         /* of clock_mono_ns() */
	const atomic_bool *canceled; /* or NULL */
	const struct arena *arena;
	/* What all queries take together, to which this one adds what its arena grows by; NULL: that is not bounded. */
	_Atomic size_t *all_bytes;
	size_t max_all_bytes;
	_Atomic size_t own_bytes;
	/* Of any part of it; promql/sample_account.h counts what all parts hold together. */
	uint64_t max_points;
};

/* ERR_TIMEOUT, ERR_CANCELED or ERR_LIMIT when the query has to end, with Prometheus's texts. */
MUST_CHECK int query_limits_check(struct query_limits *l, struct err *err);
/* The query is over: what it took is given back. */
void query_limits_done(struct query_limits *l);
/* The error for more than max_points; for memory that the arena refused. */
int query_limits_too_many(struct err *err);
int query_limits_no_memory(struct err *err);
