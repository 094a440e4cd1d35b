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

/* A segment is `cap` cells. Its head takes the place of slot 0, so that it is as large as a size of the allocator: some bytes
 * more would cost a quarter. To a lookup the head is a slot in use with a key that nobody has. */
union key_cell {
	struct {
		uint32_t used, cap; /* slot 0 is not among the used ones */
		uint32_t depth;
		series_ref taken; /* not 0 */
	} head;
	struct key_slot slot;
};
_Static_assert(sizeof(union key_cell) == sizeof(struct key_slot), "the head is a slot");

static size_t segment_bytes(uint32_t cap)
{
	return cap * sizeof(union key_cell);
}

static union key_cell *segment_new(struct key_table *t, uint32_t cap, unsigned depth)
{
	union key_cell *s = xcalloc(1, segment_bytes(cap));
	s->head.cap = cap;
	s->head.depth = depth;
	s->head.taken = UINT32_MAX;
	t->bytes += segment_bytes(cap);
	return s;
}

static void segment_free(struct key_table *t, union key_cell *s)
{
	t->bytes -= segment_bytes(s->head.cap);
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
		union key_cell *s = t->segments[i];
		i += (size_t)1 << (t->depth - s->head.depth);
		segment_free(t, s);
	}
	free(t->segments);
	*t = (struct key_table){.max_len = t->max_len};
}

/* The slot of the key, or the free one where it belongs. */
static struct key_slot *segment_slot(union key_cell *s, uint64_t lo, uint32_t hi)
{
	uint32_t i = (uint32_t)lo & (s->head.cap - 1);
	while (s[i].slot.ref && (s[i].slot.lo != lo || s[i].slot.hi != hi))
		i = (i + 1) & (s->head.cap - 1);
	return &s[i].slot;
}

static void find_batch(const struct key_table *t, const struct series_key *keys, size_t n, series_ref *refs)
{
	union key_cell *segments[BATCH];
	for (size_t i = 0; i < n; i++) {
		segments[i] = t->segments[segment_index(t->depth, keys[i].lo)];
		__builtin_prefetch(segments[i]);
	}
	for (size_t i = 0; i < n; i++)
		__builtin_prefetch(&segments[i][(uint32_t)keys[i].lo & (segments[i]->head.cap - 1)]);
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

static void point_to(struct key_table *t, uint64_t lo, union key_cell *s)
{
	size_t n = (size_t)1 << (t->depth - s->head.depth);
	size_t first = segment_index(s->head.depth, lo) * n;
	for (size_t i = 0; i < n; i++)
		t->segments[first + i] = s;
}

static void move_slots(const union key_cell *from, union key_cell *const to[2], uint64_t bit)
{
	for (uint32_t i = 1; i < from->head.cap; i++) {
		const struct key_slot *slot = &from[i].slot;
		if (!slot->ref)
			continue;
		union key_cell *s = to[(slot->lo & bit) != 0];
		*segment_slot(s, slot->lo, slot->hi) = *slot;
		s->head.used++;
	}
}

static void rebuild_larger(struct key_table *t, union key_cell *s, uint64_t lo)
{
	union key_cell *to = segment_new(t, s->head.cap * 2, s->head.depth);
	move_slots(s, (union key_cell *[2]){to, to}, 0);
	point_to(t, lo, to);
	segment_free(t, s);
}

static void double_directory(struct key_table *t)
{
	size_t n = (size_t)1 << t->depth;
	union key_cell **wider = xreallocarray(NULL, 2 * n, sizeof(union key_cell *));
	for (size_t i = 0; i < n; i++)
		wider[2 * i] = wider[2 * i + 1] = t->segments[i];
	free(t->segments);
	t->segments = wider;
	t->bytes += n * sizeof(union key_cell *);
	t->depth++;
}

static void split(struct key_table *t, union key_cell *s, uint64_t lo)
{
	if (s->head.depth == t->depth)
		double_directory(t);
	unsigned depth = s->head.depth + 1;
	uint64_t bit = UINT64_C(1) << (64 - depth);
	union key_cell *half[2] = {segment_new(t, s->head.cap, depth), segment_new(t, s->head.cap, depth)};
	move_slots(s, half, bit);
	point_to(t, lo & ~bit, half[0]);
	point_to(t, lo | bit, half[1]);
	segment_free(t, s);
}

static void make_room(struct key_table *t, union key_cell *s, uint64_t lo)
{
	if (t->max_len && t->len >= t->max_len) {
		memset(s + 1, 0, (s->head.cap - 1) * sizeof(*s));
		t->len -= s->head.used;
		s->head.used = 0;
	} else if (s->head.cap < MAX_CAP || s->head.depth >= MAX_DEPTH) {
		rebuild_larger(t, s, lo);
	} else {
		split(t, s, lo);
	}
}

void key_table_put(struct key_table *t, const struct series_key *key, series_ref ref)
{
	if (!t->segments) {
		t->segments = xcalloc(1, sizeof(union key_cell *));
		t->bytes += sizeof(union key_cell *);
		t->segments[0] = segment_new(t, FIRST_CAP, 0);
	}
	union key_cell *s = t->segments[segment_index(t->depth, key->lo)];
	while (unlikely(s->head.used >= s->head.cap / 5 * 4)) {
		make_room(t, s, key->lo);
		s = t->segments[segment_index(t->depth, key->lo)];
	}
	struct key_slot *slot = segment_slot(s, key->lo, (uint32_t)key->hi);
	if (!slot->ref) {
		s->head.used++;
		t->len++;
	}
	*slot = (struct key_slot){key->lo, (uint32_t)key->hi, ref};
}

/* --- forgetting --- */

static uint32_t count_kept(const union key_cell *s, const struct ref_set *gone)
{
	uint32_t n = 0;
	for (uint32_t i = 1; i < s->head.cap; i++)
		n += s[i].slot.ref && !ref_set_has(gone, s[i].slot.ref);
	return n;
}

/* A segment that is nearly empty becomes smaller, too. */
static uint32_t cap_for(const union key_cell *s, uint32_t kept)
{
	uint32_t cap = s->head.cap;
	while (cap > FIRST_CAP && kept < cap / 8)
		cap /= 2;
	return cap;
}

static void rebuild_without(
    struct key_table *t, union key_cell *s, uint32_t kept, const struct ref_set *gone, size_t first)
{
	union key_cell *to = segment_new(t, cap_for(s, kept), s->head.depth);
	for (uint32_t i = 1; i < s->head.cap; i++) {
		const struct key_slot *slot = &s[i].slot;
		if (!slot->ref || ref_set_has(gone, slot->ref))
			continue;
		*segment_slot(to, slot->lo, slot->hi) = *slot;
		to->head.used++;
	}
	for (size_t i = 0; i < (size_t)1 << (t->depth - s->head.depth); i++)
		t->segments[first + i] = to;
	t->len -= s->head.used - to->head.used;
	segment_free(t, s);
}

size_t key_table_forget(struct key_table *t, size_t at, const struct ref_set *gone)
{
	if (!t->segments || at >> t->depth)
		return SIZE_MAX;
	union key_cell *s = t->segments[at];
	size_t span = (size_t)1 << (t->depth - s->head.depth), first = at / span * span;
	uint32_t kept = count_kept(s, gone);
	if (kept < s->head.used)
		rebuild_without(t, s, kept, gone, first);
	return (first + span) >> t->depth ? SIZE_MAX : first + span;
}
