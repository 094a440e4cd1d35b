/* The configuration in effect as YAML, defaults filled in and secrets as `<secret>`: for
 * /api/v1/status/config and /api/v1/scrape_pools/config. Parsing it again gives the same configuration, but
 * for the secrets. */
#pragma once

#include "config/config_file.h"

void config_print(struct strbuf *out, const struct config *c);
void scrape_config_print(struct strbuf *out, const struct scrape_config *s);
