/* The command line against a server that is not there: what it asks for, and what it prints. */
#include "tests/lib/test.h"
#include "tools/cli.h"
#include <stdio.h>
#include <stdlib.h>

/* 2026-01-01T12:00:00Z */
#define NOW_MS INT64_C(1767268800000)

struct fake_server {
	int status;
	const char *body;
	char asked[2048]; /* "METHOD URL BODY" of the last call */
};

static void answer(void *arg, const struct http_call *call, struct http_result *r)
{
	struct fake_server *s = (struct fake_server *)arg;
	snprintf(s->asked, sizeof(s->asked), "%s %s %" SL_FMT, call->method, call->url, SL_ARG(call->body));
	*r = (struct http_result){.status = s->status, .body = slice_cstr(s->body), .content_type = SL_EMPTY};
	if (s->status == 0) {
		r->rc = ERR_IO;
		r->error = "connection refused";
	}
}

enum { MAX_ARGS = 12 };

struct run {
	int code;
	struct strbuf out, err;
	struct fake_server server;
};

static void run_promq(struct run *r, const char *const *args, int status, const char *body)
{
	char *argv[MAX_ARGS + 2] = {NULL};
	int argc = 0;
	argv[argc++] = strdup("promq");
	while (args[argc - 1]) {
		argv[argc] = strdup(args[argc - 1]);
		argc++;
	}
	char *owned[MAX_ARGS + 2];
	memcpy(owned, argv, sizeof(owned));
	*r = (struct run){.out = STRBUF_INIT, .err = STRBUF_INIT, .server = {.status = status, .body = body}};
	struct cli cli = {
	    .server = "http://test:9090/",
	    .http = http_client_new_fake(answer, &r->server),
	    .clock = clock_virtual_new(NOW_MS),
	    .arena = arena_new(ARENA_NO_LIMIT),
	    .out = &r->out,
	    .err = &r->err,
	};
	r->code = cli_run(&cli, argc, argv);
	arena_free(cli.arena);
	clock_virtual_free(cli.clock);
	http_client_free(cli.http);
	for (int i = 0; i < argc; i++)
		free(owned[i]);
}

static void run_done(struct run *r)
{
	strbuf_done(&r->out);
	strbuf_done(&r->err);
}

#define VECTOR(result) "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":" result "}}"
#define UP                                                                                                   \
	VECTOR("[{\"metric\":{\"__name__\":\"up\",\"job\":\"node\"},\"value\":[1767268800,\"1\"]},"          \
	       "{\"metric\":{\"__name__\":\"up\",\"instance\":\"h\xc3\xa9:1\",\"job\":\"a,b\"},\"value\":["  \
	       "1767268800.5,\"12.25\"]}]")

