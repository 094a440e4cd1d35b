#include "tests/lib/reference_priv.h"

#include "base/double_text.h"
#include "base/utf8.h"
#include "promql/parse.h"
#include "tests/lib/promql_coverage.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- errors and notes --------------------------------------------------------------------------------------------------- */

int ref_fail(struct reference *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int rc = err_setv(r->err, ERR_EXECUTION, fmt, ap);
	va_end(ap);
	return rc;
}

int ref_fail_same_labels(struct reference *r)
{
	return ref_fail(r, "vector cannot contain metrics with the same labelset");
}

void *ref_grow(struct reference *r, void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap ? 2 * *cap : 8;
	void *grown = arena_zalloc(r->arena, *cap * size);
	if (n)
		memcpy(grown, v, n * size);
	return grown;
}

static PRINTF_LIKE(4, 0) void add_note(
    struct reference *r, bool is_warning, uint32_t at, const char *fmt, va_list ap)
{
	struct strbuf text = STRBUF_INIT;
	strbuf_addv(&text, fmt, ap);
	struct ref_note note = {is_warning, arena_slice(r->arena, strbuf_slice(&text)), at};
	strbuf_done(&text);
	for (size_t i = 0; i < r->n_notes; i++)
		if (r->notes[i].is_warning == is_warning && r->notes[i].at == at &&
		    slice_eq(r->notes[i].text, note.text))
			return;
	r->notes = ref_grow(r, r->notes, r->n_notes, &r->notes_cap, sizeof(*r->notes));
	r->notes[r->n_notes++] = note;
}

void ref_warn(struct reference *r, struct ast_range where, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_note(r, true, where.start, fmt, ap);
	va_end(ap);
}

void ref_info(struct reference *r, struct ast_range where, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_note(r, false, where.start, fmt, ap);
	va_end(ap);
}

void ref_note_histogram(
    struct reference *r, struct ast_range where, unsigned notes, unsigned which, const char *operation)
{
	if (notes & which & HISTOGRAM_NOTE_RESET_CONFLICT)
		ref_warn(r, where, "conflicting counter resets during histogram %s", operation);
	if (notes & which & HISTOGRAM_NOTE_BOUNDS_RECONCILED)
		ref_info(r, where, "mismatched custom buckets were reconciled during %s", operation);
}

const char *ref_quote(struct reference *r, struct slice s)
{
	struct strbuf text = STRBUF_INIT;
	utf8_quote_go(&text, s);
	const char *quoted = arena_strdup(r->arena, strbuf_slice(&text));
	strbuf_done(&text);
	return quoted;
}

const char *ref_g(struct reference *r, double v)
{
	char text[DOUBLE_TEXT_MAX];
	return arena_strdup(r->arena, slice_of(text, double_to_go_g(v, text)));
}

/* --- tables ------------------------------------------------------------------------------------------------------------- */

struct ref_table *ref_table_new(struct reference *r, const struct ref_times *times)
{
	struct ref_table *t = ARENA_NEW(r->arena, struct ref_table);
	t->times = *times;
	return t;
}

struct ref_row *ref_table_add(
    struct reference *r, struct ref_table *t, const struct labels *labels, bool drop_name)
{
	t->rows = ref_grow(r, t->rows, t->n, &t->cap, sizeof(*t->rows));
	struct ref_row *row = &t->rows[t->n++];
	*row = (struct ref_row){labels, drop_name, ARENA_ARRAY(r->arena, struct ref_cell, t->times.n + 1)};
	return row;
}

static bool is_empty(const struct ref_row *row, size_t n_steps)
{
	for (size_t k = 0; k < n_steps; k++)
		if (row->cells[k].present)
			return false;
	return true;
}

int ref_table_put(struct reference *r, struct ref_table *t, size_t step, const struct labels *labels,
    bool drop_name, double v, const struct histogram *h)
{
	struct ref_row *row = NULL;
	for (size_t i = 0; i < t->n && !row; i++)
		if (labels_eq(t->rows[i].labels, labels))
			row = &t->rows[i];
	if (!row)
		row = ref_table_add(r, t, labels, drop_name);
	/* A row that was begun for the sake of its place. */
	if (is_empty(row, t->times.n))
		row->drop_name = drop_name;
	if (row->cells[step].present)
		return ref_fail_same_labels(r);
	row->cells[step] = (struct ref_cell){true, v, h};
	return 0;
}

