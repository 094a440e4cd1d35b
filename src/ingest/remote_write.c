#include "ingest/remote_write.h"

#include "base/compress.h"
#include "base/counters.h"
#include "base/hash.h"
#include "base/lock.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "ingest/ingest_limits.h"
#include "ingest/pb_histogram.h"
#include "ingest/pb_reader.h"
#include <stdlib.h>
#include <sys/random.h>

/* Series are looked up SERIES_BATCH at a time, so that the misses overlap; samples are handed over SAMPLE_BATCH at a time. */
enum { SERIES_BATCH = 64, SAMPLE_BATCH = 256, FIELD_TIMESERIES = 1, FIELD_METADATA = 3 };
enum { SERIES_LABELS = 1, SERIES_SAMPLES = 2, SERIES_HISTOGRAMS = 4 };

struct pending_series {
	struct slice message; /* the whole TimeSeries */
	struct slice labels;  /* the label fields, when they stand together in front */
	struct slice rest;    /* what follows them */
};

/* Why samples or whole series were refused. The reasons of the appender come first, with its numbers. */
enum refusal { REFUSED_LABELS = APPEND_RESULTS, REFUSED_HISTOGRAM, REFUSALS };

/* What a request needs; kept for the next one. */
struct scratch {
	struct scratch *next;
	struct strbuf body;
	struct arena *arena;
	struct pending_series series[SERIES_BATCH];
	struct series_key keys[SERIES_BATCH];
	series_ref refs[SERIES_BATCH];
	struct sample samples[SAMPLE_BATCH];
	uint8_t of_series[SAMPLE_BATCH]; /* which of series[] the sample belongs to */
	uint8_t results[SAMPLE_BATCH];
	size_t n_series, n_samples;
};

struct remote_write {
	struct appendable *store;
	uint64_t seed; /* of the keys: random, so that nobody can aim at collisions */
	struct lock lock;
	struct scratch *free; /* lock */
};

/* One request, while it is read. */
struct request {
	struct remote_write *rw;
	struct appender *app;
	struct scratch *s;
	uint64_t samples, refused[REFUSALS];
	uint64_t place;       /* series of the message in front of the batch */
	struct strbuf first;  /* the first refused one, named */
	uint64_t first_place; /* of its series */
};

/* What is answered when the log is on disk. */
struct answer {
	void (*done)(void *arg, int status, struct slice text);
	void *arg;
	int status;
	struct strbuf text;
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
	arena_free(s->arena);
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
	s->arena = arena_new(ARENA_NO_LIMIT);
	strbuf_init(&s->body, INGEST_MAX_DECODED_BYTES);
	return s;
}

static void give_scratch(struct remote_write *rw, struct scratch *s)
{
	strbuf_reset(&s->body);
	arena_reset(s->arena);
	s->n_series = s->n_samples = 0;
	lock_take(&rw->lock);
	s->next = rw->free;
	rw->free = s;
	lock_release(&rw->lock);
}

/* --- labels: only for series that are not known --------------------------------------------------------------------- */

static int read_label(struct slice message, struct label *l, struct err *err)
{
	struct pb_reader r = pb_reader_of(message);
	*l = (struct label){SL_EMPTY, SL_EMPTY};
	while (pb_next(&r)) {
		if (r.field == 1 && r.wire == PB_BYTES)
			l->name = r.bytes;
		else if (r.field == 2 && r.wire == PB_BYTES)
			l->value = r.bytes;
	}
	return pb_ok(&r) ? 0 : err_set(err, ERR_INVALID, "invalid labels: torn label");
}

static size_t count_fields(struct slice message, uint32_t field)
{
	struct pb_reader r = pb_reader_of(message);
	size_t n = 0;
	while (pb_next(&r))
		n += r.field == field && r.wire == PB_BYTES;
	return n;
}

/* The label set in the arena, text borrowed from the message, sorted. The labels may come in any order and place; what they
 * are made of is checked by the store. */
static int read_labels(struct slice message, struct arena *arena, const struct labels **out, struct err *err)
{
	size_t count = count_fields(message, SERIES_LABELS), n = 0;
	if (count > INGEST_MAX_LABELS)
		return err_set(err, ERR_INVALID, "invalid labels: %zu of them, at most %d are taken", count, INGEST_MAX_LABELS);
	struct label *list = ARENA_ARRAY(arena, struct label, count);
	struct pb_reader r = pb_reader_of(message);
	while (pb_next(&r)) {
		if (r.field != SERIES_LABELS || r.wire != PB_BYTES)
			continue;
		int rc = read_label(r.bytes, &list[n++], err);
		if (rc)
			return rc;
	}
	int rc = labels_from_pairs(arena, list, n, out, err);
	if (rc == 0 && labels_metric_name(*out).len == 0)
		return err_set(err, ERR_INVALID, "invalid labels: no metric name (__name__)");
	return rc;
}

