#include "tsdb/tag_table.h"

#include "base/attr.h"
#include "base/xmalloc.h"
#include <string.h>

enum {
	FIRST_CAP = 16,
	MAX_CAP = 4096,
	MAX_DEPTH = 20, /* equal tags cannot be split: beyond this a segment grows instead */
};
#define REMOVED UINT32_MAX

struct tag_slot {
	uint32_t tag, value; /* value 0: free */
};

struct tag_segment {
	uint32_t used; /* slots that are not free, removed ones included */
	uint32_t cap;  /* a power of two */
	unsigned depth;
	struct tag_slot slots[];
};

static size_t segment_bytes(uint32_t cap)
{
	return sizeof(struct tag_segment) + cap * sizeof(struct tag_slot);
}

static struct tag_segment *segment_new(struct tag_table *t, uint32_t cap, unsigned depth)
{
	struct tag_segment *s = xcalloc(1, segment_bytes(cap));
	s->cap = cap;
	s->depth = depth;
	t->bytes += segment_bytes(cap);
	return s;
}

static void segment_free(struct tag_table *t, struct tag_segment *s)
{
	t->bytes -= segment_bytes(s->cap);
	free(s);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* The upper bits choose the segment, so the lower ones choose the slot. */
static size_t segment_index(unsigned depth, uint32_t tag)
{
	return depth ? tag >> (32 - depth) : 0;
}

static void segment_add(struct tag_segment *s, uint32_t tag, uint32_t value)
{
	uint32_t i = tag & (s->cap - 1);
	while (s->slots[i].value)
		i = (i + 1) & (s->cap - 1);
	s->slots[i] = (struct tag_slot){tag, value};
	s->used++;
}

void tag_table_done(struct tag_table *t)
{
	size_t n = t->segments ? (size_t)1 << t->depth : 0;
	for (size_t i = 0; i < n;) {
		struct tag_segment *s = t->segments[i];
		i += (size_t)1 << (t->depth - s->depth);
		segment_free(t, s);
	}
	free(t->segments);
	*t = (struct tag_table){0};
}

uint32_t tag_table_next(struct tag_walk *w)
{
	const struct tag_segment *s = w->segment;
	for (;;) {
		const struct tag_slot *slot = &s->slots[w->at];
		w->at = (w->at + 1) & (s->cap - 1);
		if (slot->value == 0)
			return 0;
		if (slot->tag == w->tag && slot->value != REMOVED)
			return slot->value;
	}
}

uint32_t tag_table_first(const struct tag_table *t, uint64_t hash, struct tag_walk *w)
{
	if (!t->segments)
		return 0;
	w->tag = tag_of(hash);
	w->segment = t->segments[segment_index(t->depth, w->tag)];
	w->at = w->tag & (w->segment->cap - 1);
	return tag_table_next(w);
}

void tag_table_prefetch(const struct tag_table *t, uint64_t hash)
{
	if (!t->segments)
		return;
	uint32_t tag = tag_of(hash);
	const struct tag_segment *s = t->segments[segment_index(t->depth, tag)];
	__builtin_prefetch(&s->slots[tag & (s->cap - 1)]);
}

/* --- growing --- */

static uint32_t live_slots(const struct tag_segment *s)
{
	uint32_t live = 0;
	for (uint32_t i = 0; i < s->cap; i++)
		live += s->slots[i].value && s->slots[i].value != REMOVED;
	return live;
}

/* Every directory entry of the segment with this tag points to `s` from now on. */
static void point_to(struct tag_table *t, uint32_t tag, struct tag_segment *s)
{
	size_t n = (size_t)1 << (t->depth - s->depth);
	size_t first = segment_index(s->depth, tag) * n;
	for (size_t i = 0; i < n; i++)
		t->segments[first + i] = s;
}

/* The same entries in a segment of `cap` slots. */
static void rebuild(struct tag_table *t, struct tag_segment *s, uint32_t tag, uint32_t cap)
{
	struct tag_segment *to = segment_new(t, cap, s->depth);
	for (uint32_t i = 0; i < s->cap; i++)
		if (s->slots[i].value && s->slots[i].value != REMOVED)
			segment_add(to, s->slots[i].tag, s->slots[i].value);
	point_to(t, tag, to);
	segment_free(t, s);
}

static void double_directory(struct tag_table *t)
{
	size_t n = (size_t)1 << t->depth;
	struct tag_segment **wider = xreallocarray(NULL, 2 * n, sizeof(struct tag_segment *));
	for (size_t i = 0; i < n; i++)
		wider[2 * i] = wider[2 * i + 1] = t->segments[i];
	free(t->segments);
	t->segments = wider;
	t->bytes += n * sizeof(struct tag_segment *);
	t->depth++;
}

static void split(struct tag_table *t, struct tag_segment *s, uint32_t tag)
{
	if (s->depth == t->depth)
		double_directory(t);
	unsigned depth = s->depth + 1;
	uint32_t bit = UINT32_C(1) << (32 - depth);
	struct tag_segment *half[2] = {segment_new(t, s->cap, depth), segment_new(t, s->cap, depth)};
	for (uint32_t i = 0; i < s->cap; i++)
		if (s->slots[i].value && s->slots[i].value != REMOVED)
			segment_add(half[(s->slots[i].tag & bit) != 0], s->slots[i].tag, s->slots[i].value);
	point_to(t, tag & ~bit, half[0]);
	point_to(t, tag | bit, half[1]);
	segment_free(t, s);
}

static void make_room(struct tag_table *t, struct tag_segment *s, uint32_t tag)
{
	if (live_slots(s) < s->cap / 2)
		rebuild(t, s, tag, s->cap);
	else if (s->cap < MAX_CAP || s->depth >= MAX_DEPTH)
		rebuild(t, s, tag, s->cap * 2);
	else
		split(t, s, tag);
}

void tag_table_add(struct tag_table *t, uint64_t hash, uint32_t value)
{
	uint32_t tag = tag_of(hash);
	if (!t->segments) {
		t->segments = xcalloc(1, sizeof(struct tag_segment *));
		t->bytes += sizeof(struct tag_segment *);
		t->segments[0] = segment_new(t, FIRST_CAP, 0);
	}
	struct tag_segment *s = t->segments[segment_index(t->depth, tag)];
	while (unlikely(s->used >= s->cap / 5 * 4)) {
		make_room(t, s, tag);
		s = t->segments[segment_index(t->depth, tag)];
	}
	segment_add(s, tag, value);
	t->len++;
}

void tag_table_remove(struct tag_table *t, uint64_t hash, uint32_t value)
{
	if (!t->segments)
		return;
	uint32_t tag = tag_of(hash);
	struct tag_segment *s = t->segments[segment_index(t->depth, tag)];
	for (uint32_t i = tag & (s->cap - 1); s->slots[i].value; i = (i + 1) & (s->cap - 1)) {
		if (s->slots[i].tag != tag || s->slots[i].value != value)
			continue;
		s->slots[i].value = REMOVED;
		t->len--;
		return;
	}
}
