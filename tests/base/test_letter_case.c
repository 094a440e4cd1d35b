#include "base/letter_case.h"

#include "tests/lib/test.h"

static void mapping(void **state)
{
	(void)state;
	static const struct {
		const char *in, *upper, *lower;
	} cases[] = {
	    {"aBc-1", "ABC-1", "abc-1"}, {"grün Élan", "GRÜN ÉLAN", "grün élan"}, {"Ωμ\xff", "ΩΜ\xff", "ωμ\xff"}, {"", "", ""}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf sb = STRBUF_INIT;
		letter_case_upper(&sb, slice_cstr(cases[i].in));
		check_str(cases[i].in, strbuf_slice(&sb), cases[i].upper);
		strbuf_reset(&sb);
		letter_case_lower(&sb, slice_cstr(cases[i].in));
		check_str(cases[i].in, strbuf_slice(&sb), cases[i].lower);
		strbuf_done(&sb);
	}
}

TEST_MAIN("letter_case", cmocka_unit_test(mapping))