/* --- refusals ------------------------------------------------------------------------------------------------------- */

/* Counts; names the first one of the message with its reason in words, where there are any, or its time. Samples are refused
 * later than whole series, so what comes first is told by the place. True: this one is it. */
static bool refuse(struct request *q, enum refusal why, uint64_t n, size_t i, const char *reason)
{
	struct slice message = q->s->series[i].message;
	const struct labels *labels;
	q->refused[why] += n;
	if (q->first.len > 0 && q->first_place <= q->place + i)
		return false;
	strbuf_reset(&q->first);
	q->first_place = q->place + i;
	if (reason)
		strbuf_addf(&q->first, "%s: ", reason);
	if (read_labels(message, q->s->arena, &labels, NULL) == 0)
		labels_print_metric(&q->first, labels);
	else
		strbuf_addf(&q->first, "the series at number %llu", (unsigned long long)(q->place + i + 1));
	return true;
}

/* Samples and histograms of a series that is refused as a whole. */
static uint64_t count_samples(struct slice message)
{
	return count_fields(message, SERIES_SAMPLES) + count_fields(message, SERIES_HISTOGRAMS);
}

/* --- appending ------------------------------------------------------------------------------------------------------ */

static bool ends_request(int rc)
{
	return rc < 0 && rc != ERR_INVALID && rc != ERR_LIMIT;
}

/* Finds or makes the series by its labels. 0 and *ref 0: it was refused. */
static int add_series(struct request *q, size_t i, series_ref *ref, struct err *err)
{
	const struct pending_series *p = &q->s->series[i];
	const struct labels *labels;
	struct err why;
	*ref = 0;
	int rc = read_labels(p->message, q->s->arena, &labels, &why);
	if (rc == 0)
		rc = q->app->ops->add_series(q->app, p->labels.len ? &q->s->keys[i] : NULL, labels, ref, &why);
	if (ends_request(rc))
		return err_set(err, rc, "%s", why.msg);
	if (rc) {
		*ref = 0;
		refuse(q, rc == ERR_LIMIT ? (enum refusal)APPEND_LIMIT : REFUSED_LABELS, count_samples(p->message), i,
		    why.msg);
	}
	return 0;
}

/* A ref that died between lookup and append: its series is made again and the sample appended again, once. */
static int append_again(struct request *q, size_t k, struct err *err)
{
	struct scratch *s = q->s;
	int rc = add_series(q, s->of_series[k], &s->samples[k].ref, err);
	if (rc || s->samples[k].ref == 0)
		return rc;
	s->refs[s->of_series[k]] = s->samples[k].ref;
	return q->app->ops->append(q->app, &s->samples[k], 1, &s->results[k], err);
}

static int look_at_results(struct request *q, struct err *err)
{
	struct scratch *s = q->s;
	for (size_t k = 0; k < s->n_samples; k++) {
		if (s->results[k] <= APPEND_REPEATED)
			continue;
		if (s->results[k] == APPEND_UNKNOWN_REF) {
			int rc = append_again(q, k, err);
			if (rc)
				return rc;
			if (s->samples[k].ref == 0)
				continue;
		}
		if (s->results[k] > APPEND_REPEATED) {
			if (refuse(q, (enum refusal)s->results[k], 1, s->of_series[k], NULL))
				strbuf_addf(&q->first, " at %lld", (long long)s->samples[k].t_ms);
		}
	}
	return 0;
}

static int flush_samples(struct request *q, struct err *err)
{
	struct scratch *s = q->s;
	if (s->n_samples == 0)
		return 0;
	int rc = q->app->ops->append(q->app, s->samples, s->n_samples, s->results, err);
	uint8_t worst = 0;
	for (size_t k = 0; k < s->n_samples; k++)
		worst = s->results[k] > worst ? s->results[k] : worst;
	if (rc == 0 && worst > APPEND_REPEATED)
		rc = look_at_results(q, err);
	q->samples += s->n_samples;
	s->n_samples = 0;
	return rc;
}

static bool read_sample(struct slice message, struct sample *sample)
{
	struct pb_reader r = pb_reader_of(message);
	sample->t_ms = 0;
	sample->v = 0;
	while (pb_next(&r)) {
		if (r.field == 1 && r.wire == PB_FIXED64)
			sample->v = pb_double(&r);
		else if (r.field == 2 && r.wire == PB_VARINT)
			sample->t_ms = (int64_t)r.number;
	}
	return pb_ok(&r);
}

