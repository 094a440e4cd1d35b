/* query, query_range, series, labels and values over a store in plain arrays. */
#include "tests/lib/cases.h"
#include "tests/web/web_fixture.h"

#include "base/xmalloc.h"
#include "net/url.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

static const char load[] = "up{job=\"a\",instance=\"x\"} 1+0x10\n"
			   "up{job=\"b\",instance=\"y\"} 0+0x10\n"
			   "requests_total{job=\"a\"} 0+60x10\n"
			   "odd{\"host.name\"=\"z\"} 1+0x10\n";

static void answers(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int status;
		const char *body;
	} cases[] = {
	    {"/api/v1/query?query=1%2B1&time=4", 200,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[4,\"2\"]}}"},
	    {"/api/v1/query?query=%22%3Cx%3E%22&time=4", 200,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"string\",\"result\":[4,"
		"\"\\u003cx\\u003e\"]}}"},
	    {"/api/v1/query?query=up%7Bjob=%22a%22%7D", 200,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__"
		"name__\":\"up\","
		"\"instance\":\"x\",\"job\":\"a\"},\"value\":[600,\"1\"]}]}}"},
	    {"/api/v1/query?query=none", 200,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}"},
	    {"/api/v1/query_range?query=sum(up)&start=0&end=120&step=1m", 200,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},"
		"\"values\":[[0,\"1\"],"
		"[60,\"1\"],[120,\"1\"]]}]}}"},
	    {"/api/v1/query_range?query=up&start=0&end=60&step=60&limit=1", 200,
		"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__"
		"name__\":\"up\","
		"\"instance\":\"x\",\"job\":\"a\"},\"values\":[[0,\"1\"],[60,\"1\"]]}]},"
		"\"warnings\":[\"results truncated due to limit\"]}"},
	    {"/api/v1/query?query=1%2B", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"query\\\": 1:3: parse "
		"error: unexpected end of input\"}"},
	    {"/api/v1/query?query=1&time=x", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"time\\\": invalid time "
		"value for 'time': cannot parse \\\"x\\\" to a valid timestamp\"}"},
	    {"/api/v1/query?query=1&limit=-1", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"limit\\\": limit must be "
		"non-negative\"}"},
	    {"/api/v1/query?query=1&limit=x", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"limit\\\": strconv.Atoi: "
		"parsing \\\"x\\\": invalid syntax\"}"},
	    {"/api/v1/query?query=1&timeout=x", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"timeout\\\": cannot parse "
		"\\\"x\\\" to a valid duration\"}"},
	    {"/api/v1/query_range?query=1&end=1&step=1", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"start\\\": cannot parse "
		"\\\"\\\" to a valid timestamp\"}"},
	    {"/api/v1/query_range?query=1&start=2&end=1&step=1", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"end\\\": "
		"end timestamp must "
		"not be before start time\"}"},
	    {"/api/v1/query_range?query=1&start=1&end=2&step=0", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"step\\\": zero or negative "
		"query resolution step widths are not accepted. Try a positive integer\"}"},
	    {"/api/v1/query_range?query=1&start=0&end=11001&step=1", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"exceeded maximum resolution of "
		"11,000 points per "
		"timeseries. Try decreasing the query resolution (?step=XX)\"}"},
	    {"/api/v1/format_query?query=foo%2Bbar", 200, "{\"status\":\"success\",\"data\":\"foo + bar\"}"},
	    {"/api/v1/query_exemplars?query=test&start=1767225600000&end=1767225700000", 200,
		"{\"status\":\"success\",\"data\":[]}"},
	    {"/api/v1/query_exemplars?query=1&start=1&end=2", 204, ""},
	    {"/api/v1/parse_query?query=-x%5B5m%5D%20offset%201m", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"query\\\": 1:1: parse error: "
		"unary expression only allowed on expressions of type scalar or instant vector, got "
		"\\\"range vector\\\"\"}"},
	    {"/api/v1/parse_query?query=x%20offset%20min_of(step(),5m)", 200,
		"{\"status\":\"success\",\"data\":{\"type\":\"vectorSelector\",\"name\":\"x\",\"matchers\":["
		"{\"name\":\"__name__\",\"type\":\"=\",\"value\":\"x\"}],\"offset\":0,\"offsetExpr\":{\"type\":"
		"\"durationExpr\",\"op\":\"min_of\",\"lhs\":{\"type\":\"durationExpr\",\"op\":\"step\",\"lhs\":"
		"null,\"rhs\":null,\"wrapped\":false},\"rhs\":{\"type\":\"numberLiteral\",\"val\":\"300\","
		"\"duration\":true},\"wrapped\":false},\"timestamp\":null,\"startOrEnd\":null,\"anchored\":false,"
		"\"smoothed\":false}}"},
	    {"/api/v1/parse_query?query=abs(x%7Ba!=%22b%22%7D%20@%20end())", 200,
		"{\"status\":\"success\",\"data\":{\"type\":\"call\",\"func\":{\"name\":\"abs\",\"argTypes\":"
		"[\"vector\"],"
		"\"variadic\":0,\"returnType\":\"vector\"},\"args\":[{\"type\":\"vectorSelector\",\"name\":"
		"\"x\",\"matchers\":["
		"{\"name\":\"a\",\"type\":\"!=\",\"value\":\"b\"},{\"name\":\"__name__\",\"type\":\"=\","
		"\"value\":\"x\"}],"
		"\"offset\":0,\"offsetExpr\":null,\"timestamp\":null,\"startOrEnd\":\"end\",\"anchored\":"
		"false,"
		"\"smoothed\":false}]}}"},
	    {"/api/v1/series?match[]=up", 200,
		"{\"status\":\"success\",\"data\":[{\"__name__\":\"up\",\"instance\":\"x\",\"job\":\"a\"},"
		"{\"__name__\":\"up\",\"instance\":\"y\",\"job\":\"b\"}]}"},
	    {"/api/v1/series?match[]=up&match[]=%7Bjob=%22a%22%7D&limit=2", 200,
		"{\"status\":\"success\",\"data\":[{\"__name__\":\"requests_total\",\"job\":\"a\"},"
		"{\"__name__\":\"up\",\"instance\":\"x\",\"job\":\"a\"}],\"warnings\":[\"results truncated "
		"due to limit\"]}"},
	    {"/api/v1/series?match[]=none", 200, "{\"status\":\"success\",\"data\":[]}"},
	    {"/api/v1/series?match[]=up&start=100000", 200, "{\"status\":\"success\",\"data\":[]}"},
	    {"/api/v1/series", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"no match[] parameter "
		"provided\"}"},
	    {"/api/v1/series?match[]=%7Bfoo=%22%22%7D", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"match[]\\\": match[] must "
		"contain at least one non-empty matcher\"}"},
	    {"/api/v1/series?match[]=up&start=x", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"start\\\": invalid time "
		"value for 'start': cannot parse \\\"x\\\" to a valid timestamp\"}"},
	    {"/api/v1/labels", 200,
		"{\"status\":\"success\",\"data\":[\"__name__\",\"host.name\",\"instance\",\"job\"]}"},
	    {"/api/v1/labels?match[]=requests_total&match[]=odd", 200,
		"{\"status\":\"success\",\"data\":[\"__name__\",\"host.name\",\"job\"]}"},
	    {"/api/v1/labels?limit=1", 200,
		"{\"status\":\"success\",\"data\":[\"__name__\"],\"warnings\":[\"results truncated due to "
		"limit\"]}"},
	    {"/api/v1/labels?match[]=none", 200, "{\"status\":\"success\",\"data\":[]}"},
	    {"/api/v1/label/job/values", 200, "{\"status\":\"success\",\"data\":[\"a\",\"b\"]}"},
	    {"/api/v1/label/job/values?match[]=requests_total", 200,
		"{\"status\":\"success\",\"data\":[\"a\"]}"},
	    {"/api/v1/label/U__host_2e_name/values", 200, "{\"status\":\"success\",\"data\":[\"z\"]}"},
	    {"/api/v1/label/host.name/values", 200, "{\"status\":\"success\",\"data\":[\"z\"]}"},
	    {"/api/v1/label/a%FF/values", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid label name: "
		"\\\"a\\\\xff\\\"\"}"},
	};
	struct web_fixture f;
	web_fixture_start(&f, NULL, 600000);
	web_fixture_load(&f, load);
	web_fixture_ready(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		web_fixture_expect(&f, cases[i].path, cases[i].status, cases[i].body);
		/* POST is the same, with the parameters in the body. */
		const char *query = strchr(cases[i].path, '?');
		if (!query || strstr(cases[i].path, "/label/"))
			continue;
		char *path = slice_dup(slice_of(cases[i].path, (size_t)(query - cases[i].path)));
		web_fixture_call(&f, "POST", path, "", query + 1);
		check_str(cases[i].path, f.body, cases[i].body);
		check_int(cases[i].path, f.status, cases[i].status);
		free(path);
	}
	web_fixture_stop(&f);
}

