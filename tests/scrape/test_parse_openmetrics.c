#include "model/stale_marker.h"
#include "scrape/parse_openmetrics.h"
#include "scrape/parse_text.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"
#include <stdlib.h>

/* In memory of exactly that size, so that reading on is found. */
static struct slice exactly(struct arena *arena, struct slice text)
{
	char *body = arena_alloc(arena, text.len);
	if (text.len > 0)
		memcpy(body, text.ptr, text.len);
	return slice_of(body, text.len);
}

static int parse_all(struct arena *arena, struct slice text, size_t *series, struct err *err)
{
	struct openmetrics_parser p;
	int rc;
	openmetrics_init(&p, exactly(arena, text), false);
	*series = 0;
	while ((rc = openmetrics_next(&p, err)) == 0) {
		struct label *l;
		size_t n;
		if (p.entry != OPENMETRICS_SERIES)
			continue;
		++*series;
		openmetrics_labels(&p, arena, &l, &n);
		if (p.has_exemplar)
			openmetrics_exemplar_labels(&p, arena, &l, &n);
	}
	return rc;
}

static void errors_as_upstream(void **state)
{
	(void)state;
	static const char *const files[] = {
	    "scrape_openmetrics_errors.json", "scrape_openmetrics_null_bytes.json"};
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		struct test_cases *cases = test_cases_open(files[f]);
		for (size_t i = 0; i < test_cases_count(cases); i++) {
			const struct json_value *c = test_case(cases, i);
			struct slice want = test_case_text(cases, c, "error");
			struct err err = {0};
			size_t series;
			if (slice_eq(want, SL("EOF"))) /* how upstream says that all was read */
				want = SL_EMPTY;
			parse_all(test_cases_arena(cases), test_case_text(cases, c, "in"), &series, &err);
			check_slice("error", slice_cstr(err.msg), want);
		}
		test_cases_close(cases);
	}
}

static void check_labels(const struct label *l, size_t n, const struct json_value *want)
{
	if (json_kind_of(want) != JSON_KIND_OBJECT)
		return;
	check_int("labels", n, json_count(want));
	for (size_t i = 0; i < n; i++) {
		struct slice value = SL_EMPTY;
		char *name = slice_dup(l[i].name);
		json_get_string(json_member(want, name), &value);
		check_slice(name, l[i].value, value);
		free(name);
	}
}

static void check_series(
    struct test_cases *cases, struct openmetrics_parser *p, const struct json_value *want)
{
	struct arena *arena = test_cases_arena(cases);
	struct label *l;
	size_t n;
	int64_t t_ms;
	check_slice("series", p->series, test_case_text(cases, want, "m"));
	double v = json_member(want, "value") ? test_case_double(want, "value") : 0;
	check_double("value", p->value, v != v ? double_from_bits(NORMAL_NAN_BITS) : v);
	openmetrics_labels(p, arena, &l, &n);
	check_labels(l, n, json_member(want, "labels"));
	if (json_get_int(json_member(want, "t_ms"), &t_ms)) {
		check_true("has a time", p->has_time);
		check_int("time", p->t_ms, t_ms);
	}
}

static void check_entry(struct test_cases *cases, struct openmetrics_parser *p, const struct json_value *want)
{
	struct arena *arena = test_cases_arena(cases);
	if (!json_member(want, "help") && !json_member(want, "unit") && !json_member(want, "type")) {
		check_int("entry", p->entry, OPENMETRICS_SERIES);
		check_series(cases, p, want);
		return;
	}
	check_slice("metric", p->metric, test_case_text(cases, want, "m"));
	if (json_member(want, "help")) {
		check_int("entry", p->entry, OPENMETRICS_HELP);
		check_slice("help", text_unescape(p->text, true, arena), test_case_text(cases, want, "help"));
	} else if (json_member(want, "unit")) {
		check_int("entry", p->entry, OPENMETRICS_UNIT);
		check_slice("unit", p->text, test_case_text(cases, want, "unit"));
	} else {
		check_int("entry", p->entry, OPENMETRICS_TYPE);
		check_slice(
		    "type", slice_cstr(metric_type_name(p->type)), test_case_text(cases, want, "type"));
	}
}

/* When a counter began is a series to us; upstream's test runs with it taken out. */
static bool is_start(const struct openmetrics_parser *p)
{
	return p->entry == OPENMETRICS_SERIES && memmem(p->series.ptr, p->series.len, "_created", 8);
}

