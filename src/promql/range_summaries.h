/* Long windows without decoding them: a store may know what whole stretches of samples add up to (sample_summary in
 * storage/querier.h). Then only what lies beside those stretches is read, sample by sample. Results are those of the kernels to
 * the bit, but for sums and means, whose last bit may differ as it does in slide_sums(). */
#pragma once

#include "promql/range_func.h"
#include "promql/series_reader.h"

/* Whether the function can be computed so, and such windows are worth asking for summaries. */
bool range_summaries_apply(
    enum function_id id, const struct window_spec *spec, const struct series_set *set, bool use_starts);

/* A thread's memory. */
struct range_summaries {
	struct sample_summaries found;
	double *drops; /* values before resets, in order */
	size_t n_drops, cap_drops;
	uint64_t *counts; /* samples of each window */
};
void range_summaries_done(struct range_summaries *s);

/* The row of series i. *done false: the store has nothing to tell of it, or it holds what only kernels understand; nothing was
 * written then. */
MUST_CHECK int range_summaries_row(struct range_summaries *s, struct range_call *c, struct series_reader *r,
    struct series_set *set, size_t i, struct tile *out, uint32_t row, bool *done, struct err *err);
