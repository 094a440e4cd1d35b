/* Subqueries: the inner expression on a grid of its own, whose steps are multiples of the subquery's step since the epoch
 * and cover all windows of the outer grid. Also: which times an expression looks at as a whole. */
#include "promql/eval.h"
#include "promql/series_select.h"

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The steps t with first_end - range < t <= last_end; n is 0 when there are none. */
static struct grid inner_grid(
    const struct subquery *sq, int64_t step_ms, int64_t first_end_ms, int64_t last_end_ms, uint64_t *n)
{
	struct grid g = {.step_ms = step_ms, .n = 1};

	g.start_ms = (floor_div(first_end_ms - sq->range.ms, step_ms) + 1) * step_ms;
	*n = last_end_ms < g.start_ms ? 0 : (uint64_t)(last_end_ms - g.start_ms) / (uint64_t)step_ms + 1;
	return g;
}

static int64_t step_of(const struct eval *e, const struct subquery *sq)
{
	return sq->step.ms > 0 ? sq->step.ms : e->default_step_ms;
}

uint64_t eval_subquery_grid(
    const struct eval *e, const struct subquery *sq, const struct grid *grid, struct grid *inner)
{
	struct window_spec spec = window_spec_for(&sq->shift, grid, sq->range.ms);
	uint64_t n;

	*inner = inner_grid(sq, step_of(e, sq), spec.end_ms, window_end_ms(&spec, spec.n - 1), &n);
	inner->n = n == 0 ? 1 : n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
	return n;
}

int eval_subquery(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct grid *g = ARENA_NEW(e->arena, struct grid);
	uint64_t n = eval_subquery_grid(e, &x->subquery, grid, g);

	if (n > e->limits.max_points)
		return query_limits_too_many(err);
	if (n == 0) {
		*out = source_matrix_new(e, g, 0);
		return *out ? 0 : query_limits_no_memory(err);
	}
	return eval_vector(e, x->subquery.inner, g, out, err);
}

/* Times from first to last at which an expression is evaluated, and the samples seen so far. */
struct time_span {
	int64_t first_ms, last_ms;
};

static void widen(struct time_span *seen, int64_t from_ms, int64_t to_ms)
{
	if (from_ms < seen->first_ms)
		seen->first_ms = from_ms;
	if (to_ms > seen->last_ms)
		seen->last_ms = to_ms;
}

static void span_of(const struct eval *e, const struct expr *x, struct time_span at, struct time_span *seen);

static void span_of_selector(
    const struct eval *e, const struct expr *x, struct time_span at, struct time_span *seen)
{
	const struct selector *s = &x->selector;
	int64_t back = x->kind == EXPR_SELECTOR ? e->lookback_ms : s->range.ms;
	int64_t ahead = s->smoothed ? e->lookback_ms : 0;

	if (x->kind == EXPR_RANGE_SELECTOR && (s->smoothed || s->anchored))
		back += e->lookback_ms;
	widen(seen, time_shifted(&s->shift, at.first_ms) - back, time_shifted(&s->shift, at.last_ms) + ahead);
}

static void span_of_subquery(
    const struct eval *e, const struct expr *x, struct time_span at, struct time_span *seen)
{
	const struct subquery *sq = &x->subquery;
	int64_t first = time_shifted(&sq->shift, at.first_ms), last = time_shifted(&sq->shift, at.last_ms);

	span_of(e, sq->inner, (struct time_span){first - sq->range.ms, last}, seen);
}

static void span_of(const struct eval *e, const struct expr *x, struct time_span at, struct time_span *seen)
{
	switch (x->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
		return;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		span_of_selector(e, x, at, seen);
		return;
	case EXPR_SUBQUERY:
		span_of_subquery(e, x, at, seen);
		return;
	case EXPR_AGGREGATE:
		span_of(e, x->aggregate.inner, at, seen);
		if (x->aggregate.param)
			span_of(e, x->aggregate.param, at, seen);
		return;
	case EXPR_BINARY:
		span_of(e, x->binary.lhs, at, seen);
		span_of(e, x->binary.rhs, at, seen);
		return;
	case EXPR_UNARY:
		span_of(e, x->unary.inner, at, seen);
		return;
	case EXPR_PAREN:
		span_of(e, x->paren, at, seen);
		return;
	case EXPR_CALL:
		for (size_t i = 0; i < x->call.n_args; i++)
			span_of(e, x->call.args[i], at, seen);
		return;
	}
}

void eval_time_range(const struct eval *e, const struct expr *x, int64_t *min_ms, int64_t *max_ms)
{
	struct time_span seen = {INT64_MAX, INT64_MIN};

	span_of(e, x, (struct time_span){e->start_ms, e->end_ms}, &seen);
	/* info() looks for its series at the times of the query. */
	widen(&seen, e->start_ms - e->lookback_ms, e->end_ms);
	*min_ms = seen.first_ms;
	*max_ms = seen.last_ms;
}
