#include "ingest/pb_histogram.h"

#include "ingest/ingest_limits.h"
#include "ingest/pb_reader.h"
#include <math.h>

enum { MAX_SCHEMA = 8, MIN_SCHEMA = -4, MAX_SENT_SCHEMA = 52, MAX_INDEX = 1 << 29 };

/* Buckets of one sign, as they are sent: differences of whole counts, or counts. */
struct side {
	const struct histogram_span *spans;
	uint32_t n_spans;
	uint64_t n_buckets; /* what the spans say */
	uint64_t *deltas;
	double *counts;
	size_t n_deltas, n_counts;
};

struct sent {
	struct side pos, neg;
	bool has_float_count;
	uint64_t count_int, zero_int;
	double count_float, zero_float;
	double sum, zero_threshold;
	int32_t schema;
	uint64_t hint;
	int64_t t_ms;
	double *custom;
	size_t n_custom;
};

static int invalid(struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "invalid histogram: %s", what);
}

/* How many values a repeated field can have at most, by its bytes: the room that is taken for it. */
static size_t count_field(struct slice message, uint32_t field, size_t bytes_each)
{
	struct pb_reader r = pb_reader_of(message);
	size_t n = 0;
	while (pb_next(&r))
		if (r.field == field)
			n += r.wire == PB_BYTES ? r.bytes.len / bytes_each : 1;
	return n;
}

static size_t count_messages(struct slice message, uint32_t field)
{
	struct pb_reader r = pb_reader_of(message);
	size_t n = 0;
	while (pb_next(&r))
		n += r.field == field && r.wire == PB_BYTES;
	return n;
}

static bool read_span(struct slice message, struct histogram_span *span)
{
	struct pb_reader r = pb_reader_of(message);
	int64_t offset = 0;
	uint64_t length = 0;
	while (pb_next(&r)) {
		if (r.field == 1 && r.wire == PB_VARINT)
			offset = pb_zigzag(r.number);
		else if (r.field == 2 && r.wire == PB_VARINT)
			length = r.number;
	}
	*span = (struct histogram_span){(int32_t)offset, (uint32_t)length};
	return pb_ok(&r) && offset >= INT32_MIN && offset <= INT32_MAX && length <= INGEST_MAX_BUCKETS;
}

/* Spans, differences and counts of one sign; their fields stand one after the other. */
static int read_side(
    struct slice message, uint32_t first_field, struct arena *arena, struct side *s, struct err *err)
{
	size_t spans = count_messages(message, first_field),
	       deltas = count_field(message, first_field + 1, 1);
	size_t counts = count_field(message, first_field + 2, 8);
	if (spans > INGEST_MAX_BUCKETS || deltas > INGEST_MAX_BUCKETS || counts > INGEST_MAX_BUCKETS)
		return invalid(err, "too many buckets");
	struct histogram_span *list = ARENA_ARRAY(arena, struct histogram_span, spans);
	s->deltas = ARENA_ARRAY(arena, uint64_t, deltas);
	s->counts = ARENA_ARRAY(arena, double, counts);
	s->spans = list;
	struct pb_reader r = pb_reader_of(message);
	bool ok = true;
	while (ok && pb_next(&r)) {
		if (r.field == first_field && r.wire == PB_BYTES) {
			ok = read_span(r.bytes, &list[s->n_spans]);
			s->n_buckets += list[s->n_spans++].length;
		} else if (r.field == first_field + 1) {
			ok = pb_take_varints(&r, s->deltas, &s->n_deltas, deltas);
		} else if (r.field == first_field + 2) {
			ok = pb_take_doubles(&r, s->counts, &s->n_counts, counts);
		}
	}
	return ok && pb_ok(&r) ? 0 : invalid(err, "torn buckets");
}

static void read_number(const struct pb_reader *r, struct sent *s)
{
	switch (r->field) {
	case 1:
		s->count_int = r->number;
		break;
	case 4:
		s->schema = (int32_t)pb_zigzag(r->number);
		break;
	case 6:
		s->zero_int = r->number;
		break;
	case 14:
		s->hint = r->number;
		break;
	case 15:
		s->t_ms = (int64_t)r->number;
		break;
	default:
		break;
	}
}

static void read_double(const struct pb_reader *r, struct sent *s)
{
	switch (r->field) {
	case 2:
		s->count_float = pb_double(r);
		s->has_float_count = true;
		break;
	case 3:
		s->sum = pb_double(r);
		break;
	case 5:
		s->zero_threshold = pb_double(r);
		break;
	case 7:
		s->zero_float = pb_double(r);
		break;
	default:
		break;
	}
}