void ref_table_drop_empty(struct ref_table *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (!is_empty(&t->rows[i], t->times.n))
			t->rows[n++] = t->rows[i];
	t->n = n;
}

const struct labels *ref_nameless(struct reference *r, const struct labels *ls)
{
	struct label *kept = ARENA_ARRAY(r->arena, struct label, ls->n + 1);
	size_t n = 0;
	LABELS_EACH (l, ls)
		if (!slice_eq(l->name, SL(LABEL_NAME)) && !slice_eq(l->name, SL("__type__")) &&
		    !slice_eq(l->name, SL("__unit__")))
			kept[n++] = *l;
	return labels_from_sorted(r->arena, kept, n);
}

void ref_drop_name(struct reference *r, const struct labels **labels, bool *drop_name)
{
	if (r->options->delayed_name_removal)
		*drop_name = true;
	else
		*labels = ref_nameless(r, *labels);
}

/* --- scalars ------------------------------------------------------------------------------------------------------------ */

double ref_min(double a, double b)
{
	if (a == -(double)INFINITY || b == -(double)INFINITY)
		return -(double)INFINITY;
	if (isnan(a) || isnan(b))
		return (double)NAN;
	return a < b || (a == b && signbit(a)) ? a : b;
}

double ref_max(double a, double b)
{
	return -ref_min(-a, -b);
}

/* scalar(): the value of the only float. */
static int scalar_of_vector(
    struct reference *r, const struct expr *arg, const struct ref_times *times, double *out)
{
	struct ref_table *t;
	int rc = ref_vector(r, arg, times, &t);
	if (rc)
		return rc;
	for (size_t k = 0; k < times->n; k++) {
		size_t floats = 0;
		for (size_t i = 0; i < t->n; i++) {
			const struct ref_cell *cell = &t->rows[i].cells[k];
			if (cell->present && !cell->h) {
				floats++;
				out[k] = cell->v;
			}
		}
		if (floats != 1)
			out[k] = (double)NAN;
	}
	return 0;
}

static void fill(double *out, size_t n, double v)
{
	for (size_t k = 0; k < n; k++)
		out[k] = v;
}

static int extreme_of_scalars(
    struct reference *r, const struct expr *e, const struct ref_times *times, double *out)
{
	double *a, *b;
	int rc = ref_scalar(r, e->call.args[0], times, &a);
	if (rc == 0)
		rc = ref_scalar(r, e->call.args[1], times, &b);
	for (size_t k = 0; rc == 0 && k < times->n; k++)
		out[k] = e->call.func->id == FN_MIN_OF ? ref_min(a[k], b[k]) : ref_max(a[k], b[k]);
	return rc;
}

static int scalar_call(struct reference *r, const struct expr *e, const struct ref_times *times, double *out)
{
	const struct promql_query *q = r->query;
	const char *name = e->call.func->name;
	if (strcmp(name, "scalar") == 0)
		return scalar_of_vector(r, e->call.args[0], times, out);
	if (strcmp(name, "min_of") == 0 || strcmp(name, "max_of") == 0)
		return extreme_of_scalars(r, e, times, out);
	if (strcmp(name, "time") == 0) {
		for (size_t k = 0; k < times->n; k++)
			out[k] = (double)ref_time(times, k) / 1000;
		return 0;
	}
	if (strcmp(name, "pi") == 0)
		fill(out, times->n, M_PI);
	else if (strcmp(name, "start") == 0)
		fill(out, times->n, (double)q->start_ms / 1000);
	else if (strcmp(name, "end") == 0)
		fill(out, times->n, (double)q->end_ms / 1000);
	else if (strcmp(name, "step") == 0)
		fill(out, times->n, q->start_ms == q->end_ms ? 0 : (double)q->step_ms / 1000);
	else if (strcmp(name, "range") == 0)
		fill(out, times->n, (double)(q->end_ms - q->start_ms) / 1000);
	else
		return ref_fail(r, "the reference does not know %s()", name);
	return 0;
}

static int scalar_binary(
    struct reference *r, const struct expr *e, const struct ref_times *times, double *out)
{
	double *a, *b;
	int rc = ref_scalar(r, e->binary.lhs, times, &a);
	if (rc == 0)
		rc = ref_scalar(r, e->binary.rhs, times, &b);
	for (size_t k = 0; rc == 0 && k < times->n; k++)
		out[k] = ref_binary_scalar(e->binary.op, a[k], b[k]);
	return rc;
}

