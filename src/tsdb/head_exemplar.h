/* Exemplars on their way: a transaction keeps them until its commit, which takes them to the ring (exemplar_ring.h) and the
 * log. The log names their series by labels, so that replay needs nothing else. */
#pragma once

#include "tsdb/head.h"

struct pending_exemplar {
	const struct labels *series;
	struct exemplar exemplar;
};
VEC_DEFINE(pending_exemplars, struct pending_exemplar);

/* Of one transaction. A zeroed struct is empty. */
struct exemplar_batch {
	struct pending_exemplars v;
	struct arena *arena; /* their labels; NULL until it is needed */
};
void exemplar_batch_reset(struct exemplar_batch *b);
void exemplar_batch_done(struct exemplar_batch *b);

/* storage/appender.h: append_exemplars(). */
void head_append_exemplars(struct head *h, uint32_t round, struct exemplar_batch *b,
    const struct exemplar_sample *e, size_t n, uint8_t *results);
/* Takes and logs them. */
void head_commit_exemplars(struct head *h, const struct exemplar_batch *b);
/* For replay: those of a record of the log. ERR_CORRUPT. */
MUST_CHECK int head_replay_exemplars(struct head *h, uint64_t record, struct slice payload);
/* Before the log up to a record is cut: writes what would go with it once more. */
void head_log_exemplars_again(struct head *h, uint64_t record);
/* Brings the metrics up to date. */
void head_set_exemplar_gauges(struct head *h);
