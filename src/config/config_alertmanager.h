/* alertmanager.yml as structs: defaults filled in, inheritance from `global` done, names cross-checked. The
 * routing tree keeps what each node says (has_* tells what was given); the inheritance along the tree is
 * route.c's.
 *
 * All of it lives in one arena and never changes: readable from any thread. Prefix am_: the noun "config"
 * alone is Prometheus's. The receivers' own blocks are in config/config_receiver.h. */
#pragma once

#include "base/arena.h"
#include "config/config_receiver.h"
#include "config/decode.h"
#include "config/time_interval.h"
#include "model/matcher.h"

/* Matchers of one node, all spellings in one list, sorted by name, value, operator. */
struct am_matchers {
	const struct matcher **v;
	size_t n;
};

struct am_route {
	struct slice receiver;          /* "": inherited */
	struct config_strings group_by; /* without "..." */
	bool has_group_by, group_by_all;
	bool is_continue;
	struct am_matchers matchers;
	int64_t group_wait_ms, group_interval_ms, repeat_interval_ms;
	bool has_group_wait, has_group_interval, has_repeat_interval;
	struct config_strings mute_time_intervals, active_time_intervals;
	struct config_pairs labels; /* values are templates */
	struct am_route **routes;
	size_t n_routes;
	uint32_t line, column;
};

struct am_inhibit_rule {
	struct slice name;
	struct am_matchers source, target;
	struct config_strings equal;
};

struct am_receiver {
	struct slice name;
	const struct labels *labels;         /* always with name="<name>" */
	struct am_integration *integrations; /* by kind, then by place in the list */
	size_t n_integrations;
	uint32_t line, column;
};

struct am_time_interval {
	struct slice name;
	struct time_interval *intervals;
	size_t n_intervals;
};

struct am_config {
	struct am_global global;
	struct am_route *route;
	struct am_inhibit_rule *inhibit_rules;
	size_t n_inhibit_rules;
	struct am_receiver *receivers;
	size_t n_receivers;
	struct config_strings templates;         /* globs, absolute */
	struct am_time_interval *time_intervals; /* of both spellings */
	size_t n_time_intervals;
	struct slice file;
	struct slice text;     /* of the file, secrets replaced by <secret> */
	uint64_t content_hash; /* for alertmanager_config_hash */
};

/* Reads, decodes and checks `path`. False when anything was wrong: then `errors` says all of it (warnings can
 * be there on success too). The texts of errors are in the arena as well. */
bool am_config_load(
    const char *path, struct arena *arena, struct config_error_vec *errors, struct am_config **out);
/* The same from memory; `file` names it in messages and its folder is where relative paths start. */
bool am_config_parse(struct slice text, const char *file, struct arena *arena,
    struct config_error_vec *errors, struct am_config **out);

/* The receiver of that name, or NULL. */
const struct am_receiver *am_config_receiver(const struct am_config *c, struct slice name);
/* The interval of that name, or NULL. */
const struct am_time_interval *am_config_time_interval(const struct am_config *c, struct slice name);
