/* What the lexer (grammar/promql.l) does by hand: brackets and their rules, numbers, keywords, errors. Its
 * callers are the generated scanner, and the grammar through promql_yylex(). */
#pragma once

#include "promql/parse_priv.h"
#include <stddef.h>

/* Around a parse: the scanner and its copy of the text. */
void lex_start(struct parse_state *s);
void lex_stop(struct parse_state *s);

/* Moves on by the `len` bytes that the scanner matched: their range. */
void lex_advance(struct parse_state *s, struct ast_range *at, size_t len);

/* Each returns the token, or 0 (end of input) when it failed. */
int lex_word(struct parse_state *s, struct slice word);
int lex_paren_open(struct parse_state *s);
int lex_paren_close(struct parse_state *s);
int lex_bracket_close(struct parse_state *s);
/* `operand`: nothing but durations, with their operators, has been in the brackets so far. */
int lex_bracket_colon(struct parse_state *s, const struct ast_range *at, bool operand);
/* How many letters and underscores a word begins with. */
size_t lex_letters(struct slice word);
int lex_word_in_bracket(struct parse_state *s, struct slice word, bool operand);
int lex_string(struct parse_state *s, struct slice text, struct ast_range at, struct slice *value);
/* The number or duration at the front of `text`, which may be longer: *len bytes are it. */
int lex_number(struct parse_state *s, struct slice text, struct ast_range *at, size_t *len);
int lex_end(struct parse_state *s);

/* "<before>'c'<after>" from `from` on, c being the character at byte `at`. */
int lex_bad_character(
    struct parse_state *s, uint32_t from, uint32_t at, const char *before, const char *after);
int lex_fail(struct parse_state *s, uint32_t from, const char *message);
