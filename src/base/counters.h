/* The server's own metrics. Those with a fixed name and fixed labels are rows of base/counters_table.h: incrementing
 * one is a relaxed atomic add. Those with labels known at run time (per target, rule group, receiver) come from
 * collectors: callbacks that write samples when /metrics is read.
 *
 *   counter_add(M_WAL_FSYNC_TOTAL, 1);    gauge_set(M_HEAD_SERIES, n);    histogram_observe(...) through collectors
 *
 * All functions are thread-safe. */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"
#include <stdatomic.h>
#include <stdint.h>

enum metric_id {
#define METRIC(id, type, name, labels, help) M_##id,
#include "base/counters_table.h"
#undef METRIC
	M_COUNT,
};

extern _Atomic uint64_t metric_cells[M_COUNT]; /* gauges hold the bits of a double, counters a plain number */

static inline void counter_add(enum metric_id id, uint64_t n)
{
	atomic_fetch_add_explicit(&metric_cells[id], n, memory_order_relaxed);
}
void gauge_set(enum metric_id id, double value);
void gauge_add(enum metric_id id, double delta);
uint64_t counter_get(enum metric_id id);
double gauge_get(enum metric_id id);

/* What a collector writes to. A family is begun once, then its samples follow. */
struct metrics_writer;
/* `type` is "counter", "gauge", "summary", "histogram" or "untyped". */
void metrics_family(struct metrics_writer *w, const char *name, const char *type, const char *help);
/* `suffix` is "" or "_sum" etc.; label names and values alternate, ended by NULL; values are escaped here. */
void metrics_sample(struct metrics_writer *w, const char *suffix, double value, ...) __attribute__((sentinel));

/* `collect` is called on each exposition until removed, and not any more once counters_remove_collector() has returned. It
 * must not call back into this module's registration; add and remove with no lock held. Several collectors may write to
 * one family: their samples are put together under the help of the first. */
void counters_add_collector(void (*collect)(void *arg, struct metrics_writer *w), void *arg);
void counters_remove_collector(void (*collect)(void *arg, struct metrics_writer *w), void *arg);

/* Everything in text format 0.0.4, families sorted by name. */
void counters_expose(struct strbuf *out);
