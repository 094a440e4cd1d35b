/* How values look in answers: labels, samples, histograms, times. */
#pragma once

#include "base/json.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "promql/query_result.h"

void json_labels(struct json *j, const struct labels *ls);
/* {"count":"..","sum":"..","buckets":[[rule,"lo","hi","n"],...]} */
void json_histogram(struct json *j, const struct histogram *h);
/* RFC 3339 with as many digits as needed; 0 is year 1, as Go prints a time that was never set. */
void json_time(struct json *j, int64_t t_ms);
void json_seconds(struct json *j, int64_t ms);
/* The "resultType" and "result" members; series beyond `limit` (0: none) are left out. */
void json_query_result(struct json *j, const struct query_result *r, size_t limit);
