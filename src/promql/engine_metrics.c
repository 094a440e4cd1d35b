#include "promql/engine_metrics.h"

#include "base/lock.h"
#include "base/xmalloc.h"
#include "promql/duration_summary.h"

enum query_phase { QUEUE_TIME, PREPARE_TIME, INNER_EVAL, RESULT_SORT, SLICES };

static const char *const slice_names[SLICES] = {"queue_time", "prepare_time", "inner_eval", "result_sort"};

struct engine_metrics {
	const struct clock *clock;
	struct query_gate *gate;
	unsigned max_concurrent;
	_Atomic int64_t queries;
	_Atomic uint64_t samples_seen, samples_fresh, log_failures;
	atomic_bool log_enabled;
	struct lock lock; /* a leaf: guards durations */
	struct duration_summary durations[SLICES];
};

static void put_one(struct metrics_writer *w, const char *name, const char *type, const char *help, double v)
{
	metrics_family(w, name, type, help);
	metrics_sample(w, "", v, NULL);
}

static void put_durations(struct engine_metrics *m, struct metrics_writer *w)
{
	int64_t now_ns = clock_mono_ns(m->clock);

	lock_take(&m->lock);
	metrics_family(w, "prometheus_engine_query_duration_seconds", "summary", "Query timings");
	for (size_t i = 0; i < SLICES; i++)
		duration_summary_put(&m->durations[i], now_ns, w, slice_names[i]);
	metrics_family(w, "prometheus_engine_query_duration_histogram_seconds", "histogram",
	    "The duration of various parts of PromQL query execution.");
	for (size_t i = 0; i < SLICES; i++)
		duration_summary_put_histogram(&m->durations[i], w, slice_names[i]);
	lock_release(&m->lock);
}

static void put_lines(struct engine_metrics *m, struct metrics_writer *w)
{
	struct query_gate_state s;

	query_gate_state(m->gate, &s);
	metrics_family(w, "promq_engine_queries_waiting", "gauge",
	    "Queries that wait: for a slot at all, or, being heavy, for others of their kind.");
	metrics_sample(w, "", s.waiting, "line", "slot", NULL);
	metrics_sample(w, "", s.waiting_heavy, "line", "heavy", NULL);
	put_one(w, "promq_engine_queries_heavy", "gauge", "Heavy queries that run now.", s.heavy);
}

static void collect(void *arg, struct metrics_writer *w)
{
	struct engine_metrics *m = arg;

	put_one(w, "prometheus_engine_queries", "gauge",
	    "The current number of queries being executed or waiting.", (double)m->queries);
	put_one(w, "prometheus_engine_queries_concurrent_max", "gauge",
	    "The max number of concurrent queries.", m->max_concurrent);
	put_one(w, "prometheus_engine_query_log_enabled", "gauge", "State of the query log.", m->log_enabled);
	put_one(w, "prometheus_engine_query_log_failures_total", "counter",
	    "The number of query log failures.", (double)m->log_failures);
	put_one(w, "prometheus_engine_query_samples_total", "counter",
	    "The total number of samples loaded by all queries (full window per step for range-vector).",
	    (double)m->samples_seen);
	put_one(w, "prometheus_engine_query_samples_read_total", "counter",
	    "The total number of samples read by all queries (only new points per step for range-vector).",
	    (double)m->samples_fresh);
	put_durations(m, w);
	put_lines(m, w);
}

struct engine_metrics *engine_metrics_new(
    const struct clock *clock, struct query_gate *gate, unsigned max_concurrent)
{
	struct engine_metrics *m = xcalloc(1, sizeof(*m));

	m->clock = clock;
	m->gate = gate;
	m->max_concurrent = max_concurrent;
	lock_init(&m->lock, LOCK_POOL, "engine metrics");
	counters_add_collector(collect, m);
	return m;
}

void engine_metrics_free(struct engine_metrics *m)
{
	if (m == NULL)
		return;
	counters_remove_collector(collect, m);
	lock_done(&m->lock);
	free(m);
}

void engine_metrics_begin(struct engine_metrics *m)
{
	atomic_fetch_add(&m->queries, 1);
}

void engine_metrics_end(struct engine_metrics *m, const struct query_record *r)
{
	const struct query_stats *s = &r->stats;
	int64_t now_ns = clock_mono_ns(m->clock);

	atomic_fetch_sub(&m->queries, 1);
	atomic_fetch_add(&m->samples_seen, s->samples_seen);
	atomic_fetch_add(&m->samples_fresh, s->samples_fresh);
	lock_take(&m->lock);
	duration_summary_add(&m->durations[QUEUE_TIME], now_ns, s->queue_ns);
	if (r->was_parsed) {
		duration_summary_add(&m->durations[PREPARE_TIME], now_ns, s->prepare_ns);
		duration_summary_add(&m->durations[INNER_EVAL], now_ns, s->eval_ns);
		duration_summary_add(&m->durations[RESULT_SORT], now_ns, s->sort_ns);
	}
	lock_release(&m->lock);
}

void engine_metrics_log_enabled(struct engine_metrics *m, bool enabled)
{
	m->log_enabled = enabled;
}

void engine_metrics_log_failed(struct engine_metrics *m)
{
	atomic_fetch_add(&m->log_failures, 1);
}
