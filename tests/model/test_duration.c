#include "model/duration.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

static struct strbuf text = STRBUF_INIT;

static void as_upstream(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("duration.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct slice in = test_case_text(cases, c, "in");
		int64_t ms = 0, want = 0;
		struct err err;
		bool negative = test_case_bool(c, "negative_allowed");
		int rc = negative ? duration_parse_signed(in, &ms, &err) : duration_parse(in, &ms, &err);
		check_int(in.ptr, rc < 0, test_case_bool(c, "fail"));
		if (rc < 0)
			continue;
		json_get_int(json_member(c, "ms"), &want);
		check_int(in.ptr, ms, want);
		strbuf_reset(&text);
		duration_print(&text, ms);
		check_slice(in.ptr, strbuf_slice(&text), test_case_text(cases, c, "string"));
	}
	test_cases_close(cases);
	strbuf_done(&text);
}

static void errors(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} table[] = {
	    {"", "empty duration string"},
	    {"1", "not a valid duration string: \"1\""},
	    {"-1s", "not a valid duration string: \"-1s\""},
	    {"1h1h", "not a valid duration string: \"1h1h\""},
	    {"1s1h", "not a valid duration string: \"1s1h\""},
	    {"1q", "unknown unit \"q\" in duration \"1q\""},
	    {"300y", "duration out of range"},
	    {"99999999999999999999s", "not a valid duration string: \"99999999999999999999s\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int64_t ms;
		struct err err;
		check_int(table[i].in, duration_parse(slice_cstr(table[i].in), &ms, &err), ERR_INVALID);
		check_str(table[i].in, slice_cstr(err.msg), table[i].want);
	}
}

static void go_durations(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		int64_t ns; /* with `printed` NULL: an error */
		const char *printed;
	} table[] = {
	    {"0", 0, "0s"},
	    {"1h2m3.5s", 3723500000000, "1h2m3.5s"},
	    {"-1.5h", -5400000000000, "-1h30m0s"},
	    {"90s", 90000000000, "1m30s"},
	    {"1us", 1000, "1\u00b5s"},
	    {"1500ns", 1500, "1.5\u00b5s"},
	    {".5ms", 500000, "500\u00b5s"},
	    {"12ns", 12, "12ns"},
	    {"3ms", 3000000, "3ms"},
	    {"24h", 86400000000000, "24h0m0s"},
	    {"", 0, NULL},
	    {"1", 0, NULL},
	    {"1d", 0, NULL},
	    {".s", 0, NULL},
	    {"9999999999h", 0, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int64_t ns = 0;
		struct err err;
		int rc = go_duration_parse(slice_cstr(table[i].in), &ns, &err);
		check_int(table[i].in, rc == 0, table[i].printed != NULL);
		if (rc < 0)
			continue;
		check_int(table[i].in, ns, table[i].ns);
		struct strbuf sb = STRBUF_INIT;
		go_duration_print(&sb, ns);
		check_str(table[i].in, strbuf_slice(&sb), table[i].printed);
		strbuf_done(&sb);
	}
}

static void rfc3339(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		int64_t ms;
		int digits;
		const char *printed; /* NULL: an error */
	} table[] = {
	    {"1970-01-01T00:00:00Z", 0, -1, "1970-01-01T00:00:00Z"},
	    {"2026-02-28T23:59:59.5Z", 1772323199500, -1, "2026-02-28T23:59:59.5Z"},
	    {"2024-02-29T12:00:00+02:00", 1709200800000, 3, "2024-02-29T10:00:00.000Z"},
	    {"1969-12-31T23:59:59.999999999Z", -1, 9, "1969-12-31T23:59:59.999000000Z"},
	    {"0001-01-01T00:00:00Z", -62135596800000, 0, "0001-01-01T00:00:00Z"},
	    {"9999-12-31T23:59:59Z", 253402300799000, 0, "9999-12-31T23:59:59Z"},
	    {"2023-02-29T00:00:00Z", 0, 0, NULL},
	    {"2023-01-01 00:00:00Z", 0, 0, NULL},
	    {"2023-01-01T24:00:00Z", 0, 0, NULL},
	    {"2023-01-01T00:00:00", 0, 0, NULL},
	    {"2023-01-01T00:00:00.Z", 0, 0, NULL},
	    {"", 0, 0, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		int64_t ms = 0;
		struct err err;
		int rc = rfc3339_parse(slice_cstr(table[i].in), &ms, &err);
		check_int(table[i].in, rc == 0, table[i].printed != NULL);
		if (rc < 0)
			continue;
		check_int(table[i].in, ms, table[i].ms);
		struct strbuf sb = STRBUF_INIT;
		rfc3339_print(&sb, ms, table[i].digits);
		check_str(table[i].in, strbuf_slice(&sb), table[i].printed);
		strbuf_done(&sb);
	}
}

static void what_is_printed_parses_back(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int i = 0; i < 5000; i++) {
		int64_t range = INT64_C(1) << test_random_below(&r, 42);
		int64_t ms = (int64_t)test_random_below(&r, (uint64_t)(range * 2)) - range, back = 0;
		struct strbuf sb = STRBUF_INIT;
		struct err err;
		duration_print(&sb, ms);
		check_ok("duration", duration_parse_signed(strbuf_slice(&sb), &back, &err), &err);
		check_int("duration", back, ms);
		strbuf_reset(&sb);
		rfc3339_print(&sb, ms, -1);
		check_ok("time", rfc3339_parse(strbuf_slice(&sb), &back, &err), &err);
		check_int("time", back, ms);
		strbuf_reset(&sb);
		go_duration_print(&sb, ms);
		check_ok("go", go_duration_parse(strbuf_slice(&sb), &back, &err), &err);
		check_int("go", back, ms);
		strbuf_done(&sb);
	}
}

TEST_MAIN("duration", cmocka_unit_test(as_upstream), cmocka_unit_test(errors), cmocka_unit_test(go_durations),
    cmocka_unit_test(rfc3339), cmocka_unit_test(what_is_printed_parses_back))
