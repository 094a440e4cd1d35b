/* The C face of double-conversion, for base/double_text.c alone: correct for every double and every decimal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The shortest decimal digits that read back as v (finite, positive): 0.d1d2... * 10^point. At most 17 digits
 * are written to `digits`, without NUL; returns how many. */
int double_slow_digits(double v, char *digits, int *point);

/* The value nearest to a text of the form digits[.digits][e[+-]digits], which the caller has checked. */
double double_slow_parse(const char *text, size_t len);

#ifdef __cplusplus
}
#endif
