/* A target: where to scrape, and the labels its samples get. Made from what discovery found by relabelling; immutable
 * afterwards. Lives in the arena it was made in. */
#pragma once

#include "config/config_scrape.h"
#include "discovery/target_group.h"
#include "model/labels.h"

struct target {
	const struct labels *discovered; /* before relabelling */
	const struct labels *all;        /* after it, without __meta_ labels: what makes it this target */
	const struct labels *labels;     /* public: without those that begin with __ */
	struct slice url;
	struct slice unix_socket; /* empty: TCP */
	int64_t interval_ms, timeout_ms;
	uint64_t hash; /* of `all` and the URL: its place in the interval */
};

enum target_fate { TARGET_ACTIVE, TARGET_DROPPED };

/* ERR_INVALID: what is wrong with it, as upstream words it. A dropped target has `discovered` alone. */
MUST_CHECK int target_make(const struct scrape_config *config, const struct target_group *group, size_t i,
    struct arena *arena, struct target *out, enum target_fate *fate, struct err *err);

/* The URL with a host others can reach in place of localhost; `external` is "host:port" of this server. */
struct slice target_global_url(struct slice url, struct slice external, struct arena *arena);
