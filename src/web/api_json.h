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

/* The same for a result that is large enough not to be held as text beside its columns: begins the members and the array of
 * series; the series themselves are for a result_stream, what follows them begins with json_array_end(). False: nothing was
 * written, it is small. */
bool json_query_result_begin(struct json *j, const struct query_result *r, size_t limit);

/* An answer in pieces: `before`, the series, `after`. Takes all three over (the texts are empty afterwards); freed by
 * result_stream_free(). One thread at a time. */
enum { RESULT_STREAM_PIECE_BYTES = 65536 };
struct result_stream;
struct result_stream *result_stream_new(
    struct query_result *r, size_t limit, struct strbuf *before, struct strbuf *after);
/* Appends the next piece to `out`; false: it was the last one. As struct http_body_source wants them. */
bool result_stream_fill(void *stream, struct strbuf *out);
void result_stream_free(void *stream);
