/* The order of loading: decode the main file, then the files it includes, then let every job inherit from global, then
 * check what only the whole can tell. */
#include "config/config_file.h"

#include "base/utf8.h"
#include "config/config_sections.h"
#include "config/printer.h"

#include <glob.h>

#define G(member) offsetof(struct config_global, member)
#define C(member) offsetof(struct config, member)

/* A section of the file, or NULL. */
static const struct yaml_node *section(const struct yaml_node *root, const char *key)
{
	return root->kind == YAML_MAP ? yaml_get(root, key) : NULL;
}

/* External labels: environment variables in their values. */

static bool is_name_byte(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The name behind a '$', as Go's os.Expand takes it: ${name}, $name, or one special character. *used is how many bytes it
 * takes; a name of no length with bytes used is bad syntax, which vanishes. */
static struct slice variable_name(struct slice s, size_t *used)
{
	*used = 0;
	if (s.len == 0)
		return SL_EMPTY;
	if (s.ptr[0] == '{') {
		size_t end = slice_find(s, '}');
		*used = end < s.len ? end + 1 : 1;
		return end < s.len ? slice_of(s.ptr + 1, end - 1) : SL_EMPTY;
	}
	if (s.ptr[0] != '\0' && strchr("*#$@!?-0123456789", s.ptr[0])) {
		*used = 1;
		return slice_of(s.ptr, 1);
	}
	while (*used < s.len && is_name_byte(s.ptr[*used]))
		++*used;
	return slice_of(s.ptr, *used);
}

static void expand_variable(
    struct config_ctx *ctx, const struct yaml_node *at, struct slice name, struct strbuf *out)
{
	if (slice_eq_cstr(name, "$")) {
		strbuf_addch(out, '$');
		return;
	}
	const char *value = getenv(arena_strdup(ctx->arena, name));
	if (value)
		strbuf_adds(out, value);
	else
		config_warn(
		    ctx, at, "empty environment variable \"%" SL_FMT "\" in an external label", SL_ARG(name));
}

static struct slice expand(struct config_ctx *ctx, const struct yaml_node *at, struct slice s)
{
	if (slice_find(s, '$') == s.len)
		return s;
	struct strbuf sb = STRBUF_INIT;
	for (size_t i = 0; i < s.len; i++) {
		size_t used = 0;
		struct slice name = s.ptr[i] == '$' ? variable_name(slice_from(s, i + 1), &used) : SL_EMPTY;
		if (used == 0)
			strbuf_addch(&sb, s.ptr[i]);
		else if (name.len)
			expand_variable(ctx, at, name, &sb);
		i += used;
	}
	struct slice text = arena_slice(ctx->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

static void make_external_labels(struct config_ctx *ctx, struct config_global *g)
{
	struct config_pairs *pairs = &g->external_label_pairs;
	struct label *l = ARENA_ARRAY(ctx->arena, struct label, pairs->n);
	for (size_t i = 0; i < pairs->n; i++) {
		struct yaml_node at = {.line = pairs->v[i].line, .column = pairs->v[i].column};
		l[i].name = pairs->v[i].name;
		l[i].value = expand(ctx, &at, pairs->v[i].value);
		pairs->v[i].value = l[i].value;
		struct strbuf quoted = STRBUF_INIT;
		if (!label_name_valid(l[i].name)) {
			utf8_quote_go(&quoted, l[i].name);
			config_error(ctx, &at, "%s is not a valid label name", strbuf_cstr(&quoted));
		} else if (!utf8_valid(l[i].value)) {
			utf8_quote_go(&quoted, l[i].value);
			config_error(ctx, &at, "%s is not a valid label value", strbuf_cstr(&quoted));
		}
		strbuf_done(&quoted);
	}
	struct err err;
	if (labels_from_pairs(ctx->arena, l, pairs->n, &g->external_labels, &err) < 0)
		config_error(ctx, NULL, "%s", err.msg);
}

/* global */

/* clang-format off */
static const struct config_field global_fields[] = {
	{"scrape_interval", CONFIG_DURATION, G(scrape_interval_ms)},
	{"scrape_timeout", CONFIG_DURATION, G(scrape_timeout_ms)},
	{"scrape_protocols", CONFIG_CUSTOM, G(protocols),
	    .decode = config_decode_scrape_protocols, .print = config_print_scrape_protocols},
	{"evaluation_interval", CONFIG_DURATION, G(evaluation_interval_ms)},
	{"rule_query_offset", CONFIG_DURATION, G(rule_query_offset_ms)},
	{"query_log_file", CONFIG_PATH, G(query_log_file)},
	{"scrape_failure_log_file", CONFIG_PATH, G(scrape_failure_log_file)},
	{"external_labels", CONFIG_LABELS, G(external_label_pairs)},
	{NULL, CONFIG_INLINE, G(limits), .inline_fields = scrape_limit_fields, .n_inline_fields = SCRAPE_LIMIT_FIELDS},
	{"metric_name_validation_scheme", CONFIG_CUSTOM, G(name_validation),
	    .decode = config_decode_name_validation, .print = config_print_name_validation},
	{"metric_name_escaping_scheme", CONFIG_CUSTOM, G(name_escaping),
	    .decode = config_decode_name_escaping, .print = config_print_name_escaping},
	{NULL, CONFIG_INLINE, G(switches), .inline_fields = scrape_switch_fields, .n_inline_fields = SCRAPE_SWITCH_FIELDS},
};
/* clang-format on */

/* Called for the block, then once more for a file without one (`at` NULL), where nothing can be wrong. */
static void complete_global(struct config_ctx *ctx, const struct yaml_node *at, struct config_global *g)
{
	if (g->scrape_interval_ms == 0)
		g->scrape_interval_ms = 60000;
	if (g->evaluation_interval_ms == 0)
		g->evaluation_interval_ms = 60000;
	if (at && g->scrape_timeout_ms > g->scrape_interval_ms)
		config_error(ctx, at, "global scrape timeout greater than scrape interval");
	if (g->scrape_timeout_ms == 0)
		g->scrape_timeout_ms = g->scrape_interval_ms < 10000 ? g->scrape_interval_ms : 10000;
	if (at && g->name_validation == NAMES_LEGACY && g->name_escaping == ESCAPE_ALLOW_UTF8)
		config_error(ctx, at, "utf8 metric names requested but validation scheme is not set to UTF8");
	if (g->external_labels == &labels_empty)
		make_external_labels(ctx, g);
}

static void decode_global(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_global *g = field;
	if (config_decode(ctx, node, "config.GlobalConfig", global_fields, ARRAY_LEN(global_fields), g))
		complete_global(ctx, node, g);
}

static void print_global(struct config_printer *p, const char *key, const void *field)
{
	config_print_open(p, key);
	config_print_fields(p, global_fields, ARRAY_LEN(global_fields), field);
	config_print_close(p);
}

static const struct config_field runtime_fields[] = {{"gogc", CONFIG_INT, 0}};

static void decode_runtime(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode(ctx, node, "config.RuntimeConfig", runtime_fields, ARRAY_LEN(runtime_fields), field);
}

static void print_runtime(struct config_printer *p, const char *key, const void *field)
{
	config_print_open(p, key);
	config_print_fields(p, runtime_fields, ARRAY_LEN(runtime_fields), field);
	config_print_close(p);
}

/* Globs. */

/* A `*` may stand in the last element of the path only. */
static bool is_glob_ok(struct slice s)
{
	struct slice from_star = slice_from(s, slice_find(s, '*'));
	return slice_find(from_star, '/') == from_star.len;
}

static void decode_globs(
    struct config_ctx *ctx, const struct yaml_node *node, const char *what, struct config_strings *out)
{
	if (!config_decode_strings(ctx, node, out))
		return;
	for (size_t i = 0; i < out->n; i++) {
		if (!is_glob_ok(out->v[i]))
			config_error(ctx, node->items[i],
			    "invalid %s file path \"%" SL_FMT
			    "\" (a * may stand in the last part of the path only)",
			    what, SL_ARG(out->v[i]));
		out->v[i] = config_resolve_path(ctx, out->v[i]);
	}
}

static void decode_rule_globs(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	decode_globs(ctx, node, "rule", field);
}

static void decode_scrape_globs(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_strings *out = field;
	decode_globs(ctx, node, "scrape config", out);
	for (size_t i = 0; i < out->n; i++)
		for (size_t k = 0; k < i; k++)
			if (slice_eq(out->v[i], out->v[k]))
				config_error(ctx, node->items[i],
				    "scrape config file \"%" SL_FMT "\" is listed twice", SL_ARG(out->v[i]));
}

static void print_globs(struct config_printer *p, const char *key, const void *field)
{
	config_print_list(p, key, field);
}

static bool has_text(const struct config_strings *list, struct slice s)
{
	for (size_t i = 0; i < list->n; i++)
		if (slice_eq(list->v[i], s))
			return true;
	return false;
}

/* What the patterns of `list` match now, each once; a pattern that matches nothing is no error, but is mentioned. */
static void run_globs(struct config_ctx *ctx, const struct yaml_node *list,
    const struct config_strings *globs, const char *what, struct config_strings *out)
{
	for (size_t i = 0; i < globs->n; i++) {
		glob_t found = {0};
		if (glob(arena_strdup(ctx->arena, globs->v[i]), 0, NULL, &found) != 0)
			found.gl_pathc = 0;
		struct slice *all = ARENA_ARRAY(ctx->arena, struct slice, out->n + found.gl_pathc);
		if (out->n)
			memcpy(all, out->v, out->n * sizeof(*all));
		out->v = all;
		for (size_t k = 0; k < found.gl_pathc; k++) {
			struct slice path = arena_slice(ctx->arena, slice_cstr(found.gl_pathv[k]));
			if (!has_text(out, path))
				out->v[out->n++] = path;
		}
		if (found.gl_pathc == 0)
			config_warn(ctx, list->items[i], "%s: \"%" SL_FMT "\" matches no file", what,
			    SL_ARG(globs->v[i]));
		globfree(&found);
	}
}

/* Jobs. */

static void decode_scrape(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct scrape_configs *out = arg;
	scrape_config_decode(ctx, item, &out->v[out->n++]);
}

static void decode_scrapes(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct scrape_configs *out = field;
	size_t more = node->kind == YAML_LIST ? node->n : 0;
	struct scrape_config *all = ARENA_ARRAY(ctx->arena, struct scrape_config, out->n + more);
	if (out->n)
		memcpy(all, out->v, out->n * sizeof(*all));
	out->v = all;
	config_decode_list(ctx, node, "scrape configs", decode_scrape, out);
}

static void print_scrapes(struct config_printer *p, const char *key, const void *field)
{
	const struct scrape_configs *all = field;
	if (all->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < all->n; i++) {
		config_print_item(p);
		config_print_scrape(p, &all->v[i]);
	}
	config_print_close(p);
}

static void include_scrapes(struct config_ctx *main_ctx, const struct yaml_node *root, struct config *c)
{
	static const struct config_field fields[] = {
	    {"scrape_configs", CONFIG_CUSTOM, 0, .decode = decode_scrapes}};
	struct config_strings files = {0};
	run_globs(main_ctx, section(root, "scrape_config_files"), &c->scrape_config_globs,
	    "scrape_config_files", &files);
	for (size_t i = 0; i < files.n; i++) {
		struct config_ctx ctx;
		struct yaml_node *included;
		struct slice content;
		if (config_read_yaml(c->arena, files.v[i].ptr, main_ctx->errors, &ctx, &included, &content))
			config_decode(
			    &ctx, included, "config.ScrapeConfigs", fields, ARRAY_LEN(fields), &c->scrapes);
	}
}

/* Each job's errors stand where the job stands, be it in an included file. */
static void finish_scrapes(struct config_ctx *main_ctx, struct config *c)
{
	for (size_t i = 0; i < c->scrapes.n; i++) {
		struct scrape_config *s = &c->scrapes.v[i];
		struct config_ctx ctx = *main_ctx;
		ctx.file = s->file;
		struct yaml_node at = {.line = s->line, .column = s->column};
		scrape_config_inherit(&ctx, &at, s, &c->global);
		for (size_t k = 0; k < i; k++)
			if (s->job_name.len && slice_eq(s->job_name, c->scrapes.v[k].job_name))
				config_error(&ctx, &at,
				    "found multiple scrape configs with job name \"%" SL_FMT
				    "\" (the first is at %" SL_FMT ":%u)",
				    SL_ARG(s->job_name), SL_ARG(c->scrapes.v[k].file), c->scrapes.v[k].line);
	}
}

/* The file. */

/* clang-format off */
static const struct config_field fields[] = {
	{"global", CONFIG_CUSTOM, C(global), .decode = decode_global, .print = print_global},
	{"runtime", CONFIG_CUSTOM, C(gogc), .decode = decode_runtime, .print = print_runtime},
	{"alerting", CONFIG_CUSTOM, C(alerting), .decode = config_decode_alerting, .print = config_print_alerting},
	{"rule_files", CONFIG_CUSTOM, C(rule_file_globs), .decode = decode_rule_globs, .print = print_globs},
	{"scrape_config_files", CONFIG_CUSTOM, C(scrape_config_globs), .decode = decode_scrape_globs},
	{"scrape_configs", CONFIG_CUSTOM, C(scrapes), .decode = decode_scrapes, .print = print_scrapes},
	{"storage", CONFIG_CUSTOM, C(storage), .decode = config_decode_storage, .print = config_print_storage},
	{"tracing", CONFIG_CUSTOM, C(tracing), .decode = config_decode_tracing, .print = config_print_tracing},
	{"otlp", CONFIG_CUSTOM, C(otlp), .decode = config_decode_otlp, .print = config_print_otlp},
	{"remote_write", CONFIG_CUSTOM, C(remote_writes),
	    .decode = config_decode_remote_writes, .print = config_print_remote_writes},
	{"remote_read", CONFIG_CUSTOM, C(remote_reads),
	    .decode = config_decode_remote_reads, .print = config_print_remote_reads},
};
/* clang-format on */

static void check_agent(struct config_ctx *ctx, const struct yaml_node *root)
{
	static const char *const forbidden[] = {"alerting", "rule_files", "remote_read"};
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		const struct yaml_node *v = section(root, forbidden[i]);
		if (v && v->kind != YAML_NULL)
			config_error(ctx, v, "field %s is not allowed in agent mode", forbidden[i]);
	}
}

static struct config *load(
    struct config_ctx *ctx, const struct yaml_node *root, struct slice text, bool is_agent)
{
	struct config *c = ARENA_NEW(ctx->arena, struct config);
	size_t errors_before = ctx->errors->len;
	c->arena = ctx->arena;
	c->file = ctx->file;
	c->dir = ctx->dir;
	c->text = text;
	c->global.external_labels = &labels_empty;
	config_sections_init(c);
	config_decode(ctx, root, "config.plain", fields, ARRAY_LEN(fields), c);
	complete_global(ctx, NULL, &c->global);
	if (is_agent)
		check_agent(ctx, root);
	include_scrapes(ctx, root, c);
	finish_scrapes(ctx, c);
	config_otlp_check(ctx, section(root, "otlp"), c);
	run_globs(ctx, section(root, "rule_files"), &c->rule_file_globs, "rule_files", &c->rule_files);
	for (size_t i = errors_before; i < ctx->errors->len; i++)
		if (!ctx->errors->v[i].is_warning)
			return NULL;
	return c;
}

struct config *config_load(
    struct arena *arena, const char *path, bool is_agent, struct config_error_vec *errors)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice text;
	if (!config_read_yaml(arena, path, errors, &ctx, &root, &text))
		return NULL;
	return load(&ctx, root, text, is_agent);
}

struct config *config_load_text(
    struct arena *arena, struct slice name, struct slice text, bool is_agent, struct config_error_vec *errors)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice copy = arena_slice(arena, text);
	if (!config_parse_yaml(arena, name, copy, errors, &ctx, &root))
		return NULL;
	return load(&ctx, root, copy, is_agent);
}

struct config *config_built_in(struct arena *arena, const char *own_address)
{
	struct slice text = arena_printf(arena,
	    "global:\n"
	    "  scrape_interval: 15s\n"
	    "  evaluation_interval: 15s\n"
	    "scrape_configs:\n"
	    "- job_name: promq\n"
	    "  static_configs:\n"
	    "  - targets: ['%s']\n"
	    "- job_name: node\n"
	    "  static_configs:\n"
	    "  - targets: ['localhost:9100']\n",
	    own_address);
	struct config_error_vec errors = {0};
	struct config *c = config_load_text(arena, SL("(built-in)"), text, false, &errors);
	config_error_vec_done(&errors);
	if (c)
		c->file = SL_EMPTY;
	return c;
}

const struct scrape_config *config_find_scrape(const struct config *c, struct slice job_name)
{
	for (size_t i = 0; i < c->scrapes.n; i++)
		if (slice_eq(c->scrapes.v[i].job_name, job_name))
			return &c->scrapes.v[i];
	return NULL;
}

void config_print_all(struct config_printer *p, const struct config *c)
{
	config_print_fields(p, fields, ARRAY_LEN(fields), c);
}
