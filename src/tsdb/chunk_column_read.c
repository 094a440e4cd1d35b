/* Decoding, straight into the caller's columns: integers are unpacked into the memory of the values, summed up there, and
 * turned into doubles in place. */
#include "tsdb/chunk_column.h"

#include "base/by_cpu.h"
#include "base/byte_reader.h"
#include "base/hash.h"
#include "base/varint.h"
#include "model/stale_marker.h"
#include "tsdb/chunk_column_priv.h"
#include "tsdb/column_kernels.h"
#include "tsdb/int_column.h"
#include <stdlib.h>
#include <string.h>

struct head {
	enum time_mode time;
	uint8_t value; /* the mode byte */
	uint32_t n;
};

static int corrupt(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "chunk: %s", what);
}

static int read_head(struct byte_reader *r, struct head *h, struct err *err)
{
	uint8_t first = read_u8(r);
	h->value = read_u8(r);
	uint64_t n = read_varint(r);
	if (r->failed || n == 0 || n > CHUNK_COLUMN_MAX_SAMPLES)
		return corrupt(err, "impossible number of samples");
	if (first >> 4 != CHUNK_COLUMN_VERSION || (first & 15) >= TIME_MODES)
		return corrupt(err, "unknown version or mode of times");
	h->time = (enum time_mode)(first & 15);
	h->n = (uint32_t)n;
	return 0;
}

int chunk_column_count(struct slice bytes, uint32_t *n, struct err *err)
{
	struct byte_reader r;
	struct head h;
	byte_reader_init(&r, bytes);
	int rc = read_head(&r, &h, err);
	if (rc == 0)
		*n = h.n;
	return rc;
}

/* --- times ------------------------------------------------------------------------------------------------------ */

/* Whether t[] ascends strictly: all that later code relies on. */
BY_CPU static bool ascends(const int64_t *t, size_t n)
{
	int bad = 0;
	for (size_t i = 1; i < n; i++)
		bad |= t[i] <= t[i - 1];
	return !bad;
}

/* False: the step is none, or leads out of the range of times. */
static bool steps_are_sound(int64_t first, uint64_t step, size_t n)
{
	return n == 1 || (step > 0 && first + (__int128)step * (__int128)(n - 1) <= INT64_MAX);
}

BY_CPU static void fill_steps(int64_t first, uint64_t step, size_t n, int64_t *t)
{
	for (size_t i = 0; i < n; i++)
		t[i] = (int64_t)((uint64_t)first + i * step);
}

/* How many of the n steps, which are sound, lie before t_ms. */
static uint32_t steps_before(int64_t first, uint64_t step, uint32_t n, int64_t t_ms)
{
	if (t_ms <= first)
		return 0;
	uint64_t span = (uint64_t)t_ms - (uint64_t)first, steps = n > 1 ? (span - 1) / step + 1 : 1;
	return steps < n ? (uint32_t)steps : n;
}

bool decode_times(struct byte_reader *r, enum time_mode mode, size_t n, int64_t first, int64_t *t)
{
	uint64_t step = n > 1 && mode != TIME_DELTAS ? read_varint(r) : 0;
	if (mode == TIME_STEP) {
		if (r->failed || !steps_are_sound(first, step, n))
			return false;
		fill_steps(first, step, n, t);
		return true;
	}
	t[0] = first;
	if (n < 2 || mode >= TIME_SHARED || !int_column_decode(r, n - 1, t + 1))
		return false;
	uint64_t at = (uint64_t)first;
	if (mode == TIME_GRID)
		for (size_t i = 1; i < n; i++)
			t[i] = (int64_t)((uint64_t)t[i] + (at += step));
	else
		for (size_t i = 1; i < n; i++)
			t[i] = (int64_t)(at += (uint64_t)t[i]);
	return ascends(t, n);
}

static bool read_times(
    struct byte_reader *r, const struct head *h, struct slice times, int64_t first, int64_t *t)
{
	if (h->time != TIME_SHARED)
		return decode_times(r, h->time, h->n, first, t);
	struct byte_reader column;
	(void)read_varint(r);
	byte_reader_init(&column, times);
	uint64_t n = read_varint(&column);
	uint8_t mode = read_u8(&column);
	return !column.failed && n == h->n && mode < TIME_SHARED &&
	       decode_times(&column, (enum time_mode)mode, h->n, first, t) && byte_reader_done(&column);
}

/* --- values ----------------------------------------------------------------------------------------------------- */

/* Of n samples those from .. to - 1 are wanted. */
struct wanted {
	size_t n, from, to;
};

