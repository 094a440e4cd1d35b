#include "model/stale_marker.h"
#include "promql/series_notation.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdlib.h>

/* --- the cases --- */

static void check_labels(
    const char *name, struct test_cases *c, const struct json_value *want, const struct labels *got)
{
	size_t n = 0;
	struct slice label;
	const struct json_value *value;
	for (void *at = NULL; json_next_member(want, &at, &label, &value); n++)
		check_slice(name, labels_get(got, label), test_case_bytes(c, value));
	check_int(name, got->n, n);
}

static double item_double(const struct json_value *list, size_t i)
{
	double v = 0;
	json_get_double(json_item(list, i), &v);
	return v;
}

static void check_values(const char *name, const struct json_value *want, const struct series_notation *got)
{
	check_int(name, got->n, json_count(want));
	for (size_t i = 0; i < json_count(want) && i < got->n; i++) {
		bool missing = json_kind_of(json_item(want, i)) == JSON_KIND_STRING;
		check_int(name, got->values[i].missing, missing);
		if (!missing)
			check_double(name, got->values[i].v, item_double(want, i));
	}
}

static void add_buckets(
    struct strbuf *out, const char *what, const struct json_value *h, const char *buckets, const char *spans)
{
	const struct json_value *b = json_member(h, buckets), *s = json_member(h, spans);
	strbuf_addf(out, " %s", what);
	for (size_t i = 0; i < json_count(s); i++) {
		int64_t offset = 0, length = 0;
		json_get_int(json_member(json_item(s, i), "Offset"), &offset);
		json_get_int(json_member(json_item(s, i), "Length"), &length);
		strbuf_addf(out, " %lld+%lld", (long long)offset, (long long)length);
	}
	for (size_t i = 0; i < json_count(b); i++)
		strbuf_addf(out, " %g", item_double(b, i));
}

static void describe_case(struct test_cases *c, struct strbuf *out, const struct json_value *h)
{
	struct slice hint = test_case_text(c, h, "CounterResetHint");
	strbuf_addf(out, "%g %g %g %g %g %" SL_FMT, test_case_double(h, "Schema"),
	    test_case_double(h, "Count"), test_case_double(h, "Sum"), test_case_double(h, "ZeroCount"),
	    test_case_double(h, "ZeroThreshold"), SL_ARG(hint.len ? hint : SL("unknown")));
	add_buckets(out, "pos", h, "PositiveBuckets", "PositiveSpans");
	add_buckets(out, "neg", h, "NegativeBuckets", "NegativeSpans");
}

static void add_own(struct strbuf *out, const char *what, const struct histogram_span *spans, size_t n_spans,
    const double *v, size_t n)
{
	strbuf_addf(out, " %s", what);
	for (size_t i = 0; i < n_spans; i++)
		strbuf_addf(out, " %d+%u", spans[i].offset, spans[i].length);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, " %g", v[i]);
}

static void describe(struct strbuf *out, const struct histogram *h)
{
	static const char *const hints[] = {"unknown", "reset", "not_reset", "gauge"};
	strbuf_addf(out, "%g %g %g %g %g %s", (double)h->schema, h->count, h->sum, h->zero_count,
	    h->zero_threshold, hints[h->hint]);
	add_own(out, "pos", h->pos_spans, h->n_pos_spans, h->pos, h->n_pos);
	add_own(out, "neg", h->neg_spans, h->n_neg_spans, h->neg, h->n_neg);
}

static void check_histograms(
    const char *name, struct test_cases *c, const struct json_value *want, const struct series_notation *got)
{
	check_int(name, got->n, json_count(want));
	for (size_t i = 0; i < json_count(want) && i < got->n; i++) {
		struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
		check_true(name, got->values[i].h != NULL);
		describe(&a, got->values[i].h);
		describe_case(c, &b, json_item(want, i));
		check_slice(name, strbuf_slice(&a), strbuf_slice(&b));
		strbuf_done(&a);
		strbuf_done(&b);
	}
}

