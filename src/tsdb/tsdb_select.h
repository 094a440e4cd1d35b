/* Which series match, joined over the head and the parts: a series is known by its labels, whichever of them have it. */
#pragma once

#include "tsdb/part_set.h"
#include "tsdb/tsdb_priv.h"

struct select_range {
	struct tsdb *db;
	struct head *head;      /* that of the store, or an empty one while the log is read */
	struct part_set *parts; /* borrowed: outlives the series set */
	int64_t min_t_ms, max_t_ms;
	int64_t last_ms, step_ms, window_ms; /* windows as in struct select_hints, the last of which ends at last_ms */
	bool newest_only;
	bool labels_only; /* which series there are is all that is wanted */
	bool sorted;
};

MUST_CHECK int tsdb_select(const struct select_range *range, struct arena *arena,
    const struct matcher *const *matchers, size_t n_matchers, struct series_set **out, struct err *err);
/* The same without the shortcut for newest samples of the head (tsdb/newest_set.h): all series are looked up one by one. */
MUST_CHECK int tsdb_select_all(const struct select_range *range, struct arena *arena,
    const struct matcher *const *matchers, size_t n_matchers, struct series_set **out, struct err *err);
/* The place of a series of the head that had samples in the range, in a set made by tsdb_select_all(), not sorted. False: none. */
bool tsdb_select_find(struct series_set *s, series_ref ref, size_t *place);
