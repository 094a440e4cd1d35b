/* What the API shows: snapshots of the router's state. Alerts are copied by reference (their versions are held by the
 * caller's arena), so the lock is held for a walk only; silences are asked afterwards. */
#include "alertmanager/router_priv.h"
#include "model/label_regex.h"
#include <inttypes.h>
#include <stdlib.h>

/* The versions a listing refers to, released with its arena. */
struct held_versions {
	struct alert_version **v;
	size_t n;
};

static void release_versions(void *ptr)
{
	struct held_versions *held = ptr;
	for (size_t i = 0; i < held->n; i++)
		alert_version_release(held->v[i]);
}

/* A text of the generation's arena outlives the listing only as a copy. */
static struct slice copy(struct arena *arena, struct slice s)
{
	return arena_slice(arena, s);
}

static bool matches(const struct matcher *const *v, size_t n, const struct labels *ls)
{
	for (size_t i = 0; i < n; i++)
		if (!matcher_matches_labels(v[i], ls))
			return false;
	return true;
}

/* Alertmanager's listing has its own idea of empty values: ="" lets alerts without the label pass, !="" those with. */
static bool passes_filter(const struct router_filter *f, const struct labels *ls)
{
	for (size_t i = 0; i < f->n_matchers; i++) {
		const struct matcher *m = f->matchers[i];
		bool has = labels_has(ls, m->name), passes;
		if (m->value.len > 0)
			passes = matcher_matches_labels(m, ls);
		else
			passes = (m->op == MATCH_EQUAL || m->op == MATCH_REGEX) ? !has : has;
		if (!passes)
			return false;
	}
	return true;
}

static bool receiver_passes(const struct router_filter *f, const struct am_receiver *receiver)
{
	if (f->receiver && !label_regex_matches(f->receiver, receiver->name))
		return false;
	return matches(f->receiver_matchers, f->n_receiver_matchers, receiver->labels);
}

/* --- one alert --------------------------------------------------------------------------------------------------- */
struct listing {
	struct router *r;
	const struct router_filter *f;
	int64_t now_ms;
	struct arena *arena;
	struct held_versions *held;
	bool any_silence;
};

static struct slice fingerprint_text(struct arena *arena, uint64_t fingerprint)
{
	return arena_printf(arena, "%016" PRIx64, fingerprint);
}

/* With the lock: what the index knows. */
static void fill_alert(struct listing *l, struct alert_entry *e, struct routed_alert *out)
{
	struct alert_version *v = alert_version_hold(e->now);
	l->held->v[l->held->n++] = v;
	*out = (struct routed_alert){.alert = v->alert, .fingerprint = e->fingerprint};
	const struct alert_entry *by = inhibit_find(e, l->now_ms);
	if (by) {
		struct slice *ids = ARENA_NEW(l->arena, struct slice);
		*ids = fingerprint_text(l->arena, by->fingerprint);
		out->inhibited_by = ids;
		out->n_inhibited_by = 1;
	}
}

/* Without the lock: silences, the state, and whether it is wanted. */
static bool finish_alert(struct listing *l, struct routed_alert *v)
{
	if (l->any_silence)
		v->n_silenced_by = silence_store_match(
		    l->r->silences, v->alert.labels, l->now_ms, l->arena, &v->silenced_by);
	bool is_suppressed = v->n_silenced_by > 0 || v->n_inhibited_by > 0;
	v->state = is_suppressed || v->n_muted_by > 0 ? ROUTED_SUPPRESSED : ROUTED_ACTIVE;
	if (!l->f->active && !is_suppressed)
		return false;
	if (!l->f->silenced && v->n_silenced_by > 0)
		return false;
	return l->f->inhibited || v->n_inhibited_by == 0;
}

static struct listing listing_begin(
    struct router *r, const struct router_filter *f, int64_t now_ms, struct arena *arena)
{
	struct listing l = {.r = r, .f = f, .now_ms = now_ms, .arena = arena};
	l.held = ARENA_NEW(arena, struct held_versions);
	l.any_silence = silence_store_any_active(r->silences, now_ms);
	arena_at_free(arena, release_versions, l.held);
	return l;
}

