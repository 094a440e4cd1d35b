/* alertmanager.yml: whatever loads has a routing tree, and a text with hidden secrets. */
#include "alertmanager/route.h"
#include "config/config_alertmanager.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct config_error_vec errors = {0};
	struct am_config *config = NULL;
	struct slice text = slice_of((const char *)data, size);
	if (am_config_parse(text, "fuzz.yml", arena, &errors, &config)) {
		struct route_tree *tree = route_tree_new(arena, config);
		assert(tree->n > 0 && tree->root->receiver);
	} else {
		assert(errors.len > 0);
	}
	config_error_vec_done(&errors);
	arena_free(arena);
	return 0;
}
