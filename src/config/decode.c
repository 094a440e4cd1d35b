/* The table-driven decoder. One function a type turns a scalar into its C value; config_decode() walks the
 * keys of the file (so that errors come in its order), looks each up in the table, and then asks for what is
 * missing. */
#include "config/decode.h"

#include "base/double_text.h"
#include "base/fs.h"
#include "base/xmalloc.h"
#include "model/duration.h"

#include <math.h>
#include <stdio.h>

enum { CONFIG_FILE_MAX_BYTES = 64 << 20, CONFIG_MAX_ERRORS = 1000 };

PRINTF_LIKE(4, 0)
static void add_error(
    struct config_ctx *ctx, const struct yaml_node *at, bool is_warning, const char *fmt, va_list ap)
{
	if (ctx->errors->len >= CONFIG_MAX_ERRORS)
		return;
	struct strbuf sb = STRBUF_INIT;
	strbuf_addv(&sb, fmt, ap);
	struct config_error *e = config_error_vec_add(ctx->errors);
	e->file = ctx->file;
	e->line = at ? at->line : 0;
	e->column = at ? at->column : 0;
	e->message = arena_slice(ctx->arena, strbuf_slice(&sb));
	e->is_warning = is_warning;
	strbuf_done(&sb);
}

void config_error(struct config_ctx *ctx, const struct yaml_node *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_error(ctx, at, false, fmt, ap);
	va_end(ap);
}

void config_warn(struct config_ctx *ctx, const struct yaml_node *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_error(ctx, at, true, fmt, ap);
	va_end(ap);
}

bool config_has_errors(const struct config_error_vec *errors)
{
	VEC_EACH (struct config_error, e, errors)
		if (!e->is_warning)
			return true;
	return false;
}

void config_errors_print(struct strbuf *out, const struct config_error_vec *errors)
{
	VEC_EACH (struct config_error, e, errors) {
		strbuf_add_slice(out, e->file);
		if (e->line)
			strbuf_addf(out, ":%u:%u", e->line, e->column);
		strbuf_adds(out, e->is_warning ? ": warning: " : ": ");
		strbuf_add_slice(out, e->message);
		strbuf_addch(out, '\n');
	}
}

/* Scalars. */

static const char *kind_name(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_NULL:
		return "!!null";
	case YAML_SCALAR:
		return "!!str";
	case YAML_LIST:
		return "!!seq";
	case YAML_MAP:
		return "!!map";
	}
	return "?";
}

static bool wrong_kind(
    struct config_ctx *ctx, const struct yaml_node *node, const char *type, const char *want)
{
	if (node->kind == YAML_SCALAR)
		config_error(ctx, node,
		    "yaml: unmarshal errors: cannot unmarshal %s `%" SL_FMT "` into %s (%s)", kind_name(node),
		    SL_ARG(node->text), type, want);
	else
		config_error(ctx, node, "yaml: unmarshal errors: cannot unmarshal %s into %s (%s)",
		    kind_name(node), type, want);
	return false;
}

bool config_decode_string(struct config_ctx *ctx, const struct yaml_node *node, struct slice *out)
{
	if (node->kind == YAML_NULL) {
		*out = SL_EMPTY;
		return true;
	}
	if (node->kind != YAML_SCALAR)
		return wrong_kind(ctx, node, "string", "a text is wanted here");
	*out = node->text;
	return true;
}

/* filepath.Join as far as it is needed: "." as the folder adds nothing. */
struct slice config_resolve_path(struct config_ctx *ctx, struct slice path)
{
	if (path.len == 0 || path.ptr[0] == '/' || ctx->dir.len == 0 || slice_eq_cstr(ctx->dir, "."))
		return path;
	while (slice_starts(path, SL("./")))
		path = slice_from(path, 2);
	const char *between = ctx->dir.ptr[ctx->dir.len - 1] == '/' ? "" : "/";
	return arena_printf(ctx->arena, "%" SL_FMT "%s%" SL_FMT, SL_ARG(ctx->dir), between, SL_ARG(path));
}

