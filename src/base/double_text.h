/* Doubles as text, exactly as Go prints and reads them. Thread-safe, never the locale.
 * Short decimals take a fast path of our own; everything else goes to double-conversion. */
#pragma once

#include "base/slice.h"
#include <stdbool.h>

enum { DOUBLE_TEXT_MAX = 352 }; /* enough for any form below: 'f' of the smallest denormal */

/* Each writes at most DOUBLE_TEXT_MAX bytes, without NUL, and returns how many. NaN, +Inf, -Inf are spelt so. */
size_t double_to_json(double v, char *out);     /* 'f' between 1e-6 and 1e21, else 'e': sample values */
size_t double_to_shortest_f(double v, char *out); /* strconv 'f', -1 */
size_t double_to_shortest_e(double v, char *out); /* strconv 'e', -1 */
size_t double_to_go_g(double v, char *out);       /* Go's %g and %v: shortest digits, exponent form below 1e-4 and from 1e6 on (spec 1.12) */

/* The whole of `s` as a decimal floating-point number, correctly rounded: digits, '.', exponent, sign, and
 * Inf/Infinity/NaN in any case. False when it is not one, or when its magnitude overflows; underscores and hex are refused. */
bool double_parse(struct slice s, double *v);
