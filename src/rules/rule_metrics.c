/* prometheus_rule_*: one sample a group, taken when /metrics is read. */
#include "rules/rule_priv.h"

/* What a group has to say, read under its lock. */
struct group_figures {
	char *key; /* "file;name" */
	double evaluations, failures, iterations, missed, interval_s, last_duration_s, last_evaluation_s,
	    last_samples;
	double last_rule_duration_s, last_restore_duration_s, rules;
};

static void read_figures(struct rule_group *g, struct group_figures *f)
{
	*f = (struct group_figures){
	    .key = xasprintf("%" SL_FMT ";%" SL_FMT, SL_ARG(g->def->file), SL_ARG(g->def->name)),
	    .interval_s = (double)g->def->interval_ms / 1000,
	    .rules = (double)g->n_rules};
	lock_take(&g->lock);
	for (size_t i = 0; i < g->n_rules; i++) {
		f->evaluations += (double)g->rules[i].evaluations;
		f->failures += (double)g->rules[i].failures;
	}
	f->iterations = (double)g->iterations;
	f->missed = (double)g->missed;
	f->last_duration_s = g->last_duration_s;
	f->last_evaluation_s = (double)g->last_evaluation_ms / 1000;
	f->last_samples = (double)g->last_samples;
	f->last_rule_duration_s = g->last_rule_duration_s;
	f->last_restore_duration_s = g->last_restore_duration_s;
	lock_release(&g->lock);
}

/* clang-format off */
static const struct {
	const char *name, *type, *help;
	size_t offset;
} families[] = {
#define FIGURE(member) offsetof(struct group_figures, member)
	{"prometheus_rule_evaluations_total", "counter", "The total number of rule evaluations.", FIGURE(evaluations)},
	{"prometheus_rule_evaluation_failures_total", "counter", "The total number of rule evaluation failures.",
	    FIGURE(failures)},
	{"prometheus_rule_group_iterations_total", "counter",
	    "The total number of scheduled rule group evaluations, whether executed or missed.", FIGURE(iterations)},
	{"prometheus_rule_group_iterations_missed_total", "counter",
	    "The total number of rule group evaluations missed due to slow rule group evaluation.", FIGURE(missed)},
	{"prometheus_rule_group_interval_seconds", "gauge", "The interval of a rule group.", FIGURE(interval_s)},
	{"prometheus_rule_group_last_duration_seconds", "gauge", "The duration of the last rule group evaluation.",
	    FIGURE(last_duration_s)},
	{"prometheus_rule_group_last_evaluation_timestamp_seconds", "gauge",
	    "The timestamp of the last rule group evaluation in seconds.", FIGURE(last_evaluation_s)},
	{"prometheus_rule_group_last_evaluation_samples", "gauge",
	    "The number of samples returned during the last rule group evaluation.", FIGURE(last_samples)},
	{"prometheus_rule_group_last_rule_duration_sum_seconds", "gauge",
	    "The sum of time in seconds it took to evaluate each rule in the group.", FIGURE(last_rule_duration_s)},
	{"prometheus_rule_group_last_restore_duration_seconds", "gauge",
	    "The duration of the last alert rules state restoration.", FIGURE(last_restore_duration_s)},
	{"prometheus_rule_group_rules", "gauge", "The number of rules.", FIGURE(rules)},
};
/* clang-format on */

void rule_metrics_collect(void *manager, struct metrics_writer *w)
{
	struct rule_manager *m = manager;
	lock_take(&m->lock);
	size_t n = m->groups.len;
	struct group_figures *v = xcalloc(n ? n : 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		read_figures(m->groups.v[i], &v[i]);
	lock_release(&m->lock);
	for (size_t k = 0; n && k < ARRAY_LEN(families); k++) {
		metrics_family(w, families[k].name, families[k].type, families[k].help);
		for (size_t i = 0; i < n; i++) {
			double value =
			    *(const double *)(const void *)((const char *)&v[i] + families[k].offset);
			metrics_sample(w, "", value, "rule_group", v[i].key, NULL);
		}
	}
	for (size_t i = 0; i < n; i++)
		free(v[i].key);
	free(v);
}
