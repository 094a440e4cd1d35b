/* Rule files as they stand: groups and rules with their places; shape and names are checked, expressions and
 * templates stay text (src/rules/rule_file.h parses them). Lives in an arena, immutable. */
#pragma once

#include "config/decode.h"

struct config_rule {
	bool is_alert;
	struct slice name; /* of the record or the alert */
	struct slice expr;
	uint32_t expr_line, expr_column; /* of the first character of the value */
	int64_t for_ms, keep_firing_for_ms;
	struct config_pairs labels, annotations;
	uint32_t line, column;
};

struct config_rule_group {
	struct slice name;
	bool has_interval, has_query_offset;
	int64_t interval_ms, query_offset_ms; /* 0 when not given: global's */
	int64_t limit;                        /* 0: none */
	struct config_pairs labels;
	struct config_rule *rules;
	size_t n_rules;
	uint32_t line, column;
};

struct config_rule_file {
	struct slice path, text;
	struct config_rule_group *groups;
	size_t n_groups;
};

/* False when something is wrong; all errors are in `errors`. Label and annotation names are any UTF-8, or
 * legacy ones only when `is_legacy`. */
bool config_rules_read(struct arena *arena, const char *path, bool is_legacy, struct config_error_vec *errors,
    struct config_rule_file *out);
bool config_rules_parse(struct arena *arena, struct slice name, struct slice text, bool is_legacy,
    struct config_error_vec *errors, struct config_rule_file *out);
