/* Time intervals of Alertmanager: times of day, weekdays, days of the month, months, years, in one place of
 * the world. A field that is not given always matches; all given fields must match; inside a field any range
 * may. Reading only; whether a moment lies inside is alertmanager/mute_time.h. */
#pragma once

#include "config/decode.h"
#include <stdint.h>

struct time_zone; /* model/time_zone.h */

/* Both ends belong to the range, but for times of day, whose end does not. */
struct int_range {
	int32_t begin, end;
};

struct int_ranges {
	struct int_range *v;
	size_t n;
};

struct time_interval {
	struct int_ranges times;         /* minutes since midnight: begin <= t < end */
	struct int_ranges weekdays;      /* 0: Sunday */
	struct int_ranges days_of_month; /* 1..31, or -31..-1 from the month's end */
	struct int_ranges months;        /* 1: January */
	struct int_ranges years;
	const struct time_zone *zone; /* NULL: UTC */
};

/* One item of a `time_intervals` list. False when anything was wrong. */
bool time_interval_decode(struct config_ctx *ctx, const struct yaml_node *node, struct time_interval *out);
