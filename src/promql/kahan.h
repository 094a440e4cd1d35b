/* Compensated summation (Neumaier's variant of Kahan's), step by step as Prometheus does it, so that sums agree to the last
 * bit. Needs a compiler that neither contracts a*b+c nor reorders: see the flags in configure.ac. */
#pragma once

#include <math.h>

struct kahan {
	double sum, c; /* the value is sum + c */
};

static inline void kahan_add(struct kahan *k, double x)
{
	double t = k->sum + x;

	if (isinf(t))
		k->c = 0;
	else if (fabs(k->sum) >= fabs(x))
		k->c += (k->sum - t) + x;
	else
		k->c += (x - t) + k->sum;
	k->sum = t;
}

static inline double kahan_value(const struct kahan *k)
{
	return k->sum + k->c;
}

/* Means of histograms are computed from sums of histograms made smaller by this power of two, which changes no digit, so that
 * the sum cannot overflow before the mean does. */
#define HISTOGRAM_MEAN_SCALE 0x1p-32
