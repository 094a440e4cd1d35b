/* One remote write message on its way into an appender. It is walked in place: for each series the label fields are skipped
 * over and their raw bytes hashed to a key, 64 keys are looked up at once, and only series that are not known are parsed.
 * Refused series and samples are counted; afterwards the first one can be named.
 *
 * The memory is kept from message to message. One thread at a time; private to src/ingest. */
#pragma once

#include "base/err.h"
#include "base/strbuf.h"
#include "storage/appender.h"

struct write_request;

struct write_request *write_request_new(void);
void write_request_free(struct write_request *q);

/* Hands everything that `message` has to `app`, and the keys are hashed with `seed`. The message must stay until
 * write_request_explain(). ERR_INVALID: torn; other errors are those of the appender. After an error the caller rolls
 * back. */
MUST_CHECK int write_request_read(
    struct write_request *q, struct appender *app, uint64_t seed, struct slice message, struct err *err);

/* Appends a line about what was refused: reasons with counts, the first one by name. `stats` is what the commit said.
 * Nothing when all is well. Returns how many were refused. */
uint64_t write_request_explain(struct write_request *q, const struct append_stats *stats, struct strbuf *out);

/* Whether some were refused that may be taken when the sender repeats all of it later: a series ended between lookup and
 * append, or there was no memory. */
bool write_request_wants_again(const struct write_request *q, const struct append_stats *stats);

/* Samples and histograms that the message had, refused ones included. */
uint64_t write_request_samples(const struct write_request *q);
