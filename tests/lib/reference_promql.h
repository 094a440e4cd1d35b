/* PromQL once more, slow and obvious: a second evaluator that tests compare the engine with. It shares the parser and the
 * arithmetic of native histograms (model/histogram.h) with it and nothing else; it looks at one step after the other, at one
 * window after the other, with no state kept between them, and reads like the specification.
 *
 * It knows no limits: no deadline, no budget, no threads. */
#pragma once

#include "promql/engine.h"

struct promql_coverage;

/* As promql_engine_run(): of the options only those count that change results. What gave results is counted in `coverage`, unless
 * that is NULL. The caller frees *out. */
MUST_CHECK int reference_promql_run(const struct promql_options *options, const struct promql_query *q,
    struct promql_coverage *coverage, struct query_result **out, struct err *err);
