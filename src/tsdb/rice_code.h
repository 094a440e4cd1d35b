/* Golomb-Rice codes of numbers that are small mostly, laid out so that many are decoded at once:
 *
 *   byte k       0 to RICE_MAX_WIDTH
 *   varint       bytes of the quotients
 *   remainders   the lower k bits of each number, packed
 *   quotients    what is above of each: as many zeros, then a one, lowest bit first; RICE_ESCAPE zeros: see below
 *   varint       each number whose quotient is RICE_ESCAPE or more
 *
 * Stateless; thread-safe. */
#pragma once

#include "base/attr.h"
#include "base/byte_reader.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RICE_MAX_WIDTH = 25, RICE_ESCAPE = 24 };

/* How many bytes n (at least 1) numbers take with the k that suits them best. */
size_t rice_plan(const uint64_t *u, size_t n, unsigned *k);
void rice_encode(const uint64_t *u, size_t n, unsigned k, struct strbuf *out);
/* False: torn, or more or fewer than n. */
MUST_CHECK bool rice_decode(struct byte_reader *r, size_t n, uint64_t *u);
