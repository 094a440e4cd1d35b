/* The receiver of remote write 1.0: POST /api/v1/write, snappy and protobuf, as Prometheus, its agent and the collectors send
 * it. Bodies are walked, not parsed: the raw bytes of a label set are hashed to a key, keys are looked up 64 at a time, and
 * samples are appended by ref; labels are parsed only for a series whose bytes were never seen. The answer is given when
 * the log is on disk.
 *
 *   204  all samples are stored
 *   400  not snappy, not the protobuf (nothing is stored); or some samples or series were refused: the others are stored, the
 *        text has the reason, how many, and the first one. Senders do not repeat a 400
 *   415  another content type or encoding
 *   503  the store takes no samples now, or the log could not be written: senders repeat it
 *
 * Thread-safe: any number of requests at once. */
#pragma once

#include "net/http_server.h"
#include "storage/appender.h"

struct remote_write;

/* Writes to `store` (borrowed). */
struct remote_write *remote_write_new(struct appendable *store);
/* No request may be under way. Takes NULL. */
void remote_write_free(struct remote_write *rw);

/* The handler of the route; `arg` is the struct remote_write. The route's bound is INGEST_MAX_BODY_BYTES. */
void remote_write_handle(struct http_request *req, void *arg);

/* --- the pieces, for tests ------------------------------------------------------------------------------------------ */

/* 0: the head is that of remote write 1.0; else a status, and `why` says what would be right. */
int remote_write_check_head(struct slice content_type, struct slice content_encoding, struct strbuf *why);

/* Stores a compressed body. `done` is called exactly once, from any thread, perhaps before this returns; `text` is empty for
 * 204 and borrowed during the call. */
void remote_write_store(struct remote_write *rw, struct slice body,
    void (*done)(void *arg, int status, struct slice text), void *arg);
