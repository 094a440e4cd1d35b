/* The series set of an instant query when the head alone can answer it: which refs, as runs, and nothing else. The newest
 * samples are read straight out of the head's dense column (tsdb/last_sample.h) when they are asked for, labels when
 * somebody wants them, so that an aggregate over millions of series touches sixteen bytes of each.
 *
 * A series whose newest sample does not answer (it is behind the range's end, or a histogram) is read like any other; when
 * the head's open chunk is not enough, all that matches is looked up once, parts included. */
#pragma once

#include "tsdb/postings.h"
#include "tsdb/tsdb_select.h"

/* Whether the head knows all series that can have a newest sample in the range. */
bool newest_set_applies(const struct select_range *range);
/* Takes the content of `matched`. */
struct series_set *newest_set_new(const struct select_range *range, struct arena *arena,
    const struct matcher *const *matchers, size_t n_matchers, struct postings *matched);
