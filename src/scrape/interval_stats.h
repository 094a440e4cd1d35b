/* How far apart scrapes really were, by the interval they were meant to have: for prometheus_target_interval_length_seconds.
 * Quantiles are over the newest observations. Thread-safe. */
#pragma once

#include "base/counters.h"
#include "base/lock.h"
#include "base/vec.h"

enum { INTERVAL_NEWEST = 512 };

struct interval_row {
	int64_t interval_ms;
	uint64_t count;
	double sum;
	double newest[INTERVAL_NEWEST]; /* a ring; the next goes to count % INTERVAL_NEWEST */
};
VEC_DEFINE(interval_row_vec, struct interval_row);

struct interval_stats {
	struct lock lock; /* LOCK_POOL */
	struct interval_row_vec rows;
};

void interval_stats_init(struct interval_stats *s);
void interval_stats_done(struct interval_stats *s);
void interval_stats_add(struct interval_stats *s, int64_t interval_ms, double seconds);
void interval_stats_collect(struct interval_stats *s, struct metrics_writer *w);
