#include "promql/string_literal.h"
#include "base/strbuf.h"
#include "base/utf8.h"

enum { END_OF_TEXT = -1, REPLACEMENT = 0xfffd, MAX_RUNE = 0x10ffff };

struct reader {
	struct slice text;
	size_t pos;
	char *out;
	size_t len;
	struct arena *arena;
};

struct slice quote_rune(struct arena *arena, struct slice text)
{
	size_t n = 0;
	uint32_t rune = text.len ? utf8_decode(text, &n) : REPLACEMENT;
	if (rune == '"')
		return SL("'\"'");
	if (rune == '\'')
		return SL("'\\''");
	char utf8[4];
	struct strbuf quoted = STRBUF_INIT;
	utf8_quote_go(&quoted, slice_of(utf8, utf8_encode(rune, utf8)));
	quoted.ptr[0] = quoted.ptr[quoted.len - 1] = '\'';
	struct slice s = arena_slice(arena, strbuf_slice(&quoted));
	strbuf_done(&quoted);
	return s;
}

static int32_t next_rune(struct reader *r)
{
	if (r->pos >= r->text.len)
		return END_OF_TEXT;
	size_t n;
	uint32_t rune = utf8_decode(slice_from(r->text, r->pos), &n);
	r->pos += n;
	return (int32_t)rune;
}

/* "U+0071 'q'", as Go's %#U. The rune is the one that ends at r->pos. */
static int bad_rune(struct reader *r, int32_t rune, const char *before, const char *after, struct err *err)
{
	char utf8[4];
	struct slice quoted = quote_rune(r->arena, slice_of(utf8, utf8_encode((uint32_t)rune, utf8)));
	/* An unprintable one, which would be written as an escape, goes without its picture. */
	bool picture = quoted.len > 2 && (quoted.ptr[1] != '\\' || rune == '\\' || rune == '\'');
	struct slice shown = rune == '\\' ? SL("'\\'") : rune == '\'' ? SL("'''") : quoted;
	if (!picture)
		return err_set(err, ERR_INVALID, "%sU+%04X%s", before, (unsigned)rune, after);
	return err_set(
	    err, ERR_INVALID, "%sU+%04X %" SL_FMT "%s", before, (unsigned)rune, SL_ARG(shown), after);
}

static void put_rune(struct reader *r, uint32_t rune)
{
	r->len += utf8_encode(rune, r->out + r->len);
}

static unsigned digit_value(int32_t c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A' + 10);
	return 16;
}

/* \NNN, \xNN, \uNNNN, \UNNNNNNNN: `n` digits, the first of them is `c`. */
static int read_numeric_escape(
    struct reader *r, int32_t c, int n, unsigned base, bool is_byte, struct err *err)
{
	uint32_t x = 0;
	for (; n > 0; n--) {
		unsigned d = digit_value(c);
		if (c == END_OF_TEXT)
			return err_set(err, ERR_INVALID, "escape sequence not terminated");
		if (d >= base)
			return bad_rune(r, c, "illegal character ", " in escape sequence", err);
		x = x * base + d;
		if (n > 1)
			c = next_rune(r);
	}
	if (x > (is_byte ? 255u : MAX_RUNE) || (x >= 0xd800 && x < 0xe000))
		return err_set(err, ERR_INVALID, "escape sequence is an invalid Unicode code point");
	if (is_byte)
		r->out[r->len++] = (char)x;
	else
		put_rune(r, x);
	return 0;
}

static int read_escape(struct reader *r, int32_t quote, struct err *err)
{
	static const char letters[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	int32_t c = next_rune(r);
	if (c == END_OF_TEXT)
		return err_set(err, ERR_INVALID, "escape sequence not terminated");
	const char *letter = c > 0 && c < 0x80 ? strchr(letters, c) : NULL;
	if (letter) {
		r->out[r->len++] = values[letter - letters];
		return 0;
	}
	if (c == quote) {
		r->out[r->len++] = (char)c;
		return 0;
	}
	if (c >= '0' && c <= '7')
		return read_numeric_escape(r, c, 3, 8, true, err);
	switch (c) {
	case 'x':
		return read_numeric_escape(r, next_rune(r), 2, 16, true, err);
	case 'u':
		return read_numeric_escape(r, next_rune(r), 4, 16, false, err);
	case 'U':
		return read_numeric_escape(r, next_rune(r), 8, 16, false, err);
	default:
		return bad_rune(r, c, "unknown escape sequence ", "", err);
	}
}

static int read_body(struct reader *r, int32_t quote, struct err *err)
{
	for (;;) {
		int32_t c = next_rune(r);
		if (c == quote)
			return 0;
		/* A literal U+FFFD is refused too: upstream cannot tell it from bytes that are not UTF-8. */
		if (c == REPLACEMENT)
			return err_set(err, ERR_INVALID, "invalid UTF-8 rune");
		if (quote == '`' && c == END_OF_TEXT)
			return err_set(err, ERR_INVALID, "unterminated raw string");
		if (quote != '`' && (c == END_OF_TEXT || c == '\n'))
			return err_set(err, ERR_INVALID, "unterminated quoted string");
		if (quote == '`' || c != '\\') {
			put_rune(r, (uint32_t)c);
			continue;
		}
		int rc = read_escape(r, quote, err);
		if (rc)
			return rc;
	}
}

/* How long the literal at the front can be at most. */
static size_t literal_extent(struct slice text)
{
	char quote = text.ptr[0];
	size_t i = 1;
	while (i < text.len && text.ptr[i] != quote)
		i += text.ptr[i] == '\\' && quote != '`' ? 2 : 1;
	return i < text.len ? i + 1 : text.len;
}

int string_literal_read(
    struct arena *arena, struct slice text, struct slice *value, size_t *len, struct err *err)
{
	struct reader r = {.text = text, .arena = arena};
	int32_t quote = next_rune(&r);
	if (quote != '"' && quote != '\'' && quote != '`')
		return err_set(err, ERR_INVALID, "not a string literal");
	/* No escape is longer than what it is written as, so the value fits where the literal fits. */
	r.out = (char *)arena_alloc(arena, literal_extent(text) + 4);
	int rc = read_body(&r, quote, err);
	if (rc)
		return rc;
	*value = slice_of(r.out, r.len);
	*len = r.pos;
	return 0;
}

int string_literal_parse(struct arena *arena, struct slice text, struct slice *value, struct err *err)
{
	struct slice v;
	size_t len;
	int rc = string_literal_read(arena, text, &v, &len, err);
	if (rc)
		return rc;
	if (len != text.len)
		return err_set(err, ERR_INVALID, "text after the end of the string literal");
	*value = v;
	return 0;
}
