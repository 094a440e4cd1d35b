#include "net/http_metrics.h"

#include "base/counters.h"
#include "base/hashtab.h"
#include "base/lock.h"
#include "base/xmalloc.h"

#include <stdio.h>

enum { MAX_CODES = 24, DURATION_BUCKETS = 9, SIZE_BUCKETS = 8 };

static const double duration_bounds[DURATION_BUCKETS] = {.1, .2, .4, 1, 3, 8, 20, 60, 120};
static const double size_bounds[SIZE_BUCKETS] = {1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

struct histo {
	uint64_t bucket[DURATION_BUCKETS]; /* the longer of the two lists; not cumulative */
	uint64_t count;
	double sum;
};

struct handler {
	char *name;
	struct {
		int status;
		uint64_t count;
	} codes[MAX_CODES];
	struct histo duration, size;
};

struct http_metrics {
	struct lock lock;
	struct hashtab handlers; /* POOL: by route */
};

static void observe(struct histo *h, const double *bounds, size_t n, double v)
{
	h->count++;
	h->sum += v;
	for (size_t i = 0; i < n; i++) {
		if (v > bounds[i])
			continue;
		h->bucket[i]++;
		return;
	}
}

static void count_code(struct handler *h, int status)
{
	for (size_t i = 0; i < MAX_CODES; i++) {
		if (h->codes[i].count && h->codes[i].status != status)
			continue;
		h->codes[i].status = status;
		h->codes[i].count++;
		return;
	}
}

/* Requests that no handler takes are counted under a name of their own, as Prometheus does. */
static struct handler *handler_of(struct http_metrics *m, const char *route)
{
	struct slice name = slice_cstr(route[0] ? route : "/*");
	struct handler *h = hashtab_get(&m->handlers, name);
	if (!h) {
		h = xcalloc(1, sizeof(*h));
		h->name = slice_dup(name);
		hashtab_put(&m->handlers, name, h);
	}
	return h;
}

void http_metrics_done(
    void *metrics, const char *route, int status, int64_t duration_ns, size_t response_bytes)
{
	struct http_metrics *m = metrics;
	lock_take(&m->lock);
	struct handler *h = handler_of(m, route);
	count_code(h, status);
	observe(&h->duration, duration_bounds, DURATION_BUCKETS, (double)duration_ns / 1e9);
	observe(&h->size, size_bounds, SIZE_BUCKETS, (double)response_bytes);
	lock_release(&m->lock);
}

static void write_histo(
    struct metrics_writer *w, const char *handler, const struct histo *h, const double *bounds, size_t n)
{
	uint64_t below = 0;
	char le[32];
	for (size_t i = 0; i < n; i++) {
		below += h->bucket[i];
		snprintf(le, sizeof(le), "%g", bounds[i]);
		metrics_sample(w, "_bucket", (double)below, "handler", handler, "le", le, NULL);
	}
	metrics_sample(w, "_bucket", (double)h->count, "handler", handler, "le", "+Inf", NULL);
	metrics_sample(w, "_sum", h->sum, "handler", handler, NULL);
	metrics_sample(w, "_count", (double)h->count, "handler", handler, NULL);
}

static void collect(void *arg, struct metrics_writer *w)
{
	struct http_metrics *m = arg;
	struct hashtab_entry *e;
	lock_take(&m->lock);
	metrics_family(w, "prometheus_http_requests_total", "counter", "Counter of HTTP requests.");
	for (size_t i = 0; (e = hashtab_next(&m->handlers, &i));) {
		const struct handler *h = e->value;
		for (size_t c = 0; c < MAX_CODES && h->codes[c].count; c++) {
			char code[16];
			snprintf(code, sizeof(code), "%d", h->codes[c].status);
			metrics_sample(
			    w, "", (double)h->codes[c].count, "handler", h->name, "code", code, NULL);
		}
	}
	metrics_family(w, "prometheus_http_request_duration_seconds", "histogram",
	    "Histogram of latencies for HTTP requests.");
	for (size_t i = 0; (e = hashtab_next(&m->handlers, &i));) {
		const struct handler *h = e->value;
		write_histo(w, h->name, &h->duration, duration_bounds, DURATION_BUCKETS);
	}
	metrics_family(w, "prometheus_http_response_size_bytes", "histogram",
	    "Histogram of response size for HTTP requests.");
	for (size_t i = 0; (e = hashtab_next(&m->handlers, &i));) {
		const struct handler *h = e->value;
		write_histo(w, h->name, &h->size, size_bounds, SIZE_BUCKETS);
	}
	lock_release(&m->lock);
}

struct http_metrics *http_metrics_new(void)
{
	struct http_metrics *m = xcalloc(1, sizeof(*m));
	lock_init(&m->lock, LOCK_POOL, "http metrics");
	counters_add_collector(collect, m);
	return m;
}

void http_metrics_free(struct http_metrics *m)
{
	if (!m)
		return;
	counters_remove_collector(collect, m);
	struct hashtab_entry *e;
	for (size_t i = 0; (e = hashtab_next(&m->handlers, &i));) {
		struct handler *h = e->value;
		free(h->name);
		free(h);
	}
	hashtab_done(&m->handlers);
	lock_done(&m->lock);
	free(m);
}
