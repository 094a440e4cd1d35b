#include "promql/series_reader.h"

#include "model/stale_marker.h"
#include "promql/columns.h"
#include "promql/query_limits.h"
#include <stdlib.h>
#include <string.h>

void series_reader_init(struct series_reader *r, struct query_limits *limits)
{
	memset(r, 0, sizeof(*r));
	r->limits = limits;
	sample_column_init(&r->col, NULL);
	windows_init(&r->fw);
	windows_init(&r->hw);
}

void series_reader_done(struct series_reader *r)
{
	sample_column_done(&r->col);
	free(r->float_t);
	free(r->histogram_t);
	free(r->v);
	free(r->h);
	windows_done(&r->fw);
	windows_done(&r->hw);
}

int series_reader_read(
    struct series_reader *r, struct series_set *set, size_t i, struct arena *arena, struct err *err)
{
	r->col.histograms = arena;
	sample_column_reset(&r->col);
	int rc = set->ops->read(set, i, &r->col, err);
	if (rc)
		return err_prefix(err, "expanding series: ");
	if (r->col.n >= UINT32_MAX)
		return err_set(
		    err, ERR_LIMIT, "a series has more than 2^32 samples in the range of the query");
	atomic_fetch_add_explicit(&r->limits->samples_read, r->col.n, memory_order_relaxed);
	return 0;
}

static int reserve(struct series_reader *r, size_t n, struct err *err)
{
	if (n <= r->cap)
		return 0;
	free(r->float_t);
	free(r->histogram_t);
	free(r->v);
	free(r->h);
	r->float_t = malloc(n * sizeof(*r->float_t));
	r->histogram_t = malloc(n * sizeof(*r->histogram_t));
	r->v = malloc(n * sizeof(*r->v));
	r->h = malloc(n * sizeof(*r->h));
	r->cap = r->float_t && r->histogram_t && r->v && r->h ? n : 0;
	return r->cap ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a series of %zu samples", n);
}

static void part(struct series_reader *r, const int64_t *t, const double *v, const struct histogram *const *h,
    size_t n, struct range_input *in)
{
	for (size_t i = 0; i < n; i++) {
		if (h && h[i]) {
			if (histogram_is_stale(h[i]))
				continue;
			r->histogram_t[in->n_histograms] = t[i];
			r->h[in->n_histograms++] = h[i];
		} else if (!is_stale(v[i])) {
			r->float_t[in->n_floats] = t[i];
			r->v[in->n_floats++] = v[i];
		}
	}
	in->float_t = r->float_t;
	in->v = r->v;
	in->histogram_t = r->histogram_t;
	in->h = r->h;
}

int series_reader_input_of(struct series_reader *r, const struct window_spec *spec, const int64_t *t,
    const double *v, const struct histogram *const *h, size_t n, struct range_input *in, struct err *err)
{
	*in = (struct range_input){0};
	if (h || column_has_stale(v, n)) {
		int rc = reserve(r, n, err);
		if (rc)
			return rc;
		part(r, t, v, h, n, in);
	} else {
		in->n_floats = n;
		in->float_t = t;
		in->v = v;
	}
	windows_set(&r->fw, spec, in->float_t, in->n_floats);
	in->fw = &r->fw;
	if (in->n_histograms) {
		windows_set(&r->hw, spec, in->histogram_t, in->n_histograms);
		in->hw = &r->hw;
	}
	uint64_t touched = r->fw.points + (in->n_histograms ? r->hw.points : 0);
	atomic_fetch_add_explicit(&r->limits->samples_touched, touched, memory_order_relaxed);
	return query_limits_touch(r->limits, spec->n > 0 ? touched / spec->n : 0, err);
}

int series_reader_input(
    struct series_reader *r, const struct window_spec *spec, struct range_input *in, struct err *err)
{
	return series_reader_input_of(r, spec, r->col.t, r->col.v, r->col.h, r->col.n, in, err);
}
