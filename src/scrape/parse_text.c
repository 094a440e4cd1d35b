/* The walker. A line of a series is
 *
 *   name{label="value",...} 1.5 1700000000000
 *
 * and its raw text ends at the first blank, or at the brace that closes the labels: the first '}' outside of quotes. That
 * brace is found 64 bytes at a time: with one bit per byte, the prefix-xor of the quote bits is 1 inside of quotes. A
 * backslash in the block sends it to the byte-wise loop. */
#include "scrape/parse_text.h"

#include "base/double_text.h"
#include "base/vec.h"
#include "model/stale_marker.h"
#include "scrape/parse_text_strict.h"

#include <assert.h>
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

void text_parser_init(struct text_parser *p, struct slice body)
{
	assert(body.len > 0 && body.ptr[body.len - 1] == '\n');
	*p = (struct text_parser){
	    .body = body.ptr, .end = body.ptr + body.len, .at = body.ptr, .start = body.ptr};
}

/* --- where a label block ends ---------------------------------------------------------------------------------------------- */

/* From behind '{'; the place behind '}', or NULL. */
static const char *block_end_bytewise(const char *p, const char *end)
{
	bool quoted = false;
	for (; p < end; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '\\' && quoted && ++p == end)
			return NULL;
		else if (*p == '}' && !quoted)
			return p + 1;
	}
	return NULL;
}

#ifdef __SSE2__

struct bits {
	uint64_t quote, backslash, brace;
};

static inline uint64_t equal_bits(const __m128i v[4], char c)
{
	__m128i want = _mm_set1_epi8(c);
	uint64_t bits = 0;
	for (int i = 0; i < 4; i++)
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[i], want)) << (16 * i);
	return bits;
}

static inline struct bits bits_of(const char *p)
{
	__m128i v[4];
	for (int i = 0; i < 4; i++)
		memcpy(&v[i], p + 16 * i, sizeof(v[i]));
	return (struct bits){equal_bits(v, '"'), equal_bits(v, '\\'), equal_bits(v, '}')};
}

static inline uint64_t prefix_xor(uint64_t x)
{
	for (int shift = 1; shift < 64; shift <<= 1)
		x ^= x << shift;
	return x;
}

static const char *block_end(const char *p, const char *end)
{
	uint64_t carried = 0; /* all ones: the block before ended inside quotes */
	for (const char *at = p; end - at >= 64; at += 64) {
		struct bits b = bits_of(at);
		uint64_t quoted = prefix_xor(b.quote) ^ carried;
		uint64_t closing = b.brace & ~quoted;
		uint64_t before = closing ? (closing & -closing) - 1 : ~UINT64_C(0);
		if (b.backslash & before)
			return block_end_bytewise(p, end);
		if (closing)
			return at + __builtin_ctzll(closing) + 1;
		carried = (uint64_t)((int64_t)quoted >> 63);
	}
	return block_end_bytewise(p, end);
}

/* The first byte that is '{' or not above a blank. */
static inline const char *name_end(const char *p, const char *end)
{
	const __m128i brace = _mm_set1_epi8('{'), blank = _mm_set1_epi8(' ');
	for (; end - p >= 16; p += 16) {
		__m128i v;
		memcpy(&v, p, sizeof(v));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, blank), v);
		unsigned bits = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(v, brace)));
		if (bits)
			return p + __builtin_ctz(bits);
	}
	while (p < end && (unsigned char)*p > ' ' && *p != '{')
		p++;
	return p;
}

#else

static const char *block_end(const char *p, const char *end)
{
	return block_end_bytewise(p, end);
}

static const char *name_end(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p > ' ' && *p != '{')
		p++;
	return p;
}

#endif

/* --- values and timestamps ---------------------------------------------------------------------------------------------------- */

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static inline const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Whole numbers of up to 15 digits are exact in a double; the rest goes the general way. NULL: not a number. The body ends
 * with a newline, so a loop that stops there needs no bound. */
static inline const char *take_value(const char *p, double *v)
{
	const char *at = p;
	bool negative = *at == '-';
	at += negative;
	uint64_t n = 0;
	const char *digits = at;
	while (is_digit(*at))
		n = n * 10 + (uint64_t)(*at++ - '0');
	if (at > digits && at - digits <= 15 && (unsigned char)*at <= ' ') {
		*v = negative ? -(double)n : (double)n;
		return at;
	}
	while ((unsigned char)*at > ' ' && *at != '{')
		at++;
	if (!double_parse(slice_of(p, (size_t)(at - p)), v))
		return NULL;
	if (isnan(*v))
		*v = double_from_bits(NORMAL_NAN_BITS);
	return at;
}

