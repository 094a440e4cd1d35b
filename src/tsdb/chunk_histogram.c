/*   byte version << 4 | time mode, varint n, times as in chunk_column, then n histograms:
 *
 *   byte    hint | HAS_LAYOUT
 *   layout  zigzag varint schema, 8 bytes zero threshold, varint spans and for each zigzag varint offset, varint length
 *           (positive, then negative), varint bounds, 8 bytes each
 *   counts  zero count, count, sum, each bucket: a number is varint (zigzag(difference to the same one of the histogram
 *           before) << 1) when both are whole, else varint 1 and 8 bytes
 *
 * The first histogram has a layout; a later one without has that of the one before. */
#include "tsdb/chunk_histogram.h"

#include "base/byte_reader.h"
#include "base/varint.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "tsdb/chunk_column_priv.h"
#include <assert.h>
#include <string.h>

enum { VERSION = 2, HINT_BITS = 3, HAS_LAYOUT = 4 };

static void add_double(struct strbuf *out, double v)
{
	uint64_t bits = double_bits(v);
	uint8_t bytes[8];
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> (8 * i));
	strbuf_add(out, bytes, sizeof(bytes));
}

/* Whole, small enough for exact differences, and not -0. */
static bool is_whole(double v)
{
	return v > -4503599627370496.0 && v < 4503599627370496.0 && v == (double)(int64_t)v &&
	       double_bits(v) != double_bits(-0.0);
}

static void add_number(struct strbuf *out, double v, double before)
{
	if (is_whole(v)) {
		int64_t base = is_whole(before) ? (int64_t)before : 0;
		varint_add(out, zigzag((int64_t)v - base) << 1);
		return;
	}
	varint_add(out, 1);
	add_double(out, v);
}

static double take_number(struct byte_reader *r, double before)
{
	uint64_t x = read_varint(r);
	if (x & 1)
		return double_from_bits(read_u64(r));
	return (
	    double)(int64_t)((uint64_t)unzigzag(x >> 1) + (uint64_t)(is_whole(before) ? (int64_t)before : 0));
}

/* --- encoding ----------------------------------------------------------------------------------------------------- */

static bool same_spans(
    const struct histogram_span *a, uint32_t na, const struct histogram_span *b, uint32_t nb)
{
	if (na != nb)
		return false;
	for (uint32_t i = 0; i < na; i++)
		if (a[i].offset != b[i].offset || a[i].length != b[i].length)
			return false;
	return true;
}

static bool same_layout(const struct histogram *a, const struct histogram *b)
{
	return a->schema == b->schema && double_bits(a->zero_threshold) == double_bits(b->zero_threshold) &&
	       a->n_custom == b->n_custom &&
	       (a->n_custom == 0 || memcmp(a->custom, b->custom, a->n_custom * sizeof(*a->custom)) == 0) &&
	       same_spans(a->pos_spans, a->n_pos_spans, b->pos_spans, b->n_pos_spans) &&
	       same_spans(a->neg_spans, a->n_neg_spans, b->neg_spans, b->n_neg_spans);
}

static void add_spans(struct strbuf *out, const struct histogram_span *s, uint32_t n)
{
	varint_add(out, n);
	for (uint32_t i = 0; i < n; i++) {
		varint_add(out, zigzag(s[i].offset));
		varint_add(out, s[i].length);
	}
}

static void add_layout(struct strbuf *out, const struct histogram *h)
{
	varint_add(out, zigzag(h->schema));
	add_double(out, h->zero_threshold);
	add_spans(out, h->pos_spans, h->n_pos_spans);
	add_spans(out, h->neg_spans, h->n_neg_spans);
	varint_add(out, h->n_custom);
	for (uint32_t i = 0; i < h->n_custom; i++)
		add_double(out, h->custom[i]);
}

/* "Not reset" is said of the histogram before, which may be deleted later, or another one come late between the two: then
 * it is not true any more, and readers would believe it. They find out for themselves. */
static enum histogram_hint lasting_hint(const struct histogram *h)
{
	return h->hint == HINT_NOT_RESET ? HINT_UNKNOWN : h->hint;
}

static void add_histogram(struct strbuf *out, const struct histogram *h, const struct histogram *before)
{
	bool same = before && same_layout(h, before);
	strbuf_addch(out, (char)((unsigned)lasting_hint(h) | (same ? 0u : HAS_LAYOUT)));
	if (!same)
		add_layout(out, h);
	add_number(out, h->zero_count, same ? before->zero_count : 0);
	add_number(out, h->count, same ? before->count : 0);
	add_number(out, h->sum, same ? before->sum : 0);
	for (uint32_t i = 0; i < h->n_pos; i++)
		add_number(out, h->pos[i], same ? before->pos[i] : 0);
	for (uint32_t i = 0; i < h->n_neg; i++)
		add_number(out, h->neg[i], same ? before->neg[i] : 0);
}

void chunk_histogram_encode(const int64_t *t, const struct histogram *const *h, size_t n, struct strbuf *out)
{
	assert(n > 0 && n <= CHUNK_HISTOGRAM_MAX_SAMPLES);
	size_t at = out->len;
	int64_t *scratch = xmalloc(2 * n * sizeof(*scratch));
	strbuf_addch(out, 0);
	varint_add(out, n);
	enum time_mode mode = encode_times(t, n, scratch, scratch + n, out);
	free(scratch);
	for (size_t i = 0; i < n; i++)
		add_histogram(out, h[i], i ? h[i - 1] : NULL);
	if (!strbuf_overflowed(out))
		out->ptr[at] = (char)(VERSION << 4 | (int)mode);
}

