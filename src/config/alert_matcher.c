/* Two parsers of one small language. The classic one cuts at commas outside quotes and then reads name, operator and
 * the rest as value, forgiving nearly everything in it. The UTF-8 one is a proper tokenizer: names and values may be
 * quoted or bare, and a bare one ends at a reserved character. */
#include "config/alert_matcher.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "base/xmalloc.h"
#include "model/label_regex.h"
#include <stdlib.h>

VEC_DEFINE(matcher_vec, const struct matcher *);

static const char *const op_texts[] = {
    [MATCH_EQUAL] = "=", [MATCH_NOT_EQUAL] = "!=", [MATCH_REGEX] = "=~", [MATCH_NOT_REGEX] = "!~"};

static bool is_ascii_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* White space as Unicode has it, as far as Go's unicode.IsSpace goes. */
static bool is_unicode_space(uint32_t r)
{
	return (r < 0x80 && is_ascii_space((char)r)) || r == 0x85 || r == 0xa0 || r == 0x1680 ||
	       (r >= 0x2000 && r <= 0x200a) || r == 0x2028 || r == 0x2029 || r == 0x202f || r == 0x205f ||
	       r == 0x3000;
}

static bool is_reserved(uint32_t r)
{
	return is_unicode_space(r) || (r > 0 && r < 0x80 && strchr("{}!=~,\\\"'`", (int)r));
}

/* The operator `s` starts with; its length, or 0. */
static size_t read_operator(struct slice s, enum match_op *op)
{
	static const enum match_op longest_first[] = {
	    MATCH_REGEX, MATCH_NOT_REGEX, MATCH_NOT_EQUAL, MATCH_EQUAL};
	for (size_t i = 0; i < ARRAY_LEN(longest_first); i++) {
		struct slice text = slice_cstr(op_texts[longest_first[i]]);
		if (!slice_starts(s, text))
			continue;
		*op = longest_first[i];
		return text.len;
	}
	return 0;
}

static void free_regex(void *ptr)
{
	label_regex_free(ptr);
}

/* `text` between the two; it may have NULs in it. */
static struct slice wrapped(struct arena *arena, const char *before, struct slice text, const char *behind)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_adds(&sb, before);
	strbuf_add_slice(&sb, text);
	strbuf_adds(&sb, behind);
	struct slice out = arena_slice(arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return out;
}

static int compile(struct arena *arena, struct slice value, struct label_regex **out, struct err *err)
{
	bool has_dot = slice_find(value, '.') < value.len;
	struct slice expr = has_dot ? wrapped(arena, "(?-s:", value, ")") : value;
	int rc = label_regex_new(expr, out, NULL);
	if (rc == 0)
		return 0;
	/* Again, for the text of the error alone: with anchors, as Alertmanager gives it to its engine. */
	rc = label_regex_new(wrapped(arena, "^(?:", value, ")$"), out, err);
	if (rc)
		return rc;
	label_regex_free(*out);
	return label_regex_new(value, out, err);
}

int alert_matcher_new(struct arena *arena, enum match_op op, struct slice name, struct slice value,
    const struct matcher **out, struct err *err)
{
	if (op == MATCH_EQUAL || op == MATCH_NOT_EQUAL)
		return matcher_new(arena, op, name, value, out, err);
	struct label_regex *regex;
	int rc = compile(arena, value, &regex, err);
	if (rc)
		return rc;
	arena_at_free(arena, free_regex, regex);
	struct matcher *m = ARENA_NEW(arena, struct matcher);
	*m = (struct matcher){op, arena_slice(arena, name), arena_slice(arena, value), regex};
	*out = m;
	return 0;
}

static void list_take(struct matcher_vec *vec, struct arena *arena, struct alert_matcher_list *out)
{
	out->v = ARENA_ARRAY(arena, const struct matcher *, vec->len);
	out->n = vec->len;
	if (vec->len > 0)
		memcpy(out->v, vec->v, vec->len * sizeof(*out->v));
}

/* --- the classic parser ------------------------------------------------------------------------------------------ */
static bool is_classic_name_byte(char c, bool is_first)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
	return letter || (!is_first && c >= '0' && c <= '9');
}

