/* UTF-8. Thread-safe. */
#pragma once

#include "base/slice.h"
#include <stdint.h>

bool utf8_valid(struct slice s);
/* The first code point of `s` (not empty) and its length in bytes; an invalid byte gives U+FFFD and 1. */
uint32_t utf8_decode(struct slice s, size_t *len);
/* Writes 1 to 4 bytes, returns how many. */
size_t utf8_encode(uint32_t rune, char out[4]);
/* Appends `s` quoted as Go's strconv.Quote does (the %q of error texts). */
struct strbuf;
void utf8_quote_go(struct strbuf *out, struct slice s);
