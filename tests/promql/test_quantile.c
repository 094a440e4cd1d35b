#include "tests/lib/test.h"

#include "promql/quantile.h"
#include <math.h>
#include <string.h>

static void test_quantile(void **state)
{
	static const struct {
		const char *name;
		double q;
		size_t n;
		double v[5], want;
	} cases[] = {
	    {"median of odd", 0.5, 3, {3, 1, 2}, 2},
	    {"median of even", 0.5, 4, {4, 1, 3, 2}, 2.5},
	    {"lowest", 0, 3, {3, 1, 2}, 1},
	    {"highest", 1, 3, {3, 1, 2}, 3},
	    {"below", -0.1, 1, {1}, -INFINITY},
	    {"above", 1.1, 1, {1}, INFINITY},
	    {"one", 0.3, 1, {7}, 7},
	    {"NaN is the smallest", 0.5, 3, {NAN, 5, 1}, 1},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double v[5];
		memcpy(v, cases[i].v, sizeof(v));
		check_double(cases[i].name, quantile_of(cases[i].q, v, cases[i].n), cases[i].want);
	}
	check_true("nothing", isnan(quantile_of(0.5, NULL, 0)));
}

static void test_sort(void **state)
{
	struct test_random r;
	double v[100];
	(void)state;

	test_random_init(&r);
	for (int round = 0; round < 500; round++) {
		size_t n = test_random_below(&r, 100);
		for (size_t i = 0; i < n; i++)
			v[i] = test_random_below(&r, 9) ? (double)test_random_below(&r, 20) : (double)NAN;
		sort_doubles(v, n);
		for (size_t i = 1; i < n; i++)
			check_true("order", isnan(v[i - 1]) || v[i - 1] <= v[i]);
	}
}

TEST_MAIN("quantile", cmocka_unit_test(test_quantile), cmocka_unit_test(test_sort))
