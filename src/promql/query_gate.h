/* Who may run now. At most so many queries run at once; of them, few may be heavy ones, so that a cheap query finds a slot while
 * heavy ones wait for each other. First come, first served, in each of the two lines.
 *
 *   enter ----> [ a slot ] --- it is cheap: runs ------------------------------> leave
 *                    |
 *                    +-------- it is heavy: try_heavy, or wait_heavy without the slot, runs --> leave
 *
 * What a query costs is known only after its selectors have been looked up, which is done in the slot; a query that has to wait
 * gives up both. Rules do not come here: their workers are their own. Thread-safe. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include <stdatomic.h>
#include <stdbool.h>

struct query_gate;

struct query_wait {
	int64_t deadline_ns;         /* of clock_mono_ns() */
	const atomic_bool *canceled; /* or NULL */
};

/* max_heavy is at most max_running; one less, when there is more than one, keeps a slot for the cheap. */
struct query_gate *query_gate_new(const struct clock *clock, unsigned max_running, unsigned max_heavy);
void query_gate_free(struct query_gate *g); /* takes NULL; nobody waits */

/* Waits for a slot. ERR_INVALID "context deadline exceeded" (what Prometheus's API makes of it is a bad parameter), ERR_CANCELED. */
MUST_CHECK int query_gate_enter(struct query_gate *g, const struct query_wait *w, struct err *err);
/* Makes the slot a heavy one; false: others are running or were there before. */
bool query_gate_try_heavy(struct query_gate *g);
/* Gives the slot back and waits for a heavy one. After an error nothing is held. */
MUST_CHECK int query_gate_wait_heavy(struct query_gate *g, const struct query_wait *w, struct err *err);
void query_gate_leave(struct query_gate *g, bool heavy);

struct query_gate_state {
	unsigned running, heavy, waiting, waiting_heavy;
};
void query_gate_state(struct query_gate *g, struct query_gate_state *out);