static bool decode_path(struct config_ctx *ctx, const struct yaml_node *node, struct slice *out)
{
	struct slice text = SL_EMPTY;
	if (!config_decode_string(ctx, node, &text))
		return false;
	*out = config_resolve_path(ctx, text);
	return true;
}

static bool is_word(struct slice s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq_nocase(s, slice_cstr(words[i])))
			return true;
	return false;
}

static bool decode_bool(struct config_ctx *ctx, const struct yaml_node *node, bool *out)
{
	static const char *const yes[] = {"true", "yes", "on", "y"};
	static const char *const no[] = {"false", "no", "off", "n"};
	if (node->kind == YAML_SCALAR && !node->is_quoted) {
		if (is_word(node->text, yes, ARRAY_LEN(yes)))
			return *out = true;
		if (is_word(node->text, no, ARRAY_LEN(no))) {
			*out = false;
			return true;
		}
	}
	return wrong_kind(ctx, node, "bool", "true or false is wanted here");
}

/* Decimal digits with an optional sign; 1_000 as YAML has it. */
static bool parse_magnitude(struct slice s, uint64_t *out)
{
	uint64_t v = 0;
	bool any = false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '_' && any)
			continue;
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.ptr[i] - '0'), &v))
			return false;
		any = true;
	}
	*out = v;
	return any;
}

static bool decode_int(struct config_ctx *ctx, const struct yaml_node *node, int64_t *out)
{
	uint64_t v;
	bool is_number = node->kind == YAML_SCALAR && !node->is_quoted && node->text.len > 0;
	bool is_negative = is_number && node->text.ptr[0] == '-';
	bool has_sign = is_number && (is_negative || node->text.ptr[0] == '+');
	if (!is_number || !parse_magnitude(slice_from(node->text, has_sign ? 1 : 0), &v) || v > INT64_MAX)
		return wrong_kind(ctx, node, "int", "a whole number is wanted here");
	*out = is_negative ? -(int64_t)v : (int64_t)v;
	return true;
}

static bool decode_uint(struct config_ctx *ctx, const struct yaml_node *node, uint64_t *out)
{
	if (node->kind != YAML_SCALAR || node->is_quoted || !parse_magnitude(node->text, out))
		return wrong_kind(ctx, node, "uint", "a whole number of 0 or more is wanted here");
	return true;
}

static bool decode_double(struct config_ctx *ctx, const struct yaml_node *node, double *out)
{
	if (node->kind != YAML_SCALAR || node->is_quoted || !double_parse(node->text, out))
		return wrong_kind(ctx, node, "float64", "a number is wanted here");
	return true;
}

static bool decode_duration(struct config_ctx *ctx, const struct yaml_node *node, int64_t *out)
{
	struct slice text = SL_EMPTY;
	if (!config_decode_string(ctx, node, &text))
		return false;
	struct err err;
	if (duration_parse(text, out, &err) == 0)
		return true;
	config_error(ctx, node, "%s (a duration is a number with a unit, such as 30s, 5m or 1h30m)", err.msg);
	return false;
}

bool config_size_parse(struct slice s, uint64_t *out)
{
	static const char prefixes[] = "BKMGTPE";
	size_t n = 0;
	while (n < s.len && ((s.ptr[n] >= '0' && s.ptr[n] <= '9') || s.ptr[n] == '.'))
		n++;
	struct slice unit = slice_from(s, n);
	double number;
	if (n == 0 || !double_parse(slice_of(s.ptr, n), &number))
		return false;
	if (unit.len == 0) {
		*out = 0;
		return number == 0;
	}
	const char *prefix = strchr(prefixes, unit.ptr[0]);
	if (!prefix || unit.ptr[0] == '\0')
		return false;
	unsigned power = (unsigned)(prefix - prefixes);
	struct slice rest = slice_from(unit, 1);
	bool is_unit = power == 0 ? rest.len == 0 : slice_eq_cstr(rest, "B") || slice_eq_cstr(rest, "iB");
	double bytes = ldexp(number, (int)(10 * power));
	if (!is_unit || bytes >= 0x1p63)
		return false;
	*out = (uint64_t)bytes;
	return true;
}

