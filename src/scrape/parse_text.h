/* The text exposition format (0.0.4 and 1.0.0), walked in one pass without copying: every slice points into the body.
 *
 * Two speeds. The walker finds where the raw text of a series ends, its value and its timestamp; it does not look at names
 * and labels, because the raw text of a known series says all there is to know (scrape/scrape_cache.h). Only for text that
 * is new text_series_labels() takes it apart, strictly. Whatever the walker does not understand is given to the strict
 * parser too, which has the last word and words the errors as upstream does. One thread; nothing to free. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "model/labels.h"
#include "model/metadata.h"

enum text_entry { TEXT_SERIES, TEXT_HELP, TEXT_TYPE };

struct text_parser {
	const char *body, *end;
	const char *at;    /* where the next entry begins */
	const char *start; /* of this entry */
	enum text_entry entry;
	/* TEXT_SERIES */
	struct slice series; /* raw: name{labels} as it stands there */
	double value;        /* NaN is always NORMAL_NAN_BITS */
	bool has_time;
	int64_t t_ms;
	/* TEXT_HELP, TEXT_TYPE */
	struct slice metric;   /* still escaped when it was quoted */
	struct slice help;     /* still escaped */
	enum metric_type type; /* of the last TEXT_TYPE, for the series that follow */
};

/* `body` ends with a newline (the caller adds one to what came over the network) and outlives the parser. */
void text_parser_init(struct text_parser *p, struct slice body);
/* 0: an entry; 1: the end; ERR_INVALID. Comments are skipped. */
MUST_CHECK int text_parser_next(struct text_parser *p, struct err *err);

/* The labels of the current series, the metric's name among them as __name__, in the order of the text, with empty values;
 * the array and what had to be unescaped live in the arena. `le` of a histogram and `quantile` of a summary are normalised
 * ("1" becomes "1.0"). ERR_INVALID; may move p->series, when the walker had cut it wrongly. */
MUST_CHECK int text_series_labels(
    struct text_parser *p, struct arena *arena, struct label **out, size_t *n, struct err *err);

/* `\\`, `\n` and, in quoted text, `\"` replaced; the same slice when there is none. */
struct slice text_unescape(struct slice s, bool quoted, struct arena *arena);
/* The value of a label of a series of this type: `le` of a histogram and `quantile` of a summary normalised, others as they
 * are. */
struct slice text_normal_value(
    enum metric_type type, struct slice name, struct slice value, struct arena *arena);
