#include "promql/series_reader.h"

#include "model/stale_marker.h"
#include "promql/columns.h"
#include "promql/query_limits.h"
#include <stdlib.h>
#include <string.h>

void series_reader_init(struct series_reader *r, struct query_limits *limits, bool use_starts)
{
	memset(r, 0, sizeof(*r));
	r->limits = limits;
	r->use_starts = use_starts;
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
	free(r->float_start);
	free(r->histogram_start);
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
	free(r->float_start);
	free(r->histogram_start);
	r->float_start = malloc(n * sizeof(*r->float_start));
	r->histogram_start = malloc(n * sizeof(*r->histogram_start));
	r->float_t = malloc(n * sizeof(*r->float_t));
	r->histogram_t = malloc(n * sizeof(*r->histogram_t));
	r->v = malloc(n * sizeof(*r->v));
	r->h = malloc(n * sizeof(*r->h));
	r->cap = r->float_t && r->histogram_t && r->v && r->h && r->float_start && r->histogram_start ? n : 0;
	return r->cap ? 0 : err_set(err, ERR_NO_MEMORY, "no memory for a series of %zu samples", n);
}

static void part(struct series_reader *r, const struct sample_column *c, struct range_input *in)
{
	for (size_t i = 0; i < c->n; i++) {
		int64_t start = c->start ? c->start[i] : 0;
		if (c->h && c->h[i]) {
			if (histogram_is_stale(c->h[i]))
				continue;
			r->histogram_t[in->n_histograms] = c->t[i];
			r->histogram_start[in->n_histograms] = start;
			r->h[in->n_histograms++] = c->h[i];
		} else if (!is_stale(c->v[i])) {
			r->float_t[in->n_floats] = c->t[i];
			r->float_start[in->n_floats] = start;
			r->v[in->n_floats++] = c->v[i];
		}
	}
	in->float_t = r->float_t;
	in->v = r->v;
	in->histogram_t = r->histogram_t;
	in->h = r->h;
	if (c->start && r->use_starts) {
		in->float_start = r->float_start;
		in->histogram_start = r->histogram_start;
	}
}

int series_reader_input_of(struct series_reader *r, const struct window_spec *spec,
    const struct sample_column *c, struct range_input *in, struct err *err)
{
	*in = (struct range_input){0};
	if (c->h || (c->start && r->use_starts) || column_has_stale(c->v, c->n)) {
		int rc = reserve(r, c->n, err);
		if (rc)
			return rc;
		part(r, c, in);
	} else {
		in->n_floats = c->n;
		in->float_t = c->t;
		in->v = c->v;
	}
	windows_set(&r->fw, spec, in->float_t, in->n_floats);
	in->fw = &r->fw;
	if (in->n_histograms) {
		windows_set(&r->hw, spec, in->histogram_t, in->n_histograms);
		in->hw = &r->hw;
	}
	uint64_t touched = r->fw.points + (in->n_histograms ? r->hw.points : 0);
	atomic_fetch_add_explicit(&r->limits->samples_touched, touched, memory_order_relaxed);
	return query_limits_touch(r->limits, touched / spec->n, err);
}

int series_reader_input(
    struct series_reader *r, const struct window_spec *spec, struct range_input *in, struct err *err)
{
	return series_reader_input_of(r, spec, &r->col, in, err);
}
