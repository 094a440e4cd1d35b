#include "base/log.h"
#include "tests/lib/test.h"

static void keep(void *arg, struct slice line)
{
	strbuf_add_slice(arg, line);
}

/* The line behind its time, which changes. */
static struct slice without_time(struct slice line)
{
	static const char shape[] = "time=2026-01-01T00:00:00.000Z";
	check_true("has a time", slice_starts(line, SL("time=2")) && line.len > sizeof(shape));
	return slice_from(line, sizeof(shape));
}

static void logfmt_lines(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	log_setup(LOG_INFO, LOG_LOGFMT);
	log_redirect(keep, &out);
	log_debug("too quiet to be written");
	check_int("below the level", out.len, 0);
	struct err err;
	err_set(&err, ERR_IO, "open \"x\": no such file");
	log_warn("wal segment torn", KV_STR("component", "tsdb"), KV_U64("segment", 7), KV_I64("delta", -3),
	    KV_F64("ratio", 0.25), KV_BOOL("repaired", true), KV_ERR(&err), KV_STR("none", NULL));
	check_str("line", without_time(strbuf_slice(&out)),
	    "level=WARN msg=\"wal segment torn\" component=tsdb segment=7 delta=-3 ratio=0.25 repaired=true "
	    "err=\"open \\\"x\\\": no such file\" none=\"\"\n");
	log_redirect(NULL, NULL);
	strbuf_done(&out);
}

static void json_lines(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	log_setup(LOG_DEBUG, LOG_JSON);
	log_redirect(keep, &out);
	log_debug("said", KV_SLICE("text", SL("a\"b\n\x01\xff")), KV_F64("nan", __builtin_nan("")));
	struct slice line = strbuf_slice(&out);
	size_t at = slice_find(line, 'Z');
	check_str("line", slice_from(line, at),
	    "Z\",\"level\":\"DEBUG\",\"msg\":\"said\",\"text\":\"a\\\"b\\n\\u0001\xef\xbf\xbd\",\"nan\":"
	    "\"NaN\"}\n");
	log_redirect(NULL, NULL);
	log_setup(LOG_INFO, LOG_LOGFMT);
	strbuf_done(&out);
}

static void limit_lets_some_pass(void **state)
{
	(void)state;
	struct log_limit limit = {0};
	int passed = 0;
	for (int i = 0; i < 100; i++)
		passed += log_limit_ok(&limit, 5);
	check_int("in one minute", passed, 5);
}

TEST_MAIN("log", cmocka_unit_test(logfmt_lines), cmocka_unit_test(json_lines),
    cmocka_unit_test(limit_lets_some_pass))
