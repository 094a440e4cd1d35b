/* From the labels on a page to those in the store: joined with the target's, relabelled, checked. Done once for a series;
 * afterwards the cache knows it. */
#pragma once

#include "config/config_scrape.h"
#include "model/labels.h"
#include "scrape/target.h"

/* NULL in *out: relabelling dropped the sample. ERR_INVALID: name or labels are not legal; ERR_LIMIT: a label limit of the job.
 * Both fail the scrape. `l` is as the page had it, with empty values; the result lives in the arena. */
MUST_CHECK int sample_labels(const struct scrape_config *config, const struct target *target,
    const struct label *l, size_t n, struct arena *arena, const struct labels **out, struct err *err);

/* `metric` with the target's labels: for up and its siblings. */
const struct labels *report_labels(const struct target *target, struct slice metric, struct arena *arena);