/* Digits to the newline; false: not so, or too many. */
static const char *take_time(const char *p, int64_t *t_ms)
{
	uint64_t n = 0;
	const char *digits = p;
	while (is_digit(*p))
		n = n * 10 + (uint64_t)(*p++ - '0');
	if (p == digits || p - digits > 18)
		return NULL;
	*t_ms = (int64_t)n;
	p = skip_blanks(p);
	return *p == '\n' ? p : NULL;
}

/* --- entries ------------------------------------------------------------------------------------------------------------------ */

/* The series at p->start, or false: let the strict parser see. */
static bool walk_series(struct text_parser *p)
{
	const char *at = name_end(p->start, p->end);
	const char *behind_name = skip_blanks(at);
	if (*behind_name == '{') {
		at = block_end(behind_name + 1, p->end);
		if (!at)
			return false;
	}
	p->series = slice_of(p->start, (size_t)(at - p->start));
	at = take_value(skip_blanks(at), &p->value);
	if (!at)
		return false;
	at = skip_blanks(at);
	p->has_time = *at != '\n';
	if (p->has_time) {
		at = take_time(at, &p->t_ms);
		if (!at)
			return false;
	}
	p->entry = TEXT_SERIES;
	p->at = at + 1;
	return true;
}

int text_parser_next(struct text_parser *p, struct err *err)
{
	const char *at = p->at;
	while (at < p->end && (*at == '\n' || *at == ' ' || *at == '\t'))
		at++;
	if (at == p->end) {
		p->at = p->end;
		return 1;
	}
	p->start = at;
	if (*at != '#' && *at != '\0' && walk_series(p))
		return 0;
	return text_strict_entry(p, err);
}

/* --- labels -------------------------------------------------------------------------------------------------------------------- */

struct slice text_unescape(struct slice s, bool quoted, struct arena *arena)
{
	size_t at = slice_find(s, '\\');
	if (at == s.len)
		return s;
	char *text = (char *)arena_alloc(arena, s.len);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		char next = s.ptr[i] == '\\' && i + 1 < s.len ? s.ptr[i + 1] : '\0';
		bool known = next == '\\' || next == 'n' || (quoted && next == '"');
		text[n++] = !known ? s.ptr[i] : next == 'n' ? '\n' : next;
		i += known;
	}
	return slice_of(text, n);
}

/* As OpenMetrics writes numbers, so that one bucket has one name whoever exposes it. */
static struct slice normalised_float(struct slice s, struct arena *arena)
{
	double v;
	if (!double_parse(s, &v))
		return s;
	char text[DOUBLE_TEXT_MAX + 2];
	size_t n = double_to_go_g(v, text);
	bool plain = isfinite(v) && !memchr(text, '.', n) && !memchr(text, 'e', n);
	if (plain) {
		text[n++] = '.';
		text[n++] = '0';
	}
	return n == s.len && memcmp(text, s.ptr, n) == 0 ? s : arena_slice(arena, slice_of(text, n));
}

static bool holds_float(enum metric_type type, struct slice name)
{
	return (type == METRIC_HISTOGRAM && slice_eq(name, SL("le"))) ||
	       (type == METRIC_SUMMARY && slice_eq(name, SL("quantile")));
}

struct slice text_normal_value(
    enum metric_type type, struct slice name, struct slice value, struct arena *arena)
{
	return holds_float(type, name) ? normalised_float(value, arena) : value;
}

int text_series_labels(
    struct text_parser *p, struct arena *arena, struct label **out, size_t *n, struct err *err)
{
	struct text_series parts;
	if (!text_strict_series(p->series, arena, &parts)) {
		int rc = text_strict_entry(p, err);
		if (rc < 0)
			return rc;
		if (rc > 0 || p->entry != TEXT_SERIES || !text_strict_series(p->series, arena, &parts))
			return err_set(err, ERR_INVALID, "expected a series");
	}
	struct label *l = ARENA_ARRAY(arena, struct label, parts.n + 1);
	l[0] = (struct label){
	    SL(LABEL_NAME), parts.name_quoted ? text_unescape(parts.name, true, arena) : parts.name};
	for (size_t i = 0; i < parts.n; i++) {
		const struct text_label *from = &parts.labels[i];
		struct slice name = from->name_quoted ? text_unescape(from->name, true, arena) : from->name;
		struct slice value = text_unescape(from->value, true, arena);
		l[i + 1] = (struct label){name, text_normal_value(p->type, name, value, arena)};
	}
	*out = l;
	*n = parts.n + 1;
	return 0;
}
