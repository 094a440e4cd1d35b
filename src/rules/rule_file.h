/* Rule files with their expressions parsed: what config/config_rules.h read, made ready to run. Used by the rule manager
 * and by `promq check rules`. Lives in an arena, immutable. */
#pragma once

#include "config/config_file.h"
#include "config/config_rules.h"
#include "promql/ast.h"

struct rule_def {
	bool is_alert;
	struct slice name;
	const struct expr *expr;
	struct slice query;          /* the expression as it prints */
	const struct labels *labels; /* the group's, overridden by the rule's; templates unexpanded */
	const struct labels *annotations;
	int64_t for_ms, keep_firing_for_ms;
};

struct rule_group_def {
	struct slice name, file;
	int64_t interval_ms, query_offset_ms; /* global's where the group has none */
	int64_t limit;                        /* 0: none */
	struct rule_def *rules;
	size_t n_rules;
	struct slice signature; /* equal when nothing that matters changed */
};

/* Parses every expression and every template; all errors go to `errors`, at their place in the file. False when there
 * was one; *groups (of file->n_groups) is written all the same, rules that failed have no expr. */
bool rule_file_parse(struct arena *arena, const struct config_rule_file *file,
    const struct config_global *global, struct config_error_vec *errors, struct rule_group_def **groups);

/* Where byte `offset` of an expression stands in its file: YAML folds and indents, so blanks do not count. `line` and
 * `column` come in as the place of the value and go out as the place of the byte. */
void rule_file_locate(
    struct slice file_text, struct slice expr, size_t offset, uint32_t *line, uint32_t *column);
