#include "template/template_lex.h"

#include "base/letter_case.h"
#include "base/utf8.h"

void template_lexer_init(struct template_lexer *l, struct slice text)
{
	*l = (struct template_lexer){.text = text};
}

uint32_t template_line_of(struct slice text, uint32_t pos)
{
	uint32_t line = 1;
	for (uint32_t i = 0; i < pos && i < text.len; i++)
		line += text.ptr[i] == '\n';
	return line;
}

static struct slice rest_of(const struct template_lexer *l)
{
	return slice_from(l->text, l->pos);
}

static int fail(const struct template_lexer *l, struct err *err, const char *message)
{
	return err_set_at(err, ERR_INVALID, template_line_of(l->text, l->pos), 0, "%s", message);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void take(struct template_lexer *l, struct template_token *t, enum template_token_kind kind, size_t n)
{
	t->kind = kind;
	t->start = l->pos;
	l->pos += (uint32_t)n;
	t->end = l->pos;
	t->text = slice_of(l->text.ptr + t->start, n);
}

/* "- " behind {{: white space before the action goes. */
static bool opens_with_trim(struct slice s)
{
	return s.len >= 4 && s.ptr[2] == '-' && is_space(s.ptr[3]);
}

/* " -}}": white space behind the action goes. */
static bool closes_with_trim(struct slice s)
{
	return s.len >= 4 && is_space(s.ptr[0]) && slice_starts(slice_from(s, 1), SL("-}}"));
}

static size_t find_text(struct slice s, struct slice what)
{
	const char *at = s.len ? memmem(s.ptr, s.len, what.ptr, what.len) : NULL;
	return at ? (size_t)(at - s.ptr) : s.len;
}

/* {{ and perhaps a trim marker or a comment; *is_comment: the whole action is gone already. */
static int open_action(struct template_lexer *l, struct template_token *t, bool *is_comment, struct err *err)
{
	struct slice s = rest_of(l);
	size_t n = opens_with_trim(s) ? 4 : 2;
	*is_comment = slice_starts(slice_from(s, n), SL("/*"));
	if (!*is_comment) {
		take(l, t, TOKEN_OPEN, n);
		l->inside = true;
		return 0;
	}
	struct slice comment = slice_from(s, n + 2);
	size_t end = find_text(comment, SL("*/"));
	if (end == comment.len)
		return fail(l, err, "unclosed comment");
	struct slice after = slice_from(comment, end + 2);
	l->trim_next = closes_with_trim(after);
	if (!l->trim_next && !slice_starts(after, SL("}}")))
		return fail(l, err, "comment ends before closing delimiter");
	l->pos += (uint32_t)(n + 2 + end + 2 + (l->trim_next ? 4 : 2));
	return 0;
}

/* Plain text up to the next action, trimmed as its neighbours say. Empty when nothing is left of it. */
static void take_text(struct template_lexer *l, struct template_token *t)
{
	struct slice s = rest_of(l);
	size_t n = find_text(s, SL("{{")), keep = n, from = 0;
	if (n < s.len && opens_with_trim(slice_from(s, n)))
		while (keep && is_space(s.ptr[keep - 1]))
			keep--;
	if (l->trim_next)
		while (from < keep && is_space(s.ptr[from]))
			from++;
	l->trim_next = false;
	take(l, t, TOKEN_TEXT, n);
	t->text = slice_of(s.ptr + from, keep - from);
}

static int take_quoted(struct template_lexer *l, struct template_token *t, struct err *err)
{
	struct slice s = rest_of(l);
	char quote = s.ptr[0];
	for (size_t i = 1; i < s.len; i++) {
		if (quote != '`' && s.ptr[i] == '\\') {
			i++;
			continue;
		}
		if (quote != '`' && s.ptr[i] == '\n')
			break;
		if (s.ptr[i] != quote)
			continue;
		take(l, t, quote == '"' ? TOKEN_STRING : quote == '`' ? TOKEN_RAW_STRING : TOKEN_CHAR, i + 1);
		return 0;
	}
	return fail(l, err,
	    quote == '"'   ? "unterminated quoted string"
	    : quote == '`' ? "unterminated raw quoted string"
			   : "unterminated character constant");
}

static size_t word_length(struct slice s)
{
	size_t n = 0;
	while (n < s.len) {
		size_t one;
		if (!letter_is_word(utf8_decode(slice_from(s, n), &one)))
			break;
		n += one;
	}
	return n;
}

/* Sign, digits, dots, letters: what a number may hold; its value is checked by the parser. */
static size_t number_length(struct slice s)
{
	size_t n = s.ptr[0] == '+' || s.ptr[0] == '-';
	while (n < s.len) {
		char c = s.ptr[n], before = n ? s.ptr[n - 1] : 0;
		bool sign_of_exponent =
		    (c == '+' || c == '-') && (before == 'e' || before == 'E' || before == 'p');
		if (!(c >= '0' && c <= '9') && !((c | 32) >= 'a' && (c | 32) <= 'z') && c != '.' &&
		    c != '_' && !sign_of_exponent)
			break;
		n++;
	}
	return n;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int take_close(struct template_lexer *l, struct template_token *t, struct err *err)
{
	if (l->parens)
		return fail(l, err, "unclosed left paren");
	l->inside = false;
	l->trim_next = closes_with_trim(rest_of(l));
	take(l, t, TOKEN_CLOSE, l->trim_next ? 4 : 2);
	return 0;
}

static int take_paren(struct template_lexer *l, struct template_token *t, bool is_left, struct err *err)
{
	if (!is_left && l->parens == 0)
		return fail(l, err, "unexpected right paren");
	l->parens += is_left ? 1 : -1u;
	take(l, t, is_left ? TOKEN_LEFT_PAREN : TOKEN_RIGHT_PAREN, 1);
	return 0;
}

static int take_unknown(struct template_lexer *l, struct err *err)
{
	size_t n;
	uint32_t rune = utf8_decode(rest_of(l), &n);
	char text[8];
	text[utf8_encode(rune, text)] = '\0';
	return err_set_at(err, ERR_INVALID, template_line_of(l->text, l->pos), 0,
	    "unrecognized character in action: U+%04X '%s'", rune, text);
}

static int next_inside(struct template_lexer *l, struct template_token *t, struct err *err)
{
	struct slice s = rest_of(l);
	if (!s.len)
		return fail(l, err, "unclosed action");
	if (closes_with_trim(s) || slice_starts(s, SL("}}")))
		return take_close(l, t, err);
	char c = s.ptr[0], next = s.len > 1 ? s.ptr[1] : 0;
	size_t n = 1;
	if (is_space(c)) {
		while (n < s.len && is_space(s.ptr[n]) && !closes_with_trim(slice_from(s, n)))
			n++;
		take(l, t, TOKEN_SPACE, n);
		return 0;
	}
	if (c == '"' || c == '`' || c == '\'')
		return take_quoted(l, t, err);
	if (c == '(' || c == ')')
		return take_paren(l, t, c == '(', err);
	if (is_digit(c) || ((c == '+' || c == '-') && is_digit(next)) || (c == '.' && is_digit(next))) {
		take(l, t, TOKEN_NUMBER, number_length(s));
		return 0;
	}
	if (c == '.') {
		n += word_length(slice_from(s, 1));
		take(l, t, n > 1 ? TOKEN_FIELD : TOKEN_DOT, n);
		return 0;
	}
	if (c == '$') {
		take(l, t, TOKEN_VARIABLE, 1 + word_length(slice_from(s, 1)));
		return 0;
	}
	if (c == ':' && next == '=') {
		take(l, t, TOKEN_DECLARE, 2);
		return 0;
	}
	if (c == ':')
		return fail(l, err, "expected :=");
	if (c == '=' || c == '|' || c == ',') {
		take(l, t, c == '=' ? TOKEN_ASSIGN : c == '|' ? TOKEN_PIPE : TOKEN_COMMA, 1);
		return 0;
	}
	n = word_length(s);
	if (!n)
		return take_unknown(l, err);
	take(l, t, TOKEN_IDENTIFIER, n);
	return 0;
}

int template_lexer_next(struct template_lexer *l, struct template_token *t, struct err *err)
{
	while (!l->inside) {
		struct slice s = rest_of(l);
		if (!s.len) {
			take(l, t, TOKEN_EOF, 0);
			return 0;
		}
		if (!slice_starts(s, SL("{{"))) {
			take_text(l, t);
			return 0;
		}
		bool is_comment;
		int rc = open_action(l, t, &is_comment, err);
		if (rc || !is_comment)
			return rc;
	}
	return next_inside(l, t, err);
}
