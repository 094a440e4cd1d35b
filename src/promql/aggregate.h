/* What the files of the aggregation operators share. Used by eval_aggregate*.c only. */
#pragma once

#include "promql/eval.h"
#include "promql/label_groups.h"
#include "storage/querier.h"

struct aggregation {
	struct eval *eval;
	const struct expr *x;
	const struct aggregate *agg;
	const struct grid *grid;
	struct source *below;
	struct ast_range where; /* of the vector: what most annotations are about */
	/* groups */
	struct label_groups groups;
	uint32_t *group;               /* by row; NULL: see runs, or all rows are of group 0 */
	const struct series_run *runs; /* all rows in order, where few runs tell it; NULL: see group */
	size_t n_runs;
	size_t n_groups;
	uint8_t *dropped; /* by group: a member's name is to be dropped */
	double *param;    /* by step; for those operators that have one */
};

static inline uint32_t aggregation_group(const struct aggregation *a, size_t row)
{
	return a->group ? a->group[row] : 0;
}

/* Group numbers for all rows of a->below. `runs`: the caller knows what to do with a->runs. */
void aggregation_assign(struct aggregation *a, bool runs);
/* From runs to a number by row. */
void aggregation_expand_runs(struct aggregation *a);
/* The labels of the result of a group. */
const struct labels *aggregation_labels(const struct aggregation *a, size_t group);
/* A matrix with a row per group, labels set. NULL: no memory. */
struct source *aggregation_result(struct aggregation *a);
/* A row with anything in it makes its group's name go when its own has to. */
void aggregation_mark(struct aggregation *a, size_t first, const struct tile *t);

/* sum, avg, count, min, max, group, stddev, stdvar: one pass with accumulators. */
MUST_CHECK int aggregate_fold(struct aggregation *a, struct source **out, struct err *err);
/* topk, bottomk. */
MUST_CHECK int aggregate_best(struct aggregation *a, struct source **out, struct err *err);
/* limitk, limit_ratio. */
MUST_CHECK int aggregate_some(struct aggregation *a, struct source **out, struct err *err);
/* quantile, count_values. */
MUST_CHECK int aggregate_quantile(struct aggregation *a, struct source **out, struct err *err);
MUST_CHECK int aggregate_values(struct aggregation *a, struct source **out, struct err *err);