static void queries(void **state)
{
	(void)state;
	static const struct {
		const char *args[MAX_ARGS];
		const char *body, *asked, *out, *err;
	} cases[] = {
	    {{"query", "instant", "up"}, UP,
		"POST http://test:9090/api/v1/query query=up&time=1767268800.000",
		"METRIC  INSTANCE  JOB   TIME                      VALUE\n"
		"up                node  2026-01-01T12:00:00Z          1\n"
		"up      h\xc3\xa9:1      a,b   2026-01-01T12:00:00.500Z  12.25\n",
		""},
	    {{"-o", "csv", "query", "instant", "up"}, UP, NULL,
		"__name__,instance,job,timestamp,value\n"
		"up,,node,1767268800,1\n"
		"up,h\xc3\xa9:1,\"a,b\",1767268800.500,12.25\n",
		""},
	    {{"query", "instant", "up", "-o", "value"}, UP, NULL, "1\n12.25\n", ""},
	    {{"query", "instant", "-o=json", "up"}, VECTOR("[]"), NULL, VECTOR("[]") "\n", ""},
	    {{"query", "instant", "up"}, VECTOR("[]"), NULL, "", "no series\n"},
	    {{"--server", "http://other", "query", "instant", "--time", "1h", "a + b"}, VECTOR("[]"),
		"POST http://other/api/v1/query query=a+%2B+b&time=1767265200.000", "", "no series\n"},
	    {{"query", "instant", "--time=2026-01-01T00:00:00Z", "1"},
		"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1767225600,\"1\"]},"
		"\"warnings\":[\"PromQL warning: w\"],\"infos\":[\"PromQL info: i\"]}",
		"POST http://test:9090/api/v1/query query=1&time=1767225600.000",
		"TIME                  VALUE\n2026-01-01T00:00:00Z      1\n",
		"warning: PromQL warning: w\ninfo: PromQL info: i\n"},
	    {{"query", "instant", "-o", "value", "\"x\""},
		"{\"status\":\"success\",\"data\":{\"resultType\":\"string\",\"result\":[1767225600,\"x\"]}}",
		NULL, "x\n", ""},
	    {{"query", "instant", "h"},
		VECTOR("[{\"metric\":{},\"histogram\":[1767268800,{\"count\":\"12\",\"sum\":\"18.4\","
		       "\"buckets\":[]}]}]"),
		NULL,
		"TIME                                 VALUE\n2026-01-01T12:00:00Z  {count:12, sum:18.4}\n",
		""},
	    {{"query", "range", "--start", "1767268700", "--end=1767268800", "--step", "50", "x"},
		"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"a\":"
		"\"b\"},"
		"\"values\":[[1767268700,\"1\"],[1767268750,\"2\"]]}]}}",
		"POST http://test:9090/api/v1/query_range "
		"query=x&start=1767268700.000&end=1767268800.000&step=50.000",
		"A  TIME                  VALUE\nb  2026-01-01T11:58:20Z      1\nb  2026-01-01T11:59:10Z     "
		" 2\n",
		""},
	    {{"query", "range", "x"},
		"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
		"POST http://test:9090/api/v1/query_range "
		"query=x&start=1767265200.000&end=1767268800.000&step=60.000",
		"", "no series\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		run_promq(&r, cases[i].args, 200, cases[i].body);
		check_str("out", strbuf_slice(&r.out), cases[i].out);
		check_str("err", strbuf_slice(&r.err), cases[i].err);
		if (cases[i].asked)
			check_str("asked", slice_cstr(r.server.asked), cases[i].asked);
		check_int("code", r.code, EXIT_OK);
		run_done(&r);
	}
}

#define PLAN                                                                                                 \
	"{\"status\":\"success\",\"data\":{\"analyze\":false,\"plan\":{\"node\":\"sum by (job)\",\"kind\":"  \
	"\"aggregation\",\"position\":[0,23],\"steps\":61,\"estimated\":{\"series\":3},\"children\":[{"      \
	"\"node\":"                                                                                          \
	"\"up[5m]\",\"kind\":\"selector\",\"position\":[14,20],\"steps\":61,\"estimated\":{\"series\":3,"    \
	"\"samples\":720},\"children\":[]}]}}}"
#define ANALYZED                                                                                             \
	"{\"status\":\"success\",\"data\":{\"analyze\":true,\"plan\":{\"node\":\"rate\",\"kind\":\"call\","  \
	"\"steps\":1,\"estimated\":{\"series\":3},\"actual\":{\"series\":2,\"points\":2,\"bytes\":64,"       \
	"\"seconds\":0.00125,\"selfSeconds\":2.5e-05},\"children\":[{\"node\":\"up[5m]\",\"steps\":1,"       \
	"\"estimated\":{\"series\":3,\"samples\":20},\"actual\":{\"series\":3,\"points\":0,\"samples\":18,"  \
	"\"bytes\":288,\"seconds\":0.001,\"selfSeconds\":0.001},\"children\":[]}]},\"stats\":{\"timings\":"  \
	"{\"execTotalTime\":0.002},\"samples\":{\"totalQueryableSamples\":18,\"peakSamples\":20}}}}"

static void plans(void **state)
{
	(void)state;
	static const struct {
		const char *args[MAX_ARGS];
		const char *body, *asked, *out;
	} cases[] = {
	    {{"query", "explain", "sum by (job) (up[5m])", "--step", "1m", "--start", "2h"}, PLAN,
		"POST http://test:9090/api/v1/explain query=sum+by+%28job%29+%28up%5B5m%5D%29&"
		"start=1767261600.000&end=1767268800.000&step=60.000",
		"NODE          STEPS  SERIES UP TO  SAMPLES UP TO\n"
		"sum by (job)     61             3\n"
		"  up[5m]         61             3            720\n"},
	    {{"query", "explain", "--analyze", "rate(up[5m])"}, ANALYZED,
		"POST http://test:9090/api/v1/explain "
		"query=rate%28up%5B5m%5D%29&analyze=true&time=1767268800.000",
		"NODE      STEPS  SERIES  POINTS  SAMPLES  BYTES     MS  MS ALONE\n"
		"rate          1       2       2              64  1.250     0.025\n"
		"  up[5m]      1       3       0       18    288  1.000     1.000\n"
		"\n18 samples queried, 20 held at most, 2.000 ms\n"},
	    {{"query", "explain", "-o", "json", "--time", "0", "x"}, PLAN,
		"POST http://test:9090/api/v1/explain query=x&time=0.000", PLAN "\n"},
	    {{"query", "explain", "-o", "csv", "x"}, PLAN, NULL,
		"node,steps,series up to,samples up to\nsum by (job),61,3,\n  up[5m],61,3,720\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		run_promq(&r, cases[i].args, 200, cases[i].body);
		check_str("err", strbuf_slice(&r.err), "");
		check_str("out", strbuf_slice(&r.out), cases[i].out);
		if (cases[i].asked)
			check_str("asked", slice_cstr(r.server.asked), cases[i].asked);
		check_int("code", r.code, EXIT_OK);
		run_done(&r);
	}
}

static void formats(void **state)
{
	(void)state;
	static const struct {
		const char *args[MAX_ARGS];
		int code;
		const char *out, *err;
	} cases[] = {
	    {{"format", "sum(rate(x[5m]))by(job)"}, EXIT_OK, "sum by (job) (rate(x[5m]))\n", ""},
	    {{"format",
		 "sum by (job, instance) (rate(http_requests_total{job=\"api\", code=~\"5..\"}[5m])) / "
		 "sum by (job, instance) (rate(http_requests_total{job=\"api\"}[5m]))"},
		EXIT_OK,
		"  sum by (job, instance) (rate(http_requests_total{code=~\"5..\",job=\"api\"}[5m]))\n/\n"
		"  sum by (job, instance) (rate(http_requests_total{job=\"api\"}[5m]))\n",
		""},
	    {{"format", "--line", "a\n+\nb"}, EXIT_OK, "a + b\n", ""},
	    {{"format", "mad_over_time(x[5m]) + fill(0) y smoothed"}, EXIT_OK,
		"mad_over_time(x[5m]) + fill (0) y smoothed\n", ""},
	    {{"format", "sum(x"}, EXIT_FAILURE_FOUND, "",
		"promq: 1:6: parse error: unclosed left parenthesis\n  sum(x\n       ^\n"},
	    {{"format", "a", "b"}, EXIT_FAILURE_FOUND, "",
		"promq: format: want one expression, got 2 (quote it)\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		run_promq(&r, cases[i].args, 200, "");
		check_str("out", strbuf_slice(&r.out), cases[i].out);
		check_str("err", strbuf_slice(&r.err), cases[i].err);
		check_int("code", r.code, cases[i].code);
		run_done(&r);
	}
}

static void lists(void **state)
{
	(void)state;
	static const struct {
		const char *args[MAX_ARGS];
		const char *body, *asked, *out;
	} cases[] = {
	    {{"labels"}, "{\"status\":\"success\",\"data\":[\"__name__\",\"job\"]}",
		"GET http://test:9090/api/v1/labels ", "__name__\njob\n"},
	    {{"labels", "job", "--match", "up{a=\"b\"}"}, "{\"status\":\"success\",\"data\":[\"x y\"]}",
		"GET http://test:9090/api/v1/label/job/values?match%5B%5D=up%7Ba%3D%22b%22%7D ", "x y\n"},
	    {{"series", "up", "down"},
		"{\"status\":\"success\",\"data\":[{\"__name__\":\"up\",\"job\":\"j\",\"z\":\"1\"},{\"a\":"
		"\"b\"}]}",
		"POST http://test:9090/api/v1/series match%5B%5D=up&match%5B%5D=down",
		"up{job=\"j\", z=\"1\"}\n{a=\"b\"}\n"},
	    {{"targets"},
		"{\"status\":\"success\",\"data\":{\"activeTargets\":[{\"scrapePool\":\"node\",\"labels\":{"
		"\"instance\":\"a:1\"},"
		"\"health\":\"down\",\"lastScrape\":\"2026-01-01T12:00:00Z\",\"lastScrapeDuration\":0.0123,"
		"\"lastError\":\"connection\\nrefused\"}],\"droppedTargets\":[]}}",
		"GET http://test:9090/api/v1/targets?state=active ",
		"JOB   INSTANCE  HEALTH  LAST SCRAPE           TOOK    ERROR\n"
		"node  a:1       down    2026-01-01T12:00:00Z  12.3ms  connection refused\n"},
	    {{"alerts", "-o", "csv"},
		"{\"status\":\"success\",\"data\":{\"alerts\":[{\"labels\":{\"alertname\":\"Down\",\"job\":"
		"\"n\"},\"state\":\"firing\","
		"\"activeAt\":\"2026-01-01T12:00:00Z\",\"value\":\"1e+00\",\"annotations\":{}}]}}",
		"GET http://test:9090/api/v1/alerts ",
		"alert,state,active "
		"since,value,labels\nDown,firing,2026-01-01T12:00:00Z,1e+00,\"{job=\"\"n\"\"}\"\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		run_promq(&r, cases[i].args, 200, cases[i].body);
		check_str("out", strbuf_slice(&r.out), cases[i].out);
		check_str("asked", slice_cstr(r.server.asked), cases[i].asked);
		check_int("code", r.code, EXIT_OK);
		run_done(&r);
	}
}

static void failures(void **state)
{
	(void)state;
	static const struct {
		const char *args[MAX_ARGS];
		int status;
		const char *body, *err;
	} cases[] = {
	    {{"query", "instant", "sum(\n\txx *)"}, 400,
		"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter "
		"\\\"query\\\": 2:5: parse error: "
		"unexpected \\u003cop:*\\u003e\"}",
		"promq: 2:5: parse error: unexpected <op:*>\n  \txx *)\n  \t   ^\n"},
	    {{"query", "instant", "x{a=\"\xc3\xa4\"} +"}, 400,
		"{\"status\":\"error\",\"error\":\"invalid parameter \\\"query\\\": 1:12: parse error: "
		"unexpected end of input\"}",
		"promq: 1:12: parse error: unexpected end of input\n  x{a=\"\xc3\xa4\"} +\n            ^\n"},
	    {{"query", "instant", "x"}, 422, "{\"status\":\"error\",\"error\":\"too many\"}",
		"promq: too many\n"},
	    {{"query", "instant", "x"}, 0, "", "promq: http://test:9090/: connection refused\n"},
	    {{"query", "instant", "x"}, 404, "not found",
		"promq: http://test:9090/: status 404, and the answer is not that of a Prometheus API\n"},
	    {{"query", "instant"}, 200, "{}",
		"promq: query instant: want one expression, got 0 (quote it; see promq query --help)\n"},
	    {{"query", "instant", "--step", "5", "x"}, 200, "{}",
		"promq: query instant: unknown option or missing argument: 5 (see promq query --help)\n"},
	    {{"query", "range", "--step", "0", "x"}, 200, "{}", "promq: --step: must be greater than 0\n"},
	    {{"query", "range", "--end", "2h", "--start", "1h", "x"}, 200, "{}",
		"promq: the end is before the start\n"},
	    {{"query"}, 200, "{}",
		"promq: query: want \"instant\", \"range\" or \"explain\", got \"\" (see promq query "
		"--help)\n"},
	    {{"series"}, 200, "{}", "promq: series: want a selector, such as 'up{job=\"node\"}'\n"},
	    {{"targets", "--state", "up"}, 200, "{}",
		"promq: targets: --state is active, dropped or any, not \"up\"\n"},
	    {{"frobnicate"}, 200, "{}", "promq: unknown command \"frobnicate\" (see promq --help)\n"},
	    {{"-o", "xml", "alerts"}, 200, "{}", "promq: -o is table, json, csv or value, not \"xml\"\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		run_promq(&r, cases[i].args, cases[i].status, cases[i].body);
		check_str("err", strbuf_slice(&r.err), cases[i].err);
		check_str("out", strbuf_slice(&r.out), "");
		check_int("code", r.code, EXIT_FAILURE_FOUND);
		run_done(&r);
	}
}

/* --- checks of files --- */

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

#define RULE   "groups:\n- name: g\n  rules:\n"
#define RECORD "  - record: a\n    expr: b\n"

static void checks(void **state)
{
	(void)state;
	static const struct {
		const char *what, *lint, *file, *text;
		int code;
		const char *out, *err; /* a part of it; NULL: nothing at all */
	} cases[] = {
	    {"rules", NULL, "r.yml", RULE RECORD, EXIT_OK, "  SUCCESS: 1 rules found\n", NULL},
	    {"rules", NULL, "r.yml", RULE "  - record: a\n    expr: sum(b\n", EXIT_FAILURE_FOUND, "Checking ",
		"could not parse expression: 1:6: parse error: unclosed left parenthesis"},
	    {"rules", NULL, "r.yml", RULE "  - record: a\n    exp: b\n", EXIT_FAILURE_FOUND, "Checking ",
		"r.yml:5:5: "},
	    {"rules", NULL, "r.yml", RULE RECORD RECORD, EXIT_OK, "  SUCCESS: 2 rules found\n",
		"1 duplicate rule(s) found: a"},
	    {"rules", "--lint-fatal", "r.yml", RULE RECORD RECORD, EXIT_LINT, "  SUCCESS: 2 rules found\n",
		"1 duplicate"},
	    {"rules", "--lint=none", "r.yml", RULE RECORD RECORD, EXIT_OK, "  SUCCESS: 2 rules found\n",
		NULL},
	    {"config", NULL, "p.yml", "global:\n  scrape_interval: 15s\n", EXIT_OK,
		"p.yml is valid prometheus config file syntax\n", NULL},
	    {"config", NULL, "p.yml", "global:\n  scrape_interval: x\n", EXIT_FAILURE_FOUND, "Checking ",
		"p.yml:2:"},
	    {"config", "--lint-fatal", "p.yml", "scrape_configs:\n- job_name: j\n  scrape_interval: 10m\n",
		EXIT_LINT, "SUCCESS",
		"long scrape interval found. Data point will be marked as stale. Job: j. Interval: 10m"},
	    {"config", NULL, "p.yml", "rule_files: [nowhere.yml]\n", EXIT_FAILURE_FOUND, "Checking ",
		"nowhere.yml\" does not point to an existing file"},
	    {"config", "--syntax-only", "p.yml", "rule_files: [nowhere.yml]\n", EXIT_OK, "SUCCESS",
		"matches no file"},
	    {"config", NULL, "p.yml", "rule_files: [r*.yml]\n", EXIT_OK, "  SUCCESS: 1 rule files found\n",
		"duplicate"},
	};
	char *dir = test_tmpdir();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[4096];
		write_file(dir, cases[i].file, cases[i].text);
		snprintf(path, sizeof(path), "%s/%s", dir, cases[i].file);
		const char *args[MAX_ARGS] = {"check", cases[i].what, path, cases[i].lint};
		struct run r;
		run_promq(&r, args, 200, "");
		check_int(cases[i].text, r.code, cases[i].code);
		if (!strstr(strbuf_cstr(&r.out), cases[i].out))
			fail_msg(
			    "%s: output lacks \"%s\": %s", cases[i].text, cases[i].out, strbuf_cstr(&r.out));
		if (!cases[i].err)
			check_str(cases[i].text, strbuf_slice(&r.err), "");
		else if (!strstr(strbuf_cstr(&r.err), cases[i].err))
			fail_msg(
			    "%s: errors lack \"%s\": %s", cases[i].text, cases[i].err, strbuf_cstr(&r.err));
		run_done(&r);
	}
	test_tmpdir_done(dir);
}

static void help_is_there(void **state)
{
	(void)state;
	static const char *const commands[][MAX_ARGS] = {{"--help"}, {"query", "--help"},
	    {"labels", "--help"}, {"series", "-h"}, {"targets", "--help"}, {"alerts", "--help"},
	    {"check", "--help"}, {"check", "rules", "--help"}};
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct run r;
		run_promq(&r, commands[i], 200, "{}");
		check_int(commands[i][0], r.code, EXIT_OK);
		check_true(commands[i][0], slice_starts(strbuf_slice(&r.out), SL("Usage: promq ")));
		run_done(&r);
	}
}

TEST_MAIN("promq", cmocka_unit_test(queries), cmocka_unit_test(plans), cmocka_unit_test(formats),
    cmocka_unit_test(lists), cmocka_unit_test(failures), cmocka_unit_test(checks),
    cmocka_unit_test(help_is_there))
