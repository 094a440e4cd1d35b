/* Durations as the two shapes /metrics shows: quantiles over the last ten minutes and a histogram since the start. Quantiles come
 * from buckets a twentieth wide, in five boxes of two minutes of which the oldest is emptied: 2.5 % of error, 34 KB. The owner
 * locks. */
#pragma once

#include "base/counters.h"
#include <stdint.h>

enum { SUMMARY_BOXES = 5, SUMMARY_BUCKETS = 430, HISTOGRAM_BOUNDS = 4 };

struct duration_summary {
	uint32_t boxes[SUMMARY_BOXES][SUMMARY_BUCKETS];
	int64_t box; /* number of the newest box: its time divided by two minutes */
	uint64_t count, histogram[HISTOGRAM_BOUNDS];
	double sum_s;
};

/* `now_ns` of clock_mono_ns(). */
void duration_summary_add(struct duration_summary *d, int64_t now_ns, int64_t ns);
/* Seconds; NaN when there was nothing in ten minutes. */
double duration_summary_quantile(struct duration_summary *d, int64_t now_ns, double q);
/* Samples with the label slice: quantiles .5 .9 .99, _sum, _count; / buckets .01 .1 1 10 +Inf, _sum, _count. */
void duration_summary_put(
    struct duration_summary *d, int64_t now_ns, struct metrics_writer *w, const char *slice);
void duration_summary_put_histogram(
    const struct duration_summary *d, struct metrics_writer *w, const char *slice);