static void statistics(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 600000);
	web_fixture_load(&f, load);
	web_fixture_ready(&f);
	web_fixture_get(&f, "/api/v1/query?query=up&stats=true");
	struct json_doc *doc;
	struct err err;
	check_ok("parse", json_doc_parse(f.body, &doc, &err), &err);
	const struct json_value *stats = json_member(json_member(json_doc_root(doc), "data"), "stats");
	check_int("timings", json_count(json_member(stats, "timings")), 6);
	int64_t read = 0;
	check_true("samples", json_get_int(json_member(json_member(stats, "samples"), "samplesRead"), &read));
	check_true("samples", read >= 2);
	json_doc_free(doc);
	web_fixture_get(&f, "/api/v1/query?query=1&stats=x");
	static const char deprecated[] = "value \\\"x\\\" for parameter \\\"stats\\\" is deprecated";
	check_true("deprecated", memmem(f.body.ptr, f.body.len, deprecated, strlen(deprecated)) != NULL);
	web_fixture_stop(&f);
}

#define NO_TIME                                                                                              \
	"\"timings\":{\"evalTotalTime\":0,\"resultSortTime\":0,\"queryPreparationTime\":0,"                  \
	"\"innerEvalTime\":0,"                                                                               \
	"\"execQueueTime\":0,\"execTotalTime\":0}"

