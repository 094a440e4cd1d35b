#include "model/metadata.h"

static const char *const names[] = {
    [METRIC_UNKNOWN] = "unknown",
    [METRIC_COUNTER] = "counter",
    [METRIC_GAUGE] = "gauge",
    [METRIC_HISTOGRAM] = "histogram",
    [METRIC_GAUGE_HISTOGRAM] = "gaugehistogram",
    [METRIC_SUMMARY] = "summary",
    [METRIC_INFO] = "info",
    [METRIC_STATESET] = "stateset",
};

const char *metric_type_name(enum metric_type t)
{
	return names[t];
}

enum metric_type metric_type_parse(struct slice s, bool *known)
{
	*known = true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_cstr(s, names[i]))
			return (enum metric_type)i;
	*known = slice_eq(s, SL("untyped"));
	return METRIC_UNKNOWN;
}
