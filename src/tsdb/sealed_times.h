/* Which late samples the parts have already. Whoever appends a late sample does not look into parts, so it may come at a time
 * at which its series has a sealed sample: the same once more, or another value. Sealing asks here and leaves it out. So no
 * two parts have a series at the same time, and the value that was acknowledged first is the one that is seen, whatever is
 * joined with what.
 *
 * Deleted samples do not count: what comes at their time is new. One thread. */
#pragma once

#include "model/labels.h"
#include "storage/querier.h"
#include "tsdb/part_set.h"

struct sealed_times;

/* The set is borrowed. */
struct sealed_times *sealed_times_new(const struct part_set *set);
/* Takes NULL. */
void sealed_times_free(struct sealed_times *s);

/* Takes out of `c` (times ascend) the samples at whose times some part has one of this series. Series come in labels_cmp()
 * order, each once. Returns how many of them had another value there. What cannot be read counts as not there: a sample that
 * is there twice is better than one that is lost. */
size_t sealed_times_leave_out(struct sealed_times *s, const struct labels *labels, struct sample_column *c);
