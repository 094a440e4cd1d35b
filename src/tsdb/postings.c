#include "tsdb/postings.h"

#include "base/attr.h"
#include "base/xmalloc.h"
#include "tsdb/postings_priv.h"
#include <assert.h>
#include <string.h>

/* --- containers ------------------------------------------------------------------------------------------------- */

void container_done(struct postings_container *c)
{
	free(c->mem);
	c->mem = NULL;
}

static size_t unit_bytes(enum container_kind kind)
{
	return kind == CONTAINER_RUNS    ? sizeof(struct run16)
	       : kind == CONTAINER_ARRAY ? sizeof(uint16_t)
					 : sizeof(uint64_t);
}

static uint32_t container_units(const struct postings_container *c)
{
	return c->kind == CONTAINER_BITMAP ? BITMAP_WORDS : c->len;
}

void container_copy(struct postings_container *dst, const struct postings_container *src)
{
	*dst = *src;
	dst->cap = container_units(src);
	dst->mem = xreallocarray(NULL, dst->cap, unit_bytes(src->kind));
	memcpy(dst->mem, src->mem, dst->cap * unit_bytes(src->kind));
}

static void container_room(struct postings_container *c)
{
	if (c->len < c->cap)
		return;
	c->cap = c->cap < 4 ? 4 : c->cap + c->cap / 2;
	c->mem = xreallocarray(c->mem, c->cap, unit_bytes(c->kind));
}

