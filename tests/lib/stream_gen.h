/* Sample streams shaped like those of real exporters, and some that nobody sends: for the codecs' tests and
 * for bench/bench_codec. */
#pragma once

#include "tests/lib/test.h"

enum stream_kind {
	STREAM_CONSTANT,
	STREAM_SLOW_COUNTER,   /* 5 % of the steps change it */
	STREAM_BURSTY_COUNTER, /* still for long, then fast for a while */
	STREAM_INT_COUNTER,    /* about 1500 a step */
	STREAM_CPU_SECONDS,    /* 2 decimals */
	STREAM_GAUGE_2DEC,
	STREAM_BYTES_4096,
	STREAM_SMALL_INT,
	STREAM_DOUBLE,                     /* all 52 bits */
	STREAM_MEASURED,                   /* the kinds above are those of the codec table */
	STREAM_DECIMALS = STREAM_MEASURED, /* 0 to 6 decimals, mixed */
	STREAM_SUM,                        /* decimals added up in floating point */
	STREAM_STALE,                      /* a gauge that comes and goes */
	STREAM_SPECIALS, /* NaN payloads, infinities, zeros of both signs, denormals, extremes */
	STREAM_BITS,     /* any pattern */
	STREAM_KINDS,
};

enum stream_times { TIMES_STEP, TIMES_JITTER, TIMES_GAPS };

const char *stream_name(enum stream_kind kind);
/* n samples; `times` is an enum stream_times. Times ascend strictly and may begin below zero. */
void stream_gen(struct test_random *r, enum stream_kind kind, int times, int64_t *t, double *v, size_t n);