/* The clock stands, so that all durations are 0. */
static void statistics_by_step(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 600000);
	web_fixture_load(&f, load);
	web_fixture_ready(&f);
	web_fixture_expect(&f, "/api/v1/query_range?query=sum(up)&start=0&end=120&step=1m&stats=all", 200,
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},"
	    "\"values\":[[0,\"1\"],"
	    "[60,\"1\"],[120,\"1\"]]}],\"stats\":{" NO_TIME
	    ",\"samples\":{\"totalQueryableSamplesPerStep\":[[0,2],[60,2],[120,2]],\"totalQueryableSamples\":"
	    "6,"
	    "\"samplesReadPerStep\":[[0,2],[60,2],[120,2]],\"samplesRead\":6,\"peakSamples\":6}}}}");
	web_fixture_expect(&f, "/api/v1/query?query=up&time=60&stats=true&limit=1", 200,
	    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__"
	    "\":\"up\","
	    "\"instance\":\"x\",\"job\":\"a\"},\"value\":[60,\"1\"]}],\"stats\":{" NO_TIME
	    ",\"samples\":{\"totalQueryableSamples\":2,\"samplesRead\":2,\"peakSamples\":2}}},\"warnings\":["
	    "\"results "
	    "truncated due to limit\"]}");
	web_fixture_stop(&f);
}

static void use_engine(struct web_fixture *f, struct promql_options options)
{
	promql_engine_free(f->engine);
	options.clock = f->clock;
	f->engine = promql_engine_new(&options);
	f->deps.engine = f->engine;
}

static void explained(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 600000);
	web_fixture_load(&f, load);
	web_fixture_ready(&f);
	web_fixture_expect(&f, "/api/v1/explain?query=sum(up)&time=600", 200,
	    "{\"status\":\"success\",\"data\":{\"analyze\":false,\"plan\":{\"node\":\"sum\",\"kind\":"
	    "\"aggregation\","
	    "\"position\":[0,7],\"steps\":1,\"estimated\":{\"series\":1},\"children\":[{\"node\":\"up\","
	    "\"kind\":"
	    "\"selector\",\"position\":[4,6],\"steps\":1,\"estimated\":{\"series\":2,\"samples\":10},"
	    "\"children\":[]}]}}}");
	web_fixture_expect(&f, "/api/v1/explain?query=up&start=0&end=60&step=60&analyze=true", 200,
	    "{\"status\":\"success\",\"data\":{\"analyze\":true,\"plan\":{\"node\":\"up\",\"kind\":"
	    "\"selector\","
	    "\"position\":[0,2],\"steps\":2,\"estimated\":{\"series\":2,\"samples\":4},\"actual\":{"
	    "\"series\":2,"
	    "\"points\":4,\"samples\":4,\"bytes\":64,\"seconds\":0,\"selfSeconds\":0},\"children\":[]},"
	    "\"stats\":{" NO_TIME
	    ",\"samples\":{\"totalQueryableSamples\":4,\"samplesRead\":4,\"peakSamples\":4}}}}");
	web_fixture_expect(&f, "/api/v1/explain?query=up%5B", 400,
	    "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter \\\"query\\\": "
	    "1:4: parse error: "
	    "unexpected end of input in duration expression\"}");
	web_fixture_stop(&f);
}

