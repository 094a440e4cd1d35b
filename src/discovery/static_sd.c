#include "discovery/static_sd.h"

#include "model/label_builder.h"

static const struct labels *shared_labels(const struct config_pairs *pairs, struct arena *arena)
{
	struct label_builder b;
	label_builder_init(&b, arena, NULL);
	for (size_t i = 0; i < pairs->n; i++)
		label_builder_set_copy(&b, pairs->v[i].name, pairs->v[i].value);
	return label_builder_labels(&b);
}

void static_sd_groups(const struct static_groups *src, struct arena *arena, struct target_groups *out)
{
	for (size_t i = 0; i < src->n; i++) {
		const struct static_group *from = &src->v[i];
		struct target_group *to = &out->v[out->n++];
		to->source = arena_printf(arena, "%zu", i);
		to->shared = shared_labels(&from->labels, arena);
		to->targets = ARENA_ARRAY(arena, const struct labels *, from->targets.n + 1);
		to->n = from->targets.n;
		for (size_t k = 0; k < from->targets.n; k++) {
			struct label address = {SL("__address__"), arena_slice(arena, from->targets.v[k])};
			to->targets[k] = labels_from_sorted(arena, &address, address.value.len > 0);
		}
	}
}
