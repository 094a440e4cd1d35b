#include "promql/value_matrix.h"
#include "base/by_cpu.h"

#include <string.h>

bool tile_init(struct tile *t, struct arena *arena, size_t cap, uint32_t steps)
{
	uint32_t words = bit_words(steps);

	*t = (struct tile){.steps = steps, .words = words, .cap = (uint32_t)cap, .arena = arena};
	if (cap > UINT32_MAX)
		return false;
	t->v = arena_try_alloc(arena, cap, (size_t)steps * sizeof(*t->v));
	t->present = arena_try_alloc(arena, cap, words * sizeof(*t->present));
	if (t->v == NULL || t->present == NULL)
		return false;
	tile_begin(t, (uint32_t)cap);
	return true;
}

void tile_begin(struct tile *t, uint32_t rows)
{
	t->rows = rows;
	t->h = NULL;
	memset(t->present, 0, (size_t)rows * t->words * sizeof(*t->present));
}

void tile_want_histograms(struct tile *t)
{
	if (t->h == NULL)
		t->h = ARENA_ARRAY(t->arena, const struct histogram *, (size_t)t->cap * t->steps);
}

void bits_fill(uint64_t *words, uint32_t n)
{
	memset(words, 0xff, n / 64 * sizeof(*words));
	if (n % 64)
		words[n / 64] = (UINT64_C(1) << (n % 64)) - 1;
}

BY_CPU uint32_t bits_count(const uint64_t *words, uint32_t n_words)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_words; i++)
		n += (uint32_t)__builtin_popcountll(words[i]);
	return n;
}

bool bits_any(const uint64_t *words, uint32_t n_words)
{
	for (uint32_t i = 0; i < n_words; i++) {
		if (words[i])
			return true;
	}
	return false;
}

bool bits_overlap(const uint64_t *a, const uint64_t *b, uint32_t n_words)
{
	for (uint32_t i = 0; i < n_words; i++) {
		if (a[i] & b[i])
			return true;
	}
	return false;
}

void tile_copy_row(struct tile *to, uint32_t to_row, const struct tile *from, uint32_t from_row)
{
	if (from->h)
		tile_want_histograms(to);
	struct row src = tile_row(from, from_row), dst = tile_row(to, to_row);

	BITS_EACH(k, src.present, from->words)
	{
		dst.v[k] = src.v[k];
		if (dst.h)
			dst.h[k] = src.h ? src.h[k] : NULL;
	}
	for (uint32_t i = 0; i < from->words; i++)
		dst.present[i] |= src.present[i];
}
