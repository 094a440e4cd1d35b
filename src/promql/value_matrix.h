/* Values of many series over many steps: the shape in which the evaluator computes.
 *
 *            step 0   1   2  ...            A grid is the times of the steps. A tile is some rows (series) by all steps:
 *   row 0  [  1.5  1.5  -   2.0 ]           values row after row, beside them one bit per value that says whether there is
 *   row 1  [   -    -  7.0   -  ]           one. NaN is a value like any other; absence is the bit's business alone.
 *
 * A value may be a native histogram: then h (which is NULL while a tile has none) points to it, and v means nothing. A tile
 * belongs to one thread. */
#pragma once

#include "base/arena.h"
#include "model/histogram.h"
#include <stdbool.h>
#include <stdint.h>

struct grid {
	int64_t start_ms, step_ms;
	uint32_t n; /* steps, at least 1 */
};

static inline int64_t grid_time_ms(const struct grid *g, uint32_t k)
{
	return g->start_ms + (int64_t)k * g->step_ms;
}

struct tile {
	uint32_t rows, steps;
	uint32_t words; /* of presence bits per row */
	double *v;
	uint64_t *present; /* bits past the last step are 0 */
	const struct histogram **h;
	uint32_t cap;        /* rows there is room for */
	struct arena *arena; /* of h and of the histograms that are made for this tile */
};

/* A row of a tile. */
struct row {
	double *v;
	uint64_t *present;
	const struct histogram **h; /* NULL: no histogram in the whole tile */
};

/* Memory for `cap` rows from `arena`, nothing present; false when the budget is passed. */
MUST_CHECK bool tile_init(struct tile *t, struct arena *arena, size_t cap, uint32_t steps);
/* The tile is to be filled anew with `rows` rows: nothing is present, no histogram. */
void tile_begin(struct tile *t, uint32_t rows);
/* Room for histograms, all NULL; does nothing when there is. */
void tile_want_histograms(struct tile *t);

static inline struct row tile_row(const struct tile *t, uint32_t r)
{
	size_t at = (size_t)r * t->steps;
	return (struct row){t->v + at, t->present + (size_t)r * t->words, t->h ? t->h + at : NULL};
}

static inline uint32_t bit_words(uint32_t bits)
{
	return (bits + 63) / 64;
}

static inline bool bit_get(const uint64_t *words, uint32_t i)
{
	return words[i / 64] >> (i % 64) & 1;
}

static inline void bit_set(uint64_t *words, uint32_t i)
{
	words[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bit_clear(uint64_t *words, uint32_t i)
{
	words[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* The first n bits set, the rest of the last word clear. */
void bits_fill(uint64_t *words, uint32_t n);
uint32_t bits_count(const uint64_t *words, uint32_t n_words);
bool bits_any(const uint64_t *words, uint32_t n_words);
bool bits_overlap(const uint64_t *a, const uint64_t *b, uint32_t n_words);

/* for (each set bit k): BITS_EACH(k, words, n_words) { ... } */
#define BITS_EACH(k, words, n_words)                                                                         \
	for (uint32_t k##_w = 0; k##_w < (n_words); k##_w++)                                                 \
		for (uint64_t k##_bits = (words)[k##_w]; k##_bits; k##_bits &= k##_bits - 1)                 \
			for (uint32_t k = k##_w * 64 + (uint32_t)__builtin_ctzll(k##_bits), k##_once = 1;    \
			     k##_once; k##_once = 0)

/* Copies the present values of one row over those of another (the same steps). `to` may get histograms. */
void tile_copy_row(struct tile *to, uint32_t to_row, const struct tile *from, uint32_t from_row);