/* x[1..n) has the column; afterwards x[0..n) has the integers. */
BY_CPU static void scale(uint64_t *x, size_t n, const struct int_sums *sums)
{
	x[0] = (uint64_t)sums->first;
	for (size_t i = 1; i < n; i++)
		x[i] = (uint64_t)sums->first + sums->factor * x[i];
}

/* The same of a column of differences of differences, from x[2] on. */
static void sum_twice(uint64_t *x, size_t n, const struct int_sums *sums, uint64_t slope)
{
	uint64_t d = sums->factor * slope, y = (uint64_t)sums->first;
	x[0] = y;
	x[1] = y += d;
	for (size_t i = 2; i < n; i++)
		x[i] = y += d += sums->factor * x[i];
}

/* The integers as they are, or as doubles divided by `power`. Those that are wanted, and maybe more in front of them: x[] begins
 * with the one that *begin says. */
static bool read_integers(
    struct byte_reader *r, uint8_t mode, const struct wanted *w, double power, uint64_t *x, size_t *begin)
{
	unsigned order = mode >> CHUNK_ORDER_SHIFT & 3;
	struct int_sums sums = {.power = power};
	sums.first = unzigzag(read_varint(r));
	sums.factor = mode & CHUNK_HAS_FACTOR ? read_varint(r) : 1;
	uint64_t slope = order == 2 ? (uint64_t)unzigzag(read_varint(r)) : 0;
	size_t front = order == 2 ? 2 : 1;
	*begin = 0;
	if (r->failed || order > 2 || w->n <= front)
		return false;
	if (order == 1)
		return int_column_sums(r, w->n, &sums, w->from, w->to, x, begin);
	if (!int_column_decode(r, w->n - front, (int64_t *)x + front))
		return false;
	if (order == 0)
		scale(x, w->n, &sums);
	else
		sum_twice(x, w->n, &sums, slope);
	if (power > 0)
		column_kernels()->to_doubles(x, w->n, power);
	return true;
}

BY_CPU static void order_bits(uint64_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (uint64_t)ordered_bits((int64_t)x[i]);
}

/* Moves doubles by as many doubles as `beside` says. */
BY_CPU static void add_beside(uint64_t *x, const uint64_t *beside, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (uint64_t)ordered_bits((int64_t)((uint64_t)ordered_bits((int64_t)x[i]) + beside[i]));
}

/* Decimals are in x[], from the begin-th on; the column of how far beside them the values lie follows. */
static bool read_beside(struct byte_reader *r, const struct wanted *w, size_t begin, uint64_t *x)
{
	uint8_t flags = read_u8(r);
	size_t at;
	uint64_t *beside = malloc(w->n * sizeof(*beside));
	bool ok = beside && (flags & ~(3 << CHUNK_ORDER_SHIFT | CHUNK_HAS_FACTOR)) == 0 &&
		  read_integers(r, flags, w, 0, beside, &at);
	if (ok) {
		size_t both = at > begin ? at : begin;
		add_beside(x + (both - begin), beside + (both - at), w->to - both);
	}
	free(beside);
	return ok;
}

static bool read_exceptions(struct byte_reader *r, const struct wanted *w, size_t begin, uint64_t *x)
{
	uint64_t m = read_varint(r), at = 0;
	for (uint64_t i = 0; i < m; i++, at++) {
		uint64_t gap = read_varint(r);
		if (r->failed || gap >= w->n || at + gap >= w->n)
			return false;
		at += gap;
		uint64_t bits = read_u64(r);
		if (at >= begin && at < w->to)
			x[at - begin] = bits;
	}
	return true;
}

BY_CPU static void fill(double *v, size_t n, double same)
{
	for (size_t i = 0; i < n; i++)
		v[i] = same;
}

static bool read_same(struct byte_reader *r, uint8_t mode, const struct wanted *w, double *v)
{
	double same;
	if (mode == VALUE_SAME_BITS) {
		same = double_from_bits(read_u64(r));
	} else {
		uint8_t exponent = read_u8(r);
		if (exponent > DECIMAL_MAX_EXPONENT)
			return false;
		same = (double)unzigzag(read_varint(r)) / decimal_power(exponent);
	}
	fill(v, w->to - w->from, same);
	return true;
}

/* The wanted values come to stand in x[] from index from - *begin on. The memory of the doubles holds integers first (the tree
 * is built without strict aliasing). */
