#include "base/json.h"

#include "base/double_text.h"
#include "base/utf8.h"

#include <assert.h>
#include <math.h>

void json_init(struct json *j, struct strbuf *out)
{
	/* Deeper levels are set when they are begun. */
	j->out = out;
	j->depth = 0;
	j->has_item[0] = false;
	j->after_key = false;
	j->long_exponents = false;
}

/* The comma before an item, unless it is the first, or the value of a key. */
static void before_item(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->has_item[j->depth])
		strbuf_addch(j->out, ',');
	j->has_item[j->depth] = true;
}

static void begin(struct json *j, char bracket)
{
	before_item(j);
	strbuf_addch(j->out, bracket);
	assert(j->depth + 1 < JSON_MAX_DEPTH);
	j->has_item[++j->depth] = false;
}

static void end(struct json *j, char bracket)
{
	assert(j->depth > 0 && !j->after_key);
	j->depth--;
	strbuf_addch(j->out, bracket);
}

void json_object_begin(struct json *j)
{
	begin(j, '{');
}

void json_object_end(struct json *j)
{
	end(j, '}');
}

void json_array_begin(struct json *j)
{
	begin(j, '[');
}

void json_array_end(struct json *j)
{
	end(j, ']');
}

void json_key(struct json *j, const char *key)
{
	json_key_slice(j, slice_cstr(key));
}

void json_key_slice(struct json *j, struct slice key)
{
	json_label(j, key);
	strbuf_addch(j->out, ':');
	j->after_key = true;
}

/* What a byte needs inside a string. */
enum { ESCAPE_ALWAYS = 1, ESCAPE_HTML = 2, NOT_ASCII = 4 };

static unsigned char_class(unsigned char c)
{
	if (c < 0x20 || c == '"' || c == '\\')
		return ESCAPE_ALWAYS;
	if (c == '<' || c == '>' || c == '&')
		return ESCAPE_HTML;
	return c >= 0x80 ? NOT_ASCII : 0;
}

static void put_escape(struct strbuf *out, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		strbuf_addch(out, '\\');
		strbuf_addch(out, (char)c);
		break;
	case '\n':
		strbuf_adds(out, "\\n");
		break;
	case '\r':
		strbuf_adds(out, "\\r");
		break;
	case '\t':
		strbuf_adds(out, "\\t");
		break;
	default:
		strbuf_addf(out, "\\u%04x", c);
	}
}

/* Writes the sequence at the start of `s`, whose first byte is not ASCII; returns its length. */
static size_t put_rune(struct strbuf *out, struct slice s)
{
	size_t len;
	uint32_t rune = utf8_decode(s, &len);
	if (rune == 0xfffd && len == 1)
		strbuf_adds(out, "\\ufffd");
	else if (rune == 0x2028 || rune == 0x2029)
		strbuf_addf(out, "\\u%04x", rune);
	else
		strbuf_add(out, s.ptr, len);
	return len;
}

/* Quotes `s`; bytes whose class is in `escape` are escaped, runs of the others are copied as they are. */
static void put_quoted(struct json *j, struct slice s, unsigned escape)
{
	struct strbuf *out = j->out;
	before_item(j);
	strbuf_addch(out, '"');
	size_t done = 0;
	for (size_t i = 0; i < s.len;) {
		unsigned class = char_class((unsigned char)s.ptr[i]) & escape;
		if (likely(!class)) {
			i++;
			continue;
		}
		strbuf_add(out, s.ptr + done, i - done);
		if (class == NOT_ASCII)
			i += put_rune(out, slice_from(s, i));
		else
			put_escape(out, (unsigned char)s.ptr[i++]);
		done = i;
	}
	if (done < s.len)
		strbuf_add(out, s.ptr + done, s.len - done);
	strbuf_addch(out, '"');
}

void json_string(struct json *j, struct slice s)
{
	put_quoted(j, s, ESCAPE_ALWAYS | ESCAPE_HTML | NOT_ASCII);
}

void json_cstr(struct json *j, const char *s)
{
	json_string(j, slice_cstr(s));
}

void json_label(struct json *j, struct slice s)
{
	put_quoted(j, s, ESCAPE_ALWAYS);
}

void json_raw(struct json *j, struct slice text)
{
	before_item(j);
	strbuf_add_slice(j->out, text);
}

/* Decimal digits of `v`, ending at `end`; returns their start. */
static char *digits_before(char *end, uint64_t v)
{
	do
		*--end = (char)('0' + v % 10);
	while (v /= 10);
	return end;
}

void json_uint(struct json *j, uint64_t v)
{
	char text[24], *p = digits_before(text + sizeof(text), v);
	json_raw(j, slice_of(p, (size_t)(text + sizeof(text) - p)));
}

static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void json_int(struct json *j, int64_t v)
{
	char text[24], *p = digits_before(text + sizeof(text), magnitude(v));
	if (v < 0)
		*--p = '-';
	json_raw(j, slice_of(p, (size_t)(text + sizeof(text) - p)));
}

void json_bool(struct json *j, bool v)
{
	json_raw(j, v ? SL("true") : SL("false"));
}

void json_null(struct json *j)
{
	json_raw(j, SL("null"));
}

void json_double(struct json *j, double v)
{
	if (!isfinite(v)) {
		json_null(j);
		return;
	}
	char text[DOUBLE_TEXT_MAX];
	size_t n = double_to_json(v, text);
	/* Go's encoding/json writes 1e-7 where strconv has 1e-07. */
	if (!j->long_exponents && n >= 4 && memcmp(text + n - 4, "e-0", 3) == 0) {
		text[n - 2] = text[n - 1];
		n--;
	}
	json_raw(j, slice_of(text, n));
}

void json_sample_value(struct json *j, double v)
{
	before_item(j);
	char *p = strbuf_reserve(j->out, DOUBLE_TEXT_MAX + 2);
	if (!p)
		return;
	p[0] = '"';
	size_t n = double_to_json(v, p + 1);
	p[n + 1] = '"';
	strbuf_advance(j->out, n + 2);
}

void json_timestamp(struct json *j, int64_t t_ms)
{
	char text[32], *p = text + sizeof(text);
	uint64_t m = magnitude(t_ms);
	unsigned ms = (unsigned)(m % 1000);
	if (ms) {
		*--p = (char)('0' + ms % 10);
		*--p = (char)('0' + ms / 10 % 10);
		*--p = (char)('0' + ms / 100);
		*--p = '.';
	}
	p = digits_before(p, m / 1000);
	if (t_ms < 0)
		*--p = '-';
	json_raw(j, slice_of(p, (size_t)(text + sizeof(text) - p)));
}
