/* Pieces of one series that were pushed one behind the other, brought into one ascending column. Pieces are pushed in the
 * order in which they were acknowledged, older parts first, the head last: so the first value at a time is the one that
 * counts, wherever a series is read. */
#pragma once

#include "base/attr.h"
#include "storage/querier.h"

/* Sorts the samples of `c` from index `from` on by time, when they are not yet; of equal times the one pushed first stays.
 * False: no memory. */
MUST_CHECK bool column_order(struct sample_column *c, size_t from);
