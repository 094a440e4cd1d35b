/* How a result comes about: the tree of the query's operators, with what the index says each will read and, when it was run with
 * analyze, what each did read, give and take. Made by the engine in the arena of the result. */
#pragma once

#include "base/json.h"
#include "promql/ast.h"

struct eval;

struct explain_node {
	struct slice what; /* "sum by (job)", "rate", "topk(3, ...)", a selector */
	struct slice
	    kind; /* "selector", "subquery", "aggregation", "binary", "unary", "call", "number", "string" */
	struct ast_range where;           /* in the text of the query */
	uint32_t steps;                   /* of its grid */
	uint64_t est_series, est_samples; /* at most; samples: a selector's */
	/* analyze */
	bool was_run;
	uint64_t series, points;  /* it gave; a range selector gives no points */
	uint64_t samples;         /* a selector's: decoded */
	uint64_t bytes;           /* of samples decoded, or of values held at once */
	int64_t time_ns, self_ns; /* with and without its children, summed over threads */
	struct explain_node **children;
	size_t n_children;
};

/* Of an expression that was planned, and evaluated when e->analyze is set. */
const struct explain_node *explain_tree(struct eval *e, const struct expr *root);
/* One JSON object; `analyze`: with what was measured. */
void explain_put(struct json *j, const struct explain_node *n, bool analyze);
