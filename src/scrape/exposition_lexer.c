#include "scrape/exposition_lexer.h"

#include "base/strbuf.h"
#include "base/utf8.h"

/* As errors name them. */
static const char *const token_names[] = {
    [T_INVALID] = "INVALID",
    [T_EOF] = "EOF",
    [T_LINEBREAK] = "LINEBREAK",
    [T_HELP] = "HELP",
    [T_TYPE] = "TYPE",
    [T_UNIT] = "UNIT",
    [T_EOF_WORD] = "EOFWORD",
    [T_COMMENT] = "COMMENT",
    [T_TEXT] = "TEXT",
    [T_EXEMPLAR] = "COMMENT",
    [T_NAME] = "MNAME",
    [T_BRACE_OPEN] = "BOPEN",
    [T_BRACE_CLOSE] = "BCLOSE",
    [T_LABEL_NAME] = "LNAME",
    [T_QUOTED] = "QSTRING",
    [T_COMMA] = "COMMA",
    [T_EQUAL] = "EQUAL",
    [T_LABEL_VALUE] = "LVALUE",
    [T_VALUE] = "VALUE",
    [T_TIMESTAMP] = "TIMESTAMP",
};

static bool is_name_start(char c, bool colon)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
}

enum token lexer_take(struct lexer *l, size_t n, int next, enum token t)
{
	l->at += n;
	l->state = next;
	return t;
}

enum token lexer_take_name(struct lexer *l, bool colon, int next, enum token t)
{
	if (!is_name_start(*l->at, colon))
		return T_INVALID;
	const char *p = l->at + 1;
	while (p < l->end && (is_name_start(*p, colon) || (*p >= '0' && *p <= '9')))
		p++;
	return lexer_take(l, (size_t)(p - l->at), next, t);
}

struct slice lexer_token_text(const struct lexer *l)
{
	return slice_of(l->token, (size_t)(l->at - l->token));
}

struct slice lexer_unquote(struct slice s, bool *quoted)
{
	*quoted = s.len >= 2 && s.ptr[0] == '"';
	return *quoted ? slice_of(s.ptr + 1, s.len - 2) : s;
}

int lexer_unexpected(const struct lexer *l, const char *expected, enum token got, struct err *err)
{
	const char *seen = l->at < l->end ? l->at + 1 : l->end;
	struct strbuf sb = STRBUF_INIT;
	strbuf_addf(&sb, "%s, got ", expected);
	utf8_quote_go(&sb, slice_of(l->token, (size_t)(seen - l->token)));
	strbuf_addf(&sb, " (\"%s\") while parsing: ", token_names[got]);
	utf8_quote_go(&sb, slice_of(l->first, (size_t)(seen - l->first)));
	int rc = err_set(err, ERR_INVALID, "%" SL_FMT, SL_ARG(strbuf_slice(&sb)));
	strbuf_done(&sb);
	return rc;
}

int lexer_error(
    const struct lexer *l, const char *before, struct slice text, const char *after, struct err *err)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_adds(&sb, before);
	if (text.ptr)
		utf8_quote_go(&sb, text);
	strbuf_adds(&sb, after);
	if (l) {
		strbuf_adds(&sb, " while parsing: ");
		utf8_quote_go(&sb, slice_of(l->first, (size_t)(l->at - l->first)));
	}
	int rc = err_set(err, ERR_INVALID, "%" SL_FMT, SL_ARG(strbuf_slice(&sb)));
	strbuf_done(&sb);
	return rc;
}

int lexer_bad_float(const struct lexer *l, struct slice text, struct err *err)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == 'p' || text.ptr[i] == 'P' || text.ptr[i] == '_')
			return lexer_error(l, "unsupported character in float", (struct slice){0}, "", err);
	return lexer_error(l, "strconv.ParseFloat: parsing ", text, ": invalid syntax", err);
}
