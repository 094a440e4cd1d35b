#include "alertmanager/notify_retry.h"

#include "alertmanager/notify_template.h"
#include "base/log.h"
#include <math.h>
#include <stdlib.h>

enum { BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 60 * 1000 };

struct delivery {
	struct flush *flush;
	const struct am_receiver *receiver;
	const struct am_integration *integration;
	struct slice log_key;
	struct notify_state state;     /* of all that the stages let through, for the log */
	struct notified_alert *alerts; /* to be sent */
	size_t n_alerts;
	enum notify_reason reason;
	unsigned attempt;
	struct arena *arena;          /* of the attempt under way */
	struct delivery *prev, *next; /* in ctx->waiting: ROUTER */
	timer_id timer;               /* ROUTER */
	bool is_waiting;              /* ROUTER */
};

int64_t delivery_backoff_ms(unsigned n, double unit)
{
	if (n == 0)
		return 0;
	double pause = BACKOFF_FIRST_MS * pow(1.5, (double)(n - 1 > 20 ? 20 : n - 1));
	if (pause > BACKOFF_MAX_MS)
		pause = BACKOFF_MAX_MS;
	return (int64_t)(pause * (0.5 + unit));
}

/* --- the end ----------------------------------------------------------------------------------------------------- */
static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* The log remembers the whole group's state, and for how long: twice the repeat interval. */
static void write_log(struct delivery *d)
{
	struct notify_context *ctx = d->flush->ctx;
	int64_t keep_ms = 2 * d->flush->group->route->repeat_interval_ms;
	if (keep_ms > ctx->retention_ms)
		keep_ms = ctx->retention_ms;
	int64_t now_ms = clock_now_ms(scheduler_clock(ctx->scheduler));
	lock_take(ctx->lock);
	notify_log_set(ctx->log, d->log_key, &d->state, now_ms, now_ms + keep_ms);
	lock_release(ctx->lock);
}

static void deliver_ok(struct delivery *d)
{
	write_log(d);
	notify_flush_part_done(d->flush, true);
}

static void deliver_failed(struct delivery *d, const struct send_result *r)
{
	const struct am_integration *in = d->integration;
	count(&d->flush->ctx->stats->failed[in->kind][r->reason]);
	log_error("Notify for alerts failed", KV_STR("component", "dispatcher"),
	    KV_U64("num_alerts", d->n_alerts), KV_SLICE("receiver", d->receiver->name),
	    KV_STR("integration", am_kind_name(in->kind)), KV_U64("index", in->index),
	    KV_SLICE("aggrGroup", d->flush->group->key), KV_U64("attempts", d->attempt),
	    KV_STR("err", r->error));
	notify_flush_part_done(d->flush, false);
}

/* --- attempts ---------------------------------------------------------------------------------------------------- */
static void try_once(struct delivery *d);

static void on_retry_timer(void *arg, int64_t when_ms)
{
	(void)when_ms;
	struct delivery *d = arg;
	struct notify_context *ctx = d->flush->ctx;
	lock_take(ctx->lock);
	bool is_mine = d->is_waiting;
	if (is_mine) {
		d->is_waiting = false;
		if (d->prev)
			d->prev->next = d->next;
		else
			ctx->waiting = d->next;
		if (d->next)
			d->next->prev = d->prev;
	}
	lock_release(ctx->lock);
	if (is_mine)
		try_once(d);
}

static void wait_for_retry(struct delivery *d, int64_t when_ms)
{
	struct notify_context *ctx = d->flush->ctx;
	lock_take(ctx->lock);
	d->is_waiting = true;
	d->prev = NULL;
	d->next = ctx->waiting;
	if (d->next)
		d->next->prev = d;
	ctx->waiting = d;
	d->timer = scheduler_at(ctx->scheduler, when_ms, on_retry_timer, d);
	lock_release(ctx->lock);
}

bool delivery_cancel_one(struct notify_context *ctx)
{
	lock_take(ctx->lock);
	struct delivery *d = ctx->waiting;
	timer_id timer = d ? d->timer : 0;
	if (d) {
		d->is_waiting = false;
		ctx->waiting = d->next;
		if (d->next)
			d->next->prev = NULL;
	}
	lock_release(ctx->lock);
	if (!d)
		return false;
	scheduler_cancel(ctx->scheduler, timer); /* one that runs now finds that the delivery waits no more */
	deliver_failed(d, &(struct send_result){SEND_FAILED, SEND_REASON_CANCELED, "context canceled"});
	return true;
}

static double random_unit(void)
{
	static _Thread_local uint64_t state;
	if (!state)
		state = (uint64_t)(uintptr_t)&state | 1;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double)(state >> 11) / 9007199254740992.0;
}

static void retry_later(struct delivery *d, const struct send_result *r)
{
	struct notify_context *ctx = d->flush->ctx;
	if (atomic_load(&ctx->is_ended)) {
		deliver_failed(d, &(struct send_result){SEND_FAILED, SEND_REASON_CANCELED, r->error});
		return;
	}
	int64_t now_ms = clock_now_ms(scheduler_clock(ctx->scheduler));
	int64_t when_ms = now_ms + delivery_backoff_ms(d->attempt, random_unit());
	if (when_ms >= d->flush->deadline_ms) {
		deliver_failed(d, r);
		return;
	}
	if (d->attempt == 1)
		log_warn("Notify attempt failed, will retry later", KV_STR("component", "dispatcher"),
		    KV_SLICE("receiver", d->receiver->name),
		    KV_STR("integration", am_kind_name(d->integration->kind)),
		    KV_SLICE("aggrGroup", d->flush->group->key), KV_U64("attempts", d->attempt),
		    KV_STR("err", r->error));
	wait_for_retry(d, when_ms);
}

