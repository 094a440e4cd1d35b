/* Arithmetic and comparisons between two vectors. */
#pragma once

#include "promql/eval.h"

MUST_CHECK int eval_match(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
