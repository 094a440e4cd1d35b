/* Encoding. The values are turned into integers, if they are decimals with the same number of places (a few may not be: the
 * exceptions); else their bits are the integers. What then remains is to find the order of differences whose column is the
 * smallest. Layout: tsdb/chunk_column_priv.h. */
#include "tsdb/chunk_column.h"

#include "base/attr.h"
#include "base/by_cpu.h"
#include "base/varint.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "tsdb/chunk_column_priv.h"
#include "tsdb/int_column.h"
#include <assert.h>
#include <string.h>

/* Columns of n integers that encoding works in; values that are looked at to guess a number of places. */
enum { SCRATCH = 11, NEAR_SAMPLE = 32 };

/* --- times ------------------------------------------------------------------------------------------------------ */

/* Differences to the grid that goes through the first and (nearly) the last sample. False: they are too large for one. */
static bool grid_of(const int64_t *t, size_t n, int64_t *step, int64_t *x)
{
	int64_t span, at;
	if (__builtin_sub_overflow(t[n - 1], t[0], &span))
		return false;
	*step = span / (int64_t)(n - 1);
	for (size_t i = 1; i < n; i++) {
		if (__builtin_mul_overflow(*step, (int64_t)i, &at) || __builtin_add_overflow(at, t[0], &at))
			return false;
		x[i - 1] = t[i] - at;
	}
	return true;
}

static void deltas_of(const int64_t *t, size_t n, int64_t *x)
{
	for (size_t i = 1; i < n; i++)
		x[i - 1] = (int64_t)((uint64_t)t[i] - (uint64_t)t[i - 1]);
}

static bool all_same(const int64_t *x, size_t n)
{
	int64_t diff = 0;
	for (size_t i = 1; i < n; i++)
		diff |= x[i] ^ x[0];
	return diff == 0;
}

static enum time_mode try_times(const int64_t *t, size_t n, int64_t *x, int64_t *y, struct strbuf *out)
{
	if (n == 1)
		return TIME_STEP;
	deltas_of(t, n, x);
	if (all_same(x, n - 1)) {
		varint_add(out, (uint64_t)x[0]);
		return TIME_STEP;
	}
	struct int_column_plan deltas, grid;
	int64_t step;
	int_column_plan(x, n - 1, NULL, &deltas);
	if (grid_of(t, n, &step, y)) {
		int_column_plan(y, n - 1, NULL, &grid);
		if (grid.bytes + varint_size((uint64_t)step) < deltas.bytes) {
			varint_add(out, (uint64_t)step);
			int_column_encode(y, n - 1, &grid, out);
			return TIME_GRID;
		}
	}
	int_column_encode(x, n - 1, &deltas, out);
	return TIME_DELTAS;
}

/* A codec with a mistake must not get as far as a disk. */
static bool times_come_back(
    const struct strbuf *out, size_t at, enum time_mode mode, const int64_t *t, size_t n, int64_t *scratch)
{
	struct byte_reader r;
	byte_reader_init(&r, slice_of(out->ptr + at, out->len - at));
	return decode_times(&r, mode, n, t[0], scratch) && byte_reader_done(&r) &&
	       memcmp(t, scratch, n * sizeof(*t)) == 0;
}

enum time_mode encode_times(const int64_t *t, size_t n, int64_t *x, int64_t *y, struct strbuf *out)
{
	size_t at = out->len;
	enum time_mode mode = try_times(t, n, x, y, out);
	assert(strbuf_overflowed(out) || times_come_back(out, at, mode, t, n, x));
	return mode;
}

/* --- decimals --------------------------------------------------------------------------------------------------- */

/* Adding and taking away 1.5 * 2^52 rounds what is small enough to have a fraction. */
static const double round_magic = 6755399441055744.0, two51 = 2251799813685248.0, two53 = 9007199254740992.0;

bool nearest_integer(double v, unsigned exponent, int64_t *m)
{
	double scaled = v * decimal_power(exponent);
	if (!(scaled <= two53 && scaled >= -two53))
		return false;
	if (scaled < two51 && scaled > -two51)
		scaled = (scaled + round_magic) - round_magic;
	*m = (int64_t)scaled;
	return true;
}

bool decimal_of(double v, unsigned exponent, int64_t *m)
{
	return nearest_integer(v, exponent, m) &&
	       double_bits((double)*m / decimal_power(exponent)) == double_bits(v);
}

