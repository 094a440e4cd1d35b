/* OpenMetrics text 1.0, as far as upstream checks it: tokens and their order, single blanks, units that end the metric's
 * name, and "# EOF" at the end; not which samples a family may have. One pass without copying: every slice points into the
 * body. Errors are worded as upstream words them. One thread; nothing to free.
 *
 * The body may come in pieces that end with a newline each, so that a file of any size is read in bounded memory. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "model/labels.h"
#include "model/metadata.h"

enum openmetrics_entry { OPENMETRICS_SERIES, OPENMETRICS_HELP, OPENMETRICS_TYPE, OPENMETRICS_UNIT };

struct openmetrics_exemplar {
	struct slice labels; /* raw: {a="b"} */
	double value;
	bool has_time;
	int64_t t_ms;
};

struct openmetrics_parser {
	const char *body, *end;
	const char *at;    /* where the next entry begins */
	const char *start; /* of this entry */
	bool more;         /* other pieces follow this one */
	bool ended;        /* "# EOF" came */
	uint64_t lines;    /* in the pieces before */
	enum openmetrics_entry entry;
	/* OPENMETRICS_SERIES */
	struct slice series; /* raw: name{labels} as it stands there */
	double value;        /* NaN is always NORMAL_NAN_BITS */
	bool has_time;
	int64_t t_ms;
	bool has_exemplar;
	struct openmetrics_exemplar exemplar;
	/* OPENMETRICS_HELP, _TYPE, _UNIT */
	struct slice metric;   /* still escaped when it was quoted */
	struct slice text;     /* help, still escaped (as text_unescape() with quotes); or the unit */
	enum metric_type type; /* of the last OPENMETRICS_TYPE, for the series that follow */
};

/* The whole body, or with `more` its first piece. It outlives the parser, or lives until the next piece. */
void openmetrics_init(struct openmetrics_parser *p, struct slice body, bool more);
/* The next piece; not `more`: the last. What openmetrics_next() gave points into the piece before, which may go. */
void openmetrics_continue(struct openmetrics_parser *p, struct slice body, bool more);
/* 0: an entry; 1: the end of the body, or of this piece; ERR_INVALID, with the line (counted over all pieces). */
MUST_CHECK int openmetrics_next(struct openmetrics_parser *p, struct err *err);

/* The line of the current entry, over all pieces, from 1 on. */
uint64_t openmetrics_line(const struct openmetrics_parser *p);

/* The labels of the current series, the metric's name among them as __name__, in the order of the text, with empty values;
 * the array and what had to be unescaped live in the arena. `le` of a histogram and `quantile` of a summary are normalised
 * ("1" becomes "1.0"). */
void openmetrics_labels(struct openmetrics_parser *p, struct arena *arena, struct label **out, size_t *n);
/* The same for its exemplar. */
void openmetrics_exemplar_labels(
    struct openmetrics_parser *p, struct arena *arena, struct label **out, size_t *n);
