#include "tests/lib/test.h"

#include "promql/value_matrix.h"

static void test_bits(void **state)
{
	uint64_t a[3] = {0}, b[3] = {0};
	uint32_t seen = 0;
	(void)state;

	bits_fill(a, 130);
	check_int("count", bits_count(a, 3), 130);
	check_true("last", bit_get(a, 129));
	check_int("rest", a[2], 3);
	check_true("no overlap", !bits_overlap(a, b, 3));
	bit_set(b, 127);
	check_true("overlap", bits_overlap(a, b, 3));
	bit_set(b, 64);
	bit_set(b, 0);
	BITS_EACH(k, b, 3)
	seen = seen * 200 + k;
	check_int("each, in order", seen, 64 * 200 + 127);
	bit_clear(b, 127);
	check_int("cleared", bits_count(b, 3), 2);
}

static void test_rows(void **state)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct histogram h = {.count = 1};
	struct tile from, to;
	(void)state;

	assert_true(tile_init(&from, arena, 2, 3));
	assert_true(tile_init(&to, arena, 2, 3));
	struct row r = tile_row(&from, 1);
	r.v[0] = 7;
	bit_set(r.present, 0);
	tile_want_histograms(&from);
	from.h[from.steps + 2] = &h;
	bit_set(r.present, 2);
	r = tile_row(&to, 0);
	r.v[1] = 8;
	bit_set(r.present, 1);
	tile_copy_row(&to, 0, &from, 1);
	r = tile_row(&to, 0);
	check_int("present", r.present[0], 7);
	check_double("copied", r.v[0], 7);
	check_double("kept", r.v[1], 8);
	check_true("histogram", r.h[2] == &h && r.h[0] == NULL);
	tile_begin(&to, 2);
	check_true("begun anew", to.h == NULL && !bits_any(to.present, 2));
	arena_free(arena);
}

static void test_budget(void **state)
{
	struct arena *arena = arena_new(1000);
	struct tile t;
	(void)state;

	check_true("too big", !tile_init(&t, arena, 1000, 1000));
	arena_free(arena);
}

TEST_MAIN(
    "value matrix", cmocka_unit_test(test_bits), cmocka_unit_test(test_rows), cmocka_unit_test(test_budget))
