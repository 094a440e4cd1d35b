/* Series with their samples as the test languages write them: `name{a="b"} 1 2+3x4 _ stale {{schema:0
 * buckets:[1 2]}}x3` (promql test scripts, rule unit tests). Thread-safe; everything lives in the arena.
 *
 * Errors are ERR_INVALID with Prometheus's form, "1:13: parse error: unexpected " " in series values". */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/histogram.h"
#include "model/labels.h"

enum { SERIES_NOTATION_MAX_VALUES = 10000000 };

struct series_value {
	bool missing;              /* "_" */
	bool hint_given;           /* the histogram says counter_reset_hint */
	double v;                  /* may be the stale marker */
	const struct histogram *h; /* NULL: a float */
};

struct series_notation {
	const struct labels *labels;
	struct series_value *values;
	size_t n;
};

/* A series and its values. */
MUST_CHECK int series_notation_parse(
    struct arena *arena, struct slice text, struct series_notation *out, struct err *err);
/* A series alone: name{a="b"}. */
MUST_CHECK int series_notation_labels(
    struct arena *arena, struct slice text, const struct labels **out, struct err *err);
/* Values alone. */
MUST_CHECK int series_notation_values(
    struct arena *arena, struct slice text, struct series_value **values, size_t *n, struct err *err);
/* One histogram, {{...}}. */
MUST_CHECK int series_notation_histogram(
    struct arena *arena, struct slice text, const struct histogram **out, struct err *err);

/* {{schema:1 count:3.1 sum:-0.3 ...}}, members that are 0 left out. */
void series_notation_print_histogram(struct strbuf *out, const struct histogram *h);
