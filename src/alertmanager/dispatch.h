/* The dispatcher: sorts alerts into groups and fires each group's timer.
 *
 *   first alert        tick          tick          tick
 *        |--group_wait--|--interval---|--interval---|       a tick flushes what the group holds
 *
 * The timer is armed for the next tick before a flush starts, so the grid does not depend on how long sending takes;
 * flushes of one group never overlap: a tick that falls into one runs right behind it. A group whose last resolved
 * alert has been told goes; the next alert of its kind makes a new one.
 *
 * One dispatcher a configuration generation, which it holds alive through its groups. All but the timer's own entry is
 * called with the router's lock held. */
#pragma once

#include "alertmanager/alert_group.h"
#include "base/hashtab.h"
#include "base/lock.h"

struct dispatcher {
	struct lock *lock;           /* the router's */
	struct scheduler *scheduler; /* borrowed */
	const struct route_tree *tree;
	struct hashtab groups; /* by table_key */
	struct route_vec scratch;
	struct alert_group_vec stopped; /* between dispatch_stop() and dispatch_cancel() */
	size_t n_tasks; /* timers that are armed or run: whoever frees the dispatcher waits for 0 */
	/* Looks at the group. Called with the lock held, on a worker; may release it meanwhile; the group is held and
	 * marked as flushing until dispatch_flush_done(). */
	void (*flush)(void *arg, struct alert_group *g, int64_t tick_ms);
	void *flush_arg;
};

void dispatch_init(struct dispatcher *d, struct lock *lock, struct scheduler *scheduler,
    const struct route_tree *tree, void (*flush)(void *arg, struct alert_group *g, int64_t tick_ms),
    void *arg);
/* No task may be left. */
void dispatch_done(struct dispatcher *d);

/* The alert is new or has changed: sees to it that it is in all its groups. */
void dispatch_put(struct dispatcher *d, struct alert_entry *e, int64_t now_ms);

/* Ends a flush: `told` are the members that may go, if they are still the same version and resolved; NULL after a
 * failure. Drops the flush's reference. Call without the lock. */
void dispatch_flush_done(struct alert_group *g, struct alert_version *const *told, size_t n_told);

/* Ends all groups; flushes that run are on their own. With the lock; then, without it, dispatch_cancel(), which sees
 * to it that no timer is armed any more. */
void dispatch_stop(struct dispatcher *d);
void dispatch_cancel(struct dispatcher *d);
