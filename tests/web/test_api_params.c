#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include "web/api_call.h"

static void times_and_durations(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool is_duration;
		bool ok;
		int64_t want_ms;
	} cases[] = {
	    {"123.4", false, true, 123400},
	    {"-1.5", false, true, -1500},
	    {"1.0006", false, true, 1001},
	    {"1767225600000", false, true, 1767225600000000}, /* milliseconds taken for seconds must parse */
	    {"1970-01-01T01:02:03+01:00", false, true, 123000},
	    {"-292273086-05-16T16:47:06Z", false, true, API_MIN_MS},
	    {"+292277025-08-18T07:12:54.999999999Z", false, true, API_MAX_MS},
	    {"1e300", false, true, API_MAX_MS},
	    {"NaN", false, false, 0},
	    {"+Inf", false, false, 0},
	    {"", false, false, 0},
	    {"5m", false, false, 0},
	    {"5m", true, true, 300000},
	    {"1.5", true, true, 1500},
	    {"0", true, true, 0},
	    {"-3", true, true, -3000},
	    {"1e10", true, false, 0},
	    {"NaN", true, false, 0},
	    {"1x", true, false, 0},
	};
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err;
		int64_t got = 0;
		struct slice in = slice_cstr(cases[i].in);
		int rc = cases[i].is_duration ? api_parse_duration(a, in, &got, &err)
					      : api_parse_time(a, in, &got, &err);
		check_int(cases[i].in, rc == 0, cases[i].ok);
		if (cases[i].ok)
			check_int(cases[i].in, got, cases[i].want_ms);
	}
	arena_free(a);
}

static void error_texts(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct err err;
	int64_t ms;
	check_int("time", api_parse_time(a, SL("a\"b"), &ms, &err), ERR_INVALID);
	check_str("time", slice_cstr(err.msg), "cannot parse \"a\\\"b\" to a valid timestamp");
	check_int("duration", api_parse_duration(a, SL("x"), &ms, &err), ERR_INVALID);
	check_str("duration", slice_cstr(err.msg), "cannot parse \"x\" to a valid duration");
	check_int("overflow", api_parse_duration(a, SL("148966367200.372"), &ms, &err), ERR_INVALID);
	check_str("overflow", slice_cstr(err.msg),
	    "cannot parse \"148966367200.372\" to a valid duration. It overflows int64");
	arena_free(a);
}

static void conformance_of_times(void **state)
{
	(void)state;
	struct test_cases *all = test_cases_open("api_time_params.json");
	for (size_t i = 0; all && i < test_cases_count(all); i++) {
		const struct json_value *c = test_case(all, i);
		struct slice in = test_case_text(all, c, "in");
		bool is_time = slice_eq(test_case_text(all, c, "kind"), SL("time"));
		int64_t got = 0, want = 0;
		int rc = is_time ? api_parse_time(test_cases_arena(all), in, &got, NULL)
				 : api_parse_duration(test_cases_arena(all), in, &got, NULL);
		check_int(in.ptr, rc != 0, test_case_bool(c, "fail"));
		if (rc == 0 && json_get_int(json_member(c, is_time ? "unix_ms" : "ms"), &want))
			check_int(in.ptr, got, want);
	}
	test_cases_close(all);
}

static void conformance_of_names(void **state)
{
	(void)state;
	struct test_cases *all = test_cases_open("unescape_values.json");
	for (size_t i = 0; all && i < test_cases_count(all); i++) {
		const struct json_value *c = test_case(all, i);
		struct slice in = test_case_text(all, c, "in");
		check_slice(
		    "name", api_unescape_name(test_cases_arena(all), in), test_case_text(all, c, "out"));
	}
	test_cases_close(all);
}

static void escaped_names(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"job", "job"},
	    {"U__host_2e_name", "host.name"},
	    {"U__a__b", "a_b"},
	    {"U__snow_2603_", "snow\xe2\x98\x83"},
	    {"U__open_2e", "U__open_2e"},
	    {"U__bad_zz_", "U__bad_zz_"},
	    {"U__surrogate_d800_", "U__surrogate_d800_"},
	    {"U__toolong_0000000041_", "U__toolong_0000000041_"},
	    {"U__high_110000_", "U__high_110000_"},
	};
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_str(cases[i].in, api_unescape_name(a, slice_cstr(cases[i].in)), cases[i].want);
	arena_free(a);
}

TEST_MAIN("api_params", cmocka_unit_test(times_and_durations), cmocka_unit_test(error_texts),
    cmocka_unit_test(conformance_of_times), cmocka_unit_test(conformance_of_names),
    cmocka_unit_test(escaped_names))
