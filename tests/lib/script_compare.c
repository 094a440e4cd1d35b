/* What a query gave against what a test script expects. */
#include "base/double_text.h"
#include "model/label_regex.h"
#include "model/stale_marker.h"
#include "tests/lib/script_priv.h"
#include <float.h>
#include <math.h>

static const double tolerance = 1e-6;

static bool double_close(double a, double b)
{
	if (is_stale(a) || is_stale(b))
		return is_stale(a) && is_stale(b);
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	if (a == b)
		return true;
	double sum = fabs(a) + fabs(b), difference = fabs(a - b);
	if (a == 0 || b == 0 || sum < DBL_MIN)
		return difference < tolerance * DBL_MIN;
	return difference / fmin(sum, DBL_MAX) < tolerance;
}

static bool doubles_close(const double *a, const double *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!double_close(a[i], b[i]))
			return false;
	return true;
}

static bool spans_equal(
    const struct histogram_span *a, uint32_t n_a, const struct histogram_span *b, uint32_t n_b)
{
	return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * sizeof(*a)) == 0);
}

static bool histograms_close(const struct histogram *want, const struct histogram *got, bool hint_matters)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct histogram *a = histogram_compact(arena, want), *b = histogram_compact(arena, got);
	bool close = a->schema == b->schema && double_close(a->zero_threshold, b->zero_threshold) &&
		     double_close(a->zero_count, b->zero_count) && double_close(a->count, b->count) &&
		     double_close(a->sum, b->sum) && a->n_custom == b->n_custom &&
		     doubles_close(a->custom, b->custom, a->n_custom) &&
		     spans_equal(a->pos_spans, a->n_pos_spans, b->pos_spans, b->n_pos_spans) &&
		     spans_equal(a->neg_spans, a->n_neg_spans, b->neg_spans, b->n_neg_spans) &&
		     a->n_pos == b->n_pos && a->n_neg == b->n_neg &&
		     doubles_close(a->pos, b->pos, a->n_pos) && doubles_close(a->neg, b->neg, a->n_neg) &&
		     (!hint_matters || want->hint == got->hint);
	arena_free(arena);
	return close;
}

/* --- telling --- */

static void print_double(struct strbuf *out, double v)
{
	char text[DOUBLE_TEXT_MAX];
	strbuf_add(out, text, double_to_go_g(v, text));
}

static void print_value(struct strbuf *out, double v, const struct histogram *h)
{
	if (h)
		series_notation_print_histogram(out, h);
	else if (is_stale(v))
		strbuf_adds(out, "stale");
	else
		print_double(out, v);
}

static void print_want(struct strbuf *out, const struct series_notation *s)
{
	labels_print(out, s->labels);
	for (size_t i = 0; i < s->n; i++) {
		strbuf_addch(out, ' ');
		if (s->values[i].missing)
			strbuf_addch(out, '_');
		else
			print_value(out, s->values[i].v, s->values[i].h);
	}
}

static void print_got(struct strbuf *out, const struct result_series *s)
{
	labels_print(out, s->labels);
	for (size_t i = 0; i < s->n; i++) {
		strbuf_addch(out, ' ');
		print_value(out, s->v[i], s->h ? s->h[i] : NULL);
		strbuf_addf(out, "@%lld", (long long)s->t_ms[i]);
	}
}

static int differs(struct err *err, const struct series_notation *want, const struct result_series *got)
{
	struct strbuf text = STRBUF_INIT;
	strbuf_adds(&text, "want ");
	if (want)
		print_want(&text, want);
	else
		strbuf_adds(&text, "no such series");
	strbuf_adds(&text, ", got ");
	if (got)
		print_got(&text, got);
	else
		strbuf_adds(&text, "no such series");
	int rc = err_set(err, ERR_INVALID, "%s", strbuf_cstr(&text));
	strbuf_done(&text);
	return rc;
}

/* --- series --- */

static bool value_close(const struct series_value *want, double v, const struct histogram *h)
{
	if (!want->h || !h)
		return !want->h && !h && double_close(want->v, v);
	return histograms_close(want->h, h, want->hint_given);
}

static bool point_close(const struct series_value *want, const struct result_series *got, size_t i)
{
	return value_close(want, got->v[i], got->h ? got->h[i] : NULL);
}

