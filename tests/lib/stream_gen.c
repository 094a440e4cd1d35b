#include "tests/lib/stream_gen.h"

#include "model/stale_marker.h"
#include <math.h>

static const char *const names[STREAM_KINDS] = {
    [STREAM_CONSTANT] = "constant",
    [STREAM_SLOW_COUNTER] = "slow counter",
    [STREAM_BURSTY_COUNTER] = "bursty counter",
    [STREAM_INT_COUNTER] = "integer counter",
    [STREAM_CPU_SECONDS] = "cpu seconds",
    [STREAM_GAUGE_2DEC] = "gauge, 2 decimals",
    [STREAM_BYTES_4096] = "bytes x 4096",
    [STREAM_SMALL_INT] = "small integers",
    [STREAM_DOUBLE] = "full doubles",
    [STREAM_DECIMALS] = "mixed decimals",
    [STREAM_SUM] = "sum of decimals",
    [STREAM_STALE] = "stale markers",
    [STREAM_SPECIALS] = "specials",
    [STREAM_BITS] = "any bits",
};

const char *stream_name(enum stream_kind kind)
{
	return names[kind];
}

static void gen_times(struct test_random *r, int times, int64_t *t, size_t n)
{
	int64_t now = 1700000000000 + (int64_t)test_random_below(r, 15000);
	if (test_random_below(r, 8) == 0)
		now = -(int64_t)test_random_below(r, 10000000);
	for (size_t i = 0; i < n; i++) {
		t[i] = now;
		if (times == TIMES_JITTER)
			t[i] += (int64_t)test_random_below(r, 41) - 20;
		now += 15000;
		if (times == TIMES_GAPS)
			now += (int64_t)(test_random_u64(r) >> (34 + test_random_below(r, 30)));
	}
}

static double special(struct test_random *r)
{
	static const uint64_t bits[] = {STALE_NAN_BITS, NORMAL_NAN_BITS, UINT64_C(0xfff8000000000000),
	    UINT64_C(0x7ff8dead0000beef), UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000), 0,
	    UINT64_C(0x8000000000000000), 1, UINT64_C(0x000fffffffffffff), UINT64_C(0x7fefffffffffffff),
	    UINT64_C(0x4340000000000000), UINT64_C(0x4340000000000001), UINT64_C(0xc3e0000000000000),
	    UINT64_C(0x3fb999999999999a)};
	return double_from_bits(bits[test_random_below(r, ARRAY_LEN(bits))]);
}

static double decimal(struct test_random *r)
{
	static const double power[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
	return (double)((int64_t)test_random_below(r, 2000000) - 1000000) / power[test_random_below(r, 7)];
}

static double next_value(struct test_random *r, enum stream_kind kind, size_t i, double v)
{
	double d = (double)test_random_below(r, 2001) - 1000;
	switch (kind) {
	case STREAM_CONSTANT:
		return v;
	case STREAM_SLOW_COUNTER:
		return test_random_below(r, 20) ? v : v + (double)test_random_below(r, 5) + 1;
	case STREAM_BURSTY_COUNTER:
		return i / 40 % 4 ? v : v + (double)test_random_below(r, 30);
	case STREAM_INT_COUNTER:
		return v + 1000 + (double)test_random_below(r, 1000);
	case STREAM_CPU_SECONDS:
		return round((v + 7 + (double)test_random_below(r, 700) / 100) * 100) / 100;
	case STREAM_GAUGE_2DEC:
		return round((v + d / 100) * 100) / 100;
	case STREAM_BYTES_4096:
		return test_random_below(r, 4) ? v : v + d * 4096;
	case STREAM_SMALL_INT:
		return test_random_below(r, 3) ? v : (double)test_random_below(r, 12);
	case STREAM_DOUBLE:
		return v + d / 3e3;
	case STREAM_DECIMALS:
		return decimal(r);
	case STREAM_SUM:
		return v + d / 1e3 * 0.37;
	case STREAM_STALE:
		return test_random_below(r, 25) ? round(d) / 10 : double_from_bits(STALE_NAN_BITS);
	case STREAM_SPECIALS:
		return special(r);
	case STREAM_BITS:
		return double_from_bits(test_random_u64(r));
	case STREAM_KINDS:
		break;
	}
	return 0;
}

void stream_gen(struct test_random *r, enum stream_kind kind, int times, int64_t *t, double *v, size_t n)
{
	gen_times(r, times, t, n);
	double value = (double)test_random_below(r, 1000000);
	if (kind == STREAM_BYTES_4096)
		value *= 4096;
	if (kind == STREAM_SMALL_INT)
		value = 3;
	for (size_t i = 0; i < n; i++)
		v[i] = value = next_value(r, kind, i, value);
}
