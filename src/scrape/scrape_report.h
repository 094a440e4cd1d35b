/* The samples a scrape says of itself: up and its siblings, under the target's labels alone. */
#pragma once

#include "scrape/target.h"
#include "storage/appender.h"

enum report_series {
	REPORT_UP,
	REPORT_DURATION,
	REPORT_SCRAPED,
	REPORT_KEPT,
	REPORT_ADDED,
	REPORT_TIMEOUT, /* this and the next only with extra metrics */
	REPORT_SAMPLE_LIMIT,
	REPORT_BODY_SIZE,
	REPORT_SERIES,
};
enum { REPORT_USUAL = REPORT_TIMEOUT };

/* `values` by enum report_series, of which the first `n` are written; `refs` are the loop's REPORT_SERIES, zeroed at first. */
MUST_CHECK int scrape_report(struct appender *a, const struct target *target, struct kept_ref *refs, size_t n,
    const double *values, int64_t t_ms, struct err *err);
