#include "promql/result_build.h"

#include "model/stale_marker.h"
#include "promql/series_reader.h"
#include "promql/series_select.h"
#include <stdlib.h>
#include <string.h>

/* --- names -------------------------------------------------------------------------------------------------------------- */

static void apply_nothing(void *arg, struct tile *t, size_t first)
{
	(void)arg, (void)t, (void)first;
}

/* Delayed name removal: now is the end, the names go. */
static struct source *remove_names(struct source *s)
{
	bool any = s->all_dropped;

	for (size_t i = 0; !any && s->dropped && i < s->n; i++)
		any = s->dropped[i];
	if (!any || !s->eval->options->delayed_name_removal)
		return s;
	struct source *out = source_map_new(s, apply_nothing, NULL, false);
	out->cache = ARENA_ARRAY(s->eval->arena, const struct labels *, s->n + 1);
	out->unique = s->unique_nameless;
	for (size_t i = 0; i < s->n; i++) {
		const struct labels *ls = source_labels(s, i);
		out->cache[i] = source_name_dropped(s, i) ? labels_nameless(s->eval->arena, ls) : ls;
	}
	return out;
}

/* --- points ------------------------------------------------------------------------------------------------------------- */

/* A row with gaps, brought together. */
static void compact_row(
    struct arena *arena, struct row r, const struct query_result *result, struct result_series *out)
{
	uint32_t words = bit_words((uint32_t)result->n_steps);
	int64_t *t = ARENA_ARRAY(arena, int64_t, out->n);
	double *v = ARENA_ARRAY(arena, double, out->n);
	const struct histogram **h = r.h ? ARENA_ARRAY(arena, const struct histogram *, out->n) : NULL;
	size_t n = 0;

	BITS_EACH(k, r.present, words)
	{
		t[n] = result->grid_ms[k];
		v[n] = r.v[k];
		if (h)
			h[n] = r.h[k];
		n++;
	}
	out->t_ms = t;
	out->v = v;
	out->h = h;
}

static bool has_histogram(struct row r, uint32_t words)
{
	bool found = false;

	if (r.h == NULL)
		return false;
	BITS_EACH(k, r.present, words)
	found |= r.h[k] != NULL;
	return found;
}

static void series_of_row(
    struct arena *arena, struct row r, const struct query_result *result, struct result_series *out)
{
	uint32_t words = bit_words((uint32_t)result->n_steps);

	if (!has_histogram(r, words))
		r.h = NULL;
	if (out->n < result->n_steps) {
		compact_row(arena, r, result, out);
		return;
	}
	out->t_ms = result->grid_ms;
	out->v = r.v;
	out->h = r.h;
}

static int cmp_series(const void *a, const void *b)
{
	return labels_cmp(
	    ((const struct result_series *)a)->labels, ((const struct result_series *)b)->labels);
}

static int vector_result(struct eval *e, const struct expr *x, struct query_result *r, struct err *err)
{
	struct source *s;
	int rc = eval_vector(e, x, &e->grid, &s, err);

	if (rc)
		return rc;
	s = remove_names(s);
	rc = source_merge_same(&s, err);
	if (rc == 0)
		rc = source_materialise(s, err);
	if (rc)
		return rc;
	r->series = ARENA_ARRAY(e->arena, struct result_series, s->n + 1);
	for (size_t i = 0; i < s->n; i++) {
		struct row row = tile_row(s->all, (uint32_t)i);
		size_t n = bits_count(row.present, s->all->words);
		if (n == 0)
			continue;
		struct result_series *out = &r->series[r->n_series++];
		out->n = n;
		out->labels = source_labels(s, i);
		series_of_row(e->arena, row, r, out);
	}
	int64_t before = clock_mono_ns(e->limits.clock);
	if (r->kind == QUERY_MATRIX)
		qsort(r->series, r->n_series, sizeof(*r->series), cmp_series);
	r->stats.sort_ns = clock_mono_ns(e->limits.clock) - before;
	return 0;
}

static int scalar_result(struct eval *e, const struct expr *x, struct query_result *r, struct err *err)
{
	const double *v;
	int rc = eval_scalar(e, x, &e->grid, &v, err);

	if (rc)
		return rc;
	r->series = ARENA_NEW(e->arena, struct result_series);
	r->n_series = 1;
	*r->series =
	    (struct result_series){.labels = &labels_empty, .n = r->n_steps, .t_ms = r->grid_ms, .v = v};
	return 0;
}

/* --- range vectors ------------------------------------------------------------------------------------------------------ */

/* The samples of (end - range, end] without stale markers, in the arena. */
static int raw_series(struct arena *arena, struct series_reader *reader, const struct window_spec *spec,
    struct result_series *out, struct err *err)
{
	const struct sample_column *c = &reader->col;
	struct range_input in;
	int rc = series_reader_input(reader, spec, &in, err);
	if (rc)
		return rc;
	int64_t *t = ARENA_ARRAY(arena, int64_t, c->n + 1);
	double *v = ARENA_ARRAY(arena, double, c->n + 1);
	const struct histogram **h = c->h ? ARENA_ARRAY(arena, const struct histogram *, c->n + 1) : NULL;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		bool is_h = c->h && c->h[i];
		if (c->t[i] <= spec->end_ms - spec->range_ms || c->t[i] > spec->end_ms)
			continue;
		if (is_h ? histogram_is_stale(c->h[i]) : is_stale(c->v[i]))
			continue;
		t[n] = c->t[i];
		v[n] = c->v[i];
		if (h)
			h[n] = c->h[i];
		n++;
	}
	*out = (struct result_series){.n = n, .t_ms = t, .v = v, .h = h};
	return 0;
}

