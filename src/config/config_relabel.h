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
