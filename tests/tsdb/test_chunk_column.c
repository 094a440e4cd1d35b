#include "model/stale_marker.h"
#include "tests/lib/stream_gen.h"
#include "tests/lib/test.h"
#include "tsdb/chunk_column.h"
#include "tsdb/column_kernels.h"

#include <stdlib.h>

static int64_t got_t[CHUNK_COLUMN_MAX_SAMPLES];
static double got_v[CHUNK_COLUMN_MAX_SAMPLES];

static void check_decoded(const char *name, struct slice bytes, const int64_t *t, const double *v, size_t n)
{
	struct err err;
	check_ok(name, chunk_column_decode(bytes, SL_EMPTY, t[0], got_t, got_v, &err), &err);
	check_true(name, memcmp(got_t, t, n * sizeof(*t)) == 0);
	check_true(name, memcmp(got_v, v, n * sizeof(*v)) == 0);
}

static void check_round_trip(const char *name, const int64_t *t, const double *v, size_t n)
{
	struct strbuf sb = STRBUF_INIT;
	struct err err;
	uint32_t count = 0;
	chunk_column_encode(t, v, n, &sb);
	/* An exact-size copy, so that the address sanitizer sees a read behind the end. */
	char *exact = malloc(sb.len);
	memcpy(exact, sb.ptr, sb.len);
	struct slice bytes = slice_of(exact, sb.len);
	check_ok(name, chunk_column_count(bytes, &count, &err), &err);
	check_int(name, count, n);
	check_decoded(name, bytes, t, v, n);
	column_kernels_force(column_kernels_version(0));
	check_decoded(name, bytes, t, v, n);
	column_kernels_force(NULL);
	free(exact);
	strbuf_done(&sb);
}

static void every_stream_comes_back(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	static int64_t t[CHUNK_COLUMN_MAX_SAMPLES];
	static double v[CHUNK_COLUMN_MAX_SAMPLES];
	static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 120, 128, 129, 500, 1024, 4096};
	for (int kind = 0; kind < STREAM_KINDS; kind++)
		for (int times = 0; times < 3; times++)
			for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
				for (int round = 0; round < (sizes[i] < 200 ? 20 : 2); round++) {
					stream_gen(&r, (enum stream_kind)kind, times, t, v, sizes[i]);
					check_round_trip(stream_name((enum stream_kind)kind), t, v, sizes[i]);
				}
}

static void odd_values_among_decimals(void **state)
{
	(void)state;
	static const uint64_t odd[] = {STALE_NAN_BITS, UINT64_C(0x8000000000000000),
	    UINT64_C(0x7ff0000000000000), UINT64_C(0x4340000000000001), UINT64_C(0xfff8000000000123), 1};
	static int64_t t[128];
	static double v[128];
	for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++)
		for (size_t at = 0; at < 128; at += 9) {
			for (size_t i = 0; i < 128; i++) {
				t[i] = (int64_t)i * 15000;
				v[i] = (double)(i * i) / 100;
			}
			v[at] = double_from_bits(odd[k]);
			check_round_trip("one odd", t, v, 128);
			v[0] = v[127] = double_from_bits(odd[k]);
			check_round_trip("three odd", t, v, 128);
		}
}

