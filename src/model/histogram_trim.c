/* The operators </ and >/: observations beyond a threshold are taken away, bucket by bucket. A bucket that the threshold
 * cuts keeps its share, by the same interpolation as quantiles; the sum is made anew from the middles of what is left.
 *
 * Buckets without an end cannot be shared out. The lowest custom bucket begins at 0 when its upper bound is above 0; else,
 * and for the highest, all or nothing is kept, as upstream decides it. */
#include "model/histogram.h"

#include <math.h>

/* What is left of a bucket. */
struct kept {
	double count, middle;
};

static double middle_of(double lower, double upper, bool linear)
{
	if (linear)
		return (lower + upper) / 2;
	return copysign(sqrt(lower * upper), upper);
}

/* The share of the bucket below v. */
static double share_below(const struct histogram_bucket *b, double v, bool linear)
{
	if (linear)
		return (v - b->lower) / (b->upper - b->lower);
	double lower = log2(fabs(b->lower)), upper = log2(fabs(b->upper)), at = log2(fabs(v));
	return v > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

static struct kept keep_below(const struct histogram_bucket *b, double v, bool linear)
{
	if (b->upper <= v)
		return (struct kept){b->count, middle_of(b->lower, b->upper, linear)};
	if (b->lower >= v)
		return (struct kept){0, 0};
	return (struct kept){b->count * share_below(b, v, linear), middle_of(b->lower, v, linear)};
}

static struct kept keep_above(const struct histogram_bucket *b, double v, bool linear)
{
	if (b->lower >= v)
		return (struct kept){b->count, middle_of(b->lower, b->upper, linear)};
	if (b->upper <= v)
		return (struct kept){0, 0};
	return (struct kept){b->count * (1 - share_below(b, v, linear)), middle_of(v, b->upper, linear)};
}

/* The bucket (-Inf, upper]. */
static struct kept keep_of_lowest(const struct histogram_bucket *b, double v, bool trim_upper)
{
	bool starts_at_zero = b->upper > 0 && b->upper < HUGE_VAL;
	struct histogram_bucket from_zero = {.lower = 0, .upper = b->upper, .count = b->count};
	double whole = b->upper == HUGE_VAL ? 0 : starts_at_zero ? b->upper / 2 : b->upper;
	if (trim_upper) {
		if (v >= b->upper)
			return (struct kept){b->count, whole};
		if (starts_at_zero)
			return keep_below(&from_zero, v, true);
		bool all = b->upper <= 0 && v > -HUGE_VAL;
		return all ? (struct kept){b->count, v} : (struct kept){0, 0};
	}
	if (v == -HUGE_VAL)
		return (struct kept){b->count, whole};
	return starts_at_zero && v >= 0 ? keep_above(&from_zero, v, true) : (struct kept){0, 0};
}

/* The bucket (lower, +Inf). */
static struct kept keep_of_highest(const struct histogram_bucket *b, double v, bool trim_upper)
{
	bool nothing = trim_upper ? v < HUGE_VAL : v == HUGE_VAL;
	if (nothing)
		return (struct kept){0, 0};
	return (struct kept){b->count, !trim_upper && v > b->lower ? v : b->lower};
}

static struct kept keep(const struct histogram_bucket *b, double v, bool trim_upper, bool linear)
{
	if (isnan(v))
		return (struct kept){0, 0};
	if (b->lower == -HUGE_VAL)
		return keep_of_lowest(b, v, trim_upper);
	if (b->upper == HUGE_VAL)
		return keep_of_highest(b, v, trim_upper);
	return trim_upper ? keep_below(b, v, linear) : keep_above(b, v, linear);
}

static bool any_counted(const double *counts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (counts[i] != 0)
			return true;
	return false;
}

/* The zero bucket, one-sided where the histogram is: buckets that are empty do not count. */
static struct kept keep_of_zero(
    const struct histogram *h, struct histogram_bucket b, double v, bool trim_upper)
{
	bool above = any_counted(h->pos, h->n_pos), below = any_counted(h->neg, h->n_neg);
	if (above && !below)
		b.lower = 0;
	else if (below && !above)
		b.upper = 0;
	return trim_upper ? keep_below(&b, v, true) : keep_above(&b, v, true);
}

struct histogram *histogram_trim(
    struct arena *a, const struct histogram *h, double threshold, bool trim_upper)
{
	struct histogram *to = histogram_copy(a, h);
	double *pos = ARENA_ARRAY(a, double, h->n_pos), *neg = ARENA_ARRAY(a, double, h->n_neg);
	double count = 0, sum = 0;
	bool any_trimmed = false;
	struct histogram_walk w;
	struct histogram_bucket b;
	histogram_walk_init(&w, h);
	uint32_t n_neg = h->n_neg, n_pos = 0;
	while (histogram_walk_next(&w, &b)) {
		bool is_zero = b.lower_inclusive && b.upper_inclusive && !histogram_is_custom(h);
		struct kept k = is_zero ? keep_of_zero(h, b, threshold, trim_upper)
					: keep(&b, threshold, trim_upper, histogram_is_custom(h));
		if (b.count == 0)
			k = (struct kept){0, 0};
		if (is_zero)
			to->zero_count = k.count;
		else if (n_neg > 0)
			neg[--n_neg] = k.count;
		else
			pos[n_pos++] = k.count;
		any_trimmed = any_trimmed || k.count != b.count;
		count += k.count;
		if (k.count != 0)
			sum += k.middle * k.count;
	}
	if (!any_trimmed)
		return to;
	to->pos = pos;
	to->neg = neg;
	to->count = count;
	to->sum = sum;
	return histogram_compact(a, to);
}
