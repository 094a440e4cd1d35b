/* Range functions the obvious way: one window at a time, as the specification tells them. What the kernels are compared
 * with, bit for bit. */
#pragma once

#include "promql/functions.h"
#include <stdint.h>

/* False: no result for this window. */
bool range_naive(enum function_id id, const int64_t *t, const double *v, size_t n, int64_t end_ms,
    int64_t range_ms, double param, double *out);
