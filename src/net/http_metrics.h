/* What a server answered: requests by handler and code, durations and sizes by handler, as Prometheus names them. Its
 * http_metrics_done() is an on_done of http_server_options. Thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct http_metrics;

/* Registers a collector, taken away again by free (which takes NULL). */
struct http_metrics *http_metrics_new(void);
void http_metrics_free(struct http_metrics *m);
/* `metrics` is the struct http_metrics. `route` is a pattern of the table of routes, "" for none. */
void http_metrics_done(
    void *metrics, const char *route, int status, int64_t duration_ns, size_t response_bytes);