/* Escapes of the value: \n, \", \\; any other backslash is itself. */
static int classic_value(struct slice raw, struct arena *arena, struct slice *out, struct err *err)
{
	struct slice s = raw;
	bool is_quoted = slice_starts(s, SL("\""));
	if (is_quoted)
		s = slice_from(s, 1);
	if (!utf8_valid(s))
		return err_set(err, ERR_INVALID, "matcher value not valid UTF-8: %" SL_FMT, SL_ARG(raw));
	char *text = arena_alloc(arena, s.len + 1);
	size_t n = 0;
	bool is_closed = !is_quoted;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '"') {
			if (is_closed || i + 1 < s.len)
				return err_set(err, ERR_INVALID,
				    "matcher value contains unescaped double quote: %" SL_FMT, SL_ARG(raw));
			is_closed = true;
		} else if (c != '\\' || i + 1 == s.len) {
			text[n++] = c;
		} else if ((c = s.ptr[++i]) == 'n') {
			text[n++] = '\n';
		} else {
			if (c != '"' && c != '\\')
				text[n++] = '\\';
			text[n++] = c;
		}
	}
	if (!is_closed)
		return err_set(
		    err, ERR_INVALID, "matcher value contains unescaped double quote: %" SL_FMT, SL_ARG(raw));
	*out = slice_of(text, n);
	return 0;
}

static struct slice skip_space(struct slice s)
{
	while (s.len > 0 && is_ascii_space(s.ptr[0]))
		s = slice_from(s, 1);
	return s;
}

static int classic_one(struct slice text, struct arena *arena, const struct matcher **out, struct err *err)
{
	struct slice s = skip_space(text);
	size_t n = 0;
	while (n < s.len && is_classic_name_byte(s.ptr[n], n == 0))
		n++;
	struct slice name = slice_of(s.ptr, n), value;
	s = skip_space(slice_from(s, n));
	enum match_op op;
	size_t op_len = n > 0 ? read_operator(s, &op) : 0;
	if (op_len == 0)
		return err_set(err, ERR_INVALID, "bad matcher format: %" SL_FMT, SL_ARG(text));
	int rc = classic_value(slice_trim(slice_from(s, op_len)), arena, &value, err);
	return rc ? rc : alert_matcher_new(arena, op, name, value, out, err);
}

/* Up to the comma that is outside quotes, or the end. A backslash protects a quote, in quotes or not. */
static size_t classic_item_end(struct slice s, size_t from)
{
	bool in_quotes = false, is_escaped = false;
	for (size_t i = from; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == ',' && !in_quotes)
			return i;
		if (c == '"' && !is_escaped)
			in_quotes = !in_quotes;
		is_escaped = c == '\\' && !is_escaped;
	}
	return s.len;
}

static int classic_items(struct slice s, struct arena *arena, struct matcher_vec *vec, struct err *err)
{
	if (slice_starts(s, SL("{")))
		s = slice_from(s, 1);
	if (slice_ends(s, SL("}")))
		s.len--;
	for (size_t at = 0; at <= s.len;) {
		size_t end = classic_item_end(s, at);
		struct slice item = slice_of(s.ptr + at, end - at);
		if (end == s.len) {
			item = slice_trim(item);
			if (item.len == 0)
				return 0;
		}
		const struct matcher *m;
		int rc = classic_one(item, arena, &m, err);
		if (rc)
			return rc;
		matcher_vec_push(vec, m);
		at = end + 1;
	}
	return 0;
}

static int classic_list(struct slice s, struct arena *arena, struct alert_matcher_list *out, struct err *err)
{
	struct matcher_vec vec = {0};
	int rc = classic_items(s, arena, &vec, err);
	if (rc == 0)
		list_take(&vec, arena, out);
	matcher_vec_done(&vec);
	return rc;
}

/* --- the UTF-8 parser -------------------------------------------------------------------------------------------- */
struct scanner {
	struct slice text;
	size_t at;
	struct arena *arena;
	struct err *err;
};

static int scan_error(struct scanner *sc, size_t at, const char *what)
{
	return err_set(sc->err, ERR_INVALID, "%zu:%zu: %s", at, sc->text.len, what);
}

static void scan_space(struct scanner *sc)
{
	while (sc->at < sc->text.len) {
		size_t len;
		if (!is_unicode_space(utf8_decode(slice_from(sc->text, sc->at), &len)))
			return;
		sc->at += len;
	}
}