static void a_document_as_upstream(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("scrape_parse_streams.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *entries = json_member(c, "entries");
		if (!slice_eq(test_case_text(cases, c, "name"), SL("TestOpenMetricsParse")))
			continue;
		struct openmetrics_parser p;
		struct err err;
		struct slice body = exactly(test_cases_arena(cases), test_case_text(cases, c, "input"));
		openmetrics_init(&p, body, false);
		for (size_t k = 0; k < json_count(entries); k++) {
			const struct json_value *want = json_item(entries, k);
			check_ok("next", openmetrics_next(&p, &err), &err);
			if (is_start(&p) && !slice_eq(p.series, test_case_text(cases, want, "m")))
				check_ok("next", openmetrics_next(&p, &err), &err);
			check_entry(cases, &p, want);
		}
		int rc = openmetrics_next(&p, &err);
		check_int("end", rc == 0 && is_start(&p) ? openmetrics_next(&p, &err) : rc, 1);
	}
	test_cases_close(cases);
}

static void samples_and_exemplars(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct openmetrics_parser p;
	struct err err;
	struct label *l;
	size_t n;
	openmetrics_init(&p,
	    exactly(arena, SL("# TYPE h histogram\n"
			      "h_bucket{le=\"1\"} 7 -1.5 # {id=\"a\\\"b\",x=\"\"} 0.5 2.25\n"
			      "{\"a.b\",\"c d\"=\"e\\n\"} NaN # {} 1\n"
			      "# EOF")),
	    false);
	check_ok("type", openmetrics_next(&p, &err), &err);
	check_ok("bucket", openmetrics_next(&p, &err), &err);
	check_int("time", p.t_ms, -1500);
	check_true("exemplar", p.has_exemplar && p.exemplar.has_time);
	check_double("its value", p.exemplar.value, 0.5);
	check_int("its time", p.exemplar.t_ms, 2250);
	openmetrics_labels(&p, arena, &l, &n);
	check_slice("le", l[1].value, SL("1.0"));
	openmetrics_exemplar_labels(&p, arena, &l, &n);
	check_int("its labels", n, 2);
	check_slice("id", l[0].value, SL("a\"b"));
	check_ok("quoted", openmetrics_next(&p, &err), &err);
	check_true("no times", !p.has_time && p.has_exemplar && !p.exemplar.has_time);
	openmetrics_labels(&p, arena, &l, &n);
	check_slice("name", l[0].value, SL("a.b"));
	check_slice("label", l[1].name, SL("c d"));
	check_slice("value", l[1].value, SL("e\n"));
	check_int("end", openmetrics_next(&p, &err), 1);
	arena_free(arena);
}

/* Cut behind any line, a document reads the same. */
static void pieces(void **state)
{
	(void)state;
	static const char text[] = "# TYPE a counter\na_total 1\na_total{b=\"c\"} 2 3\nx 1\n# EOF\n";
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct slice all = slice_cstr(text);
	for (size_t cut = 0; cut <= all.len; cut++) {
		if (cut > 0 && text[cut - 1] != '\n')
			continue;
		struct openmetrics_parser p;
		struct err err;
		int rc, n = 0;
		openmetrics_init(&p, exactly(arena, slice_of(text, cut)), true);
		while ((rc = openmetrics_next(&p, &err)) == 0)
			n++;
		check_int("first", rc, 1);
		openmetrics_continue(&p, exactly(arena, slice_from(all, cut)), false);
		while ((rc = openmetrics_next(&p, &err)) == 0)
			n++;
		check_int("last", rc, 1);
		check_int("entries", n, 4);
	}
	struct openmetrics_parser p;
	struct err err;
	openmetrics_init(&p, SL("a 1\n# EOF\n"), true);
	check_ok("a", openmetrics_next(&p, &err), &err);
	check_int("its end", openmetrics_next(&p, &err), 1);
	openmetrics_continue(&p, SL("b 1\n"), false);
	check_int("behind it", openmetrics_next(&p, &err), ERR_INVALID);
	check_str("why", slice_cstr(err.msg), "unexpected data after # EOF");
	check_int("where", err.line, 3);
	arena_free(arena);
}

TEST_MAIN("parse_openmetrics", cmocka_unit_test(errors_as_upstream), cmocka_unit_test(a_document_as_upstream),
    cmocka_unit_test(samples_and_exemplars), cmocka_unit_test(pieces))