/* Index of the first array element >= x. */
static uint32_t array_find(const struct postings_container *c, uint16_t x)
{
	uint32_t lo = 0, hi = c->len;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (c->array[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Index of the first run that ends at x or behind it. */
static uint32_t runs_find(const struct postings_container *c, uint32_t x)
{
	uint32_t lo = 0, hi = c->len;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (c->runs[mid].last < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool container_has(const struct postings_container *c, uint16_t x)
{
	uint32_t i;
	switch ((enum container_kind)c->kind) {
	case CONTAINER_ARRAY:
		i = array_find(c, x);
		return i < c->len && c->array[i] == x;
	case CONTAINER_RUNS:
		i = runs_find(c, x);
		return i < c->len && c->runs[i].first <= x;
	case CONTAINER_BITMAP:
		return c->bitmap[x >> 6] >> (x & 63) & 1;
	}
	return false;
}

static void words_set_range(uint64_t *words, uint32_t first, uint32_t last)
{
	uint32_t a = first >> 6, b = last >> 6;
	uint64_t from = ~UINT64_C(0) << (first & 63), to = ~UINT64_C(0) >> (63 - (last & 63));
	if (a == b) {
		words[a] |= from & to;
		return;
	}
	words[a] |= from;
	for (uint32_t i = a + 1; i < b; i++)
		words[i] = ~UINT64_C(0);
	words[b] |= to;
}

void container_to_words(const struct postings_container *c, uint64_t *words)
{
	switch ((enum container_kind)c->kind) {
	case CONTAINER_ARRAY:
		for (uint32_t i = 0; i < c->len; i++)
			words[c->array[i] >> 6] |= UINT64_C(1) << (c->array[i] & 63);
		break;
	case CONTAINER_RUNS:
		for (uint32_t i = 0; i < c->len; i++)
			words_set_range(words, c->runs[i].first, c->runs[i].last);
		break;
	case CONTAINER_BITMAP:
		for (uint32_t i = 0; i < BITMAP_WORDS; i++)
			words[i] |= c->bitmap[i];
		break;
	}
}

static void words_count(const uint64_t *words, uint32_t *members, uint32_t *runs)
{
	uint32_t n = 0, starts = 0;
	uint64_t before = 0;
	for (uint32_t i = 0; i < BITMAP_WORDS; i++) {
		n += (uint32_t)__builtin_popcountll(words[i]);
		starts += (uint32_t)__builtin_popcountll(words[i] & ~(words[i] << 1 | before));
		before = words[i] >> 63;
	}
	*members = n;
	*runs = starts;
}

static void array_from_words(struct postings_container *c, const uint64_t *words)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < BITMAP_WORDS; i++)
		for (uint64_t w = words[i]; w; w &= w - 1)
			c->array[n++] = (uint16_t)(i * 64 + (uint32_t)__builtin_ctzll(w));
}

static void runs_from_words(struct postings_container *c, const uint64_t *words)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < BITMAP_WORDS; i++)
		for (uint64_t w = words[i]; w;) {
			uint32_t bit = (uint32_t)__builtin_ctzll(w);
			uint64_t rest = ~(w >> bit);
			uint32_t length = rest ? (uint32_t)__builtin_ctzll(rest) : 64;
			uint32_t first = i * 64 + bit, last = first + length - 1;
			if (n > 0 && c->runs[n - 1].last + 1u == first)
				c->runs[n - 1].last = (uint16_t)last;
			else
				c->runs[n++] = (struct run16){(uint16_t)first, (uint16_t)last};
			w = bit + length > 63 ? 0 : w >> (bit + length) << (bit + length);
		}
}

bool container_from_words(struct postings_container *c, const uint64_t *words)
{
	uint32_t members, runs;
	words_count(words, &members, &runs);
	if (members == 0)
		return false;
	c->count = members;
	if (runs * 2 <= members && runs <= ARRAY_MAX / 2) {
		c->kind = CONTAINER_RUNS;
		c->len = c->cap = runs;
	} else if (members <= ARRAY_MAX) {
		c->kind = CONTAINER_ARRAY;
		c->len = c->cap = members;
	} else {
		c->kind = CONTAINER_BITMAP;
		c->len = c->cap = BITMAP_WORDS;
	}
	c->mem = xreallocarray(NULL, c->cap, unit_bytes(c->kind));
	if (c->kind == CONTAINER_RUNS)
		runs_from_words(c, words);
	else if (c->kind == CONTAINER_ARRAY)
		array_from_words(c, words);
	else
		memcpy(c->bitmap, words, BITMAP_WORDS * sizeof(*words));
	return true;
}

/* Into the form that fits the members best; `as_bitmap`: into a bitmap, because more will come. */
static void container_rebuild(struct postings_container *c, bool as_bitmap)
{
	uint64_t words[BITMAP_WORDS] = {0};
	container_to_words(c, words);
	container_done(c);
	if (!as_bitmap) {
		container_from_words(c, words);
		return;
	}
	c->kind = CONTAINER_BITMAP;
	c->len = c->cap = BITMAP_WORDS;
	c->bitmap = xreallocarray(NULL, BITMAP_WORDS, sizeof(uint64_t));
	memcpy(c->bitmap, words, sizeof(words));
}

/* Runs of single members cost twice what an array does. */
static void runs_to_array(struct postings_container *c)
{
	uint16_t *array = xreallocarray(NULL, c->count + c->count / 2 + 4, sizeof(*array));
	uint32_t n = 0;
	for (uint32_t i = 0; i < c->len; i++)
		for (uint32_t x = c->runs[i].first; x <= c->runs[i].last; x++)
			array[n++] = (uint16_t)x;
	free(c->runs);
	c->kind = CONTAINER_ARRAY;
	c->array = array;
	c->cap = n + n / 2 + 4;
	c->len = n;
}

static void runs_insert(struct postings_container *c, uint32_t at, uint32_t first, uint32_t last)
{
	container_room(c);
	memmove(&c->runs[at + 1], &c->runs[at], (c->len - at) * sizeof(*c->runs));
	c->runs[at] = (struct run16){(uint16_t)first, (uint16_t)last};
	c->len++;
}

static void runs_drop(struct postings_container *c, uint32_t at, uint32_t n)
{
	memmove(&c->runs[at], &c->runs[at + n], (c->len - at - n) * sizeof(*c->runs));
	c->len -= n;
}

/* Joins [first, last] with every run that it overlaps or touches. */
static void runs_add(struct postings_container *c, uint32_t first, uint32_t last)
{
	uint32_t from = first ? runs_find(c, first - 1) : 0, to = from, lo = first, hi = last;
	for (; to < c->len && c->runs[to].first <= last + 1; to++) {
		uint32_t a = c->runs[to].first, b = c->runs[to].last;
		c->count -= b - a + 1;
		lo = a < lo ? a : lo;
		hi = b > hi ? b : hi;
	}
	c->count += hi - lo + 1;
	if (to == from) {
		runs_insert(c, from, lo, hi);
	} else {
		c->runs[from] = (struct run16){(uint16_t)lo, (uint16_t)hi};
		runs_drop(c, from + 1, to - from - 1);
	}
	if (c->len > 8 && c->len * 2 > c->count && c->count < ARRAY_MAX)
		runs_to_array(c);
	else if (c->len > ARRAY_MAX / 2)
		container_rebuild(c, true);
}

static void array_add(struct postings_container *c, uint16_t x)
{
	uint32_t i = c->len > 0 && c->array[c->len - 1] < x ? c->len : array_find(c, x);
	if (i < c->len && c->array[i] == x)
		return;
	container_room(c);
	memmove(&c->array[i + 1], &c->array[i], (c->len - i) * sizeof(*c->array));
	c->array[i] = x;
	c->len++;
	c->count++;
}

static void bitmap_add(struct postings_container *c, uint32_t first, uint32_t last)
{
	uint32_t n = 0;
	words_set_range(c->bitmap, first, last);
	for (uint32_t i = 0; i < BITMAP_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(c->bitmap[i]);
	c->count = n;
}

static void container_add_range(struct postings_container *c, uint32_t first, uint32_t last)
{
	if (c->kind == CONTAINER_ARRAY && c->count + (last - first + 1) > ARRAY_MAX)
		container_rebuild(c, true);
	if (c->kind == CONTAINER_RUNS)
		runs_add(c, first, last);
	else if (c->kind == CONTAINER_BITMAP)
		bitmap_add(c, first, last);
	else
		for (uint32_t x = first; x <= last; x++)
			array_add(c, (uint16_t)x);
}

static bool container_add(struct postings_container *c, uint16_t x)
{
	if (c->kind == CONTAINER_BITMAP) {
		uint64_t bit = UINT64_C(1) << (x & 63), old = c->bitmap[x >> 6];
		c->bitmap[x >> 6] = old | bit;
		c->count += !(old & bit);
		return !(old & bit);
	}
	uint32_t before = c->count;
	if (c->kind == CONTAINER_RUNS && c->runs[c->len - 1].last + 1u == x) {
		c->runs[c->len - 1].last = x;
		c->count++;
	} else if (!container_has(c, x)) {
		container_add_range(c, x, x);
	}
	return c->count != before;
}

static bool container_remove(struct postings_container *c, uint16_t x)
{
	if (!container_has(c, x))
		return false;
	c->count--;
	if (c->kind == CONTAINER_BITMAP) {
		c->bitmap[x >> 6] &= ~(UINT64_C(1) << (x & 63));
		return true;
	}
	if (c->kind == CONTAINER_ARRAY) {
		uint32_t i = array_find(c, x);
		memmove(&c->array[i], &c->array[i + 1], (--c->len - i) * sizeof(*c->array));
		return true;
	}
	uint32_t i = runs_find(c, x);
	struct run16 r = c->runs[i];
	if (r.first == r.last)
		runs_drop(c, i, 1);
	else if (r.first == x)
		c->runs[i].first++;
	else if (r.last == x)
		c->runs[i].last--;
	else {
		c->runs[i].last = (uint16_t)(x - 1);
		runs_insert(c, i + 1, x + 1u, r.last);
	}
	return true;
}

/* --- sets ------------------------------------------------------------------------------------------------------- */

static void drop_containers(struct postings *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		container_done(&p->c[i]);
	free(p->c);
}

void postings_done(struct postings *p)
{
	if (p->n > 0)
		drop_containers(p);
	memset(p, 0, sizeof(*p));
}

uint32_t postings_containers(const struct postings *p)
{
	if (p->n > 0 || !p->is_set)
		return p->n;
	return (p->run.last >> 16) - (p->run.first >> 16) + 1;
}

void postings_view(const struct postings *p, uint32_t i, struct container_view *view)
{
	if (p->n > 0) {
		view->c = p->c[i];
		return;
	}
	uint32_t key = (p->run.first >> 16) + i;
	uint32_t first = i == 0 ? p->run.first & 0xffff : 0;
	uint32_t last = key == p->run.last >> 16 ? p->run.last & 0xffff : 0xffff;
	view->run = (struct run16){(uint16_t)first, (uint16_t)last};
	view->c = (struct postings_container){.key = (uint16_t)key,
	    .kind = CONTAINER_RUNS,
	    .count = last - first + 1,
	    .len = 1,
	    .runs = &view->run};
}

/* The room of a list of n containers is the next power of two: nothing need be stored for it. */
static size_t containers_cap(uint32_t n)
{
	size_t cap = 1;
	while (cap < n)
		cap *= 2;
	return cap;
}

void postings_copy(struct postings *dst, const struct postings *src)
{
	if (dst == src)
		return;
	postings_done(dst);
	*dst = *src;
	if (src->n == 0)
		return;
	dst->c = xreallocarray(NULL, containers_cap(src->n), sizeof(*dst->c));
	for (uint32_t i = 0; i < src->n; i++)
		container_copy(&dst->c[i], &src->c[i]);
}

static void containers_room(struct postings *p)
{
	if (p->n == 0)
		p->c = xreallocarray(NULL, 1, sizeof(*p->c));
	else if ((p->n & (p->n - 1)) == 0)
		p->c = xreallocarray(p->c, 2 * (size_t)p->n, sizeof(*p->c));
}

void postings_push_container(struct postings *p, const struct postings_container *c)
{
	containers_room(p);
	p->c[p->n++] = *c;
}

void postings_spill(struct postings *p)
{
	if (p->n > 0 || !p->is_set)
		return;
	struct postings inline_set = *p;
	uint32_t n = postings_containers(p);
	memset(p, 0, sizeof(*p));
	for (uint32_t i = 0; i < n; i++) {
		struct container_view view;
		struct postings_container c;
		postings_view(&inline_set, i, &view);
		container_copy(&c, &view.c);
		postings_push_container(p, &c);
	}
}

/* Index of the first container with this key or a larger one. */
static uint32_t find_container(const struct postings *p, uint32_t key)
{
	if (p->n > 0 && p->c[p->n - 1].key <= key)
		return p->c[p->n - 1].key == key ? p->n - 1 : p->n;
	uint32_t lo = 0, hi = p->n;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (p->c[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A new container of one run at index i. */
static void insert_container(struct postings *p, uint32_t i, uint32_t key, uint32_t first, uint32_t last)
{
	containers_room(p);
	memmove(&p->c[i + 1], &p->c[i], (p->n - i) * sizeof(*p->c));
	struct postings_container *c = &p->c[i];
	*c = (struct postings_container){
	    .key = (uint16_t)key, .kind = CONTAINER_RUNS, .count = last - first + 1, .len = 1, .cap = 1};
	c->runs = xreallocarray(NULL, 1, sizeof(*c->runs));
	c->runs[0] = (struct run16){(uint16_t)first, (uint16_t)last};
	p->n++;
}

static void drop_container(struct postings *p, uint32_t i)
{
	container_done(&p->c[i]);
	memmove(&p->c[i], &p->c[i + 1], (p->n - i - 1) * sizeof(*p->c));
	if (--p->n == 0) {
		free(p->c);
		memset(p, 0, sizeof(*p));
	} else if ((p->n & (p->n - 1)) == 0) {
		p->c = xreallocarray(p->c, p->n, sizeof(*p->c));
	}
}

/* Joins [first, last] into the inline run; false when that does not make one run. */
static bool extend_inline(struct postings *p, uint32_t first, uint32_t last)
{
	if (p->n > 0)
		return false;
	if (!p->is_set) {
		p->is_set = 1;
		p->run.first = first;
		p->run.last = last;
		return true;
	}
	if ((last != UINT32_MAX && last + 1 < p->run.first) ||
	    (p->run.last != UINT32_MAX && first > p->run.last + 1))
		return false;
	p->run.first = first < p->run.first ? first : p->run.first;
	p->run.last = last > p->run.last ? last : p->run.last;
	return true;
}

bool postings_add(struct postings *p, uint32_t ref)
{
	if (p->n == 0) {
		if (p->is_set && ref >= p->run.first && ref <= p->run.last)
			return false;
		if (extend_inline(p, ref, ref))
			return true;
		postings_spill(p);
	}
	uint32_t key = ref >> 16, i = find_container(p, key);
	if (i < p->n && p->c[i].key == key)
		return container_add(&p->c[i], (uint16_t)ref);
	insert_container(p, i, key, ref & 0xffff, ref & 0xffff);
	return true;
}

void postings_add_range(struct postings *p, uint32_t first, uint32_t last)
{
	assert(first <= last);
	if (extend_inline(p, first, last))
		return;
	postings_spill(p);
	for (uint32_t key = first >> 16; key <= last >> 16; key++) {
		uint32_t a = key == first >> 16 ? first & 0xffff : 0,
			 b = key == last >> 16 ? last & 0xffff : 0xffff;
		uint32_t i = find_container(p, key);
		if (i < p->n && p->c[i].key == key)
			container_add_range(&p->c[i], a, b);
		else
			insert_container(p, i, key, a, b);
	}
}

static bool remove_inline(struct postings *p, uint32_t ref)
{
	if (!p->is_set || ref < p->run.first || ref > p->run.last)
		return false;
	if (p->run.first == p->run.last)
		memset(p, 0, sizeof(*p));
	else if (ref == p->run.first)
		p->run.first++;
	else if (ref == p->run.last)
		p->run.last--;
	else {
		postings_spill(p);
		return postings_remove(p, ref);
	}
	return true;
}

bool postings_remove(struct postings *p, uint32_t ref)
{
	if (p->n == 0)
		return remove_inline(p, ref);
	uint32_t i = find_container(p, ref >> 16);
	if (i == p->n || p->c[i].key != ref >> 16 || !container_remove(&p->c[i], (uint16_t)ref))
		return false;
	if (p->c[i].count == 0)
		drop_container(p, i);
	return true;
}

/* Whether the containers are one run of refs. */
static bool is_one_run(const struct postings *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct postings_container *c = &p->c[i];
		if (c->kind != CONTAINER_RUNS || c->len != 1)
			return false;
		if (i > 0 && (c->key != p->c[i - 1].key + 1 || c->runs[0].first != 0 ||
				 p->c[i - 1].runs[0].last != 0xffff))
			return false;
	}
	return p->n > 0;
}

void postings_compact(struct postings *p)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (p->c[i].kind != CONTAINER_RUNS || p->c[i].len > 1)
			container_rebuild(&p->c[i], false);
	if (!is_one_run(p))
		return;
	const struct postings_container *first = &p->c[0], *last = &p->c[p->n - 1];
	uint32_t a = (uint32_t)first->key << 16 | first->runs[0].first,
		 b = (uint32_t)last->key << 16 | last->runs[0].last;
	postings_done(p);
	postings_add_range(p, a, b);
}

bool postings_has(const struct postings *p, uint32_t ref)
{
	if (p->n == 0)
		return p->is_set && ref >= p->run.first && ref <= p->run.last;
	uint32_t i = find_container(p, ref >> 16);
	return i < p->n && p->c[i].key == ref >> 16 && container_has(&p->c[i], (uint16_t)ref);
}

bool postings_is_empty(const struct postings *p)
{
	return p->n == 0 && !p->is_set;
}

uint64_t postings_count(const struct postings *p)
{
	if (p->n == 0)
		return p->is_set ? (uint64_t)p->run.last - p->run.first + 1 : 0;
	uint64_t n = 0;
	for (uint32_t i = 0; i < p->n; i++)
		n += p->c[i].count;
	return n;
}

size_t postings_bytes(const struct postings *p)
{
	if (p->n == 0)
		return 0;
	size_t bytes = containers_cap(p->n) * sizeof(*p->c);
	for (uint32_t i = 0; i < p->n; i++)
		bytes += p->c[i].cap * unit_bytes(p->c[i].kind);
	return bytes;
}

/* --- walking ---------------------------------------------------------------------------------------------------- */

void postings_iter_init(struct postings_iter *it, const struct postings *p)
{
	*it = (struct postings_iter){.p = p};
}

static size_t next_of_runs(
    struct postings_iter *it, const struct postings_container *c, uint32_t *out, size_t cap)
{
	size_t n = 0;
	uint32_t base = (uint32_t)c->key << 16;
	while (it->pos < c->len && n < cap) {
		uint32_t x = c->runs[it->pos].first + it->in_run, last = c->runs[it->pos].last;
		while (x <= last && n < cap)
			out[n++] = base | x++;
		it->in_run = x - c->runs[it->pos].first;
		if (x > last) {
			it->pos++;
			it->in_run = 0;
		}
	}
	return n;
}

static size_t next_of_array(
    struct postings_iter *it, const struct postings_container *c, uint32_t *out, size_t cap)
{
	size_t n = 0;
	for (uint32_t base = (uint32_t)c->key << 16; it->pos < c->len && n < cap; it->pos++)
		out[n++] = base | c->array[it->pos];
	return n;
}

static size_t next_of_bitmap(
    struct postings_iter *it, const struct postings_container *c, uint32_t *out, size_t cap)
{
	size_t n = 0;
	uint32_t base = (uint32_t)c->key << 16;
	while (it->pos < CONTAINER_SPAN && n < cap) {
		uint64_t w = c->bitmap[it->pos >> 6] >> (it->pos & 63);
		if (w == 0) {
			it->pos = (it->pos | 63) + 1;
			continue;
		}
		it->pos += (uint32_t)__builtin_ctzll(w);
		out[n++] = base | it->pos++;
	}
	return n;
}

size_t postings_iter_next(struct postings_iter *it, uint32_t *out, size_t cap)
{
	size_t n = 0;
	uint32_t containers = postings_containers(it->p);
	while (n < cap && it->container < containers) {
		struct container_view view;
		postings_view(it->p, it->container, &view);
		const struct postings_container *c = &view.c;
		n += c->kind == CONTAINER_RUNS    ? next_of_runs(it, c, out + n, cap - n)
		     : c->kind == CONTAINER_ARRAY ? next_of_array(it, c, out + n, cap - n)
						  : next_of_bitmap(it, c, out + n, cap - n);
		if (n < cap) {
			it->container++;
			it->pos = it->in_run = 0;
		}
	}
	return n;
}

void postings_to_array(const struct postings *p, uint32_t *out)
{
	struct postings_iter it;
	postings_iter_init(&it, p);
	postings_iter_next(&it, out, SIZE_MAX);
}

bool postings_eq(const struct postings *a, const struct postings *b)
{
	uint64_t n = postings_count(a);
	if (n != postings_count(b))
		return false;
	struct postings_iter ia, ib;
	uint32_t ra[256], rb[256];
	postings_iter_init(&ia, a);
	postings_iter_init(&ib, b);
	for (size_t got; (got = postings_iter_next(&ia, ra, ARRAY_LEN(ra))) > 0;)
		if (postings_iter_next(&ib, rb, ARRAY_LEN(rb)) != got ||
		    memcmp(ra, rb, got * sizeof(*ra)) != 0)
			return false;
	return true;
}
