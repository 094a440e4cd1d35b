#include "base/json.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdio.h>

static void structure(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	struct json j;
	json_init(&j, &out);
	json_object_begin(&j);
	json_key(&j, "a");
	json_array_begin(&j);
	json_int(&j, INT64_MIN);
	json_uint(&j, UINT64_MAX);
	json_bool(&j, true);
	json_null(&j);
	json_object_begin(&j);
	json_object_end(&j);
	json_raw(&j, SL("[1,2]"));
	json_array_end(&j);
	json_key_slice(&j, SL("b\"<"));
	json_cstr(&j, "x");
	json_object_end(&j);
	check_str("all", strbuf_slice(&out),
	    "{\"a\":[-9223372036854775808,18446744073709551615,true,null,{},[1,2]],\"b\\\"<\":\"x\"}");
	strbuf_done(&out);
}

static void strings_and_labels(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct slice in;
		const char *string, *label;
	} cases[] = {
	    {"empty", SL_INIT(""), "\"\"", "\"\""},
	    {"plain", SL_INIT("up"), "\"up\"", "\"up\""},
	    {"quote and backslash", SL_INIT("a\"\\b"), "\"a\\\"\\\\b\"", "\"a\\\"\\\\b\""},
	    {"controls", SL_INIT("\n\r\t\0\x1f"), "\"\\n\\r\\t\\u0000\\u001f\"",
		"\"\\n\\r\\t\\u0000\\u001f\""},
	    {"html", SL_INIT("<a&b>"), "\"\\u003ca\\u0026b\\u003e\"", "\"<a&b>\""},
	    {"del", SL_INIT("\x7f"), "\"\x7f\"", "\"\x7f\""},
	    {"utf-8", SL_INIT("caf\xc3\xa9"), "\"caf\xc3\xa9\"", "\"caf\xc3\xa9\""},
	    {"line separators", SL_INIT("\xe2\x80\xa8\xe2\x80\xa9"), "\"\\u2028\\u2029\"",
		"\"\xe2\x80\xa8\xe2\x80\xa9\""},
	    {"bad utf-8", SL_INIT("a\xff\xc3"), "\"a\\ufffd\\ufffd\"", "\"a\xff\xc3\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf out = STRBUF_INIT;
		struct json j;
		json_init(&j, &out);
		json_string(&j, cases[i].in);
		check_str(cases[i].name, strbuf_slice(&out), cases[i].string);
		strbuf_reset(&out);
		json_init(&j, &out);
		json_label(&j, cases[i].in);
		check_str(cases[i].name, strbuf_slice(&out), cases[i].label);
		strbuf_done(&out);
	}
}

static void numbers(void **state)
{
	(void)state;
	static const struct {
		double v;
		const char *number, *api_number, *sample;
	} cases[] = {
	    {1, "1", "1", "\"1\""},
	    {1e-7, "1e-7", "1e-07", "\"1e-07\""},
	    {-9.99e-7, "-9.99e-7", "-9.99e-07", "\"-9.99e-07\""},
	    {1.5e-10, "1.5e-10", "1.5e-10", "\"1.5e-10\""},
	    {1e21, "1e+21", "1e+21", "\"1e+21\""},
	    {0.0003, "0.0003", "0.0003", "\"0.0003\""},
	    {(double)NAN, "null", "null", "\"NaN\""},
	    {-INFINITY, "null", "null", "\"-Inf\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf out = STRBUF_INIT;
		struct json j;
		json_init(&j, &out);
		json_array_begin(&j);
		json_double(&j, cases[i].v);
		j.long_exponents = true;
		json_double(&j, cases[i].v);
		json_sample_value(&j, cases[i].v);
		json_array_end(&j);
		char want[80];
		snprintf(want, sizeof(want), "[%s,%s,%s]", cases[i].number, cases[i].api_number, cases[i].sample);
		check_str(want, strbuf_slice(&out), want);
		strbuf_done(&out);
	}
}

static void timestamps(void **state)
{
	(void)state;
	static const struct {
		int64_t t_ms;
		const char *want;
	} cases[] = {{0, "0"}, {1, "0.001"}, {100, "0.100"}, {1001, "1.001"}, {1010, "1.010"}, {1000, "1"},
	    {-1, "-0.001"}, {-1500, "-1.500"}, {1435781451781, "1435781451.781"},
	    {12345678123456555, "12345678123456.555"}, {INT64_MIN, "-9223372036854775.808"},
	    {INT64_MAX, "9223372036854775.807"}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf out = STRBUF_INIT;
		struct json j;
		json_init(&j, &out);
		json_timestamp(&j, cases[i].t_ms);
		check_str(cases[i].want, strbuf_slice(&out), cases[i].want);
		strbuf_done(&out);
	}
}

static void a_bound_cuts_without_harm(void **state)
{
	(void)state;
	struct strbuf out;
	strbuf_init(&out, 20);
	struct json j;
	json_init(&j, &out);
	json_array_begin(&j);
	for (int i = 0; i < 100; i++)
		json_sample_value(&j, 0.1);
	json_array_end(&j);
	check_true("overflowed", strbuf_overflowed(&out));
	strbuf_done(&out);
}

TEST_MAIN("json", cmocka_unit_test(structure), cmocka_unit_test(strings_and_labels),
    cmocka_unit_test(numbers), cmocka_unit_test(timestamps), cmocka_unit_test(a_bound_cuts_without_harm))
