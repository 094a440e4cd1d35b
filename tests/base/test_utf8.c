#include "base/utf8.h"
#include "tests/lib/test.h"

static void validity(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		bool want;
	} cases[] = {
	    {"empty", "", true},
	    {"ascii of more than a word", "http_requests_total", true},
	    {"two bytes", "caf\xc3\xa9", true},
	    {"three bytes", "\xe2\x82\xac", true},
	    {"four bytes", "\xf0\x9f\x98\x80", true},
	    {"highest", "\xf4\x8f\xbf\xbf", true},
	    {"above the highest", "\xf4\x90\x80\x80", false},
	    {"overlong slash", "\xc0\xaf", false},
	    {"overlong three", "\xe0\x80\xaf", false},
	    {"overlong four", "\xf0\x80\x80\xaf", false},
	    {"surrogate", "\xed\xa0\x80", false},
	    {"lone tail", "\x80", false},
	    {"cut short", "abcdefgh\xe2\x82", false},
	    {"bad third byte", "\xe2\x82(", false},
	    {"latin 1", "abcdefg\xe9xyz", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_int(cases[i].name, utf8_valid(slice_cstr(cases[i].text)), cases[i].want);
}

static void every_rune_survives(void **state)
{
	(void)state;
	for (uint32_t rune = 0; rune <= 0x10ffff; rune++) {
		if (rune == 0xd800)
			rune = 0xe000;
		char text[4];
		size_t len = 0, n = utf8_encode(rune, text);
		check_int("decode", utf8_decode(slice_of(text, n), &len), rune);
		check_int("length", len, n);
		if (!utf8_valid(slice_of(text, n)))
			fail_msg("U+%04x is not valid", rune);
	}
}

static void bad_bytes_and_runes_are_replaced(void **state)
{
	(void)state;
	size_t len;
	check_int("bad byte", utf8_decode(slice_cstr("\xffz"), &len), 0xfffd);
	check_int("one byte of it", len, 1);
	char text[4];
	check_slice("surrogate", slice_of(text, utf8_encode(0xd800, text)), SL("\xef\xbf\xbd"));
	check_slice("too high", slice_of(text, utf8_encode(0x110000, text)), SL("\xef\xbf\xbd"));
}

static void quoting(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct slice in;
		const char *want;
	} cases[] = {
	    {"empty", SL_INIT(""), "\"\""},
	    {"plain", SL_INIT("5m"), "\"5m\""},
	    {"quote and backslash", SL_INIT("a\"\\"), "\"a\\\"\\\\\""},
	    {"named controls", SL_INIT("\a\b\t\n\v\f\r"), "\"\\a\\b\\t\\n\\v\\f\\r\""},
	    {"other controls", SL_INIT("\0\x1b\x7f"), "\"\\x00\\x1b\\x7f\""},
	    {"printable", SL_INIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
	    {"not printable", SL_INIT("\xc2\xa0\xe2\x80\xa8"), "\"\\u00a0\\u2028\""},
	    {"private plane", SL_INIT("\xf4\x8f\xbf\xbd"), "\"\\U0010fffd\""},
	    {"bad byte", SL_INIT("a\xff"), "\"a\\xff\""},
	    {"a real U+FFFD", SL_INIT("\xef\xbf\xbd"), "\"\xef\xbf\xbd\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf out = STRBUF_INIT;
		utf8_quote_go(&out, cases[i].in);
		check_str(cases[i].name, strbuf_slice(&out), cases[i].want);
		strbuf_done(&out);
	}
}

TEST_MAIN("utf8", cmocka_unit_test(validity), cmocka_unit_test(every_rune_survives),
    cmocka_unit_test(bad_bytes_and_runes_are_replaced), cmocka_unit_test(quoting))