static int scalar_of(struct reference *r, const struct expr *e, const struct ref_times *times, double **out)
{
	*out = ARENA_ARRAY(r->arena, double, times->n + 1);
	int rc = 0;
	switch (e->kind) {
	case EXPR_NUMBER:
		fill(*out, times->n, e->number.value);
		return 0;
	case EXPR_PAREN:
		return ref_scalar(r, e->paren, times, out);
	case EXPR_UNARY:
		rc = ref_scalar(r, e->unary.inner, times, out);
		for (size_t k = 0; rc == 0 && e->unary.minus && k < times->n; k++)
			(*out)[k] = -(*out)[k];
		return rc;
	case EXPR_BINARY:
		return scalar_binary(r, e, times, *out);
	case EXPR_CALL:
		return scalar_call(r, e, times, *out);
	case EXPR_STRING:
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
	case EXPR_SUBQUERY:
	case EXPR_AGGREGATE:
		break;
	}
	return ref_fail(r, "not a scalar");
}

int ref_scalar(struct reference *r, const struct expr *e, const struct ref_times *times, double **out)
{
	int rc = scalar_of(r, e, times, out);
	if (rc == 0 && r->coverage && times->n > 0)
		promql_coverage_count(r->coverage, e, true, false);
	return rc;
}

struct slice ref_string(const struct expr *e)
{
	return expr_unparen(e)->string;
}

/* --- vectors ------------------------------------------------------------------------------------------------------------ */

static int negative(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	struct ref_table *t, *result = ref_table_new(r, times);
	int rc = ref_vector(r, e->unary.inner, times, &t);
	if (rc || !e->unary.minus) {
		*out = t;
		return rc;
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct labels *labels = t->rows[i].labels;
		bool drop_name = t->rows[i].drop_name;
		ref_drop_name(r, &labels, &drop_name);
		for (size_t k = 0; rc == 0 && k < times->n; k++) {
			const struct ref_cell *c = &t->rows[i].cells[k];
			if (c->present)
				rc = ref_table_put(r, result, k, labels, drop_name, -c->v,
				    c->h ? histogram_scale(r->arena, c->h, -1) : NULL);
		}
	}
	*out = result;
	return rc;
}

/* The value at the first step, at all of them. */
static int repeated(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	struct ref_times first = *times;
	struct ref_table *t, *result = ref_table_new(r, times);
	first.n = 1;
	int rc = ref_vector(r, e, &first, &t);
	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		struct ref_row *row = ref_table_add(r, result, t->rows[i].labels, t->rows[i].drop_name);
		for (size_t k = 0; k < times->n; k++)
			row->cells[k] = t->rows[i].cells[0];
	}
	*out = result;
	return rc;
}

static int vector_of(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	*out = ref_table_new(r, times);
	if (times->n == 0)
		return 0;
	/* What does not depend on the step is evaluated once: that shows in the annotations. */
	if (e->step_invariant && times->n > 1)
		return repeated(r, e, times, out);
	switch (e->kind) {
	case EXPR_SELECTOR:
		return ref_selector(r, e, times, out);
	case EXPR_AGGREGATE:
		return ref_aggregate(r, e, times, out);
	case EXPR_BINARY:
		return ref_binary(r, e, times, out);
	case EXPR_UNARY:
		return negative(r, e, times, out);
	case EXPR_PAREN:
		return ref_vector(r, e->paren, times, out);
	case EXPR_CALL:
		return ref_call(r, e, times, out);
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_RANGE_SELECTOR:
	case EXPR_SUBQUERY:
		break;
	}
	return ref_fail(r, "not an instant vector");
}

static void count_vector(struct reference *r, const struct expr *e, const struct ref_table *t)
{
	bool floats = false, histograms = false;
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->times.n; k++) {
			const struct ref_cell *c = &t->rows[i].cells[k];
			floats |= c->present && !c->h;
			histograms |= c->present && c->h;
		}
	promql_coverage_count(r->coverage, e, floats, histograms);
}

int ref_vector(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	int rc = vector_of(r, e, times, out);
	if (rc == 0 && r->coverage)
		count_vector(r, e, *out);
	return rc;
}

/* --- results ------------------------------------------------------------------------------------------------------------ */

