/* YAML: any bytes give a tree whose nodes can all be walked, or an error with a place. */
#include "base/yaml.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct yaml_node *n, int depth)
{
	size_t count = 1;
	if (depth > 256 || n->line == 0 || n->column == 0)
		abort();
	for (size_t i = 0; i < n->n; i++) {
		count += walk(n->items[i], depth + 1);
		if (n->kind == YAML_MAP && (n->keys[i]->kind == YAML_LIST || n->keys[i]->kind == YAML_MAP))
			abort(); /* keys are scalars */
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(64 << 20);
	struct yaml_node *root;
	struct err err = {0};
	int rc = yaml_parse(slice_of((const char *)data, size), a, &root, &err);
	if (rc == 0 && walk(root, 0) > 2000001)
		abort();
	if (rc && (err.code != rc || err.msg[0] == '\0'))
		abort();
	arena_free(a);
	return 0;
}
