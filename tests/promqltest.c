/* promqltest FILE...: runs scripts of the PromQL test language (tests/lib/script_promql.h). A line for
 * each eval that fails, then "passed=N failed=N skipped=N". Ends with 1 when any failed. `-d` leaves the
 * removal of metric names undelayed, as a server without feature flags does it; `-r` lets the reference
 * evaluator answer (tests/lib/reference_promql.h). */
#include "tests/lib/script_promql.h"
#include "tests/lib/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int run_file(const char *path, const struct script_options *options, struct script_result *result)
{
	size_t len;
	char *text = test_read_file(path, &len);
	if (!text) {
		fprintf(stderr, "promqltest: cannot read %s\n", path);
		return -1;
	}
	struct strbuf out = STRBUF_INIT;
	script_promql_run(path, slice_of(text, len), options, &out, result);
	fputs(strbuf_cstr(&out), stdout);
	strbuf_done(&out);
	free(text);
	return 0;
}

int main(int argc, char **argv)
{
	struct script_options options = {.delayed_name_removal = true};
	struct script_result result = {0};
	int unreadable = 0, option;
	while ((option = getopt(argc, argv, "dr")) != -1) {
		if (option == 'd')
			options.delayed_name_removal = false;
		else if (option == 'r')
			options.reference = true;
		else
			return 2;
	}
	for (int i = optind; i < argc; i++)
		unreadable |= run_file(argv[i], &options, &result);
	printf("passed=%u failed=%u skipped=%u\n", result.passed, result.failed, result.skipped);
	return result.failed || unreadable ? 1 : 0;
}
