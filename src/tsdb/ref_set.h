/* A set of refs as runs of neighbours, ascending: series that were made together go together. Not thread-safe. */
#pragma once

#include "base/vec.h"
#include "storage/appender.h"
#include <stdbool.h>

struct ref_stretch {
	series_ref first;
	uint32_t n;
};
VEC_DEFINE(ref_stretch_vec, struct ref_stretch);

/* A zeroed struct is empty. */
struct ref_set {
	struct ref_stretch_vec runs; /* do not touch each other */
	size_t at;               /* the runs before it are used up */
	uint64_t count;
};

void ref_set_done(struct ref_set *s);
/* Adds a run, of which the set has nothing yet; cheap behind all others. */
void ref_set_add(struct ref_set *s, series_ref first, uint32_t n);
/* Moves all of `from` over. */
void ref_set_merge(struct ref_set *s, struct ref_set *from);
bool ref_set_has(const struct ref_set *s, series_ref ref);
/* Whether all of [first, first + n) are there. */
bool ref_set_has_all(const struct ref_set *s, series_ref first, uint32_t n);
/* Takes the smallest out; 0: there is none. */
series_ref ref_set_take(struct ref_set *s);
