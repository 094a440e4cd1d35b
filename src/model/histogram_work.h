/* Private to the histogram files: a histogram taken apart for arithmetic. Buckets are sorted lists of (index, count), and
 * every number carries the compensation of a Neumaier sum beside it, so that plain and compensated results come from one
 * piece of code: a single addition takes `s`, a long sum takes s + c. */
#pragma once

#include "model/histogram.h"

struct comp_sum {
	double s, c;
};

struct bucket_list {
	int32_t *index; /* ascending */
	struct comp_sum *count;
	size_t n, cap;
};

struct histogram_work {
	struct arena *arena;
	enum histogram_hint hint;
	int32_t schema;
	double zero_threshold;
	struct comp_sum zero, count, sum;
	struct bucket_list pos, neg;
	const double *custom;
	uint32_t n_custom;
};

void comp_add(struct comp_sum *s, double x);

/* Takes `h` apart; the lists' memory is reused when they have any. */
void histogram_work_load(struct histogram_work *w, const struct histogram *h);
/* The histogram again: value = f(s, c), which is one of the three below. Empty buckets stay. */
struct histogram *histogram_work_store(
    const struct histogram_work *w, struct arena *a, double (*value)(struct comp_sum s, double n), double n);
double comp_plain(struct comp_sum s, double n); /* s */
double comp_total(struct comp_sum s, double n); /* s + c */
double comp_mean(struct comp_sum s, double n);  /* s / n + c / n */

/* To a lower resolution. */
void histogram_work_reduce(struct histogram_work *w, int32_t schema);
/* Makes the zero bucket reach to `threshold`, and on to the end of the populated bucket that it would cut. */
void histogram_work_widen_zero(struct histogram_work *w, double threshold);
/* Merges the custom buckets into those of `bounds`, which are some of its own. */
void histogram_work_rebound(struct histogram_work *w, const double *bounds, uint32_t n);
/* The bounds both have; lives in the arena. */
const double *histogram_common_bounds(
    struct arena *a, const struct histogram_work *x, const struct histogram_work *y, uint32_t *n);
bool histogram_same_bounds(const double *x, uint32_t n_x, const double *y, uint32_t n_y);
