/* The routing tree and the inhibition rules of alertmanager.yml, decoded and checked but for names of receivers and time
 * intervals, which config_alertmanager.c looks up. */
#pragma once

#include "config/config_alertmanager.h"

void am_route_decode(
    struct config_ctx *ctx, const struct yaml_node *node, struct am_route *out, bool is_root);
void am_inhibit_rules_decode(struct config_ctx *ctx, const struct yaml_node *node, struct am_config *out);
