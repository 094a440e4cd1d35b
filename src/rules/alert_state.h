/* The alerts of one rule, and how they move. `ts` is always the time of the evaluation, never the clock's.
 *
 *                  element appears               ts - active_at >= for
 *      (none) ------------------------> PENDING -----------------------> FIRING
 *         ^                               |                               |  element gone, and keep_firing_for over
 *         |         element gone          |                               v
 *         +-------------------------------+       15 minutes          INACTIVE (resolved: still told to the sink)
 *         +----------------------------------------------------------------+
 *
 * An element that comes back to a resolved alert starts a new one. The holder of the table guards it. */
#pragma once

#include "base/err.h"
#include "rules/label_table.h"
#include "rules/rule_manager.h"

enum { ALERT_RESOLVED_RETENTION_MS = 15 * 60 * 1000 };

/* An entry of the table; times are 0 where they did not happen. */
struct alert_instance {
	struct label_entry entry;
	struct labels *annotations;
	double value;
	enum alert_state state;
	bool is_gone;         /* was pending, and its element went: forgotten without a word */
	int64_t active_at_ms; /* became pending */
	int64_t fired_at_ms;
	int64_t resolved_at_ms;
	int64_t last_sent_at_ms;
	int64_t valid_until_ms; /* what the sink was told last */
	int64_t keep_firing_since_ms;
};

/* One element of the rule's result, with its final labels and annotations. */
struct alert_element {
	const struct labels *labels, *annotations;
	double value;
};

struct alert_policy {
	int64_t for_ms, keep_firing_for_ms;
	int64_t limit; /* of pending and firing ones; 0: none */
};

/* Moves all alerts to `ts`. `round` differs from call to call. ERR_LIMIT: too many, and all of them are forgotten. The
 * elements' label sets must differ. */
MUST_CHECK int alert_table_update(struct label_table *t, const struct alert_element *elements, size_t n,
    const struct alert_policy *policy, int64_t ts, uint64_t round, struct err *err);
/* Time to tell the sink. */
bool alert_needs_sending(const struct alert_instance *a, int64_t ts, int64_t resend_delay_ms);
/* The most advanced state of all. */
enum alert_state alert_table_state(const struct label_table *t);
void alert_instance_release(void *entry);
