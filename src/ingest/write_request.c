#include "ingest/write_request.h"

#include "base/arena.h"
#include "base/counters.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "ingest/ingest_limits.h"
#include "ingest/pb_histogram.h"
#include "ingest/pb_reader.h"
#include <stdlib.h>

/* Series are looked up SERIES_BATCH at a time, so that the misses overlap; samples are handed over SAMPLE_BATCH at a time. */
enum { SERIES_BATCH = 64, SAMPLE_BATCH = 256, EXEMPLAR_BATCH = 64 };
enum { NAME_MAX_BYTES = 512 }; /* of a series in an answer */
enum { FIELD_TIMESERIES = 1, FIELD_METADATA = 3 };
enum { SERIES_LABELS = 1, SERIES_SAMPLES = 2, SERIES_EXEMPLARS = 3, SERIES_HISTOGRAMS = 4 };
/* Tags, as the first byte of a field. */
enum { TAG_LABELS = 0x0a, TAG_SAMPLES = 0x12, TAG_VALUE = 0x09, TAG_TIMESTAMP = 0x10 };
/* A sample as senders write it: value, then a time of six bytes (2^35 to 2^42 ms: the years 1971 to 2109). */
enum { SAMPLE_BYTES = 16, SAMPLE_FIELD_BYTES = 2 + SAMPLE_BYTES, AT_TIMESTAMP = 9 };

struct pending_series {
	struct slice message; /* the whole TimeSeries */
	struct slice labels;  /* the label fields in front; empty when not all of them stand there */
	struct slice rest;    /* what follows them */
	bool is_guess;        /* see guess_split() */
};

/* Why series and samples are refused before they reach the appender. */
enum early_refusal { REFUSED_LABELS, REFUSED_LIMIT, REFUSED_HISTOGRAM, REFUSED_ROOM, EARLY_REFUSALS };

VEC_DEFINE(count_vec, uint32_t);

struct write_request {
	struct appender *app;
	struct slice whole;
	struct arena *arena;

	struct pending_series series[SERIES_BATCH];
	struct series_key keys[SERIES_BATCH];
	series_ref refs[SERIES_BATCH];
	size_t n_series;
	uint64_t place; /* series of the message in front of the batch */
	uint64_t seed;

	struct sample samples[SAMPLE_BATCH];
	size_t n_samples;
	struct exemplar_sample exemplars[EXEMPLAR_BATCH];
	size_t n_exemplars;
	uint32_t appended;                /* samples and histograms that the appender was given */
	struct count_vec appended_before; /* each series of the message: what the appender had before it */

	uint64_t refused[EARLY_REFUSALS]; /* in samples */
	bool has_first;
	uint64_t first_place; /* of the first series refused here */
	char first_reason[512];
};

struct write_request *write_request_new(void)
{
	struct write_request *q = xcalloc(1, sizeof(*q));
	q->arena = arena_new(ARENA_NO_LIMIT);
	return q;
}

void write_request_free(struct write_request *q)
{
	if (!q)
		return;
	arena_free(q->arena);
	count_vec_done(&q->appended_before);
	free(q);
}

static void begin(struct write_request *q, struct appender *app, uint64_t seed, struct slice message)
{
	arena_reset(q->arena);
	count_vec_reset(&q->appended_before);
	q->app = app;
	q->whole = message;
	q->seed = seed;
	q->n_series = q->n_samples = q->n_exemplars = 0;
	q->place = 0;
	q->appended = 0;
	memset(q->refused, 0, sizeof(q->refused));
	q->has_first = false;
}

static int torn(struct err *err)
{
	return err_set(err, ERR_INVALID, "invalid protobuf: torn message");
}

/* --- labels: only for series that are not known --------------------------------------------------------------------- */

static size_t count_fields(struct slice message, uint32_t field)
{
	struct pb_reader r = pb_reader_of(message);
	size_t n = 0;
	while (pb_next(&r))
		n += r.field == field && r.wire == PB_BYTES;
	return n;
}

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

/* The label set in the arena, text borrowed from the message, sorted. The labels may come in any order and place; what they
 * are made of is checked by the store. */
