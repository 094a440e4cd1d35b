/* The newest sample of each series in a dense column of its own, indexed by ref: what duplicates are checked against and
 * what instant queries read. For a series whose newest sample is a native histogram, `v` holds the bits of a hash of it. */
#pragma once

#include <stdint.h>

struct last_sample {
	int64_t t_ms; /* INT64_MIN: none yet */
	double v;
};
