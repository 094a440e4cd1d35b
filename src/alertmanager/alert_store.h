/* All alerts the router knows, one entry a label set, found by Alertmanager's fingerprint. What a client sends is a
 * version of the entry: immutable and counted, so that a flush or an API answer goes on reading the version it took
 * while newer ones arrive. The entry also keeps where its labels lead (places in groups, links in the inhibition
 * index), so that re-sending a known alert costs one look-up and no routing.
 *
 *   table: fingerprint -> entry -> now: version   (older versions: as long as somebody holds them)
 *
 * Owned by the router; everything here is guarded by its lock, but for holding and releasing versions. */
#pragma once

#include "base/vec.h"
#include "model/alert.h"
#include <stdatomic.h>

struct alert_group;
struct inhibit_tuple;
struct route;

/* What one client said at one time. Immutable. */
struct alert_version {
	_Atomic uint32_t refs;
	bool is_timeout;           /* the end is updated_at + resolve_timeout, not the sender's */
	struct alert_entry *entry; /* held */
	struct labels *annotations;
	char *generator_url;
	struct alert alert; /* points to the entry's labels and to the two above */
};

/* A place in a group. */
struct alert_place {
	const struct route *route;
	struct alert_group *group; /* NULL: not in it now */
	uint32_t at;               /* in group->members */
};

/* The entry's part in one inhibition rule. */
struct inhibit_link {
	struct inhibit_tuple *tuple;
	uint32_t rule;
	uint32_t at; /* in the tuple's list of sources; UINT32_MAX: not there */
	bool is_source, is_target;
};

struct alert_entry {
	_Atomic uint32_t refs; /* of the store, and of each version */
	uint64_t fingerprint;
	uint64_t hash; /* the notification log's: xxHash64 */
	struct labels *labels;
	struct alert_version *now;  /* ROUTER; NULL once dropped from the store */
	struct alert_place *places; /* ROUTER */
	uint32_t n_places, n_in_groups;
	bool is_routed;
	struct inhibit_link *links; /* ROUTER */
	uint32_t n_links;
	bool is_linked; /* links are made: there may be none */
};
VEC_DEFINE(alert_entry_vec, struct alert_entry *);

struct alert_store {
	struct alert_entry **slots; /* open addressing by fingerprint */
	size_t cap;
	struct alert_entry_vec entries; /* all of them, for walking */
};

void alert_store_init(struct alert_store *s);
void alert_store_done(struct alert_store *s);

/* The entry of a fingerprint, or NULL. */
struct alert_entry *alert_store_find(const struct alert_store *s, uint64_t fingerprint);

/* Stores or merges; the entry's `now` is a new version. `a` is valid (router_check_alert) and may lack its times. */
struct alert_entry *alert_store_put(
    struct alert_store *s, const struct alert *a, int64_t now_ms, int64_t resolve_timeout_ms);

/* Drops entries that are resolved and in no group; calls forget(arg, entry) before each. Returns how many. */
size_t alert_store_gc(
    struct alert_store *s, int64_t now_ms, void (*forget)(void *arg, struct alert_entry *e), void *arg);

/* Resolved: it has an end and that is not in the future. */
static inline bool alert_is_resolved(const struct alert *a, int64_t now_ms)
{
	return a->ends_at_ms != 0 && a->ends_at_ms <= now_ms;
}

/* Thread-safe. */
struct alert_version *alert_version_hold(struct alert_version *v);
void alert_version_release(struct alert_version *v); /* takes NULL */

/* Alertmanager's two rules for joining what is stored and what is new: exported for the tests. */
bool alert_ranges_overlap(const struct alert *stored, const struct alert *fresh);
void alert_merge_times(const struct alert *older, bool older_is_timeout, int64_t now_ms, struct alert *newer);