/* --- alerts ------------------------------------------------------------------------------------------------------ */
/* Names of the receivers of the entry's routes; false when none passes the filter. With the lock. */
static bool fill_receivers(struct listing *l, const struct alert_entry *e, struct routed_alert *out)
{
	struct slice *names = ARENA_ARRAY(l->arena, struct slice, e->n_places);
	bool any = false;
	for (uint32_t i = 0; i < e->n_places; i++) {
		const struct am_receiver *receiver = e->places[i].route->receiver;
		names[i] = receiver->name;
		any |= receiver_passes(l->f, receiver);
	}
	for (uint32_t i = 0; any && i < e->n_places; i++)
		names[i] = copy(l->arena, names[i]);
	out->receivers = names;
	out->n_receivers = e->n_places;
	return any;
}

static int view_order(const void *pa, const void *pb)
{
	const struct routed_alert *a = pa, *b = pb;
	return (a->fingerprint > b->fingerprint) - (a->fingerprint < b->fingerprint);
}

void router_list_alerts(struct router *r, const struct router_filter *f, int64_t now_ms, struct arena *arena,
    const struct routed_alert **out, size_t *n)
{
	struct listing l = listing_begin(r, f, now_ms, arena);
	lock_take(&r->lock);
	size_t count = r->gen ? r->store.entries.len : 0, len = 0;
	l.held->v = ARENA_ARRAY(arena, struct alert_version *, count);
	struct routed_alert *v = ARENA_ARRAY(arena, struct routed_alert, count);
	for (size_t i = 0; i < count; i++) {
		struct alert_entry *e = r->store.entries.v[i];
		if (alert_is_resolved(&e->now->alert, now_ms) || !passes_filter(f, e->labels))
			continue;
		fill_alert(&l, e, &v[len]);
		len += fill_receivers(&l, e, &v[len]);
	}
	lock_release(&r->lock);
	size_t kept = 0;
	for (size_t i = 0; i < len; i++)
		if (finish_alert(&l, &v[i]))
			v[kept++] = v[i];
	if (kept > 1)
		qsort(v, kept, sizeof(*v), view_order);
	*out = v;
	*n = kept;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */
/* As notifications list them. */
static int notified_order(const void *pa, const void *pb)
{
	const struct labels *x = ((const struct routed_alert *)pa)->alert.labels;
	const struct labels *y = ((const struct routed_alert *)pb)->alert.labels;
	int c = slice_cmp(labels_get(x, SL("job")), labels_get(y, SL("job")));
	if (c == 0)
		c = slice_cmp(labels_get(x, SL("instance")), labels_get(y, SL("instance")));
	if (c == 0)
		c = (x->n > y->n) - (x->n < y->n);
	return c ? c : labels_cmp(x, y);
}

static int group_order(const void *pa, const void *pb)
{
	const struct routed_group *a = pa, *b = pb;
	int c = labels_cmp(a->labels, b->labels);
	return c ? c : slice_cmp(a->receiver, b->receiver);
}

static const struct labels *copy_route_labels(struct arena *arena, const struct config_pairs *pairs)
{
	struct label *l = ARENA_ARRAY(arena, struct label, pairs->n);
	size_t n = 0;
	for (size_t i = 0; i < pairs->n; i++)
		if (pairs->v[i].value.len > 0)
			l[n++] =
			    (struct label){copy(arena, pairs->v[i].name), copy(arena, pairs->v[i].value)};
	return labels_from_sorted(arena, l, n);
}

static const struct slice *copy_names(struct arena *arena, const struct slice *names, size_t n)
{
	struct slice *v = ARENA_ARRAY(arena, struct slice, n);
	for (size_t i = 0; i < n; i++)
		v[i] = copy(arena, names[i]);
	return v;
}

/* With the lock. */
static void fill_group(struct listing *l, const struct alert_group *g, struct routed_group *out)
{
	*out = (struct routed_group){
	    .labels = labels_copy_to(l->arena, g->labels),
	    .route_labels = copy_route_labels(l->arena, &g->route->labels),
	    .receiver = copy(l->arena, g->route->receiver->name),
	};
	const struct slice *muted_by = copy_names(l->arena, g->muted_by, g->n_muted_by);
	struct routed_alert *v = ARENA_ARRAY(l->arena, struct routed_alert, g->members.len);
	size_t n = 0;
	for (size_t i = 0; i < g->members.len; i++) {
		struct alert_entry *e = g->members.v[i];
		if (alert_is_resolved(&e->now->alert, l->now_ms) || !passes_filter(l->f, e->labels))
			continue;
		fill_alert(l, e, &v[n]);
		fill_receivers(l, e, &v[n]);
		v[n].muted_by = muted_by;
		v[n++].n_muted_by = g->n_muted_by;
	}
	out->alerts = v;
	out->n_alerts = n;
}

static size_t count_members(const struct hashtab *groups)
{
	size_t n = 0, i = 0;
	for (struct hashtab_entry *slot; (slot = hashtab_next(groups, &i));)
		n += ((const struct alert_group *)slot->value)->members.len;
	return n;
}

/* Without the lock: drops alerts that are not wanted; false when none is left. */
static bool finish_group(struct listing *l, struct routed_group *g)
{
	struct routed_alert *v = ARENA_ARRAY(l->arena, struct routed_alert, g->n_alerts);
	size_t n = 0;
	for (size_t i = 0; i < g->n_alerts; i++) {
		v[n] = g->alerts[i];
		n += finish_alert(l, &v[n]);
	}
	if (n > 1)
		qsort(v, n, sizeof(*v), notified_order);
	g->alerts = v;
	g->n_alerts = n;
	return n > 0;
}

void router_list_groups(struct router *r, const struct router_filter *f, int64_t now_ms, struct arena *arena,
    const struct routed_group **out, size_t *n)
{
	struct listing l = listing_begin(r, f, now_ms, arena);
	lock_take(&r->lock);
	const struct hashtab none = {0};
	const struct hashtab *groups = r->gen ? &r->gen->dispatcher.groups : &none;
	l.held->v = ARENA_ARRAY(arena, struct alert_version *, count_members(groups));
	struct routed_group *v = ARENA_ARRAY(arena, struct routed_group, groups->len);
	size_t len = 0, i = 0;
	for (struct hashtab_entry *slot; (slot = hashtab_next(groups, &i));) {
		const struct alert_group *g = slot->value;
		if (!receiver_passes(f, g->route->receiver) || (!f->muted && g->n_muted_by > 0))
			continue;
		fill_group(&l, g, &v[len++]);
	}
	lock_release(&r->lock);
	size_t kept = 0;
	for (size_t k = 0; k < len; k++)
		if (finish_group(&l, &v[k]))
			v[kept++] = v[k];
	if (kept > 1)
		qsort(v, kept, sizeof(*v), group_order);
	*out = v;
	*n = kept;
}

/* --- the rest ---------------------------------------------------------------------------------------------------- */
void router_list_receivers(struct router *r, const struct router_filter *f, struct arena *arena,
    const struct receiver_view **out, size_t *n)
{
	lock_take(&r->lock);
	const struct am_config *c = r->gen ? r->gen->config : NULL;
	struct receiver_view *v = ARENA_ARRAY(arena, struct receiver_view, c ? c->n_receivers : 0);
	size_t len = 0;
	for (size_t i = 0; c && i < c->n_receivers; i++)
		if (receiver_passes(f, &c->receivers[i]))
			v[len++] = (struct receiver_view){
			    copy(arena, c->receivers[i].name), labels_copy_to(arena, c->receivers[i].labels)};
	lock_release(&r->lock);
	*out = v;
	*n = len;
}

struct slice router_config_text(struct router *r, struct arena *arena)
{
	lock_take(&r->lock);
	struct slice text = r->gen ? copy(arena, r->gen->config->text) : SL_EMPTY;
	lock_release(&r->lock);
	return text;
}
