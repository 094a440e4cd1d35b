#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "scrape/parse_text.h"
#include "scrape/parse_text_strict.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

#include <dirent.h>
#include <stdio.h>

/* The text with a newline behind it, in memory of exactly that size. */
static struct slice body_of(struct arena *arena, struct slice text)
{
	char *body = arena_alloc(arena, text.len + 1);
	if (text.len > 0)
		memcpy(body, text.ptr, text.len);
	body[text.len] = '\n';
	return slice_of(body, text.len + 1);
}

/* Reads all, labels too. The number of series, or the error. */
static int parse_all(struct arena *arena, struct slice text, size_t *series, struct err *err)
{
	struct text_parser p;
	text_parser_init(&p, body_of(arena, text));
	*series = 0;
	for (;;) {
		int rc = text_parser_next(&p, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (p.entry != TEXT_SERIES)
			continue;
		struct label *l;
		size_t n;
		rc = text_series_labels(&p, arena, &l, &n, err);
		if (rc < 0)
			return rc;
		++*series;
	}
}

static void check_labels(struct text_parser *p, struct arena *arena, const struct json_value *want)
{
	struct label *l;
	size_t n;
	struct err err;
	check_ok("labels", text_series_labels(p, arena, &l, &n, &err), &err);
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

static void check_entry(struct test_cases *cases, struct text_parser *p, const struct json_value *want)
{
	struct slice m = test_case_text(cases, want, "m");
	struct arena *arena = test_cases_arena(cases);
	if (json_member(want, "help")) {
		check_int("entry", p->entry, TEXT_HELP);
		check_slice("metric", p->metric, m);
		check_slice(
		    "help", text_unescape(p->help, false, arena), test_case_text(cases, want, "help"));
		return;
	}
	if (json_member(want, "type")) {
		check_int("entry", p->entry, TEXT_TYPE);
		check_slice("metric", p->metric, m);
		check_slice(
		    "type", slice_cstr(metric_type_name(p->type)), test_case_text(cases, want, "type"));
		return;
	}
	check_int("entry", p->entry, TEXT_SERIES);
	check_slice("series", p->series, m);
	check_double(m.ptr, p->value, test_case_double(want, "value"));
	int64_t t = 0;
	check_int(m.ptr, p->has_time, json_get_int(json_member(want, "timestamp_ms"), &t));
	if (p->has_time)
		check_int(m.ptr, p->t_ms, t);
	check_labels(p, arena, json_member(want, "labels"));
}

static void streams(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("scrape_parse_streams.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *entries = json_member(c, "entries");
		if (!slice_eq(test_case_text(cases, c, "name"), SL("TestPromParse")))
			continue;
		struct text_parser p;
		struct err err;
		text_parser_init(&p, body_of(test_cases_arena(cases), test_case_text(cases, c, "input")));
		for (size_t k = 0; k < json_count(entries); k++) {
			const struct json_value *want = json_item(entries, k);
			if (json_member(want, "comment"))
				continue;
			check_int("next", text_parser_next(&p, &err), 0);
			check_entry(cases, &p, want);
		}
		check_int("end", text_parser_next(&p, &err), 1);
	}
	test_cases_close(cases);
}

static void errors_as_upstream(void **state)
{
	(void)state;
	static const char *const files[] = {"scrape_text_errors.json", "scrape_text_null_bytes.json"};
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		struct test_cases *cases = test_cases_open(files[f]);
		for (size_t i = 0; i < test_cases_count(cases); i++) {
			const struct json_value *c = test_case(cases, i);
			struct err err = {0};
			size_t series;
			parse_all(test_cases_arena(cases), test_case_text(cases, c, "in"), &series, &err);
			check_slice("error", slice_cstr(err.msg), test_case_text(cases, c, "error"));
		}
		test_cases_close(cases);
	}
}

/* The stricter parser's good documents are good here too. */
static void families_are_accepted(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("text_parse_families.json");
	for (size_t i = 0; i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct slice in = test_case_text(cases, c, "in");
		struct err err = {0};
		size_t series;
		int rc = parse_all(test_cases_arena(cases), in, &series, &err);
		/* Negative timestamps, HELP without a name and the types of OpenMetrics are not for scrapes. */
		bool stricter = memmem(in.ptr, in.len, "decoy -1 -2", 11) ||
				memmem(in.ptr, in.len, "gaugehist", 9) ||
				memmem(in.ptr, in.len, "gauge_hist", 10);
		if (!stricter)
			check_ok(in.ptr, rc, &err);
	}
	test_cases_close(cases);
}

static void real_documents(void **state)
{
	(void)state;
	const char *folder = test_conformance_dir();
	if (!folder)
		return;
	char path[4096];
	snprintf(path, sizeof(path), "%s/exposition", folder);
	DIR *d = opendir(path);
	assert_non_null(d);
	size_t documents = 0;
	for (struct dirent *e; (e = readdir(d));) {
		struct slice name = slice_cstr(e->d_name);
		if (!slice_ends(name, SL(".txt")) || slice_ends(name, SL(".om.txt")))
			continue;
		snprintf(path, sizeof(path), "%s/exposition/%s", folder, e->d_name);
		size_t len, series;
		char *text = test_read_file(path, &len);
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct err err;
		check_ok(e->d_name, parse_all(arena, slice_of(text, len), &series, &err), &err);
		check_true(e->d_name, series > 0);
		arena_free(arena);
		free(text);
		documents++;
	}
	closedir(d);
	assert_true(documents > 20);
}

static void values_times_and_odd_lines(void **state)
{
	(void)state;
	static const struct {
		const char *in, *series; /* series NULL: an error */
		uint64_t bits;
		int64_t t_ms; /* -1: none */
	} table[] = {
	    {"a 1", "a", 0x3ff0000000000000, -1},
	    {"a -0", "a", 0x8000000000000000, -1},
	    {"a +1", "a", 0x3ff0000000000000, -1},
	    {"a .5", "a", 0x3fe0000000000000, -1},
	    {"a 5.", "a", 0x4014000000000000, -1},
	    {"a 9007199254740993", "a", 0x4340000000000000, -1},
	    {"a NaN", "a", NORMAL_NAN_BITS, -1},
	    {"a nan 12", "a", NORMAL_NAN_BITS, 12},
	    {"a -Inf", "a", 0xfff0000000000000, -1},
	    {"a\t1\t1700000000123\t", "a", 0x3ff0000000000000, 1700000000123},
	    {"  a{} 1", "a{}", 0x3ff0000000000000, -1},
	    {"a{b=\"}\"} 1", "a{b=\"}\"}", 0x3ff0000000000000, -1},
	    {"a{b=\"\\\"}\"} 1", "a{b=\"\\\"}\"}", 0x3ff0000000000000, -1},
	    {"a{b=\"x\ny\"} 1", "a{b=\"x\ny\"}", 0x3ff0000000000000, -1},
	    {"a{b=\"1\"}2", "a{b=\"1\"}", 0x4000000000000000, -1},
	    {"{\"a.b\",c=\"d\"} 2", "{\"a.b\",c=\"d\"}", 0x4000000000000000, -1},
	    {"a1.5", "a1", 0x3fe0000000000000, -1}, /* upstream's lexer needs no blank there */
	    {"# EOF\na 1", "a", 0x3ff0000000000000, -1},
	    {"a 1e400", NULL, 0, 0},
	    {"a 0x10", NULL, 0, 0},
	    {"a 1 -5", NULL, 0, 0},
	    {"a 1 99999999999999999999", NULL, 0, 0},
	    {"a 1 9223372036854775807", "a", 0x3ff0000000000000, INT64_MAX},
	    {"a 1\r", NULL, 0, 0},
	    {"a{b=\"1\"", NULL, 0, 0},
	    {"a{b=\"1\"} 1 2 3", NULL, 0, 0},
	    {"a{b=\"1\",\"c\"} 1", NULL, 0, 0},
	    {"# TYPE a gaugehistogram", NULL, 0, 0},
	    {"# HELP ", NULL, 0, 0},
	    {"1a 1", NULL, 0, 0},
	};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct text_parser p;
		struct err err;
		text_parser_init(&p, body_of(arena, slice_cstr(table[i].in)));
		int rc = text_parser_next(&p, &err);
		struct label *l;
		size_t n;
		if (rc == 0 && p.entry == TEXT_SERIES)
			rc = text_series_labels(&p, arena, &l, &n, &err);
		check_int(table[i].in, rc, table[i].series ? 0 : ERR_INVALID);
		if (rc < 0)
			continue;
		check_str(table[i].in, p.series, table[i].series);
		check_double(table[i].in, p.value, double_from_bits(table[i].bits));
		check_int(table[i].in, p.has_time ? p.t_ms : -1, table[i].t_ms);
		check_int(table[i].in, text_parser_next(&p, &err), 1);
	}
	arena_free(arena);
}

