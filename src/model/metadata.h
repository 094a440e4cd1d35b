/* What a metric is said to be: its type, help and unit. */
#pragma once

#include "base/slice.h"

enum metric_type { METRIC_UNKNOWN, METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_GAUGE_HISTOGRAM, METRIC_SUMMARY, METRIC_INFO, METRIC_STATESET };

struct metadata {
	enum metric_type type;
	struct slice help, unit;
};

/* "counter", "unknown", ... as the API spells them. */
const char *metric_type_name(enum metric_type t);
/* "untyped" and anything else is METRIC_UNKNOWN; *known says whether the word was a legal type. */
enum metric_type metric_type_parse(struct slice s, bool *known);
