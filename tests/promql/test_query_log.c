/* Lines of the query log. */
#include "tests/lib/test.h"

#include "promql/query_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STATS                                                                                                \
	"\"stats\":{\"timings\":{\"evalTotalTime\":0.0035,\"resultSortTime\":0.0005,"                        \
	"\"queryPreparationTime\":"                                                                          \
	"0.001,\"innerEvalTime\":0.002,\"execQueueTime\":0.5,\"execTotalTime\":0.6},\"samples\":{"           \
	"\"totalQueryableSamples\":12,\"samplesRead\":7,\"peakSamples\":3}},\"spanID\":"                     \
	"\"0000000000000000\","                                                                              \
	"\"traceID\":\"00000000000000000000000000000000\""

static const struct query_stats stats = {.samples_seen = 12,
    .samples_fresh = 7,
    .peak_samples = 3,
    .queue_ns = 500000000,
    .prepare_ns = 1000000,
    .eval_ns = 2000000,
    .sort_ns = 500000,
    .total_ns = 600000000};

static const struct query_record asked = {.text = SL_INIT("up < 1"),
    .start_ms = 1700000000000,
    .end_ms = 1700000060500,
    .step_ms = 15000,
    .ended_ms = 1700000100123,
    .stats = stats,
    .origin = {
	.client_ip = SL_INIT("10.0.0.1"), .method = SL_INIT("GET"), .path = SL_INIT("/api/v1/query_range")}};

static const struct query_record by_rule = {.text = SL_INIT("up"),
    .start_ms = 1700000000000,
    .end_ms = 1700000000000,
    .ended_ms = 1700000000001,
    .stats = stats,
    .error = "query timed out in expression evaluation",
    .origin = {.rule_file = SL_INIT("r.yml"), .rule_group = SL_INIT("g")}};

static void lines(void **state)
{
	char *dir = test_tmpdir(), path[512];
	struct query_log *log;
	struct err err;
	(void)state;

	snprintf(path, sizeof(path), "%s/query.log", dir);
	for (int i = 0; i < 2; i++) {
		check_ok("open", query_log_open(fs_real(), path, &log, &err), &err);
		check_true("added", query_log_add(log, i ? &by_rule : &asked));
		query_log_close(log);
	}
	char *file = test_read_file(path, NULL);
	check_str("file", slice_cstr(file),
	    "{\"time\":\"2023-11-14T22:15:00.123Z\",\"level\":\"INFO\",\"msg\":\"promql query "
	    "logged\",\"params\":{"
	    "\"end\":\"2023-11-14T22:14:20.500Z\",\"query\":\"up \\u003c "
	    "1\",\"start\":\"2023-11-14T22:13:20.000Z\","
	    "\"step\":15}," STATS ",\"httpRequest\":{\"clientIP\":\"10.0.0.1\",\"method\":\"GET\",\"path\":"
				  "\"/api/v1/query_range\"}}\n"
	    "{\"time\":\"2023-11-14T22:13:20.001Z\",\"level\":\"INFO\",\"msg\":\"promql query "
	    "logged\",\"params\":{"
	    "\"end\":\"2023-11-14T22:13:20.000Z\",\"query\":\"up\",\"start\":\"2023-11-14T22:13:20.000Z\","
	    "\"step\":0},"
	    "\"error\":\"query timed out in expression evaluation\"," STATS
	    ",\"ruleGroup\":{\"file\":\"r.yml\",\"name\":\"g\"}}\n");
	free(file);
	test_tmpdir_done(dir);
}

/* A tool that keeps logs short may cut the file while it is open. */
static void cut_by_others(void **state)
{
	char *dir = test_tmpdir(), path[512];
	struct query_log *log;
	struct err err;
	size_t len;
	(void)state;

	snprintf(path, sizeof(path), "%s/query.log", dir);
	check_ok("open", query_log_open(fs_real(), path, &log, &err), &err);
	check_true("added", query_log_add(log, &asked));
	check_int("cut", truncate(path, 0), 0);
	check_true("added", query_log_add(log, &asked));
	char *file = test_read_file(path, &len);
	check_int("begins anew", file[0], '{');
	check_int("one line", file[len - 1], '\n');
	free(file);
	query_log_close(log);
	test_tmpdir_done(dir);
}

static void not_writable(void **state)
{
	struct query_log *log;
	struct err err;
	(void)state;

	check_true("refused", query_log_open(fs_real(), "/nonexistent/q.log", &log, &err) < 0);
	check_true("names it", strstr(err.msg, "query log file: ") && strstr(err.msg, "/nonexistent/q.log"));
}

TEST_MAIN(
    "query_log", cmocka_unit_test(lines), cmocka_unit_test(cut_by_others), cmocka_unit_test(not_writable))
