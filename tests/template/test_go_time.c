#include "template/go_time.h"
#include "tests/lib/test.h"

#include <inttypes.h>
#include <time.h>

static void layouts(void **state)
{
	(void)state;
	static const struct {
		int64_t s;
		int32_t ns;
		const char *layout, *want;
	} cases[] = {
	    {1353755652, 0, "Mon Jan 2 15:04:05 2006", "Sat Nov 24 11:14:12 2012"},
	    {1353755652, 128000000, "2006-01-02T15:04:05.999Z07:00", "2012-11-24T11:14:12.128Z"},
	    {1353755652, 120000000, "15:04:05.000 .999", "11:14:12.120 .12"},
	    {0, 0, "02 Jan 06 3:04PM MST -0700", "01 Jan 70 12:00AM UTC +0000"},
	    {0, 0, "Monday, January _2 002", "Thursday, January  1 001"},
	    {-62135596800, 0, "2006-01-02", "0001-01-01"},
	    {951782400, 0, "2006-01-02", "2000-02-29"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf sb = STRBUF_INIT;
		go_time_format(&sb, slice_cstr(cases[i].layout), cases[i].s, cases[i].ns);
		check_str(cases[i].layout, strbuf_slice(&sb), cases[i].want);
		strbuf_done(&sb);
	}
}

static void dates_are_those_of_the_c_library(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int i = 0; i < 20000; i++) {
		time_t t = (time_t)(test_random_below(&r, 400000000000ull)) - 100000000000ll;
		struct tm tm;
		struct go_date d;
		gmtime_r(&t, &tm);
		go_time_date(t, &d);
		if (d.year != tm.tm_year + 1900 || d.month != tm.tm_mon + 1 || d.day != tm.tm_mday ||
		    d.hour != tm.tm_hour || d.minute != tm.tm_min || d.second != tm.tm_sec ||
		    d.weekday != tm.tm_wday || d.year_day != tm.tm_yday + 1)
			fail_msg("%" PRId64 " s", (int64_t)t);
	}
}

static void reading(void **state)
{
	(void)state;
	static const struct {
		const char *layout, *text;
		int64_t want;
		const char *error;
	} cases[] = {
	    {"2006-01-02", "2024-03-15", 1710460800, NULL},
	    {"2006-01-02T15:04:05Z07:00", "2024-03-15T01:00:00+01:00", 1710460800, NULL},
	    {"Jan _2 2006 3:04 PM", "Mar  5 2024 1:30 pm", 1709645400, NULL},
	    {"2006-01-02", "not-a-date", 0,
		"parsing time \"not-a-date\" as \"2006-01-02\": cannot parse \"not-a-date\" as \"2006\""},
	    {"2006-01-02", "2024-02-30", 0, "parsing time \"2024-02-30\": day out of range"},
	    {"2006", "2024x", 0, "parsing time \"2024x\": extra text: \"x\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t s = 0;
		int32_t ns;
		struct err err;
		int rc = go_time_parse(slice_cstr(cases[i].layout), slice_cstr(cases[i].text), &s, &ns, &err);
		check_int(cases[i].text, rc, cases[i].error ? ERR_INVALID : 0);
		if (cases[i].error)
			check_str(cases[i].text, slice_cstr(err.msg), cases[i].error);
		else
			check_int(cases[i].text, s, cases[i].want);
	}
}

TEST_MAIN("go_time", cmocka_unit_test(layouts), cmocka_unit_test(dates_are_those_of_the_c_library),
    cmocka_unit_test(reading))
