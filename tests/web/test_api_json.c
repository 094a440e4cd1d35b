#include "web/api_json.h"

#include "base/json_read.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

static struct slice printed(struct strbuf *out, const struct query_result *r, size_t limit)
{
	struct json j;
	strbuf_reset(out);
	json_init(&j, out);
	json_object_begin(&j);
	json_query_result(&j, r, limit);
	json_object_end(&j);
	return strbuf_slice(out);
}

static void results(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct strbuf out = STRBUF_INIT;
	static const int64_t times[] = {1435781451781, 1435781452781, 1435781453781};
	static const double values[] = {1, 0.5, (double)__builtin_nanf("")};
	struct result_series series[] = {
	    {.labels = labels_of(a, "__name__", "up", "q", "a\"<", NULL), .n = 1, .t_ms = times, .v = values},
	    {.labels = &labels_empty, .n = 1, .t_ms = times, .v = values + 1},
	};
	struct query_result r = {
	    .kind = QUERY_VECTOR, .start_ms = times[0], .n_steps = 1, .series = series, .n_series = 2};
	check_str("vector", printed(&out, &r, 0),
	    "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"q\":\"a\\\"<\"},"
	    "\"value\":[1435781451.781,\"1\"]},{\"metric\":{},\"value\":[1435781451.781,\"0.5\"]}]}");
	check_str("cut", printed(&out, &r, 1),
	    "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"up\",\"q\":\"a\\\"<\"},"
	    "\"value\":[1435781451.781,\"1\"]}]}");
	r.n_series = 0;
	check_str("nothing", printed(&out, &r, 0), "{\"resultType\":\"vector\",\"result\":[]}");
	r.kind = QUERY_SCALAR;
	check_str(
	    "scalar", printed(&out, &r, 0), "{\"resultType\":\"scalar\",\"result\":[1435781451.781,\"1\"]}");
	r.kind = QUERY_STRING;
	r.string = SL("<x>");
	check_str("string", printed(&out, &r, 0),
	    "{\"resultType\":\"string\",\"result\":[1435781451.781,\"\\u003cx\\u003e\"]}");
	strbuf_done(&out);
	arena_free(a);
}

static void matrix_on_and_off_the_grid(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	static const int64_t grid[] = {0, 500, 1000}, gap[] = {0, 1000}, raw[] = {250, 500};
	static const double v[] = {1, 2, 3};
	struct result_series series[] = {
	    {.labels = &labels_empty, .n = 3, .t_ms = grid, .v = v},
	    {.labels = &labels_empty, .n = 2, .t_ms = gap, .v = v},
	    {.labels = &labels_empty, .n = 2, .t_ms = raw, .v = v},
	};
	struct query_result r = {.kind = QUERY_MATRIX,
	    .end_ms = 1000,
	    .step_ms = 500,
	    .n_steps = 3,
	    .grid_ms = grid,
	    .series = series,
	    .n_series = 3};
	static const char want[] = "{\"resultType\":\"matrix\",\"result\":["
				   "{\"metric\":{},\"values\":[[0,\"1\"],[0.500,\"2\"],[1,\"3\"]]},"
				   "{\"metric\":{},\"values\":[[0,\"1\"],[1,\"2\"]]},"
				   "{\"metric\":{},\"values\":[[0.250,\"1\"],[0.500,\"2\"]]}]}";
	check_str("range query", printed(&out, &r, 0), want);
	r.step_ms = 0;
	check_str("range selector in an instant query", printed(&out, &r, 0), want);
	strbuf_done(&out);
}

static void histograms(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	static const struct histogram_span spans[] = {{.offset = 0, .length = 2}};
	static const double pos[] = {4, 6};
	struct histogram h = {.schema = 0,
	    .zero_threshold = 0.001,
	    .zero_count = 2,
	    .count = 12,
	    .sum = 18.4,
	    .n_pos_spans = 1,
	    .n_pos = 2,
	    .pos_spans = spans,
	    .pos = pos};
	const struct histogram *hs[] = {NULL, &h};
	static const int64_t times[] = {1000, 2000};
	static const double v[] = {7, 0};
	struct result_series series = {.labels = &labels_empty, .n = 2, .t_ms = times, .v = v, .h = hs};
	struct query_result r = {.kind = QUERY_MATRIX, .series = &series, .n_series = 1};
	check_str("mixed", printed(&out, &r, 0),
	    "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[[1,\"7\"]],\"histograms\":[[2,"
	    "{\"count\":\"12\",\"sum\":\"18.4\",\"buckets\":[[3,\"-0.001\",\"0.001\",\"2\"],"
	    "[0,\"0.5\",\"1\",\"4\"],[0,\"1\",\"2\",\"6\"]]}]]}]}");
	struct histogram empty = {0};
	struct json j;
	strbuf_reset(&out);
	json_init(&j, &out);
	json_histogram(&j, &empty);
	check_str("empty", strbuf_slice(&out), "{\"count\":\"0\",\"sum\":\"0\"}");
	strbuf_done(&out);
}

static void times(void **state)
{
	(void)state;
	static const struct {
		int64_t t_ms;
		const char *want;
	} cases[] = {{0, "\"0001-01-01T00:00:00Z\""}, {1767225600000, "\"2026-01-01T00:00:00Z\""},
	    {1767225600120, "\"2026-01-01T00:00:00.12Z\""}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf out = STRBUF_INIT;
		struct json j;
		json_init(&j, &out);
		json_time(&j, cases[i].t_ms);
		check_str(cases[i].want, strbuf_slice(&out), cases[i].want);
		strbuf_done(&out);
	}
}