static void far_apart_times(void **state)
{
	(void)state;
	static const int64_t t[] = {INT64_MIN, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
	static const double v[] = {1, 2, 3, 4, 5, 6};
	check_round_trip("far", t, v, 6);
	check_round_trip("far, two", t, v, 2);
	check_round_trip("end", t + 4, v, 2);
}

static void sizes_are_small(void **state)
{
	(void)state;
	struct test_random r = {
	    .state = 1}; /* always the same streams: their sizes are compared with fixed bounds */
	static int64_t t[1024];
	static double v[1024];
	/* Bytes a sample at 1024 samples; storage.md c.1 with some slack for the generator. */
	static const struct {
		enum stream_kind kind;
		double most;
	} cases[] = {{STREAM_CONSTANT, 0.02}, {STREAM_SLOW_COUNTER, 0.12}, {STREAM_BURSTY_COUNTER, 0.36},
	    {STREAM_INT_COUNTER, 1.30}, {STREAM_CPU_SECONDS, 1.30}, {STREAM_GAUGE_2DEC, 1.45},
	    {STREAM_BYTES_4096, 0.70}, {STREAM_SMALL_INT, 0.55}, {STREAM_DOUBLE, 7.0}, {STREAM_SUM, 2.2}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf sb = STRBUF_INIT;
		stream_gen(&r, cases[i].kind, TIMES_STEP, t, v, 1024);
		chunk_column_encode(t, v, 1024, &sb);
		if ((double)sb.len / 1024 > cases[i].most)
			fail_msg("%s: %.3f bytes a sample, at most %.3f wanted", stream_name(cases[i].kind),
			    (double)sb.len / 1024, cases[i].most);
		strbuf_done(&sb);
	}
}

static void only_the_range_is_read(void **state)
{
	(void)state;
	struct err err;
	struct strbuf sb = STRBUF_INIT;
	static int64_t t[100];
	static double v[100];
	for (int i = 0; i < 100; i++) {
		t[i] = 1000 + i * 10;
		v[i] = i;
	}
	chunk_column_encode(t, v, 100, &sb);
	static const struct {
		const char *name;
		int64_t min, max;
		size_t n;
		double first;
	} cases[] = {{"all", INT64_MIN, INT64_MAX, 100, 0}, {"inside", 1005, 1035, 3, 1},
	    {"ends included", 1010, 1030, 3, 1}, {"before", 0, 999, 0, 0}, {"behind", 1991, INT64_MAX, 0, 0},
	    {"between", 1001, 1009, 0, 0}, {"last", 1990, 5000, 1, 99}, {"empty range", 1500, 1400, 0, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample_column c;
		sample_column_init(&c, NULL);
		assert_true(sample_column_push(&c, 1, 42, NULL));
		check_ok(cases[i].name,
		    chunk_column_read(strbuf_slice(&sb), &(struct chunk_times){SL_EMPTY, 0}, t[0],
			cases[i].min, cases[i].max, &c, &err),
		    &err);
		check_int(cases[i].name, c.n, cases[i].n + 1);
		check_double("kept", c.v[0], 42);
		if (cases[i].n)
			check_double(cases[i].name, c.v[1], cases[i].first);
		sample_column_done(&c);
	}
	strbuf_done(&sb);
}

/* A chunk as it stands in a part, with its own times or shared ones. */
struct stored {
	struct strbuf bytes, times;
	int64_t t[300];
	double v[300];
	size_t n;
};

static void store(struct stored *s, uint64_t times_id)
{
	strbuf_init(&s->bytes, STRBUF_NO_LIMIT);
	strbuf_init(&s->times, STRBUF_NO_LIMIT);
	if (times_id > 0) {
		chunk_times_encode(s->t, s->n, &s->times);
		chunk_column_encode_shared(s->v, s->n, times_id, &s->bytes);
	} else {
		chunk_column_encode(s->t, s->v, s->n, &s->bytes);
	}
}

static void append_stored(struct sample_column *c, const struct stored *s, int64_t min, int64_t max)
{
	struct err err;
	struct chunk_times times = {strbuf_slice(&s->times), 7};
	check_ok(
	    "read", chunk_column_read(strbuf_slice(&s->bytes), &times, s->t[0], min, max, c, &err), &err);
}

static void check_appended(
    const struct sample_column *c, size_t *at, const struct stored *s, int64_t min, int64_t max)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->t[i] < min || s->t[i] > max)
			continue;
		assert_true(*at < c->n && c->t[*at] == s->t[i] && memcmp(&c->v[*at], &s->v[i], 8) == 0);
		++*at;
	}
}

