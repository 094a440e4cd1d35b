/* Durations of Prometheus ("1d12h", "5m", "0") in milliseconds. Thread-safe. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdint.h>

/* ERR_INVALID with Prometheus's own texts: spec 1.12. */
MUST_CHECK int duration_parse(struct slice s, int64_t *ms, struct err *err);
/* The same with a leading '-' allowed. */
MUST_CHECK int duration_parse_signed(struct slice s, int64_t *ms, struct err *err);
/* "2w", "1d12h", "0s", "-5m". */
void duration_print(struct strbuf *out, int64_t ms);
/* Go's time.Duration: "1h2m3.5s" (Alertmanager templates, some flags). */
MUST_CHECK int go_duration_parse(struct slice s, int64_t *ns, struct err *err);
void go_duration_print(struct strbuf *out, int64_t ns);

/* RFC 3339 with up to nine digits of fraction, in UTC: "2026-01-01T00:00:00Z". `digits` of fraction; -1: as many as needed
 * (RFC3339Nano). */
void rfc3339_print(struct strbuf *out, int64_t t_ms, int digits);
MUST_CHECK int rfc3339_parse(struct slice s, int64_t *t_ms, struct err *err);