static int read_sent(struct slice message, struct arena *arena, struct sent *s, struct err *err)
{
	size_t customs = count_field(message, 16, 8);
	if (customs > INGEST_MAX_BUCKETS)
		return invalid(err, "too many custom bounds");
	s->custom = ARENA_ARRAY(arena, double, customs);
	struct pb_reader r = pb_reader_of(message);
	while (pb_next(&r)) {
		if (r.field == 16)
			pb_take_doubles(&r, s->custom, &s->n_custom, customs);
		else if (r.wire == PB_VARINT)
			read_number(&r, s);
		else if (r.wire == PB_FIXED64)
			read_double(&r, s);
	}
	if (!pb_ok(&r))
		return invalid(err, "torn message");
	int rc = read_side(message, 8, arena, &s->neg, err);
	return rc ? rc : read_side(message, 11, arena, &s->pos, err);
}

/* Spans after the first lead forwards, and no bucket lies where its bound would be no number. */
static int check_spans(const struct side *s, struct err *err)
{
	int64_t index = 0;
	for (uint32_t i = 0; i < s->n_spans; i++) {
		if (i > 0 && s->spans[i].offset < 0)
			return invalid(err, "a span with a negative offset");
		index += s->spans[i].offset;
		if (index < -MAX_INDEX || index > MAX_INDEX)
			return invalid(err, "a span outside of all buckets");
		index += s->spans[i].length;
	}
	return 0;
}

/* Absolute counts of a side; integer counts come as differences to the bucket before. */
static int absolute_counts(const struct side *s, bool is_float, struct arena *arena, const double **out,
    uint32_t *n, struct err *err)
{
	size_t got = is_float ? s->n_counts : s->n_deltas;
	if (got != s->n_buckets)
		return err_set(err, ERR_INVALID,
		    "invalid histogram: spans need %llu buckets, have %zu buckets",
		    (unsigned long long)s->n_buckets, got);
	*n = (uint32_t)got;
	*out = s->counts;
	if (!is_float) {
		double *counts = ARENA_ARRAY(arena, double, got);
		int64_t count = 0;
		for (size_t i = 0; i < got; i++) {
			if (__builtin_add_overflow(count, pb_zigzag(s->deltas[i]), &count) || count < 0)
				return invalid(err, "a bucket has a negative count");
			counts[i] = (double)count;
		}
		*out = counts;
	}
	for (size_t i = 0; i < got; i++)
		if ((*out)[i] < 0)
			return invalid(err, "a bucket has a negative count");
	return check_spans(s, err);
}

static int check_resolution(const struct sent *s, struct err *err)
{
	if (s->schema == HISTOGRAM_CUSTOM_SCHEMA) {
		for (size_t i = 0; i < s->n_custom; i++)
			if (isnan(s->custom[i]) || (i > 0 && s->custom[i] <= s->custom[i - 1]))
				return invalid(err, "custom bounds must ascend");
		if (s->neg.n_spans || s->neg.n_buckets)
			return invalid(err, "custom bounds with negative buckets");
		if (s->pos.n_buckets > s->n_custom + 1)
			return invalid(err, "more buckets than custom bounds");
		return 0;
	}
	if (s->schema < MIN_SCHEMA || s->schema > MAX_SENT_SCHEMA)
		return err_set(
		    err, ERR_INVALID, "invalid histogram: schema %d is none of -4 to 52 and -53", s->schema);
	return s->n_custom ? invalid(err, "custom bounds need schema -53") : 0;
}

int pb_histogram_read(
    struct slice message, struct arena *arena, int64_t *t_ms, const struct histogram **out, struct err *err)
{
	struct sent s = {.schema = 0};
	int rc = read_sent(message, arena, &s, err);
	if (rc == 0)
		rc = check_resolution(&s, err);
	if (rc)
		return rc;
	struct histogram *h = ARENA_NEW(arena, struct histogram);
	bool is_float = s.has_float_count;
	h->hint = s.hint <= HINT_GAUGE ? (enum histogram_hint)s.hint : HINT_UNKNOWN;
	h->schema = s.schema;
	h->zero_threshold = s.zero_threshold;
	h->zero_count = is_float ? s.zero_float : (double)s.zero_int;
	h->count = is_float ? s.count_float : (double)s.count_int;
	h->sum = s.sum;
	h->n_pos_spans = s.pos.n_spans;
	h->n_neg_spans = s.neg.n_spans;
	h->pos_spans = s.pos.spans;
	h->neg_spans = s.neg.spans;
	h->custom = s.custom;
	h->n_custom = (uint32_t)s.n_custom;
	rc = absolute_counts(&s.pos, is_float, arena, &h->pos, &h->n_pos, err);
	if (rc == 0)
		rc = absolute_counts(&s.neg, is_float, arena, &h->neg, &h->n_neg, err);
	if (rc)
		return rc;
	*out = h->schema > MAX_SCHEMA ? histogram_reduce(arena, h, MAX_SCHEMA) : h;
	*t_ms = s.t_ms;
	return 0;
}
