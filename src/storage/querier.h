/* Reading series: what PromQL, the API and federation see of any store (the local engine, remote servers, a fake in a
 * test). A querier is a snapshot of the store over a time range; a series set is what matched, with random access, so that
 * an engine can read it in tiles and from several threads.
 *
 * Memory: everything a querier hands out lives in the arena of that call. Thread-safety: a querier belongs to one thread
 * until series sets exist; series_set_labels/read may be called from several threads at once, each with its own arena or
 * buffers. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "model/matcher.h"
#include <stdint.h>

struct select_hints {
	int64_t start_ms, end_ms; /* the samples wanted, both ends included */
	int64_t step_ms;          /* of the query; 0: instant */
	int64_t range_ms;         /* of the selector; 0: instant selector */
	bool newest_only;         /* only the newest sample at or before end_ms counts (instant query over a plain selector) */
	const char *func;         /* "rate", "sum": what is done with it; "series": labels only; NULL: unknown */
};

/* The samples of one series in time order, as columns that the caller owns and reuses. Floats and histograms share the time
 * column: h is NULL when the series has no histogram at all, else h[i] is NULL where sample i is a float. Stale markers are
 * among the floats (model/stale_marker.h). */
struct sample_column {
	size_t n, cap;
	int64_t *t;
	double *v;
	const struct histogram **h;
	size_t h_cap;
	int64_t *start; /* when the counter of sample i began, 0 where nobody said; NULL: nobody ever did */
	size_t start_cap;
	struct arena *histograms; /* where the histograms live; borrowed from the reader's caller */
};

void sample_column_init(struct sample_column *c, struct arena *histograms);
void sample_column_done(struct sample_column *c);
void sample_column_reset(struct sample_column *c);
/* Room for n more; false when the system refuses. */
MUST_CHECK bool sample_column_reserve(struct sample_column *c, size_t more);
MUST_CHECK bool sample_column_push(struct sample_column *c, int64_t t_ms, double v, const struct histogram *h);
/* The start timestamp of the sample that was pushed last. A column that has any must be filled by push alone. */
MUST_CHECK bool sample_column_set_start(struct sample_column *c, int64_t start_ms);

struct series_set {
	const struct series_set_ops *ops;
	size_t n; /* series */
};

struct series_set_ops {
	/* Late: asked only for what survives. Lives in the arena or longer. */
	const struct labels *(*labels)(struct series_set *s, size_t i, struct arena *arena);
	/* Replaces the content of `out` with the samples of series i within the hints' time range. ERR_CORRUPT, ERR_IO. */
	int (*read)(struct series_set *s, size_t i, struct sample_column *out, struct err *err);
	/* An upper bound of the samples series i will give, cheaply; for limits and for the cost of a query. */
	size_t (*estimate)(struct series_set *s, size_t i);
};

struct querier;

struct querier_ops {
	/* Series with at least one sample in the range (a store may give a few that turn out empty). The order is the same for
	 * the same data; by labels when `sorted`. Annotations of remote stores go to the arena-owned list later. */
	int (*select)(struct querier *q, struct arena *arena, const struct matcher *const *matchers, size_t n_matchers,
	    bool sorted, const struct select_hints *hints, struct series_set **out, struct err *err);
	/* Sorted, unique names / values of those series that match (all when n_matchers is 0); `limit` 0: no limit;
	 * *truncated says that the limit cut. */
	int (*label_names)(struct querier *q, struct arena *arena, const struct matcher *const *matchers, size_t n_matchers,
	    size_t limit, struct slice **out, size_t *n, bool *truncated, struct err *err);
	int (*label_values)(struct querier *q, struct arena *arena, struct slice name, const struct matcher *const *matchers,
	    size_t n_matchers, size_t limit, struct slice **out, size_t *n, bool *truncated, struct err *err);
	void (*close)(struct querier *q);
};

struct querier {
	const struct querier_ops *ops;
};

/* Where queriers come from. */
struct queryable {
	/* A snapshot over [min_t_ms, max_t_ms]. The caller closes it. */
	int (*open)(struct queryable *self, int64_t min_t_ms, int64_t max_t_ms, struct querier **out, struct err *err);
};
