/* Keys beside a plain array. */
#include "tests/lib/test.h"
#include "tsdb/key_table.h"
#include <stdlib.h>

enum { KEYS = 60000 };

static struct series_key key_of(uint32_t i)
{
	uint64_t mixed = (i + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	return (struct series_key){mixed ^ mixed >> 31, mixed * 7};
}

static void check_all(const struct key_table *t, const series_ref *want)
{
	struct series_key *keys = malloc(KEYS * sizeof(*keys));
	series_ref *got = malloc(KEYS * sizeof(*got));
	size_t n = 0;
	for (uint32_t i = 0; i < KEYS; i++)
		keys[i] = key_of(i);
	key_table_find(t, keys, KEYS, got);
	for (uint32_t i = 0; i < KEYS; i++) {
		check_int("ref", got[i], want[i]);
		n += want[i] != 0;
	}
	check_int("entries", t->len, n);
	free(keys);
	free(got);
}

static void forget(struct key_table *t, const struct ref_set *gone)
{
	for (size_t at = 0; at != SIZE_MAX;)
		at = key_table_forget(t, at, gone);
}

static void forgets_and_shrinks(void **state)
{
	(void)state;
	struct key_table t = {0};
	series_ref *want = calloc(KEYS, sizeof(*want));
	struct ref_set gone = {0};
	forget(&t, &gone);
	for (uint32_t i = 0; i < KEYS; i++) {
		struct series_key key = key_of(i);
		key_table_put(&t, &key, want[i] = i / 2 + 1); /* two keys a series */
	}
	check_all(&t, want);
	size_t most = t.bytes;
	for (series_ref first = 1; first < KEYS / 2; first += 100) {
		ref_set_add(&gone, first, 97);
		for (uint32_t i = 0; i < KEYS; i++)
			if (want[i] >= first && want[i] < first + 97)
				want[i] = 0;
	}
	forget(&t, &gone);
	check_all(&t, want);
	check_true("smaller", t.bytes < most / 3);
	for (uint32_t i = 0; i < KEYS; i++) {
		struct series_key key = key_of(i);
		key_table_put(&t, &key, want[i] = i + 1);
	}
	check_all(&t, want);
	ref_set_done(&gone);
	key_table_done(&t);
	free(want);
}

TEST_MAIN("key table", cmocka_unit_test(forgets_and_shrinks))
