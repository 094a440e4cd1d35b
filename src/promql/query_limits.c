#include "promql/query_limits.h"

int query_limits_too_many(struct err *err)
{
	return err_set(
	    err, ERR_LIMIT, "query processing would load too many samples into memory in query execution");
}

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
