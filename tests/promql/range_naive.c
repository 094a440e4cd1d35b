#include "tests/promql/range_naive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add(double x, double *sum, double *c)
{
	double t = *sum + x;

	if (isinf(t))
		*c = 0;
	else if (fabs(*sum) >= fabs(x))
		*c += (*sum - t) + x;
	else
		*c += (x - t) + *sum;
	*sum = t;
}

static bool naive_rate(enum function_id id, const int64_t *t, const double *v, size_t n, int64_t end_ms,
    int64_t range_ms, double *out)
{
	if (n < 2)
		return false;
	double delta = v[n - 1] - v[0];
	for (size_t i = 1; id != FN_DELTA && i < n; i++) {
		if (v[i] < v[i - 1])
			delta += v[i - 1];
	}
	double interval = (double)(t[n - 1] - t[0]) / 1000, average = interval / (double)(n - 1);
	double to_start = (double)(t[0] - (end_ms - range_ms)) / 1000,
	       to_end = (double)(end_ms - t[n - 1]) / 1000;
	if (to_start >= average * 1.1)
		to_start = average / 2;
	if (id != FN_DELTA && delta > 0 && v[0] >= 0) {
		double to_zero = interval * (v[0] / delta);
		if (to_zero < to_start)
			to_start = to_zero;
	}
	if (to_end >= average * 1.1)
		to_end = average / 2;
	double factor = (interval + to_start + to_end) / interval;
	if (id == FN_RATE)
		factor /= (double)range_ms / 1000;
	*out = delta * factor;
	return true;
}

static bool naive_irate(enum function_id id, const int64_t *t, const double *v, size_t n, double *out)
{
	if (n < 2)
		return false;
	double delta = v[n - 1] - v[n - 2];
	if (id == FN_IDELTA) {
		*out = delta;
		return true;
	}
	if (v[n - 1] < v[n - 2])
		delta = v[n - 1];
	*out = delta / ((double)(t[n - 1] - t[n - 2]) / 1000);
	return true;
}

static double naive_sum(const double *v, size_t n)
{
	double sum = 0, c = 0;

	for (size_t i = 0; i < n; i++)
		add(v[i], &sum, &c);
	return isinf(sum) ? sum : sum + c;
}

static double naive_avg(const double *v, size_t n)
{
	double sum = v[0], c = 0, mean = 0;
	bool incremental = false;

	for (size_t i = 1; i < n; i++) {
		double count = (double)(i + 1);
		if (!incremental) {
			double s = sum, k = c;
			add(v[i], &s, &k);
			if (!isinf(s)) {
				sum = s;
				c = k;
				continue;
			}
			incremental = true;
			mean = sum / (count - 1);
			c /= count - 1;
		}
		double q = (count - 1) / count;
		mean *= q;
		c *= q;
		add(v[i] / count, &mean, &c);
	}
	return incremental ? mean + c : sum / (double)n + c / (double)n;
}

static double naive_stdvar(const double *v, size_t n)
{
	double mean = 0, cm = 0, m2 = 0, c2 = 0;

	for (size_t i = 0; i < n; i++) {
		double d = v[i] - (mean + cm);
		add(d / (double)(i + 1), &mean, &cm);
		add(d * (v[i] - (mean + cm)), &m2, &c2);
	}
	return (m2 + c2) / (double)n;
}

static int cmp(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;
	if (isnan(a) || isnan(b))
		return isnan(b) - isnan(a);
	return (a > b) - (a < b);
}

static double naive_quantile(double q, const double *v, size_t n)
{
	double *s = malloc(n * sizeof(*s));

	memcpy(s, v, n * sizeof(*s));
	qsort(s, n, sizeof(*s), cmp);
	double rank = q * ((double)n - 1), lo = fmax(0, floor(rank)), hi = fmin((double)n - 1, lo + 1);
	double w = rank - floor(rank), out = s[(size_t)lo] * (1 - w) + s[(size_t)hi] * w;
	free(s);
	return out;
}

static double naive_extreme(const double *v, size_t n, bool max)
{
	double best = v[0];

	for (size_t i = 1; i < n; i++) {
		if (isnan(best) || (max ? v[i] > best : v[i] < best))
			best = v[i];
	}
	return best;
}

static double naive_count(enum function_id id, const double *v, size_t n)
{
	double found = 0;

	for (size_t i = 1; i < n; i++) {
		if (id == FN_RESETS)
			found += v[i] < v[i - 1];
		else
			found += v[i] != v[i - 1] && !(isnan(v[i]) && isnan(v[i - 1]));
	}
	return found;
}

bool range_naive(enum function_id id, const int64_t *t, const double *v, size_t n, int64_t end_ms,
    int64_t range_ms, double param, double *out)
{
	if (n == 0)
		return false;
	switch ((int)id) {
	case FN_RATE:
	case FN_INCREASE:
	case FN_DELTA:
		return naive_rate(id, t, v, n, end_ms, range_ms, out);
	case FN_IRATE:
	case FN_IDELTA:
		return naive_irate(id, t, v, n, out);
	case FN_SUM_OVER_TIME:
		*out = naive_sum(v, n);
		return true;
	case FN_AVG_OVER_TIME:
		*out = naive_avg(v, n);
		return true;
	case FN_STDVAR_OVER_TIME:
		*out = naive_stdvar(v, n);
		return true;
	case FN_STDDEV_OVER_TIME:
		*out = sqrt(naive_stdvar(v, n));
		return true;
	case FN_QUANTILE_OVER_TIME:
		*out = naive_quantile(param, v, n);
		return true;
	case FN_MAX_OVER_TIME:
	case FN_MIN_OVER_TIME:
		*out = naive_extreme(v, n, id == FN_MAX_OVER_TIME);
		return true;
	case FN_CHANGES:
	case FN_RESETS:
		*out = naive_count(id, v, n);
		return true;
	case FN_COUNT_OVER_TIME:
		*out = (double)n;
		return true;
	case FN_PRESENT_OVER_TIME:
		*out = 1;
		return true;
	case FN_LAST_OVER_TIME:
	case FN_FIRST_OVER_TIME:
		*out = v[id == FN_LAST_OVER_TIME ? n - 1 : 0];
		return true;
	default:
		return false;
	}
}