static int read_labels(struct slice message, struct arena *arena, const struct labels **out, struct err *err)
{
	size_t count = count_fields(message, SERIES_LABELS), n = 0;
	if (count > INGEST_MAX_LABELS)
		return err_set(err, ERR_INVALID, "invalid labels: %zu of them, at most %d are taken", count,
		    INGEST_MAX_LABELS);
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

/* Counts n samples of series i of the batch as refused; the first time it is remembered why. */
static void refuse(struct write_request *q, enum early_refusal what, uint64_t n, size_t i, const char *reason)
{
	q->refused[what] += n;
	if (q->has_first)
		return;
	q->has_first = true;
	q->first_place = q->place + i;
	struct slice text = slice_cstr(reason);
	size_t len = text.len < sizeof(q->first_reason) - 1 ? text.len : sizeof(q->first_reason) - 1;
	memcpy(q->first_reason, text.ptr, len);
	q->first_reason[len] = 0;
}

/* Finds or makes series i of the batch by its labels. 0 and refs[i] 0: it was refused. */
static int add_series(struct write_request *q, size_t i, struct err *err)
{
	const struct pending_series *p = &q->series[i];
	const struct labels *labels;
	struct err why;
	q->refs[i] = 0;
	int rc = read_labels(p->message, q->arena, &labels, &why);
	if (rc == 0)
		rc = q->app->ops->add_series(
		    q->app, p->labels.len ? &q->keys[i] : NULL, labels, &q->refs[i], &why);
	if (rc == 0)
		return 0;
	if (rc != ERR_INVALID && rc != ERR_LIMIT && rc != ERR_NO_MEMORY)
		return err_set(err, rc, "%s", why.msg);
	uint64_t samples =
	    count_fields(p->message, SERIES_SAMPLES) + count_fields(p->message, SERIES_HISTOGRAMS);
	refuse(q,
	    rc == ERR_LIMIT       ? REFUSED_LIMIT
	    : rc == ERR_NO_MEMORY ? REFUSED_ROOM
				  : REFUSED_LABELS,
	    samples, i, why.msg);
	q->refs[i] = 0;
	return 0;
}

/* --- samples -------------------------------------------------------------------------------------------------------- */

static int flush_samples(struct write_request *q, struct err *err)
{
	if (q->n_samples == 0)
		return 0;
	int rc = q->app->ops->append(q->app, q->samples, q->n_samples, NULL, err);
	q->n_samples = 0;
	return rc;
}

/* A Sample in any form. */
static bool read_any_sample(struct slice message, struct sample *s)
{
	struct pb_reader r = pb_reader_of(message);
	s->t_ms = 0;
	s->v = 0;
	while (pb_next(&r)) {
		if (r.field == 1 && r.wire == PB_FIXED64)
			s->v = pb_double(&r);
		else if (r.field == 2 && r.wire == PB_VARINT)
			s->t_ms = (int64_t)r.number;
	}
	return pb_ok(&r);
}

static inline bool read_sample(struct slice message, struct sample *s)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	if (message.len != SAMPLE_BYTES || p[0] != TAG_VALUE || p[AT_TIMESTAMP] != TAG_TIMESTAMP)
		return read_any_sample(message, s);
	uint64_t t = 0;
	memcpy(&t, p + 10, 6);
	if ((t & UINT64_C(0x808080808080)) != UINT64_C(0x008080808080))
		return read_any_sample(message, s);
	memcpy(&s->v, p + 1, sizeof(s->v));
	s->t_ms = (int64_t)((t & 0x7f) | (t >> 8 & 0x7f) << 7 | (t >> 16 & 0x7f) << 14 |
			    (t >> 24 & 0x7f) << 21 | (t >> 32 & 0x7f) << 28 | (t >> 40 & 0x7f) << 35);
	return true;
}

static int append_sample(struct write_request *q, size_t i, struct slice message, struct err *err)
{
	struct sample *s = &q->samples[q->n_samples];
	if (!read_sample(message, s))
		return torn(err);
	s->ref = q->refs[i];
	q->appended++;
	return ++q->n_samples == SAMPLE_BATCH ? flush_samples(q, err) : 0;
}

/* The appender counts in the order of appending: what waits goes first. */
static int append_histogram(struct write_request *q, size_t i, struct slice message, struct err *err)
{
	struct histogram_sample sample = {.ref = q->refs[i]};
	struct err why;
	if (pb_histogram_read(message, q->arena, &sample.t_ms, &sample.h, &why)) {
		refuse(q, REFUSED_HISTOGRAM, 1, i, why.msg);
		return 0;
	}
	int rc = flush_samples(q, err);
	if (rc)
		return rc;
	q->appended++;
	return q->app->ops->append_histograms(q->app, &sample, 1, NULL, err);
}

/* --- exemplars ------------------------------------------------------------------------------------------------------ */

