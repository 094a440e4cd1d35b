#include "config/config_rules.h"

#include "base/utf8.h"
#include "model/labels.h"

/* A rule as its keys say, before it is known which kind it is. */
struct rule_block {
	struct slice record, alert, expr;
	int64_t for_ms, keep_firing_for_ms;
	bool has_record, has_alert, has_expr, has_for, has_keep, has_annotations;
	struct config_pairs labels, annotations;
};

#define R(member) offsetof(struct rule_block, member)
#define G(member) offsetof(struct config_rule_group, member)

/* clang-format off */
static const struct config_field rule_fields[] = {
	{"record", CONFIG_STRING, R(record), .set_offset = R(has_record)},
	{"alert", CONFIG_STRING, R(alert), .set_offset = R(has_alert)},
	{"expr", CONFIG_STRING, R(expr), .set_offset = R(has_expr)},
	{"for", CONFIG_DURATION, R(for_ms), .set_offset = R(has_for)},
	{"keep_firing_for", CONFIG_DURATION, R(keep_firing_for_ms), .set_offset = R(has_keep)},
	{"labels", CONFIG_LABELS, R(labels)},
	{"annotations", CONFIG_LABELS, R(annotations), .set_offset = R(has_annotations)},
};
/* clang-format on */

/* Where a rule stands, for "group "x", rule 1, "y": " before each message. */
struct rule_place {
	struct config_ctx *ctx;
	struct slice group, rule;
	size_t number;
	bool is_legacy;
};

static void rule_error(
    const struct rule_place *p, const struct yaml_node *at, const char *what, struct slice detail)
{
	const char *separator = detail.len ? ": " : "";
	config_error(p->ctx, at, "group \"%" SL_FMT "\", rule %zu, \"%" SL_FMT "\": %s%s%" SL_FMT,
	    SL_ARG(p->group), p->number, SL_ARG(p->rule), what, separator, SL_ARG(detail));
}

static const struct yaml_node *value_of(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *v = node->kind == YAML_MAP ? yaml_get(node, key) : NULL;
	return v ? v : node;
}

static bool is_label_name(const struct rule_place *p, struct slice name)
{
	return (p->is_legacy ? label_name_valid_legacy(name) : label_name_valid(name));
}

static void check_labels(const struct rule_place *p, const struct config_pairs *labels)
{
	for (size_t i = 0; i < labels->n; i++) {
		const struct config_pair *l = &labels->v[i];
		struct yaml_node at = {.line = l->line, .column = l->column};
		if (!is_label_name(p, l->name) || slice_eq_cstr(l->name, LABEL_NAME))
			rule_error(p, &at, "invalid label name", l->name);
		if (!utf8_valid(l->value))
			rule_error(p, &at, "invalid label value", l->value);
	}
}

static void check_annotations(const struct rule_place *p, const struct config_pairs *annotations)
{
	for (size_t i = 0; i < annotations->n; i++) {
		const struct config_pair *a = &annotations->v[i];
		struct yaml_node at = {.line = a->line, .column = a->column};
		if (!is_label_name(p, a->name))
			rule_error(p, &at, "invalid annotation name", a->name);
	}
}

static void check_record(const struct rule_place *p, const struct yaml_node *node, const struct rule_block *b)
{
	if (b->has_annotations)
		rule_error(p, value_of(node, "annotations"), "invalid field 'annotations' in recording rule",
		    SL_EMPTY);
	if (b->has_for)
		rule_error(p, value_of(node, "for"), "invalid field 'for' in recording rule", SL_EMPTY);
	if (b->has_keep)
		rule_error(p, value_of(node, "keep_firing_for"),
		    "invalid field 'keep_firing_for' in recording rule", SL_EMPTY);
	const struct yaml_node *at = value_of(node, "record");
	bool has_brace =
	    slice_find(b->record, '{') < b->record.len || slice_find(b->record, '}') < b->record.len;
	if (has_brace)
		rule_error(
		    p, at, "braces present in the recording rule name; should it be in expr?", b->record);
	else if (!(p->is_legacy ? metric_name_valid_legacy(b->record) : label_name_valid(b->record)))
		rule_error(p, at, "invalid recording rule name", b->record);
}

static void check_rule(const struct rule_place *p, const struct yaml_node *node, const struct rule_block *b)
{
	bool is_record = b->record.len > 0, is_alert = b->alert.len > 0;
	if (is_record && is_alert)
		rule_error(p, node, "only one of 'record' and 'alert' must be set", SL_EMPTY);
	else if (!is_record && !is_alert)
		rule_error(p, node, "one of 'record' or 'alert' must be set", SL_EMPTY);
	if (b->expr.len == 0)
		rule_error(p, value_of(node, "expr"), "field 'expr' must be set in rule", SL_EMPTY);
	if (is_record && !is_alert)
		check_record(p, node, b);
	check_labels(p, &b->labels);
	check_annotations(p, &b->annotations);
}

static void decode_rule(struct rule_place *p, const struct yaml_node *node, struct config_rule *out)
{
	struct rule_block b = {0};
	if (!config_decode(p->ctx, node, "rulefmt.Rule", rule_fields, ARRAY_LEN(rule_fields), &b))
		return;
	p->rule = b.record.len ? b.record : b.alert;
	check_rule(p, node, &b);
	const struct yaml_node *expr = value_of(node, "expr");
	*out = (struct config_rule){.is_alert = b.alert.len > 0,
	    .name = p->rule,
	    .expr = b.expr,
	    .expr_line = expr->line,
	    .expr_column = expr->column,
	    .for_ms = b.for_ms,
	    .keep_firing_for_ms = b.keep_firing_for_ms,
	    .labels = b.labels,
	    .annotations = b.annotations,
	    .line = node->line,
	    .column = node->column};
}

