/* An exemplar: one event behind a sample of a counter or a histogram, named by labels of its own (a trace, mostly). */
#pragma once

#include "base/err.h"
#include "model/labels.h"
#include <stdbool.h>
#include <stdint.h>

enum {
	EXEMPLAR_MAX_RUNES = 128, /* of all its names and values */
	EXEMPLAR_MAX_LABELS = EXEMPLAR_MAX_RUNES / 2,
};

struct exemplar {
	int64_t t_ms;
	double v;
	bool has_time;               /* t_ms is its own; else that of the sample it came with */
	const struct labels *labels; /* may be empty */
};

/* Whether its labels are short enough to be kept (ERR_LIMIT), and are labels at all (ERR_INVALID). */
MUST_CHECK int exemplar_check(const struct labels *labels, struct err *err);
/* The order of the exemplars of a series: by time, value, labels. */
int exemplar_cmp(const struct exemplar *a, const struct exemplar *b);
/* Whether both are of one event: one that has no time of its own is exposed again and again. */
bool exemplar_same(const struct exemplar *a, const struct exemplar *b);
