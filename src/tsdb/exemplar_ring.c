#include "tsdb/exemplar_ring.h"

#include "base/byte_reader.h"
#include "base/varint.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WALK_MAX = 4096 }; /* exemplars of its series that a late one is compared with */

void exemplar_ring_init(struct exemplar_ring *r, size_t max)
{
	*r = (struct exemplar_ring){.max = max < EXEMPLAR_RING_MAX ? max : EXEMPLAR_RING_MAX};
	atomic_init(&r->is_off, max == 0);
	lock_init(&r->lock, LOCK_SERIES, "exemplars");
	r->slab = slab_new();
}

/* All but the lock. */
static void free_content(struct exemplar_ring *r)
{
	VEC_EACH (struct exemplar_owner, o, &r->owners)
		labels_free(o->labels);
	exemplar_slots_done(&r->slots);
	exemplar_owners_done(&r->owners);
	exemplar_places_done(&r->free_owners);
	tag_table_done(&r->by_labels);
	slab_free(r->slab);
}

void exemplar_ring_done(struct exemplar_ring *r)
{
	free_content(r);
	lock_done(&r->lock);
}

/* --- labels in the slab ----------------------------------------------------------------------------------------- */

/* Number of labels, then names and values with their lengths: equal labels are equal bytes, and no encoding begins with
 * another one. */
struct encoded {
	size_t len;
	uint8_t bytes[SLAB_MAX_BYTES];
};

static void put_text(struct encoded *out, struct slice s)
{
	out->len += varint_put(out->bytes + out->len, s.len);
	if (s.len)
		memcpy(out->bytes + out->len, s.ptr, s.len);
	out->len += s.len;
}

/* Labels that were checked have 512 bytes of text and 128 lengths at most. */
static void encode(const struct labels *labels, struct encoded *out)
{
	out->len = varint_put(out->bytes, labels->n);
	LABELS_EACH (l, labels) {
		assert(out->len + l->name.len + l->value.len + 2 * VARINT_MAX_BYTES <= sizeof(out->bytes));
		put_text(out, l->name);
		put_text(out, l->value);
	}
}

static struct slice read_text(struct byte_reader *r)
{
	return read_bytes(r, (size_t)read_varint(r));
}

/* In the arena, text included. */
static const struct labels *decode(const struct exemplar_ring *r, uint32_t handle, struct arena *arena)
{
	struct byte_reader in;
	struct label l[EXEMPLAR_MAX_LABELS];
	byte_reader_init(&in, slice_of(slab_ptr(r->slab, handle), slab_size(handle)));
	size_t n = (size_t)read_varint(&in);
	assert(n <= EXEMPLAR_MAX_LABELS);
	for (size_t i = 0; i < n; i++) {
		l[i].name = arena_slice(arena, read_text(&in));
		l[i].value = arena_slice(arena, read_text(&in));
	}
	return labels_from_sorted(arena, l, n);
}

static int cmp_labels(const struct exemplar_ring *r, const struct exemplar_slot *s, const struct encoded *e)
{
	size_t room = slab_size(s->labels);
	return memcmp(slab_ptr(r->slab, s->labels), e->bytes, e->len < room ? e->len : room);
}

/* --- the lists of series ----------------------------------------------------------------------------------------- */

/* `place` is slot + 1, and not 0. */
static struct exemplar_slot *slot_at(const struct exemplar_ring *r, uint32_t place)
{
	return &r->slots.v[place - 1];
}

/* Place + 1, 0: it has none. */
static uint32_t find_owner(const struct exemplar_ring *r, const struct labels *series)
{
	struct tag_walk w;
	for (uint32_t i = tag_table_first(&r->by_labels, series->hash, &w); i; i = tag_table_next(&w))
		if (labels_eq(r->owners.v[i - 1].labels, series))
			return i;
	return 0;
}

static uint32_t make_owner(struct exemplar_ring *r, const struct labels *series)
{
	uint32_t place;
	if (r->free_owners.len > 0) {
		place = exemplar_places_pop(&r->free_owners);
	} else {
		exemplar_owners_add(&r->owners);
		place = (uint32_t)r->owners.len - 1;
	}
	struct labels *copy = labels_copy(series);
	r->owners.v[place] = (struct exemplar_owner){.labels = copy};
	r->label_bytes += copy->bytes;
	tag_table_add(&r->by_labels, copy->hash, place + 1);
	return place + 1;
}

