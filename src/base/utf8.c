#include "base/utf8.h"

#include "base/strbuf.h"
#include "base/utf8_print_table.h"

enum { REPLACEMENT = 0xfffd, MAX_RUNE = 0x10ffff };

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the sequence at `p`, 0 when it is not valid: overlong forms, surrogates and code points above
 * U+10FFFF are refused by the bounds of the second byte (Unicode 14, table 3-7). */
static size_t sequence(const unsigned char *p, size_t n)
{
	unsigned char c = p[0];
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || n < 2)
		return 0;
	unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < low || p[1] > high)
		return 0;
	size_t want = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (n < want || (want > 2 && !is_tail(p[2])) || (want > 3 && !is_tail(p[3])))
		return 0;
	return want;
}

bool utf8_valid(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t n = s.len;
	while (n) {
		uint64_t word;
		if (n >= sizeof(word)) {
			memcpy(&word, p, sizeof(word));
			if (!(word & UINT64_C(0x8080808080808080))) {
				p += sizeof(word);
				n -= sizeof(word);
				continue;
			}
		}
		size_t len = sequence(p, n);
		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

uint32_t utf8_decode(struct slice s, size_t *len)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t n = sequence(p, s.len);
	*len = n ? n : 1;
	switch (n) {
	case 0:
		return REPLACEMENT;
	case 1:
		return p[0];
	case 2:
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3fu);
	case 3:
		return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3fu);
	default:
		return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
		       (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3fu);
	}
}

size_t utf8_encode(uint32_t rune, char out[4])
{
	if (rune > MAX_RUNE || (rune >= 0xd800 && rune < 0xe000))
		rune = REPLACEMENT;
	if (rune < 0x80) {
		out[0] = (char)rune;
		return 1;
	}
	if (rune < 0x800) {
		out[0] = (char)(0xc0 | rune >> 6);
		out[1] = (char)(0x80 | (rune & 0x3f));
		return 2;
	}
	if (rune < 0x10000) {
		out[0] = (char)(0xe0 | rune >> 12);
		out[1] = (char)(0x80 | (rune >> 6 & 0x3f));
		out[2] = (char)(0x80 | (rune & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | rune >> 18);
	out[1] = (char)(0x80 | (rune >> 12 & 0x3f));
	out[2] = (char)(0x80 | (rune >> 6 & 0x3f));
	out[3] = (char)(0x80 | (rune & 0x3f));
	return 4;
}

static bool is_printable(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= ' ' && rune < 0x7f;
	size_t low = 0, high = ARRAY_LEN(not_printable);
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (not_printable[mid].last < rune)
			low = mid + 1;
		else
			high = mid;
	}
	return low == ARRAY_LEN(not_printable) || rune < not_printable[low].first;
}

static void quote_rune(struct strbuf *out, uint32_t rune, struct slice text)
{
	static const char named[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
	const char *at = rune && rune < 0x20 ? strchr(named, (int)rune) : NULL;
	if (rune == '"' || rune == '\\')
		strbuf_addf(out, "\\%c", (char)rune);
	else if (is_printable(rune))
		strbuf_add_slice(out, text);
	else if (at)
		strbuf_addf(out, "\\%c", letters[at - named]);
	else
		strbuf_addf(out, rune < 0x80 ? "\\x%02x" : rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
}

void utf8_quote_go(struct strbuf *out, struct slice s)
{
	strbuf_addch(out, '"');
	while (s.len) {
		size_t len;
		uint32_t rune = utf8_decode(s, &len);
		if (rune == REPLACEMENT && len == 1)
			strbuf_addf(out, "\\x%02x", (unsigned)(unsigned char)s.ptr[0]);
		else
			quote_rune(out, rune, slice_of(s.ptr, len));
		s = slice_from(s, len);
	}
	strbuf_addch(out, '"');
}