/* The usual case at once: all are decimals with as many places as a few of them need, and below 2^51. */
BY_CPU static bool to_small_decimals(const double *v, size_t n, double power, int64_t *m)
{
	uint64_t bad = 0;
	for (size_t i = 0; i < n; i++) {
		double scaled = v[i] * power, rounded = scaled + round_magic;
		m[i] = (int64_t)(double_bits(rounded) - double_bits(round_magic));
		bad |= double_bits((rounded - round_magic) / power) ^ double_bits(v[i]);
		bad |= !(scaled < two51 && scaled > -two51);
	}
	return bad == 0;
}

static bool guess_exponent(const double *v, size_t n, unsigned *exponent)
{
	const double some[] = {v[0], v[n / 3], v[n / 2], v[n - 1]};
	unsigned e = 0;
	int64_t m;
	for (size_t i = 0; i < ARRAY_LEN(some); i++)
		while (!decimal_of(some[i], e, &m))
			if (++e > DECIMAL_MAX_EXPONENT)
				return false;
	*exponent = e;
	return true;
}

/* The fewest places with which (nearly) all values are decimals; false when too many are not. */
static bool find_exponent(const double *v, size_t n, unsigned *exponent)
{
	unsigned e = 0;
	size_t odd = 0, allowed = n / 32 + 1;
	uint64_t last = ~double_bits(v[0]);
	bool last_is_odd = false;
	for (size_t i = 0; i < n; i++) {
		int64_t m;
		if (double_bits(v[i]) == last) {
			odd += last_is_odd;
		} else {
			unsigned k = e;
			while (k <= DECIMAL_MAX_EXPONENT && !decimal_of(v[i], k, &m))
				k++;
			last_is_odd = k > DECIMAL_MAX_EXPONENT;
			odd += last_is_odd;
			e = last_is_odd ? e : k;
			last = double_bits(v[i]);
		}
		if (odd > allowed)
			return false;
	}
	*exponent = e;
	return odd < n;
}

struct exception {
	uint32_t at;
	uint64_t bits;
};

struct exceptions {
	size_t n;
	struct exception e[CHUNK_COLUMN_MAX_SAMPLES / 32 + 1];
};

/* v as integers; an odd one repeats its neighbour there and becomes an exception. False: too many of them. */
static bool to_decimals(const double *v, size_t n, unsigned exponent, int64_t *m, struct exceptions *odd)
{
	size_t first = 0;
	odd->n = 0;
	while (first < n && !decimal_of(v[first], exponent, &m[first]))
		first++;
	for (size_t i = 0; i < n; i++) {
		if (decimal_of(v[i], exponent, &m[i]))
			continue;
		if (odd->n == n / 32 + 1 || first == n)
			return false;
		odd->e[odd->n++] = (struct exception){(uint32_t)i, double_bits(v[i])};
		m[i] = i < first ? m[first] : m[i - 1];
	}
	return true;
}

/* --- sums of decimals ----------------------------------------------------------------------------------------------- */

/* A sum of decimals is rarely the double next to a decimal, but close by: rounding has moved it a few doubles away. m is
 * that decimal, *beside how many doubles. False when v is no such number. */
static bool near_decimal(double v, unsigned exponent, int64_t *m, int64_t *beside)
{
	if (!nearest_integer(v, exponent, m))
		return false;
	double decimal = (double)*m / decimal_power(exponent);
	uint64_t x = (uint64_t)ordered_bits((int64_t)double_bits(v));
	*beside = (int64_t)(x - (uint64_t)ordered_bits((int64_t)double_bits(decimal)));
	return true;
}

static unsigned bits_for(int64_t x)
{
	return 64u - (unsigned)__builtin_clzll(zigzag(x) | 1);
}

/* Bits that the differences of the first values take with this exponent; UINT_MAX when it does not apply. */
static unsigned near_cost(const double *v, size_t n, unsigned exponent)
{
	int64_t m_before = 0, r_before = 0;
	unsigned cost = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t m, r;
		if (!near_decimal(v[i], exponent, &m, &r))
			return UINT32_MAX;
		if (i > 0)
			cost += bits_for(m - m_before) + bits_for(r - r_before);
		m_before = m;
		r_before = r;
	}
	return cost;
}