static void drop_owner(struct exemplar_ring *r, uint32_t place)
{
	struct exemplar_owner *o = &r->owners.v[place];
	tag_table_remove(&r->by_labels, o->labels->hash, place + 1);
	r->label_bytes -= o->labels->bytes;
	labels_free(o->labels);
	*o = (struct exemplar_owner){0};
	exemplar_places_push(&r->free_owners, place);
}

/* Takes the oldest out; its slot is free to be used. */
static void evict(struct exemplar_ring *r, uint32_t place)
{
	struct exemplar_slot *s = slot_at(r, place);
	struct exemplar_owner *o = &r->owners.v[s->owner];
	if (s->older)
		slot_at(r, s->older)->newer = s->newer;
	else
		o->oldest = s->newer;
	if (s->newer)
		slot_at(r, s->newer)->older = s->older;
	else
		o->newest = s->older;
	slab_put(r->slab, s->labels);
	if (o->oldest == 0)
		drop_owner(r, s->owner);
}

/* --- what is taken ------------------------------------------------------------------------------------------------ */

/* By time, value, labels. */
static int cmp(const struct exemplar_ring *r, const struct exemplar_slot *s, const struct exemplar *e,
    const struct encoded *labels)
{
	if (s->t_ms != e->t_ms)
		return s->t_ms < e->t_ms ? -1 : 1;
	uint64_t a = double_bits(s->v), b = double_bits(e->v);
	if (a != b)
		return s->v < e->v || (!(s->v > e->v) && a < b) ? -1 : 1;
	return cmp_labels(r, s, labels);
}

/* Once more what is the newest already: without a time of its own an exemplar is exposed again and again. */
static bool is_newest(const struct exemplar_ring *r, const struct exemplar_slot *s, const struct exemplar *e,
    const struct encoded *labels)
{
	bool same_time = s->t_ms == e->t_ms || (!s->has_time && !e->has_time);
	return same_time && double_bits(s->v) == double_bits(e->v) && cmp_labels(r, s, labels) == 0;
}

static bool is_too_late(const struct exemplar_ring *r, const struct exemplar_slot *newest,
    const struct exemplar *e, const struct encoded *labels, int64_t late_ms)
{
	int64_t behind;
	if (late_ms == EXEMPLAR_ANY_AGE)
		return false;
	if (e->t_ms == newest->t_ms)
		return cmp(r, newest, e, labels) > 0;
	return e->t_ms < newest->t_ms &&
	       (__builtin_sub_overflow(newest->t_ms, e->t_ms, &behind) || behind >= late_ms);
}

/* Where an exemplar belongs: behind *older (slot + 1; 0: in front of all). */
static enum exemplar_result find_place(const struct exemplar_ring *r, const struct labels *series,
    const struct exemplar *e, const struct encoded *labels, int64_t late_ms, uint32_t *older)
{
	uint32_t owner = find_owner(r, series);
	*older = owner ? r->owners.v[owner - 1].newest : 0;
	if (*older == 0)
		return EXEMPLAR_TAKEN;
	const struct exemplar_slot *newest = slot_at(r, *older);
	if (late_ms != EXEMPLAR_ANY_AGE && is_newest(r, newest, e, labels))
		return EXEMPLAR_REPEATED;
	if (is_too_late(r, newest, e, labels, late_ms))
		return EXEMPLAR_OUT_OF_ORDER;
	for (size_t i = 0; i < WALK_MAX; i++) {
		int c = *older ? cmp(r, slot_at(r, *older), e, labels) : -1;
		if (c <= 0)
			return c == 0 ? EXEMPLAR_REPEATED : EXEMPLAR_TAKEN;
		*older = slot_at(r, *older)->older;
	}
	return EXEMPLAR_OUT_OF_ORDER;
}

enum exemplar_result exemplar_ring_judge(
    const struct exemplar_ring *r, const struct labels *series, const struct exemplar *e, int64_t late_ms)
{
	struct encoded labels;
	uint32_t older;
	if (r->max == 0)
		return EXEMPLAR_OFF;
	encode(e->labels, &labels);
	return find_place(r, series, e, &labels, late_ms, &older);
}

