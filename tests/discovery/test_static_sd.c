#include "config/config_file.h"
#include "discovery/sd_manager.h"
#include "tests/lib/test.h"

static void groups_in_the_order_of_the_file(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct config_error_vec errors = {0};
	struct config *c = config_load_text(arena, SL("test.yml"),
	    SL("scrape_configs:\n- job_name: j\n  static_configs:\n"
	       "  - {targets: ['b:1', 'a:1'], labels: {zone: x, env: ''}}\n"
	       "  - {targets: []}\n"
	       "  dns_sd_configs: [{names: [x.org]}]\n"),
	    false, &errors);
	assert_non_null(c);
	struct sd_result r;
	sd_manager_discover(&c->scrapes.v[0].sources, arena, &r);
	check_int("groups", r.groups.n, 2);
	const struct target_group *g = &r.groups.v[0];
	check_str("source", g->source, "0");
	check_int("targets", g->n, 2);
	check_str("first", labels_get(g->targets[0], SL("__address__")), "b:1");
	check_str("second", labels_get(g->targets[1], SL("__address__")), "a:1");
	check_int("without the empty one", g->shared->n, 1);
	check_str("shared", labels_get(g->shared, SL("zone")), "x");
	check_int("empty group", r.groups.v[1].n, 0);
	check_int("unsupported", r.n_unsupported, 1);
	check_str("which", slice_cstr(r.unsupported[0]), "dns");
	config_error_vec_done(&errors);
	arena_free(arena);
}

TEST_MAIN("static_sd", cmocka_unit_test(groups_in_the_order_of_the_file))