/* The number of places that looks cheapest by some values of the middle. False: none applies. */
static bool find_near_exponent(const double *v, size_t n, unsigned *exponent)
{
	size_t sample = n < NEAR_SAMPLE ? n : NEAR_SAMPLE;
	unsigned best = UINT32_MAX;
	for (unsigned e = 1; e <= DECIMAL_MAX_EXPONENT; e++) {
		unsigned cost = near_cost(v + (n - sample) / 2, sample, e);
		if (cost < best) {
			best = cost;
			*exponent = e;
		}
	}
	return best != UINT32_MAX;
}

/* --- integers --------------------------------------------------------------------------------------------------- */

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* The greatest factor that all differences to the first have. */
static uint64_t common_factor(const int64_t *m, size_t n)
{
	uint64_t g = 0;
	for (size_t i = 1; i < n && g != 1; i++) {
		int64_t d = m[i] - m[i - 1];
		if (d)
			g = gcd(g, d < 0 ? (uint64_t)-d : (uint64_t)d);
	}
	return g ? g : 1;
}

/* What the integers of a chunk become. `y`: room for n each. */
struct integers {
	int64_t first, slope;
	uint64_t factor;
	unsigned order;
	struct int_column_plan plan;
	size_t bytes;
	int64_t *y[3]; /* the column of each order */
	size_t n[3];
};

static void differences(const int64_t *x, size_t n, int64_t first, int64_t *out)
{
	uint64_t before = (uint64_t)first;
	for (size_t i = 0; i < n; i++) {
		out[i] = (int64_t)((uint64_t)x[i] - before);
		before = (uint64_t)x[i];
	}
}

static void consider_order(struct integers *ints, unsigned order)
{
	struct int_column_plan plan;
	int_column_plan(ints->y[order], ints->n[order], ints->bytes < SIZE_MAX ? &ints->plan : NULL, &plan);
	size_t bytes = plan.bytes;
	if (bytes == SIZE_MAX)
		return;
	if (order == 2)
		bytes += varint_size(zigzag(ints->y[1][0])) + 1; /* not for a byte: it costs a second pass */
	if (ints->bytes <= bytes)
		return;
	ints->bytes = bytes;
	ints->order = order;
	ints->plan = plan;
}

/* y[0] has n - 1 multiples of the factor; n is at least 2. */
static void plan_integers(struct integers *ints, size_t n)
{
	ints->n[0] = ints->n[1] = n - 1;
	ints->n[2] = n - 2;
	ints->bytes = SIZE_MAX;
	differences(ints->y[0], n - 1, 0, ints->y[1]);
	consider_order(ints, 1);
	if (all_same(ints->y[1], n - 1))
		return;
	consider_order(ints, 0);
	if (n < 4)
		return;
	differences(ints->y[1] + 1, n - 2, ints->y[1][0], ints->y[2]);
	consider_order(ints, 2);
	ints->slope = ints->y[1][0];
}

static void write_integers(const struct integers *ints, struct strbuf *out)
{
	varint_add(out, zigzag(ints->first));
	if (ints->factor != 1)
		varint_add(out, ints->factor);
	if (ints->order == 2)
		varint_add(out, zigzag(ints->slope));
	int_column_encode(ints->y[ints->order], ints->n[ints->order], &ints->plan, out);
}

static uint8_t integer_flags(const struct integers *ints)
{
	return (uint8_t)(ints->order << CHUNK_ORDER_SHIFT | (ints->factor != 1 ? CHUNK_HAS_FACTOR : 0));
}

static void plan_decimals(struct integers *ints, const int64_t *m, size_t n)
{
	ints->first = m[0];
	ints->factor = common_factor(m, n);
	int64_t g = (int64_t)ints->factor;
	if (g == 1)
		for (size_t i = 1; i < n; i++)
			ints->y[0][i - 1] = m[i] - m[0];
	else
		for (size_t i = 1; i < n; i++)
			ints->y[0][i - 1] = (m[i] - m[0]) / g;
	plan_integers(ints, n);
}

