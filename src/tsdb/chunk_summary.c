#include "tsdb/chunk_summary.h"

#include "base/by_cpu.h"
#include "base/varint.h"
#include "model/stale_marker.h"
#include "tsdb/chunk_column_priv.h"
#include <assert.h>
#include <math.h>

/* --- making ------------------------------------------------------------------------------------------------------- */

/* Loops go over the samples in this many lanes, always the same ones whatever the CPU: then sums are the same everywhere. */
enum { LANES = 8 };

struct counts {
	uint32_t nans, stale, falls, changes;
};

BY_CPU static struct counts count(const double *v, size_t n)
{
	struct counts c = {0};
	for (size_t i = 0; i < n; i++) {
		c.nans += v[i] != v[i];
		c.stale += double_bits(v[i]) == STALE_NAN_BITS;
	}
	for (size_t i = 1; i < n; i++) {
		int both_nan = (v[i] != v[i]) & (v[i - 1] != v[i - 1]);
		c.falls += v[i] < v[i - 1];
		c.changes += (v[i] != v[i - 1]) & !both_nan;
	}
	return c;
}

/* The least and the greatest of those that are no NaN; +Inf and -Inf when all are. */
BY_CPU static void find_extremes(const double *v, size_t n, double *min, double *max)
{
	double lo[LANES], hi[LANES];
	size_t i = 0;
	for (size_t k = 0; k < LANES; k++) {
		lo[k] = INFINITY;
		hi[k] = -INFINITY;
	}
	for (; i + LANES <= n; i += LANES)
		for (size_t k = 0; k < LANES; k++) {
			lo[k] = v[i + k] < lo[k] ? v[i + k] : lo[k];
			hi[k] = v[i + k] > hi[k] ? v[i + k] : hi[k];
		}
	for (; i < n; i++) {
		lo[0] = v[i] < lo[0] ? v[i] : lo[0];
		hi[0] = v[i] > hi[0] ? v[i] : hi[0];
	}
	*min = lo[0];
	*max = hi[0];
	for (size_t k = 1; k < LANES; k++) {
		*min = lo[k] < *min ? lo[k] : *min;
		*max = hi[k] > *max ? hi[k] : *max;
	}
}

/* Of zeros of both signs the first one counts, as it does for who looks at one sample after the other. */
static double first_equal(const double *v, size_t n, double x)
{
	for (size_t i = 0; x == 0 && i < n; i++)
		if (v[i] == 0)
			return v[i];
	return x;
}

/* sum + rest is what was there plus x, up to 2^-100 or so of it. */
static inline __attribute__((always_inline)) void add(double *sum, double *rest, double x)
{
	double s = *sum + x, part = s - *sum;
	*rest += (*sum - (s - part)) + (x - part);
	*sum = s;
}

BY_CPU static void add_up(const double *v, size_t n, double *sum, double *rest)
{
	double s[LANES] = {0}, r[LANES] = {0};
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			add(&s[k], &r[k], v[i + k]);
	for (; i < n; i++)
		add(&s[0], &r[0], v[i]);
	for (size_t k = 1; k < LANES; k++) {
		add(&s[0], &r[0], s[k]);
		r[0] += r[k];
	}
	*sum = s[0] + r[0];
	*rest = r[0] - (*sum - s[0]);
}

static double sum_dropped(const double *v, size_t n)
{
	double sum = 0;
	for (size_t i = 1; i < n; i++)
		if (v[i] < v[i - 1])
			sum += v[i - 1];
	return sum;
}

bool chunk_summary_make(const int64_t *t, const double *v, size_t n, struct sample_summary *out)
{
	if (n < SUMMARY_MIN_SAMPLES)
		return false;
	struct counts c = count(v, n);
	if (c.stale > 0)
		return false;
	struct sample_summary s = {.first_t_ms = t[0],
	    .last_t_ms = t[n - 1],
	    .first = v[0],
	    .last = v[n - 1],
	    .count = (uint32_t)n,
	    .nans = c.nans,
	    .resets = c.falls,
	    .changes = c.changes};
	find_extremes(v, n, &s.min, &s.max);
	s.min = c.nans == n ? v[0] : first_equal(v, n, s.min);
	s.max = c.nans == n ? v[0] : first_equal(v, n, s.max);
	add_up(v, n, &s.sum, &s.rest);
	if (!isfinite(s.sum))
		s.sum = s.rest = NAN;
	s.dropped = c.falls ? sum_dropped(v, n) : 0;
	*out = s;
	return true;
}

static bool same_bits(double a, double b)
{
	return double_bits(a) == double_bits(b);
}

