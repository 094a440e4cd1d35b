/* The rule engine: groups of recording and alerting rules, each group evaluated at its own slots of time on
 * the scheduler, results written to the store, alerts sent to the sink. A reload keeps the state of what did
 * not change. Thread-safe.
 *
 * How an alert lives: rules/alert_state.h. The listing is a copy, for the API. */
#pragma once

#include "base/arena.h"
#include "base/scheduler.h"
#include "config/config_check.h"
#include "model/labels.h"
#include "promql/engine.h"
#include "rules/alert_sink.h"
#include "storage/appender.h"
#include "storage/querier.h"

struct rule_manager;

struct rule_manager_options {
	struct scheduler *scheduler;
	struct promql_engine *engine;
	struct queryable *queryable;
	struct appendable *appendable;
	struct alert_sink *sink;     /* NULL: nobody is told */
	struct slice external_url;   /* for generatorURL and templates; copied */
	int64_t resend_delay_ms;     /* of firing alerts; 0: one minute */
	int64_t outage_tolerance_ms; /* how far back `for` state is looked up at start; 0: one hour */
	int64_t grace_period_ms;     /* alerts with a `for` below it are not restored; 0: ten minutes */
};

/* Everything is borrowed but what is said to be copied. Nothing runs before the first load. */
struct rule_manager *rule_manager_new(const struct rule_manager_options *options);
/* Stops all groups first, waits for those that run. Takes NULL. */
void rule_manager_free(struct rule_manager *m);

/* Adds what is wrong in the generation's expressions and templates to its errors: call before sharing it. */
void rule_manager_check(struct config_generation *g);
/* Takes over the rule files of a good generation (a reference is kept as long as needed); groups that did not
 * change go on, others take over the state of their rules. ERR_INVALID and no change when an expression does
 * not parse. */
MUST_CHECK int rule_manager_load(struct rule_manager *m, struct config_generation *g, struct err *err);
/* Stops evaluating; the listing stays. */
void rule_manager_stop(struct rule_manager *m);

/* What /api/v1/rules and /api/v1/alerts show. Everything lives in the arena given to rule_manager_list(). */
enum alert_state { ALERT_INACTIVE, ALERT_PENDING, ALERT_FIRING };
enum rule_health { RULE_UNKNOWN, RULE_OK, RULE_ERROR };

struct alert_view {
	const struct labels *labels, *annotations;
	enum alert_state state; /* pending or firing */
	int64_t active_at_ms;
	int64_t keep_firing_since_ms; /* 0: not */
	double value;
};

struct rule_view {
	bool is_alert;
	struct slice name;
	struct slice query; /* canonical print of the expression */
	const struct labels *labels,
	    *annotations; /* as written in the file, templates unexpanded; group labels merged */
	int64_t for_ms, keep_firing_for_ms;
	bool has_state; /* of alerts: false before the first evaluation ("unknown") */
	enum alert_state state;
	enum rule_health health;
	struct slice last_error;    /* empty: none */
	double evaluation_seconds;  /* how long the last one took */
	int64_t last_evaluation_ms; /* 0: never */
	struct alert_view *alerts;  /* active ones */
	size_t n_alerts;
};

struct rule_group_view {
	struct slice name, file;
	int64_t interval_ms, limit, query_offset_ms;
	double evaluation_seconds;
	int64_t last_evaluation_ms; /* 0: never */
	struct rule_view *rules;
	size_t n_rules;
};

/* All groups, sorted by file, then name. */
void rule_manager_list(struct rule_manager *m, struct arena *arena, struct rule_group_view **out, size_t *n);
/* "inactive", "pending", "firing"; "unknown", "ok", "err". */
const char *alert_state_name(enum alert_state s);
const char *rule_health_name(enum rule_health h);
