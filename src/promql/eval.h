/* The evaluation of one query: its state, and the functions that turn a node of the tree into values. One file per kind of
 * node (eval_*.c), one per family of functions (func_*.c). Used inside src/promql only. */
#pragma once

#include "promql/engine.h"
#include "promql/functions.h"
#include "promql/query_limits.h"
#include "promql/query_plan.h"
#include "promql/source.h"

struct eval {
	const struct promql_options *options;
	struct arena *arena; /* everything of this query, its result too */
	struct querier *querier;
	struct grid grid; /* of the query itself; subqueries have their own */
	int64_t start_ms, end_ms, step_ms;
	int64_t lookback_ms, default_step_ms;
	struct query_limits limits;
	struct annotations notes;
	struct query_plan plan;
	bool wants_steps; /* counts by step are asked for */
	bool analyze;     /* so is the time each node takes */
};

/* The value of a node of type instant vector at the steps of `grid`, which must outlive the query. */
MUST_CHECK int eval_vector(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
/* The value of a node of type scalar: grid->n numbers in the arena. */
MUST_CHECK int eval_scalar(
    struct eval *e, const struct expr *x, const struct grid *grid, const double **out, struct err *err);

/* One file each. */
MUST_CHECK int eval_selector(struct eval *e, const struct expr *x, const struct grid *grid, const char *func,
    struct source **out, struct err *err);
/* timestamp() and start_timestamp() of a selector: times of the samples, in seconds, instead of their values. */
enum selector_value { SELECTOR_VALUES, SELECTOR_TIMES, SELECTOR_STARTS };
MUST_CHECK int eval_selector_times(struct eval *e, const struct expr *x, const struct grid *grid,
    enum selector_value want, struct source **out, struct err *err);
MUST_CHECK int eval_aggregate(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_binary(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
/* A function of a range vector. */
MUST_CHECK int eval_range_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
/* An instant selector with the modifier smoothed. */
MUST_CHECK int eval_smoothed_selector(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_absent_over_time(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
/* absent(): 1 at the steps at which `s`, the value of `arg`, is empty. */
MUST_CHECK int eval_absence(
    struct eval *e, const struct expr *arg, struct source *s, struct source **out, struct err *err);
/* A warning per distinct value of q that is no quantile; `x` is where it came from. */
void annotate_bad_quantiles(struct eval *e, const struct expr *x, const double *q, uint32_t n);
/* The steps that the windows of a subquery on `grid` see: *inner has at least one, returns how many there are. */
uint64_t eval_subquery_grid(
    const struct eval *e, const struct subquery *sq, const struct grid *grid, struct grid *inner);
/* The grid and the values of a subquery whose windows are those of `grid`. */
MUST_CHECK int eval_subquery(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);

/* Scalar operations, for constants of any shape. */
double binary_op_scalar(enum binary_op op, double a, double b);

/* The time range of samples that a whole expression looks at, when evaluated over the grid. */
void eval_time_range(const struct eval *e, const struct expr *x, int64_t *min_ms, int64_t *max_ms);
/* The time at which data for time `t_ms` is looked up, kept far enough from the ends of int64 that ranges and lookbacks can be
 * added without care. */
static inline int64_t time_shifted(const struct time_shift *s, int64_t t_ms)
{
	int64_t t = s->at == AT_NONE ? t_ms : s->at_ms, end = INT64_MAX / 4;

	t = t > end ? end : t < -end ? -end : t;
	return t - s->offset.ms;
}

/* An array of grid->n numbers. NULL: no memory. */
double *eval_numbers(struct eval *e, const struct grid *grid);

/* Families of functions of instant vectors: func_*.c. */
MUST_CHECK int eval_math(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_date(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_label_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_histogram_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_info(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
MUST_CHECK int eval_sort(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err);
