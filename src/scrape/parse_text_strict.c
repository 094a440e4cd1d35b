/* Which tokens are legal depends on the state, which tokens change; white space goes between any two.
 *
 *   INIT     newline, '#' comment, HELP, TYPE (-> META1), name (-> VALUE), '{' (-> LABELS)
 *   META1    name or "quoted name" (-> META2)         META2   the rest of the line (-> INIT)
 *   LABELS   label name, "quoted", '=' (-> LVALUE), ',', '}' (-> VALUE)
 *   LVALUE   "quoted" (-> LABELS)
 *   VALUE    '{' (-> LABELS), anything up to a blank (-> TIME)      TIME   digits, newline (-> INIT)
 */
#include "scrape/parse_text_strict.h"

#include "base/double_text.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "model/stale_marker.h"
#include "scrape/exposition_lexer.h"

#include <math.h>

enum state { S_INIT, S_META1, S_META2, S_LABELS, S_LVALUE, S_VALUE, S_TIME };

/* --- tokens -------------------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "...": a backslash takes the next character with it, which may not be a newline. Without its end the lexer has read to
 * where it failed. */
static enum token take_quoted(struct lexer *l, enum state next, enum token t)
{
	const char *p = l->at + 1;
	for (; p < l->end; p++) {
		if (*p == '"')
			return lexer_take(l, (size_t)(p + 1 - l->at), next, t);
		if (*p == '\\' && (++p == l->end || *p == '\n'))
			break;
	}
	l->at = p < l->end ? p : l->end;
	return T_INVALID;
}

static bool starts(const struct lexer *l, const char *p, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(l->end - p) > n && memcmp(p, word, n) == 0 && is_blank(p[n]);
}

/* A NUL ends the document, wherever upstream's lexer sees one outside of names and values. */
static enum token take_comment(struct lexer *l)
{
	const char *p = l->at + 1;
	while (p < l->end && is_blank(*p))
		p++;
	bool apart = p > l->at + 1;
	bool help = apart && starts(l, p, "HELP"), type = apart && starts(l, p, "TYPE");
	if (help || type) {
		p += 4;
		while (p < l->end && is_blank(*p))
			p++;
		return lexer_take(l, (size_t)(p - l->at), S_META1, help ? T_HELP : T_TYPE);
	}
	while (p < l->end && *p != '\n' && *p != '\0')
		p++;
	return lexer_take(l, (size_t)(p - l->at), S_INIT, p == l->end || *p == '\0' ? T_EOF : T_COMMENT);
}

static enum token take_value(struct lexer *l)
{
	if (*l->at == '{')
		return lexer_take(l, 1, S_LABELS, T_BRACE_OPEN);
	const char *p = l->at;
	while (p < l->end && !is_blank(*p) && *p != '\n' && *p != '{')
		p++;
	return p == l->at ? T_INVALID : lexer_take(l, (size_t)(p - l->at), S_TIME, T_VALUE);
}

static enum token take_time(struct lexer *l)
{
	if (*l->at == '\n')
		return lexer_take(l, 1, S_INIT, T_LINEBREAK);
	const char *p = l->at;
	while (p < l->end && is_digit(*p))
		p++;
	return p == l->at ? T_INVALID : lexer_take(l, (size_t)(p - l->at), S_TIME, T_TIMESTAMP);
}

static enum token take_in_labels(struct lexer *l)
{
	switch (*l->at) {
	case '}':
		return lexer_take(l, 1, S_VALUE, T_BRACE_CLOSE);
	case '=':
		return lexer_take(l, 1, S_LVALUE, T_EQUAL);
	case ',':
		return lexer_take(l, 1, S_LABELS, T_COMMA);
	case '"':
		return take_quoted(l, S_LABELS, T_QUOTED);
	default:
		return lexer_take_name(l, false, S_LABELS, T_LABEL_NAME);
	}
}

static enum token take_at_start(struct lexer *l)
{
	switch (*l->at) {
	case '\0':
		return T_EOF;
	case '\n':
		return lexer_take(l, 1, S_INIT, T_LINEBREAK);
	case '#':
		return take_comment(l);
	case '{':
		return lexer_take(l, 1, S_LABELS, T_BRACE_OPEN);
	default:
		return lexer_take_name(l, true, S_VALUE, T_NAME);
	}
}

