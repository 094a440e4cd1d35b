#include "model/time_zone.h"

#include "base/arena.h"
#include "tests/lib/test.h"
#include <stdlib.h>
#include <time.h>

static void known_moments(void **state)
{
	static const struct {
		const char *zone;
		int64_t t;
		int32_t offset;
		const char *name;
	} cases[] = {
	    {"UTC", 0, 0, "UTC"},
	    {"", 1700000000, 0, "UTC"},
	    {"Europe/Berlin", 1700000000, 3600, "CET"},
	    {"Europe/Berlin", 1720000000, 7200, "CEST"},
	    {"Europe/Berlin", 4118000000, 7200, "CEST"}, /* 2100-06: by the rule in the footer */
	    {"Europe/Berlin", 4133980000, 3600, "CET"},  /* 2100-12 */
	    {"Australia/Sydney", 1704067200, 39600, "AEDT"},
	    {"Australia/Sydney", 4118000000, 36000, "AEST"},
	    {"America/New_York", 1710053999, -18000, "EST"}, /* a second before summer time of 2024 */
	    {"America/New_York", 1710054000, -14400, "EDT"},
	    {"Asia/Kolkata", 1700000000, 19800, "IST"},
	};
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct time_zone *z;
		struct slice name;
		struct err err;
		if (time_zone_load(arena, slice_cstr(cases[i].zone), &z, &err)) {
			print_message("# no time zone database: skipped\n");
			break;
		}
		check_int(cases[i].zone, time_zone_offset(z, cases[i].t, &name), cases[i].offset);
		check_str(cases[i].zone, name, cases[i].name);
	}
	arena_free(arena);
}

static void unknown_names_are_refused(void **state)
{
	static const char *const names[] = {
	    "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "a b"};
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct time_zone *z;
		check_int(names[i], time_zone_load(arena, slice_cstr(names[i]), &z, NULL), ERR_NOT_FOUND);
	}
	arena_free(arena);
}

/* The C library knows the calendar too. */
static void calendar_agrees_with_gmtime(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int i = 0; i < 20000; i++) {
		time_t t = (time_t)test_random_below(&r, 8000000000u) - 3000000000;
		struct tm tm;
		gmtime_r(&t, &tm);
		struct civil_time c = time_zone_civil(NULL, t);
		check_int("year", c.year, tm.tm_year + 1900);
		check_int("month", c.month, tm.tm_mon + 1);
		check_int("day", c.day, tm.tm_mday);
		check_int("hour", c.hour, tm.tm_hour);
		check_int("minute", c.minute, tm.tm_min);
		check_int("second", c.second, tm.tm_sec);
		check_int("weekday", c.weekday, tm.tm_wday);
	}
}

static void offsets_agree_with_localtime(void **state)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
	    "Africa/Casablanca", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"};
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		const struct time_zone *z;
		if (time_zone_load(arena, slice_cstr(zones[i]), &z, NULL))
			continue;
		setenv("TZ", zones[i], 1);
		tzset();
		for (int k = 0; k < 3000; k++) {
			time_t t = (time_t)test_random_below(&r, 5000000000u);
			struct tm tm;
			localtime_r(&t, &tm);
			check_int(zones[i], time_zone_offset(z, t, NULL), tm.tm_gmtoff);
		}
	}
	unsetenv("TZ");
	arena_free(arena);
}

TEST_MAIN("time_zone", cmocka_unit_test(known_moments), cmocka_unit_test(unknown_names_are_refused),
    cmocka_unit_test(calendar_agrees_with_gmtime), cmocka_unit_test(offsets_agree_with_localtime))