static void plan_bits(struct integers *ints, const double *v, size_t n)
{
	/* The low bits that all have in common are the shift; y[0] is scratch for the integers first. */
	int64_t *x = ints->y[0], first = ordered_bits((int64_t)double_bits(v[0]));
	uint64_t all = 0;
	for (size_t i = 1; i < n; i++) {
		x[i - 1] = ordered_bits((int64_t)double_bits(v[i]));
		all |= (uint64_t)(x[i - 1] ^ first);
	}
	unsigned shift = (unsigned)__builtin_ctzll(all | UINT64_C(1) << 62);
	ints->first = first;
	ints->factor = UINT64_C(1) << shift;
	for (size_t i = 0; i < n - 1; i++)
		x[i] = (int64_t)((uint64_t)(x[i] >> shift) - (uint64_t)(first >> shift));
	plan_integers(ints, n);
}

/* Two lots of integers: the decimals, and how far beside them the values lie. `scratch`: 2 * n integers. False: some value
 * is near no decimal. */
static bool plan_near(struct integers *decimals, struct integers *beside, const double *v, size_t n,
    unsigned exponent, int64_t *scratch)
{
	int64_t *m = scratch, *r = scratch + n;
	for (size_t i = 0; i < n; i++)
		if (!near_decimal(v[i], exponent, &m[i], &r[i]))
			return false;
	plan_decimals(decimals, m, n);
	beside->first = r[0];
	beside->factor = 1;
	for (size_t i = 1; i < n; i++)
		beside->y[0][i - 1] = (int64_t)((uint64_t)r[i] - (uint64_t)r[0]);
	plan_integers(beside, n);
	return true;
}

/* --- values ----------------------------------------------------------------------------------------------------- */

static void write_exceptions(const struct exceptions *odd, struct strbuf *out)
{
	uint32_t next = 0;
	varint_add(out, odd->n);
	for (size_t i = 0; i < odd->n; i++) {
		varint_add(out, odd->e[i].at - next);
		add_u64(out, odd->e[i].bits);
		next = odd->e[i].at + 1;
	}
}

static uint8_t encode_same(double v, struct strbuf *out)
{
	int64_t m;
	for (unsigned e = 0; e <= DECIMAL_MAX_EXPONENT; e++)
		if (decimal_of(v, e, &m)) {
			if (varint_size(zigzag(m)) >= 7)
				break;
			strbuf_addch(out, (char)e);
			varint_add(out, zigzag(m));
			return VALUE_SAME_DECIMAL;
		}
	add_u64(out, double_bits(v));
	return VALUE_SAME_BITS;
}

static bool is_same(const double *v, size_t n)
{
	uint64_t first = double_bits(v[0]), diff = 0;
	for (size_t i = 1; i < n; i++)
		diff |= double_bits(v[i]) ^ first;
	return diff == 0;
}

static struct integers integers_in(int64_t *scratch, size_t n)
{
	return (struct integers){.y = {scratch, scratch + n, scratch + 2 * n}, .bytes = SIZE_MAX};
}

/* Near decimals, when that is well below `limit` bytes: the second column costs a second pass at decoding. False: nothing was
 * written. */
static bool encode_near(
    const double *v, size_t n, size_t limit, int64_t *scratch, uint8_t *mode, struct strbuf *out)
{
	struct integers decimals = integers_in(scratch, n), beside = integers_in(scratch + 3 * n, n);
	unsigned exponent = 0;
	if (!find_near_exponent(v, n, &exponent) ||
	    !plan_near(&decimals, &beside, v, n, exponent, scratch + 6 * n))
		return false;
	size_t bytes = decimals.bytes + beside.bytes;
	if (bytes + bytes / 8 >= limit)
		return false;
	strbuf_addch(out, (char)exponent);
	write_integers(&decimals, out);
	strbuf_addch(out, (char)integer_flags(&beside));
	write_integers(&beside, out);
	*mode = (uint8_t)(VALUE_NEAR | integer_flags(&decimals));
	return true;
}

/* `scratch`: 4 * n integers. The bytes it takes, SIZE_MAX when too many values are no decimals. */
static size_t plan_exact(const double *v, size_t n, unsigned *exponent, int64_t *scratch,
    struct integers *decimals, struct exceptions *odd)
{
	int64_t *m = scratch + 3 * n;
	*decimals = integers_in(scratch, n);
	odd->n = 0;
	if ((!guess_exponent(v, n, exponent) || !to_small_decimals(v, n, decimal_power(*exponent), m)) &&
	    (!find_exponent(v, n, exponent) || !to_decimals(v, n, *exponent, m, odd)))
		return SIZE_MAX;
	plan_decimals(decimals, m, n);
	return decimals->bytes + 9 * odd->n;
}

