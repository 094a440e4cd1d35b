#include "main/reload.h"

#include "base/log.h"
#include "rules/rule_manager.h"

enum { MAX_ROUTES_BYTES = 256 << 20 };

static void log_warnings(const struct config_error_vec *errors)
{
	VEC_EACH (struct config_error, e, errors)
		if (e->is_warning)
			log_warn("configuration warning", KV_STR("component", "config"),
			    KV_SLICE("file", e->file), KV_U64("line", e->line), KV_U64("column", e->column),
			    KV_SLICE("warning", e->message));
}

/* Without an Alertmanager file: the router that a start without any file has, which only logs. */
static bool load_routes(const struct options *o, struct generation *g, struct config_error_vec *errors)
{
	const char *path = options_text(o, OPT_AM_CONFIG_FILE);
	bool is_built_in = !path[0] && !options_given(o, OPT_CONFIG_FILE);
	if (!path[0] && !is_built_in)
		return true;
	g->routes_arena = arena_new(MAX_ROUTES_BYTES);
	if (is_built_in)
		return am_config_parse(SL("route: {receiver: log}\nreceivers: [{name: log}]\n"),
		    "built-in routes", g->routes_arena, errors, &g->routes);
	return am_config_load(path, g->routes_arena, errors, &g->routes);
}

bool generation_load(
    const struct options *o, const char *own_address, struct generation *out, struct strbuf *problems)
{
	*out = (struct generation){0};
	struct config_options options = {.own_address = own_address};
	if (options_given(o, OPT_CONFIG_FILE))
		options.path = options_text(o, OPT_CONFIG_FILE);
	out->prometheus = config_generation_load(&options);
	rule_manager_check(out->prometheus);
	log_warnings(&out->prometheus->errors);
	config_errors_print(problems, &out->prometheus->errors);

	struct config_error_vec errors = {0};
	bool routes_good = load_routes(o, out, &errors);
	log_warnings(&errors);
	config_errors_print(problems, &errors);
	config_error_vec_done(&errors);
	return config_generation_is_good(out->prometheus) && routes_good;
}

void generation_done(struct generation *g)
{
	config_generation_unref(g->prometheus);
	arena_free(g->routes_arena);
	*g = (struct generation){0};
}
