/* Which of the head's series are of one group, for aggregations: found without their labels as text, either by what the index
 * knows of each value (series of one target are neighbours, so a value is a few runs), or by the symbols of each series. */
#pragma once

#include "tsdb/head.h"
#include "tsdb/postings_runs.h"

/* Groups the matched series (`runs` of them) by the values of one label, in runs. False: it would take too many. */
bool group_by_postings(struct head *h, const struct postings *matched, const struct ref_runs *runs,
    struct slice name, struct arena *arena, struct series_groups *out);
/* Groups n series by some labels; handle(arg, i) is the handle of series i, 0: it has none. False: one has none. */
bool group_by_handles(struct head *h, size_t n, uint32_t (*handle)(void *arg, size_t i), void *arg,
    const struct slice *names, size_t n_names, struct arena *arena, struct series_groups *out);
