#include "promql/query_limits.h"

int query_limits_no_memory(struct err *err)
{
	return err_set(err, ERR_LIMIT,
	    "query needs more memory than one query may use; ask for fewer series, a shorter range or a "
	    "longer step");
}

int query_limits_check(struct query_limits *l, struct err *err)
{
	if (l->canceled && atomic_load_explicit(l->canceled, memory_order_relaxed))
		return err_set(err, ERR_CANCELED, "query was canceled in expression evaluation");
	if (clock_mono_ns(l->clock) > l->deadline_ns)
		return err_set(err, ERR_TIMEOUT, "query timed out in expression evaluation");
	if (arena_overflowed(l->arena))
		return query_limits_no_memory(err);
	return 0;
}

int query_limits_touch(struct query_limits *l, uint64_t points, struct err *err)
{
	uint64_t now = atomic_load_explicit(&l->points, memory_order_relaxed) + points;
	uint64_t peak = atomic_load_explicit(&l->peak_points, memory_order_relaxed);

	while (now > peak && !atomic_compare_exchange_weak(&l->peak_points, &peak, now))
		;
	if (now > l->max_points)
		return err_set(err, ERR_LIMIT,
		    "query processing would load too many samples into memory in query execution");
	return 0;
}

int query_limits_hold(struct query_limits *l, uint64_t points, struct err *err)
{
	atomic_fetch_add(&l->points, points);
	return query_limits_touch(l, 0, err);
}
