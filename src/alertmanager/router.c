#include "alertmanager/router.h"

#include "alertmanager/notify_template.h"
#include "alertmanager/router_priv.h"
#include "base/counters.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/http_client.h"

enum {
	DEFAULT_RESOLVE_TIMEOUT_MS = 5 * 60 * 1000,
	MAINTENANCE_MS = 15 * 60 * 1000,
	PUT_BATCH = 512, /* alerts under one hold of the lock */
};
static const int64_t default_retention_ms = 120LL * 3600 * 1000;

/* --- generations ------------------------------------------------------------------------------------------------- */
static void on_idle(void *arg)
{
	struct router *r = arg;
	cond_broadcast(&r->idle);
}

static struct router_generation *generation_new(struct router *r, const struct am_config *config,
    struct arena *arena, const struct template_set *templates)
{
	struct router_generation *g = xcalloc(1, sizeof(*g));
	g->arena = arena;
	g->config = config;
	g->tree = route_tree_new(arena, config);
	g->inhibit = inhibit_index_new(config);
	g->notify = (struct notify_context){
	    .lock = &r->lock,
	    .scheduler = r->scheduler,
	    .http = r->http,
	    .silences = r->silences,
	    .log = &r->log,
	    .stats = &r->stats,
	    .templates = templates,
	    .external_url = slice_cstr(r->external_url),
	    .retention_ms = r->retention_ms,
	    .on_idle = on_idle,
	    .on_idle_arg = r,
	};
	dispatch_init(&g->dispatcher, &r->lock, r->scheduler, g->tree, notify_flush, &g->notify);
	return g;
}

static void generation_free(struct router_generation *g)
{
	dispatch_done(&g->dispatcher);
	inhibit_index_free(g->inhibit);
	arena_free(g->arena);
	free(g);
}

static bool generation_is_idle(const struct router_generation *g)
{
	return g->dispatcher.n_tasks == 0 && g->notify.n_flushes == 0;
}

/* Frees the old generations whose last flush has ended. With the lock. */
static void sweep_generations(struct router *r)
{
	for (struct router_generation **at = &r->old; *at;) {
		struct router_generation *g = *at;
		if (!generation_is_idle(g)) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		generation_free(g);
	}
}

/* Takes the alerts out of the generation in force and puts it with the old ones. With the lock. */
static struct router_generation *retire_generation(struct router *r)
{
	struct router_generation *g = r->gen;
	if (!g)
		return NULL;
	dispatch_stop(&g->dispatcher);
	for (size_t i = 0; i < r->store.entries.len; i++) {
		struct alert_entry *e = r->store.entries.v[i];
		inhibit_forget(g->inhibit, e);
		free(e->places);
		e->places = NULL;
		e->n_places = 0;
		e->is_routed = false;
	}
	g->next = r->old;
	r->old = g;
	r->gen = NULL;
	return g;
}

/* Ends what the retired generation still wants to do. Without the lock. */
static void wind_up(struct router *r, struct router_generation *g)
{
	if (!g)
		return;
	dispatch_cancel(&g->dispatcher);
	notify_context_end(&g->notify);
	lock_take(&r->lock);
	sweep_generations(r);
	lock_release(&r->lock);
}

/* The inhibition index is complete before the first group is made: its timer may fire at once. */
static void install_generation(struct router *r, struct router_generation *g, int64_t now_ms)
{
	r->gen = g;
	for (size_t i = 0; i < r->store.entries.len; i++)
		inhibit_note(g->inhibit, r->store.entries.v[i], now_ms);
	for (size_t i = 0; i < r->store.entries.len; i++)
		dispatch_put(&g->dispatcher, r->store.entries.v[i], now_ms);
}

static void warn_of_mute_receivers(const struct route_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct am_receiver *receiver = tree->all[i]->receiver;
		bool is_repeated = false;
		for (size_t k = 0; k < i; k++)
			is_repeated |= tree->all[k]->receiver == receiver;
		for (size_t k = 0; k < receiver->n_integrations && !is_repeated; k++)
			if (!receiver_can_send(receiver->integrations[k].kind))
				log_warn("receiver cannot be notified: its kind is not implemented yet",
				    KV_STR("component", "alertmanager"), KV_SLICE("receiver", receiver->name),
				    KV_STR("integration", am_kind_name(receiver->integrations[k].kind)),
				    KV_U64("index", receiver->integrations[k].index));
	}
}

int router_reload(struct router *r, const struct am_config *config, struct arena *arena, struct err *err)
{
	const struct template_set *templates;
	int rc = notify_templates_load(arena, config, &templates, err);
	if (rc)
		return rc;
	struct router_generation *g = generation_new(r, config, arena, templates);
	warn_of_mute_receivers(g->tree);
	lock_take(&r->lock);
	struct router_generation *old = retire_generation(r);
	install_generation(r, g, clock_now_ms(r->clock));
	lock_release(&r->lock);
	wind_up(r, old);
	return 0;
}

bool router_is_configured(struct router *r)
{
	lock_take(&r->lock);
	bool is_configured = r->gen != NULL;
	lock_release(&r->lock);
	return is_configured;
}

/* --- alerts ------------------------------------------------------------------------------------------------------ */
static int check_names(const char *what, const struct labels *ls, struct err *err)
{
	LABELS_EACH (l, ls) {
		if (!label_name_valid(l->name))
			return err_set(err, ERR_INVALID, "invalid %s set: invalid name \"%" SL_FMT "\"", what,
			    SL_ARG(l->name));
		if (!utf8_valid(l->value))
			return err_set(err, ERR_INVALID, "invalid %s set: invalid value \"%" SL_FMT "\"",
			    what, SL_ARG(l->value));
	}
	return 0;
}

