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
#include "model/exemplar.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "model/matcher.h"
#include <stdint.h>

struct select_hints {
	int64_t start_ms, end_ms; /* the samples wanted, both ends included */
	int64_t step_ms;          /* of the query; 0: instant */
	int64_t range_ms;         /* of the selector; 0: instant selector */
	/* Windows far apart: only samples of (end_ms - k * step_ms - window_ms, end_ms - k * step_ms] are wanted, for each k from 0
	 * on. A store may give the others all the same. 0: all are. */
	int64_t window_ms;
	bool
	    newest_only; /* only the newest sample at or before end_ms counts (instant query over a plain selector) */
	const char *func; /* "rate", "sum": what is done with it; "series": labels only; NULL: unknown */
};

/* What a column remembers of its times, so that the next series need not have the same ones decoded again: see
 * sample_column_has_times(). */
struct times_piece {
	uint64_t key;  /* equal keys: equal times (a good hash of 64 bits will do); 0: unknown */
	uint32_t n;    /* how many */
	uint32_t from; /* the store's own: which of a chunk's times they begin with */
};
struct column_times {
	struct times_piece *pieces; /* what t[] holds from its beginning on */
	size_t n, cap;
	size_t at;    /* those that the series at hand has */
	size_t known; /* samples in them */
	uint64_t id;  /* of all of them */
	uint64_t ascending; /* the id of times that were seen to ascend (tsdb/column_order.h) */
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
	struct column_times times;
};

void sample_column_init(struct sample_column *c, struct arena *histograms);
void sample_column_done(struct sample_column *c);
void sample_column_reset(struct sample_column *c);
/* Room for n more; false when the system refuses. */
MUST_CHECK bool sample_column_reserve(struct sample_column *c, size_t more);
MUST_CHECK bool sample_column_push(struct sample_column *c, int64_t t_ms, double v, const struct histogram *h);

/* Series that are scraped together have the same times, and decoding them once is enough. A store that is about to append a
 * stretch of times asks: true when t[c->n ..) holds them already, left by the series that was read into `c` before; false
 * when they have to be written there (room was reserved) and then noted. Only then c->n moves. */
MUST_CHECK bool sample_column_has_times(struct sample_column *c, uint64_t key, struct times_piece *out);
void sample_column_note_times(struct sample_column *c, struct times_piece piece);
/* For whoever changes times that are there, or writes behind c->n without keeping it: otherwise these would be believed. */
void sample_column_forget_times(struct sample_column *c);
/* The times as a number: columns (of one store, in one process) with the same id and the same n hold the same t[], so that
 * what was computed of one holds for the other. 0: not known, compare them. */
uint64_t sample_column_times_id(const struct sample_column *c);

/* The start timestamp of the sample that was pushed last. A column that has any must be filled by push alone. */
MUST_CHECK bool sample_column_set_start(struct sample_column *c, int64_t start_ms);

/* What a stretch of samples that follow each other adds up to: known without decoding them. All are floats, none is a stale
 * marker, none is deleted, and no other sample of the series lies between the first and the last. NaN compares false with
 * everything, as in PromQL. */
struct sample_summary {
	int64_t first_t_ms, last_t_ms;
	double first, last;
	double min, max;  /* of those that are no NaN; NaN when all are */
	double sum, rest; /* the exact sum, rounded, and what rounding left; a sum that is not finite says nothing */
	double dropped;   /* the sum of the values right before a reset, in order: increase = last - first + dropped */
	uint32_t count;
	uint32_t nans;
	uint32_t resets;  /* v[i] < v[i - 1] */
	uint32_t changes; /* v[i] != v[i - 1], two NaNs being the same */
	bool follows;     /* no sample of the series lies between the summary before (the range's beginning) and this one */
};

/* In time order. Memory of the owner, who begins with zeros, reuses it, and ends with sample_summaries_done(). */
struct sample_summaries {
	size_t n, cap;
	struct sample_summary *v;
	bool nothing_follows; /* no sample lies between the last summary and the range's end */
};
void sample_summaries_done(struct sample_summaries *s);
/* Room for one more, which is counted; NULL when the system refuses. */
struct sample_summary *sample_summaries_add(struct sample_summaries *s);

