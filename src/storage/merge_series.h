/* Several series sets as one: series with equal labels become one series, whose samples are merged by time. Of two samples
 * with one time the earlier set's counts, so the sets stand in order of preference (the head before its parts). */
#pragma once

#include "storage/querier.h"

/* The merged set lives in the arena, and needs the given ones for as long. When each set is sorted by labels, say so with
 * `sorted` and the result is sorted too; else its order is that of first appearance. */
struct series_set *merge_series(struct arena *arena, struct series_set *const *sets, size_t n, bool sorted);

/* Sorted, unique lists of names as one; at most `limit` of them (0: all), *truncated when that cut. */
void merge_names(struct arena *arena, struct slice *const *lists, const size_t *counts, size_t n, size_t limit,
    struct slice **out, size_t *n_out, bool *truncated);
