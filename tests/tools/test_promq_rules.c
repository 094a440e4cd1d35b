/* promq tsdb create-blocks-from rules: against a server that is not there, into a store that is. */
#include "tests/lib/test.h"

#include "tools/cli.h"
#include <stdio.h>
#include <stdlib.h>

/* 2026-01-01T12:00:00Z */
#define NOW_MS INT64_C(1767268800000)
enum { MAX_ARGS = 20 };

struct fixture {
	char *dir;
	const char *body; /* what the server answers */
	int status;
	struct strbuf asked, out, err;
	int code;
};

static void answer(void *arg, const struct http_call *call, struct http_result *r)
{
	struct fixture *f = (struct fixture *)arg;
	strbuf_addf(&f->asked, "%s %s %" SL_FMT "\n", call->method, call->url, SL_ARG(call->body));
	*r = (struct http_result){.status = f->status, .body = slice_cstr(f->body), .content_type = SL_EMPTY};
}

/* "DIR" and what begins with it stand for the folder of the test. */
static char *with_dir(const struct fixture *f, const char *arg)
{
	struct strbuf text = STRBUF_INIT;
	strbuf_adds(&text, strncmp(arg, "DIR", 3) == 0 ? f->dir : arg);
	strbuf_adds(&text, strncmp(arg, "DIR", 3) == 0 ? arg + 3 : "");
	return strbuf_take(&text);
}

static void run_promq(struct fixture *f, const char *const *args)
{
	char *argv[MAX_ARGS + 2] = {NULL}, *owned[MAX_ARGS + 2];
	int argc = 0;
	argv[argc++] = strdup("promq");
	for (; args[argc - 1]; argc++)
		argv[argc] = with_dir(f, args[argc - 1]);
	memcpy(owned, argv, sizeof(owned));
	strbuf_reset(&f->asked);
	strbuf_reset(&f->out);
	strbuf_reset(&f->err);
	struct cli cli = {
	    .server = "http://test:9090",
	    .http = http_client_new_fake(answer, f),
	    .clock = clock_virtual_new(NOW_MS),
	    .arena = arena_new(ARENA_NO_LIMIT),
	    .out = &f->out,
	    .err = &f->err,
	};
	f->code = cli_run(&cli, argc, argv);
	arena_free(cli.arena);
	clock_virtual_free(cli.clock);
	http_client_free(cli.http);
	for (int i = 0; i < argc; i++)
		free(owned[i]);
}
#define RUN(f, ...) run_promq((f), (const char *const[]){__VA_ARGS__, NULL})

static struct fixture fixture_new(void)
{
	return (struct fixture){.dir = test_tmpdir(),
	    .status = 200,
	    .body = "",
	    .asked = STRBUF_INIT,
	    .out = STRBUF_INIT,
	    .err = STRBUF_INIT};
}

static void fixture_done(struct fixture *f)
{
	test_tmpdir_done(f->dir);
	strbuf_done(&f->asked);
	strbuf_done(&f->out);
	strbuf_done(&f->err);
}

