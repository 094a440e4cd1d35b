/* What a query answers: a scalar, a string, an instant vector or a matrix, with warnings and statistics. Everything lies in
 * one arena that belongs to the result; it is dropped as a whole by query_result_free(). Immutable: readable from any
 * thread.
 *
 * Points are columns: t_ms[i], v[i], and h[i] where the point is a native histogram (h is NULL when the series has none,
 * h[i] is NULL where the point is a float). A series of a range query that has a point at every step shares its time column
 * with the result (t_ms == result->grid_ms), so that a writer of JSON can print each step's time once. */
#pragma once

#include "base/arena.h"
#include "model/histogram.h"
#include "model/labels.h"
#include <stdint.h>

enum query_value_kind { QUERY_SCALAR, QUERY_STRING, QUERY_VECTOR, QUERY_MATRIX };

struct result_series {
	const struct labels *labels;
	size_t n; /* points; exactly 1 in a vector and in a scalar */
	const int64_t *t_ms;
	const double *v;
	const struct histogram *const *h;
};

/* Where the work went, for the `stats` parameter and for /metrics. Samples are counted as Prometheus counts them (a
 * histogram by its size); how, is told in promql/sample_account.h. */
struct query_stats {
	uint64_t samples_decoded; /* read from the store */
	uint64_t samples_seen;    /* summed over the windows of all steps: totalQueryableSamples */
	uint64_t samples_fresh;   /* of those, the ones that the step before had not seen: samplesRead */
	uint64_t peak_samples;    /* most held at one time */
	const uint64_t *seen_by_step, *fresh_by_step; /* n_steps numbers each, when they were asked for */
	int64_t queue_ns, prepare_ns, eval_ns, sort_ns, total_ns;
};

struct query_result {
	enum query_value_kind kind;
	int64_t start_ms, end_ms, step_ms; /* as asked; step 0: instant */
	size_t n_steps;
	const int64_t *grid_ms; /* n_steps times: start, start + step, ... */

	/* QUERY_SCALAR: one series without labels; QUERY_VECTOR: one point a series, in the order of the result;
	 * QUERY_MATRIX: sorted by labels. A range query is always a matrix. */
	struct result_series *series;
	size_t n_series;
	struct slice string; /* QUERY_STRING */

	/* Finished texts ("PromQL warning: ... (1:2)"), unique, in the order of their first appearance, uncapped. */
	const struct slice *warnings, *infos;
	size_t n_warnings, n_infos;

	struct query_stats stats;
	const struct explain_node *plan; /* when it was asked for */
	struct arena *arena;             /* owns all of the above, and the result itself */
};

/* Takes NULL. */
void query_result_free(struct query_result *r);

/* For tests and logs: one line a series, "labels => value @[t_ms] ..." */
struct strbuf;
void query_result_print(struct strbuf *out, const struct query_result *r);
