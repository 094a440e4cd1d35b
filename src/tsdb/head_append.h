/* Transactions on the head: the appender of storage/appender.h. Samples wait in the appender until commit, which takes them
 * stripe by stripe: one lock a stripe, the accepted ones to the log and to the chunks in the same breath, so that the log
 * has them in the order in which memory has them. */
#pragma once

#include "storage/appender.h"
#include "tsdb/head.h"

MUST_CHECK int head_begin(struct appendable *self, struct appender **out, struct err *err);
void head_free_spare(struct head *h);

/* What is accepted now. */
struct append_bounds {
	int64_t min_t_ms, max_t_ms;
	int64_t late_from_ms; /* of samples that are older than the newest of their series; LATE_NEVER: none */
};
#define LATE_NEVER INT64_MAX

/* For replay: takes the samples of a log record, without logging them. Returns how many were accepted. */
size_t head_replay_samples(struct head *h, const struct sample *s, size_t n);
size_t head_replay_histogram(struct head *h, series_ref ref, int64_t t_ms, struct slice chunk);
