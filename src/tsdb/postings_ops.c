/* Containers of one key meet pairwise. A short array is filtered member by member; everything else goes through bitmaps on
 * the stack: 8 KiB, a microsecond or two, and the result comes out in its smallest form. */
#include "tsdb/postings_ops.h"

#include "base/xmalloc.h"
#include "tsdb/postings_priv.h"
#include <assert.h>
#include <string.h>

enum set_op { OP_AND, OP_OR, OP_ANDNOT };

static void words_clear_range(uint64_t *words, uint32_t first, uint32_t end)
{
	while (first < end && (first & 63)) {
		words[first >> 6] &= ~(UINT64_C(1) << (first & 63));
		first++;
	}
	for (; first + 64 <= end; first += 64)
		words[first >> 6] = 0;
	for (; first < end; first++)
		words[first >> 6] &= ~(UINT64_C(1) << (first & 63));
}

/* words &= b. An array is filtered instead, and does not come here. */
static void words_and(uint64_t *words, const struct postings_container *b)
{
	uint32_t gap = 0;
	if (b->kind == CONTAINER_BITMAP) {
		for (size_t i = 0; i < BITMAP_WORDS; i++)
			words[i] &= b->bitmap[i];
		return;
	}
	for (uint32_t i = 0; i < b->len; gap = b->runs[i++].last + 1u)
		words_clear_range(words, gap, b->runs[i].first);
	words_clear_range(words, gap, CONTAINER_SPAN);
}

static void words_andnot(uint64_t *words, const struct postings_container *b)
{
	switch ((enum container_kind)b->kind) {
	case CONTAINER_ARRAY:
		for (uint32_t i = 0; i < b->len; i++)
			words[b->array[i] >> 6] &= ~(UINT64_C(1) << (b->array[i] & 63));
		break;
	case CONTAINER_RUNS:
		for (uint32_t i = 0; i < b->len; i++)
			words_clear_range(words, b->runs[i].first, b->runs[i].last + 1u);
		break;
	case CONTAINER_BITMAP:
		for (size_t i = 0; i < BITMAP_WORDS; i++)
			words[i] &= ~b->bitmap[i];
		break;
	}
}

/* Members of `from` that are (or, for `want` false, are not) in `other`. False: none. */
static bool filter_array(struct postings_container *out, const struct postings_container *from,
    const struct postings_container *other, bool want)
{
	uint16_t *kept = xreallocarray(NULL, from->len, sizeof(*kept));
	uint32_t n = 0;
	for (uint32_t i = 0; i < from->len; i++) {
		kept[n] = from->array[i];
		n += container_has(other, from->array[i]) == want;
	}
	*out = (struct postings_container){
	    .key = from->key, .kind = CONTAINER_ARRAY, .count = n, .len = n, .cap = from->len, .array = kept};
	if (n > 0)
		return true;
	container_done(out);
	return false;
}

static bool containers_combine(struct postings_container *out, const struct postings_container *a,
    const struct postings_container *b, enum set_op op)
{
	if (op != OP_OR && a->kind == CONTAINER_ARRAY)
		return filter_array(out, a, b, op == OP_AND);
	if (op == OP_AND && b->kind == CONTAINER_ARRAY)
		return filter_array(out, b, a, true);
	uint64_t words[BITMAP_WORDS] = {0};
	container_to_words(a, words);
	if (op == OP_AND)
		words_and(words, b);
	else if (op == OP_ANDNOT)
		words_andnot(words, b);
	else
		container_to_words(b, words);
	*out = (struct postings_container){.key = a->key};
	return container_from_words(out, words);
}

static void push_copy(struct postings *out, const struct postings_container *c)
{
	struct postings_container copy;
	container_copy(&copy, c);
	postings_push_container(out, &copy);
}

