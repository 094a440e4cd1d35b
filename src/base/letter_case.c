#include "base/letter_case.h"

#include "base/utf8.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

/* The C library's own tables for C.UTF-8, which is built in: no locale files are needed. */
static locale_t unicode;

static void make_locale(void)
{
	unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static locale_t get_locale(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_locale);
	return unicode;
}

uint32_t letter_upper(uint32_t rune)
{
	locale_t l = get_locale();
	return l ? (uint32_t)towupper_l((wint_t)rune, l) : rune;
}

uint32_t letter_lower(uint32_t rune)
{
	locale_t l = get_locale();
	return l ? (uint32_t)towlower_l((wint_t)rune, l) : rune;
}

bool letter_is_word(uint32_t rune)
{
	locale_t l = get_locale();
	return rune == '_' || (l && iswalnum_l((wint_t)rune, l));
}

static void map(struct strbuf *out, struct slice s, uint32_t (*change)(uint32_t rune))
{
	while (s.len) {
		size_t n;
		char text[4];
		uint32_t rune = utf8_decode(s, &n);
		bool is_invalid = n == 1 && (unsigned char)s.ptr[0] >= 0x80;
		if (is_invalid)
			strbuf_addch(out, s.ptr[0]);
		else
			strbuf_add(out, text, utf8_encode(change(rune), text));
		s = slice_from(s, n);
	}
}

void letter_case_upper(struct strbuf *out, struct slice s)
{
	map(out, s, letter_upper);
}

void letter_case_lower(struct strbuf *out, struct slice s)
{
	map(out, s, letter_lower);
}
