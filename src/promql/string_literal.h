/* String literals of PromQL: "..." and '...' with escapes, `...` raw. Thread-safe. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* The literal at the front of `text`: its value, in the arena, and how many bytes it takes, quotes
 * included. ERR_INVALID with the lexer's texts: "unterminated quoted string", "unknown escape sequence
 * U+0071 'q'", ... */
MUST_CHECK int string_literal_read(
    struct arena *arena, struct slice text, struct slice *value, size_t *len, struct err *err);

/* The whole of `text` is one literal. */
MUST_CHECK int string_literal_parse(
    struct arena *arena, struct slice text, struct slice *value, struct err *err);

/* A character as Go's %q writes it: 'x', '\n', '\u00ad'. `text` starts with the character; empty: the end
 * of input. */
struct slice quote_rune(struct arena *arena, struct slice text);