static void limits(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 600000);
	web_fixture_load(&f, load);
	use_engine(&f, (struct promql_options){.max_samples = 5, .max_concurrent = 1, .slow_query_ms = -1});
	web_fixture_ready(&f);
	web_fixture_expect(&f, "/api/v1/query_range?query=up&start=0&end=120&step=60", 422,
	    "{\"status\":\"error\",\"errorType\":\"execution\",\"error\":\"query processing would load too "
	    "many samples into "
	    "memory in query execution\",\"warnings\":[\"up (1:1) cost most: 2 series, 6 samples\"]}");
	/* How many bytes is the arena's business. */
	static const char *const parts[] = {"{\"status\":\"success\",\"data\":{\"thresholdSeconds\":0,"
					    "\"queries\":[{\"query\":\"up\",\"start\":0,\"end\":120,"
					    "\"step\":60,\"ended\":600,\"seconds\":0,\"cost\":{\"estimated\":"
					    "12,\"series\":2,\"samples\":6,\"bytes\":",
	    "},\"heaviest\":\"up (1:1) cost most: 2 series, 6 samples\",\"error\":\"query processing would "
	    "load too many "
	    "samples into memory in query execution\",\"stats\":{" NO_TIME
	    ",\"samples\":{\"totalQueryableSamples\":0,\"samplesRead\":0,\"peakSamples\":0}},\"httpRequest\":"
	    "{\"clientIP\":"
	    "\"127.0.0.1\",\"method\":\"GET\",\"path\":\"/api/v1/query_range\"}}]}}"};
	web_fixture_get(&f, "/api/v1/status/slow_queries");
	check_str("slow queries", slice_of(f.body.ptr, strlen(parts[0])), parts[0]);
	check_str("slow queries", slice_from(f.body, f.body.len - strlen(parts[1])), parts[1]);
	web_fixture_stop(&f);
}

/* Lets time pass once a request waits. */
static void *pass_time(void *arg)
{
	struct web_fixture *f = arg;
	struct query_gate_state s = {0};
	while (query_gate_state(promql_engine_gate(f->engine), &s), s.waiting == 0)
		sched_yield();
	clock_virtual_set(f->clock, clock_now_ms(f->clock) + 3600000);
	return NULL;
}

/* All slots are taken: what waits runs out of time, queries and lists of series alike. */
static void no_slot(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int status;
		const char *body;
	} cases[] = {
	    {"/api/v1/query?query=up", 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"query\\\": context "
		"deadline exceeded\"}"},
	    {"/api/v1/labels", 503, "too many queries are running: timed out waiting for a slot\n"},
	};
	struct web_fixture f;
	struct query_wait wait = {INT64_MAX, NULL};
	web_fixture_start(&f, NULL, 600000);
	web_fixture_load(&f, load);
	use_engine(&f, (struct promql_options){.max_concurrent = 1});
	web_fixture_ready(&f);
	check_int("taken", query_gate_enter(promql_engine_gate(f.engine), &wait, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pthread_t thread;
		check_int("thread", pthread_create(&thread, NULL, pass_time, &f), 0);
		web_fixture_expect(&f, cases[i].path, cases[i].status, cases[i].body);
		pthread_join(thread, NULL);
	}
	query_gate_leave(promql_engine_gate(f.engine), false);
	web_fixture_stop(&f);
}

/* "a=b&c=d" from {"a": ["b"], "c": ["d"]}. */
static void put_query(struct strbuf *out, const struct json_value *params)
{
	struct slice name, text;
	const struct json_value *list;
	char before = '?';
	for (void *at = NULL; json_next_member(params, &at, &name, &list);)
		for (size_t i = 0; i < json_count(list); i++, before = '&') {
			strbuf_addf(out, "%c%" SL_FMT "=", before, SL_ARG(name));
			if (json_get_string(json_item(list, i), &text))
				url_query_escape(out, text);
		}
}

