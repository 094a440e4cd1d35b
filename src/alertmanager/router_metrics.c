/* The router's part of /metrics, under Alertmanager's names. */
#include "alertmanager/router_priv.h"
#include "base/counters.h"

static double load(_Atomic uint64_t *counter)
{
	return (double)atomic_load_explicit(counter, memory_order_relaxed);
}

/* Numbers taken with the lock, so that nothing is written while it is held. */
struct router_sizes {
	size_t groups, receivers, integrations, inhibition_rules, active, suppressed;
};

static void measure_config(const struct router_generation *g, struct router_sizes *s)
{
	s->groups = g->dispatcher.groups.len;
	s->inhibition_rules = g->config->n_inhibit_rules;
	for (size_t i = 0; i < g->config->n_receivers; i++) {
		const struct am_receiver *receiver = &g->config->receivers[i];
		bool is_used = false;
		for (size_t k = 0; k < g->tree->n && !is_used; k++)
			is_used = g->tree->all[k]->receiver == receiver;
		s->receivers += is_used;
		s->integrations += is_used ? receiver->n_integrations : 0;
	}
}

static struct router_sizes measure(struct router *r)
{
	struct router_sizes s = {0};
	lock_take(&r->lock);
	int64_t now_ms = clock_now_ms(r->clock);
	if (r->gen)
		measure_config(r->gen, &s);
	for (size_t i = 0; i < r->store.entries.len; i++) {
		const struct alert_entry *e = r->store.entries.v[i];
		if (alert_is_resolved(&e->now->alert, now_ms))
			continue;
		if (inhibit_find(e, now_ms))
			s.suppressed++;
		else
			s.active++;
	}
	lock_release(&r->lock);
	return s;
}

static void write_sizes(struct metrics_writer *w, const struct router_sizes *s)
{
	metrics_family(w, "alertmanager_alerts", "gauge", "How many alerts by state.");
	metrics_sample(w, "", (double)s->active, "state", "active", NULL);
	metrics_sample(w, "", (double)s->suppressed, "state", "suppressed", NULL);
	metrics_family(
	    w, "alertmanager_dispatcher_aggregation_groups", "gauge", "Number of active aggregation groups.");
	metrics_sample(w, "", (double)s->groups, NULL);
	metrics_family(w, "alertmanager_inhibition_rules", "gauge", "Number of configured inhibition rules.");
	metrics_sample(w, "", (double)s->inhibition_rules, NULL);
	metrics_family(w, "alertmanager_integrations", "gauge", "Number of configured integrations.");
	metrics_sample(w, "", (double)s->integrations, NULL);
	metrics_family(w, "alertmanager_receivers", "gauge", "Number of configured receivers.");
	metrics_sample(w, "", (double)s->receivers, NULL);
}

static void write_received(struct router *r, struct metrics_writer *w)
{
	metrics_family(
	    w, "alertmanager_alerts_received_total", "counter", "The total number of received alerts.");
	metrics_sample(w, "", load(&r->received_firing), "status", "firing", "version", "v2", NULL);
	metrics_sample(w, "", load(&r->received_resolved), "status", "resolved", "version", "v2", NULL);
	metrics_family(w, "alertmanager_alerts_invalid_total", "counter",
	    "The total number of received alerts that were invalid.");
	metrics_sample(w, "", load(&r->invalid), "version", "v2", NULL);
}

static void write_by_kind(
    struct metrics_writer *w, const char *name, const char *help, _Atomic uint64_t counters[static AM_KINDS])
{
	metrics_family(w, name, "counter", help);
	for (int kind = 0; kind < AM_KINDS; kind++)
		metrics_sample(
		    w, "", load(&counters[kind]), "integration", am_kind_name((enum am_kind)kind), NULL);
}

static void write_failed(struct notify_stats *s, struct metrics_writer *w)
{
	metrics_family(w, "alertmanager_notifications_failed_total", "counter",
	    "The total number of failed notifications.");
	for (int kind = 0; kind < AM_KINDS; kind++)
		for (int reason = 0; reason < SEND_REASONS; reason++)
			metrics_sample(w, "", load(&s->failed[kind][reason]), "integration",
			    am_kind_name((enum am_kind)kind), "reason",
			    send_reason_text((enum send_reason)reason), NULL);
}

static void write_suppressed(struct notify_stats *s, struct metrics_writer *w)
{
	metrics_family(w, "alertmanager_notifications_suppressed_total", "counter",
	    "The total number of notifications suppressed for being silenced, inhibited, outside of active "
	    "time "
	    "intervals or within muted time intervals.");
	metrics_sample(w, "", load(&s->suppressed_active), "reason", "active_time_interval", NULL);
	metrics_sample(w, "", load(&s->suppressed_inhibition), "reason", "inhibition", NULL);
	metrics_sample(w, "", load(&s->suppressed_mute), "reason", "mute_time_interval", NULL);
	metrics_sample(w, "", load(&s->suppressed_silence), "reason", "silence", NULL);
}

static void write_silences(struct router *r, struct metrics_writer *w)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct silence *v;
	size_t n, count[3] = {0};
	int64_t now_ms = clock_now_ms(r->clock);
	silence_store_list(r->silences, now_ms, arena, &v, &n);
	for (size_t i = 0; i < n; i++)
		count[silence_state_at(&v[i], now_ms)]++;
	arena_free(arena);
	metrics_family(w, "alertmanager_silences", "gauge", "How many silences by state.");
	metrics_sample(w, "", (double)count[SILENCE_ACTIVE], "state", "active", NULL);
	metrics_sample(w, "", (double)count[SILENCE_EXPIRED], "state", "expired", NULL);
	metrics_sample(w, "", (double)count[SILENCE_PENDING], "state", "pending", NULL);
}

void router_collect_metrics(void *arg, struct metrics_writer *w)
{
	struct router *r = arg;
	struct router_sizes sizes = measure(r);
	write_sizes(w, &sizes);
	write_received(r, w);
	write_by_kind(w, "alertmanager_notifications_total", "The total number of attempted notifications.",
	    r->stats.sent);
	write_failed(&r->stats, w);
	write_by_kind(w, "alertmanager_notification_requests_total",
	    "The total number of attempted notification requests.", r->stats.requests);
	write_by_kind(w, "alertmanager_notification_requests_failed_total",
	    "The total number of failed notification requests.", r->stats.requests_failed);
	write_suppressed(&r->stats, w);
	write_silences(r, w);
}
