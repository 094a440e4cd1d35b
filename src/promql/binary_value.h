/* The operators, element by element: floats by whole rows, and single values that may be histograms. Thread-safe. */
#pragma once

#include "promql/annotations.h"
#include "promql/value_matrix.h"
#include <stdatomic.h>

/* One operation of a query. What went wrong is collected in `notes` while it runs, and said afterwards. */
struct value_op {
	enum binary_op op;
	bool return_bool;
	_Atomic unsigned notes;
};

struct value {
	double f;
	const struct histogram *h; /* NULL: a float */
};

enum value_outcome {
	VALUE_INCOMPATIBLE, /* types that do not go together: as if the two had not met */
	VALUE_FILTERED,     /* a comparison that does not hold */
	VALUE_RESULT,
};

/* One element. New histograms go to the arena. `kept` is what a comparison that holds gives: the left side, or the vector's
 * side. */
enum value_outcome value_apply(struct value_op *op, struct arena *arena, struct value l, struct value r,
    struct value kept, struct value *out);

/* n floats: out[i] = l[i] op r[i]; comparisons give kept[i], or 0 and 1 with `bool`, and clear the presence bit where they do
 * not hold. out may be any of the others. */
void value_apply_rows(const struct value_op *op, const double *l, const double *r, const double *kept,
    uint32_t n, double *out, uint64_t *present);
/* The trimming operators have no result on floats; all others have. */
static inline bool value_op_takes_floats(enum binary_op op)
{
	return op != OP_TRIM_UPPER && op != OP_TRIM_LOWER;
}
void value_note_floats(struct value_op *op);

/* Whether the result loses the metric's name. */
static inline bool value_op_drops_name(const struct value_op *op)
{
	return op->return_bool || op->op <= OP_ATAN2;
}

/* The annotations for what was noted. */
void value_op_annotate(struct annotations *a, const struct value_op *op, struct ast_range where);
