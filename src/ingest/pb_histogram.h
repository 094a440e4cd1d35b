/* A native histogram of remote write (prometheus.Histogram), turned into the one that everything computes with. Integer
 * histograms, whose counts are differences, become float counts here; resolutions above 8 are reduced to 8. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "model/histogram.h"

/* The histogram lives in the arena. ERR_INVALID: torn, or it contradicts itself; the message says how. */
MUST_CHECK int pb_histogram_read(
    struct slice message, struct arena *arena, int64_t *t_ms, const struct histogram **out, struct err *err);
