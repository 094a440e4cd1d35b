/* A group: the alerts that one route collects under the same values of its group_by labels, and the timer at which they
 * are looked at. Groups live in a dispatcher (dispatch.h), which makes, arms and ends them.
 *
 * Counted: the dispatcher's table, an armed timer and a running flush hold one reference each. Everything is guarded by
 * the router's lock. */
#pragma once

#include "alertmanager/alert_store.h"
#include "alertmanager/route.h"
#include "base/scheduler.h"

struct dispatcher;

struct alert_group {
	uint32_t refs;
	struct dispatcher *dispatcher; /* outlives its groups */
	const struct route *route;
	struct slice table_key; /* route index and group key, one block of memory */
	struct slice key;       /* the group key: its tail */
	struct labels *labels;
	struct alert_entry_vec members;
	timer_id timer;
	int64_t due_ms; /* of the tick that waits for the running flush */
	bool is_flushing, has_due, is_dead;
	struct slice
	    *muted_by; /* names of the intervals that muted the last flush; text in the route's arena */
	size_t n_muted_by;
};
VEC_DEFINE(alert_group_vec, struct alert_group *);

/* With one reference. Text and labels are copied. */
struct alert_group *alert_group_new(
    struct dispatcher *d, const struct route *route, const struct labels *labels, struct slice table_key);
void alert_group_hold(struct alert_group *g);
/* Frees it with the last reference; it must be empty then. */
void alert_group_release(struct alert_group *g);

/* `place` is one of e->places and not in a group. */
void alert_group_add(struct alert_group *g, struct alert_entry *e, struct alert_place *place);
void alert_group_remove(struct alert_group *g, struct alert_entry *e);
/* Takes all members out. */
void alert_group_clear(struct alert_group *g);