/* --- decoding ----------------------------------------------------------------------------------------------------- */

/* A count of things that take a byte each at least: checked before memory is taken. */
static uint32_t take_count(struct byte_reader *r)
{
	uint64_t n = read_varint(r);
	if (n > byte_reader_left(r))
		byte_reader_fail(r);
	return r->failed ? 0 : (uint32_t)n;
}

static const struct histogram_span *take_spans(
    struct byte_reader *r, struct arena *arena, uint32_t *n_spans, uint32_t *n_buckets)
{
	uint32_t n = take_count(r);
	uint64_t buckets = 0;
	struct histogram_span *s = ARENA_ARRAY(arena, struct histogram_span, n);
	for (uint32_t i = 0; i < n; i++) {
		int64_t offset = unzigzag(read_varint(r));
		uint64_t length = read_varint(r);
		buckets += length;
		if (offset < INT32_MIN || offset > INT32_MAX || length > UINT32_MAX ||
		    buckets > byte_reader_left(r)) {
			byte_reader_fail(r);
			return NULL;
		}
		s[i] = (struct histogram_span){(int32_t)offset, (uint32_t)length};
	}
	*n_spans = n;
	*n_buckets = (uint32_t)buckets;
	return s;
}

static void take_layout(struct byte_reader *r, struct arena *arena, struct histogram *h)
{
	int64_t schema = unzigzag(read_varint(r));
	if (schema < HISTOGRAM_CUSTOM_SCHEMA || schema > 127)
		byte_reader_fail(r);
	h->schema = (int32_t)schema;
	h->zero_threshold = double_from_bits(read_u64(r));
	h->pos_spans = take_spans(r, arena, &h->n_pos_spans, &h->n_pos);
	h->neg_spans = take_spans(r, arena, &h->n_neg_spans, &h->n_neg);
	h->n_custom = take_count(r);
	double *custom = ARENA_ARRAY(arena, double, h->n_custom);
	for (uint32_t i = 0; i < h->n_custom; i++)
		custom[i] = double_from_bits(read_u64(r));
	h->custom = custom;
}

static const double *take_buckets(
    struct byte_reader *r, struct arena *arena, uint32_t n, const double *before)
{
	if (n > byte_reader_left(r)) {
		byte_reader_fail(r);
		return NULL;
	}
	double *buckets = ARENA_ARRAY(arena, double, n);
	for (uint32_t i = 0; i < n; i++)
		buckets[i] = take_number(r, before ? before[i] : 0);
	return buckets;
}

static struct histogram *take_histogram(
    struct byte_reader *r, struct arena *arena, const struct histogram *before)
{
	struct histogram *h = ARENA_NEW(arena, struct histogram);
	uint8_t flags = read_u8(r);
	bool same = !(flags & HAS_LAYOUT);
	if (flags >= HAS_LAYOUT << 1 || (same && !before)) {
		byte_reader_fail(r);
		return h;
	}
	if (same)
		*h = *before;
	else
		take_layout(r, arena, h);
	h->hint = (enum histogram_hint)(flags & HINT_BITS);
	h->zero_count = take_number(r, same ? before->zero_count : 0);
	h->count = take_number(r, same ? before->count : 0);
	h->sum = take_number(r, same ? before->sum : 0);
	h->pos = take_buckets(r, arena, h->n_pos, same ? before->pos : NULL);
	h->neg = take_buckets(r, arena, h->n_neg, same ? before->neg : NULL);
	return h;
}

static int corrupt(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "histogram chunk: %s", what);
}

static int take_all(struct byte_reader *r, const int64_t *t, size_t n, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	const struct histogram *before = NULL;
	for (size_t i = 0; i < n; i++) {
		before = take_histogram(r, out->histograms, before);
		if (r->failed)
			return corrupt(err, "torn");
		if (t[i] >= min_t_ms && t[i] <= max_t_ms &&
		    !sample_column_push(out, t[i], before->sum, before))
			return err_set(err, ERR_NO_MEMORY, "no memory for histograms");
	}
	return byte_reader_done(r) ? 0 : corrupt(err, "bytes behind the end");
}

int chunk_histogram_read(struct slice bytes, int64_t first_t_ms, int64_t min_t_ms, int64_t max_t_ms,
    struct sample_column *out, struct err *err)
{
	int64_t t[CHUNK_HISTOGRAM_MAX_SAMPLES];
	struct byte_reader r;
	byte_reader_init(&r, bytes);
	uint8_t head = read_u8(&r);
	uint64_t n = read_varint(&r);
	if (r.failed || head >> 4 != VERSION || n == 0 || n > CHUNK_HISTOGRAM_MAX_SAMPLES)
		return corrupt(err, "unknown version or impossible number of samples");
	if ((head & 15) >= TIME_SHARED || !decode_times(&r, (enum time_mode)(head & 15), n, first_t_ms, t))
		return corrupt(err, "times are torn or do not ascend");
	size_t kept = out->n;
	int rc = take_all(&r, t, n, min_t_ms, max_t_ms, out, err);
	if (rc)
		out->n = kept;
	return rc;
}
