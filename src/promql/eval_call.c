/* Calls: which file does which function; scalars; and the few functions that are about evaluation itself. */
#include "promql/eval.h"
#include "promql/func_math.h"
#include "promql/func_time.h"
#include "promql/range_func.h"

#include <math.h>
#include <string.h>

double *eval_numbers(struct eval *e, const struct grid *grid)
{
	return arena_try_alloc(e->arena, grid->n, sizeof(double));
}

static const struct grid *one_step(struct eval *e, const struct grid *grid)
{
	struct grid *g = ARENA_NEW(e->arena, struct grid);

	*g = (struct grid){.start_ms = grid->start_ms, .step_ms = grid->step_ms, .n = 1};
	return g;
}

/* --- scalars ------------------------------------------------------------------------------------------------------------ */

/* scalar(): the one element of a vector. */
struct only_element {
	double *v;
	uint8_t *found; /* 0, 1, 2: more than one */
};

static int find_only(void *arg, size_t first, const struct tile *t, struct err *err)
{
	struct only_element *o = arg;
	(void)first, (void)err;

	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		BITS_EACH(k, row.present, t->words)
		{
			if (row.h && row.h[k])
				continue;
			o->v[k] = row.v[k];
			if (o->found[k] < 2)
				o->found[k]++;
		}
	}
	return 0;
}

static int scalar_of_vector(
    struct eval *e, const struct expr *x, const struct grid *grid, double *v, struct err *err)
{
	struct only_element o = {.v = v, .found = ARENA_ARRAY(e->arena, uint8_t, grid->n)};
	struct source *s;
	int rc = eval_vector(e, x, grid, &s, err);

	if (rc == 0)
		rc = source_drain(s, find_only, &o, err);
	for (uint32_t k = 0; rc == 0 && k < grid->n; k++) {
		if (o.found[k] != 1)
			v[k] = NAN;
	}
	return rc;
}

static void fill_numbers(double *v, const struct grid *grid, double x)
{
	for (uint32_t k = 0; k < grid->n; k++)
		v[k] = x;
}

static int scalar_min_max(
    struct eval *e, const struct call *call, const struct grid *grid, double *v, struct err *err)
{
	const double *a, *b;
	int rc = eval_scalar(e, call->args[0], grid, &a, err);

	if (rc == 0)
		rc = eval_scalar(e, call->args[1], grid, &b, err);
	for (uint32_t k = 0; rc == 0 && k < grid->n; k++)
		v[k] = call->func->id == FN_MAX_OF ? go_max(a[k], b[k]) : go_min(a[k], b[k]);
	return rc;
}

static int scalar_call(
    struct eval *e, const struct expr *x, const struct grid *grid, double *v, struct err *err)
{
	switch ((int)x->call.func->id) {
	case FN_TIME:
		for (uint32_t k = 0; k < grid->n; k++)
			v[k] = (double)grid_time_ms(grid, k) / 1000;
		return 0;
	case FN_PI:
		fill_numbers(v, grid, M_PI);
		return 0;
	case FN_START:
		fill_numbers(v, grid, (double)e->start_ms / 1000);
		return 0;
	case FN_END:
		fill_numbers(v, grid, (double)e->end_ms / 1000);
		return 0;
	case FN_STEP:
		fill_numbers(v, grid, e->start_ms == e->end_ms ? 0 : (double)e->step_ms / 1000);
		return 0;
	case FN_RANGE:
		fill_numbers(v, grid, (double)(e->end_ms - e->start_ms) / 1000);
		return 0;
	case FN_SCALAR:
		return scalar_of_vector(e, x->call.args[0], grid, v, err);
	case FN_MIN_OF:
	case FN_MAX_OF:
		return scalar_min_max(e, &x->call, grid, v, err);
	default:
		return err_set(err, ERR_UNSUPPORTED, "not implemented: the function %s", x->call.func->name);
	}
}

static int scalar_binary(
    struct eval *e, const struct expr *x, const struct grid *grid, double *v, struct err *err)
{
	const double *a, *b;
	int rc = eval_scalar(e, x->binary.lhs, grid, &a, err);

	if (rc == 0)
		rc = eval_scalar(e, x->binary.rhs, grid, &b, err);
	for (uint32_t k = 0; rc == 0 && k < grid->n; k++)
		v[k] = binary_op_scalar(x->binary.op, a[k], b[k]);
	return rc;
}

