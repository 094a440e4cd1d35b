/* The routing tree, ready for use: what each node inherits is filled in, keys are printed once. Depth first, left to
 * right: a node matches when all its matchers do; its children are asked in order until one matches that does not say
 * `continue`; a node whose children all refuse takes the alert itself.
 *
 * Immutable, lives in the arena of its configuration generation; any thread. */
#pragma once

#include "base/vec.h"
#include "config/config_alertmanager.h"

struct route {
	const struct am_route *config;
	const struct route *parent;
	struct route **children;
	size_t n_children;
	uint32_t index;   /* in the order of the walk */
	struct slice key; /* {}/{severity="critical"} */
	struct slice id;  /* the key with /<place among siblings>: unique */
	const struct am_receiver *receiver;
	const struct slice *group_by; /* sorted */
	size_t n_group_by;
	bool group_by_all;
	int64_t group_wait_ms, group_interval_ms, repeat_interval_ms;
	const struct am_time_interval **mute, **active;
	size_t n_mute, n_active;
	struct config_pairs labels; /* merged from the root on, sorted by name */
};

struct route_tree {
	struct route *root;
	struct route **all; /* by index */
	size_t n;
};

VEC_DEFINE(route_vec, const struct route *);

/* Everything is in the arena. The configuration's names have been checked: they resolve. */
struct route_tree *route_tree_new(struct arena *arena, const struct am_config *config);
/* Appends the routes that take an alert with these labels. */
void route_match(const struct route *root, const struct labels *ls, struct route_vec *out);

/* The labels a group of this route is made by: those of group_by that the alert has. */
const struct labels *route_group_labels(const struct route *r, const struct labels *ls, struct arena *arena);
/* {}/{team="x"}:{alertname="Disk", host="a"} */
void route_group_key(struct strbuf *out, const struct route *r, const struct labels *group_labels);
