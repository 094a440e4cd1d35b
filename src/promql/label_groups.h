/* Label sets to dense group numbers, by some of their labels: `by` and `without` of aggregations, `on` and `ignoring` of
 * binary operations. Labels are hashed once per series and query, never per step. Lives in an arena; one thread. */
#pragma once

#include "model/labels.h"
#include <stdbool.h>

struct label_groups {
	struct arena *arena;
	struct slice *names; /* sorted, unique */
	size_t n_names;
	bool only;      /* the names count (by, on); else all others but __name__ (without, ignoring) */
	bool keep_name; /* ... and __name__ as well: set it before the first add */
	const struct labels **member; /* the first label set of each group */
	size_t n, cap_members;
	uint32_t *slots; /* group + 1 */
	size_t n_slots;
};

void label_groups_init(
    struct label_groups *g, struct arena *arena, const struct slice *names, size_t n_names, bool only);
/* The group of these labels, made when new. The labels must outlive the groups. */
uint32_t label_groups_add(struct label_groups *g, const struct labels *ls);
/* The labels that make the group what it is: those that count, of any member. */
const struct labels *label_groups_labels(const struct label_groups *g, const struct labels *ls);
