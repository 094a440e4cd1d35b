#include "rules/rule_file.h"

#include "base/utf8.h"
#include "promql/ast_print.h"
#include "promql/parse.h"
#include "template/template_funcs.h"

/* Places. */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte of the file at a line and column. */
static size_t byte_at(struct slice text, uint32_t line, uint32_t column)
{
	size_t i = 0;
	for (uint32_t l = 1; l < line && i < text.len; l++)
		i += slice_find(slice_from(text, i), '\n') + 1;
	i += column - 1;
	return i < text.len ? i : text.len;
}

/* Past what opens the value: a quote, or the header of a block ("|-"), its line with it. */
static size_t skip_opening(struct slice text, size_t at, char *quote)
{
	*quote = '\0';
	if (at >= text.len)
		return at;
	char c = text.ptr[at];
	if (c == '"' || c == '\'') {
		*quote = c;
		return at + 1;
	}
	if (c == '|' || c == '>')
		at += slice_find(slice_from(text, at), '\n');
	return at;
}

static size_t count_solid(struct slice s, size_t end)
{
	size_t n = 0;
	for (size_t i = 0; i < end && i < s.len; i++)
		n += !is_blank(s.ptr[i]);
	return n;
}

void rule_file_locate(
    struct slice file_text, struct slice expr, size_t offset, uint32_t *line, uint32_t *column)
{
	char quote;
	size_t i = skip_opening(file_text, byte_at(file_text, *line, *column), &quote);
	size_t left = count_solid(expr, offset);
	/* At the end of the expression: behind its last solid byte, not at whatever follows in the file. */
	bool is_end = count_solid(expr, expr.len) == left;
	size_t last = i;
	for (; i < file_text.len; i++) {
		if (is_blank(file_text.ptr[i]))
			continue;
		if (left == 0)
			break;
		if (quote == '"' && file_text.ptr[i] == '\\' && i + 1 < file_text.len)
			i++;
		else if (quote == '\'' && file_text.ptr[i] == '\'')
			i++;
		left--;
		last = i + 1;
	}
	size_t at = is_end || i > file_text.len ? last : i;
	*line = 1;
	*column = 1;
	for (size_t k = 0; k < at && k < file_text.len; k++) {
		++*column;
		if (file_text.ptr[k] == '\n') {
			++*line;
			*column = 1;
		}
	}
}

/* Which byte of the expression a line and column of a parse error name. */
static size_t offset_in(struct slice expr, const struct err *err)
{
	return err->line ? byte_at(expr, err->line, err->column ? err->column : 1) : 0;
}

/* Rules. */

struct parsing {
	struct arena *arena;
	struct config_ctx ctx;
	struct slice file_text;
	const struct config_rule_group *group;
};

static bool contains(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* What would be right, where the message of the parser does not say it. */
static const char *hint_of(const char *message)
{
	if (contains(message, "offset modifier must be preceded"))
		return " (write offset directly behind the selector, inside the call: rate(x[5m] offset 1h))";
	if (contains(message, "@ modifier must be preceded"))
		return " (write @ directly behind the selector, inside the call: rate(x[5m] @ 1700000000))";
	return "";
}

static void parse_expr(struct parsing *p, const struct config_rule *r, size_t number, struct rule_def *out)
{
	struct err err;
	if (promql_parse(p->arena, r->expr, &parse_all_syntax, &out->expr, &err) == 0)
		return;
	struct yaml_node at = {.line = r->expr_line, .column = r->expr_column};
	rule_file_locate(p->file_text, r->expr, offset_in(r->expr, &err), &at.line, &at.column);
	config_error(&p->ctx, &at,
	    "group \"%" SL_FMT "\", rule %zu, \"%" SL_FMT "\": could not parse expression: %s%s",
	    SL_ARG(p->group->name), number, SL_ARG(r->name), err.msg, hint_of(err.msg));
}

static void check_templates(struct parsing *p, const struct config_rule *r, size_t number, const char *what,
    const struct config_pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		const struct config_pair *pair = &pairs->v[i];
		struct err err;
		if (template_check_alert(r->name, pair->value, p->arena, &err) == 0)
			continue;
		struct yaml_node at = {.line = pair->line, .column = pair->column};
		config_error(&p->ctx, &at,
		    "group \"%" SL_FMT "\", rule %zu, \"%" SL_FMT "\": %s \"%" SL_FMT "\": %s",
		    SL_ARG(p->group->name), number, SL_ARG(r->name), what, SL_ARG(pair->name), err.msg);
	}
}

