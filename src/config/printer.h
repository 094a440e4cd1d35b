/* Configuration back to YAML, by the same tables that read it: what is empty or zero is left out, secrets are masked. The
 * layout is that of Go's YAML (lists stand at the column of their key). One thread. */
#pragma once

#include "base/strbuf.h"
#include "config/decode.h"

struct config_printer {
	struct strbuf *out;
	int depth;
	bool has_dash; /* the next line opens a list entry */
};

#define CONFIG_SECRET_MASK "<secret>"

void config_printer_init(struct config_printer *p, struct strbuf *out);
/* The keys of a block, each with its value. */
void config_print_fields(
    struct config_printer *p, const struct config_field *fields, size_t n_fields, const void *block);
/* "key: value", quoted where YAML needs it; nothing when the value is empty. */
void config_print_text(struct config_printer *p, const char *key, struct slice value);
void config_print_secret(struct config_printer *p, const char *key, struct slice value);
void config_print_list(struct config_printer *p, const char *key, const struct config_strings *list);
void config_print_pairs(struct config_printer *p, const char *key, const struct config_pairs *pairs);
/* "key:" and one level deeper; entries of a list begin with config_print_item(). */
void config_print_open(struct config_printer *p, const char *key);
void config_print_open_slice(struct config_printer *p, struct slice key);
void config_print_close(struct config_printer *p);
void config_print_item(struct config_printer *p);
void config_print_item_end(struct config_printer *p);
/* A tree as it was read, but for the values of keys that hold secrets. */
void config_print_node(struct config_printer *p, const struct yaml_node *node);
