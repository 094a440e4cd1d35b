/* The metrics of the engine, prometheus_engine_*: durations by slice, queries and samples in all. Thread-safe; writes itself to
 * /metrics from when it is made until it is freed. */
#pragma once

#include "promql/query_gate.h"
#include "promql/query_record.h"

struct engine_metrics;

struct engine_metrics *engine_metrics_new(
    const struct clock *clock, struct query_gate *gate, unsigned max_concurrent);
void engine_metrics_free(struct engine_metrics *m); /* takes NULL */

/* A query begins to wait or run; has ended. */
void engine_metrics_begin(struct engine_metrics *m);
void engine_metrics_end(struct engine_metrics *m, const struct query_record *r);
void engine_metrics_log_enabled(struct engine_metrics *m, bool enabled);
void engine_metrics_log_failed(struct engine_metrics *m);
