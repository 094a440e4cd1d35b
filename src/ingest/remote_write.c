#include "ingest/remote_write.h"

#include "base/compress.h"
#include "base/counters.h"
#include "base/lock.h"
#include "base/xmalloc.h"
#include "ingest/ingest_limits.h"
#include "ingest/write_request.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

/* What a request needs; kept for the next one. */
struct scratch {
	struct scratch *next;
	struct strbuf body;
	struct write_request *request;
};

struct remote_write {
	struct appendable *store;
	uint64_t seed; /* of the keys: random, so that nobody can aim at collisions */
	struct lock lock;
	struct scratch *free; /* lock */
};

struct remote_write *remote_write_new(struct appendable *store)
{
	struct remote_write *rw = xcalloc(1, sizeof(*rw));
	rw->store = store;
	if (getrandom(&rw->seed, sizeof(rw->seed), 0) != (ssize_t)sizeof(rw->seed))
		rw->seed = (uintptr_t)rw;
	lock_init(&rw->lock, LOCK_POOL, "remote write buffers");
	return rw;
}

static void scratch_free(struct scratch *s)
{
	strbuf_done(&s->body);
	write_request_free(s->request);
	free(s);
}

void remote_write_free(struct remote_write *rw)
{
	if (!rw)
		return;
	for (struct scratch *s = rw->free, *next; s; s = next) {
		next = s->next;
		scratch_free(s);
	}
	lock_done(&rw->lock);
	free(rw);
}

static struct scratch *take_scratch(struct remote_write *rw)
{
	lock_take(&rw->lock);
	struct scratch *s = rw->free;
	if (s)
		rw->free = s->next;
	lock_release(&rw->lock);
	if (s)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->request = write_request_new();
	strbuf_init(&s->body, INGEST_MAX_DECODED_BYTES);
	return s;
}

static void give_scratch(struct remote_write *rw, struct scratch *s)
{
	strbuf_reset(&s->body);
	lock_take(&rw->lock);
	s->next = rw->free;
	rw->free = s;
	lock_release(&rw->lock);
}

/* --- answering ------------------------------------------------------------------------------------------------------ */

/* What is answered when both have come: the word of the log, and the counts of the commit. The log's may come first, while
 * commit() has not returned yet; the later of the two answers. */
struct answer {
	void (*done)(void *arg, int status, struct slice text);
	void *arg;
	atomic_int missing; /* acq_rel: the later one sees what the other wrote */
	int log_rc;
	char *log_why;
	bool again;         /* the sender shall repeat all of it */
	struct strbuf text; /* of the refusals */
};

static struct answer *answer_new(void (*done)(void *arg, int status, struct slice text), void *arg)
{
	struct answer *a = xcalloc(1, sizeof(*a));
	a->done = done;
	a->arg = arg;
	atomic_init(&a->missing, 2);
	strbuf_init(&a->text, STRBUF_NO_LIMIT);
	return a;
}

static void answer_free(struct answer *a)
{
	strbuf_done(&a->text);
	free(a->log_why);
	free(a);
}

static void answer_part(struct answer *a)
{
	if (atomic_fetch_sub_explicit(&a->missing, 1, memory_order_acq_rel) != 1)
		return;
	int status = a->again ? 503 : a->text.len ? 400 : 204;
	if (a->log_rc) {
		status = 503;
		strbuf_reset(&a->text);
		strbuf_addf(&a->text, "the log could not be written: %s\n", a->log_why);
	}
	a->done(a->arg, status, strbuf_slice(&a->text));
	answer_free(a);
}

static void on_durable(void *arg, int rc, const char *why)
{
	struct answer *a = arg;
	a->log_rc = rc;
	if (rc)
		a->log_why = xstrdup(why ? why : err_code_name(rc));
	answer_part(a);
}

static void answer_now(
    void (*done)(void *arg, int status, struct slice text), void *arg, int status, const char *text)
{
	struct strbuf line = STRBUF_INIT;
	strbuf_addf(&line, "%s\n", text);
	done(arg, status, strbuf_slice(&line));
	strbuf_done(&line);
}

static int status_of(int rc)
{
	return rc == ERR_INVALID || rc == ERR_LIMIT ? 400 : rc == ERR_UNAVAILABLE || rc == ERR_IO ? 503 : 500;
}

