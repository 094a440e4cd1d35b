#include "scrape/scrape_report.h"

#include "scrape/sample_labels.h"

static const struct slice names[REPORT_SERIES] = {
    [REPORT_UP] = SL_INIT("up"),
    [REPORT_DURATION] = SL_INIT("scrape_duration_seconds"),
    [REPORT_SCRAPED] = SL_INIT("scrape_samples_scraped"),
    [REPORT_KEPT] = SL_INIT("scrape_samples_post_metric_relabeling"),
    [REPORT_ADDED] = SL_INIT("scrape_series_added"),
    [REPORT_TIMEOUT] = SL_INIT("scrape_timeout_seconds"),
    [REPORT_SAMPLE_LIMIT] = SL_INIT("scrape_sample_limit"),
    [REPORT_BODY_SIZE] = SL_INIT("scrape_body_size_bytes"),
};

int scrape_report(struct appender *a, const struct target *target, struct kept_ref *refs,
    size_t n, const double *values, int64_t t_ms, struct err *err)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		enum append_result ignored;
		rc = appender_append_one(
		    a, &refs[i], report_labels(target, names[i], arena), t_ms, values[i], &ignored, err);
	}
	arena_free(arena);
	return rc;
}
