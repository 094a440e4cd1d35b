#include "tests/lib/test.h"

#include "base/vec.h"
#include "model/stale_marker.h"
#include "tests/lib/stream_gen.h"
#include "tsdb/chunk_xor.h"

/* A chunk with its bytes and newest sample, as the head keeps them; grows one byte at a time to meet every
 * bound. */
struct open_chunk {
	struct chunk_xor c;
	uint8_t *bytes;
	size_t cap;
	int64_t t;
	double v;
};

static void open_chunk_init(struct open_chunk *o)
{
	memset(o, 0, sizeof(*o));
	chunk_xor_reset(&o->c);
}

static void open_chunk_done(struct open_chunk *o)
{
	free(o->bytes);
}

static enum chunk_xor_append add(struct open_chunk *o, int64_t t, double v)
{
	enum chunk_xor_append rc;
	while ((rc = chunk_xor_append(&o->c, o->bytes, o->cap, o->t, o->v, t, v)) == CHUNK_XOR_GROW) {
		/* Exactly as large as is asked for, so that the address sanitizer sees every byte beyond. */
		uint8_t *bytes = malloc(++o->cap);
		assert_non_null(bytes);
		if (o->bytes)
			memcpy(bytes, o->bytes, o->cap - 1);
		free(o->bytes);
		o->bytes = bytes;
	}
	if (rc == CHUNK_XOR_OK) {
		o->t = t;
		o->v = v;
	}
	return rc;
}

static void check_same(
    const char *name, const struct open_chunk *o, const int64_t *t, const double *v, size_t n)
{
	struct err err;
	int64_t *got_t = calloc(o->c.count, sizeof(*got_t));
	double *got_v = calloc(o->c.count, sizeof(*got_v));
	check_int(name, o->c.count, n);
	check_ok(name, chunk_xor_decode(&o->c, o->bytes, o->v, got_t, got_v, &err), &err);
	for (size_t i = 0; i < n; i++) {
		check_int(name, got_t[i], t[i]);
		check_int(name, double_bits(got_v[i]), double_bits(v[i]));
	}
	free(got_t);
	free(got_v);
}

static void test_streams(void **state)
{
	(void)state;
	struct test_random random;
	test_random_init(&random);
	static int64_t t[500];
	static double v[500];
	for (int kind = 0; kind < STREAM_KINDS; kind++)
		for (int round = 0; round < 30; round++) {
			struct open_chunk o;
			open_chunk_init(&o);
			stream_gen(&random, (enum stream_kind)kind, round % 3, t, v, ARRAY_LEN(t));
			size_t n = 0;
			for (; n < ARRAY_LEN(t) && add(&o, t[n], v[n]) == CHUNK_XOR_OK; n++)
				if (n < 8)
					check_same(stream_name((enum stream_kind)kind), &o, t, v, n + 1);
			assert_true(n >= 50);
			check_same(stream_name((enum stream_kind)kind), &o, t, v, n);
			open_chunk_done(&o);
		}
}

static void test_constant_costs_nothing(void **state)
{
	(void)state;
	struct open_chunk o;
	open_chunk_init(&o);
	static int64_t t[300];
	static double v[300];
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		t[i] = 1000 + 15000 * (int64_t)i;
		v[i] = double_from_bits(STALE_NAN_BITS);
		assert_int_equal(add(&o, t[i], v[i]), CHUNK_XOR_OK);
	}
	check_int("no bytes", o.cap, 0);
	check_same("constant", &o, t, v, ARRAY_LEN(t));
	open_chunk_done(&o);
}

static void test_run_then_change(void **state)
{
	(void)state;
	static const struct {
		size_t run;
		int64_t last_step;
		double last_value;
	} cases[] = {{1, 15000, 2}, {2, 15000, 2}, {2, 14999, 1}, {3, 1, 1}, {50, 15000, 2},
	    {51, 16000000, 1}, {52, 2000000000, 3}, {7, 23191, 1}, {7, 23192, 1}, {7, 23193, 1}, {7, 6809, 1},
	    {7, 6808, 1}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct open_chunk o;
		open_chunk_init(&o);
		int64_t t[64];
		double v[64];
		size_t n = 0;
		for (; n < cases[i].run; n++) {
			t[n] = -40000 + 15000 * (int64_t)n;
			v[n] = 1;
		}
		t[n] = t[n - 1] + cases[i].last_step;
		v[n++] = cases[i].last_value;
		for (size_t k = 0; k < n; k++)
			assert_int_equal(add(&o, t[k], v[k]), CHUNK_XOR_OK);
		check_same("run", &o, t, v, n);
		open_chunk_done(&o);
	}
}

static void test_refuses(void **state)
{
	(void)state;
	struct open_chunk o;
	open_chunk_init(&o);
	assert_int_equal(add(&o, 1000, 1), CHUNK_XOR_OK);
	struct chunk_xor before = o.c;
	assert_int_equal(add(&o, 1000, 2), CHUNK_XOR_FULL);
	assert_int_equal(add(&o, 999, 2), CHUNK_XOR_FULL);
	assert_int_equal(add(&o, 1000 + INT64_C(0x80000000), 1), CHUNK_XOR_FULL);
	assert_int_equal(add(&o, INT64_MIN, 1), CHUNK_XOR_FULL);
	assert_memory_equal(&before, &o.c, sizeof(before));
	open_chunk_done(&o);
}

static void test_limits(void **state)
{
	(void)state;
	struct open_chunk constant, noisy;
	open_chunk_init(&constant);
	open_chunk_init(&noisy);
	struct test_random random;
	test_random_init(&random);
	size_t n = 0;
	while (add(&constant, (int64_t)n, 1) == CHUNK_XOR_OK)
		n++;
	check_int("samples", n, CHUNK_XOR_MAX_SAMPLES);
	n = 0;
	while (add(&noisy, (int64_t)n * 100, double_from_bits(test_random_u64(&random))) == CHUNK_XOR_OK)
		n++;
	assert_true(noisy.cap <= CHUNK_XOR_MAX_BYTES);
	assert_true(n > 100);
	open_chunk_done(&constant);
	open_chunk_done(&noisy);
}

/* Whatever the bits and the state are: an answer, and nothing read outside. */
static void test_garbage(void **state)
{
	(void)state;
	struct test_random random;
	test_random_init(&random);
	static int64_t t[65536];
	static double v[65536];
	for (int round = 0; round < 20000; round++) {
		struct chunk_xor c;
		uint64_t words[3] = {
		    test_random_u64(&random), test_random_u64(&random), test_random_u64(&random)};
		memcpy(&c, words, sizeof(c));
		c.bits = (uint16_t)test_random_below(&random, 2000);
		c.count &= 0x3ff;
		if (round % 4)
			c.run = c.bits ? 0 : c.count;
		uint8_t *bytes = malloc(chunk_xor_bytes(&c) + 1);
		for (size_t i = 0; i < chunk_xor_bytes(&c); i++)
			bytes[i] = (uint8_t)test_random_u64(&random);
		uint8_t *exact = realloc(bytes, chunk_xor_bytes(&c) ? chunk_xor_bytes(&c) : 1);
		struct err err;
		int rc = chunk_xor_decode(&c, exact, 1, t, v, &err);
		assert_true(rc == 0 || rc == ERR_CORRUPT);
		free(exact);
	}
}

TEST_MAIN("chunk_xor", cmocka_unit_test(test_streams), cmocka_unit_test(test_constant_costs_nothing),
    cmocka_unit_test(test_run_then_change), cmocka_unit_test(test_refuses), cmocka_unit_test(test_limits),
    cmocka_unit_test(test_garbage))
