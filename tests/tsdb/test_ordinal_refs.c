#include "tests/lib/test.h"
#include "tsdb/ordinal_refs.h"

enum { MAX_BYTES = 8192, SERIES = 1000 };

static void remembers(void **state)
{
	(void)state;
	struct ordinal_refs *r = ordinal_refs_new(MAX_BYTES);
	struct ordinal_map *m = ordinal_refs_pin(r, 7, SERIES);
	check_int("nothing is known yet", ordinal_map_get(m, 3), 0);
	ordinal_map_put(m, 3, 42);
	ordinal_map_put(m, SERIES, 43);
	check_int("behind the end", ordinal_map_get(m, SERIES), 0);
	ordinal_refs_unpin(r, m);
	m = ordinal_refs_pin(r, 7, SERIES);
	check_int("known", ordinal_map_get(m, 3), 42);
	ordinal_refs_unpin(r, m);
	ordinal_refs_free(r);
}

static void stays_small(void **state)
{
	(void)state;
	struct ordinal_refs *r = ordinal_refs_new(MAX_BYTES);
	struct ordinal_map *first = ordinal_refs_pin(r, 1, SERIES);
	ordinal_map_put(first, 0, 1);
	check_true("too large for all there is", ordinal_refs_pin(r, 2, MAX_BYTES) == NULL);
	check_int("no map knows nothing", ordinal_map_get(NULL, 0), 0);
	ordinal_map_put(NULL, 0, 1);
	for (uint64_t seq = 3; seq < 9; seq++)
		ordinal_refs_unpin(r, ordinal_refs_pin(r, seq, SERIES));
	check_int("one in use stays", ordinal_map_get(first, 0), 1);
	check_true("bounded", ordinal_refs_bytes(r) <= MAX_BYTES);
	ordinal_refs_unpin(r, first);
	ordinal_refs_unpin(r, ordinal_refs_pin(r, 9, SERIES));
	first = ordinal_refs_pin(r, 1, SERIES);
	check_int("the one that was not asked for longest went", ordinal_map_get(first, 0), 0);
	ordinal_refs_unpin(r, first);
	ordinal_refs_free(r);
}

static void forgets_what_is_used_again(void **state)
{
	(void)state;
	struct ordinal_refs *r = ordinal_refs_new(MAX_BYTES);
	struct ordinal_map *m = ordinal_refs_pin(r, 7, SERIES);
	struct ref_set gone = {0};
	for (uint32_t i = 0; i < SERIES; i++)
		ordinal_map_put(m, i, 100 + i);
	ref_set_add(&gone, 101, 1);
	ref_set_add(&gone, 103, 2);
	ordinal_refs_forget(r, &gone);
	for (uint32_t i = 0; i < SERIES; i++)
		check_int("ref", ordinal_map_get(m, i), ref_set_has(&gone, 100 + i) ? 0 : 100 + i);
	ref_set_done(&gone);
	ordinal_refs_unpin(r, m);
	ordinal_refs_free(r);
}

TEST_MAIN("ordinal_refs", cmocka_unit_test(remembers), cmocka_unit_test(stays_small),
    cmocka_unit_test(forgets_what_is_used_again))
