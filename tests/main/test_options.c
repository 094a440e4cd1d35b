#include "main/options.h"
#include "tests/lib/test.h"

enum { MAX_ARGS = 8 };

static int parse(struct options *o, const char *const *args, struct err *err)
{
	char *argv[MAX_ARGS + 1] = {(char[]){"promqd"}};
	int argc = 1;
	for (; args[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)args[argc - 1];
	return options_parse(o, argc, argv, err);
}

static void values(void **state)
{
	(void)state;
	static const struct {
		const char *args[MAX_ARGS];
		enum option_id id;
		const char *want;
	} cases[] = {
	    {{NULL}, OPT_TSDB_PATH, "data/"},
	    {{"--storage.tsdb.path=x", NULL}, OPT_TSDB_PATH, "x"},
	    {{"--storage.tsdb.path", "y", NULL}, OPT_TSDB_PATH, "y"},
	    {{"--storage.tsdb.path=x", "--storage.tsdb.path=", NULL}, OPT_TSDB_PATH, ""},
	    {{"--web.enable-lifecycle", NULL}, OPT_WEB_ENABLE_LIFECYCLE, "true"},
	    {{"--no-web.enable-lifecycle", NULL}, OPT_WEB_ENABLE_LIFECYCLE, "false"},
	    {{"--web.enable-lifecycle=false", NULL}, OPT_WEB_ENABLE_LIFECYCLE, "false"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct options o;
		struct err err;
		check_ok(cases[i].want, parse(&o, cases[i].args, &err), &err);
		check_str(option_name(cases[i].id), slice_cstr(options_text(&o, cases[i].id)), cases[i].want);
		options_done(&o);
	}
}

static void types(void **state)
{
	(void)state;
	static const char *const args[] = {"--query.timeout=1m30s", "--storage.tsdb.retention.size=1.5KB",
	    "--query.max-samples=7", "--enable-feature=a,b", "--enable-feature", "c", NULL};
	struct options o;
	struct err err;
	check_ok("parse", parse(&o, args, &err), &err);
	check_int("duration", options_ms(&o, OPT_QUERY_TIMEOUT), 90000);
	check_int("size", options_uint(&o, OPT_TSDB_RETENTION_SIZE), 1536);
	check_int("number", options_uint(&o, OPT_QUERY_MAX_SAMPLES), 7);
	check_true("features", options_feature(&o, "a") && options_feature(&o, "b") && options_feature(&o, "c"));
	check_true("no feature", !options_feature(&o, "d"));
	check_true("ignored", !options_is_ignored(&o, OPT_QUERY_TIMEOUT) && !options_is_ignored(&o, OPT_AUTO_GOMAXPROCS));
	options_done(&o);
}

static void everything_wrong_is_said_at_once(void **state)
{
	(void)state;
	static const char *const args[] = {"--query.timeout=5", "--query.max-sample=3", "extra", "--log.level", NULL};
	struct options o;
	struct err err;
	check_int("refused", parse(&o, args, &err), ERR_INVALID);
	check_str("all of it", slice_cstr(err.msg),
	    "flag --query.timeout: not a valid duration string: \"5\"\n"
	    "unknown long flag '--query.max-sample' (did you mean --query.max-samples?)\n"
	    "unexpected extra\n"
	    "expected argument for flag '--log.level'");
	options_done(&o);
}

TEST_MAIN("options", cmocka_unit_test(values), cmocka_unit_test(types),
    cmocka_unit_test(everything_wrong_is_said_at_once))