/* The same with the modifiers anchored and smoothed. */
static int extended_series(struct arena *arena, struct series_reader *reader, const struct window_spec *spec,
    struct result_series *out, struct err *err)
{
	struct range_input in;
	int rc = series_reader_input(reader, spec, &in, err);

	if (rc)
		return rc;
	if (in.n_histograms)
		return err_set(err, ERR_EXECUTION, "%s modifier is not supported with histograms",
		    spec->kind == WINDOW_ANCHORED ? "anchored" : "smoothed");
	int64_t *t = ARENA_ARRAY(arena, int64_t, in.n_floats + 2);
	double *v = ARENA_ARRAY(arena, double, in.n_floats + 2);
	*out = (struct result_series){.n = range_extended_samples(spec, &in, t, v), .t_ms = t, .v = v};
	return 0;
}

static int raw_row(struct eval *e, struct series_reader *reader, struct series_set *set, size_t i,
    const struct window_spec *spec, struct result_series *out, struct err *err)
{
	int rc = series_reader_read(reader, set, i, e->arena, err);

	if (rc == 0)
		rc = query_limits_check(&e->limits, err);
	if (rc == 0 && spec->kind != WINDOW_PLAIN)
		rc = extended_series(e->arena, reader, spec, out, err);
	else if (rc == 0)
		rc = raw_series(e->arena, reader, spec, out, err);
	if (rc)
		return rc;
	out->labels = set->ops->labels(set, i, e->arena);
	return 0;
}

static int raw_selector(struct eval *e, const struct expr *x, struct query_result *r, struct err *err)
{
	struct window_spec spec = window_spec_for(&x->selector.shift, &e->grid, x->selector.range.ms);
	struct series_reader reader;
	struct series_set *set;

	window_spec_extend(&spec, &x->selector, e->lookback_ms);
	struct leaf_counts *counts = query_plan_counts(e, x, &e->grid);
	int rc = series_select(e, x, &spec, false, NULL, &set, err);
	if (rc)
		return rc;
	plan_node_of(&e->plan, x)->series = set->n;
	r->series = ARENA_ARRAY(e->arena, struct result_series, set->n + 1);
	series_reader_init(&reader, e, counts, false);
	for (size_t i = 0; rc == 0 && i < set->n; i++) {
		struct result_series *out = &r->series[r->n_series];
		rc = raw_row(e, &reader, set, i, &spec, out, err);
		r->n_series += rc == 0 && out->n > 0;
	}
	series_reader_done(&reader);
	return rc;
}

static int raw_subquery(struct eval *e, const struct expr *x, struct query_result *r, struct err *err)
{
	struct source *s;
	int rc = eval_subquery(e, x, &e->grid, &s, err);

	if (rc == 0) {
		s = remove_names(s);
		rc = source_merge_same(&s, err);
	}
	if (rc == 0)
		rc = source_materialise(s, err);
	if (rc)
		return rc;
	int64_t *t = ARENA_ARRAY(e->arena, int64_t, s->grid->n);
	for (uint32_t k = 0; k < s->grid->n; k++)
		t[k] = grid_time_ms(s->grid, k);
	struct query_result inner = *r;
	inner.grid_ms = t;
	inner.n_steps = s->grid->n;
	r->series = ARENA_ARRAY(e->arena, struct result_series, s->n + 1);
	for (size_t i = 0; i < s->n; i++) {
		struct row row = tile_row(s->all, (uint32_t)i);
		struct result_series *out = &r->series[r->n_series];
		out->n = bits_count(row.present, s->all->words);
		if (out->n == 0)
			continue;
		out->labels = source_labels(s, i);
		series_of_row(e->arena, row, &inner, out);
		r->n_series++;
	}
	return 0;
}

static int matrix_result(struct eval *e, const struct expr *x, struct query_result *r, struct err *err)
{
	const struct expr *node = expr_unparen(x);
	int rc = node->kind == EXPR_SUBQUERY ? raw_subquery(e, node, r, err) : raw_selector(e, node, r, err);

	if (rc == 0)
		qsort(r->series, r->n_series, sizeof(*r->series), cmp_series);
	return rc;
}

int result_build(struct eval *e, const struct expr *x, struct query_result *r, struct err *err)
{
	bool is_range = e->step_ms > 0;

	switch (x->type) {
	case TYPE_SCALAR:
		r->kind = is_range ? QUERY_MATRIX : QUERY_SCALAR;
		return scalar_result(e, x, r, err);
	case TYPE_VECTOR:
		r->kind = is_range ? QUERY_MATRIX : QUERY_VECTOR;
		return vector_result(e, x, r, err);
	case TYPE_MATRIX:
		r->kind = QUERY_MATRIX;
		return matrix_result(e, x, r, err);
	case TYPE_STRING:
		r->kind = QUERY_STRING;
		r->string = arena_slice(e->arena, expr_unparen(x)->string);
		return 0;
	case TYPE_NONE:
		break;
	}
	return err_set(err, ERR_EXECUTION, "the expression has no value");
}
