#include "tsdb/key_table.h"

#include "base/attr.h"
#include "base/xmalloc.h"
#include <string.h>

enum { FIRST_CAP = 16, MAX_CAP = 4096, MAX_DEPTH = 20, BATCH = 64 };

struct key_slot {
	uint64_t lo;
	uint32_t hi;    /* lower half of the key's hi */
	series_ref ref; /* 0: free */
};
_Static_assert(sizeof(struct key_slot) == 16, "a cache line holds four");

struct key_segment {
	uint32_t used, cap;
	unsigned depth;
	struct key_slot slots[];
};

static size_t segment_bytes(uint32_t cap)
{
	return sizeof(struct key_segment) + cap * sizeof(struct key_slot);
}

static struct key_segment *segment_new(struct key_table *t, uint32_t cap, unsigned depth)
{
	struct key_segment *s = xcalloc(1, segment_bytes(cap));
	s->cap = cap;
	s->depth = depth;
	t->bytes += segment_bytes(cap);
	return s;
}

static void segment_free(struct key_table *t, struct key_segment *s)
{
	t->bytes -= segment_bytes(s->cap);
	free(s);
}

/* lo's upper bits choose the segment, its lower bits the slot. */
static size_t segment_index(unsigned depth, uint64_t lo)
{
	return depth ? (size_t)(lo >> (64 - depth)) : 0;
}

void key_table_done(struct key_table *t)
{
	size_t n = t->segments ? (size_t)1 << t->depth : 0;
	for (size_t i = 0; i < n;) {
		struct key_segment *s = t->segments[i];
		i += (size_t)1 << (t->depth - s->depth);
		segment_free(t, s);
	}
	free(t->segments);
	*t = (struct key_table){.max_len = t->max_len};
}

/* The slot of the key, or the free one where it belongs. */
static struct key_slot *segment_slot(struct key_segment *s, uint64_t lo, uint32_t hi)
{
	uint32_t i = (uint32_t)lo & (s->cap - 1);
	while (s->slots[i].ref && (s->slots[i].lo != lo || s->slots[i].hi != hi))
		i = (i + 1) & (s->cap - 1);
	return &s->slots[i];
}

static void find_batch(const struct key_table *t, const struct series_key *keys, size_t n, series_ref *refs)
{
	struct key_segment *segments[BATCH];
	for (size_t i = 0; i < n; i++) {
		segments[i] = t->segments[segment_index(t->depth, keys[i].lo)];
		__builtin_prefetch(segments[i]);
	}
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&segments[i]->slots[(uint32_t)keys[i].lo & (segments[i]->cap - 1)]);
	for (size_t i = 0; i < n; i++)
		refs[i] = segment_slot(segments[i], keys[i].lo, (uint32_t)keys[i].hi)->ref;
}

void key_table_find(const struct key_table *t, const struct series_key *keys, size_t n, series_ref *refs)
{
	if (!t->segments) {
		memset(refs, 0, n * sizeof(*refs));
		return;
	}
	for (size_t i = 0; i < n; i += BATCH)
		find_batch(t, keys + i, n - i < BATCH ? n - i : BATCH, refs + i);
}

/* --- growing --- */

static void point_to(struct key_table *t, uint64_t lo, struct key_segment *s)
{
	size_t n = (size_t)1 << (t->depth - s->depth);
	size_t first = segment_index(s->depth, lo) * n;
	for (size_t i = 0; i < n; i++)
		t->segments[first + i] = s;
}

static void move_slots(const struct key_segment *from, struct key_segment *const to[2], uint64_t bit)
{
	for (uint32_t i = 0; i < from->cap; i++) {
		const struct key_slot *slot = &from->slots[i];
		if (!slot->ref)
			continue;
		struct key_segment *s = to[(slot->lo & bit) != 0];
		*segment_slot(s, slot->lo, slot->hi) = *slot;
		s->used++;
	}
}

static void rebuild_larger(struct key_table *t, struct key_segment *s, uint64_t lo)
{
	struct key_segment *to = segment_new(t, s->cap * 2, s->depth);
	move_slots(s, (struct key_segment *[2]){to, to}, 0);
	point_to(t, lo, to);
	segment_free(t, s);
}

