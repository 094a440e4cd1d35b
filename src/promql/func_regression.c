/* deriv, predict_linear and double_exponential_smoothing: what fits a line or a curve to the floats of a range. */
#include "promql/kahan.h"
#include "promql/range_func.h"

struct line {
	double slope, intercept;
};

/* Least squares over n >= 1 points, x in seconds relative to `origin_ms`. */
static struct line fit_line(const int64_t *t, const double *v, size_t n, int64_t origin_ms)
{
	struct kahan x = {0}, y = {0}, xy = {0}, xx = {0};
	bool constant = true;

	for (size_t i = 0; i < n; i++) {
		double at = (double)(t[i] - origin_ms) / 1e3;
		if (i > 0 && v[i] != v[0])
			constant = false;
		kahan_add(&x, at);
		kahan_add(&y, v[i]);
		kahan_add(&xy, at * v[i]);
		kahan_add(&xx, at * at);
	}
	if (constant)
		return isinf(v[0]) ? (struct line){NAN, NAN} : (struct line){0, v[0]};

	double count = (double)n;
	double sx = kahan_value(&x), sy = kahan_value(&y);
	double covariance = kahan_value(&xy) - sx * sy / count;
	double variance = kahan_value(&xx) - sx * sx / count;
	double slope = covariance / variance;
	return (struct line){slope, sy / count - slope * sx / count};
}

void range_deriv(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);

	for (uint32_t k = 0; k < in->fw->n; k++) {
		uint32_t lo = in->fw->lo[k], n = in->fw->hi[k] - lo;
		if (n < 2)
			continue;
		if (range_call_spent(c, n))
			return;
		r.v[k] = fit_line(in->float_t + lo, in->v + lo, n, in->float_t[lo]).slope;
		bit_set(r.present, k);
	}
}

void range_predict_linear(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);

	for (uint32_t k = 0; k < in->fw->n; k++) {
		uint32_t lo = in->fw->lo[k], n = in->fw->hi[k] - lo;
		if (n < 2)
			continue;
		if (range_call_spent(c, n))
			return;
		struct line l = fit_line(in->float_t + lo, in->v + lo, n, grid_time_ms(c->grid, k));
		r.v[k] = l.slope * c->param[0][k] + l.intercept;
		bit_set(r.present, k);
	}
}

/* Holt's linear smoothing over n >= 2 values. */
static double smooth(const double *v, size_t n, double sf, double tf)
{
	double before = 0, now = v[0], trend = v[1] - v[0];

	for (size_t i = 1; i < n; i++) {
		double x = sf * v[i];
		if (i > 1) {
			double rise = tf * (now - before);
			trend = rise + (1 - tf) * trend;
		}
		double y = (1 - sf) * (now + trend);
		before = now;
		now = x + y;
	}
	return now;
}

void range_smoothing(struct range_call *c, const struct range_input *in, struct tile *out, uint32_t row)
{
	struct row r = tile_row(out, row);

	for (uint32_t k = 0; k < in->fw->n; k++) {
		uint32_t lo = in->fw->lo[k], n = in->fw->hi[k] - lo;
		if (n < 2)
			continue;
		if (range_call_spent(c, n))
			return;
		r.v[k] = smooth(in->v + lo, n, c->param[0][k], c->param[1][k]);
		bit_set(r.present, k);
	}
}