static void check_answer(
    struct web_fixture *f, struct test_cases *all, const struct json_value *c, const char *path)
{
	struct json_doc *doc;
	struct err err;
	check_ok(path, json_doc_parse(f->body, &doc, &err), &err);
	const struct json_value *got = json_doc_root(doc), *data = json_member(got, "data");
	struct slice type = SL_EMPTY;
	json_get_string(json_member(got, "errorType"), &type);
	check_slice(path, type, test_case_text(all, c, "error_type"));
	if (json_member(c, "data") && !json_same(data, json_member(c, "data")))
		fail_msg("%s: got %" SL_FMT, path, SL_ARG(f->body));
	int64_t n;
	if (json_get_int(json_member(c, "data_length"), &n))
		check_int(path, json_count(data), n);
	if (json_get_int(json_member(c, "warnings_count"), &n))
		check_int(path, json_count(json_member(got, "warnings")), n);
	json_doc_free(doc);
}

static void conformance(void **state)
{
	(void)state;
	struct test_cases *all = test_cases_open("api_endpoints.json");
	if (!all)
		return;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 6000000);
	struct slice text = SL_EMPTY;
	json_get_string(test_cases_member(all, "load"), &text);
	web_fixture_load(&f, arena_strdup(test_cases_arena(all), text));
	web_fixture_ready(&f);
	for (size_t i = 0; i < test_cases_count(all); i++) {
		const struct json_value *c = test_case(all, i);
		struct strbuf path = STRBUF_INIT;
		strbuf_add_slice(&path, test_case_text(all, c, "endpoint"));
		put_query(&path, json_member(c, "params"));
		web_fixture_get(&f, strbuf_cstr(&path));
		check_answer(&f, all, c, strbuf_cstr(&path));
		strbuf_done(&path);
	}
	web_fixture_stop(&f);
	test_cases_close(all);
}

/* More points than are held as text: the answer comes in pieces, with statistics and warnings behind them. */
static void large_answers(void **state)
{
	(void)state;
	struct web_fixture f;
	struct json_doc *doc;
	struct err err;
	web_fixture_start(&f, NULL, 600000);
	web_fixture_load(&f, load);
	web_fixture_ready(&f);
	web_fixture_get(&f,
	    "/api/v1/"
	    "query_range?query=%7B__name__=~%22up%7Crequests_total%7Codd%22%7D&start=0&end=600&step=0.06"
	    "&limit=3&stats=true");
	check_int("status", f.status, 200);
	check_str("chunked", web_fixture_header(&f, "Transfer-Encoding"), "chunked");
	struct strbuf body = STRBUF_INIT;
	/* Chunks: a line with the length in hexadecimal, the bytes, an empty line. */
	for (struct slice rest = f.body; rest.len > 0;) {
		size_t line = slice_find(rest, '\n'), n = strtoul(rest.ptr, NULL, 16);
		if (n == 0)
			break;
		strbuf_add(&body, rest.ptr + line + 1, n);
		rest = slice_from(rest, line + 1 + n + 2);
	}
	check_ok("json", json_doc_parse(strbuf_slice(&body), &doc, &err), &err);
	const struct json_value *root = json_doc_root(doc), *data = json_member(root, "data");
	const struct json_value *result = json_member(data, "result");
	check_int("series", (int64_t)json_count(result), 3);
	for (size_t i = 0; i < 3; i++)
		check_int("points", (int64_t)json_count(json_member(json_item(result, i), "values")), 10001);
	check_true("statistics", json_member(data, "stats") != NULL);
	check_int("warnings", (int64_t)json_count(json_member(root, "warnings")), 1);
	json_doc_free(doc);
	strbuf_done(&body);
	web_fixture_stop(&f);
}

TEST_MAIN("api_query", cmocka_unit_test(large_answers), cmocka_unit_test(answers),
    cmocka_unit_test(statistics), cmocka_unit_test(statistics_by_step), cmocka_unit_test(explained),
    cmocka_unit_test(limits), cmocka_unit_test(no_slot), cmocka_unit_test(conformance))