int router_check_alert(const struct alert *a, struct err *err)
{
	if (a->ends_at_ms != 0 && a->starts_at_ms != 0 && a->ends_at_ms < a->starts_at_ms)
		return err_set(err, ERR_INVALID, "start time must be before end time");
	if (a->labels->n == 0)
		return err_set(err, ERR_INVALID, "at least one label pair required");
	int rc = check_names("label", a->labels, err);
	return rc || !a->annotations ? rc : check_names("annotation", a->annotations, err);
}

static void count_received(struct router *r, const struct alert *a, int64_t now_ms)
{
	_Atomic uint64_t *counter =
	    alert_is_resolved(a, now_ms) ? &r->received_resolved : &r->received_firing;
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* With the lock. The index knows the whole batch before any of it can start a group. */
static void put_batch(struct router *r, const struct alert *alerts, size_t n, int64_t now_ms)
{
	struct alert_entry *entries[PUT_BATCH];
	size_t n_entries = 0;
	int64_t timeout_ms = r->gen ? r->gen->config->global.resolve_timeout_ms : DEFAULT_RESOLVE_TIMEOUT_MS;
	for (size_t i = 0; i < n; i++) {
		if (router_check_alert(&alerts[i], NULL)) {
			atomic_fetch_add_explicit(&r->invalid, 1, memory_order_relaxed);
			continue;
		}
		count_received(r, &alerts[i], now_ms);
		entries[n_entries++] = alert_store_put(&r->store, &alerts[i], now_ms, timeout_ms);
		if (r->gen)
			inhibit_note(r->gen->inhibit, entries[n_entries - 1], now_ms);
	}
	for (size_t i = 0; r->gen && i < n_entries; i++)
		dispatch_put(&r->gen->dispatcher, entries[i], now_ms);
}

void router_put_alerts(struct router *r, const struct alert *alerts, size_t n, int64_t now_ms)
{
	for (size_t at = 0; at < n; at += PUT_BATCH) {
		lock_take(&r->lock);
		if (!r->is_closing)
			put_batch(r, &alerts[at], n - at < PUT_BATCH ? n - at : PUT_BATCH, now_ms);
		lock_release(&r->lock);
	}
}

/* --- maintenance ------------------------------------------------------------------------------------------------- */
static void forget_entry(void *arg, struct alert_entry *e)
{
	struct router *r = arg;
	if (r->gen)
		inhibit_forget(r->gen->inhibit, e);
}

static void on_maintenance(void *arg, int64_t when_ms)
{
	struct router *r = arg;
	int64_t now_ms = clock_now_ms(r->clock);
	lock_take(&r->lock);
	if (!r->is_closing) {
		alert_store_gc(&r->store, now_ms, forget_entry, r);
		notify_log_gc(&r->log, now_ms);
		sweep_generations(r);
		r->maintenance = scheduler_at(r->scheduler, when_ms + MAINTENANCE_MS, on_maintenance, r);
	}
	lock_release(&r->lock);
	silence_store_gc(r->silences, now_ms);
}

/* --- life -------------------------------------------------------------------------------------------------------- */
struct router *router_new(const struct router_options *opt)
{
	struct router *r = xcalloc(1, sizeof(*r));
	lock_init(&r->lock, LOCK_ROUTER, "router");
	cond_init(&r->idle);
	r->scheduler = opt->scheduler;
	r->clock = scheduler_clock(opt->scheduler);
	r->http = opt->http;
	r->external_url = xstrdup(opt->external_url ? opt->external_url : "");
	r->retention_ms = opt->retention_ms > 0 ? opt->retention_ms : default_retention_ms;
	r->started_ms = clock_now_ms(r->clock);
	r->silences = silence_store_new(r->retention_ms);
	alert_store_init(&r->store);
	notify_log_init(&r->log);
	counters_add_collector(router_collect_metrics, r);
	lock_take(&r->lock);
	r->maintenance = scheduler_at(r->scheduler, r->started_ms + MAINTENANCE_MS, on_maintenance, r);
	lock_release(&r->lock);
	return r;
}

/* Calls that run end as the HTTP client goes; then only flushes on other workers are left to wait for. */
static void stop(struct router *r)
{
	lock_take(&r->lock);
	r->is_closing = true;
	timer_id maintenance = r->maintenance;
	struct router_generation *last = retire_generation(r);
	lock_release(&r->lock);
	scheduler_cancel(r->scheduler, maintenance);
	wind_up(r, last);
	http_client_free(r->http);
	lock_take(&r->lock);
	for (sweep_generations(r); r->old; sweep_generations(r)) {
		struct router_generation *g = r->old;
		lock_release(&r->lock);
		notify_context_end(&g->notify); /* a call that ended may have asked for a retry */
		lock_take(&r->lock);
		if (!generation_is_idle(g))
			cond_wait(&r->idle, &r->lock);
	}
	lock_release(&r->lock);
}

void router_free(struct router *r)
{
	if (!r)
		return;
	counters_remove_collector(router_collect_metrics, r);
	stop(r);
	alert_store_done(&r->store);
	notify_log_done(&r->log);
	silence_store_free(r->silences);
	cond_done(&r->idle);
	lock_done(&r->lock);
	free(r->external_url);
	free(r);
}

int64_t router_started_ms(const struct router *r)
{
	return r->started_ms;
}

struct silence_store *router_silences(struct router *r)
{
	return r->silences;
}
