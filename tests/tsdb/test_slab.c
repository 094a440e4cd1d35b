#include "tests/lib/test.h"
#include "tsdb/slab.h"

static void classes_hold_what_was_asked(void **state)
{
	(void)state;
	struct slab *s = slab_new();
	for (size_t n = 1; n <= SLAB_MAX_BYTES; n++) {
		uint32_t h = slab_get(s, n);
		assert_int_not_equal(h, SLAB_NONE);
		assert_true(slab_size(h) >= n && slab_size(h) <= n + n / 2 + 24);
		memset(slab_ptr(s, h), 0xaa, slab_size(h));
		slab_put(s, h);
	}
	check_int("all given back", slab_used_bytes(s), 0);
	assert_null(slab_ptr(s, SLAB_NONE));
	check_int("none", slab_size(SLAB_NONE), 0);
	slab_put(s, SLAB_NONE);
	slab_free(s);
}

static void growing_keeps_content(void **state)
{
	(void)state;
	struct slab *s = slab_new();
	uint32_t h = SLAB_NONE;
	size_t used = 0;
	for (uint32_t larger; (larger = slab_grow(s, h, used)) != SLAB_NONE; h = larger) {
		uint8_t *p = slab_ptr(s, larger);
		for (size_t i = 0; i < used; i++)
			assert_int_equal(p[i], i & 0xff);
		for (; used < slab_size(larger); used++)
			p[used] = used & 0xff;
	}
	check_int("largest", slab_size(h), SLAB_MAX_BYTES);
	check_int("the old ones were given back", slab_used_bytes(s), SLAB_MAX_BYTES);
	slab_free(s);
}

/* Random gets, grows and puts against plain memory. */
static void blocks_do_not_overlap(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	enum { N = 2000 };
	static struct {
		uint32_t handle;
		uint8_t fill;
	} b[N];
	struct slab *s = slab_new();
	for (int round = 0; round < 60000; round++) {
		size_t i = test_random_below(&r, N);
		uint8_t *p = slab_ptr(s, b[i].handle);
		for (size_t k = 0; k < slab_size(b[i].handle); k++)
			assert_int_equal(p[k], b[i].fill);
		slab_put(s, b[i].handle);
		b[i].handle =
		    test_random_below(&r, 4) ? slab_get(s, 1 + test_random_below(&r, 300)) : SLAB_NONE;
		b[i].fill = (uint8_t)round;
		memset(slab_size(b[i].handle) ? slab_ptr(s, b[i].handle) : &b[i].fill, b[i].fill,
		    slab_size(b[i].handle) ? slab_size(b[i].handle) : 1);
	}
	assert_true(slab_used_bytes(s) <= slab_reserved_bytes(s));
	slab_free(s);
}

TEST_MAIN("slab", cmocka_unit_test(classes_hold_what_was_asked), cmocka_unit_test(growing_keeps_content),
    cmocka_unit_test(blocks_do_not_overlap))