static int append_histogram(struct request *q, size_t i, struct slice message, struct err *err)
{
	struct scratch *s = q->s;
	struct histogram_sample sample = {.ref = s->refs[i]};
	struct err why;
	uint8_t result;
	q->samples++;
	if (pb_histogram_read(message, s->arena, &sample.t_ms, &sample.h, &why)) {
		refuse(q, REFUSED_HISTOGRAM, 1, i, why.msg);
		return 0;
	}
	int rc = q->app->ops->append_histograms(q->app, &sample, 1, &result, err);
	if (rc == 0 && result == APPEND_UNKNOWN_REF) {
		rc = add_series(q, i, &s->refs[i], err);
		sample.ref = s->refs[i];
		if (rc || sample.ref == 0)
			return rc;
		rc = q->app->ops->append_histograms(q->app, &sample, 1, &result, err);
	}
	if (rc == 0 && result > APPEND_REPEATED)
		refuse(q, (enum refusal)result, 1, i, NULL);
	return rc;
}

static int torn(struct err *err)
{
	return err_set(err, ERR_INVALID, "invalid protobuf: torn message");
}

/* What stands behind the labels of series i. Exemplars are passed over: the store keeps none yet. */
static int append_series(struct request *q, size_t i, struct err *err)
{
	struct scratch *s = q->s;
	struct pb_reader r = pb_reader_of(s->series[i].rest);
	while (pb_next(&r)) {
		int rc = 0;
		if (r.field == SERIES_SAMPLES && r.wire == PB_BYTES) {
			struct sample *sample = &s->samples[s->n_samples];
			if (!read_sample(r.bytes, sample))
				return torn(err);
			sample->ref = s->refs[i];
			s->of_series[s->n_samples++] = (uint8_t)i;
			rc = s->n_samples == SAMPLE_BATCH ? flush_samples(q, err) : 0;
		} else if (r.field == SERIES_HISTOGRAMS && r.wire == PB_BYTES) {
			rc = append_histogram(q, i, r.bytes, err);
		}
		if (rc)
			return rc;
	}
	return pb_ok(&r) ? 0 : torn(err);
}

static int flush_series(struct request *q, struct err *err)
{
	struct scratch *s = q->s;
	for (size_t i = 0; i < s->n_series; i++) {
		struct slice text = s->series[i].labels;
		struct hash128 h = hash128(text.ptr, text.len, q->rw->seed);
		s->keys[i] = (struct series_key){h.lo, h.hi};
	}
	q->app->ops->find(q->app, s->keys, s->n_series, s->refs);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->n_series; i++) {
		if (s->refs[i] == 0 || s->series[i].labels.len == 0)
			rc = add_series(q, i, &s->refs[i], err);
		if (rc == 0 && s->refs[i] != 0)
			rc = append_series(q, i, err);
	}
	/* The samples name their series by its place in the batch. */
	if (rc == 0)
		rc = flush_samples(q, err);
	q->place += s->n_series;
	s->n_series = 0;
	return rc;
}

/* --- reading the message -------------------------------------------------------------------------------------------- */

/* Splits a TimeSeries behind its labels. A sender that mixes labels and samples gets the long way: no key. */
static bool split_series(struct slice message, struct pending_series *p)
{
	struct pb_reader r = pb_reader_of(message);
	const uint8_t *begin = r.at, *labels_end = r.at;
	bool behind = false, mixed = false;
	while (pb_next(&r)) {
		if (r.field == SERIES_LABELS) {
			mixed |= behind;
			labels_end = behind ? labels_end : r.at;
		} else {
			behind = true;
		}
	}
	size_t n = mixed ? 0 : (size_t)(labels_end - begin);
	*p = (struct pending_series){message, slice_of(message.ptr, n), slice_from(message, n)};
	return pb_ok(&r);
}

static void read_metadata(struct request *q, struct slice message)
{
	struct pb_reader r = pb_reader_of(message);
	static const enum metric_type types[] = {METRIC_UNKNOWN, METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM,
	    METRIC_GAUGE_HISTOGRAM, METRIC_SUMMARY, METRIC_INFO, METRIC_STATESET};
	struct metadata m = {METRIC_UNKNOWN, SL_EMPTY, SL_EMPTY};
	struct slice metric = SL_EMPTY;
	while (pb_next(&r)) {
		if (r.field == 1 && r.wire == PB_VARINT)
			m.type = r.number < ARRAY_LEN(types) ? types[r.number] : METRIC_UNKNOWN;
		else if (r.field == 2 && r.wire == PB_BYTES)
			metric = r.bytes;
		else if (r.field == 4 && r.wire == PB_BYTES)
			m.help = r.bytes;
		else if (r.field == 5 && r.wire == PB_BYTES)
			m.unit = r.bytes;
	}
	if (pb_ok(&r) && metric.len > 0 && utf8_valid(metric) && utf8_valid(m.help) && utf8_valid(m.unit))
		q->app->ops->set_metadata(q->app, metric, &m);
}