static bool scan_char(struct scanner *sc, char c)
{
	scan_space(sc);
	if (sc->at == sc->text.len || sc->text.ptr[sc->at] != c)
		return false;
	sc->at++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* `n` digits of base 8 or 16 at *i; false when one is missing. */
static bool read_digits(struct slice s, size_t *i, size_t n, uint32_t base, uint32_t *out)
{
	uint32_t v = 0;
	for (size_t k = 0; k < n; k++, ++*i) {
		int d = *i < s.len ? hex_digit(s.ptr[*i]) : -1;
		if (d < 0 || (uint32_t)d >= base)
			return false;
		v = v * base + (uint32_t)d;
	}
	*out = v;
	return true;
}

/* One escape of a Go string literal; *i stands behind the backslash. Appends to text, false when it is none. */
static bool read_escape(struct slice s, size_t *i, char *text, size_t *n)
{
	static const char letters[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
	if (*i == s.len)
		return false;
	char c = s.ptr[*i];
	const char *simple = c ? strchr(letters, c) : NULL;
	uint32_t v;
	if (simple) {
		++*i;
		text[(*n)++] = values[simple - letters];
		return true;
	}
	if (c >= '0' && c <= '7') {
		if (!read_digits(s, i, 3, 8, &v) || v > 255)
			return false;
		text[(*n)++] = (char)v;
		return true;
	}
	size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
	++*i;
	if (digits == 0 || !read_digits(s, i, digits, 16, &v))
		return false;
	if (digits == 2) {
		text[(*n)++] = (char)v;
		return true;
	}
	if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return false;
	*n += utf8_encode(v, text + *n);
	return true;
}

/* The scanner stands behind the opening quote. */
static int scan_quoted(struct scanner *sc, struct slice *out)
{
	size_t from = sc->at - 1;
	char *text = arena_alloc(sc->arena, sc->text.len - sc->at + 4);
	size_t n = 0;
	while (sc->at < sc->text.len) {
		char c = sc->text.ptr[sc->at++];
		if (c == '"') {
			*out = slice_of(text, n);
			return utf8_valid(*out) ? 0 : scan_error(sc, from, "invalid UTF-8 in a quoted text");
		}
		if (c == '\n')
			return scan_error(sc, from, "a line break in a quoted text must be written as \\n");
		if (c != '\\')
			text[n++] = c;
		else if (!read_escape(sc->text, &sc->at, text, &n))
			return scan_error(sc, from, "unknown escape in a quoted text");
	}
	return scan_error(sc, from, "missing end \"");
}

/* A quoted text, or a run of characters that are not reserved. */
static int scan_text(struct scanner *sc, const char *expected, struct slice *out)
{
	if (scan_char(sc, '"'))
		return scan_quoted(sc, out);
	size_t from = sc->at;
	while (sc->at < sc->text.len) {
		size_t len;
		uint32_t r = utf8_decode(slice_from(sc->text, sc->at), &len);
		if (r == 0xfffd && len == 1)
			return scan_error(sc, sc->at, "invalid UTF-8");
		if (is_reserved(r))
			break;
		sc->at += len;
	}
	*out = slice_of(sc->text.ptr + from, sc->at - from);
	return out->len > 0 ? 0 : scan_error(sc, from, expected);
}

static int scan_matcher(struct scanner *sc, struct matcher_vec *vec)
{
	struct slice name, value;
	enum match_op op;
	int rc = scan_text(sc, "expected label name", &name);
	if (rc)
		return rc;
	scan_space(sc);
	size_t op_len = read_operator(slice_from(sc->text, sc->at), &op);
	if (op_len == 0)
		return scan_error(sc, sc->at, "expected an operator such as '=', '!=', '=~' or '!~'");
	sc->at += op_len;
	const struct matcher *m;
	rc = scan_text(sc, "expected label value (an empty one is written \"\")", &value);
	if (rc == 0)
		rc = alert_matcher_new(sc->arena, op, name, value, &m, sc->err);
	if (rc == 0)
		matcher_vec_push(vec, m);
	return rc;
}

static bool at_end(struct scanner *sc)
{
	scan_space(sc);
	return sc->at == sc->text.len;
}

static int scan_matchers(struct scanner *sc, struct matcher_vec *vec)
{
	bool has_brace = scan_char(sc, '{'), is_closed = false;
	while (!at_end(sc) && !is_closed) {
		if (has_brace && scan_char(sc, '}')) {
			is_closed = true;
			break;
		}
		int rc = scan_matcher(sc, vec);
		if (rc)
			return rc;
		if (scan_char(sc, ','))
			continue;
		is_closed = has_brace && scan_char(sc, '}');
		if (!is_closed && !at_end(sc))
			return scan_error(sc, sc->at, "expected a comma or close brace");
	}
	if (has_brace && !is_closed)
		return scan_error(sc, sc->at, "expected close brace");
	return at_end(sc) ? 0 : scan_error(sc, sc->at, "expected end of input");
}

static int utf8_list(struct slice s, struct arena *arena, struct alert_matcher_list *out, struct err *err)
{
	struct scanner sc = {s, 0, arena, err};
	struct matcher_vec vec = {0};
	int rc = scan_matchers(&sc, &vec);
	if (rc == 0)
		list_take(&vec, arena, out);
	matcher_vec_done(&vec);
	return rc;
}

/* --- both -------------------------------------------------------------------------------------------------------- */
static bool same_list(const struct alert_matcher_list *a, const struct alert_matcher_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (alert_matcher_cmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static struct slice suggest(const struct alert_matcher_list *l, struct slice text, struct arena *arena)
{
	struct strbuf sb = STRBUF_INIT;
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0)
			strbuf_addch(&sb, ',');
		alert_matcher_print(&sb, l->v[i]);
	}
	struct slice note = arena_printf(arena,
	    "matcher %" SL_FMT " is only valid in the classic syntax (write it as %" SL_FMT ")", SL_ARG(text),
	    SL_ARG(strbuf_slice(&sb)));
	strbuf_done(&sb);
	return note;
}

/* Where both readings succeed and differ, the old one holds, so that no existing file changes its meaning. */
static int fallback_list(struct slice text, struct arena *arena, struct alert_matcher_list *out,
    struct slice *note, struct err *err)
{
	struct alert_matcher_list strict, classic;
	int strict_rc = utf8_list(text, arena, &strict, NULL);
	int classic_rc = classic_list(text, arena, &classic, err);
	if (strict_rc && classic_rc)
		return classic_rc;
	if (strict_rc && note)
		*note = suggest(&classic, text, arena);
	else if (!strict_rc && !classic_rc && !same_list(&strict, &classic) && note)
		*note = suggest(&classic, text, arena);
	*out = classic_rc ? strict : classic;
	return 0;
}

int alert_matcher_parse(struct slice text, enum alert_matcher_mode mode, struct arena *arena,
    struct alert_matcher_list *out, struct slice *note, struct err *err)
{
	switch (mode) {
	case ALERT_MATCHER_UTF8:
		return utf8_list(text, arena, out, err);
	case ALERT_MATCHER_CLASSIC:
		return classic_list(text, arena, out, err);
	case ALERT_MATCHER_FALLBACK:
		break;
	}
	return fallback_list(text, arena, out, note, err);
}

int alert_matcher_parse_one(struct slice text, enum alert_matcher_mode mode, struct arena *arena,
    const struct matcher **out, struct err *err)
{
	if (slice_starts(text, SL("{")) || slice_ends(text, SL("}")))
		return err_set(err, ERR_INVALID, "unexpected open or close brace: %" SL_FMT, SL_ARG(text));
	struct alert_matcher_list list;
	int rc = alert_matcher_parse(text, mode, arena, &list, NULL, err);
	if (rc)
		return rc;
	if (list.n != 1)
		return err_set(
		    err, ERR_INVALID, "%s", list.n ? "expected 1 matcher, found more" : "no matchers");
	*out = list.v[0];
	return 0;
}

/* --- printing ---------------------------------------------------------------------------------------------------- */
static bool has_reserved(struct slice s)
{
	while (s.len > 0) {
		size_t len;
		if (is_reserved(utf8_decode(s, &len)))
			return true;
		s = slice_from(s, len);
	}
	return false;
}

static void print_escaped(struct strbuf *out, struct slice s)
{
	strbuf_addch(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n')
			strbuf_adds(out, "\\n");
		else if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			strbuf_addf(out, "\\%c", s.ptr[i]);
		else
			strbuf_addch(out, s.ptr[i]);
	}
	strbuf_addch(out, '"');
}

void alert_matcher_print(struct strbuf *out, const struct matcher *m)
{
	bool must_quote = has_reserved(m->name);
	if (must_quote)
		utf8_quote_go(out, m->name);
	else
		strbuf_add_slice(out, m->name);
	strbuf_adds(out, op_texts[m->op]);
	if (must_quote)
		utf8_quote_go(out, m->value);
	else
		print_escaped(out, m->value);
}

void alert_matchers_print(struct strbuf *out, const struct matcher *const *v, size_t n)
{
	strbuf_addch(out, '{');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_addch(out, ',');
		alert_matcher_print(out, v[i]);
	}
	strbuf_addch(out, '}');
}

int alert_matcher_cmp(const struct matcher *a, const struct matcher *b)
{
	/* Alertmanager's order of operators is that of enum match_op. */
	int c = slice_cmp(a->name, b->name);
	if (c == 0)
		c = slice_cmp(a->value, b->value);
	return c ? c : (a->op > b->op) - (a->op < b->op);
}
