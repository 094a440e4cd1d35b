/* Rule files with their expressions and templates, and the places of errors in them. */
#include "rules/rule_file.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 65536)
		return 0;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct config_error_vec errors = {0};
	struct config_rule_file file;
	struct config_global global = {.evaluation_interval_ms = 60000};
	struct rule_group_def *groups;
	struct strbuf sb = STRBUF_INIT;
	if (config_rules_parse(
		arena, SL("fuzz.yml"), slice_of((const char *)data, size), size % 2, &errors, &file) &&
	    rule_file_parse(arena, &file, &global, &errors, &groups))
		assert(!config_has_errors(&errors));
	else
		assert(config_has_errors(&errors));
	config_errors_print(&sb, &errors);
	strbuf_done(&sb);
	config_error_vec_done(&errors);
	arena_free(arena);
	return 0;
}