/* The slot for the next one, out of its list. Place + 1. */
static uint32_t take_slot(struct exemplar_ring *r)
{
	if (r->slots.len < r->max)
		exemplar_slots_add(&r->slots);
	else
		evict(r, (uint32_t)r->next + 1);
	uint32_t place = (uint32_t)r->next + 1;
	r->next = r->next + 1 == r->max ? 0 : r->next + 1;
	return place;
}

static void link_slot(struct exemplar_ring *r, uint32_t place, uint32_t owner, uint32_t older)
{
	struct exemplar_slot *s = slot_at(r, place);
	struct exemplar_owner *o = &r->owners.v[owner - 1];
	s->owner = owner - 1;
	s->older = older;
	s->newer = older ? slot_at(r, older)->newer : o->oldest;
	if (s->older)
		slot_at(r, s->older)->newer = place;
	else
		o->oldest = place;
	if (s->newer)
		slot_at(r, s->newer)->older = place;
	else
		o->newest = place;
}

enum exemplar_result exemplar_ring_add(
    struct exemplar_ring *r, const struct labels *series, const struct exemplar *e, int64_t late_ms)
{
	struct encoded labels;
	uint32_t older;
	if (r->max == 0)
		return EXEMPLAR_OFF;
	encode(e->labels, &labels);
	enum exemplar_result result = find_place(r, series, e, &labels, late_ms, &older);
	if (result != EXEMPLAR_TAKEN)
		return result;
	uint32_t handle = slab_get(r->slab, labels.len);
	if (handle == SLAB_NONE)
		return EXEMPLAR_NO_ROOM;
	memcpy(slab_ptr(r->slab, handle), labels.bytes, labels.len);
	if (older && r->slots.len == r->max && older == r->next + 1)
		older = slot_at(r, older)->older; /* it goes */
	uint32_t place = take_slot(r), owner = find_owner(r, series);
	*slot_at(r, place) =
	    (struct exemplar_slot){.t_ms = e->t_ms, .v = e->v, .has_time = e->has_time, .labels = handle};
	link_slot(r, place, owner ? owner : make_owner(r, series), older);
	return EXEMPLAR_TAKEN;
}

/* --- walking and resizing ----------------------------------------------------------------------------------------- */

static size_t slot_of_number(const struct exemplar_ring *r, size_t i)
{
	assert(i < r->slots.len);
	return r->slots.len < r->max ? i : (r->next + i) % r->max;
}

static void get_slot(
    const struct exemplar_ring *r, const struct exemplar_slot *s, struct arena *arena, struct exemplar *e)
{
	*e = (struct exemplar){
	    .t_ms = s->t_ms, .v = s->v, .has_time = s->has_time, .labels = decode(r, s->labels, arena)};
}

void exemplar_ring_get(const struct exemplar_ring *r, size_t i, struct arena *arena,
    const struct labels **series, struct exemplar *e)
{
	const struct exemplar_slot *s = &r->slots.v[slot_of_number(r, i)];
	*series = r->owners.v[s->owner].labels;
	get_slot(r, s, arena, e);
}

uint64_t exemplar_ring_record(const struct exemplar_ring *r, size_t i)
{
	return r->slots.v[slot_of_number(r, i)].record;
}

void exemplar_ring_set_record(struct exemplar_ring *r, size_t i, uint64_t record)
{
	r->slots.v[slot_of_number(r, i)].record = record;
}

/* A ring of another size is a new one. */
static void move_newest(struct exemplar_ring *from, struct exemplar_ring *to)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	size_t n = from->slots.len;
	for (size_t i = n > to->max ? n - to->max : 0; i < n; i++) {
		const struct labels *series;
		struct exemplar e;
		exemplar_ring_get(from, i, arena, &series, &e);
		if (exemplar_ring_add(to, series, &e, EXEMPLAR_ANY_AGE) == EXEMPLAR_TAKEN)
			exemplar_ring_set_record(to, to->slots.len - 1, exemplar_ring_record(from, i));
		arena_reset(arena);
	}
	arena_free(arena);
}

/* Everything but the lock. */
static void take_content(struct exemplar_ring *r, const struct exemplar_ring *other)
{
	r->max = other->max;
	r->next = other->next;
	r->slots = other->slots;
	r->slab = other->slab;
	r->owners = other->owners;
	r->free_owners = other->free_owners;
	r->by_labels = other->by_labels;
	r->label_bytes = other->label_bytes;
}