/* Series of all shapes: on the grid, with gaps, with histograms, long ones. */
static struct query_result *large_result(size_t n_series, size_t n_steps, enum query_value_kind kind)
{
	static const struct histogram h = {.count = 3, .sum = 1.5};
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct query_result *r = ARENA_NEW(a, struct query_result);
	int64_t *grid = ARENA_ARRAY(a, int64_t, n_steps);
	for (size_t k = 0; k < n_steps; k++)
		grid[k] = (int64_t)k * 1000;
	*r = (struct query_result){.kind = kind,
	    .arena = a,
	    .end_ms = grid[n_steps - 1],
	    .step_ms = kind == QUERY_MATRIX ? 1000 : 0,
	    .n_steps = n_steps,
	    .grid_ms = grid,
	    .n_series = n_series,
	    .series = ARENA_ARRAY(a, struct result_series, n_series)};
	for (size_t i = 0; i < n_series; i++) {
		double *v = ARENA_ARRAY(a, double, n_steps);
		const struct histogram **hs = ARENA_ARRAY(a, const struct histogram *, n_steps);
		for (size_t k = 0; k < n_steps; k++) {
			v[k] = (double)(k * i) / 8;
			hs[k] = k % 3 == i % 3 ? &h : NULL;
		}
		r->series[i] =
		    (struct result_series){.labels = labels_of(a, "i", arena_printf(a, "%zu", i).ptr, NULL),
			.n = kind == QUERY_MATRIX && i % 4 == 1 ? n_steps / 2 : n_steps,
			.t_ms = grid,
			.v = v,
			.h = i % 5 == 2 ? hs : NULL};
	}
	return r;
}

static void check_pieces(size_t n_series, size_t n_steps, enum query_value_kind kind, size_t limit)
{
	struct query_result *r = large_result(n_series, n_steps, kind);
	struct strbuf whole = STRBUF_INIT, joined = STRBUF_INIT, text = STRBUF_INIT, before,
		      piece = STRBUF_INIT;
	struct json j;
	bool more = true;
	printed(&whole, r, limit);
	json_init(&j, &text);
	json_object_begin(&j);
	check_true("large", json_query_result_begin(&j, r, limit));
	before = text;
	strbuf_init(&text, STRBUF_NO_LIMIT);
	json_array_end(&j);
	json_object_end(&j);
	struct result_stream *s = result_stream_new(r, limit, &before, &text);
	while (more) {
		strbuf_reset(&piece);
		more = result_stream_fill(s, &piece);
		/* A series with histograms is one piece. */
		check_true("a piece is not large", piece.len < 12 * RESULT_STREAM_PIECE_BYTES);
		strbuf_add_slice(&joined, strbuf_slice(&piece));
	}
	result_stream_free(s);
	check_true("the same text", slice_eq(strbuf_slice(&joined), strbuf_slice(&whole)));
	strbuf_done(&whole);
	strbuf_done(&joined);
	strbuf_done(&piece);
}

static void pieces(void **state)
{
	(void)state;
	check_pieces(10, 11000, QUERY_MATRIX, 0);
	check_pieces(4000, 20, QUERY_MATRIX, 0);
	check_pieces(4000, 20, QUERY_MATRIX, 3000);
	check_pieces(5000, 1, QUERY_VECTOR, 0);
	check_pieces(1, 50000, QUERY_MATRIX, 0);
	struct query_result *r = large_result(10, 10, QUERY_MATRIX);
	struct strbuf out = STRBUF_INIT;
	struct json j;
	json_init(&j, &out);
	check_true("a small one is written as a whole", !json_query_result_begin(&j, r, 0));
	query_result_free(r);
}

static void put_point(struct json *j, const struct json_value *v)
{
	int64_t t_ms = 0;
	check_true("T", json_get_int(json_member(v, "T"), &t_ms));
	json_array_begin(j);
	json_timestamp(j, t_ms);
	json_sample_value(j, test_case_double(v, "F"));
	json_array_end(j);
}

static void conformance(void **state)
{
	(void)state;
	struct test_cases *all = test_cases_open("json_encoding.json");
	for (size_t i = 0; all && i < test_cases_count(all); i++) {
		const struct json_value *c = test_case(all, i), *v = json_member(c, "value");
		if (json_kind_of(v) != JSON_KIND_OBJECT ||
		    !slice_eq(test_case_text(all, v, "type"), SL("FPoint")))
			continue;
		struct strbuf out = STRBUF_INIT;
		struct json j;
		json_init(&j, &out);
		json_object_begin(&j);
		json_key(&j, "status");
		json_cstr(&j, "success");
		json_key(&j, "data");
		put_point(&j, v);
		json_object_end(&j);
		check_slice("point", strbuf_slice(&out), test_case_text(all, c, "json"));
		strbuf_done(&out);
	}
	test_cases_close(all);
}

TEST_MAIN("api_json", cmocka_unit_test(results), cmocka_unit_test(matrix_on_and_off_the_grid),
    cmocka_unit_test(histograms), cmocka_unit_test(times), cmocka_unit_test(pieces),
    cmocka_unit_test(conformance))
