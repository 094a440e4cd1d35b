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

/* Tells the others what this query has grown by. Two threads may do so at once: the one that sees the growth first adds it. */
static int check_all(struct query_limits *l, struct err *err)
{
	size_t now = arena_reserved_bytes(l->arena),
	       known = atomic_load_explicit(&l->own_bytes, memory_order_relaxed);

	while (now > known && !atomic_compare_exchange_weak(&l->own_bytes, &known, now))
		;
	size_t all = now > known ? atomic_fetch_add(l->all_bytes, now - known) + now - known : 0;
	if (all <= l->max_all_bytes)
		return 0;
	return err_set(err, ERR_LIMIT,
	    "the queries that run now need more than the %zu MiB that all of them together may use; try "
	    "again later",
	    l->max_all_bytes >> 20);
}

void query_limits_done(struct query_limits *l)
{
	if (l->all_bytes)
		atomic_fetch_sub(l->all_bytes, atomic_exchange(&l->own_bytes, 0));
}

int query_limits_check(struct query_limits *l, struct err *err)
{
	if (l->canceled && atomic_load_explicit(l->canceled, memory_order_relaxed))
		return err_set(err, ERR_CANCELED, "query was canceled in expression evaluation");
	if (clock_mono_ns(l->clock) > l->deadline_ns)
		return err_set(err, ERR_TIMEOUT, "query timed out in expression evaluation");
	if (arena_overflowed(l->arena))
		return query_limits_no_memory(err);
	return l->all_bytes ? check_all(l, err) : 0;
}
