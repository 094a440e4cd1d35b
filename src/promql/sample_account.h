/* What a query costs by Prometheus's book. Its evaluator keeps every intermediate result in memory and counts the samples;
 * --query.max-samples bounds that number, and `peakSamples` and `totalQueryableSamples` of the statistics report it. This
 * engine holds far less, but refuses the same queries: after the fact, the counts of all nodes (promql/query_plan.h) are gone
 * through in the order in which Prometheus would have evaluated them. */
#pragma once

#include "promql/eval.h"

struct sample_account {
	uint64_t peak;                          /* most samples held at one time */
	uint64_t seen, fresh;                   /* totalQueryableSamples, samplesRead */
	uint64_t *seen_by_step, *fresh_by_step; /* e->grid.n numbers; NULL: not wanted */
};

/* After the evaluation of `root`. What a node that was not evaluated (an error came before) would have counted is left out. */
void sample_account_take(struct eval *e, const struct expr *root, struct sample_account *out);
