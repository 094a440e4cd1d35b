/* Splits a template's text: plain text, and inside {{ }} tokens. Private to this folder. One owner. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

enum template_token_kind {
	TOKEN_TEXT,
	TOKEN_OPEN,  /* {{ */
	TOKEN_CLOSE, /* }} */
	TOKEN_SPACE,
	TOKEN_STRING, /* in double quotes, quotes kept */
	TOKEN_RAW_STRING,
	TOKEN_CHAR,
	TOKEN_NUMBER,
	TOKEN_IDENTIFIER,
	TOKEN_FIELD,    /* .name */
	TOKEN_VARIABLE, /* $name, $ */
	TOKEN_DOT,
	TOKEN_PIPE,
	TOKEN_DECLARE, /* := */
	TOKEN_ASSIGN,
	TOKEN_COMMA,
	TOKEN_LEFT_PAREN,
	TOKEN_RIGHT_PAREN,
	TOKEN_EOF,
};

struct template_token {
	enum template_token_kind kind;
	uint32_t start, end;
	struct slice text;
};

struct template_lexer {
	struct slice text;
	uint32_t pos;
	bool inside;    /* of {{ }} */
	bool trim_next; /* the action that ended had a trim marker */
	uint32_t parens;
};

void template_lexer_init(struct template_lexer *l, struct slice text);
/* ERR_INVALID with Go's message alone ("unclosed action"); err->line is set. */
MUST_CHECK int template_lexer_next(struct template_lexer *l, struct template_token *t, struct err *err);
uint32_t template_line_of(struct slice text, uint32_t pos);
