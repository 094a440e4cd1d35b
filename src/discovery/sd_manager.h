/* The door to discovery: all groups of a block of configuration, whatever mechanisms it names. static_configs are
 * complete; entries of a mechanism that this server does not have are counted in `unsupported`, and whoever applies the
 * configuration says so in the log. Thread-safe: nothing is kept. */
#pragma once

#include "config/config_scrape.h"
#include "discovery/target_group.h"

struct sd_result {
	struct target_groups groups;
	const char **unsupported; /* mechanisms asked for in vain, each entry of the configuration once */
	size_t n_unsupported;
};

/* Copies what it needs: the result lives in the arena alone. */
void sd_manager_discover(const struct target_sources *src, struct arena *arena, struct sd_result *out);
