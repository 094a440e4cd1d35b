#include "tsdb/wal_record.h"

#include "base/crc32c.h"
#include "base/varint.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include <string.h>

/* --- frames --------------------------------------------------------------------------------------------------- */

static void put_le(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

void wal_frame_encode(const struct wal_frame *f, uint8_t out[WAL_FRAME_BYTES])
{
	put_le(out, f->len, 4);
	put_le(out + 4, f->check, 4);
	put_le(out + 8, f->number, 8);
	out[16] = f->type;
	out[17] = f->version;
	put_le(out + 18, f->stripe, 2);
}

void wal_frame_decode(const uint8_t in[WAL_FRAME_BYTES], struct wal_frame *f)
{
	f->len = (uint32_t)get_le(in, 4);
	f->check = (uint32_t)get_le(in + 4, 4);
	f->number = get_le(in + 8, 8);
	f->type = in[16];
	f->version = in[17];
	f->stripe = (uint16_t)get_le(in + 18, 2);
}

uint32_t wal_frame_check(const struct wal_frame *f, uint32_t payload_crc, uint64_t segment, uint64_t offset)
{
	uint8_t place[WAL_FRAME_BYTES + 16];
	struct wal_frame bare = *f;
	bare.check = 0;
	wal_frame_encode(&bare, place);
	put_le(place + WAL_FRAME_BYTES, segment, 8);
	put_le(place + WAL_FRAME_BYTES + 8, offset, 8);
	return crc32c_mask(crc32c(payload_crc, place, sizeof(place)));
}

/* --- samples --------------------------------------------------------------------------------------------------- */

/* The control byte: two bits for the ref, two for the time, four for the value. */
enum { REF_NEXT = 0, REF_SAME = 1, REF_DELTA = 2 };
enum { TIME_SAME = 0 << 2, TIME_STEP = 1 << 2, TIME_DELTA = 2 << 2 };
enum {
	VALUE_SHIFT = 4,
	VALUE_ZERO = 0,    /* +0 */
	VALUE_INT_MAX = 7, /* 1..7: a zigzag integer in so many bytes */
	VALUE_RAW = 8,     /* the eight bytes of the double */
	VALUE_HIGH = 9,    /* its upper four; the lower are zero */
	VALUE_STALE = 10,
};

void wal_samples_begin(struct wal_samples_writer *w, uint8_t *bytes)
{
	*w = (struct wal_samples_writer){.bytes = bytes};
}

static unsigned put_ref(struct wal_samples_writer *w, series_ref ref)
{
	int64_t delta = (int64_t)ref - (int64_t)w->last_ref;
	w->last_ref = ref;
	if (delta == 1)
		return REF_NEXT;
	if (delta == 0)
		return REF_SAME;
	w->len += varint_put(w->bytes + w->len, zigzag(delta));
	return REF_DELTA;
}

static unsigned put_time(struct wal_samples_writer *w, int64_t t_ms)
{
	int64_t step = (int64_t)((uint64_t)t_ms - (uint64_t)w->last_t_ms);
	w->last_t_ms = t_ms;
	if (step == 0)
		return TIME_SAME;
	if (step == w->last_step_ms)
		return TIME_STEP;
	w->last_step_ms = step;
	w->len += varint_put(w->bytes + w->len, zigzag(step));
	return TIME_DELTA;
}

static bool as_small_integer(double v, uint64_t bits, uint64_t *zz)
{
	if (!(v > -36028797018963968.0 && v < 36028797018963968.0)) /* 2^55: seven bytes of zigzag */
		return false;
	int64_t i = (int64_t)v;
	*zz = zigzag(i);
	return double_bits((double)i) == bits;
}

/* Eight bytes are written at once whatever counts of them: the room is there. */
static unsigned put_value(struct wal_samples_writer *w, double v)
{
	uint64_t bits = double_bits(v), zz;
	if (bits == 0)
		return VALUE_ZERO;
	if (as_small_integer(v, bits, &zz)) {
		unsigned n = (71u - (unsigned)__builtin_clzll(zz)) / 8;
		put_le(w->bytes + w->len, zz, 8);
		w->len += n;
		return n;
	}
	if (bits == STALE_NAN_BITS)
		return VALUE_STALE;
	bool high = (uint32_t)bits == 0;
	put_le(w->bytes + w->len, high ? bits >> 32 : bits, 8);
	w->len += high ? 4 : 8;
	return high ? VALUE_HIGH : VALUE_RAW;
}

void wal_samples_add(struct wal_samples_writer *w, series_ref ref, int64_t t_ms, double v)
{
	size_t control = w->len++;
	unsigned how = put_ref(w, ref);
	how |= put_time(w, t_ms);
	how |= put_value(w, v) << VALUE_SHIFT;
	w->bytes[control] = (uint8_t)how;
}

void wal_samples_open(struct wal_samples_reader *r, struct slice payload)
{
	*r = (struct wal_samples_reader){0};
	byte_reader_init(&r->r, payload);
}

static void read_ref(struct wal_samples_reader *r, unsigned how)
{
	if (how == REF_NEXT)
		r->last_ref++;
	else if (how == REF_DELTA)
		r->last_ref = (series_ref)((int64_t)r->last_ref + unzigzag(read_varint(&r->r)));
	else if (how != REF_SAME)
		byte_reader_fail(&r->r);
}

static void read_time(struct wal_samples_reader *r, unsigned how)
{
	if (how == TIME_DELTA)
		r->last_step_ms = unzigzag(read_varint(&r->r));
	else if (how != TIME_SAME && how != TIME_STEP)
		byte_reader_fail(&r->r);
	if (how != TIME_SAME)
		r->last_t_ms = (int64_t)((uint64_t)r->last_t_ms + (uint64_t)r->last_step_ms);
}

static double read_value(struct byte_reader *r, unsigned how)
{
	switch (how) {
	case VALUE_ZERO:
		return 0;
	case VALUE_RAW:
		return double_from_bits(read_u64(r));
	case VALUE_HIGH:
		return double_from_bits((uint64_t)read_u32(r) << 32);
	case VALUE_STALE:
		return double_from_bits(STALE_NAN_BITS);
	default:
		if (how <= VALUE_INT_MAX)
			return (double)unzigzag(read_uint(r, how));
		byte_reader_fail(r);
		return 0;
	}
}

int wal_samples_next(struct wal_samples_reader *r, struct sample *s)
{
	if (byte_reader_done(&r->r))
		return r->r.failed ? ERR_CORRUPT : 1;
	unsigned how = read_u8(&r->r);
	read_ref(r, how & 3);
	read_time(r, how & (3 << 2));
	double v = read_value(&r->r, how >> VALUE_SHIFT);
	if (r->r.failed)
		return ERR_CORRUPT;
	*s = (struct sample){.ref = r->last_ref, .t_ms = r->last_t_ms, .v = v};
	return 0;
}

/* --- series ---------------------------------------------------------------------------------------------------- */

enum { SERIES_SAME_NAMES = 1, SERIES_MAX_LABELS_READ = 1 << 16 };

static void add_text(struct strbuf *out, struct slice s)
{
	varint_add(out, s.len);
	strbuf_add_slice(out, s);
}

static struct slice read_text(struct byte_reader *r)
{
	return read_bytes(r, (size_t)read_varint(r));
}

void wal_series_begin(struct wal_series_writer *w, struct strbuf *out)
{
	w->out = out;
	w->last_ref = 0;
	w->n = 0;
}

void wal_series_done(struct wal_series_writer *w)
{
	free(w->l);
	*w = (struct wal_series_writer){0};
}

static bool same_names(const struct wal_series_writer *w, const struct label *l, size_t n)
{
	if (n != w->n || n == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!slice_eq(w->l[i].name, l[i].name))
			return false;
	return true;
}

/* One bit a label: its value differs from the series before. */
static void add_changes(struct wal_series_writer *w, const struct label *l)
{
	char *bits = strbuf_reserve(w->out, (w->n + 7) / 8);
	if (!bits)
		return;
	size_t at = w->out->len;
	memset(bits, 0, (w->n + 7) / 8);
	strbuf_advance(w->out, (w->n + 7) / 8);
	for (size_t i = 0; i < w->n; i++) {
		if (slice_eq(w->l[i].value, l[i].value))
			continue;
		add_text(w->out, l[i].value);
		w->out->ptr[at + i / 8] = (char)(w->out->ptr[at + i / 8] | 1 << i % 8);
	}
}

static void add_all(struct strbuf *out, const struct label *l, size_t n)
{
	varint_add(out, n);
	for (size_t i = 0; i < n; i++) {
		add_text(out, l[i].name);
		add_text(out, l[i].value);
	}
}

void wal_series_add(struct wal_series_writer *w, series_ref ref, const struct label *l, size_t n)
{
	varint_add(w->out, zigzag((int64_t)ref - (int64_t)w->last_ref));
	w->last_ref = ref;
	bool same = same_names(w, l, n);
	strbuf_addch(w->out, same ? SERIES_SAME_NAMES : 0);
	if (same)
		add_changes(w, l);
	else
		add_all(w->out, l, n);
	if (n > w->cap) {
		w->l = xreallocarray(w->l, n, sizeof(*w->l));
		w->cap = n;
	}
	memcpy(w->l, l, n * sizeof(*l));
	w->n = n;
}

void wal_series_open(struct wal_series_reader *r, struct slice payload)
{
	byte_reader_init(&r->r, payload);
	r->last_ref = 0;
	r->n = 0;
}

void wal_series_close(struct wal_series_reader *r)
{
	free(r->l);
	*r = (struct wal_series_reader){0};
}

static void read_all_labels(struct wal_series_reader *r)
{
	size_t n = (size_t)read_varint(&r->r);
	/* A label takes two bytes at least, so what is left bounds the allocation. */
	if (n > SERIES_MAX_LABELS_READ || n > byte_reader_left(&r->r) / 2 || n == 0) {
		byte_reader_fail(&r->r);
		return;
	}
	if (n > r->cap) {
		r->l = xreallocarray(r->l, n, sizeof(*r->l));
		r->cap = n;
	}
	r->n = n;
	for (size_t i = 0; i < n; i++) {
		r->l[i].name = read_text(&r->r);
		r->l[i].value = read_text(&r->r);
		if (i > 0 && slice_cmp(r->l[i - 1].name, r->l[i].name) >= 0)
			byte_reader_fail(&r->r);
	}
}

static void read_changes(struct wal_series_reader *r)
{
	struct slice bits = read_bytes(&r->r, (r->n + 7) / 8);
	for (size_t i = 0; i < r->n && !r->r.failed; i++)
		if (bits.ptr[i / 8] >> (i % 8) & 1)
			r->l[i].value = read_text(&r->r);
	if (r->n == 0)
		byte_reader_fail(&r->r);
}

int wal_series_next(struct wal_series_reader *r, series_ref *ref)
{
	if (byte_reader_done(&r->r))
		return r->r.failed ? ERR_CORRUPT : 1;
	r->last_ref = (series_ref)((int64_t)r->last_ref + unzigzag(read_varint(&r->r)));
	unsigned how = read_u8(&r->r);
	if (how == 0)
		read_all_labels(r);
	else if (how == SERIES_SAME_NAMES)
		read_changes(r);
	else
		byte_reader_fail(&r->r);
	for (size_t i = 0; i < r->n && !r->r.failed; i++)
		if (r->l[i].name.len == 0 || r->l[i].value.len == 0)
			byte_reader_fail(&r->r);
	if (r->r.failed || r->last_ref == 0)
		return ERR_CORRUPT;
	*ref = r->last_ref;
	return 0;
}

/* --- histograms and metadata ----------------------------------------------------------------------------------- */

void wal_histogram_add(struct strbuf *out, series_ref ref, int64_t t_ms, struct slice chunk)
{
	varint_add(out, ref);
	varint_add(out, zigzag(t_ms));
	add_text(out, chunk);
}

int wal_histogram_next(struct byte_reader *r, series_ref *ref, int64_t *t_ms, struct slice *chunk)
{
	if (byte_reader_done(r))
		return r->failed ? ERR_CORRUPT : 1;
	uint64_t number = read_varint(r);
	int64_t t = unzigzag(read_varint(r));
	struct slice bytes = read_text(r);
	if (r->failed || number == 0 || number > UINT32_MAX)
		return ERR_CORRUPT;
	*ref = (series_ref)number;
	*t_ms = t;
	*chunk = bytes;
	return 0;
}

void wal_metadata_add(struct strbuf *out, struct slice metric, const struct metadata *m)
{
	add_text(out, metric);
	strbuf_addch(out, (char)m->type);
	add_text(out, m->help);
	add_text(out, m->unit);
}

int wal_metadata_next(struct byte_reader *r, struct slice *metric, struct metadata *m)
{
	if (byte_reader_done(r))
		return r->failed ? ERR_CORRUPT : 1;
	struct slice name = read_text(r);
	unsigned type = read_u8(r);
	struct slice help = read_text(r), unit = read_text(r);
	if (r->failed || type > METRIC_STATESET)
		return ERR_CORRUPT;
	*metric = name;
	*m = (struct metadata){.type = (enum metric_type)type, .help = help, .unit = unit};
	return 0;
}

/* --- exemplars ------------------------------------------------------------------------------------------------- */

enum { EXEMPLAR_HAS_TIME = 1, EXEMPLAR_SERIES_REF = 1 };

void wal_exemplar_add(struct wal_series_writer *w, const struct labels *series, const struct exemplar *e)
{
	uint8_t value[8];
	wal_series_add(w, EXEMPLAR_SERIES_REF, series->l, series->n);
	strbuf_addch(w->out, e->has_time ? EXEMPLAR_HAS_TIME : 0);
	varint_add(w->out, zigzag(e->t_ms));
	put_le(value, double_bits(e->v), 8);
	strbuf_add(w->out, value, sizeof(value));
	add_all(w->out, e->labels->l, e->labels->n);
}

static void read_exemplar_labels(struct byte_reader *r, struct wal_exemplar *out)
{
	uint64_t n = read_varint(r);
	if (n > EXEMPLAR_MAX_LABELS)
		byte_reader_fail(r);
	for (size_t i = 0; i < n && !r->failed; i++) {
		out->l[i].name = read_text(r);
		out->l[i].value = read_text(r);
		if (out->l[i].name.len == 0 || out->l[i].value.len == 0 ||
		    (i > 0 && slice_cmp(out->l[i - 1].name, out->l[i].name) >= 0))
			byte_reader_fail(r);
	}
	out->n = (size_t)n;
}

int wal_exemplar_next(struct wal_series_reader *reader, struct wal_exemplar *out)
{
	series_ref ref;
	int rc = wal_series_next(reader, &ref);
	if (rc != 0)
		return rc;
	struct byte_reader *r = &reader->r;
	unsigned how = read_u8(r);
	int64_t t_ms = unzigzag(read_varint(r));
	double v = double_from_bits(read_u64(r));
	read_exemplar_labels(r, out);
	if (how > EXEMPLAR_HAS_TIME)
		byte_reader_fail(r);
	out->exemplar = (struct exemplar){.t_ms = t_ms, .v = v, .has_time = how & EXEMPLAR_HAS_TIME};
	return r->failed ? ERR_CORRUPT : 0;
}
