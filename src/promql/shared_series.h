/* A series set that two selectors of one query read: the first reader of a series decodes it, the other gets a copy. Only
 * plain floats are kept, and no more than a bound of bytes; the rest is read again. Safe for several threads that read
 * different series at a time. */
#pragma once

#include "storage/querier.h"

enum { SHARED_SERIES_BYTES = 64 << 20 };

/* Lives in the arena, and needs `of` for as long; `of` itself when it is one already. */
struct series_set *shared_series(struct arena *arena, struct series_set *of);
