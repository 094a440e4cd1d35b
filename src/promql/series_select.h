/* From a selector of the tree to the series of the store: which times it looks at, and what it asks the querier for. */
#pragma once

#include "promql/eval.h"
#include "promql/window.h"
#include "storage/querier.h"

/* The windows of a selector or subquery with this shift, over the steps of the grid. */
struct window_spec window_spec_for(const struct time_shift *shift, const struct grid *grid, int64_t range_ms);

/* With the modifiers anchored and smoothed windows look beyond the range. */
void window_spec_extend(struct window_spec *spec, const struct selector *sel, int64_t lookback_ms);

/* What a selector with these windows asks the store for. `newest_only`: just the newest sample of each series counts. */
struct select_hints select_hints_for(
    const struct selector *sel, const struct window_spec *spec, bool newest_only, const char *func);

/* The series that match the selector `x`, with the samples that all windows of `spec` can see. In the query's arena. */
MUST_CHECK int series_select(struct eval *e, const struct expr *x, const struct window_spec *spec,
    bool newest_only, const char *func, struct series_set **out, struct err *err);

/* Whether all that match have one metric name, so that they still differ without it. */
bool selector_names_metric(const struct eval *e, const struct selector *sel);

/* Roughly how many samples reading all of the set gives, judged by a few of its series. */
uint64_t series_set_cost(struct series_set *set);
