#include "promql/quantile.h"

#include <math.h>
#include <stdlib.h>

static int cmp_doubles(const void *pa, const void *pb)
{
	double a = *(const double *)pa, b = *(const double *)pb;

	if (isnan(a) || isnan(b))
		return isnan(b) - isnan(a);
	return (a > b) - (a < b);
}

void sort_doubles(double *v, size_t n)
{
	/* Windows are short as a rule: insertion needs no calls. NaN sorts first, and stays where it is. */
	if (n > 24) {
		qsort(v, n, sizeof(*v), cmp_doubles);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		double x = v[i];
		size_t j = i;
		for (; j > 0 && (x < v[j - 1] || (isnan(x) && !isnan(v[j - 1]))); j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

double quantile_of(double q, double *v, size_t n)
{
	if (n == 0 || isnan(q))
		return NAN;
	if (q < 0)
		return -INFINITY;
	if (q > 1)
		return INFINITY;
	sort_doubles(v, n);
	double rank = q * ((double)n - 1);
	double lower = fmax(0, floor(rank));
	double upper = fmin((double)n - 1, lower + 1);
	double weight = rank - floor(rank);
	return v[(size_t)lower] * (1 - weight) + v[(size_t)upper] * weight;
}
