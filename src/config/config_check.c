#include "config/config_check.h"

static void read_rule_files(struct config_generation *g)
{
	const struct config_strings *files = &g->config->rule_files;
	bool is_legacy = g->config->global.name_validation == NAMES_LEGACY;
	g->rule_files = ARENA_ARRAY(g->arena, struct config_rule_file, files->n);
	for (size_t i = 0; i < files->n; i++) {
		struct config_rule_file *f = &g->rule_files[g->n_rule_files];
		if (config_rules_read(g->arena, files->v[i].ptr, is_legacy, &g->errors, f))
			g->n_rule_files++;
	}
}

struct config_generation *config_generation_load(const struct config_options *options)
{
	struct config_generation *g = xcalloc(1, sizeof(*g));
	g->refs = 1;
	g->arena = arena_new(ARENA_NO_LIMIT);
	if (options->path)
		g->config = config_load(g->arena, options->path, options->is_agent, &g->errors);
	else
		g->config =
		    config_built_in(g->arena, options->own_address ? options->own_address : "localhost:9090");
	if (g->config)
		read_rule_files(g);
	return g;
}

bool config_generation_is_good(const struct config_generation *g)
{
	return g->config && !config_has_errors(&g->errors);
}

struct config_generation *config_generation_ref(struct config_generation *g)
{
	g->refs++;
	return g;
}

void config_generation_unref(struct config_generation *g)
{
	if (!g || --g->refs > 0)
		return;
	config_error_vec_done(&g->errors);
	arena_free(g->arena);
	free(g);
}