static void store(struct fixture *f, const char *name, const char *text)
{
	struct strbuf path = STRBUF_INIT;
	strbuf_addf(&path, "%s/%s", f->dir, name);
	FILE *file = fopen(strbuf_cstr(&path), "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	strbuf_done(&path);
}

static const char rules[] = "groups:\n"
			    "  - name: a\n"
			    "    interval: 30s\n"
			    "    labels: {team: web}\n"
			    "    rules:\n"
			    "      - record: job:up:sum\n"
			    "        expr: sum by(job, env) (up)\n"
			    "        labels: {env: prod}\n"
			    "      - alert: Down\n"
			    "        expr: up == 0\n";

#define MATRIX(result) "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":" result "}}"

static void writes_history(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	store(&f, "rules.yml", rules);
	f.body =
	    MATRIX("[{\"metric\":{\"__name__\":\"x\",\"job\":\"n\",\"env\":\"dev\"},"
		   "\"values\":[[1767225600,\"1\"],[1767225630.5,\"NaN\"]]},"
		   "{\"metric\":{},\"values\":[[1767225600,\"2.5\"]],\"histograms\":[[1767225660,{}]]}]");
	RUN(&f, "tsdb", "create-blocks-from", "rules", "--start", "1767225590", "--end", "1767225700.2",
	    "--output-dir", "DIR/data", "DIR/rules.yml");
	check_str("asked", strbuf_slice(&f.asked),
	    "POST http://test:9090/api/v1/query_range "
	    "query=sum+by+%28job%2C+env%29+%28up%29&start=1767225600.000&"
	    "end=1767225700.200&step=30.000\n");
	check_str("parts", strbuf_slice(&f.out),
	    "part-0000000000000001  2026-01-01T00:00:00Z  2026-01-01T00:00:30.5Z  2 series, 3 samples\n");
	check_str("notes", strbuf_slice(&f.err),
	    "promq: note: results that are native histograms cannot be written this way, and are left out: "
	    "1\n");
	check_int("code", f.code, EXIT_OK);
	RUN(&f, "tsdb", "dump", "DIR/data");
	check_str("dump", strbuf_slice(&f.out),
	    "{__name__=\"job:up:sum\", env=\"prod\", job=\"n\", team=\"web\"} 1 1767225600000\n"
	    "{__name__=\"job:up:sum\", env=\"prod\", job=\"n\", team=\"web\"} NaN 1767225630500\n"
	    "{__name__=\"job:up:sum\", env=\"prod\", team=\"web\"} 2.5 1767225600000\n");
	fixture_done(&f);
}

/* No question has more steps than a server answers. */
static void asks_in_pieces(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	store(&f, "rules.yml", "groups:\n  - name: a\n    rules: [{record: r, expr: '1'}]\n");
	f.body = MATRIX("[]");
	RUN(&f, "tsdb", "create-blocks-from", "rules", "--start", "1767000000", "--eval-interval", "20s",
	    "--url", "http://other:1/", "--output-dir", "DIR/data", "DIR/rules.yml");
	check_str("asked", strbuf_slice(&f.asked),
	    "POST http://other:1/api/v1/query_range "
	    "query=1&start=1767000000.000&end=1767199980.000&step=20.000\n"
	    "POST http://other:1/api/v1/query_range "
	    "query=1&start=1767200000.000&end=1767258000.000&step=20.000\n");
	check_str("no parts", strbuf_slice(&f.out), "");
	check_int("code", f.code, EXIT_OK);
	fixture_done(&f);
}

static void refusals(void **state)
{
	(void)state;
	static const struct {
		const char *args[MAX_ARGS];
		int status;
		const char *body, *err;
	} cases[] = {
	    {{"tsdb", "create-blocks-from", "rules", "--start", "1h", "DIR/rules.yml"}, 200, "",
		"promq: tsdb create-blocks-from rules: the end is before the start (it is 3 hours ago when "
		"--end is not "
		"given)\n"},
	    {{"tsdb", "create-blocks-from", "rules", "DIR/rules.yml"}, 200, "",
		"promq: tsdb create-blocks-from rules: --start is needed\n"},
	    {{"tsdb", "create-blocks-from", "rules", "--start", "1d"}, 200, "",
		"promq: tsdb create-blocks-from rules: want a rule file\n"},
	    {{"tsdb", "create-blocks-from", "rules", "--start", "4h", "--output-dir", "DIR/data",
		 "DIR/rules.yml"},
		422, "{\"status\":\"error\",\"error\":\"too many\"}",
		"promq: too many\npromq: rule job:up:sum could not be evaluated\n"},
	    {{"tsdb", "create-blocks-from", "rules", "--start", "4h", "--output-dir", "DIR/data",
		 "DIR/rules.yml"},
		200, MATRIX("[{\"metric\":{},\"values\":[[1767225600]]}]"),
		"promq: rule job:up:sum: http://test:9090: not the values of a range query\n"},
	    {{"tsdb", "create-blocks-from", "guess"}, 200, "",
		"promq: tsdb create-blocks-from: want \"openmetrics\" or \"rules\" (see promq tsdb "
		"create-blocks-from "
		"--help)\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fixture f = fixture_new();
		store(&f, "rules.yml", rules);
		f.status = cases[i].status;
		f.body = cases[i].body;
		run_promq(&f, cases[i].args);
		check_str("err", strbuf_slice(&f.err), cases[i].err);
		check_int("code", f.code, EXIT_FAILURE_FOUND);
		RUN(&f, "tsdb", "dump", "DIR/data");
		check_str("nothing came in", strbuf_slice(&f.out), "");
		fixture_done(&f);
	}
}

TEST_MAIN("promq rules", cmocka_unit_test(writes_history), cmocka_unit_test(asks_in_pieces),
    cmocka_unit_test(refusals))