static uint8_t encode_exact(
    const struct integers *decimals, const struct exceptions *odd, unsigned exponent, struct strbuf *out)
{
	strbuf_addch(out, (char)exponent);
	write_integers(decimals, out);
	if (odd->n > 0)
		write_exceptions(odd, out);
	return (uint8_t)(VALUE_DECIMAL | integer_flags(decimals) | (odd->n ? CHUNK_HAS_EXCEPTIONS : 0));
}

/* The mode byte; the rest goes to `out`. `scratch`: SCRATCH * n integers. */
static uint8_t try_values(const double *v, size_t n, int64_t *scratch, struct strbuf *out)
{
	if (is_same(v, n))
		return encode_same(v[0], out);
	struct exceptions odd = {.n = 0};
	struct integers bits = integers_in(scratch, n), decimals;
	unsigned exponent = 0;
	uint8_t mode;
	size_t exact = plan_exact(v, n, &exponent, scratch + 3 * n, &decimals, &odd);
	/* Many places may be chance: then the other ways can be shorter. */
	if (exact != SIZE_MAX && exponent <= 8)
		return encode_exact(&decimals, &odd, exponent, out);
	plan_bits(&bits, v, n);
	size_t least = bits.bytes < exact ? bits.bytes : exact;
	if (encode_near(v, n, least, scratch + 3 * n, &mode, out))
		return mode;
	if (bits.bytes <= exact) {
		write_integers(&bits, out);
		return (uint8_t)(VALUE_BITS | integer_flags(&bits));
	}
	/* The attempt above has used the same scratch. */
	plan_exact(v, n, &exponent, scratch + 3 * n, &decimals, &odd);
	return encode_exact(&decimals, &odd, exponent, out);
}

static bool values_come_back(
    const struct strbuf *out, size_t at, uint8_t mode, const double *v, size_t n, double *scratch)
{
	struct byte_reader r;
	byte_reader_init(&r, slice_of(out->ptr + at, out->len - at));
	return decode_values(&r, mode, n, scratch) && byte_reader_done(&r) &&
	       memcmp(v, scratch, n * sizeof(*v)) == 0;
}

static uint8_t encode_values(const double *v, size_t n, int64_t *scratch, struct strbuf *out)
{
	size_t at = out->len;
	uint8_t mode = try_values(v, n, scratch, out);
	assert(strbuf_overflowed(out) || values_come_back(out, at, mode, v, n, (double *)scratch));
	return mode;
}

/* The two mode bytes, which are known when the rest is written. */
static void set_modes(struct strbuf *out, size_t at, enum time_mode times, uint8_t values)
{
	if (strbuf_overflowed(out))
		return;
	out->ptr[at] = (char)(CHUNK_COLUMN_VERSION << 4 | (int)times);
	out->ptr[at + 1] = (char)values;
}

static void begin(size_t n, struct strbuf *out)
{
	assert(n > 0 && n <= CHUNK_COLUMN_MAX_SAMPLES);
	strbuf_add(out, "\0\0", 2);
	varint_add(out, n);
}

void chunk_column_encode(const int64_t *t, const double *v, size_t n, struct strbuf *out)
{
	size_t at = out->len;
	int64_t *scratch = xmalloc(SCRATCH * n * sizeof(*scratch));
	begin(n, out);
	enum time_mode times = encode_times(t, n, scratch, scratch + n, out);
	set_modes(out, at, times, encode_values(v, n, scratch, out));
	free(scratch);
}

void chunk_column_encode_shared(const double *v, size_t n, uint64_t times_id, struct strbuf *out)
{
	size_t at = out->len;
	int64_t *scratch = xmalloc(SCRATCH * n * sizeof(*scratch));
	begin(n, out);
	varint_add(out, times_id);
	set_modes(out, at, TIME_SHARED, encode_values(v, n, scratch, out));
	free(scratch);
}

void chunk_times_encode(const int64_t *t, size_t n, struct strbuf *out)
{
	assert(n > 0 && n <= CHUNK_COLUMN_MAX_SAMPLES);
	int64_t *scratch = xmalloc(2 * n * sizeof(*scratch));
	varint_add(out, n);
	size_t at = out->len;
	strbuf_addch(out, 0);
	enum time_mode mode = encode_times(t, n, scratch, scratch + n, out);
	if (!strbuf_overflowed(out))
		out->ptr[at] = (char)mode;
	free(scratch);
}
