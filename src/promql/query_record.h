/* What is told of a query when it has ended, well or not: to the query log, the list of slow queries, the metrics, and to
 * whoever asked. Filled by the engine. */
#pragma once

#include "base/json.h"
#include "base/slice.h"
#include "promql/query_result.h"

/* Who asked: an HTTP client, a rule, or nobody (all empty). */
struct query_origin {
	struct slice client_ip, method, path;
	struct slice rule_file, rule_group;
};

enum { HEAVIEST_BYTES = 256 };

struct query_record {
	struct slice text; /* borrowed, as is the origin */
	struct query_origin origin;
	int64_t start_ms, end_ms, step_ms;
	int64_t ended_ms;
	struct query_stats stats;
	uint64_t cost;                 /* estimated before it ran: samples to decode and values to compute */
	uint64_t series;               /* selected */
	uint64_t bytes;                /* of memory taken */
	bool was_parsed;               /* what does not parse is nobody's business but the asker's */
	char heaviest[HEAVIEST_BYTES]; /* the selector that read most, as a sentence; "": there is none */
	const char *error;             /* NULL: it went well */
};

/* The object {"timings":{...},"samples":{...}} of the API's `stats`; members by step when `r` is given and has them. */
void query_record_put_stats(struct json *j, const struct query_stats *s, const struct query_result *r);
/* The member "httpRequest" or "ruleGroup", or none. */
void query_record_put_origin(struct json *j, const struct query_origin *o);
