/* prometheus.yml and rule files: both readers see the same bytes; what loads is printed and must load again. */
#include "config/config_file.h"
#include "config/config_print.h"
#include "config/config_rules.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load_and_print(struct arena *arena, struct slice text)
{
	struct config_error_vec errors = {0};
	struct strbuf sb;
	strbuf_init(&sb, 1 << 20);
	struct config *c = config_load_text(arena, SL("fuzz.yml"), text, false, &errors);
	assert(c || config_has_errors(&errors));
	if (c)
		config_print(&sb, c);
	config_errors_print(&sb, &errors);
	strbuf_done(&sb);
	config_error_vec_done(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	/* What the text names on this machine is not for the fuzzer to read. */
	if (size > 65536 || memmem(data, size, "_files", 6))
		return 0;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	load_and_print(arena, text);
	struct config_error_vec errors = {0};
	struct config_rule_file file;
	if (!config_rules_parse(arena, SL("fuzz.yml"), text, false, &errors, &file))
		assert(config_has_errors(&errors));
	config_error_vec_done(&errors);
	arena_free(arena);
	return 0;
}