/* One that is refused spoils nothing: it is counted. */
static void flush_exemplars(struct write_request *q)
{
	uint8_t results[EXEMPLAR_BATCH];
	size_t refused = 0;
	if (q->n_exemplars == 0)
		return;
	q->app->ops->append_exemplars(q->app, q->exemplars, q->n_exemplars, results);
	for (size_t i = 0; i < q->n_exemplars; i++)
		refused += results[i] != EXEMPLAR_TAKEN && results[i] != EXEMPLAR_REPEATED &&
			   results[i] != EXEMPLAR_OFF;
	counter_add(M_REMOTE_WRITE_EXEMPLARS_REFUSED, refused);
	q->n_exemplars = 0;
}

/* False: torn. */
static bool read_exemplar(struct slice message, struct label *l, size_t *n, struct exemplar *e)
{
	struct pb_reader r = pb_reader_of(message);
	*n = 0;
	*e = (struct exemplar){.has_time = true};
	while (pb_next(&r)) {
		if (r.field == 1 && r.wire == PB_BYTES && read_label(r.bytes, &l[(*n)++], NULL))
			return false;
		if (r.field == 2 && r.wire == PB_FIXED64)
			e->v = pb_double(&r);
		else if (r.field == 3 && r.wire == PB_VARINT)
			e->t_ms = (int64_t)r.number;
	}
	return pb_ok(&r);
}

static int append_exemplar(struct write_request *q, size_t i, struct slice message, struct err *err)
{
	size_t n = count_fields(message, 1);
	struct exemplar_sample *s = &q->exemplars[q->n_exemplars];
	if (n > INGEST_MAX_LABELS) {
		counter_add(M_REMOTE_WRITE_EXEMPLARS_REFUSED, 1);
		return 0;
	}
	struct label *l = ARENA_ARRAY(q->arena, struct label, n);
	if (!read_exemplar(message, l, &n, &s->exemplar))
		return torn(err);
	s->ref = q->refs[i];
	if (labels_from_pairs(q->arena, l, n, &s->exemplar.labels, NULL)) {
		counter_add(M_REMOTE_WRITE_EXEMPLARS_REFUSED, 1);
		return 0;
	}
	if (++q->n_exemplars == EXEMPLAR_BATCH)
		flush_exemplars(q);
	return 0;
}

/* What stands behind the labels of series i. */
static int append_series(struct write_request *q, size_t i, struct err *err)
{
	struct pb_reader r = pb_reader_of(q->series[i].rest);
	/* One sample and nothing else is what nearly all series have. */
	if (r.end - r.at == SAMPLE_FIELD_BYTES && r.at[0] == TAG_SAMPLES && r.at[1] == SAMPLE_BYTES)
		return append_sample(q, i, slice_of((const char *)r.at + 2, SAMPLE_BYTES), err);
	while (pb_next(&r)) {
		int rc = 0;
		if (r.field == SERIES_SAMPLES && r.wire == PB_BYTES)
			rc = append_sample(q, i, r.bytes, err);
		else if (r.field == SERIES_HISTOGRAMS && r.wire == PB_BYTES)
			rc = append_histogram(q, i, r.bytes, err);
		else if (r.field == SERIES_EXEMPLARS && r.wire == PB_BYTES)
			rc = append_exemplar(q, i, r.bytes, err);
		if (rc)
			return rc;
	}
	return pb_ok(&r) ? 0 : torn(err);
}

/* --- one series ----------------------------------------------------------------------------------------------------- */

/* Where the labels in front of a TimeSeries end. Labels of up to 127 bytes, which nearly all are, are two bytes of head. */
static const uint8_t *skip_labels(struct pb_reader *r)
{
	while (r->end - r->at >= 2 && r->at[0] == TAG_LABELS && r->at[1] < 0x80 &&
	       r->at[1] <= r->end - r->at - 2)
		r->at += 2 + r->at[1];
	const uint8_t *labels_end = r->at;
	while (r->at < r->end && *r->at == TAG_LABELS && pb_next(r))
		labels_end = r->at;
	return labels_end;
}