static void normalised_bounds(void **state)
{
	(void)state;
	static const struct {
		const char *type, *in, *want;
	} table[] = {
	    {"histogram", "1", "1.0"},
	    {"histogram", "0.10", "0.1"},
	    {"histogram", "1000000", "1e+06"},
	    {"histogram", "+Inf", "+Inf"},
	    {"histogram", "x", "x"},
	    {"gauge", "1", "1"},
	};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct slice text =
		    arena_printf(arena, "# TYPE a %s\na{le=\"%s\"} 1", table[i].type, table[i].in);
		struct text_parser p;
		struct err err;
		struct label *l;
		size_t n;
		text_parser_init(&p, body_of(arena, text));
		check_int("type", text_parser_next(&p, &err), 0);
		check_int("series", text_parser_next(&p, &err), 0);
		check_ok("labels", text_series_labels(&p, arena, &l, &n, &err), &err);
		check_str(table[i].in, l[1].value, table[i].want);
	}
	arena_free(arena);
}

/* The walker against the strict parser: random documents of legal and nearly legal pieces. */
static void the_walker_agrees_with_the_strict_parser(void **state)
{
	(void)state;
	static const char *const pieces[] = {"a", "metric_name:x", "{", "}", "{}", "{b=\"c\"}",
	    "{b=\"c\",d=\"e\\\"}f\"}", "{b=\"c}\n\"}", " ", "\t", "\n", "\n", "1", "-2.5", "1e5", "NaN",
	    "12345", " 1\n", " 2 3\n", "#", "# TYPE a histogram\n", "# HELP a b\n", "\"", ",", "=", "\\",
	    "\xff", "x", "{a=\"0123456789012345678901234567890123456789012345678901234567890123456789\"}"};
	struct test_random r;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (int round = 0; round < 20000; round++) {
		struct strbuf sb = STRBUF_INIT;
		for (uint64_t n = 1 + test_random_below(&r, 8); n > 0; n--)
			strbuf_adds(&sb, pieces[test_random_below(&r, ARRAY_LEN(pieces))]);
		struct text_parser fast, slow;
		struct slice body = body_of(arena, strbuf_slice(&sb));
		text_parser_init(&fast, body);
		text_parser_init(&slow, body);
		for (;;) {
			struct err fast_err = {0}, slow_err = {0};
			int rc = text_parser_next(&fast, &fast_err);
			struct label *l;
			size_t n;
			if (rc == 0 && fast.entry == TEXT_SERIES)
				rc = text_series_labels(&fast, arena, &l, &n, &fast_err);
			slow.start = slow.at;
			int want = text_strict_entry(&slow, &slow_err);
			if (rc != want)
				fail_msg("walker %d (%s), strict %d (%s) in: %s", rc, fast_err.msg, want,
				    slow_err.msg, strbuf_cstr(&sb));
			if (rc != 0)
				break;
			check_int("entry", fast.entry, slow.entry);
			assert_ptr_equal(fast.at, slow.at);
			if (fast.entry == TEXT_SERIES) {
				check_slice("series", fast.series, slow.series);
				check_double("value", fast.value, slow.value);
			}
		}
		strbuf_done(&sb);
		arena_reset(arena);
	}
	arena_free(arena);
}

TEST_MAIN("parse_text", cmocka_unit_test(streams), cmocka_unit_test(errors_as_upstream),
    cmocka_unit_test(families_are_accepted), cmocka_unit_test(real_documents),
    cmocka_unit_test(values_times_and_odd_lines), cmocka_unit_test(normalised_bounds),
    cmocka_unit_test(the_walker_agrees_with_the_strict_parser))
