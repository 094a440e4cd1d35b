/* The runner of test scripts, held against scripts that have to pass and scripts that have to fail. */
#include "tests/lib/cases.h"
#include "tests/lib/script_promql.h"
#include "tests/lib/test.h"
#include <stdlib.h>

static void judges_scripts(void **state)
{
	(void)state;
	struct test_cases *c = test_cases_open("promqltest_runner.json");
	if (!c)
		return;
	unsigned wrong = 0;
	for (size_t i = 0; i < test_cases_count(c); i++) {
		const struct json_value *v = test_case(c, i);
		bool must_fail = test_case_text(c, v, "error").len > 0;
		struct slice name = test_case_text(c, v, "name");
		struct script_result result = {0};
		struct strbuf out = STRBUF_INIT;
		struct script_options options = {.delayed_name_removal = true};
		script_promql_run("script", test_case_text(c, v, "script"), &options, &out, &result);
		if ((result.failed > 0) != must_fail) {
			print_message("# %" SL_FMT ": %s\n%s", SL_ARG(name), must_fail ? "passed" : "failed",
			    strbuf_cstr(&out));
			wrong++;
		}
		strbuf_done(&out);
	}
	check_int("scripts judged wrongly", wrong, 0);
	test_cases_close(c);
}

TEST_MAIN("script", cmocka_unit_test(judges_scripts))