static int scalar_unary(
    struct eval *e, const struct expr *x, const struct grid *grid, double *v, struct err *err)
{
	const double *a;
	int rc = eval_scalar(e, x->unary.inner, grid, &a, err);

	for (uint32_t k = 0; rc == 0 && k < grid->n; k++)
		v[k] = x->unary.minus ? -a[k] : a[k];
	return rc;
}

static int scalar_node(
    struct eval *e, const struct expr *x, const struct grid *grid, double *v, struct err *err)
{
	switch ((int)x->kind) {
	case EXPR_NUMBER:
		fill_numbers(v, grid, x->number.value);
		return 0;
	case EXPR_BINARY:
		return scalar_binary(e, x, grid, v, err);
	case EXPR_UNARY:
		return scalar_unary(e, x, grid, v, err);
	case EXPR_CALL:
		return scalar_call(e, x, grid, v, err);
	default:
		return err_set(err, ERR_EXECUTION, "the expression is not a scalar");
	}
}

int eval_scalar(
    struct eval *e, const struct expr *x, const struct grid *grid, const double **out, struct err *err)
{
	const struct expr *node = expr_unparen(x);
	bool once = node->step_invariant && grid->n > 1;
	double *v = eval_numbers(e, grid);

	if (v == NULL)
		return query_limits_no_memory(err);
	int rc = scalar_node(e, node, once ? one_step(e, grid) : grid, v, err);
	if (rc)
		return rc;
	if (once)
		fill_numbers(v, grid, v[0]);
	*out = v;
	return 0;
}

/* --- vectors ------------------------------------------------------------------------------------------------------------ */

static int vector_of_scalar(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct source *s = source_matrix_new(e, grid, 1);
	const double *v;

	if (s == NULL)
		return query_limits_no_memory(err);
	int rc = eval_scalar(e, x->call.args[0], grid, &v, err);
	if (rc)
		return rc;
	struct row r = tile_row(s->all, 0);
	memcpy(r.v, v, grid->n * sizeof(*v));
	bits_fill(r.present, grid->n);
	s->cache[0] = &labels_empty;
	s->unique = s->unique_nameless = true;
	*out = s;
	return 0;
}

static void apply_step_times(void *arg, struct tile *t, size_t first)
{
	const struct grid *grid = arg;
	(void)first;

	t->h = NULL;
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		for (uint32_t k = 0; k < t->steps; k++)
			row.v[k] = (double)grid_time_ms(grid, k) / 1000;
	}
}

static void apply_nothing(void *arg, struct tile *t, size_t first)
{
	(void)arg, (void)t, (void)first;
}

static int eval_timestamp(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct expr *arg = expr_unparen(x->call.args[0]);
	struct source *below;
	map_apply apply = arg->kind == EXPR_SELECTOR ? apply_nothing : apply_step_times;
	int rc = arg->kind == EXPR_SELECTOR ? eval_selector_times(e, arg, grid, SELECTOR_TIMES, &below, err)
					    : eval_vector(e, arg, grid, &below, err);

	if (rc)
		return rc;
	struct grid *steps = ARENA_NEW(e->arena, struct grid);
	*steps = *grid;
	*out = source_map_new(below, apply, steps, true);
	return source_merge_same(out, err);
}

/* Only samples have a start, the values of expressions have none. */
static int eval_start_timestamp(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct expr *arg = expr_unparen(x->call.args[0]);
	struct source *below;

	int rc = 0;

	if (arg->kind != EXPR_SELECTOR || !e->options->use_start_timestamps) {
		/* No value has a start any more; errors and annotations it may have. */
		if (arg->kind != EXPR_SELECTOR)
			rc = eval_vector(e, arg, grid, &below, err);
		if (rc == 0 && arg->kind != EXPR_SELECTOR)
			rc = source_materialise(below, err);
		*out = source_matrix_new(e, grid, 0);
		return rc || *out ? rc : query_limits_no_memory(err);
	}
	rc = eval_selector_times(e, arg, grid, SELECTOR_STARTS, &below, err);
	if (rc)
		return rc;
	*out = source_map_new(below, apply_nothing, NULL, true);
	return source_merge_same(out, err);
}

static int eval_absent(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct source *s;
	int rc = eval_vector(e, x->call.args[0], grid, &s, err);

	return rc ? rc : eval_absence(e, x->call.args[0], s, out, err);
}