static void on_sent(void *arg, const struct send_result *r)
{
	struct delivery *d = arg;
	enum am_kind kind = d->integration->kind;
	struct arena *arena = d->arena; /* holds r->error perhaps */
	d->arena = NULL;
	d->attempt++;
	count(&d->flush->ctx->stats->requests[kind]);
	if (r->outcome != SEND_OK)
		count(&d->flush->ctx->stats->requests_failed[kind]);
	switch (r->outcome) {
	case SEND_OK:
		deliver_ok(d);
		break;
	case SEND_RETRY:
		retry_later(d, r);
		break;
	case SEND_FAILED:
		deliver_failed(d, r);
		break;
	}
	arena_free(arena);
}

static struct notification *make_notification(struct delivery *d, int64_t now_ms)
{
	const struct flush *f = d->flush;
	struct notification *n = ARENA_NEW(d->arena, struct notification);
	n->receiver = notification_quote_receiver(d->arena, d->receiver->name);
	n->group_key = f->group->key;
	n->group_labels = f->group->labels;
	n->route_label_templates = &f->group->route->labels;
	n->route_labels = &labels_empty;
	n->external_url = f->ctx->external_url;
	n->reason = d->reason;
	n->now_ms = now_ms;
	n->alerts = d->alerts;
	n->n_alerts = d->n_alerts;
	return n;
}

static void try_once(struct delivery *d)
{
	struct notify_context *ctx = d->flush->ctx;
	int64_t now_ms = clock_now_ms(scheduler_clock(ctx->scheduler));
	if (atomic_load(&ctx->is_ended)) {
		deliver_failed(
		    d, &(struct send_result){SEND_FAILED, SEND_REASON_CANCELED, "context canceled"});
		return;
	}
	d->arena = arena_new(ARENA_NO_LIMIT);
	struct notification *n = make_notification(d, now_ms);
	struct send_request req = {
	    .http = ctx->http,
	    .integration = d->integration,
	    .notification = n,
	    .templates = ctx->templates,
	    .timeout_ms = d->flush->deadline_ms > now_ms ? d->flush->deadline_ms - now_ms : 1,
	    .arena = d->arena,
	    .done = on_sent,
	    .done_arg = d,
	};
	struct err err;
	if (notify_template_route_labels(&req, n, &err))
		receiver_done(&req, SEND_FAILED, SEND_REASON_OTHER, "%s", err.msg);
	else
		receiver_send(&req);
}

/* --- the decision ------------------------------------------------------------------------------------------------ */
static void fill_state(struct delivery *d)
{
	const struct flush *f = d->flush;
	uint64_t *firing = ARENA_ARRAY(f->arena, uint64_t, f->n_left);
	uint64_t *resolved = ARENA_ARRAY(f->arena, uint64_t, f->n_left);
	size_t n_firing = 0, n_resolved = 0;
	for (size_t i = 0; i < f->n_left; i++) {
		if (f->left[i]->shown.is_resolved)
			resolved[n_resolved++] = f->left[i]->hash;
		else
			firing[n_firing++] = f->left[i]->hash;
	}
	notify_log_sort(firing, n_firing);
	notify_log_sort(resolved, n_resolved);
	d->state = (struct notify_state){firing, resolved, n_firing, n_resolved};
}

/* Without send_resolved only what fires is sent. */
static void select_alerts(struct delivery *d)
{
	const struct flush *f = d->flush;
	d->alerts = ARENA_ARRAY(f->arena, struct notified_alert, f->n_left);
	for (size_t i = 0; i < f->n_left; i++)
		if (d->integration->send_resolved || !f->left[i]->shown.is_resolved)
			d->alerts[d->n_alerts++] = f->left[i]->shown;
}

static enum notify_reason decide(const struct delivery *d)
{
	struct notify_context *ctx = d->flush->ctx;
	lock_take(ctx->lock);
	enum notify_reason reason = notify_log_decide(ctx->log, d->log_key, &d->state,
	    d->integration->send_resolved, d->flush->tick_ms, d->flush->group->route->repeat_interval_ms);
	lock_release(ctx->lock);
	return reason;
}

/* The flush's arena is used by one delivery at a time: they are all started by one thread, before any of them can end
 * the flush. */
void delivery_start(
    struct flush *f, const struct am_receiver *receiver, const struct am_integration *integration)
{
	struct delivery *d = ARENA_NEW(f->arena, struct delivery);
	d->flush = f;
	d->receiver = receiver;
	d->integration = integration;
	d->log_key = arena_printf(f->arena, "%" SL_FMT ":%" SL_FMT "/%s/%u", SL_ARG(f->group->key),
	    SL_ARG(receiver->name), am_kind_name(integration->kind), integration->index);
	fill_state(d);
	d->reason = decide(d);
	if (d->reason == NOTIFY_NOTHING) {
		notify_flush_part_done(f, true);
		return;
	}
	select_alerts(d);
	count(&f->ctx->stats->sent[integration->kind]);
	if (d->n_alerts == 0) {
		deliver_ok(d); /* nothing this receiver wants to hear, but the log must know */
		return;
	}
	try_once(d);
}
