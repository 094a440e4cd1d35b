/* From what the evaluator computed to the result of the query. */
#pragma once

#include "promql/eval.h"

/* Evaluates the prepared tree and fills in r's value. */
MUST_CHECK int result_build(struct eval *e, const struct expr *x, struct query_result *r, struct err *err);
