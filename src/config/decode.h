/* From YAML nodes to C structs, by tables: each configuration block is a struct, and a table of its keys.
 * Errors are collected, all of them, each with file, line, column, what is wrong and what would be right;
 * decoding goes on after one.
 *
 *   static const struct config_field fields[] = {
 *           {"job_name", CONFIG_STRING, offsetof(struct scrape_config, job_name), .is_required = true},
 *           {"relabel_configs", CONFIG_CUSTOM, offsetof(struct scrape_config, relabel), .decode =
 * decode_relabel_list},
 *   };
 *   config_decode(ctx, node, "scrape_config", fields, ARRAY_LEN(fields), &out);
 *
 * Defaults: the struct is filled by the caller before. An unknown key is an error that names the nearest
 * known one. Everything decoded lives in ctx->arena. One thread. */
#pragma once

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "base/yaml.h"
#include <stddef.h>

struct config_error {
	struct slice file;
	uint32_t line, column; /* 0: of the whole file */
	struct slice message;  /* "what is wrong (what would be right)" */
	bool is_warning;       /* said at load, refuses nothing */
};
VEC_DEFINE(config_error_vec, struct config_error);

struct config_printer; /* config/printer.h */

struct config_ctx {
	struct arena *arena;
	struct slice file; /* as the user named it */
	struct slice dir;  /* relative paths are resolved against it */
	struct config_error_vec *errors;
};

/* Rows of tables name what they need; the rest of a row is zero. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

enum config_type {
	CONFIG_STRING,      /* struct slice */
	CONFIG_SECRET,      /* struct slice, never printed */
	CONFIG_URL,         /* struct slice, printed without the password in it; not checked */
	CONFIG_PATH,        /* struct slice, made absolute against ctx->dir; "" stays */
	CONFIG_BOOL,        /* bool */
	CONFIG_INT,         /* int64_t */
	CONFIG_UINT,        /* uint64_t */
	CONFIG_DOUBLE,      /* double */
	CONFIG_DURATION,    /* int64_t milliseconds */
	CONFIG_SIZE,        /* uint64_t bytes: "10MB", "1.5GiB", powers of 1024 */
	CONFIG_STRING_LIST, /* struct config_strings; a list of scalars */
	CONFIG_LABELS,      /* struct config_pairs; a map of scalars, in the file's order */
	CONFIG_CUSTOM,      /* decode() is called with the field's address; not for a null, which leaves the
			       default */
	CONFIG_INLINE,      /* no key of its own: the keys of inline_fields, with offsets from this field's */
};

struct config_strings {
	struct slice *v;
	size_t n;
};

struct config_pair {
	struct slice name, value;
	uint32_t line, column;
};
struct config_pairs {
	struct config_pair *v;
	size_t n;
};

struct config_field {
	const char *key;
	enum config_type type;
	size_t offset;
	bool is_required;
	bool may_be_empty; /* an explicit empty or null value is fine for a required one */
	size_t set_offset; /* of a bool that becomes true when the key is given; 0: none (so not the first
			      member) */
	void (*decode)(struct config_ctx *ctx, const struct yaml_node *node, void *field);
	const char *help;
	const struct config_field *inline_fields; /* CONFIG_INLINE; never nested */
	size_t n_inline_fields;
	/* For config/printer.h: how a CONFIG_CUSTOM is written; and that false and 0 are written too, being no default. */
	void (*print)(struct config_printer *p, const char *key, const void *field);
	bool prints_zero;
};

/* False when anything was wrong in this block or below. A YAML_NULL node is an empty map. */
bool config_decode(struct config_ctx *ctx, const struct yaml_node *node, const char *block_name,
    const struct config_field *fields, size_t n_fields, void *out);
/* Calls each() for each entry of a list (or null); an entry may be any node. */
bool config_decode_list(struct config_ctx *ctx, const struct yaml_node *node, const char *what,
    void (*each)(struct config_ctx *ctx, const struct yaml_node *item, void *arg), void *arg);

/* Adds an error, or a warning, at the node (NULL: the whole file). */
void config_error(struct config_ctx *ctx, const struct yaml_node *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void config_warn(struct config_ctx *ctx, const struct yaml_node *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
bool config_has_errors(const struct config_error_vec *errors); /* warnings do not count */
/* "file:line:column: message", a line each. */
void config_errors_print(struct strbuf *out, const struct config_error_vec *errors);

/* Reads and parses a file; its errors go to `errors`. False when there is nothing to decode. The content is
 * in the arena. */
bool config_read_yaml(struct arena *arena, const char *path, struct config_error_vec *errors,
    struct config_ctx *ctx, struct yaml_node **root, struct slice *content);

/* The same from memory; `name` is what errors call the file, and its folder is what paths are resolved
 * against. The text is borrowed for as long as the arena lives. */
bool config_parse_yaml(struct arena *arena, struct slice name, struct slice text,
    struct config_error_vec *errors, struct config_ctx *ctx, struct yaml_node **root);

/* A scalar's text in *out; false, and an error, when the node is no scalar. A null is the empty text. */
bool config_decode_string(struct config_ctx *ctx, const struct yaml_node *node, struct slice *out);
/* A list of scalars in *out; false, and an error, when it is none. */
bool config_decode_strings(struct config_ctx *ctx, const struct yaml_node *node, struct config_strings *out);
/* `path` against ctx->dir; absolute and empty ones stay. */
struct slice config_resolve_path(struct config_ctx *ctx, struct slice path);

/* The nearest of `names` to a mistyped word by edit distance, or NULL when none is near. */
const char *config_nearest(struct slice word, const char *const *names, size_t n);

/* "512KB", "1.5GiB", "0": bytes, in powers of 1024. False: not a size. */
bool config_size_parse(struct slice s, uint64_t *out);
