#include "base/hashtab.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 200 };

/* A naive model: one cell per possible key. */
static void like_an_array(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct hashtab t = {0};
	void *model[KEYS] = {0};
	static int things[KEYS * 2];
	for (int step = 0; step < 100000; step++) {
		size_t k = test_random_below(&r, KEYS), used = 0;
		char key[16];
		snprintf(key, sizeof(key), "key%zu", k);
		switch (test_random_below(&r, 3)) {
		case 0: {
			void *value = &things[test_random_below(&r, KEYS * 2)];
			check_true("put", hashtab_put(&t, slice_cstr(key), value) == model[k]);
			model[k] = value;
			break;
		}
		case 1:
			check_true("remove", hashtab_remove(&t, slice_cstr(key)) == model[k]);
			model[k] = NULL;
			break;
		default:
			check_true("get", hashtab_get(&t, slice_cstr(key)) == model[k]);
		}
		if (step % 1000)
			continue;
		size_t i = 0, seen = 0;
		for (struct hashtab_entry *e; (e = hashtab_next(&t, &i)); seen++)
			check_true("walk", e->value == model[atoi(e->key.ptr + 3)]);
		for (k = 0; k < KEYS; k++)
			used += model[k] != NULL;
		check_int("length", t.len, used);
		check_int("walked", seen, used);
	}
	hashtab_done(&t);
}

static void empty_table_and_empty_key(void **state)
{
	(void)state;
	struct hashtab t = {0};
	int x;
	check_true("get", !hashtab_get(&t, SL("a")));
	check_true("remove", !hashtab_remove(&t, SL("a")));
	hashtab_put(&t, SL_EMPTY, &x);
	check_true("empty key", hashtab_get(&t, SL_EMPTY) == &x);
	hashtab_done(&t);
}

TEST_MAIN("hashtab", cmocka_unit_test(like_an_array), cmocka_unit_test(empty_table_and_empty_key))