int eval_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	enum function_id id = x->call.func->id;

	if (range_func_of(id))
		return eval_range_call(e, x, grid, out, err);
	if (math_function(id))
		return eval_math(e, x, grid, out, err);
	if (date_function(id))
		return eval_date(e, x, grid, out, err);
	switch ((int)id) {
	case FN_ABSENT:
		return eval_absent(e, x, grid, out, err);
	case FN_ABSENT_OVER_TIME:
		return eval_absent_over_time(e, x, grid, out, err);
	case FN_VECTOR:
		return vector_of_scalar(e, x, grid, out, err);
	case FN_TIMESTAMP:
		return eval_timestamp(e, x, grid, out, err);
	case FN_START_TIMESTAMP:
		return eval_start_timestamp(e, x, grid, out, err);
	case FN_LABEL_REPLACE:
	case FN_LABEL_JOIN:
		return eval_label_call(e, x, grid, out, err);
	case FN_SORT:
	case FN_SORT_DESC:
	case FN_SORT_BY_LABEL:
	case FN_SORT_BY_LABEL_DESC:
		return eval_sort(e, x, grid, out, err);
	case FN_INFO:
		return eval_info(e, x, grid, out, err);
	case FN_HISTOGRAM_AVG:
	case FN_HISTOGRAM_COUNT:
	case FN_HISTOGRAM_SUM:
	case FN_HISTOGRAM_STDDEV:
	case FN_HISTOGRAM_STDVAR:
	case FN_HISTOGRAM_QUANTILE:
	case FN_HISTOGRAM_QUANTILES:
	case FN_HISTOGRAM_FRACTION:
		return eval_histogram_call(e, x, grid, out, err);
	default:
		return err_set(err, ERR_UNSUPPORTED, "not implemented: the function %s", x->call.func->name);
	}
}

static void apply_negate(void *arg, struct tile *t, size_t first)
{
	size_t n = (size_t)t->rows * t->steps;
	(void)arg, (void)first;

	for (size_t i = 0; i < n; i++)
		t->v[i] = -t->v[i];
	for (uint32_t r = 0; t->h && r < t->rows; r++) {
		struct row row = tile_row(t, r);
		BITS_EACH(k, row.present, t->words)
		{
			if (row.h[k])
				row.h[k] = histogram_scale(t->arena, row.h[k], -1);
		}
	}
}

static int eval_unary(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct source *below;
	int rc = eval_vector(e, x->unary.inner, grid, &below, err);

	if (rc)
		return rc;
	if (!x->unary.minus) {
		*out = below;
		return 0;
	}
	*out = source_map_new(below, apply_negate, NULL, true);
	return source_merge_same(out, err);
}

static int vector_node(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	switch ((int)x->kind) {
	case EXPR_SELECTOR:
		return eval_selector(e, x, grid, NULL, out, err);
	case EXPR_AGGREGATE:
		return eval_aggregate(e, x, grid, out, err);
	case EXPR_BINARY:
		return eval_binary(e, x, grid, out, err);
	case EXPR_UNARY:
		return eval_unary(e, x, grid, out, err);
	case EXPR_CALL:
		return eval_call(e, x, grid, out, err);
	default:
		return err_set(err, ERR_EXECUTION, "the expression is not an instant vector");
	}
}

static int evaluate(
    struct eval *e, const struct expr *node, const struct grid *grid, struct source **out, struct err *err)
{
	struct plan_node *n = plan_node_of(&e->plan, node);
	struct source *one;

	if (!node->step_invariant || grid->n == 1) {
		int rc = vector_node(e, node, grid, out, err);
		if (rc == 0)
			n->value = *out;
		return rc;
	}
	int rc = vector_node(e, node, one_step(e, grid), &one, err);
	if (rc == 0)
		rc = source_materialise(one, err);
	if (rc)
		return rc;
	n->once = one;
	n->value = *out = source_repeat_new(one, grid);
	return 0;
}

int eval_vector(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct expr *node = expr_unparen(x);
	struct plan_node *n = plan_node_of(&e->plan, node);

	int rc = query_limits_check(&e->limits, err);
	if (rc)
		return rc;
	n->expr = node;
	n->steps = grid->n;
	if (!e->analyze)
		return evaluate(e, node, grid, out, err);
	int64_t begun = clock_mono_ns(e->limits.clock);
	rc = evaluate(e, node, grid, out, err);
	n->make_ns += clock_mono_ns(e->limits.clock) - begun;
	return rc;
}