static const struct series_notation *find_want(const struct expectation *want, const struct labels *labels)
{
	for (size_t i = 0; i < want->series.len; i++)
		if (labels_eq(want->series.v[i].labels, labels))
			return &want->series.v[i];
	return NULL;
}

/* The values of a row lie at from, from + step, ... */
static bool row_close(
    const struct expectation *want, const struct series_notation *row, const struct result_series *got)
{
	size_t k = 0;
	for (size_t i = 0; i < row->n; i++) {
		int64_t t = want->from_ms + (int64_t)i * want->step_ms;
		bool has_point = k < got->n && got->t_ms[k] == t;
		if (row->values[i].missing) {
			if (has_point)
				return false;
			continue;
		}
		if (!has_point || t > want->to_ms || !point_close(&row->values[i], got, k))
			return false;
		k++;
	}
	return k == got->n;
}

static bool has_values(const struct series_notation *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (!row->values[i].missing)
			return true;
	return false;
}

static int compare_matrix(const struct expectation *want, const struct query_result *got, struct err *err)
{
	if (got->kind != QUERY_MATRIX)
		return err_set(err, ERR_INVALID, "want a range vector, got another kind of value");
	size_t found = 0;
	for (size_t i = 0; i < got->n_series; i++) {
		const struct series_notation *row = find_want(want, got->series[i].labels);
		if (!row || !row_close(want, row, &got->series[i]))
			return differs(err, row, &got->series[i]);
		found++;
	}
	for (size_t i = 0; found < want->series.len && i < want->series.len; i++) {
		const struct series_notation *row = &want->series.v[i];
		bool is_there = false;
		for (size_t k = 0; k < got->n_series && !is_there; k++)
			is_there = labels_eq(got->series[k].labels, row->labels);
		if (!is_there && has_values(row))
			return differs(err, row, NULL);
	}
	return 0;
}

/* The point of a series at a time; false when it has none. */
static bool point_at(const struct result_series *s, int64_t t_ms, size_t *i)
{
	for (*i = 0; *i < s->n; ++*i)
		if (s->t_ms[*i] == t_ms)
			return true;
	return false;
}

static int compare_vector_at(
    const struct expectation *want, const struct query_result *got, int64_t t_ms, struct err *err)
{
	size_t found = 0, point;
	for (size_t i = 0; i < got->n_series; i++) {
		const struct result_series *s = &got->series[i];
		if (!point_at(s, t_ms, &point))
			continue;
		const struct series_notation *row = find_want(want, s->labels);
		bool in_order = !want->ordered || (found < want->series.len && row == &want->series.v[found]);
		if (!row || row->n != 1 || row->values[0].missing ||
		    !point_close(&row->values[0], s, point) || !in_order)
			return differs(err, row, s);
		found++;
	}
	for (size_t i = 0; found < want->series.len && i < want->series.len; i++) {
		bool is_there = false;
		for (size_t k = 0; k < got->n_series && !is_there; k++)
			is_there = labels_eq(got->series[k].labels, want->series.v[i].labels) &&
				   point_at(&got->series[k], t_ms, &point);
		if (!is_there)
			return differs(err, &want->series.v[i], NULL);
	}
	return 0;
}

static int compare_scalar_at(
    const struct expectation *want, const struct query_result *got, int64_t t_ms, struct err *err)
{
	size_t point = 0;
	bool is_there = got->n_series == 1 && point_at(&got->series[0], t_ms, &point);
	if (is_there && double_close(want->scalar, got->series[0].v[point]))
		return 0;
	struct strbuf text = STRBUF_INIT;
	strbuf_adds(&text, "want scalar ");
	print_double(&text, want->scalar);
	strbuf_adds(&text, ", got ");
	if (is_there)
		print_double(&text, got->series[0].v[point]);
	else
		strbuf_adds(&text, "none");
	int rc = err_set(err, ERR_INVALID, "%s", strbuf_cstr(&text));
	strbuf_done(&text);
	return rc;
}

int script_compare_at(
    const struct expectation *want, const struct query_result *got, int64_t t_ms, struct err *err)
{
	return want->has_scalar ? compare_scalar_at(want, got, t_ms, err)
				: compare_vector_at(want, got, t_ms, err);
}

