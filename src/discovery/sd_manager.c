#include "discovery/sd_manager.h"

#include "discovery/static_sd.h"

void sd_manager_discover(const struct target_sources *src, struct arena *arena, struct sd_result *out)
{
	*out = (struct sd_result){0};
	out->groups.v = ARENA_ARRAY(arena, struct target_group, src->static_groups.n + 1);
	static_sd_groups(&src->static_groups, arena, &out->groups);
	out->unsupported = ARENA_ARRAY(arena, const char *, src->sd.n + 1);
	for (size_t i = 0; i < src->sd.n; i++)
		out->unsupported[out->n_unsupported++] =
		    arena_strdup(arena, slice_cstr(src->sd.v[i].mechanism));
}
