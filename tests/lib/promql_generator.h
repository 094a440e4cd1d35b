/* Random data and random questions about it, for comparing two evaluators. The data is small and nasty: counters with resets,
 * series that end, return, turn stale, change from floats to histograms; equal label sets under several names; NaN, infinities,
 * classic histograms that are none. Questions are well-typed expressions of bounded depth over the names and labels of the
 * data, as instant or range queries; what fails fails while it is evaluated. The same seed gives the same. */
#pragma once

#include "base/arena.h"
#include "promql/engine.h"
#include "storage/mem_store.h"
#include "tests/lib/test.h"

struct promql_data {
	int64_t start_ms, end_ms; /* of the samples */
	int64_t interval_ms;      /* between two samples of a series, most of the time */
	bool starts;              /* counters tell when they began */
};

/* Fills an empty store. Label sets lie in the arena. */
void promql_data_make(
    struct test_random *r, struct mem_store *store, struct arena *arena, struct promql_data *out);

struct promql_question {
	struct slice text; /* in the arena */
	int64_t start_ms, end_ms, step_ms, lookback_ms;
	bool delayed_name_removal, use_start_timestamps, type_and_unit_labels;
	bool long_windows; /* sums over many samples: right to 1e-12 only */
	bool is_ordered;   /* the order of the answer counts */
};

void promql_question_make(
    struct test_random *r, struct arena *arena, const struct promql_data *data, struct promql_question *out);
