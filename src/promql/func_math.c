/* Functions of one number, applied to whole tiles: abs() to rad(), and clamp and round with their scalar arguments. Values
 * that are absent are computed on as well: it is cheaper than looking. Histograms are dropped. */
#include "promql/func_math.h"

#include "promql/eval.h"
#include <math.h>

static double go_sgn(double v)
{
	return v < 0 ? -1 : v > 0 ? 1 : v;
}

static double to_degrees(double v)
{
	return v * 180 / M_PI;
}

static double to_radians(double v)
{
	return v * M_PI / 180;
}

typedef double (*math_fn)(double v);

static const math_fn math_fns[FUNCTION_COUNT] = {
    [FN_ABS] = fabs,
    [FN_CEIL] = ceil,
    [FN_FLOOR] = floor,
    [FN_EXP] = exp,
    [FN_SQRT] = sqrt,
    [FN_LN] = log,
    [FN_LOG2] = log2,
    [FN_LOG10] = log10,
    [FN_SGN] = go_sgn,
    [FN_SIN] = sin,
    [FN_COS] = cos,
    [FN_TAN] = tan,
    [FN_ASIN] = asin,
    [FN_ACOS] = acos,
    [FN_ATAN] = atan,
    [FN_SINH] = sinh,
    [FN_COSH] = cosh,
    [FN_TANH] = tanh,
    [FN_ASINH] = asinh,
    [FN_ACOSH] = acosh,
    [FN_ATANH] = atanh,
    [FN_DEG] = to_degrees,
    [FN_RAD] = to_radians,
};

bool math_function(enum function_id id)
{
	return math_fns[id] || id == FN_CLAMP || id == FN_CLAMP_MIN || id == FN_CLAMP_MAX || id == FN_ROUND;
}

void tile_drop_histograms(struct tile *t)
{
	if (t->h == NULL)
		return;
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		BITS_EACH(k, row.present, t->words)
		{
			if (row.h[k])
				bit_clear(row.present, k);
		}
	}
	t->h = NULL;
}

/* What a function of this file has beside its vector. */
struct math_call {
	enum function_id id;
	math_fn fn;
	const double *param[2]; /* a value per step */
};

static void apply_fn(void *arg, struct tile *t, size_t first)
{
	const struct math_call *c = arg;
	size_t n = (size_t)t->rows * t->steps;
	(void)first;

	tile_drop_histograms(t);
	for (size_t i = 0; i < n; i++)
		t->v[i] = c->fn(t->v[i]);
}

/* Go's math.Max and math.Min: the infinity that wins wins even over NaN, then NaN does; -0 is smaller than 0. */
double go_max(double a, double b)
{
	if ((isinf(a) && a > 0) || (isinf(b) && b > 0))
		return INFINITY;
	if (isnan(a) || isnan(b))
		return NAN;
	if (a == b)
		return signbit(a) ? b : a;
	return a > b ? a : b;
}

double go_min(double a, double b)
{
	if ((isinf(a) && a < 0) || (isinf(b) && b < 0))
		return -INFINITY;
	if (isnan(a) || isnan(b))
		return NAN;
	if (a == b)
		return signbit(a) ? a : b;
	return a < b ? a : b;
}

static void apply_clamp(void *arg, struct tile *t, size_t first)
{
	const struct math_call *c = arg;
	(void)first;

	tile_drop_histograms(t);
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		for (uint32_t k = 0; k < t->steps; k++) {
			double low = c->param[0][k], high = c->param[1][k];
			if (low > high)
				bit_clear(row.present, k);
			else
				row.v[k] = go_max(low, go_min(high, row.v[k]));
		}
	}
}

static void apply_clamp_one(void *arg, struct tile *t, size_t first)
{
	const struct math_call *c = arg;
	(void)first;

	tile_drop_histograms(t);
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		for (uint32_t k = 0; k < t->steps; k++)
			row.v[k] = c->id == FN_CLAMP_MIN ? go_max(c->param[0][k], row.v[k])
							 : go_min(c->param[0][k], row.v[k]);
	}
}

static void apply_round(void *arg, struct tile *t, size_t first)
{
	const struct math_call *c = arg;
	(void)first;

	tile_drop_histograms(t);
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		for (uint32_t k = 0; k < t->steps; k++) {
			/* Dividing by the inverse gives fewer surprises with decimals than multiplying by the value. */
			double inverse = 1 / (c->param[0] ? c->param[0][k] : 1.0);
			row.v[k] = floor(row.v[k] * inverse + 0.5) / inverse;
		}
	}
}

static map_apply apply_for(enum function_id id)
{
	if (id == FN_CLAMP)
		return apply_clamp;
	if (id == FN_CLAMP_MIN || id == FN_CLAMP_MAX)
		return apply_clamp_one;
	return id == FN_ROUND ? apply_round : apply_fn;
}

int eval_math(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	const struct call *call = &x->call;
	struct math_call *c = ARENA_NEW(e->arena, struct math_call);
	struct source *below;

	c->id = call->func->id;
	c->fn = math_fns[c->id];
	int rc = eval_vector(e, call->args[0], grid, &below, err);
	for (size_t i = 1; rc == 0 && i < call->n_args && i < 3; i++)
		rc = eval_scalar(e, call->args[i], grid, &c->param[i - 1], err);
	if (rc)
		return rc;
	*out = source_map_new(below, apply_for(c->id), c, true);
	return source_merge_same(out, err);
}