bool chunk_summary_equal(const struct sample_summary *a, const struct sample_summary *b)
{
	return a->first_t_ms == b->first_t_ms && a->last_t_ms == b->last_t_ms && a->count == b->count &&
	       a->nans == b->nans && a->resets == b->resets && a->changes == b->changes &&
	       same_bits(a->first, b->first) && same_bits(a->last, b->last) && same_bits(a->min, b->min) &&
	       same_bits(a->max, b->max) && same_bits(a->sum, b->sum) && same_bits(a->rest, b->rest) &&
	       same_bits(a->dropped, b->dropped);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

/* The first byte: no summary, exponent + 1 of decimals, or doubles as they are. */
enum { ROW_NONE = 0, ROW_DOUBLES = DECIMAL_MAX_EXPONENT + 2 };
/* The second one: what there is beside first and last. */
enum {
	ROW_SAME = 0x01,       /* all values are the first; nothing else follows */
	ROW_HAS_MIN = 0x02,    /* else it is the smaller one of first and last */
	ROW_HAS_MAX = 0x04,    /* else the larger one */
	ROW_HAS_NANS = 0x08,   /* else none */
	ROW_HAS_RESETS = 0x10, /* else none, and nothing dropped */
	ROW_HAS_SUM = 0x20,    /* 16 bytes; else a whole number beside count * first */
	ROW_FLAGS = 0x3f,
};

/* The sum of whole numbers, from a number near it. */
static void whole_sum(struct sample_summary *s, int64_t beside, int64_t first)
{
	__int128 sum = (__int128)first * s->count + beside;
	s->sum = (double)sum;
	s->rest = (double)(sum - (__int128)s->sum);
}

/* What the sum lies beside count * first; false: it is no whole number, or too far. */
static bool whole_beside(const struct sample_summary *s, int64_t first, int64_t *beside)
{
	static const double limit = 1e30;
	struct sample_summary again = *s;
	if (!(s->sum < limit && s->sum > -limit && s->rest < limit && s->rest > -limit))
		return false;
	__int128 diff = (__int128)s->sum + (__int128)s->rest - (__int128)first * s->count;
	if (diff > INT64_MAX || diff < INT64_MIN)
		return false;
	*beside = (int64_t)diff;
	whole_sum(&again, *beside, first);
	return same_bits(again.sum, s->sum) && same_bits(again.rest, s->rest);
}

static void same_sum(struct sample_summary *s)
{
	double n = s->count;
	s->sum = n * s->first;
	s->rest = fma(n, s->first, -s->sum);
}

static double lesser(double a, double b)
{
	return b < a ? b : a;
}

static double greater(double a, double b)
{
	return b > a ? b : a;
}

static bool all_same(const struct sample_summary *s)
{
	struct sample_summary again = *s;
	same_sum(&again);
	return s->nans == 0 && s->resets == 0 && s->changes == 0 && same_bits(s->first, s->last) &&
	       same_bits(s->first, s->min) && same_bits(s->first, s->max) && same_bits(s->sum, again.sum) &&
	       same_bits(s->rest, again.rest);
}

/* The fewest places with which all of these are decimals; false: there are none. */
static bool row_exponent(const struct sample_summary *s, unsigned *exponent)
{
	const double v[] = {s->first, s->last, s->min, s->max};
	for (unsigned e = 0; e <= DECIMAL_MAX_EXPONENT; e++) {
		size_t good = 0;
		int64_t m;
		while (good < ARRAY_LEN(v) && decimal_of(v[good], e, &m))
			good++;
		if (good == ARRAY_LEN(v)) {
			*exponent = e;
			return true;
		}
	}
	return false;
}

static uint8_t row_flags(const struct sample_summary *s, bool whole, int64_t *beside)
{
	int64_t first = whole ? (int64_t)s->first : 0;
	if (all_same(s))
		return ROW_SAME;
	return (uint8_t)((same_bits(s->min, lesser(s->first, s->last)) ? 0 : ROW_HAS_MIN) |
			 (same_bits(s->max, greater(s->first, s->last)) ? 0 : ROW_HAS_MAX) |
			 (s->nans ? ROW_HAS_NANS : 0) | (s->resets ? ROW_HAS_RESETS : 0) |
			 (whole && whole_beside(s, first, beside) ? 0 : ROW_HAS_SUM));
}

/* A number that stands beside another one: as decimals or as it is. */
static void put_value(struct strbuf *out, uint8_t kind, double v, double beside)
{
	int64_t m = 0, before = 0;
	if (kind == ROW_DOUBLES) {
		add_u64(out, double_bits(v));
		return;
	}
	bool ok = decimal_of(v, kind - 1u, &m);
	ok &= nearest_integer(beside, kind - 1u, &before);
	assert(ok);
	varint_add(out, zigzag(m - before));
}

static double take_value(struct byte_reader *r, uint8_t kind, double beside)
{
	int64_t before = 0;
	if (kind == ROW_DOUBLES)
		return double_from_bits(read_u64(r));
	uint64_t m = (uint64_t)unzigzag(read_varint(r));
	(void)nearest_integer(beside, kind - 1u, &before);
	return (double)(int64_t)(m + (uint64_t)before) / decimal_power(kind - 1u);
}

/* What the first value stands beside: the one before it, when that is small enough. */
static double anchor(const struct sample_summary *before, uint8_t kind)
{
	int64_t m;
	return before && kind != ROW_DOUBLES && nearest_integer(before->last, kind - 1u, &m) ? before->last
											     : 0;
}

static void put_rest(
    const struct sample_summary *s, uint8_t kind, uint8_t flags, int64_t beside, struct strbuf *out)
{
	put_value(out, kind, s->last, s->first);
	if (flags & ROW_HAS_MIN)
		put_value(out, kind, s->min, s->first);
	if (flags & ROW_HAS_MAX)
		put_value(out, kind, s->max, s->first);
	varint_add(out, s->changes);
	if (flags & ROW_HAS_NANS)
		varint_add(out, s->nans);
	if (flags & ROW_HAS_RESETS) {
		varint_add(out, s->resets);
		add_u64(out, double_bits(s->dropped));
	}
	if (flags & ROW_HAS_SUM) {
		add_u64(out, double_bits(s->sum));
		add_u64(out, double_bits(s->rest));
	} else {
		varint_add(out, zigzag(beside));
	}
}

void chunk_summary_encode(
    const struct sample_summary *s, const struct sample_summary *before, struct strbuf *out)
{
	unsigned exponent;
	int64_t beside = 0;
	if (!s) {
		strbuf_addch(out, ROW_NONE);
		return;
	}
	uint8_t kind = row_exponent(s, &exponent) ? (uint8_t)(exponent + 1) : ROW_DOUBLES;
	uint8_t flags = row_flags(s, kind == 1, &beside);
	strbuf_addch(out, (char)kind);
	strbuf_addch(out, (char)flags);
	put_value(out, kind, s->first, anchor(before, kind));
	if (!(flags & ROW_SAME))
		put_rest(s, kind, flags, beside, out);
}

static void take_rest(struct byte_reader *r, uint8_t kind, uint8_t flags, struct sample_summary *s)
{
	s->last = take_value(r, kind, s->first);
	s->min = flags & ROW_HAS_MIN ? take_value(r, kind, s->first) : lesser(s->first, s->last);
	s->max = flags & ROW_HAS_MAX ? take_value(r, kind, s->first) : greater(s->first, s->last);
	s->changes = (uint32_t)read_varint(r);
	s->nans = flags & ROW_HAS_NANS ? (uint32_t)read_varint(r) : 0;
	s->resets = flags & ROW_HAS_RESETS ? (uint32_t)read_varint(r) : 0;
	s->dropped = flags & ROW_HAS_RESETS ? double_from_bits(read_u64(r)) : 0;
	if (flags & ROW_HAS_SUM) {
		s->sum = double_from_bits(read_u64(r));
		s->rest = double_from_bits(read_u64(r));
	} else {
		whole_sum(s, unzigzag(read_varint(r)), (int64_t)s->first);
	}
}

static void all_are_first(struct sample_summary *s)
{
	s->last = s->min = s->max = s->first;
	s->nans = s->resets = s->changes = 0;
	s->dropped = 0;
	same_sum(s);
}

static bool counts_make_sense(const struct sample_summary *s, uint8_t flags)
{
	bool nans = s->nans > 0, resets = s->resets > 0;
	return nans == !!(flags & ROW_HAS_NANS) && resets == !!(flags & ROW_HAS_RESETS) &&
	       s->nans <= s->count && s->resets < s->count && s->changes < s->count;
}

bool chunk_summary_decode(
    struct byte_reader *r, const struct sample_summary *before, struct sample_summary *s, bool *has)
{
	uint8_t kind = read_u8(r);
	*has = kind != ROW_NONE;
	if (r->failed || kind == ROW_NONE)
		return !r->failed;
	uint8_t flags = read_u8(r);
	bool whole = kind == 1;
	if (kind > ROW_DOUBLES || flags & ~ROW_FLAGS || (!whole && !(flags & (ROW_HAS_SUM | ROW_SAME))))
		return false;
	s->first = take_value(r, kind, anchor(before, kind));
	if (whole && !(fabs(s->first) <= 0x1p53))
		return false;
	if (flags & ROW_SAME)
		all_are_first(s);
	else
		take_rest(r, kind, flags, s);
	return !r->failed && counts_make_sense(s, flags);
}
