/* What the files of src/rules share: groups and rules as they run.
 *
 * A group is run by one task at a time (its own timer), which is the only one to change it; the group's lock guards what
 * others read (the listing, metrics) and is never held over a query, a commit or a call of the sink. A reload stops the
 * task first, then moves state without any lock. */
#pragma once

#include "base/counters.h"
#include "base/lock.h"
#include "rules/alert_state.h"
#include "rules/rule_file.h"
#include "rules/rule_manager.h"
#include "template/template_funcs.h"

struct rule_group;

/* A series that a rule wrote. */
struct written_series {
	struct label_entry entry; /* round: of the evaluation that wrote it last */
	struct kept_ref kept;
};

struct rule {
	const struct rule_def *def;
	/* the task's */
	struct label_table series; /* of struct written_series */
	uint64_t round, alert_round;
	bool is_restored; /* false: ALERTS series are held back until `for` state was looked up */
	/* RULE_GROUP */
	struct label_table alerts; /* of struct alert_instance */
	enum rule_health health;
	char *last_error; /* heap, or NULL */
	double evaluation_seconds;
	int64_t last_evaluation_ms;
	bool has_state;
	uint64_t evaluations, failures;
};

struct rule_group {
	struct rule_manager *manager;
	struct config_generation *generation; /* a reference: definitions live there */
	const struct rule_group_def *def;
	struct arena *arena; /* of one rule's evaluation; the task's */
	struct rule *rules;
	size_t n_rules;
	struct label_table
	    orphans;        /* series of rules that a reload took away: marked stale at the next run */
	int64_t next_ms;    /* the slot the timer waits for; the task's */
	bool wants_restore; /* the task's */

	struct lock lock;
	/* RULE_GROUP */
	bool is_stopped, is_buried;
	timer_id timer, previous_timer; /* the one that waits, and the one that runs or ran */
	uint64_t iterations, missed;
	int64_t last_evaluation_ms;
	double last_duration_s, last_rule_duration_s, last_restore_duration_s;
	uint64_t last_samples;
};

VEC_DEFINE(group_vec, struct rule_group *);

struct rule_manager {
	struct rule_manager_options options; /* texts are owned */
	char *external_url;
	struct lock lock;         /* CONFIG: load, stop, list */
	struct group_vec groups;  /* CONFIG; sorted by file, then name */
	struct group_vec zombies; /* CONFIG */
	bool was_loaded;          /* CONFIG */
	struct lock current_lock; /* RULE_GROUP */
	struct config_generation
	    *current; /* current_lock: what external labels and alert relabelling are taken from */
};

/* The generation in force, with a reference for the caller. */
struct config_generation *rule_manager_current(struct rule_manager *m);

/* rule_group.c */
struct rule_group *rule_group_new(struct rule_manager *m, struct config_generation *g,
    const struct rule_group_def *def, bool wants_restore);
void rule_group_free(struct rule_group *g); /* stopped before; takes NULL */
void rule_group_start(struct rule_group *g);
/* After it returns the task does not run, and will not. */
void rule_group_stop(struct rule_group *g);
/* Stopped groups both: `to` takes over what its rules have in common with those of `from`. */
void rule_group_take_state(struct rule_group *to, struct rule_group *from);
/* Waits two intervals, then marks all its series as stale. */
void rule_group_start_burial(struct rule_group *g);
/* The last slot at or before `now_ms`. */
int64_t rule_group_slot(const struct rule_group_def *def, int64_t now_ms);

/* rule_eval.c: one rule at one time. Everything it needs for that lives in g->arena. On an error the health is not set:
 * the caller does. */
MUST_CHECK int rule_eval(
    struct rule_group *g, struct rule *r, int64_t ts_ms, size_t *n_written, struct err *err);
/* An instant query for a template. */
int rule_template_query(void *arg, struct slice expr, int64_t now_ms, struct arena *arena,
    struct template_sample **out, size_t *n, struct err *err);

/* rule_write.c: samples of one evaluation in one transaction; series of the last one that are missing end. */
struct rule_sample {
	const struct labels *labels;
	double value;
	const struct histogram *histogram; /* or NULL */
};
MUST_CHECK int rule_write(struct rule_group *g, struct rule *r, const struct rule_sample *v, size_t n,
    int64_t t_ms, struct err *err);
/* Ends all series of the table, and empties it. */
MUST_CHECK int rule_write_ends(
    struct rule_manager *m, struct label_table *series, int64_t t_ms, struct err *err);

/* alert_sender.c: tells the sink what is due. */
void alert_send_due(struct rule_group *g, struct rule *r, int64_t ts_ms);
/* alert_restore.c: takes over when alerts became pending before the last restart. */
void alert_restore_group(struct rule_group *g, int64_t ts_ms);
/* rule_metrics.c */
void rule_metrics_collect(void *manager, struct metrics_writer *w);
