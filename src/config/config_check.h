/* A generation of configuration: prometheus.yml, what it includes, and its rule files, read and cross-checked
 * as one. Used by the server at start and at reload, and by `promq check config`. Errors are all there is to
 * say, not the first. Refcounted: whoever runs on it holds a reference; immutable, any thread. */
#pragma once

#include "config/config_file.h"
#include "config/config_rules.h"

struct config_options {
	const char *path;        /* NULL: the built-in configuration */
	const char *own_address; /* for the built-in one: where this server listens; NULL: "localhost:9090" */
	bool is_agent;           /* agent mode: some sections are forbidden */
};

struct config_generation {
	_Atomic unsigned refs;
	struct arena *arena;
	struct config *config; /* NULL when it could not be loaded */
	struct config_rule_file *rule_files;
	size_t n_rule_files;
	const void *parsed_rules;       /* what src/rules made of rule_files, in the arena; NULL: not yet */
	struct config_error_vec errors; /* with warnings; whoever checks more may add to it before sharing */
};

/* Never NULL, with one reference; config_generation_is_good() says whether it may be used. */
struct config_generation *config_generation_load(const struct config_options *options);
bool config_generation_is_good(const struct config_generation *g);
struct config_generation *config_generation_ref(struct config_generation *g);
void config_generation_unref(struct config_generation *g); /* takes NULL */
