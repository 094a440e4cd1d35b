/* Functions of one number over tiles, and the pieces of arithmetic that others need. Thread-safe. */
#pragma once

#include "promql/functions.h"
#include "promql/value_matrix.h"

/* Whether eval_math() does it. */
bool math_function(enum function_id id);
/* Values that are histograms are absent from now on. */
void tile_drop_histograms(struct tile *t);
/* As Go's math.Max and math.Min. */
double go_max(double a, double b);
double go_min(double a, double b);