/* One column for many reads: whatever was in it before, it has what was asked for; and equal ids mean equal times. */
static void columns_are_used_again(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	enum { STORED = 24, IDS = 64 };
	static struct stored all[STORED];
	static struct {
		uint64_t id;
		size_t n;
		int64_t t[900];
	} seen[IDS];
	size_t n_seen = 0, known = 0;
	for (size_t k = 0; k < STORED; k++) {
		struct stored *s = &all[k];
		s->n = 1 + test_random_below(&r, 300);
		stream_gen(&r, (enum stream_kind)(k % STREAM_KINDS), (int)k % 3, s->t, s->v, s->n);
		if (k >= 3 && k % 2) { /* the times of another one */
			s->n = all[k - 3].n;
			memcpy(s->t, all[k - 3].t, sizeof(s->t));
		}
		store(s, k % 3 == 1 ? 1 + (k >= 3 && k % 2 ? k - 3 : k) : 0);
	}
	struct sample_column c;
	sample_column_init(&c, NULL);
	for (int round = 0; round < 4000; round++) {
		size_t pieces = test_random_below(&r, 4), at = 0;
		const struct stored *s[3];
		int64_t min[3], max[3];
		sample_column_reset(&c);
		for (size_t k = 0; k < pieces; k++) {
			s[k] = &all[test_random_below(&r, test_random_below(&r, 2) ? 4 : STORED)];
			min[k] = INT64_MIN, max[k] = INT64_MAX;
			if (test_random_below(&r, 3) == 0)
				min[k] = s[k]->t[test_random_below(&r, s[k]->n)] -
					 (int64_t)test_random_below(&r, 2);
			if (test_random_below(&r, 3) == 0)
				max[k] = s[k]->t[test_random_below(&r, s[k]->n)] +
					 (int64_t)test_random_below(&r, 2);
			append_stored(&c, s[k], min[k], max[k]);
		}
		for (size_t k = 0; k < pieces; k++)
			check_appended(&c, &at, s[k], min[k], max[k]);
		check_int("all", c.n, at);
		uint64_t id = sample_column_times_id(&c);
		for (size_t k = 0; id && k < n_seen; k++)
			if (seen[k].id == id && seen[k].n == c.n) {
				assert_true(memcmp(seen[k].t, c.t, c.n * sizeof(c.t[0])) == 0);
				known++;
			}
		if (id && n_seen < IDS) {
			seen[n_seen].id = id;
			seen[n_seen].n = c.n;
			memcpy(seen[n_seen++].t, c.t, c.n * sizeof(c.t[0]));
		}
	}
	assert_true(known > 0);
	sample_column_done(&c);
	for (size_t k = 0; k < STORED; k++) {
		strbuf_done(&all[k].bytes);
		strbuf_done(&all[k].times);
	}
}

/* Any bit may be wrong: then it decodes to something, or ERR_CORRUPT; and no byte outside is touched. */
static void bent_bytes_are_survived(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	static int64_t t[200];
	static double v[200];
	struct err err;
	for (int kind = 0; kind < STREAM_KINDS; kind++) {
		struct strbuf sb = STRBUF_INIT;
		stream_gen(&r, (enum stream_kind)kind, kind % 3, t, v, 200);
		chunk_column_encode(t, v, 200, &sb);
		char *bent = malloc(sb.len);
		for (size_t bit = 0; bit < sb.len * 8; bit++) {
			memcpy(bent, sb.ptr, sb.len);
			bent[bit / 8] ^= (char)(1 << bit % 8);
			int rc =
			    chunk_column_decode(slice_of(bent, sb.len), SL_EMPTY, t[0], got_t, got_v, &err);
			assert_true(rc == 0 || rc == ERR_CORRUPT);
		}
		for (size_t n = 0; n < sb.len; n++) {
			char *cut = malloc(n + 1);
			char *exact = realloc(cut, n ? n : 1);
			memcpy(exact, sb.ptr, n);
			check_int("cut",
			    chunk_column_decode(slice_of(exact, n), SL_EMPTY, t[0], got_t, got_v, &err),
			    ERR_CORRUPT);
			free(exact);
		}
		free(bent);
		strbuf_done(&sb);
	}
	for (int round = 0; round < 100000; round++) {
		uint8_t bytes[64];
		size_t n = test_random_below(&r, sizeof(bytes));
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)test_random_u64(&r);
		bytes[0] = (uint8_t)(0x20 | (bytes[0] & 3));
		bytes[1] = (uint8_t)(bytes[1] & 0xf3);
		int rc = chunk_column_decode(slice_of((char *)bytes, n), SL_EMPTY, 0, got_t, got_v, &err);
		assert_true(rc == 0 || rc == ERR_CORRUPT);
	}
}

TEST_MAIN("chunk_column", cmocka_unit_test(every_stream_comes_back),
    cmocka_unit_test(odd_values_among_decimals), cmocka_unit_test(far_apart_times),
    cmocka_unit_test(sizes_are_small), cmocka_unit_test(only_the_range_is_read),
    cmocka_unit_test(columns_are_used_again), cmocka_unit_test(bent_bytes_are_survived))
