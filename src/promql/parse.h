/* From the text of a query to its tree: lexer and grammar (grammar/), then the type rules (typecheck.c), then
 * what can be known before any data is seen (fold.c). Thread-safe; what is returned lives in the arena and
 * borrows nothing but the functions table.
 *
 * Errors are ERR_INVALID with Prometheus's text, "1:7: parse error: unexpected <op:*>", and line and column
 * set. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "promql/ast.h"

struct parse_options {
	bool experimental_functions;   /* --enable-feature=promql-experimental-functions */
	bool extended_range_selectors; /* =promql-extended-range-selectors: anchored, smoothed */
	bool binop_fill_modifiers;     /* =promql-binop-fill-modifiers: fill, fill_left, fill_right */
};

/* All of it. New words of the language that change no old query are on wherever promq itself parses: queries, rules, checks. */
extern const struct parse_options parse_all_syntax;

/* `options` NULL: nothing experimental. */
MUST_CHECK int promql_parse(struct arena *arena, struct slice text, const struct parse_options *options,
    const struct expr **out, struct err *err);

/* A selector alone, as `match[]` of the API takes it: its matchers, that of the name among them. It may
 * match everything: the caller refuses that where it must. */
MUST_CHECK int promql_parse_selector(struct arena *arena, struct slice text,
    const struct matcher *const **matchers, size_t *n_matchers, struct err *err);

/* The bytes the error of the last argument was about, when a caller wants to underline them: as
 * promql_parse(), and on failure *where is set. */
MUST_CHECK int promql_parse_where(struct arena *arena, struct slice text, const struct parse_options *options,
    const struct expr **out, struct ast_range *where, struct err *err);

/* The line and column (1-based, in bytes) of byte `pos`, as annotations name the place of a part: "(1:7)". */
void promql_position(struct slice text, uint32_t pos, uint32_t *line, uint32_t *column);
