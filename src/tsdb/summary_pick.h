/* Which summaries of a series hold, when all that is known of it is put together: chunks of several parts may overlap, and
 * late samples lie in between. Pure; thread-safe. */
#pragma once

#include "base/attr.h"
#include "storage/querier.h"
#include "tsdb/part_read.h"

/* Replaces the content of `out` with those summaries within [min_t_ms, max_t_ms] in whose time no other sample of the series
 * lies. `spans`: all chunks that touch the range, of all parts; they are sorted here. `head_t`: the times of the samples
 * that are in no part, ascending. False: no memory. */
MUST_CHECK bool summaries_pick(struct chunk_spans *spans, const int64_t *head_t, size_t n_head,
    int64_t min_t_ms, int64_t max_t_ms, struct sample_summaries *out);