/* Reads and commits; `a` answers. Fails before the commit only. */
static int store_message(
    struct remote_write *rw, struct write_request *q, struct slice message, struct answer *a, struct err *err)
{
	struct appender *app;
	struct append_stats stats = {.first_refused = 0};
	int rc = rw->store->begin(rw->store, &app, err);
	if (rc)
		return rc;
	rc = write_request_read(q, app, rw->seed, message, err);
	if (rc) {
		app->ops->rollback(app);
		return rc;
	}
	/* A failure reaches on_durable() too. */
	rc = app->ops->commit(app, &stats, on_durable, a, NULL);
	if (rc == 0) {
		a->again = write_request_wants_again(q, &stats);
		counter_add(M_REMOTE_WRITE_REFUSED, write_request_explain(q, &stats, &a->text));
		counter_add(M_REMOTE_WRITE_SAMPLES, write_request_samples(q));
	}
	answer_part(a);
	return 0;
}

void remote_write_store(struct remote_write *rw, struct slice body,
    void (*done)(void *arg, int status, struct slice text), void *arg)
{
	struct err err;
	struct scratch *s = take_scratch(rw);
	struct answer *a = answer_new(done, arg);
	int rc = snappy_decode(body, &s->body, &err);
	if (rc == 0)
		rc = store_message(rw, s->request, strbuf_slice(&s->body), a, &err);
	give_scratch(rw, s);
	if (rc) {
		answer_free(a);
		answer_now(done, arg, status_of(rc), err.msg);
	}
}

/* --- HTTP ----------------------------------------------------------------------------------------------------------- */

static bool next_part(struct slice *rest, struct slice *part)
{
	if (rest->len == 0)
		return false;
	size_t n = slice_find(*rest, ';');
	*part = slice_trim(slice_of(rest->ptr, n));
	*rest = slice_from(*rest, n < rest->len ? n + 1 : n);
	return true;
}

/* "application/x-protobuf", perhaps with proto=prometheus.WriteRequest. */
static bool check_content_type(struct slice type, struct strbuf *why)
{
	struct slice rest = type, part;
	if (!next_part(&rest, &part) || part.len == 0)
		return true;
	if (!slice_eq_nocase(part, SL("application/x-protobuf"))) {
		strbuf_addf(why,
		    "expected application/x-protobuf as the first (media) part, got %" SL_FMT
		    " content-type\n",
		    SL_ARG(type));
		return false;
	}
	while (next_part(&rest, &part)) {
		if (!slice_starts(part, SL("proto=")))
			continue;
		struct slice proto = slice_from(part, 6);
		if (slice_eq_cstr(proto, "prometheus.WriteRequest"))
			continue;
		strbuf_addf(why,
		    "%" SL_FMT " protobuf message is not accepted by this server; only accepts "
		    "prometheus.WriteRequest\n",
		    SL_ARG(proto));
		return false;
	}
	return true;
}

int remote_write_check_head(struct slice content_type, struct slice content_encoding, struct strbuf *why)
{
	if (!check_content_type(slice_trim(content_type), why))
		return 415;
	struct slice encoding = slice_trim(content_encoding);
	if (encoding.len == 0 || slice_eq_nocase(encoding, SL("snappy")))
		return 0;
	strbuf_addf(why,
	    "%" SL_FMT " encoding (compression) is not accepted by this server; only snappy is acceptable\n",
	    SL_ARG(encoding));
	return 415;
}

static void reply(void *arg, int status, struct slice text)
{
	struct http_request *req = arg;
	if (status == 204) {
		http_reply_empty(req, status);
		return;
	}
	struct strbuf body = STRBUF_INIT;
	strbuf_add_slice(&body, text);
	if (status == 503)
		http_reply_header(req, "Retry-After", "5");
	http_reply(req, status, "text/plain; charset=utf-8", &body);
}

void remote_write_handle(struct http_request *req, void *arg)
{
	struct strbuf why = STRBUF_INIT;
	int status = remote_write_check_head(
	    http_req_header(req, "Content-Type"), http_req_header(req, "Content-Encoding"), &why);
	if (status)
		reply(req, status, strbuf_slice(&why));
	strbuf_done(&why);
	if (status == 0)
		remote_write_store(arg, http_req_body(req), reply, req);
}
