/* Pieces of one series that were pushed one behind the other, brought into one ascending column. */
#pragma once

#include "base/attr.h"
#include "storage/querier.h"

/* Sorts the samples of `c` from index `from` on by time, when they are not yet; of equal times the one pushed last stays.
 * False: no memory. */
MUST_CHECK bool column_order(struct sample_column *c, size_t from);
