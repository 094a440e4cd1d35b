#include "alertmanager/notify_pipeline.h"

#include "alertmanager/dispatch.h"
#include "alertmanager/mute_time.h"
#include "alertmanager/notify_retry.h"
#include "base/log.h"
#include <stdlib.h>

enum { MIN_TIMEOUT_MS = 10 * 1000 };

/* --- the snapshot ------------------------------------------------------------------------------------------------ */
/* As Alertmanager lists them: by job, by instance, then by label set. */
static int alert_order(const void *pa, const void *pb)
{
	const struct flush_alert *a = pa, *b = pb;
	const struct labels *x = a->version->alert.labels, *y = b->version->alert.labels;
	int c = slice_cmp(labels_get(x, SL("job")), labels_get(y, SL("job")));
	if (c == 0)
		c = slice_cmp(labels_get(x, SL("instance")), labels_get(y, SL("instance")));
	if (c == 0)
		c = (x->n > y->n) - (x->n < y->n);
	return c ? c : labels_cmp(x, y);
}

/* What the group holds now; whether an alert is resolved is decided here, once for the whole flush. */
static void take_snapshot(struct flush *f)
{
	const struct alert_group *g = f->group;
	int64_t now_ms = clock_now_ms(scheduler_clock(f->ctx->scheduler));
	f->n_alerts = g->members.len;
	f->alerts = ARENA_ARRAY(f->arena, struct flush_alert, f->n_alerts);
	f->left = ARENA_ARRAY(f->arena, const struct flush_alert *, f->n_alerts);
	for (size_t i = 0; i < f->n_alerts; i++) {
		struct alert_entry *e = g->members.v[i];
		struct alert_version *v = alert_version_hold(e->now);
		f->alerts[i] = (struct flush_alert){
		    .version = v,
		    .shown = {&v->alert, e->fingerprint, alert_is_resolved(&v->alert, now_ms)},
		    .hash = e->hash,
		};
	}
	if (f->n_alerts > 1)
		qsort(f->alerts, f->n_alerts, sizeof(*f->alerts), alert_order);
}

static struct flush *flush_new(struct notify_context *ctx, struct alert_group *g, int64_t tick_ms)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct flush *f = ARENA_NEW(arena, struct flush);
	f->ctx = ctx;
	f->group = g;
	f->arena = arena;
	f->tick_ms = tick_ms;
	int64_t timeout_ms = g->route->group_interval_ms;
	f->deadline_ms = tick_ms + (timeout_ms > MIN_TIMEOUT_MS ? timeout_ms : MIN_TIMEOUT_MS);
	atomic_init(&f->n_open, 1);
	atomic_init(&f->has_failed, false);
	return f;
}

