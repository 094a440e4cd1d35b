/* The door for queries: a snapshot of the parts, and the head as it is. */
#pragma once

#include "storage/querier.h"

MUST_CHECK int tsdb_querier_open(
    struct queryable *self, int64_t min_t_ms, int64_t max_t_ms, struct querier **out, struct err *err);
