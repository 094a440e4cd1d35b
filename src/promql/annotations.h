/* Warnings and infos that a query collects while it runs: texts with the place in the query they are about, each once.
 * Owned by one evaluation, in its arena; one thread. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"
#include "promql/ast.h"

struct annotation_list {
	struct slice *v;
	size_t n, cap;
};

struct annotations {
	struct arena *arena; /* borrowed */
	struct slice query;  /* the text that positions count in */
	struct annotation_list warnings, infos;
};

void annotations_init(struct annotations *a, struct arena *arena, struct slice query);
/* Adds "PromQL warning: <text> (line:col)" / "PromQL info: ...", the position being that of `where`. */
void annotate_warning(struct annotations *a, struct ast_range where, const char *fmt, ...) PRINTF_LIKE(3, 4);
void annotate_info(struct annotations *a, struct ast_range where, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What can be wrong with a row or with a value, collected as bits where many rows are worked on at once, and turned into
 * texts afterwards. */
enum row_note {
	NOTE_MIXED_FLOATS_HISTOGRAMS = 1,
	NOTE_NOT_COUNTER = 2,         /* a gauge histogram under rate() */
	NOTE_NOT_GAUGE = 4,           /* a counter histogram under delta() */
	NOTE_MIXED_SCHEMAS = 8,       /* exponential and custom buckets */
	NOTE_HISTOGRAMS_IGNORED = 16, /* by a function of floats, floats being there too */
	NOTE_RESET_CONFLICT = 32,     /* counter resets that contradict each other */
	NOTE_BOUNDS_RECONCILED = 64,
	NOTE_BOUNDS_ADDED = 512,      /* the same, by an addition where the operation is another */
	NOTE_STARTS_OVERLAP = 256,    /* a sample's start timestamp lies before the sample before it */
	NOTE_MAYBE_NOT_COUNTER = 128, /* rate() gave floats: the name is to be looked at */
};

/* The texts for the bits of one row. `name` is the metric's, `operation` ("addition", "aggregation", ...) is for the
 * histogram notes. */
void annotate_row_notes(
    struct annotations *a, struct ast_range where, unsigned notes, struct slice name, const char *operation);