static bool read_column(
    struct byte_reader *r, uint8_t mode, const struct wanted *w, uint64_t *x, size_t *begin)
{
	if ((mode & 15) == VALUE_BITS) {
		if (mode & CHUNK_HAS_EXCEPTIONS || !read_integers(r, mode, w, 0, x, begin))
			return false;
		order_bits(x, w->to - *begin);
		return true;
	}
	if ((mode & 15) != VALUE_DECIMAL && (mode & 15) != VALUE_NEAR)
		return false;
	uint8_t exponent = read_u8(r);
	if (exponent > DECIMAL_MAX_EXPONENT || !read_integers(r, mode, w, decimal_power(exponent), x, begin))
		return false;
	if ((mode & 15) == VALUE_NEAR)
		return !(mode & CHUNK_HAS_EXCEPTIONS) && read_beside(r, w, *begin, x);
	return !(mode & CHUNK_HAS_EXCEPTIONS) || read_exceptions(r, w, *begin, x);
}

/* The wanted values into v[], which has room for all n. */
static bool read_values(struct byte_reader *r, uint8_t mode, const struct wanted *w, double *v)
{
	size_t begin = 0;
	if (mode <= VALUE_SAME_DECIMAL)
		return read_same(r, mode, w, v) && !r->failed;
	if (!read_column(r, mode, w, (uint64_t *)v, &begin) || r->failed)
		return false;
	if (w->from > begin)
		memmove(v, v + (w->from - begin), (w->to - w->from) * sizeof(*v));
	return true;
}

bool decode_values(struct byte_reader *r, uint8_t mode, size_t n, double *v)
{
	return read_values(r, mode, &(struct wanted){n, 0, n}, v);
}

int chunk_column_times_id(struct slice bytes, bool *shared, uint64_t *id, struct err *err)
{
	struct byte_reader r;
	struct head h;
	byte_reader_init(&r, bytes);
	int rc = read_head(&r, &h, err);
	if (rc)
		return rc;
	*shared = h.time == TIME_SHARED;
	*id = *shared ? read_varint(&r) : 0;
	return r.failed ? corrupt(err, "torn number of a time column") : 0;
}

int chunk_column_decode(
    struct slice bytes, struct slice times, int64_t first_t_ms, int64_t *t, double *v, struct err *err)
{
	struct byte_reader r;
	struct head h;
	byte_reader_init(&r, bytes);
	int rc = read_head(&r, &h, err);
	if (rc)
		return rc;
	if (!read_times(&r, &h, times, first_t_ms, t))
		return corrupt(err, "times are torn or do not ascend");
	if (!decode_values(&r, h.value, h.n, v))
		return corrupt(err, "values are torn or of an unknown mode");
	return byte_reader_done(&r) ? 0 : corrupt(err, "bytes behind the end");
}

/* --- into a query's columns ------------------------------------------------------------------------------------- */

