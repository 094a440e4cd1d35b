#include "rules/alert_state.h"

#include <inttypes.h>
#include <stdlib.h>

void alert_instance_release(void *entry)
{
	labels_free(((struct alert_instance *)entry)->annotations);
}

static struct alert_instance *instance(const struct label_table *t, size_t i)
{
	return (struct alert_instance *)(void *)t->v[i];
}

static void set_annotations(struct alert_instance *a, const struct labels *annotations)
{
	if (a->annotations && labels_eq(a->annotations, annotations))
		return;
	labels_free(a->annotations);
	a->annotations = labels_copy(annotations);
}

/* A new alert, also in the place of a resolved one with the same labels. */
static void begin(struct alert_instance *a, int64_t ts)
{
	a->state = ALERT_PENDING;
	a->active_at_ms = ts;
	a->is_gone = false;
	a->fired_at_ms = a->resolved_at_ms = a->last_sent_at_ms = a->valid_until_ms =
	    a->keep_firing_since_ms = 0;
}

static void take_elements(
    struct label_table *t, const struct alert_element *elements, size_t n, int64_t ts, uint64_t round)
{
	for (size_t i = 0; i < n; i++) {
		struct alert_instance *a = label_table_find(t, elements[i].labels);
		if (!a)
			a = label_table_add(t, elements[i].labels, sizeof(*a));
		if (a->state == ALERT_INACTIVE)
			begin(a, ts);
		a->value = elements[i].value;
		set_annotations(a, elements[i].annotations);
		a->entry.round = round;
	}
}

static bool is_held(struct alert_instance *a, const struct alert_policy *policy, int64_t ts)
{
	if (a->state != ALERT_FIRING || policy->keep_firing_for_ms <= 0)
		return false;
	if (a->keep_firing_since_ms == 0)
		a->keep_firing_since_ms = ts;
	return ts - a->keep_firing_since_ms < policy->keep_firing_for_ms;
}

/* Its element is not there. True: it is still active. */
static bool move_absent(struct alert_instance *a, const struct alert_policy *policy, int64_t ts)
{
	if (is_held(a, policy, ts))
		return true;
	if (a->state == ALERT_PENDING)
		a->is_gone = true;
	if (a->state == ALERT_FIRING)
		a->resolved_at_ms = ts;
	a->state = ALERT_INACTIVE;
	return false;
}

static void move_hold(struct alert_instance *a, const struct alert_policy *policy, int64_t ts)
{
	bool is_over = ts - a->active_at_ms >= policy->for_ms;
	if (a->state == ALERT_PENDING && is_over) {
		a->state = ALERT_FIRING;
		a->fired_at_ms = ts;
	} else if (a->state == ALERT_FIRING && !is_over && a->keep_firing_since_ms == 0) {
		/* A reload made the hold longer. */
		a->state = ALERT_PENDING;
		a->fired_at_ms = 0;
	}
}

static bool is_dead(const void *entry, void *arg)
{
	const struct alert_instance *a = entry;
	int64_t ts = *(const int64_t *)arg;
	if (a->state != ALERT_INACTIVE)
		return false;
	return a->is_gone || ts - a->resolved_at_ms > ALERT_RESOLVED_RETENTION_MS;
}

static bool is_any(const void *entry, void *arg)
{
	(void)entry;
	(void)arg;
	return true;
}

int alert_table_update(struct label_table *t, const struct alert_element *elements, size_t n,
    const struct alert_policy *policy, int64_t ts, uint64_t round, struct err *err)
{
	take_elements(t, elements, n, ts, round);
	int64_t n_active = 0;
	for (size_t i = 0; i < t->len; i++) {
		struct alert_instance *a = instance(t, i);
		if (a->entry.round == round)
			a->keep_firing_since_ms = 0;
		else if (!move_absent(a, policy, ts))
			continue;
		n_active++;
		move_hold(a, policy, ts);
	}
	label_table_remove_if(t, is_dead, &ts, alert_instance_release);
	if (policy->limit <= 0 || n_active <= policy->limit)
		return 0;
	label_table_remove_if(t, is_any, NULL, alert_instance_release);
	return err_set(
	    err, ERR_LIMIT, "exceeded limit of %" PRId64 " with %" PRId64 " alerts", policy->limit, n_active);
}

bool alert_needs_sending(const struct alert_instance *a, int64_t ts, int64_t resend_delay_ms)
{
	if (a->state == ALERT_PENDING)
		return false;
	if (a->resolved_at_ms > a->last_sent_at_ms)
		return true;
	return a->last_sent_at_ms == 0 || a->last_sent_at_ms + resend_delay_ms < ts;
}

enum alert_state alert_table_state(const struct label_table *t)
{
	enum alert_state most = ALERT_INACTIVE;
	for (size_t i = 0; i < t->len; i++)
		if (instance(t, i)->state > most)
			most = instance(t, i)->state;
	return most;
}

const char *alert_state_name(enum alert_state s)
{
	static const char *const names[] = {
	    [ALERT_INACTIVE] = "inactive", [ALERT_PENDING] = "pending", [ALERT_FIRING] = "firing"};
	return names[s];
}