/* A sender that mixes labels and samples gets the long way, without a key. False: torn. */
static bool split_series(struct slice message, struct pending_series *p)
{
	struct pb_reader r = pb_reader_of(message);
	const uint8_t *end = skip_labels(&r);
	size_t n = (size_t)(end - (const uint8_t *)message.ptr);
	*p = (struct pending_series){message, slice_of(message.ptr, n), slice_from(message, n), false};
	bool is_one_sample =
	    r.end - end >= 2 && end[0] == TAG_SAMPLES && end[1] < 0x80 && end[1] == r.end - end - 2;
	if (likely(is_one_sample))
		return true;
	while (pb_next(&r))
		if (r.field == SERIES_LABELS)
			p->labels.len = 0;
	if (p->labels.len == 0)
		p->rest = message;
	return pb_ok(&r);
}

/* Nearly all series end in one sample of the usual form. When its bytes stand at the end, what is in front is taken for the
 * labels without being looked at: if its key is known, the same bytes were found to be labels, and nothing but labels, before.
 * Only when it is not, split_series() tells. */
static inline bool guess_split(struct slice message, struct pending_series *p)
{
	if (message.len <= SAMPLE_FIELD_BYTES)
		return false;
	size_t n = message.len - SAMPLE_FIELD_BYTES;
	const uint8_t *field = (const uint8_t *)message.ptr + n;
	if (field[0] != TAG_SAMPLES || field[1] != SAMPLE_BYTES || field[2] != TAG_VALUE ||
	    field[2 + AT_TIMESTAMP] != TAG_TIMESTAMP)
		return false;
	*p = (struct pending_series){message, slice_of(message.ptr, n), slice_from(message, n), true};
	return true;
}

static struct series_key key_of(struct slice labels, uint64_t seed)
{
	struct hash128 h = hash128(labels.ptr, labels.len, seed);
	return (struct series_key){h.lo, h.hi};
}

/* Series i of the batch, whose key is not known: are its labels what they were taken for? */
static int check_guess(struct write_request *q, size_t i, struct err *err)
{
	struct pending_series *p = &q->series[i];
	size_t guessed = p->labels.len;
	if (!split_series(p->message, p))
		return torn(err);
	if (p->labels.len == guessed)
		return 0;
	q->keys[i] = key_of(p->labels, q->seed);
	q->app->ops->find(q->app, &q->keys[i], 1, &q->refs[i]);
	return 0;
}

static int flush_series(struct write_request *q, struct err *err)
{
	q->app->ops->find(q->app, q->keys, q->n_series, q->refs);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < q->n_series; i++) {
		const struct pending_series *p = &q->series[i];
		count_vec_push(&q->appended_before, q->appended);
		if (unlikely(q->refs[i] == 0 && p->is_guess))
			rc = check_guess(q, i, err);
		if (unlikely(rc == 0 && (q->refs[i] == 0 || p->labels.len == 0)))
			rc = add_series(q, i, err);
		if (likely(rc == 0 && q->refs[i] != 0))
			rc = append_series(q, i, err);
	}
	q->place += q->n_series;
	q->n_series = 0;
	return rc;
}

/* --- the message ---------------------------------------------------------------------------------------------------- */

