/* What lexer, grammar and tree constructors share while one text is parsed. Private to the front end.
 *
 * The first failure wins: parse_fail() keeps it, the lexer then says "end", every constructor gives NULL,
 * and so the grammar runs out without a check of its own. */
#pragma once

#include "base/arena.h"
#include "promql/ast.h"
#include "promql/parse.h"

struct parse_state {
	struct arena *arena;
	struct slice text;
	struct parse_options options;
	void *scanner; /* flex's own state */

	/* lexer (lex_glue.c) */
	int start_token;    /* given out first: says what the text is to be; 0 afterwards */
	bool may_match_all; /* a selector without a restriction is fine */
	uint32_t pos;       /* behind the last token */
	int paren_depth;
	bool bracket_open; /* between '[' and ']' */
	bool got_colon;    /* within these brackets */
	bool got_duration; /* a number within some brackets */

	/* the last token, for "unexpected ..." */
	int token;
	struct slice token_text;
	struct ast_range token_pos;

	/* outcome */
	bool failed;
	struct ast_range where;
	bool nowhere; /* the failure has no position */
	struct slice message;
	struct expr *result;
	uint32_t n_nodes;
};

/* Keeps the failure if it is the first. */
void parse_fail(struct parse_state *s, struct ast_range where, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "unexpected <token> in <context>, expected <expected>" at the last token; context and expected may be
 * "". */
void parse_unexpected(struct parse_state *s, const char *context, const char *expected);
/* No expression at the beginning: there is nothing but white space and comments, or a token that begins
 * none. */
void parse_empty(struct parse_state *s);

/* %q of a text, in the arena. */
struct slice parse_quote(struct parse_state *s, struct slice text);

/* typecheck.c: ERR_INVALID and parse_fail() when the types do not fit. */
void typecheck(struct parse_state *s, const struct expr *e);

/* fold.c: whether a node, whose children are complete, has the same value at each step. */
bool fold_is_step_invariant(const struct expr *e);
/* A sign before an expression: folded into a number, NULL when it has to stay. */
struct expr *fold_sign(bool minus, struct expr *e);
