/* A YAML document as a tree of nodes that know where they stand. Reading only; over libyaml. Merge keys and anchors are
 * resolved; the tree lives in the arena. Duplicate keys are an error with the place of the second. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include <stdint.h>

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	uint32_t line, column;    /* 1-based place of the value */
	struct slice text;        /* YAML_SCALAR: after unquoting and folding */
	bool is_quoted;           /* YAML_SCALAR in quotes or as a block: never null, bool or number */
	size_t n;                 /* entries of a list or map */
	struct yaml_node **items; /* list: the entries; map: the values */
	struct yaml_node **keys;  /* map: scalar keys, in the order of the file */
};

/* The first document of `text` (further ones are ignored, as upstream does); an empty text gives a YAML_NULL node.
 * ERR_INVALID carries line and column. Depth is bounded (128), aliases cannot multiply the tree past 1M nodes; an arena
 * whose budget is spent gives ERR_LIMIT. Nodes behind aliases are shared: do not change them. */
MUST_CHECK int yaml_parse(struct slice text, struct arena *arena, struct yaml_node **root, struct err *err);

/* The value of `key` in a map, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