static void check_case(struct test_cases *c, struct arena *a, const struct json_value *v)
{
	struct slice input = test_case_text(c, v, "input");
	char *name = slice_dup(input);
	struct series_notation got = {0};
	struct err err = {0};
	int rc = series_notation_parse(a, input, &got, &err);
	if (test_case_bool(v, "fail")) {
		struct slice part = test_case_text(c, v, "error_contains");
		check_true(name, rc != 0);
		if (!memmem(err.msg, strlen(err.msg), part.ptr, part.len))
			fail_msg("%s: \"%s\" lacks \"%" SL_FMT "\"", name, err.msg, SL_ARG(part));
	} else {
		check_ok(name, rc, &err);
		if (json_member(v, "labels"))
			check_labels(name, c, json_member(v, "labels"), got.labels);
		if (json_member(v, "values"))
			check_values(name, json_member(v, "values"), &got);
		if (json_member(v, "histograms"))
			check_histograms(name, c, json_member(v, "histograms"), &got);
	}
	free(name);
}

static void reads_the_cases(void **state)
{
	(void)state;
	struct test_cases *c = test_cases_open("promql_series_notation.json");
	if (!c)
		return;
	for (size_t i = 0; i < test_cases_count(c); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		check_case(c, a, test_case(c, i));
		arena_free(a);
	}
	test_cases_close(c);
}

static void prints_histograms(void **state)
{
	(void)state;
	struct test_cases *c = test_cases_open("histogram_notation.json");
	if (!c)
		return;
	for (size_t i = 0; i < test_cases_count(c); i++) {
		struct slice text = test_case_text(c, test_case(c, i), "text");
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		const struct histogram *h = NULL;
		struct err err = {0};
		check_ok("read", series_notation_histogram(a, text, &h, &err), &err);
		struct strbuf got = STRBUF_INIT, want = STRBUF_INIT, printed = STRBUF_INIT;
		describe(&got, h);
		describe_case(c, &want, json_member(test_case(c, i), "histogram"));
		check_slice("parts", strbuf_slice(&got), strbuf_slice(&want));
		series_notation_print_histogram(&printed, h);
		check_slice("print", strbuf_slice(&printed), text);
		strbuf_done(&got);
		strbuf_done(&want);
		strbuf_done(&printed);
		arena_free(a);
	}
	test_cases_close(c);
}

/* --- our own --- */

static void reads_values(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {"", ""},
	    {"1.5 -2 +3 NaN Inf -Inf", "1.5 -2 3 nan inf -inf "},
	    {"_ 1 _x3 stale 2", "_ 1 _ _ _ stale 2 "},
	    {"0+10x3 5x2 1-0.5x1", "0 10 20 30 5 5 5 1 0.5 "},
	    {"-1--2x2", "error"},
	    {"1e3 1e+3 2e-3x1", "1000 1000 0.002 0.002 "},
	    {"5m 1h30m", "300 5400 "},
	    {"1 2,3", "error"},
	    {"0x10", "0 0 0 0 0 0 0 0 0 0 0 "},
	    {"1x99999999999", "error"},
	    {"1x", "error"},
	    {"{{", "error"},
	    {"{{buckets:[1", "error"},
	    {"{{}}+1x2", "error"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct series_value *v = NULL;
		size_t n = 0;
		struct err err = {0};
		struct strbuf got = STRBUF_INIT;
		if (series_notation_values(a, slice_cstr(cases[i].in), &v, &n, &err))
			strbuf_adds(&got, "error");
		for (size_t k = 0; k < n; k++) {
			if (v[k].missing)
				strbuf_adds(&got, "_ ");
			else if (is_stale(v[k].v))
				strbuf_adds(&got, "stale ");
			else
				strbuf_addf(&got, "%g ", v[k].v);
		}
		check_str(cases[i].in, strbuf_slice(&got), cases[i].want);
		strbuf_done(&got);
		arena_free(a);
	}
}

TEST_MAIN("series_notation", cmocka_unit_test(reads_the_cases), cmocka_unit_test(prints_histograms),
    cmocka_unit_test(reads_values))
