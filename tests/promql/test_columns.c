#include "tests/lib/test.h"

#include "model/stale_marker.h"
#include "promql/columns.h"
#include "promql/kahan.h"

static void test_scans(void **state)
{
	struct test_random r;
	double v[200];
	(void)state;

	test_random_init(&r);
	for (int round = 0; round < 1000; round++) {
		size_t n = test_random_below(&r, 200);
		bool stale = false, falls = false;
		for (size_t i = 0; i < n; i++) {
			v[i] = (double)i;
			if (test_random_below(&r, 300) == 0)
				v[i] = double_from_bits(STALE_NAN_BITS);
			else if (test_random_below(&r, 300) == 0)
				v[i] = NAN;
			else if (test_random_below(&r, 300) == 0)
				v[i] = 0;
			stale |= is_stale(v[i]);
			falls |= i > 0 && v[i] < v[i - 1];
		}
		check_int("both", column_scan(v, n), (stale ? COLUMN_STALE : 0) | (falls ? COLUMN_FALLS : 0));
		check_int("falls", column_has_falls(v, n), falls);
	}
}

static void test_sums(void **state)
{
	static const double odd[] = {INFINITY, -INFINITY, NAN, 1e308, -1e308, 1e16, -1e16, 0, -0.0};
	double sum[COLUMN_BLOCK] = {0}, c[COLUMN_BLOCK] = {0}, v[COLUMN_BLOCK];
	struct kahan want[COLUMN_BLOCK] = {{0, 0}};
	struct test_random r;
	(void)state;

	test_random_init(&r);
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < COLUMN_BLOCK; i++) {
			v[i] = test_random_below(&r, 40) ? test_random_unit(&r) * 1e6
							 : odd[test_random_below(&r, ARRAY_LEN(odd))];
			kahan_add(&want[i], v[i]);
		}
		column_add_block(sum, c, v);
	}
	for (size_t i = 0; i < COLUMN_BLOCK; i++) {
		double got = sum[i] + c[i];
		if (!(isnan(got) && isnan(kahan_value(&want[i]))))
			check_double("sum", got, kahan_value(&want[i]));
	}
}

TEST_MAIN("columns", cmocka_unit_test(test_scans), cmocka_unit_test(test_sums))