/* --- stages ------------------------------------------------------------------------------------------------------ */
static void count_suppressed(_Atomic uint64_t *counter, size_t n)
{
	if (n > 0)
		atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* With the lock held. */
static void stage_inhibit(struct flush *f)
{
	int64_t now_ms = clock_now_ms(scheduler_clock(f->ctx->scheduler));
	f->n_left = 0;
	for (size_t i = 0; i < f->n_alerts; i++)
		if (!inhibit_find(f->alerts[i].version->entry, now_ms))
			f->left[f->n_left++] = &f->alerts[i];
	count_suppressed(&f->ctx->stats->suppressed_inhibition, f->n_alerts - f->n_left);
}

static void set_muted_by(struct flush *f, const struct am_time_interval *const *v, size_t n)
{
	struct slice *names = xcalloc(n ? n : 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = v[i]->name;
	lock_take(f->ctx->lock);
	free(f->group->muted_by);
	f->group->muted_by = names;
	f->group->n_muted_by = n;
	lock_release(f->ctx->lock);
}

/* Outside all active intervals every one of their names is the reason. */
static void stage_active_time(struct flush *f)
{
	const struct route *r = f->group->route;
	bool is_active = r->n_active == 0;
	for (size_t i = 0; i < r->n_active && !is_active; i++)
		is_active = mute_time_contains(r->active[i], f->tick_ms);
	set_muted_by(f, r->active, is_active ? 0 : r->n_active);
	if (is_active)
		return;
	count_suppressed(&f->ctx->stats->suppressed_active, f->n_left);
	f->n_left = 0;
}

static void stage_mute_time(struct flush *f)
{
	const struct route *r = f->group->route;
	if (r->n_mute == 0)
		return;
	const struct am_time_interval **in =
	    ARENA_ARRAY(f->arena, const struct am_time_interval *, r->n_mute);
	size_t n = 0;
	for (size_t i = 0; i < r->n_mute; i++)
		if (mute_time_contains(r->mute[i], f->tick_ms))
			in[n++] = r->mute[i];
	set_muted_by(f, in, n);
	if (n == 0)
		return;
	count_suppressed(&f->ctx->stats->suppressed_mute, f->n_left);
	f->n_left = 0;
}

static void stage_silence(struct flush *f)
{
	int64_t now_ms = clock_now_ms(scheduler_clock(f->ctx->scheduler));
	if (!silence_store_any_active(f->ctx->silences, now_ms))
		return;
	struct arena *scratch = arena_new(ARENA_NO_LIMIT);
	size_t kept = 0, before = f->n_left;
	for (size_t i = 0; i < before; i++) {
		const struct slice *ids;
		const struct labels *ls = f->left[i]->version->alert.labels;
		if (silence_store_match(f->ctx->silences, ls, now_ms, scratch, &ids) == 0)
			f->left[kept++] = f->left[i];
	}
	f->n_left = kept;
	count_suppressed(&f->ctx->stats->suppressed_silence, before - kept);
	arena_free(scratch);
}

/* --- the flush --------------------------------------------------------------------------------------------------- */
static void flush_end(struct flush *f)
{
	struct notify_context *ctx = f->ctx;
	bool ok = !atomic_load(&f->has_failed);
	struct alert_version **told = ARENA_ARRAY(f->arena, struct alert_version *, f->n_alerts);
	size_t n_told = 0;
	for (size_t i = 0; ok && i < f->n_alerts; i++)
		if (f->alerts[i].shown.is_resolved)
			told[n_told++] = f->alerts[i].version;
	dispatch_flush_done(f->group, told, n_told);
	for (size_t i = 0; i < f->n_alerts; i++)
		alert_version_release(f->alerts[i].version);
	arena_free(f->arena);
	lock_take(ctx->lock);
	ctx->n_flushes--;
	ctx->on_idle(ctx->on_idle_arg);
	lock_release(ctx->lock);
}

void notify_flush_part_done(struct flush *f, bool ok)
{
	if (!ok)
		atomic_store(&f->has_failed, true);
	if (atomic_fetch_sub(&f->n_open, 1) == 1)
		flush_end(f);
}

static void fan_out(struct flush *f)
{
	const struct am_receiver *receiver = f->group->route->receiver;
	for (size_t i = 0; i < receiver->n_integrations; i++) {
		atomic_fetch_add(&f->n_open, 1);
		delivery_start(f, receiver, &receiver->integrations[i]);
	}
}

void notify_flush(void *arg, struct alert_group *g, int64_t tick_ms)
{
	struct notify_context *ctx = arg;
	struct flush *f = flush_new(ctx, g, tick_ms);
	ctx->n_flushes++;
	take_snapshot(f);
	stage_inhibit(f);
	lock_release(ctx->lock);
	if (f->n_left > 0)
		stage_active_time(f);
	if (f->n_left > 0)
		stage_mute_time(f);
	if (f->n_left > 0)
		stage_silence(f);
	if (f->n_left > 0)
		fan_out(f);
	notify_flush_part_done(f, true);
	lock_take(ctx->lock);
}

void notify_context_end(struct notify_context *ctx)
{
	atomic_store(&ctx->is_ended, true);
	while (delivery_cancel_one(ctx))
		;
}
