#include "config/config_relabel.h"

#include "config/printer.h"

struct relabel_block {
	struct relabel_rule rule;
	struct slice action;
	struct config_strings source_labels;
	bool has_separator, has_regex, has_modulus, has_target, has_replacement, has_source;
};

#define AT(member) offsetof(struct relabel_block, member)

/* clang-format off */
static const struct config_field fields[] = {
	{"source_labels", CONFIG_STRING_LIST, AT(source_labels), .set_offset = AT(has_source)},
	{"separator", CONFIG_STRING, AT(rule.separator), .set_offset = AT(has_separator)},
	{"regex", CONFIG_STRING, AT(rule.regex_text), .set_offset = AT(has_regex)},
	{"modulus", CONFIG_UINT, AT(rule.modulus), .set_offset = AT(has_modulus)},
	{"target_label", CONFIG_STRING, AT(rule.target_label), .set_offset = AT(has_target)},
	{"replacement", CONFIG_STRING, AT(rule.replacement), .set_offset = AT(has_replacement)},
	{"action", CONFIG_STRING, AT(action)},
};
/* clang-format on */

static void free_regex(void *regex)
{
	label_regex_free(regex);
}

/* `action:` with nothing behind it is an error; no action at all means replace. */
static bool decode_action(struct config_ctx *ctx, const struct yaml_node *node, struct relabel_block *b)
{
	const struct yaml_node *at = node->kind == YAML_MAP ? yaml_get(node, "action") : NULL;
	if (!at)
		return true;
	if (b->action.len == 0) {
		config_error(ctx, at, "relabel action cannot be empty");
		return false;
	}
	if (relabel_action_parse(b->action, &b->rule.action))
		return true;
	static const char *const names[] = {"replace", "keep", "drop", "keepequal", "dropequal", "hashmod",
	    "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};
	const char *near = config_nearest(b->action, names, ARRAY_LEN(names));
	config_error(ctx, at, "unknown relabel action \"%" SL_FMT "\"%s%s%s", SL_ARG(b->action),
	    near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
	return false;
}

static unsigned set_bits(const struct relabel_block *b)
{
	return (b->has_separator ? RELABEL_SET_SEPARATOR : 0U) | (b->has_regex ? RELABEL_SET_REGEX : 0U) |
	       (b->has_modulus ? RELABEL_SET_MODULUS : 0U) | (b->has_target ? RELABEL_SET_TARGET : 0U) |
	       (b->has_replacement ? RELABEL_SET_REPLACEMENT : 0U) |
	       (b->has_source ? RELABEL_SET_SOURCE : 0U);
}

static void compile(struct config_ctx *ctx, const struct yaml_node *node, struct relabel_rule *r)
{
	struct err err;
	const struct yaml_node *regex = node->kind == YAML_MAP ? yaml_get(node, "regex") : NULL;
	if (label_regex_new(r->regex_text, &r->regex, &err) < 0)
		config_error(ctx, regex ? regex : node, "%s", err.msg);
	else
		arena_at_free(ctx->arena, free_regex, r->regex);
}

static void decode_rule(struct config_ctx *ctx, const struct yaml_node *node, struct relabel_rule *out)
{
	struct relabel_block b = {.rule = {.action = RELABEL_REPLACE,
				      .separator = SL(";"),
				      .replacement = SL("$1"),
				      .regex_text = SL("(.*)")}};
	if (!config_decode(ctx, node, "relabel.Config", fields, ARRAY_LEN(fields), &b) ||
	    !decode_action(ctx, node, &b))
		return;
	b.rule.source_labels = b.source_labels.v;
	b.rule.n_source_labels = b.source_labels.n;
	b.rule.has_default_regex = slice_eq_cstr(b.rule.regex_text, "(.*)");
	struct err err;
	if (relabel_rule_check(&b.rule, set_bits(&b), &err) < 0)
		config_error(ctx, node, "%s", err.msg);
	compile(ctx, node, &b.rule);
	*out = b.rule;
}

void config_decode_relabels_named(struct config_ctx *ctx, const struct yaml_node *node,
    const char *empty_message, struct config_relabels *out)
{
	if (node->kind != YAML_LIST) {
		config_error(
		    ctx, node, "yaml: unmarshal errors: a list of relabelling rules is wanted here (\"- \")");
		return;
	}
	out->v = ARENA_ARRAY(ctx->arena, struct relabel_rule, node->n);
	for (size_t i = 0; i < node->n; i++) {
		if (node->items[i]->kind == YAML_NULL)
			config_error(ctx, node->items[i], "%s", empty_message);
		else
			decode_rule(ctx, node->items[i], &out->v[out->n++]);
	}
}

void config_decode_relabels(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode_relabels_named(
	    ctx, node, "empty or null target relabeling rule in scrape config", field);
}

/* What differs from the default is as if the file had set it; the rest is left out, as some actions want it. */
static struct relabel_block block_of(const struct relabel_rule *r)
{
	struct relabel_block b = {.rule = *r,
	    .action = slice_cstr(relabel_action_name(r->action)),
	    .source_labels = {.v = r->source_labels, .n = r->n_source_labels}};
	b.has_separator = !slice_eq_cstr(r->separator, ";");
	b.has_replacement = !slice_eq_cstr(r->replacement, "$1");
	b.has_regex = !r->has_default_regex;
	if (!b.has_separator)
		b.rule.separator = SL_EMPTY;
	if (!b.has_replacement)
		b.rule.replacement = SL_EMPTY;
	if (!b.has_regex)
		b.rule.regex_text = SL_EMPTY;
	return b;
}

void config_print_relabels(struct config_printer *p, const char *key, const void *field)
{
	const struct config_relabels *rules = field;
	if (rules->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < rules->n; i++) {
		struct relabel_block b = block_of(&rules->v[i]);
		config_print_item(p);
		config_print_fields(p, fields, ARRAY_LEN(fields), &b);
	}
	config_print_close(p);
}
