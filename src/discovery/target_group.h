/* What discovery gives to those who connect somewhere (scraping, the sender of alerts): targets with the labels they were
 * found with, in groups that share labels. Plain memory of the arena that discovery was given. */
#pragma once

#include "model/labels.h"

struct target_group {
	struct slice
	    source; /* where the group comes from, for messages: "0" is the job's first static block */
	const struct labels *shared;   /* below the target's own */
	const struct labels **targets; /* each has at least __address__ */
	size_t n;
};

struct target_groups {
	struct target_group *v;
	size_t n;
};
