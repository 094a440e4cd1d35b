/* What bounds one running query: its deadline, its cancellation, its memory, the points it may hold at a time. Checked once
 * per tile, so that a query of any size ends soon after it should. Thread-safe. */
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
	uint64_t max_points;
	_Atomic uint64_t points, peak_points; /* held: by matrices that live until the query ends */
	_Atomic uint64_t samples_read, samples_touched;
};

/* ERR_TIMEOUT, ERR_CANCELED or ERR_LIMIT when the query has to end, with Prometheus's texts. */
MUST_CHECK int query_limits_check(struct query_limits *l, struct err *err);
/* `points` more are held from now on / for the moment, beside what is held. ERR_LIMIT. */
MUST_CHECK int query_limits_hold(struct query_limits *l, uint64_t points, struct err *err);
MUST_CHECK int query_limits_touch(struct query_limits *l, uint64_t points, struct err *err);
/* The arena refused: the error for it. */
int query_limits_no_memory(struct err *err);
