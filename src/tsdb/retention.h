/* Dropping parts that are past their time, and the oldest ones when all files together are too large. */
#pragma once

#include "tsdb/tsdb_priv.h"

/* MAINTENANCE. The age of a part counts from `now_ms` or from the newest sample, whichever is earlier: a clock that jumps
 * ahead deletes nothing. */
MUST_CHECK int retention_run(struct tsdb *db, int64_t now_ms, struct err *err);
