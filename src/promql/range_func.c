/* Which kernel computes which function, and the scratch memory kernels share. */
#include "promql/range_func.h"

#include "base/xmalloc.h"

void range_call_init(
    struct range_call *c, enum function_id id, const struct window_spec *spec, const struct grid *grid)
{
	*c = (struct range_call){.id = id, .spec = spec, .grid = grid};
}

void range_call_done(struct range_call *c)
{
	rate_times_free(c->rate_times);
	free(c->values);
}

bool range_call_spent(struct range_call *c, size_t samples)
{
	enum { WORK_PER_LOOK = 1 << 20 };

	c->work += samples;
	if (c->work < WORK_PER_LOOK || c->limits == NULL)
		return c->stopped;
	c->work = 0;
	c->stopped = query_limits_check(c->limits, NULL) != 0;
	return c->stopped;
}

double *range_call_values(struct range_call *c, size_t n)
{
	if (n > c->values_cap) {
		free(c->values);
		c->values = xreallocarray(NULL, n, sizeof(*c->values));
		c->values_cap = n;
	}
	return c->values;
}

static const struct range_func range_funcs[FUNCTION_COUNT] = {
    [FN_RATE] = {range_rate, false, false},
    [FN_INCREASE] = {range_rate, false, false},
    [FN_DELTA] = {range_rate, false, false},
    [FN_IRATE] = {range_irate, false, false},
    [FN_IDELTA] = {range_irate, false, false},
    [FN_AVG_OVER_TIME] = {range_sum_or_avg, false, false},
    [FN_SUM_OVER_TIME] = {range_sum_or_avg, false, false},
    [FN_MIN_OVER_TIME] = {range_extremes, false, true},
    [FN_MAX_OVER_TIME] = {range_extremes, false, true},
    [FN_COUNT_OVER_TIME] = {range_counts, false, false},
    [FN_PRESENT_OVER_TIME] = {range_counts, false, false},
    [FN_STDDEV_OVER_TIME] = {range_float_folds, false, true},
    [FN_STDVAR_OVER_TIME] = {range_float_folds, false, true},
    [FN_QUANTILE_OVER_TIME] = {range_float_folds, false, true},
    [FN_MAD_OVER_TIME] = {range_float_folds, false, true},
    [FN_LAST_OVER_TIME] = {range_edges, true, false},
    [FN_FIRST_OVER_TIME] = {range_edges, true, false},
    [FN_TS_OF_LAST_OVER_TIME] = {range_edges, false, false},
    [FN_TS_OF_FIRST_OVER_TIME] = {range_edges, false, false},
    [FN_TS_OF_MAX_OVER_TIME] = {range_extreme_times, false, true},
    [FN_TS_OF_MIN_OVER_TIME] = {range_extreme_times, false, true},
    [FN_CHANGES] = {range_count_between, false, false},
    [FN_RESETS] = {range_count_between, false, false},
    [FN_DERIV] = {range_deriv, false, true},
    [FN_PREDICT_LINEAR] = {range_predict_linear, false, true},
    [FN_DOUBLE_EXPONENTIAL_SMOOTHING] = {range_smoothing, false, true},
};

const struct range_func *range_func_of(enum function_id id)
{
	return range_funcs[id].kernel ? &range_funcs[id] : NULL;
}
