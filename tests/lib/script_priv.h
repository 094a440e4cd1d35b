/* Shared by the files of script_promql: what one eval expects, and how loading and comparing are asked
 * for. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "promql/ast.h"
#include "promql/query_result.h"
#include "promql/series_notation.h"
#include "storage/mem_store.h"
#include "tests/lib/script_start.h"

/* What an error or an annotation has to be. */
struct expected_text {
	struct slice text; /* empty: anything */
	bool is_regex;     /* found anywhere in it; else equal to it */
};
VEC_DEFINE(expected_text_vec, struct expected_text);
VEC_DEFINE(expected_series_vec, struct series_notation);

/* All that the lines below an eval ask for. */
struct expectation {
	bool fail, ordered, no_warn, no_info;
	bool has_scalar, has_string, has_range_vector;
	double scalar;
	struct slice string;
	int64_t from_ms, to_ms, step_ms; /* times of the values of a matrix */
	struct expected_text_vec fails, warns, infos;
	struct expected_series_vec series;
};

/* script_load.c: values at 0, step, 2 * step, ... into the store. ERR_INVALID when the line cannot be
 * read. */
struct script_load {
	struct mem_store *store;
	int64_t step_ms;
	bool with_nhcb; /* classic histograms again, as native ones with custom buckets */
	struct arena *arena;
	struct expected_series_vec lines;
	struct script_starts starts; /* of the series on the next line */
};
MUST_CHECK int script_load_line(struct script_load *l, struct slice line, struct err *err);
void script_load_finish(struct script_load *l);

/* script_compare.c: 0, or ERR_INVALID and "want ..., got ..." in `err`. */
MUST_CHECK int script_compare(
    const struct expectation *want, const struct query_result *got, struct err *err);
/* The values at one time of a range query, against what an instant query has to give. */
MUST_CHECK int script_compare_at(
    const struct expectation *want, const struct query_result *got, int64_t t_ms, struct err *err);
MUST_CHECK int script_compare_annotations(
    const struct expectation *want, const struct query_result *got, struct err *err);
MUST_CHECK int script_match_text(
    const struct expected_text *want, struct slice text, bool *matches, struct err *err);

/* script_pin.c: the text of the query with `@ t_ms` wherever it has none; false when its value follows the
 * time of evaluation all the same. */
bool script_pin(struct arena *arena, const struct expr *e, int64_t t_ms, struct slice *text);
