/* Late samples: those that are not newer than the newest of their series. Whether they are taken (storage/appender.h has the
 * answers), and taking them: into the stripe's side buffer (ooo_buffer.h). The rare way of head_append.c; under the stripe's
 * lock.
 *
 * A sample that is there already, in the open chunk, in the buffer or in what was sealed lately, is known again. What is in
 * parts alone is not looked up: such a sample is taken once more; readers see the one that came first, and sealing leaves the
 * other out (sealed_times.h). Nor is what is sealed and may have been deleted, the newest sample of a series included. */
#pragma once

#include "tsdb/head_append.h"

/* One more answer within the head: late, and to be taken. */
#define JUDGED_LATE APPEND_RESULTS

/* A sample as it is judged: `chunk` is empty for a float; for a histogram `v` has the bits of its hash. */
struct late_sample {
	series_ref ref;
	int64_t t_ms;
	double v;
	struct slice chunk;
};

/* Of a sample at or before the newest of its series. */
enum append_result head_judge_late(const struct append_bounds *bounds, const struct series_stripe *stripe,
    const struct head_block *b, const struct late_sample *s);
/* Takes what was judged JUDGED_LATE. APPEND_OK, APPEND_NO_ROOM. The caller notes times and counts. */
enum append_result head_take_late(
    struct head *h, struct series_stripe *stripe, struct head_block *b, const struct late_sample *s);