/* Groups. */

/* `rules` stays a node until the group's name is known. */
struct group_block {
	struct config_rule_group group;
	const struct yaml_node *rules;
};

static void keep_node(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)ctx;
	*(const struct yaml_node **)field = node;
}

/* clang-format off */
static const struct config_field group_fields[] = {
	{"name", CONFIG_STRING, G(name)},
	{"interval", CONFIG_DURATION, G(interval_ms), .set_offset = G(has_interval)},
	{"query_offset", CONFIG_DURATION, G(query_offset_ms), .set_offset = G(has_query_offset)},
	{"limit", CONFIG_INT, G(limit)},
	{"labels", CONFIG_LABELS, G(labels)},
	{"rules", CONFIG_CUSTOM, offsetof(struct group_block, rules), .decode = keep_node},
};
/* clang-format on */

struct file_state {
	struct config_rule_file *file;
	bool is_legacy;
};

static void decode_rules(
    struct config_ctx *ctx, const struct yaml_node *rules, bool is_legacy, struct config_rule_group *g)
{
	if (rules->kind != YAML_LIST) {
		config_error(ctx, rules,
		    "yaml: unmarshal errors: a list of rules is wanted here (begin each with \"- \")");
		return;
	}
	g->rules = ARENA_ARRAY(ctx->arena, struct config_rule, rules->n);
	for (size_t i = 0; i < rules->n; i++) {
		struct rule_place p = {.ctx = ctx, .group = g->name, .number = i + 1, .is_legacy = is_legacy};
		decode_rule(&p, rules->items[i], &g->rules[g->n_rules++]);
	}
}

static void check_group(struct config_ctx *ctx, const struct yaml_node *node, const struct file_state *state,
    const struct config_rule_group *g)
{
	const struct yaml_node *at = value_of(node, "name");
	if (g->name.len == 0)
		config_error(ctx, at, "Groupname must not be empty");
	for (size_t i = 0; i + 1 < state->file->n_groups; i++)
		if (g->name.len && slice_eq(g->name, state->file->groups[i].name))
			config_error(ctx, at, "groupname: \"%" SL_FMT "\" is repeated in the same file",
			    SL_ARG(g->name));
	if (g->limit < 0)
		config_error(ctx, value_of(node, "limit"),
		    "group \"%" SL_FMT "\": limit must not be negative", SL_ARG(g->name));
	for (size_t i = 0; i < g->labels.n; i++) {
		const struct config_pair *l = &g->labels.v[i];
		struct yaml_node place = {.line = l->line, .column = l->column};
		bool is_valid =
		    state->is_legacy ? label_name_valid_legacy(l->name) : label_name_valid(l->name);
		if (!is_valid || slice_eq_cstr(l->name, LABEL_NAME))
			config_error(ctx, &place, "group \"%" SL_FMT "\": invalid label name: %" SL_FMT,
			    SL_ARG(g->name), SL_ARG(l->name));
	}
}

static void decode_group(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct file_state *state = arg;
	struct group_block b = {.group = {.line = item->line, .column = item->column}};
	bool is_good =
	    config_decode(ctx, item, "rulefmt.RuleGroup", group_fields, ARRAY_LEN(group_fields), &b);
	if (b.rules)
		decode_rules(ctx, b.rules, state->is_legacy, &b.group);
	state->file->groups[state->file->n_groups++] = b.group;
	if (is_good)
		check_group(ctx, item, state, &b.group);
}

static void decode_groups(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct file_state *state = field;
	if (node->kind == YAML_LIST)
		state->file->groups = ARENA_ARRAY(ctx->arena, struct config_rule_group, node->n);
	config_decode_list(ctx, node, "rule groups", decode_group, state);
}

/* Files. */

static bool decode_file(struct config_ctx *ctx, const struct yaml_node *root, struct slice text,
    bool is_legacy, struct config_rule_file *out)
{
	static const struct config_field fields[] = {{"groups", CONFIG_CUSTOM, 0, .decode = decode_groups}};
	struct config_rule_file file = {.path = ctx->file, .text = text};
	struct file_state state = {.file = &file, .is_legacy = is_legacy};
	size_t before = ctx->errors->len;
	config_decode(ctx, root, "rulefmt.RuleGroups", fields, ARRAY_LEN(fields), &state);
	*out = file;
	for (size_t i = before; i < ctx->errors->len; i++)
		if (!ctx->errors->v[i].is_warning)
			return false;
	return true;
}

bool config_rules_read(struct arena *arena, const char *path, bool is_legacy, struct config_error_vec *errors,
    struct config_rule_file *out)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice content;
	return config_read_yaml(arena, path, errors, &ctx, &root, &content) &&
	       decode_file(&ctx, root, content, is_legacy, out);
}

bool config_rules_parse(struct arena *arena, struct slice name, struct slice text, bool is_legacy,
    struct config_error_vec *errors, struct config_rule_file *out)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice content = arena_slice(arena, text);
	return config_parse_yaml(arena, name, content, errors, &ctx, &root) &&
	       decode_file(&ctx, root, content, is_legacy, out);
}