/* The newest sample of a series, or why there is none to be had at once. */
struct newest_sample {
	int64_t t_ms;
	double v;
};
#define NEWEST_NONE INT64_MIN       /* no sample in the range */
#define NEWEST_READ (INT64_MIN + 1) /* perhaps: the series has to be read */

/* Series of one group that follow each other in a set. */
struct series_run {
	uint32_t first, n, group;
};

/* The series of a set numbered by groups: by series, or in runs. All of it in the arena of who asked. */
struct series_groups {
	uint32_t n;              /* groups */
	uint32_t *member;        /* of each group: one of its series */
	uint32_t *group;         /* of each series; NULL: see runs */
	struct series_run *runs; /* all series, in order */
	size_t n_runs;
};

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
	/* For long windows; both may be NULL: the store keeps no summaries, or cannot tell. Replaces the content of `out` with
	 * the summaries of series i that lie within [min_t_ms, max_t_ms] (itself within the hints' range) as a whole. What
	 * lies beside them has to be read: read_between() is read() for a narrower range. */
	int (*summaries)(struct series_set *s, size_t i, int64_t min_t_ms, int64_t max_t_ms, struct sample_summaries *out,
	    struct err *err);
	int (*read_between)(struct series_set *s, size_t i, int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out,
	    struct err *err);
	/* NULL, or of a set that was selected for newest samples alone: those of series first .. first + n - 1, which cost a look
	 * each. Series that have none are in such a set, too. */
	void (*newest)(struct series_set *s, size_t first, size_t n, struct newest_sample *out);
	/* NULL, or: which series have equal values of these labels, found without making label sets. False: not so cheap here.
	 * The query's thread only. */
	bool (*groups)(struct series_set *s, const struct slice *names, size_t n_names, struct arena *arena,
	    struct series_groups *out);
};

struct querier;

struct querier_ops {
	/* Series with at least one sample in the range (a store may give a few that turn out empty). The order is the same for
	 * the same data; by labels when `sorted`. Annotations of remote stores go to the arena-owned list later. */
	int (*select)(struct querier *q, struct arena *arena, const struct matcher *const *matchers,
	    size_t n_matchers, bool sorted, const struct select_hints *hints, struct series_set **out,
	    struct err *err);
	/* Sorted, unique names / values of those series that match (all when n_matchers is 0); `limit` 0: no limit;
	 * *truncated says that the limit cut. */
	int (*label_names)(struct querier *q, struct arena *arena, const struct matcher *const *matchers,
	    size_t n_matchers, size_t limit, struct slice **out, size_t *n, bool *truncated, struct err *err);
	int (*label_values)(struct querier *q, struct arena *arena, struct slice name,
	    const struct matcher *const *matchers, size_t n_matchers, size_t limit, struct slice **out,
	    size_t *n, bool *truncated, struct err *err);
	void (*close)(struct querier *q);
};

struct querier {
	const struct querier_ops *ops;
};

/* Where queriers come from. */
struct queryable {
	/* A snapshot over [min_t_ms, max_t_ms]. The caller closes it. */
	int (*open)(struct queryable *self, int64_t min_t_ms, int64_t max_t_ms, struct querier **out,
	    struct err *err);
};

/* --- exemplars ------------------------------------------------------------------------------------------------- */

struct matcher_list {
	const struct matcher *const *v;
	size_t n;
};

/* Those of one series, by time. */
struct exemplar_series {
	const struct labels *labels;
	const struct exemplar *v;
	size_t n;
};

/* Where exemplars come from. Thread-safe. */
struct exemplar_queryable {
	/* The exemplars within [min_t_ms, max_t_ms] of the series that match all of one of the lists; series without any are
	 * left out, the others sorted by labels. All in the arena. ERR_LIMIT: it is full. */
	int (*select)(struct exemplar_queryable *self, struct arena *arena, const struct matcher_list *any,
	    size_t n_any, int64_t min_t_ms, int64_t max_t_ms, const struct exemplar_series **out, size_t *n,
	    struct err *err);
};