/* The merge of two lists of containers by key. */
static void combine(struct postings *a, const struct postings *b, enum set_op op)
{
	struct postings out = {0};
	struct container_view va, vb;
	uint32_t na = postings_containers(a), nb = postings_containers(b);
	for (uint32_t i = 0, k = 0; i < na || k < nb;) {
		if (i < na)
			postings_view(a, i, &va);
		if (k < nb)
			postings_view(b, k, &vb);
		bool take_a = i < na && (k == nb || va.c.key <= vb.c.key);
		bool take_b = k < nb && (i == na || vb.c.key <= va.c.key);
		struct postings_container c;
		if (take_a && take_b) {
			if (containers_combine(&c, &va.c, &vb.c, op))
				postings_push_container(&out, &c);
		} else if (take_a && op != OP_AND) {
			push_copy(&out, &va.c);
		} else if (take_b && op == OP_OR) {
			push_copy(&out, &vb.c);
		}
		i += take_a;
		k += take_b;
	}
	postings_done(a);
	*a = out;
}

static bool both_inline(const struct postings *a, const struct postings *b)
{
	return a->n == 0 && b->n == 0;
}

void postings_and(struct postings *a, const struct postings *b)
{
	if (a == b)
		return;
	if (postings_is_empty(a) || postings_is_empty(b)) {
		postings_done(a);
	} else if (both_inline(a, b)) {
		uint32_t first = a->run.first > b->run.first ? a->run.first : b->run.first;
		uint32_t last = a->run.last < b->run.last ? a->run.last : b->run.last;
		postings_done(a);
		if (first <= last)
			postings_add_range(a, first, last);
	} else {
		combine(a, b, OP_AND);
	}
}

void postings_or(struct postings *a, const struct postings *b)
{
	if (a == b || postings_is_empty(b))
		return;
	if (b->n == 0)
		postings_add_range(a, b->run.first, b->run.last);
	else
		combine(a, b, OP_OR);
}

void postings_andnot(struct postings *a, const struct postings *b)
{
	if (a == b) {
		postings_done(a);
		return;
	}
	if (!postings_is_empty(a) && !postings_is_empty(b))
		combine(a, b, OP_ANDNOT);
}

uint64_t postings_and_count(const struct postings *a, const struct postings *b)
{
	struct container_view va, vb;
	uint32_t na = postings_containers(a), nb = postings_containers(b);
	uint64_t n = 0;
	for (uint32_t i = 0, k = 0; i < na && k < nb;) {
		postings_view(a, i, &va);
		postings_view(b, k, &vb);
		if (va.c.key == vb.c.key) {
			struct postings_container c;
			if (containers_combine(&c, &va.c, &vb.c, OP_AND)) {
				n += c.count;
				container_done(&c);
			}
		}
		uint16_t ka = va.c.key, kb = vb.c.key;
		i += ka <= kb;
		k += kb <= ka;
	}
	return n;
}

static uint32_t largest_key(const struct postings *const *sets, size_t n)
{
	uint32_t key = 0;
	for (size_t i = 0; i < n; i++) {
		const struct postings *p = sets[i];
		uint32_t last = p->n > 0 ? p->c[p->n - 1].key : p->is_set ? p->run.last >> 16 : 0;
		key = last > key ? last : key;
	}
	return key;
}

/* One bitmap per key that occurs. */
void postings_or_many(struct postings *out, const struct postings *const *sets, size_t n)
{
	assert(postings_is_empty(out));
	if (n <= 4) {
		for (size_t i = 0; i < n; i++)
			postings_or(out, sets[i]);
		return;
	}
	uint32_t keys = largest_key(sets, n) + 1;
	uint64_t **words = xcalloc(keys, sizeof(*words));
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < postings_containers(sets[i]); k++) {
			struct container_view view;
			postings_view(sets[i], k, &view);
			if (!words[view.c.key])
				words[view.c.key] = xcalloc(BITMAP_WORDS, sizeof(uint64_t));
			container_to_words(&view.c, words[view.c.key]);
		}
	for (uint32_t key = 0; key < keys; key++) {
		struct postings_container c = {.key = (uint16_t)key};
		if (words[key] && container_from_words(&c, words[key]))
			postings_push_container(out, &c);
		free(words[key]);
	}
	free(words);
}
