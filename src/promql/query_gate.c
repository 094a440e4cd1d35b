#include "promql/query_gate.h"

#include "base/lock.h"
#include "base/xmalloc.h"

/* A look at deadline and cancellation, which are nobody's to signal. */
enum { WAIT_SLICE_MS = 100 };

struct waiter {
	struct waiter *next;
	struct cond granted_cond;
	bool granted;
};

struct line {
	struct waiter *first, **last;
	unsigned n;
};

struct query_gate {
	const struct clock *clock;
	unsigned max_running, max_heavy;
	struct lock lock; /* a leaf: guards what follows */
	unsigned running, heavy;
	struct line all, heavies;
};

struct query_gate *query_gate_new(const struct clock *clock, unsigned max_running, unsigned max_heavy)
{
	struct query_gate *g = xcalloc(1, sizeof(*g));

	g->clock = clock;
	g->max_running = max_running;
	g->max_heavy = max_heavy < max_running ? max_heavy : max_running > 1 ? max_running - 1 : 1;
	g->all.last = &g->all.first;
	g->heavies.last = &g->heavies.first;
	lock_init(&g->lock, LOCK_POOL, "query gate");
	return g;
}

void query_gate_free(struct query_gate *g)
{
	if (g == NULL)
		return;
	lock_done(&g->lock);
	free(g);
}

/* --- lines -------------------------------------------------------------------------------------------------------------- */

static void line_join(struct line *l, struct waiter *w)
{
	w->next = NULL;
	*l->last = w;
	l->last = &w->next;
	l->n++;
}

static void line_leave(struct line *l, struct waiter *w)
{
	struct waiter **at = &l->first;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	if (l->last == &w->next)
		l->last = at;
	l->n--;
}

static void grant_first(struct line *l)
{
	struct waiter *w = l->first;

	line_leave(l, w);
	w->granted = true;
	cond_signal(&w->granted_cond);
}

/* Heavy ones first: they are few, and have been in the other line already. */
static void grant(struct query_gate *g)
{
	while (g->heavies.first && g->heavy < g->max_heavy && g->running < g->max_running) {
		g->heavy++;
		g->running++;
		grant_first(&g->heavies);
	}
	while (g->all.first && g->running < g->max_running) {
		g->running++;
		grant_first(&g->all);
	}
}

static int wait_in(struct query_gate *g, struct line *l, const struct query_wait *wait, struct err *err)
{
	struct waiter w = {.granted = false};
	int rc = 0;

	cond_init(&w.granted_cond);
	line_join(l, &w);
	grant(g);
	while (rc == 0 && !w.granted) {
		if (wait->canceled && atomic_load(wait->canceled))
			rc = err_set(err, ERR_CANCELED, "context canceled");
		else if (clock_mono_ns(g->clock) > wait->deadline_ns)
			rc = err_set(err, ERR_INVALID, "context deadline exceeded");
		else
			cond_wait_ms(&w.granted_cond, &g->lock, WAIT_SLICE_MS);
	}
	if (!w.granted)
		line_leave(l, &w);
	cond_done(&w.granted_cond);
	return rc;
}

/* --- the gate ----------------------------------------------------------------------------------------------------------- */

int query_gate_enter(struct query_gate *g, const struct query_wait *w, struct err *err)
{
	int rc = 0;

	lock_take(&g->lock);
	if (g->running < g->max_running && g->all.first == NULL)
		g->running++;
	else
		rc = wait_in(g, &g->all, w, err);
	lock_release(&g->lock);
	return rc;
}

bool query_gate_try_heavy(struct query_gate *g)
{
	lock_take(&g->lock);
	bool good = g->heavy < g->max_heavy && g->heavies.first == NULL;
	g->heavy += good;
	lock_release(&g->lock);
	return good;
}

int query_gate_wait_heavy(struct query_gate *g, const struct query_wait *w, struct err *err)
{
	lock_take(&g->lock);
	g->running--;
	int rc = wait_in(g, &g->heavies, w, err);
	grant(g);
	lock_release(&g->lock);
	return rc;
}

void query_gate_leave(struct query_gate *g, bool heavy)
{
	lock_take(&g->lock);
	g->running--;
	g->heavy -= heavy;
	grant(g);
	lock_release(&g->lock);
}

void query_gate_state(struct query_gate *g, struct query_gate_state *out)
{
	lock_take(&g->lock);
	*out = (struct query_gate_state){g->running, g->heavy, g->all.n, g->heavies.n};
	lock_release(&g->lock);
}
