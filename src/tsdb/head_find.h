/* Finding series by the keys of a writer (storage/appender.h), on top of the table of keys: writers send their series in the
 * same order again and again, so each series remembers which one was found behind it. Where that is right, a lookup reads
 * neighbours in memory instead of a random place of the table. */
#pragma once

#include "tsdb/head.h"

/* refs[i] for keys[i], 0: not known, or the series has ended. `before` is the series found before keys[0] (0: none); returns
 * the one to hand in next. Takes the keys' lock for reading. */
series_ref head_find(
    struct head *h, series_ref before, const struct series_key *keys, size_t n, series_ref *refs);
