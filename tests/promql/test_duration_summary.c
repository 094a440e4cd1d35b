/* Quantiles of random durations against sorting them. */
#include "tests/lib/test.h"

#include "promql/duration_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_NS (INT64_C(60) * 1000000000)

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void near_the_sorted_ones(void **state)
{
	enum { N = 20000 };
	struct duration_summary *d = calloc(1, sizeof(*d));
	int64_t *all = calloc(N, sizeof(*all));
	struct test_random r;
	(void)state;

	test_random_init(&r);
	for (size_t i = 0; i < N; i++) {
		all[i] = (int64_t)exp(test_random_unit(&r) * log(1e10)) + 1000;
		duration_summary_add(d, 5 * MINUTE_NS, all[i]);
	}
	qsort(all, N, sizeof(*all), by_size);
	for (double q = 0.01; q < 1; q += 0.01) {
		double want = (double)all[(size_t)ceil(q * N) - 1] / 1e9;
		double got = duration_summary_quantile(d, 5 * MINUTE_NS, q);
		check_true("within a bucket", fabs(got / want - 1) < 0.026);
	}
	check_int("count", d->count, N);
	free(all);
	free(d);
}

static void forgets_after_ten_minutes(void **state)
{
	struct duration_summary *d = calloc(1, sizeof(*d));
	(void)state;

	check_true("empty", isnan(duration_summary_quantile(d, 0, 0.5)));
	duration_summary_add(d, MINUTE_NS, 1000000000);
	duration_summary_add(d, 7 * MINUTE_NS, 1000000);
	check_true("both", duration_summary_quantile(d, 9 * MINUTE_NS, 0.99) > 0.9);
	check_true("one is old", duration_summary_quantile(d, 12 * MINUTE_NS, 0.99) < 0.0011);
	check_true("all are", isnan(duration_summary_quantile(d, 100 * MINUTE_NS, 0.99)));
	check_int("counted for ever", d->count, 2);
	check_int("0.01", d->histogram[0], 1);
	check_int("1", d->histogram[2], 2);
	duration_summary_add(d, 101 * MINUTE_NS, 0);
	duration_summary_add(d, 101 * MINUTE_NS, INT64_MAX);
	check_true("extremes", duration_summary_quantile(d, 101 * MINUTE_NS, 0.1) == 1e-6);
	free(d);
}

TEST_MAIN(
    "duration_summary", cmocka_unit_test(near_the_sorted_ones), cmocka_unit_test(forgets_after_ten_minutes))