/* Whether the whole message can be walked: nothing of a torn one is stored. */
static bool is_whole(struct slice message)
{
	struct pb_reader r = pb_reader_of(message);
	while (pb_next(&r)) {
		if (r.field == FIELD_TIMESERIES && r.wire != PB_BYTES)
			return false;
	}
	return pb_ok(&r);
}

static int read_message(struct request *q, struct slice message, struct err *err)
{
	struct scratch *s = q->s;
	struct pb_reader r = pb_reader_of(message);
	int rc = is_whole(message) ? 0 : torn(err);
	while (rc == 0 && pb_next(&r)) {
		if (r.field == FIELD_METADATA && r.wire == PB_BYTES)
			read_metadata(q, r.bytes);
		if (r.field != FIELD_TIMESERIES)
			continue;
		if (!split_series(r.bytes, &s->series[s->n_series]))
			return torn(err);
		if (++s->n_series == SERIES_BATCH)
			rc = flush_series(q, err);
	}
	return rc ? rc : flush_series(q, err);
}

/* --- answering ------------------------------------------------------------------------------------------------------ */

static const char *refusal_text(enum refusal r)
{
	if (r == REFUSED_LABELS)
		return "invalid labels";
	if (r == REFUSED_HISTOGRAM)
		return "invalid histogram";
	return append_result_text((enum append_result)r);
}

/* The reason first: some senders log only the beginning. */
static void write_refusals(const struct request *q, struct strbuf *out)
{
	uint64_t refused = 0;
	unsigned kinds = 0;
	for (int i = 0; i < REFUSALS; i++) {
		if (!q->refused[i])
			continue;
		strbuf_addf(out, "%s%s (%llu)", kinds++ ? ", " : "", refusal_text((enum refusal)i),
		    (unsigned long long)q->refused[i]);
		refused += q->refused[i];
	}
	if (kinds > 0)
		strbuf_addf(out, ": %llu of %llu samples were refused, the others are stored; first: %" SL_FMT "\n",
		    (unsigned long long)refused, (unsigned long long)(q->samples + q->refused[REFUSED_LABELS] +
						     q->refused[APPEND_LIMIT]),
		    SL_ARG(q->first));
	counter_add(M_REMOTE_WRITE_SAMPLES, q->samples);
	counter_add(M_REMOTE_WRITE_REFUSED, refused);
}

static void on_durable(void *arg, int rc, const char *why)
{
	struct answer *a = arg;
	if (rc) {
		strbuf_reset(&a->text);
		strbuf_addf(&a->text, "the log could not be written: %s\n", why ? why : err_code_name(rc));
		a->status = 503;
	}
	a->done(a->arg, a->status, strbuf_slice(&a->text));
	strbuf_done(&a->text);
	free(a);
}

static void answer_now(void (*done)(void *arg, int status, struct slice text), void *arg, int status, const char *text)
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

/* Reads and commits; the answer follows. Fails before the commit only. */
static int store_message(
    struct remote_write *rw, struct scratch *s, struct slice message, struct answer *a, struct err *err)
{
	struct request q = {.rw = rw, .s = s, .first = STRBUF_INIT};
	int rc = rw->store->begin(rw->store, &q.app, err);
	if (rc)
		return rc;
	rc = read_message(&q, message, err);
	if (rc) {
		q.app->ops->rollback(q.app);
		strbuf_done(&q.first);
		return rc;
	}
	write_refusals(&q, &a->text);
	strbuf_done(&q.first);
	a->status = a->text.len ? 400 : 204;
	/* A failure reaches on_durable() too, which answers. */
	rc = q.app->ops->commit(q.app, NULL, on_durable, a, NULL);
	(void)rc;
	return 0;
}

void remote_write_store(struct remote_write *rw, struct slice body,
    void (*done)(void *arg, int status, struct slice text), void *arg)
{
	struct err err;
	struct scratch *s = take_scratch(rw);
	struct answer *a = xcalloc(1, sizeof(*a));
	a->done = done;
	a->arg = arg;
	strbuf_init(&a->text, STRBUF_NO_LIMIT);
	int rc = snappy_decode(body, &s->body, &err);
	if (rc == 0)
		rc = store_message(rw, s, strbuf_slice(&s->body), a, &err);
	give_scratch(rw, s);
	if (rc) {
		strbuf_done(&a->text);
		free(a);
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
		strbuf_addf(why, "expected application/x-protobuf as the first (media) part, got %" SL_FMT " content-type\n",
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
		    "%" SL_FMT " protobuf message is not accepted by this server; only accepts prometheus.WriteRequest\n",
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
