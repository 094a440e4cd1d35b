/* What the lexers of the two text formats share: the place in the input, names and tokens, and how errors are worded (as
 * upstream words them). Which tokens are legal where, and what a blank means, is each format's own. Slices point into the
 * input. One thread. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include <stdbool.h>

enum token {
	T_INVALID,
	T_EOF,
	T_LINEBREAK,
	T_HELP,
	T_TYPE,
	T_UNIT,
	T_EOF_WORD,
	T_COMMENT,
	T_TEXT,
	T_EXEMPLAR,
	T_NAME,
	T_BRACE_OPEN,
	T_BRACE_CLOSE,
	T_LABEL_NAME,
	T_QUOTED,
	T_COMMA,
	T_EQUAL,
	T_LABEL_VALUE,
	T_VALUE,
	T_TIMESTAMP,
};

struct lexer {
	const char *first;    /* of the entry */
	const char *token;    /* where the last token begins */
	const char *at, *end; /* behind it; of the input */
	int state;            /* the format's own */
};

/* Goes n bytes and to the next state; returns t. */
enum token lexer_take(struct lexer *l, size_t n, int next, enum token t);
/* The same for a name, of a metric (with colons) or a label; T_INVALID: here is none. l->at < l->end. */
enum token lexer_take_name(struct lexer *l, bool colon, int next, enum token t);
/* The last token. */
struct slice lexer_token_text(const struct lexer *l);
/* Without the quotes, where it has them. */
struct slice lexer_unquote(struct slice s, bool *quoted);

/* ERR_INVALID: another token than `expected` names. */
int lexer_unexpected(const struct lexer *l, const char *expected, enum token got, struct err *err);
/* ERR_INVALID: <before>"<text>"<after>, and what was read of the entry. `text` may have no pointer: nothing; `l` may be NULL:
 * then nothing is said of the entry. */
int lexer_error(
    const struct lexer *l, const char *before, struct slice text, const char *after, struct err *err);
/* ERR_INVALID: `text` is no number, as Go says it. */
int lexer_bad_float(const struct lexer *l, struct slice text, struct err *err);
