/* The parts of the reference evaluator. One query is one struct reference; all memory is the result's arena. */
#pragma once

#include "base/arena.h"
#include "promql/functions.h"
#include "tests/lib/reference_promql.h"

/* The steps at which an expression is evaluated: start, start + step, ... */
struct ref_times {
	int64_t start_ms, end_ms, step_ms;
	size_t n; /* may be 0, in a subquery */
};

static inline int64_t ref_time(const struct ref_times *times, size_t step)
{
	return times->start_ms + (int64_t)step * times->step_ms;
}

/* A warning or info, its place apart. */
struct ref_note {
	bool is_warning;
	struct slice text;
	uint32_t at; /* byte of the query */
};

/* What histogram_quantile() had to put right, summed up over all steps. */
struct ref_forced {
	struct slice metric;
	uint32_t at;
	double lowest, highest, most;
	unsigned count;
	int64_t first_ms, last_ms;
};

struct reference {
	const struct promql_options *options;
	const struct promql_query *query;
	struct arena *arena;
	struct querier *querier;
	struct promql_coverage *coverage; /* may be NULL */
	int64_t lookback_ms, default_step_ms;
	struct ref_note *notes;
	size_t n_notes, notes_cap;
	struct ref_forced *forced;
	size_t n_forced, forced_cap;
	struct err *err;
};

/* Sets the error of the query; returns its code. */
int ref_fail(struct reference *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
int ref_fail_same_labels(struct reference *r);
void ref_warn(struct reference *r, struct ast_range where, const char *fmt, ...) PRINTF_LIKE(3, 4);
void ref_info(struct reference *r, struct ast_range where, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What histogram arithmetic had to say (enum histogram_note). */
void ref_note_histogram(
    struct reference *r, struct ast_range where, unsigned notes, unsigned which, const char *operation);
/* A name as texts quote it; a double as %g of Go, %.2g of C. */
const char *ref_quote(struct reference *r, struct slice s);
const char *ref_g(struct reference *r, double v);

/* Room for one more in a growing array. */
void *ref_grow(struct reference *r, void *v, size_t n, size_t *cap, size_t size);

/* --- values of expressions --- */

struct ref_cell {
	bool present;
	double v;
	const struct histogram *h; /* NULL: a float */
};

struct ref_row {
	const struct labels *labels;
	bool drop_name;         /* delayed removal: the name goes in the end */
	struct ref_cell *cells; /* one a step */
};

/* An instant vector at all steps. */
struct ref_table {
	struct ref_times times;
	struct ref_row *rows;
	size_t n, cap;
};

struct ref_table *ref_table_new(struct reference *r, const struct ref_times *times);
struct ref_row *ref_table_add(
    struct reference *r, struct ref_table *t, const struct labels *labels, bool drop_name);
/* Sets the value of the row with these labels, made when there is none. Fails when it has a value at this step. */
MUST_CHECK int ref_table_put(struct reference *r, struct ref_table *t, size_t step,
    const struct labels *labels, bool drop_name, double v, const struct histogram *h);
void ref_table_drop_empty(struct ref_table *t);

/* The labels without the metric's name, type and unit; or, with delayed removal, the mark that they go. */
const struct labels *ref_nameless(struct reference *r, const struct labels *ls);
void ref_drop_name(struct reference *r, const struct labels **labels, bool *drop_name);

MUST_CHECK int ref_vector(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
MUST_CHECK int ref_scalar(
    struct reference *r, const struct expr *e, const struct ref_times *times, double **out);
struct slice ref_string(const struct expr *e);

/* --- samples --- */

struct ref_point {
	int64_t t_ms;
	double v;
	const struct histogram *h;
	int64_t start_ms; /* 0: not known */
};

struct ref_series {
	const struct labels *labels;
	bool drop_name;
	struct ref_point *p;
	size_t n;
};

struct ref_series_list {
	struct ref_series *v;
	size_t n, cap;
};

/* What a function of a range vector sees of one series at one step: no stale markers. */
struct ref_window {
	int64_t now_ms;          /* the step */
	int64_t from_ms, end_ms; /* from excluded, end included */
	const struct ref_point *p;
	size_t n, n_floats, n_histograms;
	struct slice metric;
};

bool ref_point_is_stale(const struct ref_point *p);
/* All samples of all series that the selector matches. */
MUST_CHECK int ref_select(struct reference *r, const struct matcher *const *matchers, size_t n_matchers,
    struct ref_series_list *out);
/* The newest sample of (t - lookback, t], unless it is stale: its index, or -1. */
long ref_newest(const struct reference *r, const struct ref_series *s, int64_t t_ms);
/* Where data is looked up for step t: `@` and offset applied. */
int64_t ref_shifted(struct reference *r, const struct time_shift *shift, int64_t t_ms);
int64_t ref_duration_ms(struct reference *r, const struct ast_duration *d);
/* Every duration of the tree has a value: or the error for the first that has not. */
MUST_CHECK int ref_check_durations(struct reference *r, const struct expr *e);
MUST_CHECK int ref_selector(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
/* The series of a range selector or subquery, and what of them step `t_ms` looks at. */
MUST_CHECK int ref_range(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_series_list *out);
struct ref_window ref_window_of(
    struct reference *r, const struct expr *e, const struct ref_series *s, int64_t t_ms);
/* The values of a subquery at its own steps. */
MUST_CHECK int ref_subquery(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);

/* --- kinds of nodes, families of functions: one file each --- */

MUST_CHECK int ref_aggregate(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
MUST_CHECK int ref_binary(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
double ref_binary_scalar(enum binary_op op, double a, double b);
MUST_CHECK int ref_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
MUST_CHECK int ref_range_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
MUST_CHECK int ref_label_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
MUST_CHECK int ref_sort(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
MUST_CHECK int ref_info_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
MUST_CHECK int ref_histogram_call(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out);
/* The labels that absent() gives for its argument. */
const struct labels *ref_absent_labels(struct reference *r, const struct expr *arg);

/* One window. False: no result. */
struct ref_value {
	double v;
	const struct histogram *h;
};
bool ref_rate(struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *out);
bool ref_irate(struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *out);
bool ref_extended_rate(
    struct reference *r, const struct call *c, const struct ref_window *w, struct ref_value *out);
/* On the line between two samples that are histograms. NULL: exponential met custom. Notes are or-ed to. */
const struct histogram *ref_histogram_line(struct reference *r, const struct ref_point *a,
    const struct ref_point *b, int64_t t_ms, bool is_counter, unsigned *subtracted, unsigned *added);
/* Whether the start timestamp of a sample says that its counter began after the sample before it. */
bool ref_start_is_reset(const struct reference *r, const struct ref_point *before, const struct ref_point *p);

/* --- arithmetic --- */

/* One step of the compensated sum of the specification. */
struct ref_sum {
	double sum, c;
};
void ref_sum_add(struct ref_sum *s, double v);
/* The sum of n > 0 histograms, or their mean. NULL: exponential and custom ones are among them, `*at` being the first that
 * does not fit. Notes are or-ed to; conflicting hints count wherever they stand. */
const struct histogram *ref_sum_histograms(
    struct reference *r, const struct histogram *const *h, size_t n, bool mean, unsigned *notes, size_t *at);
/* n > 0. */
double ref_mean(const double *v, size_t n);
double ref_quantile(double q, const double *v, size_t n);
/* Min and Max of Go: an infinity beats NaN, and NaN any number. */
double ref_min(double a, double b);
double ref_max(double a, double b);