/* The rest of the line; blanks alone are white space. */
static enum token take_text(struct lexer *l)
{
	const char *p = (const char *)memchr(l->token, '\n', (size_t)(l->end - l->token));
	const char *text = l->token;
	p = p ? p : l->end;
	if (l->at == p)
		text = p;
	l->token = text;
	l->at = p;
	l->state = S_INIT;
	return T_TEXT;
}

static enum token next_token(struct lexer *l)
{
	l->token = l->at;
	while (l->at < l->end && is_blank(*l->at))
		l->at++;
	if (l->state == S_META2)
		return take_text(l);
	l->token = l->at;
	if (l->at == l->end)
		return T_EOF;
	switch (l->state) {
	case S_INIT:
		return take_at_start(l);
	case S_META1:
		return *l->at == '"' ? take_quoted(l, S_META2, T_NAME)
				     : lexer_take_name(l, true, S_META2, T_NAME);
	case S_LABELS:
		return take_in_labels(l);
	case S_LVALUE:
		return *l->at == '"' ? take_quoted(l, S_LABELS, T_LABEL_VALUE) : T_INVALID;
	case S_VALUE:
		return take_value(l);
	case S_TIME:
		return take_time(l);
	case S_META2:
		break;
	}
	return T_INVALID;
}

/* --- series -------------------------------------------------------------------------------------------------------------- */

VEC_DEFINE(text_label_vec, struct text_label);

struct series_parts {
	struct slice name; /* ptr NULL: not set yet */
	bool name_quoted;
	struct text_label_vec *labels; /* NULL: not wanted */
};

/* From behind '{' to behind '}'. */
static int parse_labels(struct lexer *l, struct series_parts *parts, struct err *err)
{
	enum token t = next_token(l);
	while (t != T_BRACE_CLOSE) {
		struct slice text = lexer_token_text(l);
		if (t != T_LABEL_NAME && t != T_QUOTED)
			return lexer_unexpected(l, "expected label name", t, err);
		enum token before = t;
		t = next_token(l);
		if (t == T_COMMA || t == T_BRACE_CLOSE) { /* a name that stands alone is the metric's */
			if (parts->name.ptr)
				return lexer_error(l, "metric name already set", (struct slice){0}, "", err);
			/* Upstream takes the first and last byte off, quotes or not. */
			parts->name = slice_of(text.ptr + 1, text.len >= 2 ? text.len - 2 : 0);
			parts->name_quoted = before == T_QUOTED;
			if (t == T_COMMA)
				t = next_token(l);
			continue;
		}
		struct text_label label;
		label.name = lexer_unquote(text, &label.name_quoted);
		if (t != T_EQUAL)
			return lexer_unexpected(l, "expected equal", t, err);
		t = next_token(l);
		if (t != T_LABEL_VALUE)
			return lexer_unexpected(l, "expected label value", t, err);
		if (!utf8_valid(lexer_token_text(l)))
			return lexer_error(NULL, "invalid UTF-8 label value: ", lexer_token_text(l), "", err);
		bool quoted;
		label.value = lexer_unquote(lexer_token_text(l), &quoted);
		if (parts->labels)
			text_label_vec_push(parts->labels, label);
		t = next_token(l);
		if (t == T_COMMA)
			t = next_token(l);
	}
	return 0;
}

static bool parse_int(struct slice s, int64_t *v)
{
	uint64_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s.ptr[i] - '0'), &n))
			return false;
	*v = (int64_t)n;
	return n <= INT64_MAX;
}

/* What follows the series: its value and perhaps a timestamp. `t` is the token behind the series. */
static int parse_suffix(struct lexer *l, enum token t, struct text_parser *p, struct err *err)
{
	if (t != T_VALUE)
		return lexer_unexpected(l, "expected value after metric", t, err);
	double v;
	if (!double_parse(lexer_token_text(l), &v))
		return lexer_bad_float(l, lexer_token_text(l), err);
	p->value = isnan(v) ? double_from_bits(NORMAL_NAN_BITS) : v;
	p->has_time = false;
	t = next_token(l);
	if (t == T_LINEBREAK)
		return 0;
	if (t != T_TIMESTAMP)
		return lexer_unexpected(l, "expected timestamp or new record", t, err);
	p->has_time = true;
	if (!parse_int(lexer_token_text(l), &p->t_ms))
		return lexer_error(
		    l, "strconv.ParseInt: parsing ", lexer_token_text(l), ": value out of range", err);
	t = next_token(l);
	return t == T_LINEBREAK ? 0 : lexer_unexpected(l, "expected next entry after timestamp", t, err);
}

