#include "template/template_printf.h"
#include "tests/lib/test.h"

static void verbs(void **state)
{
	(void)state;
	const struct template_value i42 = template_int(42), neg = template_int(-7),
				    f = template_float(3.14159), s = template_text(SL("h\xc3\xa9")),
				    yes = template_bool(true), nil = TEMPLATE_NIL,
				    d = template_duration_ns(90000000000), million = template_float(1e6);
	const struct {
		const char *format;
		struct template_value args[2];
		size_t n;
		const char *want;
	} cases[] = {
	    {"%d|%5d", {i42, i42}, 2, "42|   42"},
	    {"%-5d|%05d", {i42, neg}, 2, "42   |-0007"},
	    {"%x %X", {i42, i42}, 2, "2a 2A"},
	    {"%#x %+d", {i42, i42}, 2, "0x2a +42"},
	    {"%.2f %8.3f", {f, f}, 2, "3.14    3.142"},
	    {"%f %e", {f, f}, 2, "3.141590 3.141590e+00"},
	    {"%g %v", {million, million}, 2, "1e+06 1e+06"},
	    {"%s|%q", {s, s}, 2, "h\xc3\xa9|\"h\xc3\xa9\""},
	    {"%5s|%.1s", {s, s}, 2, "   h\xc3\xa9|h"},
	    {"%t %v", {yes, yes}, 2, "true true"},
	    {"%v %s", {nil, d}, 2, "<nil> 1m30s"},
	    {"%T %T", {s, f}, 2, "string float64"},
	    {"%c%U", {i42, i42}, 2, "*U+002A"},
	    {"%d", {s}, 1, "%!d(string=h\xc3\xa9)"},
	    {"%s", {i42}, 1, "%!s(int=42)"},
	    {"%d %d", {i42}, 1, "42 %!d(MISSING)"},
	    {"100%%", {i42}, 0, "100%"},
	    {"x", {i42}, 1, "x%!(EXTRA int=42)"},
	    {"%", {i42}, 0, "%!(NOVERB)"},
	    {"%[2]d %[1]d", {i42, neg}, 2, "-7 42"},
	    {"%*d", {template_int(5), i42}, 2, "   42"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf sb = STRBUF_INIT;
		template_printf(&sb, slice_cstr(cases[i].format), cases[i].args, cases[i].n);
		check_str(cases[i].format, strbuf_slice(&sb), cases[i].want);
		strbuf_done(&sb);
	}
}

static void spaces_between_operands(void **state)
{
	(void)state;
	const struct template_value args[] = {
	    template_int(1), template_int(2), template_text(SL("a")), template_int(3)};
	struct strbuf sb = STRBUF_INIT;
	template_sprint(&sb, args, 4, false);
	check_str("print", strbuf_slice(&sb), "1 2a3");
	strbuf_reset(&sb);
	template_sprint(&sb, args, 4, true);
	check_str("println", strbuf_slice(&sb), "1 2 a 3\n");
	strbuf_done(&sb);
}

TEST_MAIN("template_printf", cmocka_unit_test(verbs), cmocka_unit_test(spaces_between_operands))