static size_t add_pairs(struct label *l, size_t n, const struct config_pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++) {
		size_t k = 0;
		while (k < n && !slice_eq(l[k].name, pairs->v[i].name))
			k++;
		l[k] = (struct label){.name = pairs->v[i].name, .value = pairs->v[i].value};
		n += k == n;
	}
	return n;
}

/* Names are unique by then, so this cannot fail. */
static const struct labels *merge_labels(
    struct arena *arena, const struct config_pairs *base, const struct config_pairs *over)
{
	struct label *l = ARENA_ARRAY(arena, struct label, base->n + over->n + 1);
	size_t n = add_pairs(l, add_pairs(l, 0, base), over);
	const struct labels *out = &labels_empty;
	if (labels_from_pairs(arena, l, n, &out, NULL) < 0)
		return &labels_empty;
	return out;
}

static void parse_rule(struct parsing *p, const struct config_rule *r, size_t number, struct rule_def *out)
{
	static const struct config_pairs none;
	*out = (struct rule_def){.is_alert = r->is_alert,
	    .name = r->name,
	    .labels = merge_labels(p->arena, &p->group->labels, &r->labels),
	    .annotations = merge_labels(p->arena, &none, &r->annotations),
	    .for_ms = r->for_ms,
	    .keep_firing_for_ms = r->keep_firing_for_ms};
	parse_expr(p, r, number, out);
	if (r->is_alert) {
		check_templates(p, r, number, "label", &r->labels);
		check_templates(p, r, number, "annotation", &r->annotations);
	}
	if (!out->expr)
		return;
	struct strbuf sb = STRBUF_INIT;
	ast_print(&sb, out->expr);
	out->query = arena_slice(p->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
}

/* All that makes two groups the same, as one text. */
static struct slice sign(struct arena *arena, const struct rule_group_def *g)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_addf(&sb, "%lld %lld %lld\n", (long long)g->interval_ms, (long long)g->query_offset_ms,
	    (long long)g->limit);
	for (size_t i = 0; i < g->n_rules; i++) {
		const struct rule_def *r = &g->rules[i];
		strbuf_addf(&sb, "%s %lld %lld ", r->is_alert ? "alert" : "record", (long long)r->for_ms,
		    (long long)r->keep_firing_for_ms);
		utf8_quote_go(&sb, r->name);
		utf8_quote_go(&sb, r->query);
		labels_print(&sb, r->labels);
		labels_print(&sb, r->annotations);
		strbuf_addch(&sb, '\n');
	}
	struct slice text = arena_slice(arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

static void parse_group(struct parsing *p, const struct config_rule_file *file,
    const struct config_global *global, struct rule_group_def *out)
{
	const struct config_rule_group *g = p->group;
	*out = (struct rule_group_def){.name = g->name,
	    .file = file->path,
	    .interval_ms = g->interval_ms > 0 ? g->interval_ms : global->evaluation_interval_ms,
	    .query_offset_ms = g->has_query_offset ? g->query_offset_ms : global->rule_query_offset_ms,
	    .limit = g->limit,
	    .rules = ARENA_ARRAY(p->arena, struct rule_def, g->n_rules),
	    .n_rules = g->n_rules};
	for (size_t i = 0; i < g->n_rules; i++)
		parse_rule(p, &g->rules[i], i + 1, &out->rules[i]);
	out->signature = sign(p->arena, out);
}

bool rule_file_parse(struct arena *arena, const struct config_rule_file *file,
    const struct config_global *global, struct config_error_vec *errors, struct rule_group_def **groups)
{
	struct parsing p = {.arena = arena,
	    .ctx = {.arena = arena, .file = file->path, .dir = SL("."), .errors = errors},
	    .file_text = file->text};
	struct rule_group_def *out = ARENA_ARRAY(arena, struct rule_group_def, file->n_groups);
	size_t before = errors->len;
	for (size_t i = 0; i < file->n_groups; i++) {
		p.group = &file->groups[i];
		parse_group(&p, file, global, &out[i]);
	}
	*groups = out;
	for (size_t i = before; i < errors->len; i++)
		if (!errors->v[i].is_warning)
			return false;
	return true;
}
