/* Where targets come from: static_configs in full, and the keys of every `*_sd_configs` against tables of
 * what the mechanism knows. Used by scrape_configs and by alerting. */
#pragma once

#include "config/config_scrape.h"

enum { TARGET_SOURCE_FIELDS = 33 };
/* Rows for CONFIG_INLINE over a struct target_sources. */
extern const struct config_field target_source_fields[TARGET_SOURCE_FIELDS];
