/* The builder keeps its labels sorted at all times: sets have a dozen labels, so that shifting an array is
 * cheaper than any bookkeeping of additions and deletions. */
#include "model/label_builder.h"

#include <string.h>

enum { FIRST_ROOM = 24 };

static void reserve(struct label_builder *b, size_t n)
{
	if (n <= b->cap)
		return;
	size_t cap = b->cap * 2 > n ? b->cap * 2 : n;
	if (cap < FIRST_ROOM)
		cap = FIRST_ROOM;
	struct label *l = (struct label *)arena_alloc(b->arena, cap * sizeof(*l));
	if (b->n > 0)
		memcpy(l, b->l, b->n * sizeof(*l));
	b->l = l;
	b->cap = cap;
}

void label_builder_init(struct label_builder *b, struct arena *arena, const struct labels *base)
{
	*b = (struct label_builder){.arena = arena};
	label_builder_reset(b, base);
}

void label_builder_reset(struct label_builder *b, const struct labels *base)
{
	b->n = 0;
	if (!base || base->n == 0)
		return;
	reserve(b, base->n);
	memcpy(b->l, base->l, base->n * sizeof(b->l[0]));
	b->n = base->n;
}

/* Where `name` stands or would stand. */
static size_t place(const struct label_builder *b, struct slice name, bool *found)
{
	size_t i = 0;
	int c = 1;
	while (i < b->n && (c = slice_cmp(b->l[i].name, name)) < 0)
		i++;
	*found = i < b->n && c == 0;
	return i;
}

static void set(struct label_builder *b, struct slice name, struct slice value, bool copied)
{
	bool found;
	size_t i = place(b, name, &found);
	if (!found) {
		reserve(b, b->n + 1);
		memmove(&b->l[i + 1], &b->l[i], (b->n - i) * sizeof(b->l[0]));
		b->n++;
		b->l[i].name = copied ? arena_slice(b->arena, name) : name;
	}
	b->l[i].value = copied ? arena_slice(b->arena, value) : value;
}

void label_builder_set(struct label_builder *b, struct slice name, struct slice value)
{
	if (value.len == 0)
		label_builder_del(b, name);
	else
		set(b, name, value, false);
}

void label_builder_set_copy(struct label_builder *b, struct slice name, struct slice value)
{
	if (value.len == 0)
		label_builder_del(b, name);
	else
		set(b, name, value, true);
}

void label_builder_del(struct label_builder *b, struct slice name)
{
	bool found;
	size_t i = place(b, name, &found);
	if (!found)
		return;
	memmove(&b->l[i], &b->l[i + 1], (b->n - i - 1) * sizeof(b->l[0]));
	b->n--;
}

struct slice label_builder_get(const struct label_builder *b, struct slice name)
{
	bool found;
	size_t i = place(b, name, &found);
	return found ? b->l[i].value : SL_EMPTY;
}

const struct labels *label_builder_labels(struct label_builder *b)
{
	return labels_from_sorted(b->arena, b->l, b->n);
}
