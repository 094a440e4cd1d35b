/* SHA-256, for names that others compute too (page tokens of the API). Over nettle, which only base/sha2.c includes for
 * it. Thread-safe. */
#pragma once

#include "base/slice.h"

enum { SHA256_HEX = 64 };

/* The digest in lower-case hexadecimal, without NUL. */
void sha256_hex(struct slice s, char out[SHA256_HEX]);
