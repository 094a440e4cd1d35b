/* The way of a flush, in Alertmanager's fixed order:
 *
 *   inhibited? -> outside active times? -> in a mute time? -> silenced? -> for each integration of the receiver:
 *                                                     said already? (notify_log) -> send, with retries -> log
 *
 * As soon as a stage leaves no alert the flush has succeeded. Integrations do not wait for each other; the flush fails
 * when one of them does, and then its resolved alerts stay in the group for the next tick.
 *
 * A flush holds its group and the versions of its alerts, so it needs the router's lock only where it meets shared
 * state. Each integration's part is a delivery (notify_retry.h). */
#pragma once

#include "alertmanager/alert_group.h"
#include "alertmanager/inhibit.h"
#include "alertmanager/notification.h"
#include "alertmanager/receiver.h"
#include "alertmanager/silence_store.h"
#include "base/lock.h"

struct delivery;
struct http_client;
struct template_set;

/* Counted for /metrics. */
struct notify_stats {
	_Atomic uint64_t sent[AM_KINDS], failed[AM_KINDS][SEND_REASONS];
	_Atomic uint64_t requests[AM_KINDS], requests_failed[AM_KINDS];
	_Atomic uint64_t suppressed_silence, suppressed_inhibition, suppressed_mute, suppressed_active;
};

/* What the pipeline works with: one a configuration generation, owned by the router. */
struct notify_context {
	struct lock *lock; /* the router's */
	struct scheduler *scheduler;
	struct http_client *http;
	struct silence_store *silences;
	struct notify_log *log; /* ROUTER */
	struct notify_stats *stats;
	const struct template_set *templates;
	struct slice external_url;
	int64_t retention_ms;
	_Atomic bool is_ended;      /* no attempt is made any more */
	struct delivery *waiting;   /* ROUTER: those that wait for a retry */
	size_t n_flushes;           /* ROUTER: that run */
	void (*on_idle)(void *arg); /* a flush has ended; the lock is held */
	void *on_idle_arg;
};

struct flush_alert {
	struct alert_version *version; /* held */
	struct notified_alert shown;
	uint64_t hash;
};

struct flush {
	struct notify_context *ctx;
	struct alert_group *group; /* held by the dispatcher for us */
	struct arena *arena;
	int64_t tick_ms, deadline_ms;
	struct flush_alert *alerts; /* all of the group, sorted */
	size_t n_alerts;
	const struct flush_alert **left; /* what the stages let through */
	size_t n_left;
	_Atomic uint32_t n_open; /* deliveries under way, plus one while they are started */
	_Atomic bool has_failed;
};

/* The dispatcher's flush callback: `arg` is the struct notify_context. */
void notify_flush(void *arg, struct alert_group *g, int64_t tick_ms);
/* A delivery has ended. Without the lock. */
void notify_flush_part_done(struct flush *f, bool ok);
/* Ends the context: deliveries that wait for a retry fail now. Without the lock. */
void notify_context_end(struct notify_context *ctx);
