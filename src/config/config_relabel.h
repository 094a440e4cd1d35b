/* relabel_configs and its siblings into the rules of model/relabel.h. The compiled expressions belong to the
 * arena (freed with it). */
#pragma once

#include "config/decode.h"
#include "model/relabel.h"

struct config_relabels {
	struct relabel_rule *v;
	size_t n;
};

/* decode callback of a CONFIG_CUSTOM row; the field is a struct config_relabels. */
void config_decode_relabels(struct config_ctx *ctx, const struct yaml_node *node, void *field);
/* The same with the message for an entry that is empty. */
void config_decode_relabels_named(struct config_ctx *ctx, const struct yaml_node *node,
    const char *empty_message, struct config_relabels *out);
/* print callback. */
void config_print_relabels(struct config_printer *p, const char *key, const void *field);
