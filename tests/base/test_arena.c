#include "base/arena.h"
#include "tests/lib/test.h"

static void overflow_is_sticky(void **state)
{
	(void)state;
	struct arena *a = arena_new(100);
	assert_non_null(arena_alloc(a, 64));
	assert_false(arena_overflowed(a));
	assert_non_null(arena_alloc(a, 64));
	assert_true(arena_overflowed(a));
	assert_null(arena_try_alloc(a, 1, 1));
	arena_reset(a);
	assert_false(arena_overflowed(a));
	assert_null(arena_try_alloc(a, SIZE_MAX / 2, 4));
	assert_true(arena_overflowed(a));
	arena_free(a);
}

static void blocks_keep_content_and_alignment(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct {
		unsigned char *p;
		size_t n;
	} made[500];
	for (size_t i = 0; i < 500; i++) {
		made[i].n = 1 + test_random_below(&r, i % 50 == 0 ? 3000000 : 300);
		made[i].p = arena_alloc(a, made[i].n);
		check_int("aligned", (uintptr_t)made[i].p % 16, 0);
		memset(made[i].p, (int)(i & 0xff), made[i].n);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t k = 0; k < made[i].n; k++)
			if (made[i].p[k] != (i & 0xff))
				fail_msg("allocation %zu byte %zu was overwritten", i, k);
	arena_free(a);
}

static void count_up(void *p)
{
	++*(int *)p;
}

static void cleanups_run_at_reset_and_free(void **state)
{
	(void)state;
	int calls = 0;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	arena_at_free(a, count_up, &calls);
	arena_reset(a);
	check_int("after reset", calls, 1);
	arena_at_free(a, count_up, &calls);
	arena_free(a);
	check_int("after free", calls, 2);
}

TEST_MAIN("arena", cmocka_unit_test(overflow_is_sticky), cmocka_unit_test(blocks_keep_content_and_alignment),
    cmocka_unit_test(cleanups_run_at_reset_and_free))