static int parse_series(struct lexer *l, enum token t, struct text_parser *p, struct err *err)
{
	struct series_parts parts = {0};
	if (t == T_NAME) {
		parts.name = lexer_token_text(l);
		p->series = slice_of(l->token, (size_t)(l->at - l->token));
		t = next_token(l);
	}
	const char *first = parts.name.ptr ? parts.name.ptr : l->token;
	if (t == T_BRACE_OPEN) {
		int rc = parse_labels(l, &parts, err);
		if (rc < 0)
			return rc;
		p->series = slice_of(first, (size_t)(l->at - first));
		t = next_token(l);
	}
	if (!parts.name.ptr)
		return lexer_error(l, "metric name not set", (struct slice){0}, "", err);
	p->entry = TEXT_SERIES;
	return parse_suffix(l, t, p, err);
}

/* --- metadata -------------------------------------------------------------------------------------------------------------- */

static int parse_type(struct text_parser *p, struct slice text, struct err *err)
{
	bool known;
	enum metric_type type = metric_type_parse(text, &known);
	bool legal = type == METRIC_COUNTER || type == METRIC_GAUGE || type == METRIC_HISTOGRAM ||
		     type == METRIC_SUMMARY || slice_eq(text, SL("untyped"));
	if (!known || !legal)
		return lexer_error(NULL, "invalid metric type ", text, "", err);
	p->type = type;
	p->entry = TEXT_TYPE;
	return 0;
}

static int parse_metadata(struct lexer *l, enum token what, struct text_parser *p, struct err *err)
{
	enum token t = next_token(l);
	if (t != T_NAME)
		return lexer_unexpected(l,
		    what == T_HELP ? "expected metric name after HELP" : "expected metric name after TYPE", t,
		    err);
	bool quoted;
	p->metric = lexer_unquote(lexer_token_text(l), &quoted);
	next_token(l); /* always T_TEXT */
	struct slice text = lexer_token_text(l);
	text = text.len > 1 ? slice_from(text, 1) : SL_EMPTY;
	p->entry = TEXT_HELP;
	p->help = text;
	int rc = what == T_TYPE ? parse_type(p, text, err) : 0;
	if (rc == 0 && what == T_HELP && !utf8_valid(text))
		rc = lexer_error(NULL, "help text ", text, " is not a valid utf8 string", err);
	if (rc < 0)
		return rc;
	t = next_token(l);
	return t == T_LINEBREAK ? 0 : lexer_unexpected(l, "linebreak expected after metadata", t, err);
}

/* --- entries ---------------------------------------------------------------------------------------------------------------- */

int text_strict_entry(struct text_parser *p, struct err *err)
{
	struct lexer l = {.first = p->start, .at = p->start, .end = p->end, .state = S_INIT};
	int rc;
	for (;;) {
		enum token t = next_token(&l);
		if (t == T_EOF) {
			p->at = p->end;
			return 1;
		}
		if (t == T_LINEBREAK || t == T_COMMENT) {
			l.first = l.at;
			continue;
		}
		if (t == T_HELP || t == T_TYPE)
			rc = parse_metadata(&l, t, p, err);
		else if (t == T_NAME || t == T_BRACE_OPEN)
			rc = parse_series(&l, t, p, err);
		else
			rc = lexer_unexpected(&l, "expected a valid start token", t, err);
		break;
	}
	if (rc == 0) {
		p->start = l.first;
		p->at = l.at;
	}
	return rc;
}

bool text_strict_series(struct slice raw, struct arena *arena, struct text_series *out)
{
	struct lexer l = {.first = raw.ptr, .at = raw.ptr, .end = raw.ptr + raw.len, .state = S_INIT};
	struct text_label_vec labels = {0};
	struct series_parts parts = {.labels = &labels};
	enum token t = next_token(&l);
	if (t == T_NAME) {
		parts.name = lexer_token_text(&l);
		t = next_token(&l);
	}
	bool ok = t == T_BRACE_OPEN ? parse_labels(&l, &parts, NULL) == 0 : t == T_EOF;
	ok = ok && l.at == l.end && parts.name.ptr;
	if (ok) {
		out->name = parts.name;
		out->name_quoted = parts.name_quoted;
		out->n = labels.len;
		out->labels = ARENA_ARRAY(arena, struct text_label, labels.len);
		if (labels.len > 0)
			memcpy(out->labels, labels.v, labels.len * sizeof(labels.v[0]));
	}
	text_label_vec_done(&labels);
	return ok;
}
