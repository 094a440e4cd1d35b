#include "tests/lib/test.h"

#include "promql/classic_histogram.h"
#include <math.h>
#include <string.h>

static const struct {
	const char *name;
	struct classic_bucket b[4];
	size_t n;
	double q, want, fraction_below_1;
} cases[] = {
    {"linear", {{1, 5}, {2, 10}, {HUGE_VAL, 10}}, 3, 0.75, 1.5, 0.5},
    {"from zero", {{1, 5}, {2, 10}, {HUGE_VAL, 10}}, 3, 0.25, 0.5, 0.5},
    {"in the last", {{1, 5}, {HUGE_VAL, 10}}, 2, 0.9, 1, 0.5},
    {"first bound not positive", {{-1, 5}, {2, 10}, {HUGE_VAL, 10}}, 3, 0.2, -1, 0.33333333333333337},
    {"no observations", {{1, 0}, {HUGE_VAL, 0}}, 2, 0.5, NAN, NAN},
    {"no +Inf", {{1, 5}, {2, 10}}, 2, 0.5, NAN, NAN},
    {"one bucket", {{HUGE_VAL, 5}}, 1, 0.5, NAN, 0},
    {"equal bounds", {{1, 2}, {1, 3}, {2, 10}, {HUGE_VAL, 10}}, 4, 0.75, 1.5, 0.5},
};

static void check_same(const char *name, double got, double want)
{
	if (!(isnan(got) && isnan(want)))
		check_double(name, got, want);
}

static void test_cases(void **state)
{
	struct classic_fix fix = {.forced = false};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct classic_bucket b[4];
		memcpy(b, cases[i].b, sizeof(b));
		check_same(cases[i].name, classic_quantile(cases[i].q, b, cases[i].n, &fix), cases[i].want);
		memcpy(b, cases[i].b, sizeof(b));
		check_same(
		    cases[i].name, classic_fraction(-1000, 1, b, cases[i].n), cases[i].fraction_below_1);
	}
	check_true("nothing to fix", !fix.forced);
}

static void test_monotonic(void **state)
{
	struct classic_bucket falls[] = {{1, 10}, {2, 8}, {3, 12}, {HUGE_VAL, 12}};
	struct classic_bucket rounding[] = {{1, 10}, {2, 10 - 1e-13}, {HUGE_VAL, 20}};
	struct classic_fix fix = {.forced = false}, none = {.forced = false};
	(void)state;

	classic_quantile(0.5, falls, 4, &fix);
	check_true("forced", fix.forced);
	check_double("bucket", fix.min_bucket, 2);
	check_double("difference", fix.max_diff, 2);
	classic_quantile(0.5, rounding, 3, &none);
	check_true("rounding is silent", !none.forced);
}

TEST_MAIN("classic histograms", cmocka_unit_test(test_cases), cmocka_unit_test(test_monotonic))