void exemplar_ring_resize(struct exemplar_ring *r, size_t max)
{
	struct exemplar_ring resized = {.max = max < EXEMPLAR_RING_MAX ? max : EXEMPLAR_RING_MAX};
	lock_take(&r->lock);
	if (resized.max != r->max) {
		resized.slab = slab_new();
		move_newest(r, &resized);
		free_content(r);
		take_content(r, &resized);
		atomic_store_explicit(&r->is_off, max == 0, memory_order_relaxed);
	}
	lock_release(&r->lock);
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

VEC_DEFINE(exemplar_series_vec, struct exemplar_series);

static bool matches(const struct labels *series, const struct matcher_list *any, size_t n_any)
{
	for (size_t i = 0; i < n_any; i++) {
		size_t k = 0;
		while (k < any[i].n && matcher_matches_labels(any[i].v[k], series))
			k++;
		if (k == any[i].n)
			return true;
	}
	return false;
}

/* Those of the range: from *first (slot + 1) on, *n of them. */
static void find_range(const struct exemplar_ring *r, const struct exemplar_owner *o, int64_t min_t_ms,
    int64_t max_t_ms, uint32_t *first, size_t *n)
{
	uint32_t at = o->oldest;
	while (at && slot_at(r, at)->t_ms < min_t_ms)
		at = slot_at(r, at)->newer;
	*first = at;
	for (*n = 0; at && slot_at(r, at)->t_ms <= max_t_ms; at = slot_at(r, at)->newer)
		++*n;
}

static void select_owner(const struct exemplar_ring *r, const struct exemplar_owner *o, struct arena *arena,
    int64_t min_t_ms, int64_t max_t_ms, struct exemplar_series_vec *out)
{
	uint32_t at;
	size_t n;
	find_range(r, o, min_t_ms, max_t_ms, &at, &n);
	if (n == 0)
		return;
	struct exemplar *v = ARENA_ARRAY(arena, struct exemplar, n);
	for (size_t i = 0; i < n; i++, at = slot_at(r, at)->newer)
		get_slot(r, slot_at(r, at), arena, &v[i]);
	exemplar_series_vec_push(out, (struct exemplar_series){labels_copy_to(arena, o->labels), v, n});
}

static int by_labels(const void *a, const void *b)
{
	return labels_cmp(
	    ((const struct exemplar_series *)a)->labels, ((const struct exemplar_series *)b)->labels);
}

int exemplar_ring_select(struct exemplar_ring *r, struct arena *arena, const struct matcher_list *any,
    size_t n_any, int64_t min_t_ms, int64_t max_t_ms, const struct exemplar_series **out, size_t *n,
    struct err *err)
{
	struct exemplar_series_vec found = {0};
	lock_take(&r->lock);
	for (size_t i = 0; i < r->owners.len && !arena_overflowed(arena); i++) {
		const struct exemplar_owner *o = &r->owners.v[i];
		if (o->labels && matches(o->labels, any, n_any))
			select_owner(r, o, arena, min_t_ms, max_t_ms, &found);
	}
	lock_release(&r->lock);
	if (found.len)
		qsort(found.v, found.len, sizeof(*found.v), by_labels);
	struct exemplar_series *copy = ARENA_ARRAY(arena, struct exemplar_series, found.len + 1);
	if (found.len)
		memcpy(copy, found.v, found.len * sizeof(*copy));
	*n = found.len;
	exemplar_series_vec_done(&found);
	if (arena_overflowed(arena))
		return err_set(err, ERR_LIMIT, "the query selects too many exemplars");
	*out = copy;
	return 0;
}

void exemplar_ring_stats(struct exemplar_ring *r, struct exemplar_stats *out)
{
	lock_take(&r->lock);
	*out = (struct exemplar_stats){.exemplars = r->slots.len,
	    .series = r->owners.len - r->free_owners.len,
	    .max = r->max,
	    .bytes = r->slots.cap * sizeof(*r->slots.v) + r->owners.cap * sizeof(*r->owners.v) +
		     slab_reserved_bytes(r->slab) + r->by_labels.bytes + r->label_bytes};
	if (r->slots.len > 0)
		out->oldest_t_ms = r->slots.v[slot_of_number(r, 0)].t_ms;
	lock_release(&r->lock);
}
