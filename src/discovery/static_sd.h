/* static_configs: targets that stand in the configuration itself. */
#pragma once

#include "config/config_scrape.h"
#include "discovery/target_group.h"

/* One group for each block, appended to `out`, which has room for src->n more. */
void static_sd_groups(const struct static_groups *src, struct arena *arena, struct target_groups *out);