static bool decode_size(struct config_ctx *ctx, const struct yaml_node *node, uint64_t *out)
{
	struct slice text = SL_EMPTY;
	if (!config_decode_string(ctx, node, &text))
		return false;
	if (config_size_parse(text, out))
		return true;
	config_error(ctx, node,
	    "\"%" SL_FMT "\" is not a valid size (a number with a unit, such as 512KB, 10MB or 1.5GiB)",
	    SL_ARG(text));
	return false;
}

bool config_decode_strings(struct config_ctx *ctx, const struct yaml_node *node, struct config_strings *out)
{
	if (node->kind != YAML_LIST)
		return wrong_kind(ctx, node, "[]string", "a list is wanted here: [\"a\", \"b\"]");
	struct config_strings list = {.v = ARENA_ARRAY(ctx->arena, struct slice, node->n), .n = node->n};
	bool is_good = true;
	for (size_t i = 0; i < node->n; i++)
		is_good &= config_decode_string(ctx, node->items[i], &list.v[i]);
	if (is_good)
		*out = list;
	return is_good;
}

static bool decode_pairs(struct config_ctx *ctx, const struct yaml_node *node, struct config_pairs *out)
{
	if (node->kind != YAML_MAP)
		return wrong_kind(ctx, node, "map[string]string", "a map is wanted here: {name: value}");
	struct config_pairs map = {.v = ARENA_ARRAY(ctx->arena, struct config_pair, node->n), .n = node->n};
	bool is_good = true;
	for (size_t i = 0; i < node->n; i++) {
		struct config_pair *p = &map.v[i];
		p->name = node->keys[i]->text;
		p->line = node->keys[i]->line;
		p->column = node->keys[i]->column;
		is_good &= config_decode_string(ctx, node->items[i], &p->value);
	}
	if (is_good)
		*out = map;
	return is_good;
}

static bool decode_custom(
    struct config_ctx *ctx, const struct yaml_node *node, const struct config_field *f, void *field)
{
	size_t before = ctx->errors->len;
	f->decode(ctx, node, field);
	for (size_t i = before; i < ctx->errors->len; i++)
		if (!ctx->errors->v[i].is_warning)
			return false;
	return true;
}

static bool decode_field(
    struct config_ctx *ctx, const struct yaml_node *node, const struct config_field *f, void *field)
{
	switch (f->type) {
	case CONFIG_STRING:
	case CONFIG_SECRET:
	case CONFIG_URL:
		return config_decode_string(ctx, node, field);
	case CONFIG_PATH:
		return decode_path(ctx, node, field);
	case CONFIG_BOOL:
		return decode_bool(ctx, node, field);
	case CONFIG_INT:
		return decode_int(ctx, node, field);
	case CONFIG_UINT:
		return decode_uint(ctx, node, field);
	case CONFIG_DOUBLE:
		return decode_double(ctx, node, field);
	case CONFIG_DURATION:
		return decode_duration(ctx, node, field);
	case CONFIG_SIZE:
		return decode_size(ctx, node, field);
	case CONFIG_STRING_LIST:
		return config_decode_strings(ctx, node, field);
	case CONFIG_LABELS:
		return decode_pairs(ctx, node, field);
	case CONFIG_CUSTOM:
		return decode_custom(ctx, node, f, field);
	case CONFIG_INLINE:
		break;
	}
	return true;
}

/* Blocks. */

