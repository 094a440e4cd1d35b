#include "base/double_text.h"
#include "tests/lib/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void printed_forms(void **state)
{
	(void)state;
	static const struct {
		double v;
		const char *json, *f, *e, *g;
	} cases[] = {
	    {0, "0", "0", "0e+00", "0"},
	    {-0.0, "-0", "-0", "-0e+00", "-0"},
	    {1, "1", "1", "1e+00", "1"},
	    {-1.5, "-1.5", "-1.5", "-1.5e+00", "-1.5"},
	    {0.1, "0.1", "0.1", "1e-01", "0.1"},
	    {0.3, "0.3", "0.3", "3e-01", "0.3"},
	    {0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", "3.0000000000000004e-01",
		"0.30000000000000004"},
	    {100000, "100000", "100000", "1e+05", "100000"},
	    {1000000, "1000000", "1000000", "1e+06", "1e+06"},
	    {1234567, "1234567", "1234567", "1.234567e+06", "1.234567e+06"},
	    {0.0001, "0.0001", "0.0001", "1e-04", "0.0001"},
	    {0.00001, "0.00001", "0.00001", "1e-05", "1e-05"},
	    {1.2345678e-06, "0.0000012345678", "0.0000012345678", "1.2345678e-06", "1.2345678e-06"},
	    {1e-6, "0.000001", "0.000001", "1e-06", "1e-06"},
	    {1e-7, "1e-07", "0.0000001", "1e-07", "1e-07"},
	    {1.2345678e-67, "1.2345678e-67",
		"0.00000000000000000000000000000000000000000000000000000000000000000012345678",
		"1.2345678e-67", "1.2345678e-67"},
	    {1e20, "100000000000000000000", "100000000000000000000", "1e+20", "1e+20"},
	    {1e21, "1e+21", "1000000000000000000000", "1e+21", "1e+21"},
	    {123456789012345680.0, "123456789012345680", "123456789012345680", "1.2345678901234568e+17",
		"1.2345678901234568e+17"},
	    {1435781451.781, "1435781451.781", "1435781451.781", "1.435781451781e+09", "1.435781451781e+09"},
	    {1.7976931348623157e308, "1.7976931348623157e+308", NULL, "1.7976931348623157e+308",
		"1.7976931348623157e+308"},
	    {5e-324, "5e-324", NULL, "5e-324", "5e-324"},
	    {INFINITY, "+Inf", "+Inf", "+Inf", "+Inf"},
	    {-INFINITY, "-Inf", "-Inf", "-Inf", "-Inf"},
	    {(double)NAN, "NaN", "NaN", "NaN", "NaN"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[DOUBLE_TEXT_MAX], name[40];
		snprintf(name, sizeof(name), "%.17g", cases[i].v);
		check_str(name, slice_of(out, double_to_json(cases[i].v, out)), cases[i].json);
		if (cases[i].f)
			check_str(name, slice_of(out, double_to_shortest_f(cases[i].v, out)), cases[i].f);
		check_str(name, slice_of(out, double_to_shortest_e(cases[i].v, out)), cases[i].e);
		check_str(name, slice_of(out, double_to_go_g(cases[i].v, out)), cases[i].g);
	}
}

static void extremes_fit(void **state)
{
	(void)state;
	char out[DOUBLE_TEXT_MAX];
	check_true("denormal", double_to_shortest_f(-DBL_TRUE_MIN, out) < sizeof(out));
	check_true(
	    "17 digits of a denormal", double_to_shortest_f(-2.2250738585072011e-308, out) < sizeof(out));
	check_true("largest", double_to_shortest_f(-DBL_MAX, out) < sizeof(out));
}

static void parsed_forms(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool ok;
		double want;
	} cases[] = {
	    {"0", true, 0},
	    {"-0", true, -0.0},
	    {"+1.5", true, 1.5},
	    {".5", true, 0.5},
	    {"5.", true, 5},
	    {"1e3", true, 1000},
	    {"1E-3", true, 0.001},
	    {"1e+03", true, 1000},
	    {"0000.0001000", true, 0.0001},
	    {"1435781451.781", true, 1435781451.781},
	    {"9007199254740993", true, 9007199254740992.0},
	    {"9007199254740993.000000000000000000000000000001", true, 9007199254740994.0},
	    {"123456789012345678901234567890", true, 123456789012345678901234567890.0},
	    {"0.1234567890123456789012345", true, 0.1234567890123456789012345},
	    {"1e22", true, 1e22},
	    {"1e23", true, 1e23},
	    {"1e-400", true, 0},
	    {"0e999999999999", true, 0},
	    {"4.9e-324", true, 5e-324},
	    {"1.7976931348623157e308", true, 1.7976931348623157e308},
	    {"1.7976931348623159e308", false, 0},
	    {"1e400", false, 0},
	    {"inf", true, INFINITY},
	    {"+Inf", true, INFINITY},
	    {"-INFINITY", true, -INFINITY},
	    {"", false, 0},
	    {"-", false, 0},
	    {".", false, 0},
	    {"e5", false, 0},
	    {"1e", false, 0},
	    {"1e+", false, 0},
	    {"1ex", false, 0},
	    {"1.2.3", false, 0},
	    {"1 ", false, 0},
	    {" 1", false, 0},
	    {"1_000", false, 0},
	    {"0x10", false, 0},
	    {"0x1p-2", false, 0},
	    {"+nan", false, 0},
	    {"infinit", false, 0},
	    {"--1", false, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		double v = 0;
		check_int(cases[i].in, double_parse(slice_cstr(cases[i].in), &v), cases[i].ok);
		if (cases[i].ok)
			check_double(cases[i].in, v, cases[i].want);
	}
	double v;
	check_true("NaN", double_parse(SL("NaN"), &v) && isnan(v));
	check_true("nan", double_parse(SL("nan"), &v) && isnan(v));
}

/* A number far longer than any fast path: 0.000...1 with the exponent that brings it back. */
static void long_numbers(void **state)
{
	(void)state;
	struct strbuf sb = STRBUF_INIT;
	strbuf_adds(&sb, "0.");
	for (int i = 0; i < 150000; i++)
		strbuf_addch(&sb, '0');
	strbuf_adds(&sb, "1e150003");
	double v = 0;
	check_true("parsed", double_parse(strbuf_slice(&sb), &v));
	check_double("value", v, 100);
	strbuf_done(&sb);
}

/* A double as the world has them: counters, short decimals, ratios, any bits. */
static double some_double(struct test_random *r)
{
	switch (test_random_below(r, 5)) {
	case 0:
		return (double)(int64_t)test_random_below(r, UINT64_C(1) << test_random_below(r, 60));
	case 1:
		return (double)test_random_below(r, 1000000000) / pow(10, (double)test_random_below(r, 12));
	case 2:
		return (double)test_random_below(r, 100000) / (double)(1 + test_random_below(r, 1000));
	case 3:
		return -test_random_unit(r);
	default: {
		uint64_t bits = test_random_u64(r);
		double v;
		memcpy(&v, &bits, sizeof(v));
		return isfinite(v) ? v : 1;
	}
	}
}

/* The shortest of %.1g to %.17g that reads back is as long as ours, and ours reads back too. */
static void shortest_against_the_c_library(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int i = 0; i < 200000; i++) {
		double v = some_double(&r), back = 0;
		char out[DOUBLE_TEXT_MAX + 1], want[40];
		size_t n = double_to_shortest_e(v, out);
		out[n] = '\0';
		check_double(out, strtod(out, NULL), v);
		check_true(out, double_parse(slice_of(out, n), &back));
		check_double(out, back, v);
		for (int digits = 0; digits < 17; digits++) {
			snprintf(want, sizeof(want), "%.*e", digits, v);
			if (memcmp(&(double){strtod(want, NULL)}, &v, sizeof(v)) == 0)
				break;
		}
		/* Of several shortest texts ours is the nearest to v, and so is the C library's. */
		check_str(want, slice_of(out, n), want);
	}
}

static void parse_against_strtod(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int i = 0; i < 200000; i++) {
		char text[80];
		int n = snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)(test_random_u64(&r) >> test_random_below(&r, 64)));
		if (test_random_below(&r, 2))
			n += snprintf(text + n, sizeof(text) - (size_t)n, ".%0*llu",
			    (int)test_random_below(&r, 20),
			    (unsigned long long)test_random_below(
				&r, UINT64_C(1) << test_random_below(&r, 60)));
		if (test_random_below(&r, 2))
			n += snprintf(
			    text + n, sizeof(text) - (size_t)n, "e%d", (int)test_random_below(&r, 700) - 350);
		double v = 0, want = strtod(text, NULL);
		check_int(text, double_parse(slice_of(text, (size_t)n), &v), !isinf(want));
		if (!isinf(want))
			check_double(text, v, want);
	}
}

TEST_MAIN("double_text", cmocka_unit_test(printed_forms), cmocka_unit_test(extremes_fit),
    cmocka_unit_test(parsed_forms), cmocka_unit_test(long_numbers),
    cmocka_unit_test(shortest_against_the_c_library), cmocka_unit_test(parse_against_strtod))
