#include "promql/classic_histogram.h"

#include <float.h>
#include <math.h>

/* Differences below this share of the sum are errors of rounding, not of monotonicity. */
static const double small_difference = 1e-12;

/* Buckets with equal bounds ("1" and "1.0") become one. Returns how many are left. */
static size_t coalesce(struct classic_bucket *b, size_t n)
{
	size_t last = 0;

	for (size_t i = 1; i < n; i++) {
		if (b[i].upper == b[last].upper)
			b[last].count += b[i].count;
		else
			b[++last] = b[i];
	}
	return n ? last + 1 : 0;
}

static bool nearly_equal(double a, double b)
{
	if ((isnan(a) && isnan(b)) || a == b)
		return true;
	double sum = fabs(a) + fabs(b), diff = fabs(a - b);
	if (a == 0 || b == 0 || sum < DBL_MIN)
		return diff < small_difference * DBL_MIN;
	return diff / fmin(sum, DBL_MAX) < small_difference;
}

static void note_fall(struct classic_fix *fix, double upper, double diff)
{
	if (!fix->forced || upper < fix->min_bucket)
		fix->min_bucket = upper;
	if (!fix->forced || upper > fix->max_bucket)
		fix->max_bucket = upper;
	if (!fix->forced || diff > fix->max_diff)
		fix->max_diff = diff;
	fix->forced = true;
}

/* Counts must not fall from bucket to bucket; scrapes that raced with observations make them. */
static void make_monotonic(struct classic_bucket *b, size_t n, struct classic_fix *fix)
{
	double prev = b[0].count;

	for (size_t i = 1; i < n; i++) {
		double count = b[i].count;
		if (count == prev)
			continue;
		if (nearly_equal(prev, count)) {
			b[i].count = prev;
			continue;
		}
		if (count < prev) {
			note_fall(fix, b[i].upper, prev - count);
			b[i].count = prev;
			continue;
		}
		prev = count;
	}
}

/* The first of the first n - 1 buckets whose count reaches the rank, or the last. */
static size_t find_bucket(const struct classic_bucket *b, size_t n, double rank)
{
	size_t lo = 0, hi = n - 1;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (b[mid].count >= rank)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

double classic_quantile(double q, struct classic_bucket *b, size_t n, struct classic_fix *fix)
{
	if (isnan(q))
		return NAN;
	if (q < 0)
		return -INFINITY;
	if (q > 1)
		return INFINITY;
	if (n == 0 || b[n - 1].upper != HUGE_VAL)
		return NAN;
	n = coalesce(b, n);
	make_monotonic(b, n, fix);
	if (n < 2)
		return NAN;
	double total = b[n - 1].count;
	if (total == 0)
		return NAN;
	double rank = q * total;
	size_t at = find_bucket(b, n, rank);
	if (at == n - 1)
		return b[n - 2].upper;
	if (at == 0 && b[0].upper <= 0)
		return b[0].upper;
	double start = 0, end = b[at].upper, count = b[at].count;
	if (at > 0) {
		start = b[at - 1].upper;
		count -= b[at - 1].count;
		rank -= b[at - 1].count;
	}
	return start + (end - start) * (rank / count);
}

/* How many observations lie below v, linear within buckets. Where counts fall from bucket to bucket, more than there are. */
static double rank_at(const struct classic_bucket *b, size_t n, double v)
{
	double below = 0;

	for (size_t i = 0; i < n; i++) {
		double lower = i > 0 ? b[i - 1].upper : b[0].upper > 0 ? 0 : -HUGE_VAL;
		if (lower >= v)
			return below;
		if (b[i].upper > v) {
			/* Within a bucket that has no lower end there is nothing to interpolate. */
			return isinf(lower)
				   ? b[i].count
				   : below + (b[i].count - below) * (v - lower) / (b[i].upper - lower);
		}
		below = b[i].count;
	}
	return b[n - 1].count;
}

double classic_fraction(double lower, double upper, struct classic_bucket *b, size_t n)
{
	if (n == 0 || b[n - 1].upper != HUGE_VAL)
		return NAN;
	n = coalesce(b, n);
	double total = b[n - 1].count;
	if (total == 0 || isnan(lower) || isnan(upper))
		return NAN;
	if (lower >= upper)
		return 0;
	double from = rank_at(b, n, lower), to = rank_at(b, n, upper);
	return ((to > total ? total : to) - (from > total ? total : from)) / total;
}