/* The row of `key`; *base is where its offsets count from. */
static const struct config_field *find_field(
    const struct config_field *fields, size_t n_fields, struct slice key, size_t *base)
{
	for (size_t i = 0; i < n_fields; i++) {
		const struct config_field *f = &fields[i];
		*base = 0;
		if (f->type != CONFIG_INLINE) {
			if (slice_eq_cstr(key, f->key))
				return f;
			continue;
		}
		*base = f->offset;
		for (size_t k = 0; k < f->n_inline_fields; k++)
			if (slice_eq_cstr(key, f->inline_fields[k].key))
				return &f->inline_fields[k];
	}
	return NULL;
}

static void unknown_key(struct config_ctx *ctx, const struct yaml_node *key, const char *block_name,
    const struct config_field *fields, size_t n_fields)
{
	size_t n = 0, most = 0;
	for (size_t i = 0; i < n_fields; i++)
		most += 1 + fields[i].n_inline_fields;
	const char **names = xreallocarray(NULL, most + 1, sizeof(*names));
	for (size_t i = 0; i < n_fields; i++) {
		if (fields[i].type != CONFIG_INLINE)
			names[n++] = fields[i].key;
		for (size_t k = 0; k < fields[i].n_inline_fields; k++)
			names[n++] = fields[i].inline_fields[k].key;
	}
	const char *near = config_nearest(key->text, names, n);
	if (near)
		config_error(ctx, key, "field %" SL_FMT " not found in type %s (did you mean \"%s\"?)",
		    SL_ARG(key->text), block_name, near);
	else
		config_error(
		    ctx, key, "field %" SL_FMT " not found in type %s", SL_ARG(key->text), block_name);
	free(names);
}

static bool is_missing(const struct yaml_node *map, const struct config_field *f)
{
	if (!f->is_required)
		return false;
	const struct yaml_node *node = map->kind == YAML_MAP ? yaml_get(map, f->key) : NULL;
	if (!node)
		return true;
	bool is_empty = node->kind == YAML_NULL || (node->kind == YAML_SCALAR && node->text.len == 0);
	return is_empty && !f->may_be_empty;
}

static bool check_required(struct config_ctx *ctx, const struct yaml_node *map, const char *block_name,
    const struct config_field *fields, size_t n_fields)
{
	bool is_good = true;
	for (size_t i = 0; i < n_fields; i++) {
		const struct config_field *f = &fields[i];
		if (f->type == CONFIG_INLINE) {
			is_good &= check_required(ctx, map, block_name, f->inline_fields, f->n_inline_fields);
		} else if (is_missing(map, f)) {
			config_error(ctx, map, "\"%s\" is missing in %s", f->key, block_name);
			is_good = false;
		}
	}
	return is_good;
}

bool config_decode(struct config_ctx *ctx, const struct yaml_node *node, const char *block_name,
    const struct config_field *fields, size_t n_fields, void *out)
{
	if (node->kind != YAML_MAP && node->kind != YAML_NULL)
		return wrong_kind(ctx, node, block_name, "a map of keys and values is wanted here");
	bool is_good = true;
	for (size_t i = 0; node->kind == YAML_MAP && i < node->n; i++) {
		size_t base;
		const struct config_field *f = find_field(fields, n_fields, node->keys[i]->text, &base);
		if (!f) {
			unknown_key(ctx, node->keys[i], block_name, fields, n_fields);
			is_good = false;
			continue;
		}
		if (node->items[i]->kind == YAML_NULL)
			continue;
		char *to = (char *)out + base;
		if (f->set_offset)
			*(bool *)(to + f->set_offset) = true;
		is_good &= decode_field(ctx, node->items[i], f, to + f->offset);
	}
	return check_required(ctx, node, block_name, fields, n_fields) && is_good;
}

