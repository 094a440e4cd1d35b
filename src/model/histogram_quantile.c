/* What can be estimated from buckets: quantiles, fractions, the variance. Inside a bucket observations are taken to lie
 * evenly: on a linear scale in custom buckets and in the zero bucket, on a logarithmic one in exponential buckets.
 * Results follow upstream's to the last digits, hence the order of every operation below. */
#include "model/histogram_work.h"

#include <math.h>

/* The zero bucket reaches to the side that has buckets only. */
static void one_sided_zero(const struct histogram *h, struct histogram_bucket *b)
{
	if (h->n_neg == 0 && h->n_pos > 0)
		b->lower = 0;
	else if (h->n_pos == 0 && h->n_neg > 0)
		b->upper = 0;
}

static double inside_log(const struct histogram_bucket *b, double fraction)
{
	double lower = log2(fabs(b->lower)), upper = log2(fabs(b->upper));
	if (b->lower > 0)
		return exp2(lower + (upper - lower) * fraction);
	return -exp2(upper + (lower - upper) * (1 - fraction));
}

/* The bucket the rank falls into, coming from one end, and the counts up to and with it. */
static double find_bucket(const struct histogram *h, bool from_below, double rank, struct histogram_bucket *b)
{
	struct histogram_walk w;
	if (from_below)
		histogram_walk_init(&w, h);
	else
		histogram_walk_init_reverse(&w, h);
	double count = 0;
	struct histogram_bucket next;
	while (from_below ? histogram_walk_next(&w, &next) : histogram_walk_prev(&w, &next)) {
		if (next.count == 0)
			continue;
		*b = next;
		count += b->count;
		if (count >= rank)
			break;
	}
	return count;
}

double histogram_quantile(const struct histogram *h, double q)
{
	if (q < 0)
		return -HUGE_VAL;
	if (q > 1)
		return HUGE_VAL;
	if (h->count == 0 || isnan(q))
		return nan("");
	/* NaN observations are in the count but in no bucket: from above, the rank would be off. */
	bool from_below = isnan(h->sum) || q < 0.5;
	double rank = (from_below ? q : 1 - q) * h->count;
	struct histogram_bucket b = {0};
	double count = find_bucket(h, from_below, rank, &b);
	bool custom = histogram_is_custom(h);
	if (!custom && b.lower < 0 && b.upper > 0) {
		one_sided_zero(h, &b);
	} else if (custom && b.lower == -HUGE_VAL) {
		if (b.upper <= 0)
			return b.upper;
		b.lower = 0;
	} else if (custom && b.upper == HUGE_VAL) {
		return b.lower;
	}
	if (count > h->count) /* rounding */
		count = h->count;
	if (count < rank)
		return isnan(h->sum) ? nan("") : b.upper;
	rank = from_below ? rank - (count - b.count) : count - rank;
	double fraction = rank / b.count;
	if (custom || (b.lower <= 0 && b.upper >= 0))
		return b.lower + (b.upper - b.lower) * fraction;
	return inside_log(&b, fraction);
}

/* --- fractions --------------------------------------------------------------------------------------------------------------- */

/* How much of the bucket lies below v, which is inside of it. */
static double part_below(const struct histogram_bucket *b, double v, bool linear)
{
	if (b->lower == -HUGE_VAL)
		return 1;
	if (linear)
		return (v - b->lower) / (b->upper - b->lower);
	double lower = log2(fabs(b->lower)), upper = log2(fabs(b->upper)), at = log2(fabs(v));
	return v > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

/* Observations at or below v. */
static double rank_of(const struct histogram *h, double v, double total)
{
	struct histogram_walk w;
	struct histogram_bucket b;
	double rank = 0;
	histogram_walk_init(&w, h);
	while (histogram_walk_next(&w, &b)) {
		bool linear = histogram_is_custom(h) || (b.lower <= 0 && b.upper >= 0);
		if (!histogram_is_custom(h) && linear)
			one_sided_zero(h, &b);
		if (histogram_is_custom(h) && b.lower == -HUGE_VAL && b.upper >= 0)
			b.lower = 0;
		if (b.lower >= v)
			return fmin(rank, total);
		if (b.upper > v)
			return fmin(rank + b.count * part_below(&b, v, linear), total);
		rank += b.count;
	}
	/* Behind the last bucket the rank is the whole. */
	return total;
}

static double counted(const struct histogram *h)
{
	struct histogram_walk w;
	struct histogram_bucket b;
	double n = 0;
	histogram_walk_init(&w, h);
	while (histogram_walk_next(&w, &b))
		n += b.count;
	return n;
}

double histogram_fraction(const struct histogram *h, double lower, double upper)
{
	if (h->count == 0 || isnan(lower) || isnan(upper))
		return nan("");
	if (lower >= upper)
		return 0;
	/* Observations that are NaN are in no bucket, and in no fraction but below the line. */
	double total = isnan(h->sum) ? counted(h) : h->count;
	double upper_rank = upper == HUGE_VAL ? total : rank_of(h, upper, total);
	double lower_rank = lower == -HUGE_VAL ? 0 : rank_of(h, lower, total);
	return (upper_rank - lower_rank) / h->count;
}

double histogram_stdvar(const struct histogram *h)
{
	double mean = h->sum / h->count;
	struct comp_sum variance = {0};
	struct histogram_walk w;
	struct histogram_bucket b;
	histogram_walk_init(&w, h);
	while (histogram_walk_next(&w, &b)) {
		if (b.count == 0)
			continue;
		double middle;
		if (histogram_is_custom(h))
			middle = (b.upper + b.lower) / 2;
		else if (b.lower <= 0 && b.upper >= 0)
			middle = 0;
		else
			middle = copysign(sqrt(b.upper * b.lower), b.upper);
		double delta = middle - mean;
		comp_add(&variance, b.count * delta * delta);
	}
	return (variance.s + variance.c) / h->count;
}