static int compare_string(const struct expectation *want, const struct query_result *got, struct err *err)
{
	if (got->kind == QUERY_STRING && slice_eq(want->string, got->string))
		return 0;
	struct slice text = got->kind == QUERY_STRING ? got->string : SL("no string");
	return err_set(err, ERR_INVALID, "want string \"%" SL_FMT "\", got \"%" SL_FMT "\"",
	    SL_ARG(want->string), SL_ARG(text));
}

int script_compare(const struct expectation *want, const struct query_result *got, struct err *err)
{
	static const char *const kinds[] = {"scalar", "string", "instant vector", "range vector"};
	if (want->has_string)
		return compare_string(want, got, err);
	if (want->has_range_vector || got->step_ms > 0) {
		if (want->has_scalar)
			return err_set(err, ERR_INVALID, "want scalar, got %s", kinds[got->kind]);
		return compare_matrix(want, got, err);
	}
	enum query_value_kind kind = want->has_scalar ? QUERY_SCALAR : QUERY_VECTOR;
	if (got->kind != kind)
		return err_set(err, ERR_INVALID, "want %s, got %s", kinds[kind], kinds[got->kind]);
	return script_compare_at(want, got, got->start_ms, err);
}

/* --- errors and annotations --- */

int script_match_text(const struct expected_text *want, struct slice text, bool *matches, struct err *err)
{
	if (!want->is_regex) {
		*matches = want->text.len == 0 || slice_eq(want->text, text);
		return 0;
	}
	struct strbuf anywhere = STRBUF_INIT;
	strbuf_addf(&anywhere, ".*(?:%" SL_FMT ").*", SL_ARG(want->text));
	struct label_regex *re = NULL;
	int rc = label_regex_new(strbuf_slice(&anywhere), &re, err);
	if (!rc)
		*matches = label_regex_matches(re, text);
	label_regex_free(re);
	strbuf_done(&anywhere);
	return rc;
}

static void print_texts(struct strbuf *out, const struct slice *texts, size_t n)
{
	strbuf_addch(out, '[');
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "%s%" SL_FMT, i ? "; " : "", SL_ARG(texts[i]));
	strbuf_addch(out, ']');
}

static int annotations_differ(struct err *err, const char *kind, const char *want, struct slice want_text,
    const struct slice *texts, size_t n)
{
	struct strbuf got = STRBUF_INIT;
	print_texts(&got, texts, n);
	int rc = err_set(err, ERR_INVALID, "want %s %s%" SL_FMT ", got %s", want, kind, SL_ARG(want_text),
	    strbuf_cstr(&got));
	strbuf_done(&got);
	return rc;
}

/* Each expectation is met by some text, and each text meets some expectation. */
static int compare_texts(const struct expected_text_vec *want, const char *kind, const struct slice *texts,
    size_t n, struct err *err)
{
	if (want->len == 0)
		return 0;
	if (n == 0)
		return annotations_differ(err, kind, "some ", want->v[0].text, texts, n);
	for (size_t i = 0; i < want->len; i++) {
		bool met = false;
		for (size_t k = 0; k < n && !met; k++) {
			int rc = script_match_text(&want->v[i], texts[k], &met, err);
			if (rc)
				return rc;
		}
		if (!met)
			return annotations_differ(err, kind, "this ", want->v[i].text, texts, n);
	}
	for (size_t k = 0; k < n; k++) {
		bool met = false;
		for (size_t i = 0; i < want->len && !met; i++) {
			int rc = script_match_text(&want->v[i], texts[k], &met, err);
			if (rc)
				return rc;
		}
		if (!met)
			return annotations_differ(err, kind, "not this ", texts[k], texts, n);
	}
	return 0;
}

int script_compare_annotations(
    const struct expectation *want, const struct query_result *got, struct err *err)
{
	if (want->no_warn && got->n_warnings)
		return annotations_differ(err, "warning", "no ", SL(""), got->warnings, got->n_warnings);
	if (want->no_info && got->n_infos)
		return annotations_differ(err, "info", "no ", SL(""), got->infos, got->n_infos);
	int rc = compare_texts(&want->warns, "warning ", got->warnings, got->n_warnings, err);
	return rc ? rc : compare_texts(&want->infos, "info ", got->infos, got->n_infos, err);
}
