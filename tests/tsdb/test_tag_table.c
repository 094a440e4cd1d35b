/* Both hash tables of the head beside plain arrays. */
#include "tests/lib/test.h"
#include "tsdb/key_table.h"
#include "tsdb/tag_table.h"
#include <stdlib.h>

enum { MANY = 40000 };

static bool tag_has(const struct tag_table *t, uint64_t hash, uint32_t value)
{
	struct tag_walk w;
	for (uint32_t v = tag_table_first(t, hash, &w); v; v = tag_table_next(&w))
		if (v == value)
			return true;
	return false;
}

static void tags_are_found_and_removed(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct tag_table t = {0};
	uint64_t *hash = calloc(MANY + 1, sizeof(*hash));
	check_true("empty", !tag_has(&t, 1, 1));
	for (uint32_t i = 1; i <= MANY; i++) {
		hash[i] = i % 100 == 0 ? hash[i - 1] : test_random_u64(&r); /* some share a tag */
		tag_table_add(&t, hash[i], i);
	}
	check_int("len", t.len, MANY);
	for (uint32_t i = 1; i <= MANY; i++)
		check_true("found", tag_has(&t, hash[i], i));
	for (uint32_t i = 1; i <= MANY; i += 2)
		tag_table_remove(&t, hash[i], i);
	tag_table_remove(&t, hash[1], 1);
	check_int("half", t.len, MANY / 2);
	for (uint32_t i = 1; i <= MANY; i++)
		check_true("half of them", tag_has(&t, hash[i], i) == (i % 2 == 0));
	for (uint32_t i = 1; i <= MANY; i += 2)
		tag_table_add(&t, hash[i], i);
	for (uint32_t i = 1; i <= MANY; i++)
		check_true("all again", tag_has(&t, hash[i], i));
	tag_table_done(&t);
	check_int("memory", t.bytes, 0);
	free(hash);
}

/* Adding and removing for ever must not fill a table with removed slots. */
static void removed_slots_are_used_again(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct tag_table t = {0};
	for (int i = 0; i < 100000; i++) {
		uint64_t hash = test_random_u64(&r);
		tag_table_add(&t, hash, 7);
		tag_table_remove(&t, hash, 7);
	}
	check_int("len", t.len, 0);
	check_true("small", t.bytes < 4096);
	tag_table_done(&t);
}

/* An outsider who finds one tag for all his keys makes us slow, not endless. */
static void equal_tags_do_not_split_for_ever(void **state)
{
	(void)state;
	struct tag_table t = {0};
	for (uint32_t i = 1; i <= 6000; i++)
		tag_table_add(&t, UINT64_C(0x1234567800000000), i);
	check_true("last", tag_has(&t, UINT64_C(0x1234567800000000), 6000));
	check_true("first", tag_has(&t, UINT64_C(0x1234567800000000), 1));
	tag_table_done(&t);
}

static void keys_are_found(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct key_table t = {0};
	struct series_key *keys = calloc(MANY, sizeof(*keys));
	series_ref *refs = calloc(MANY, sizeof(*refs));
	key_table_find(&t, keys, 10, refs);
	check_int("empty", refs[9], 0);
	for (uint32_t i = 0; i < MANY; i++) {
		keys[i] = (struct series_key){test_random_u64(&r), test_random_u64(&r)};
		if (i % 3)
			key_table_put(&t, &keys[i], i + 1);
	}
	key_table_find(&t, keys, MANY, refs);
	for (uint32_t i = 0; i < MANY; i++)
		check_int("ref", refs[i], i % 3 ? i + 1 : 0);
	key_table_put(&t, &keys[1], 4711);
	key_table_find(&t, &keys[1], 1, refs);
	check_int("changed", refs[0], 4711);
	struct series_key near = {keys[1].lo, keys[1].hi ^ 1};
	key_table_find(&t, &near, 1, refs);
	check_int("all bits count", refs[0], 0);
	key_table_done(&t);
	free(keys);
	free(refs);
}

static void keys_are_bounded(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct key_table t = {.max_len = 1000};
	for (int i = 0; i < 100000; i++) {
		struct series_key key = {test_random_u64(&r), test_random_u64(&r)};
		series_ref ref;
		key_table_put(&t, &key, 5);
		key_table_find(&t, &key, 1, &ref);
		check_int("the newest is there", ref, 5);
	}
	check_true("bounded", t.len < 3000 && t.bytes < 200000);
	key_table_done(&t);
}

TEST_MAIN("tag table", cmocka_unit_test(tags_are_found_and_removed),
    cmocka_unit_test(removed_slots_are_used_again), cmocka_unit_test(equal_tags_do_not_split_for_ever),
    cmocka_unit_test(keys_are_found), cmocka_unit_test(keys_are_bounded))
