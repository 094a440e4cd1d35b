/* Functions over ranges: what computes a row of results from the samples of a series. One table row per function
 * (range_func.c), the kernels are in func_rate.c, func_over_time.c, func_regression.c and func_extended.c.
 *
 * A kernel does all steps of one series in one call; the windows have been computed and the samples are parted into floats
 * and histograms, both without stale markers. */
#pragma once

#include "promql/annotations.h"
#include "promql/functions.h"
#include "promql/query_limits.h"
#include "promql/value_matrix.h"
#include "promql/window.h"

struct range_input {
	size_t n_floats;
	const int64_t *float_t;
	const double *v;
	bool never_falls;           /* no float is smaller than the one before it; false: not known */
	const int64_t *float_start; /* start timestamps, 0 where unknown; NULL: none, or not to be used */
	const struct windows *fw;
	/* histograms; fields below mean something only when n_histograms > 0 */
	size_t n_histograms;
	const int64_t *histogram_t;
	const struct histogram *const *h;
	const int64_t *histogram_start;
	const struct windows *hw;
};

/* What start timestamps say of two neighbours: that the counter began anew between them (its start lies behind the earlier
 * sample, or on it when that sample had a start of its own), or that they contradict each other. A start that is not before
 * its own sample says nothing. */
static inline bool start_known(int64_t start_ms, int64_t t_ms)
{
	return start_ms != 0 && start_ms < t_ms;
}

static inline bool start_is_reset(int64_t prev_t_ms, int64_t prev_start_ms, int64_t t_ms, int64_t start_ms)
{
	if (!start_known(start_ms, t_ms))
		return false;
	return start_ms > prev_t_ms || (start_ms == prev_t_ms && start_known(prev_start_ms, prev_t_ms));
}

static inline bool start_overlaps(int64_t prev_t_ms, int64_t prev_start_ms, int64_t t_ms, int64_t start_ms)
{
	return start_known(start_ms, t_ms) && start_ms < prev_t_ms && start_ms != prev_start_ms;
}

/* What a call has beside its range, and the scratch memory of the thread that computes it. */
struct range_call {
	enum function_id id;
	const struct window_spec *spec;
	const struct grid *grid;
	const double *param[2];      /* scalar arguments, a value per step */
	unsigned notes;              /* enum row_note: or-ed to by the kernel */
	struct query_limits *limits; /* NULL: none */
	uint64_t work;               /* samples looked at since the limits were last asked */
	bool stopped;                /* the query has to end; what the row holds means nothing */
	/* scratch */
	struct rate_times *rate_times;
	double *values;
	size_t values_cap;
};

void range_call_init(
    struct range_call *c, enum function_id id, const struct window_spec *spec, const struct grid *grid);
void range_call_done(struct range_call *c);
/* Room for n numbers, reused from call to call. */
double *range_call_values(struct range_call *c, size_t n);

/* Called by kernels that walk each window, with the samples of the next: true when the query has to end now. Long windows times
 * many steps can take minutes for a single series. */
bool range_call_spent(struct range_call *c, size_t samples);

typedef void (*range_kernel)(
    struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);

struct range_func {
	range_kernel kernel;
	bool keeps_name;
	bool floats_only; /* histograms are ignored, with a note where there are floats too */
};

/* NULL: not a function of one range vector. */
const struct range_func *range_func_of(enum function_id id);

/* Of rate, increase and delta with the modifiers anchored and smoothed; of an instant selector with smoothed. */
void range_extended_rate(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_smoothed_value(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
/* The floats of such a range in its one window: what lies inside, and one at each end of it. Room for one more than the
 * window has, plus one; 0: the window is empty. */
size_t range_extended_samples(
    const struct window_spec *spec, const struct range_input *in, int64_t *t_ms, double *v);

void range_float_folds(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_sum_or_avg(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_extremes(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_counts(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_edges(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_extreme_times(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_count_between(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
/* Of the scratch memory; takes NULL. */
void rate_times_free(struct rate_times *t);
void range_rate(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
/* What rate, increase and delta need to know of the floats of a window. */
struct rate_window {
	uint64_t n; /* samples */
	int64_t first_ms, last_ms;
	double first, last;
	const double *drops; /* the values right before resets, in order */
	size_t n_drops;
};
/* The value of step k from that, as range_rate() computes it of the samples; false: too few of them. */
bool range_rate_of_window(struct range_call *c, uint32_t k, const struct rate_window *w, double *v);
void range_irate(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_deriv(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_predict_linear(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
void range_smoothing(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row);
