#include "alertmanager/alert_store.h"

#include "base/hash.h"
#include "base/strbuf.h"
#include <assert.h>

enum { SLOTS_MIN = 64 };

/* --- versions and entries ---------------------------------------------------------------------------------------- */
static void entry_release(struct alert_entry *e)
{
	if (atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
		return;
	labels_free(e->labels);
	free(e->places);
	free(e->links);
	free(e);
}

struct alert_version *alert_version_hold(struct alert_version *v)
{
	atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
	return v;
}

void alert_version_release(struct alert_version *v)
{
	if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	labels_free(v->annotations);
	free(v->generator_url);
	entry_release(v->entry);
	free(v);
}

static struct alert_version *version_new(struct alert_entry *e, const struct alert *a)
{
	struct alert_version *v = xcalloc(1, sizeof(*v));
	atomic_init(&v->refs, 1);
	atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
	v->entry = e;
	v->alert = *a;
	v->alert.labels = e->labels;
	v->alert.annotations = &labels_empty;
	if (a->annotations && a->annotations->n > 0)
		v->alert.annotations = v->annotations = labels_copy(a->annotations);
	if (a->generator_url.len > 0) {
		v->generator_url = slice_dup(a->generator_url);
		v->alert.generator_url = slice_of(v->generator_url, a->generator_url.len);
	}
	return v;
}

/* The hash of the notification log: xxHash64 over name 0xff value 0xff of each label in order. */
static uint64_t labels_log_hash(const struct labels *ls)
{
	struct strbuf sb = STRBUF_INIT;
	LABELS_EACH (l, ls) {
		strbuf_add_slice(&sb, l->name);
		strbuf_addch(&sb, (char)0xff);
		strbuf_add_slice(&sb, l->value);
		strbuf_addch(&sb, (char)0xff);
	}
	uint64_t h = hash_xxh64(sb.ptr, sb.len);
	strbuf_done(&sb);
	return h;
}

static struct alert_entry *entry_new(const struct labels *ls, uint64_t fingerprint)
{
	struct alert_entry *e = xcalloc(1, sizeof(*e));
	atomic_init(&e->refs, 1);
	e->fingerprint = fingerprint;
	e->labels = labels_copy(ls);
	e->hash = labels_log_hash(e->labels);
	return e;
}

/* --- the table --------------------------------------------------------------------------------------------------- */
/* Fibonacci hashing: FNV-1a's low bits alone are not spread well enough for a table. */
static size_t slot_of(const struct alert_store *s, uint64_t fingerprint)
{
	return (size_t)((fingerprint * 0x9e3779b97f4a7c15u) >> 32) & (s->cap - 1);
}

static void slots_insert(struct alert_store *s, struct alert_entry *e)
{
	size_t i = slot_of(s, e->fingerprint);
	while (s->slots[i])
		i = (i + 1) & (s->cap - 1);
	s->slots[i] = e;
}

/* A new table for at least `n` entries, at most half full. */
static void slots_rebuild(struct alert_store *s, size_t n)
{
	size_t cap = SLOTS_MIN;
	while (cap < 2 * n)
		cap *= 2;
	free(s->slots);
	s->slots = xcalloc(cap, sizeof(*s->slots));
	s->cap = cap;
	for (size_t i = 0; i < s->entries.len; i++)
		slots_insert(s, s->entries.v[i]);
}

void alert_store_init(struct alert_store *s)
{
	*s = (struct alert_store){0};
	slots_rebuild(s, 0);
}

static void entry_drop(struct alert_entry *e)
{
	struct alert_version *last = e->now;
	e->now = NULL;
	alert_version_release(last);
	entry_release(e);
}

void alert_store_done(struct alert_store *s)
{
	for (size_t i = 0; i < s->entries.len; i++)
		entry_drop(s->entries.v[i]);
	alert_entry_vec_done(&s->entries);
	free(s->slots);
	s->slots = NULL;
}

struct alert_entry *alert_store_find(const struct alert_store *s, uint64_t fingerprint)
{
	for (size_t i = slot_of(s, fingerprint); s->slots[i]; i = (i + 1) & (s->cap - 1))
		if (s->slots[i]->fingerprint == fingerprint)
			return s->slots[i];
	return NULL;
}

/* --- merging ----------------------------------------------------------------------------------------------------- */
bool alert_ranges_overlap(const struct alert *stored, const struct alert *fresh)
{
	bool end_inside = fresh->ends_at_ms > stored->starts_at_ms && fresh->ends_at_ms < stored->ends_at_ms;
	bool start_inside =
	    fresh->starts_at_ms > stored->starts_at_ms && fresh->starts_at_ms < stored->ends_at_ms;
	return end_inside || start_inside;
}

void alert_merge_times(const struct alert *older, bool older_is_timeout, int64_t now_ms, struct alert *newer)
{
	if (older->starts_at_ms < newer->starts_at_ms)
		newer->starts_at_ms = older->starts_at_ms;
	bool older_ends_later = older->ends_at_ms > newer->ends_at_ms;
	if (alert_is_resolved(newer, now_ms)) {
		if (alert_is_resolved(older, now_ms) && older_ends_later)
			newer->ends_at_ms = older->ends_at_ms;
	} else if (older_ends_later && !older_is_timeout) {
		newer->ends_at_ms = older->ends_at_ms;
	}
}

/* Fills the times a sender may leave out. True when the end is made up. */
static bool alert_complete_times(struct alert *a, int64_t now_ms, int64_t resolve_timeout_ms)
{
	a->updated_at_ms = now_ms;
	if (a->starts_at_ms == 0)
		a->starts_at_ms = a->ends_at_ms ? a->ends_at_ms : now_ms;
	if (a->ends_at_ms != 0)
		return false;
	a->ends_at_ms = now_ms + resolve_timeout_ms;
	return true;
}

struct alert_entry *alert_store_put(
    struct alert_store *s, const struct alert *given, int64_t now_ms, int64_t resolve_timeout_ms)
{
	struct alert a = *given;
	bool is_timeout = alert_complete_times(&a, now_ms, resolve_timeout_ms);
	uint64_t fingerprint = labels_fingerprint(a.labels);
	struct alert_entry *e = alert_store_find(s, fingerprint);
	if (!e) {
		e = entry_new(a.labels, fingerprint);
		alert_entry_vec_push(&s->entries, e);
		if (2 * s->entries.len > s->cap)
			slots_rebuild(s, 2 * s->entries.len);
		else
			slots_insert(s, e);
	}
	struct alert_version *old = e->now;
	if (old && alert_ranges_overlap(&old->alert, &a))
		alert_merge_times(&old->alert, old->is_timeout, now_ms, &a);
	e->now = version_new(e, &a);
	e->now->is_timeout = is_timeout;
	alert_version_release(old);
	return e;
}

size_t alert_store_gc(
    struct alert_store *s, int64_t now_ms, void (*forget)(void *arg, struct alert_entry *e), void *arg)
{
	size_t kept = 0, before = s->entries.len;
	for (size_t i = 0; i < before; i++) {
		struct alert_entry *e = s->entries.v[i];
		if (e->n_in_groups > 0 || !alert_is_resolved(&e->now->alert, now_ms)) {
			s->entries.v[kept++] = e;
			continue;
		}
		forget(arg, e);
		entry_drop(e);
	}
	s->entries.len = kept;
	if (kept < before)
		slots_rebuild(s, kept);
	return before - kept;
}