static int by_labels(const void *a, const void *b)
{
	return labels_cmp(
	    ((const struct result_series *)a)->labels, ((const struct result_series *)b)->labels);
}

static void series_of_points(struct reference *r, struct query_result *result, const struct labels *labels,
    const struct ref_point *p, size_t n)
{
	int64_t *t = ARENA_ARRAY(r->arena, int64_t, n + 1);
	double *v = ARENA_ARRAY(r->arena, double, n + 1);
	const struct histogram **h = ARENA_ARRAY(r->arena, const struct histogram *, n + 1);
	for (size_t i = 0; i < n; i++) {
		t[i] = p[i].t_ms;
		v[i] = p[i].v;
		h[i] = p[i].h;
	}
	if (n > 0)
		result->series[result->n_series++] = (struct result_series){labels, n, t, v, h};
}

/* The rows with their final labels, one series each. */
static int result_of_table(struct reference *r, const struct ref_table *t, struct query_result *result)
{
	struct ref_table *named = ref_table_new(r, &t->times);
	for (size_t i = 0; i < t->n; i++) {
		const struct ref_row *row = &t->rows[i];
		const struct labels *labels = row->drop_name ? ref_nameless(r, row->labels) : row->labels;
		for (size_t k = 0; k < t->times.n; k++) {
			const struct ref_cell *c = &row->cells[k];
			int rc = c->present ? ref_table_put(r, named, k, labels, false, c->v, c->h) : 0;
			if (rc)
				return rc;
		}
	}
	result->series = ARENA_ARRAY(r->arena, struct result_series, named->n + 1);
	for (size_t i = 0; i < named->n; i++) {
		struct ref_point *p = ARENA_ARRAY(r->arena, struct ref_point, t->times.n + 1);
		size_t n = 0;
		for (size_t k = 0; k < t->times.n; k++) {
			const struct ref_cell *c = &named->rows[i].cells[k];
			if (c->present)
				p[n++] = (struct ref_point){ref_time(&t->times, k), c->v, c->h, 0};
		}
		series_of_points(r, result, named->rows[i].labels, p, n);
	}
	if (result->kind == QUERY_MATRIX)
		qsort(result->series, result->n_series, sizeof(*result->series), by_labels);
	return 0;
}

static int result_of_scalar(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct query_result *result)
{
	double *v;
	int rc = ref_scalar(r, e, times, &v);
	if (rc)
		return rc;
	struct ref_point *p = ARENA_ARRAY(r->arena, struct ref_point, times->n);
	for (size_t k = 0; k < times->n; k++)
		p[k] = (struct ref_point){ref_time(times, k), v[k], NULL, 0};
	result->series = ARENA_NEW(r->arena, struct result_series);
	series_of_points(r, result, &labels_empty, p, times->n);
	return 0;
}

static int result_of_range(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct query_result *result)
{
	struct ref_series_list list;
	int rc = ref_range(r, e, times, &list);
	if (rc)
		return rc;
	result->series = ARENA_ARRAY(r->arena, struct result_series, list.n + 1);
	for (size_t i = 0; i < list.n; i++) {
		struct ref_window w = ref_window_of(r, e, &list.v[i], times->start_ms);
		series_of_points(r, result, list.v[i].labels, w.p, w.n);
	}
	qsort(result->series, result->n_series, sizeof(*result->series), by_labels);
	return 0;
}

static int build(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct query_result *result)
{
	bool is_range = r->query->step_ms > 0;
	struct ref_table *t;
	int rc;

	switch (e->type) {
	case TYPE_SCALAR:
		result->kind = is_range ? QUERY_MATRIX : QUERY_SCALAR;
		return result_of_scalar(r, e, times, result);
	case TYPE_VECTOR:
		result->kind = is_range ? QUERY_MATRIX : QUERY_VECTOR;
		rc = ref_vector(r, e, times, &t);
		return rc ? rc : result_of_table(r, t, result);
	case TYPE_MATRIX:
		result->kind = QUERY_MATRIX;
		e = expr_unparen(e);
		if (e->kind == EXPR_RANGE_SELECTOR)
			return result_of_range(r, e, times, result);
		rc = ref_subquery(r, e, times, &t);
		return rc ? rc : result_of_table(r, t, result);
	case TYPE_STRING:
		result->kind = QUERY_STRING;
		result->string = ref_string(e);
		return 0;
	case TYPE_NONE:
		break;
	}
	return ref_fail(r, "the expression has no value");
}

