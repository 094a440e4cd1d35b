#include "tests/lib/test.h"

#include "promql/func_time.h"
#include <time.h>

static void test_against_libc(void **state)
{
	struct test_random r;
	(void)state;

	test_random_init(&r);
	for (int i = 0; i < 20000; i++) {
		time_t t = (time_t)test_random_below(&r, (uint64_t)8e11) - (time_t)4e11;
		struct tm tm;
		gmtime_r(&t, &tm);
		check_double("year", date_part(FN_YEAR, (double)t), tm.tm_year + 1900);
		check_double("month", date_part(FN_MONTH, (double)t), tm.tm_mon + 1);
		check_double("day", date_part(FN_DAY_OF_MONTH, (double)t), tm.tm_mday);
		check_double("day of year", date_part(FN_DAY_OF_YEAR, (double)t), tm.tm_yday + 1);
		check_double("day of week", date_part(FN_DAY_OF_WEEK, (double)t), tm.tm_wday);
		check_double("hour", date_part(FN_HOUR, (double)t), tm.tm_hour);
		check_double("minute", date_part(FN_MINUTE, (double)t), tm.tm_min);
	}
}

static void test_months(void **state)
{
	(void)state;
	check_double("leap", date_part(FN_DAYS_IN_MONTH, 1454284800), 29);     /* 2016-02 */
	check_double("no leap", date_part(FN_DAYS_IN_MONTH, 1485907200), 28);  /* 2017-02 */
	check_double("century", date_part(FN_DAYS_IN_MONTH, -2206310400), 28); /* 1900-02 */
	check_double("fraction is cut", date_part(FN_MINUTE, 59.9), 0);
	/* As Go's clock has it, which comes round there. */
	check_int("year of NaN", date_part(FN_YEAR, 0.0 / 0.0), INT64_C(292277026596));
	check_int("month of NaN", date_part(FN_MONTH, 0.0 / 0.0), 12);
	check_int("weekday of NaN", date_part(FN_DAY_OF_WEEK, 0.0 / 0.0), 0);
	check_int("minute of NaN", date_part(FN_MINUTE, 0.0 / 0.0), 30);
	check_int("year of 1e18", date_part(FN_YEAR, 1e18), INT64_C(31688740476));
	check_int("year of -1e18", date_part(FN_YEAR, -1e18), INT64_C(-31688736537));
}

TEST_MAIN("dates", cmocka_unit_test(test_against_libc), cmocka_unit_test(test_months))
