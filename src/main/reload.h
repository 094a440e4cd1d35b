/* Loading and swapping configuration. All files (prometheus.yml with what it includes, the rule files, alertmanager.yml) are
 * one generation: parsed, cross-checked, and only then put in force; otherwise nothing changes, and everything that is wrong
 * is said. */
#pragma once

#include "config/config_alertmanager.h"
#include "config/config_check.h"
#include "main/options.h"

struct generation {
	struct config_generation *prometheus; /* one reference */
	struct am_config *routes;             /* NULL: no built-in router configured */
	struct arena *routes_arena;           /* of the routes; the router takes it over */
};

/* What both the start and a reload do first. False: out's content is unusable and *problems says why, a line each. Warnings
 * are logged. The caller ends it with generation_done() in both cases. */
bool generation_load(
    const struct options *o, const char *own_address, struct generation *out, struct strbuf *problems);
void generation_done(struct generation *g);