/* --- notes in the result ------------------------------------------------------------------------------------------------ */

static void add_text(struct reference *r, struct query_result *result, const struct ref_note *n)
{
	uint32_t line = 1, column = 1;
	promql_position(r->query->text, n->at, &line, &column);
	struct slice text = arena_printf(r->arena, "PromQL %s: %" SL_FMT " (%u:%u)",
	    n->is_warning ? "warning" : "info", SL_ARG(n->text), line, column);
	const struct slice **list = n->is_warning ? &result->warnings : &result->infos;
	size_t *count = n->is_warning ? &result->n_warnings : &result->n_infos;
	struct slice *longer = ARENA_ARRAY(r->arena, struct slice, *count + 1);
	for (size_t i = 0; i < *count; i++)
		longer[i] = (*list)[i];
	longer[*count] = text;
	*list = longer;
	++*count;
}

static void date_text(int64_t t_ms, char *out, size_t size)
{
	time_t seconds = (time_t)(t_ms / 1000);
	struct tm tm;
	strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
}

static void note_forced(struct reference *r, const struct ref_forced *f)
{
	char first[64], last[64];
	date_text(f->first_ms, first, sizeof(first));
	date_text(f->last_ms, last, sizeof(last));
	struct slice metric =
	    f->metric.len ? arena_printf(r->arena, " for metric name %s", ref_quote(r, f->metric)) : SL_EMPTY;
	ref_info(r, (struct ast_range){f->at, f->at},
	    "input to histogram_quantile needed to be fixed for monotonicity (see "
	    "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)%" SL_FMT
	    ", from buckets %s to %s, with a max diff of %.2g, over %u samples from %s to %s",
	    SL_ARG(metric), ref_g(r, f->lowest), ref_g(r, f->highest), f->most, f->count, first, last);
}

static void add_notes(struct reference *r, struct query_result *result)
{
	for (size_t i = 0; i < r->n_forced; i++)
		note_forced(r, &r->forced[i]);
	for (size_t i = 0; i < r->n_notes; i++)
		add_text(r, result, &r->notes[i]);
}

/* --- the query ---------------------------------------------------------------------------------------------------------- */

static int evaluate(struct reference *r, struct query_result *result)
{
	const struct promql_query *q = r->query;
	const struct expr *e = q->expr;
	int rc = 0;

	if (!e)
		rc = promql_parse(r->arena, q->text, &r->options->parse, &e, r->err);
	if (rc)
		return rc;
	if (q->step_ms > 0 && e->type != TYPE_SCALAR && e->type != TYPE_VECTOR)
		return err_set(r->err, ERR_INVALID,
		    "invalid expression type \"%s\" for range query, must be Scalar or instant Vector",
		    value_type_name(e->type));
	rc = ref_check_durations(r, e);
	if (rc == 0)
		rc = q->store->open(q->store, INT64_MIN / 4, INT64_MAX / 4, &r->querier, r->err);
	if (rc)
		return rc;
	struct ref_times times = {q->start_ms, q->end_ms, q->step_ms, 1};
	if (q->step_ms > 0)
		times.n += (size_t)((q->end_ms - q->start_ms) / q->step_ms);
	rc = build(r, e, &times, result);
	r->querier->ops->close(r->querier);
	add_notes(r, result);
	return rc;
}

int reference_promql_run(const struct promql_options *options, const struct promql_query *q,
    struct promql_coverage *coverage, struct query_result **out, struct err *err)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct query_result *result = ARENA_NEW(arena, struct query_result);
	result->arena = arena;
	result->start_ms = q->start_ms;
	result->end_ms = q->end_ms;
	result->step_ms = q->step_ms;
	int64_t lookback_ms = q->lookback_ms > 0 ? q->lookback_ms : options->lookback_ms;
	struct reference r = {
	    .options = options,
	    .query = q,
	    .arena = arena,
	    .coverage = coverage,
	    .lookback_ms = lookback_ms > 0 ? lookback_ms : 5 * 60 * 1000,
	    .default_step_ms = options->default_step_ms > 0 ? options->default_step_ms : 60 * 1000,
	    .err = err,
	};
	int rc = evaluate(&r, result);
	if (rc) {
		query_result_free(result);
		return rc;
	}
	*out = result;
	return 0;
}