bool config_decode_list(struct config_ctx *ctx, const struct yaml_node *node, const char *what,
    void (*each)(struct config_ctx *ctx, const struct yaml_node *item, void *arg), void *arg)
{
	if (node->kind == YAML_NULL)
		return true;
	if (node->kind != YAML_LIST) {
		config_error(ctx, node,
		    "yaml: unmarshal errors: cannot unmarshal %s into a list of %s (begin each with \"- \")",
		    kind_name(node), what);
		return false;
	}
	for (size_t i = 0; i < node->n; i++)
		each(ctx, node->items[i], arg);
	return true;
}

/* Files. */

static struct slice folder_of(struct slice path)
{
	size_t n = path.len;
	while (n > 0 && path.ptr[n - 1] != '/')
		n--;
	if (n == 0)
		return SL(".");
	return slice_of(path.ptr, n > 1 ? n - 1 : 1);
}

static void add_file_error(struct config_ctx *ctx, const struct err *err)
{
	struct yaml_node at = {.line = err->line, .column = err->column};
	config_error(ctx, err->line ? &at : NULL, "%s", err->msg);
}

/* A section of the file that stands twice is told in the words of Prometheus. */
static void name_section_twice(struct err *err)
{
	char name[64];
	unsigned line;
	if (err->column == 1 &&
	    sscanf(err->msg, "mapping key \"%63[^\"]\" already defined at line %u", name, &line) == 2)
		err_set_at(err, err->code, err->line, err->column,
		    "field %s already set in type config.plain (it stands at line %u too)", name, line);
}

bool config_parse_yaml(struct arena *arena, struct slice name, struct slice text,
    struct config_error_vec *errors, struct config_ctx *ctx, struct yaml_node **root)
{
	struct slice file = arena_slice(arena, name);
	*ctx = (struct config_ctx){.arena = arena, .file = file, .dir = folder_of(file), .errors = errors};
	struct err err;
	if (yaml_parse(text, arena, root, &err) == 0)
		return true;
	name_section_twice(&err);
	add_file_error(ctx, &err);
	return false;
}

bool config_read_yaml(struct arena *arena, const char *path, struct config_error_vec *errors,
    struct config_ctx *ctx, struct yaml_node **root, struct slice *content)
{
	struct strbuf sb;
	strbuf_init(&sb, CONFIG_FILE_MAX_BYTES);
	struct err err;
	bool was_read = fs_read_file(fs_real(), path, &sb, &err) == 0;
	if (was_read) {
		*content = arena_slice(arena, strbuf_slice(&sb));
	} else {
		*ctx = (struct config_ctx){
		    .arena = arena, .file = arena_slice(arena, slice_cstr(path)), .errors = errors};
		add_file_error(ctx, &err);
	}
	strbuf_done(&sb);
	return was_read && config_parse_yaml(arena, slice_cstr(path), *content, errors, ctx, root);
}

/* Words. */

enum { NEAREST_MAX_LEN = 63 };

/* Levenshtein's distance by rows. */
static size_t edit_distance(struct slice a, struct slice b)
{
	size_t row[NEAREST_MAX_LEN + 1];
	for (size_t k = 0; k <= b.len; k++)
		row[k] = k;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t k = 1; k <= b.len; k++) {
			size_t change = diagonal + (a.ptr[i - 1] != b.ptr[k - 1]);
			size_t least = row[k] < row[k - 1] ? row[k] + 1 : row[k - 1] + 1;
			diagonal = row[k];
			row[k] = change < least ? change : least;
		}
	}
	return row[b.len];
}

const char *config_nearest(struct slice word, const char *const *names, size_t n)
{
	if (word.len == 0 || word.len > NEAREST_MAX_LEN)
		return NULL;
	/* A third of the letters may be wrong: further away it is another word. */
	size_t best = word.len / 3 + 2;
	const char *nearest = NULL;
	for (size_t i = 0; i < n; i++) {
		struct slice name = slice_cstr(names[i]);
		if (name.len > NEAREST_MAX_LEN)
			continue;
		size_t distance = edit_distance(word, name);
		if (distance < best && distance < name.len) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}