/* Index of the first t[i] >= t_ms. */
static uint32_t find_time(const int64_t *t, uint32_t n, int64_t t_ms)
{
	uint32_t lo = 0, hi = n;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (t[mid] < t_ms)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* What a chunk's samples are wanted of. */
struct range {
	int64_t min_t_ms, max_t_ms;
};

/* A number that is the same for the same times; 0: there is none that is cheap. `which`: what says which they are. */
static uint64_t times_key(const int64_t *which, size_t n)
{
	uint64_t key = hash64(which, n * sizeof(*which));
	return key ? key : 1;
}

/* Times that are written and have a key are noted in the column. */
static void keep_times(
    struct sample_column *out, uint64_t key, uint32_t from, uint32_t to, struct times_piece *piece)
{
	int64_t *t = out->t + out->n;
	*piece = (struct times_piece){key, to > from ? to - from : 0, from};
	if (from > 0)
		memmove(t, t + from, piece->n * sizeof(*t));
	sample_column_note_times(out, *piece);
}

static bool read_steps(struct byte_reader *r, const struct head *h, int64_t first, const struct range *range,
    struct sample_column *out, struct times_piece *piece)
{
	uint64_t step = h->n > 1 ? read_varint(r) : 0;
	uint32_t from, to;
	if (r->failed || !steps_are_sound(first, step, h->n))
		return false;
	from = steps_before(first, step, h->n, range->min_t_ms);
	to = range->max_t_ms == INT64_MAX ? h->n : steps_before(first, step, h->n, range->max_t_ms + 1);
	*piece = (struct times_piece){.from = from, .n = to > from ? to - from : 0};
	int64_t begin = first + (int64_t)(from * step);
	uint64_t key = times_key((int64_t[]){TIME_STEP, begin, (int64_t)step, piece->n}, 4);
	struct times_piece known;
	if (piece->n == 0 || sample_column_has_times(out, key, &known))
		return true;
	fill_steps(begin, step, piece->n, out->t + out->n);
	sample_column_note_times(out, (struct times_piece){.key = key, .n = piece->n});
	return true;
}

/* The times of the range behind those that `out` has; *piece says which they are. */
static bool append_times(struct byte_reader *r, const struct head *h, const struct chunk_times *times,
    int64_t first, const struct range *range, struct sample_column *out, struct times_piece *piece)
{
	if (h->time == TIME_STEP)
		return read_steps(r, h, first, range, out, piece);
	uint64_t key = 0;
	if (h->time == TIME_SHARED) {
		struct byte_reader ahead = *r;
		int64_t which[] = {TIME_SHARED, (int64_t)times->owner, (int64_t)read_varint(&ahead), first,
		    range->min_t_ms > first ? range->min_t_ms : INT64_MIN, range->max_t_ms, h->n};
		key = times_key(which, ARRAY_LEN(which));
		if (sample_column_has_times(out, key, piece)) {
			*r = ahead;
			return !r->failed;
		}
	}
	int64_t *t = out->t + out->n;
	if (!read_times(r, h, times->bytes, first, t))
		return false;
	uint32_t from = find_time(t, h->n, range->min_t_ms);
	uint32_t to = range->max_t_ms == INT64_MAX ? h->n : find_time(t, h->n, range->max_t_ms + 1);
	keep_times(out, key, from, to, piece);
	return true;
}

/* The values are there, too. */
static void keep_samples(struct sample_column *out, size_t n)
{
	if (out->h)
		memset(out->h + out->n, 0, n * sizeof(*out->h));
	if (out->start)
		memset(out->start + out->n, 0, n * sizeof(*out->start));
	out->n += n;
}

int chunk_column_read(struct slice bytes, const struct chunk_times *times, int64_t first_t_ms,
    int64_t min_t_ms, int64_t max_t_ms, struct sample_column *out, struct err *err)
{
	struct byte_reader r;
	struct head h;
	struct times_piece piece;
	struct range range = {min_t_ms, max_t_ms};
	byte_reader_init(&r, bytes);
	int rc = read_head(&r, &h, err);
	if (rc)
		return rc;
	if (!sample_column_reserve(out, h.n))
		return err_set(err, ERR_NO_MEMORY, "no memory for %u samples", h.n);
	if (!append_times(&r, &h, times, first_t_ms, &range, out, &piece))
		return corrupt(err, "times are torn or do not ascend");
	struct wanted wanted = {h.n, piece.from, piece.from + piece.n};
	if (piece.n == 0)
		return 0;
	if (!read_values(&r, h.value, &wanted, out->v + out->n))
		return corrupt(err, "values are torn or of an unknown mode");
	if (!byte_reader_done(&r))
		return corrupt(err, "bytes behind the end");
	keep_samples(out, piece.n);
	return 0;
}

/* --- names ------------------------------------------------------------------------------------------------------ */

const char *chunk_column_time_mode(struct slice bytes)
{
	static const char *const names[TIME_MODES] = {"step", "deltas", "grid", "shared"};
	unsigned mode = bytes.len > 0 ? (unsigned)bytes.ptr[0] & 15 : TIME_MODES;
	return mode < TIME_MODES ? names[mode] : "unknown";
}

/* "decimal" and how its integers are stored: order of differences and kind of column. */
static void describe_integers(struct byte_reader *r, uint8_t mode, struct strbuf *out)
{
	unsigned order = mode >> CHUNK_ORDER_SHIFT & 3;
	(void)read_varint(r);
	if (mode & CHUNK_HAS_FACTOR)
		(void)read_varint(r);
	if (order == 2)
		(void)read_varint(r);
	strbuf_addf(out, ", order %u, %s", order, int_column_kind_name(read_u8(r)));
}

void chunk_column_describe(struct slice bytes, struct strbuf *out)
{
	static const char *const names[VALUE_MODES] = {"same", "same", "decimal", "bits", "near decimal"};
	struct byte_reader r;
	struct head h;
	byte_reader_init(&r, bytes);
	if (read_head(&r, &h, NULL) || (h.value & 15) >= VALUE_MODES) {
		strbuf_adds(out, "unknown");
		return;
	}
	strbuf_adds(out, names[h.value & 15]);
	/* Only what precedes the values without a column can be walked over. */
	if ((h.value & 15) < VALUE_DECIMAL || (h.time != TIME_STEP && h.time != TIME_SHARED))
		return;
	if (h.n > 1)
		(void)read_varint(&r);
	if ((h.value & 15) != VALUE_BITS)
		(void)read_u8(&r);
	describe_integers(&r, h.value, out);
}
