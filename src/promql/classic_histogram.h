/* Quantiles and fractions of classic histograms: cumulative buckets that are series of their own. Pure; thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct classic_bucket {
	double upper; /* the value of the label le */
	double count; /* of observations up to it */
};

/* What had to be put right because counts fell from a bucket to the next. */
struct classic_fix {
	bool forced;
	double min_bucket, max_bucket; /* bounds of the first and the last that fell */
	double max_diff;
};

/* The q-quantile of n buckets in the order of their bounds, which it may change. `fix` is widened, not begun anew. */
double classic_quantile(double q, struct classic_bucket *b, size_t n, struct classic_fix *fix);
/* The share of the observations between lower and upper. */
double classic_fraction(double lower, double upper, struct classic_bucket *b, size_t n);
