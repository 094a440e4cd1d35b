#include "alertmanager/dispatch.h"

#include "base/strbuf.h"

void dispatch_init(struct dispatcher *d, struct lock *lock, struct scheduler *scheduler,
    const struct route_tree *tree, void (*flush)(void *arg, struct alert_group *g, int64_t tick_ms),
    void *arg)
{
	*d = (struct dispatcher){
	    .lock = lock, .scheduler = scheduler, .tree = tree, .flush = flush, .flush_arg = arg};
}

void dispatch_done(struct dispatcher *d)
{
	hashtab_done(&d->groups);
	route_vec_done(&d->scratch);
}

/* --- timers ------------------------------------------------------------------------------------------------------ */
static void on_tick(void *arg, int64_t when_ms);

/* An armed timer holds the group, and counts as a task. */
static void arm(struct alert_group *g, int64_t when_ms)
{
	alert_group_hold(g);
	g->dispatcher->n_tasks++;
	g->timer = scheduler_at(g->dispatcher->scheduler, when_ms, on_tick, g);
}

static void drop_timer_ref(struct alert_group *g)
{
	g->dispatcher->n_tasks--;
	alert_group_release(g);
}

/* The timer stands at the next tick before the flush starts. */
static void start_flush(struct alert_group *g, int64_t tick_ms)
{
	struct dispatcher *d = g->dispatcher;
	int64_t next = tick_ms + g->route->group_interval_ms;
	int64_t now_ms = clock_now_ms(scheduler_clock(d->scheduler));
	arm(g, next > now_ms ? next : now_ms);
	g->is_flushing = true;
	alert_group_hold(g);
	d->flush(d->flush_arg, g, tick_ms);
}

static void on_tick(void *arg, int64_t when_ms)
{
	struct alert_group *g = arg;
	struct dispatcher *d = g->dispatcher;
	struct lock *lock = d->lock;
	lock_take(lock);
	g->timer = 0;
	if (!g->is_dead && g->is_flushing) {
		g->has_due = true;
		g->due_ms = when_ms;
	} else if (!g->is_dead) {
		start_flush(g, when_ms);
	}
	drop_timer_ref(g);
	lock_release(lock);
}

/* --- groups ------------------------------------------------------------------------------------------------------ */
/* Its timer, if armed, is the caller's to cancel once the lock is released. */
static void end_group(struct alert_group *g)
{
	g->is_dead = true;
	g->has_due = false;
	alert_group_clear(g);
}

static struct alert_group *get_group(
    struct dispatcher *d, const struct route *route, const struct alert_entry *e, bool *is_new)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *labels = route_group_labels(route, e->labels, arena);
	struct strbuf key = STRBUF_INIT;
	strbuf_add(&key, &route->index, sizeof(route->index));
	route_group_key(&key, route, labels);
	struct alert_group *g = hashtab_get(&d->groups, strbuf_slice(&key));
	*is_new = !g;
	if (!g) {
		g = alert_group_new(d, route, labels, strbuf_slice(&key));
		hashtab_put(&d->groups, g->table_key, g);
	}
	strbuf_done(&key);
	arena_free(arena);
	return g;
}

static void find_places(struct dispatcher *d, struct alert_entry *e)
{
	route_vec_reset(&d->scratch);
	route_match(d->tree->root, e->labels, &d->scratch);
	e->places = xcalloc(d->scratch.len, sizeof(*e->places));
	e->n_places = (uint32_t)d->scratch.len;
	for (size_t i = 0; i < d->scratch.len; i++)
		e->places[i].route = d->scratch.v[i];
	e->is_routed = true;
}

void dispatch_put(struct dispatcher *d, struct alert_entry *e, int64_t now_ms)
{
	if (!e->is_routed)
		find_places(d, e);
	for (uint32_t i = 0; i < e->n_places; i++) {
		struct alert_place *place = &e->places[i];
		if (place->group)
			continue;
		bool is_new;
		struct alert_group *g = get_group(d, place->route, e, &is_new);
		alert_group_add(g, e, place);
		if (!is_new)
			continue;
		/* An old alert has waited long enough: after a restart or a reload. */
		int64_t wait_ms = place->route->group_wait_ms;
		bool is_overdue = e->now->alert.starts_at_ms + wait_ms < now_ms;
		arm(g, is_overdue ? now_ms : now_ms + wait_ms);
	}
}

/* Cancels without the lock, since a timer that runs now wants it; then drops the table's reference. */
static void bury_group(struct dispatcher *d, struct alert_group *g)
{
	lock_take(d->lock);
	timer_id timer = g->timer;
	lock_release(d->lock);
	bool was_armed = timer && scheduler_cancel(d->scheduler, timer);
	lock_take(d->lock);
	if (was_armed)
		drop_timer_ref(g);
	alert_group_release(g);
	lock_release(d->lock);
}

static void remove_told(struct alert_group *g, struct alert_version *const *told, size_t n_told)
{
	for (size_t i = 0; i < n_told; i++) {
		struct alert_entry *e = told[i]->entry;
		if (e->now != told[i])
			continue; /* it has changed meanwhile: fired again, or resolved anew */
		for (uint32_t k = 0; k < e->n_places; k++)
			if (e->places[k].group == g) {
				alert_group_remove(g, e);
				break;
			}
	}
}

void dispatch_flush_done(struct alert_group *g, struct alert_version *const *told, size_t n_told)
{
	struct dispatcher *d = g->dispatcher;
	lock_take(d->lock);
	g->is_flushing = false;
	if (!g->is_dead)
		remove_told(g, told, n_told);
	bool is_over = !g->is_dead && g->members.len == 0;
	if (is_over) {
		hashtab_remove(&d->groups, g->table_key);
		end_group(g);
	}
	if (g->has_due) {
		/* The tick that came during the flush runs now; its own task, so that flushes do not nest. */
		g->has_due = false;
		arm(g, g->due_ms);
	}
	lock_release(d->lock);
	if (is_over)
		bury_group(d, g);
	lock_take(d->lock);
	alert_group_release(g);
	lock_release(d->lock);
}

void dispatch_stop(struct dispatcher *d)
{
	size_t i = 0;
	for (struct hashtab_entry *slot; (slot = hashtab_next(&d->groups, &i));) {
		end_group(slot->value);
		alert_group_vec_push(&d->stopped, slot->value);
	}
	hashtab_done(&d->groups);
}

void dispatch_cancel(struct dispatcher *d)
{
	for (size_t i = 0; i < d->stopped.len; i++)
		bury_group(d, d->stopped.v[i]);
	alert_group_vec_done(&d->stopped);
}
