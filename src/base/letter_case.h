/* Upper and lower case of Unicode text, one code point to one, never the locale of the process. Invalid bytes are kept.
 * Thread-safe. */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"
#include <stdint.h>

void letter_case_upper(struct strbuf *out, struct slice s);
void letter_case_lower(struct strbuf *out, struct slice s);
uint32_t letter_upper(uint32_t rune);
uint32_t letter_lower(uint32_t rune);
/* Letters, digits and marks: what words are made of. */
bool letter_is_word(uint32_t rune);