static void read_metadata(struct write_request *q, struct slice message)
{
	static const enum metric_type types[] = {METRIC_UNKNOWN, METRIC_COUNTER, METRIC_GAUGE,
	    METRIC_HISTOGRAM, METRIC_GAUGE_HISTOGRAM, METRIC_SUMMARY, METRIC_INFO, METRIC_STATESET};
	struct pb_reader r = pb_reader_of(message);
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

static int read_field(struct write_request *q, const struct pb_reader *r, struct err *err)
{
	if (r->field == FIELD_METADATA && r->wire == PB_BYTES)
		read_metadata(q, r->bytes);
	if (r->field != FIELD_TIMESERIES)
		return 0;
	if (r->wire != PB_BYTES)
		return torn(err);
	struct pending_series *p = &q->series[q->n_series];
	if (!guess_split(r->bytes, p) && !split_series(r->bytes, p))
		return torn(err);
	q->keys[q->n_series] = key_of(p->labels, q->seed);
	return ++q->n_series == SERIES_BATCH ? flush_series(q, err) : 0;
}

int write_request_read(
    struct write_request *q, struct appender *app, uint64_t seed, struct slice message, struct err *err)
{
	begin(q, app, seed, message);
	struct pb_reader r = pb_reader_of(message);
	int rc = 0;
	while (rc == 0 && pb_next(&r))
		rc = read_field(q, &r, err);
	if (rc == 0 && !pb_ok(&r))
		rc = torn(err);
	if (rc == 0)
		rc = flush_series(q, err);
	if (rc == 0)
		flush_exemplars(q);
	return rc ? rc : flush_samples(q, err);
}

/* --- what was refused ----------------------------------------------------------------------------------------------- */

uint64_t write_request_samples(const struct write_request *q)
{
	uint64_t n = q->appended;
	for (int i = 0; i < EARLY_REFUSALS; i++)
		n += q->refused[i];
	return n;
}

/* The series of the message that sample `index` of the appender's count belongs to: the last one that had no more before. */
static uint64_t place_of(const struct write_request *q, uint64_t index)
{
	uint64_t lo = 0, hi = q->appended_before.len;
	while (hi - lo > 1) {
		uint64_t mid = (lo + hi) / 2;
		if (q->appended_before.v[mid] <= index)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static struct slice series_at(const struct write_request *q, uint64_t place)
{
	struct pb_reader r = pb_reader_of(q->whole);
	while (pb_next(&r))
		if (r.field == FIELD_TIMESERIES && place-- == 0)
			return r.bytes;
	return SL_EMPTY;
}

/* The time of the k-th sample; false for a histogram or when there is none. */
static bool time_of(struct slice series, uint64_t k, int64_t *t_ms)
{
	struct pb_reader r = pb_reader_of(series);
	struct sample s;
	while (pb_next(&r)) {
		if (r.field != SERIES_SAMPLES && r.field != SERIES_HISTOGRAMS)
			continue;
		if (k-- > 0)
			continue;
		if (r.field != SERIES_SAMPLES || !read_any_sample(r.bytes, &s))
			return false;
		*t_ms = s.t_ms;
		return true;
	}
	return false;
}

/* Cut when it is long: nobody reads the megabytes that made it a refusal. */
static void name_series(struct write_request *q, uint64_t place, struct strbuf *out)
{
	const struct labels *labels;
	size_t begin = out->len;
	if (read_labels(series_at(q, place), q->arena, &labels, NULL) == 0)
		labels_print_metric(out, labels);
	else
		strbuf_addf(out, "the series at number %llu", (unsigned long long)(place + 1));
	if (out->len - begin <= NAME_MAX_BYTES)
		return;
	size_t len = begin + NAME_MAX_BYTES;
	while (len > begin && (out->ptr[len] & 0xc0) == 0x80) /* not within a character */
		len--;
	out->len = len;
	strbuf_adds(out, "...");
}

static void name_first(struct write_request *q, const struct append_stats *stats, struct strbuf *out)
{
	bool late = stats->first_reason != APPEND_OK;
	uint64_t place = late ? place_of(q, stats->first_refused) : 0;
	if (q->has_first && (!late || q->first_place < place)) {
		strbuf_addf(out, "%s: ", q->first_reason);
		name_series(q, q->first_place, out);
		return;
	}
	int64_t t_ms;
	name_series(q, place, out);
	if (time_of(series_at(q, place), stats->first_refused - q->appended_before.v[place], &t_ms))
		strbuf_addf(out, " at %lld", (long long)t_ms);
}

bool write_request_wants_again(const struct write_request *q, const struct append_stats *stats)
{
	return q->refused[REFUSED_ROOM] + stats->by_result[APPEND_UNKNOWN_REF] +
		   stats->by_result[APPEND_NO_ROOM] >
	       0;
}

uint64_t write_request_explain(struct write_request *q, const struct append_stats *stats, struct strbuf *out)
{
	static const char *const early[] = {
	    "invalid labels", "series limit", "invalid histogram", "no memory"};
	uint64_t refused = 0;
	const char *comma = "";
	for (int i = 0; i < APPEND_RESULTS; i++)
		if (i > APPEND_REPEATED && stats->by_result[i] > 0) {
			strbuf_addf(out, "%s%s (%llu)", comma, append_result_text((enum append_result)i),
			    (unsigned long long)stats->by_result[i]);
			refused += stats->by_result[i];
			comma = ", ";
		}
	for (int i = 0; i < EARLY_REFUSALS; i++)
		if (q->refused[i] > 0) {
			strbuf_addf(out, "%s%s (%llu)", comma, early[i], (unsigned long long)q->refused[i]);
			refused += q->refused[i];
			comma = ", ";
		}
	if (refused == 0 && !q->has_first)
		return 0;
	strbuf_addf(out,
	    "%s%llu of %llu samples were refused, the others are stored; first: ", *comma ? ": " : "",
	    (unsigned long long)refused, (unsigned long long)write_request_samples(q));
	name_first(q, stats, out);
	strbuf_addch(out, '\n');
	return refused;
}