static void double_directory(struct key_table *t)
{
	size_t n = (size_t)1 << t->depth;
	struct key_segment **wider = xreallocarray(NULL, 2 * n, sizeof(struct key_segment *));
	for (size_t i = 0; i < n; i++)
		wider[2 * i] = wider[2 * i + 1] = t->segments[i];
	free(t->segments);
	t->segments = wider;
	t->bytes += n * sizeof(struct key_segment *);
	t->depth++;
}

static void split(struct key_table *t, struct key_segment *s, uint64_t lo)
{
	if (s->depth == t->depth)
		double_directory(t);
	unsigned depth = s->depth + 1;
	uint64_t bit = UINT64_C(1) << (64 - depth);
	struct key_segment *half[2] = {segment_new(t, s->cap, depth), segment_new(t, s->cap, depth)};
	move_slots(s, half, bit);
	point_to(t, lo & ~bit, half[0]);
	point_to(t, lo | bit, half[1]);
	segment_free(t, s);
}

static void make_room(struct key_table *t, struct key_segment *s, uint64_t lo)
{
	if (t->max_len && t->len >= t->max_len) {
		memset(s->slots, 0, s->cap * sizeof(struct key_slot));
		t->len -= s->used;
		s->used = 0;
	} else if (s->cap < MAX_CAP || s->depth >= MAX_DEPTH) {
		rebuild_larger(t, s, lo);
	} else {
		split(t, s, lo);
	}
}

void key_table_put(struct key_table *t, const struct series_key *key, series_ref ref)
{
	if (!t->segments) {
		t->segments = xcalloc(1, sizeof(struct key_segment *));
		t->bytes += sizeof(struct key_segment *);
		t->segments[0] = segment_new(t, FIRST_CAP, 0);
	}
	struct key_segment *s = t->segments[segment_index(t->depth, key->lo)];
	while (unlikely(s->used >= s->cap / 5 * 4)) {
		make_room(t, s, key->lo);
		s = t->segments[segment_index(t->depth, key->lo)];
	}
	struct key_slot *slot = segment_slot(s, key->lo, (uint32_t)key->hi);
	if (!slot->ref) {
		s->used++;
		t->len++;
	}
	*slot = (struct key_slot){key->lo, (uint32_t)key->hi, ref};
}

/* --- forgetting --- */

static uint32_t count_kept(const struct key_segment *s, const struct ref_set *gone)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < s->cap; i++)
		n += s->slots[i].ref && !ref_set_has(gone, s->slots[i].ref);
	return n;
}

/* A segment that is nearly empty becomes smaller, too. */
static uint32_t cap_for(const struct key_segment *s, uint32_t kept)
{
	uint32_t cap = s->cap;
	while (cap > FIRST_CAP && kept < cap / 8)
		cap /= 2;
	return cap;
}

static void rebuild_without(
    struct key_table *t, struct key_segment *s, uint32_t kept, const struct ref_set *gone, size_t first)
{
	struct key_segment *to = segment_new(t, cap_for(s, kept), s->depth);
	for (uint32_t i = 0; i < s->cap; i++) {
		const struct key_slot *slot = &s->slots[i];
		if (!slot->ref || ref_set_has(gone, slot->ref))
			continue;
		*segment_slot(to, slot->lo, slot->hi) = *slot;
		to->used++;
	}
	for (size_t i = 0; i < (size_t)1 << (t->depth - s->depth); i++)
		t->segments[first + i] = to;
	t->len -= s->used - to->used;
	segment_free(t, s);
}

size_t key_table_forget(struct key_table *t, size_t at, const struct ref_set *gone)
{
	if (!t->segments || at >> t->depth)
		return SIZE_MAX;
	struct key_segment *s = t->segments[at];
	size_t span = (size_t)1 << (t->depth - s->depth), first = at / span * span;
	uint32_t kept = count_kept(s, gone);
	if (kept < s->used)
		rebuild_without(t, s, kept, gone, first);
	return (first + span) >> t->depth ? SIZE_MAX : first + span;
}
