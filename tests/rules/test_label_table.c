#include "rules/label_table.h"
#include "tests/lib/test.h"

struct thing {
	struct label_entry entry;
	uint64_t number;
};

static const struct labels *numbered(struct arena *arena, uint64_t i)
{
	struct slice text = arena_printf(arena, "%llu", (unsigned long long)i);
	struct label l[] = {{SL("n"), text}};
	return labels_from_sorted(arena, l, 1);
}

static bool is_below(const void *entry, void *arg)
{
	return ((const struct thing *)entry)->number < *(uint64_t *)arg;
}

static void entries_are_found_until_removed(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct label_table t = {0};
	check_true("empty", !label_table_find(&t, numbered(arena, 1)));
	for (uint64_t i = 0; i < 3000; i++)
		((struct thing *)label_table_add(&t, numbered(arena, i), sizeof(struct thing)))->number = i;
	for (uint64_t below = 0; below < 3000; below += 1000) {
		label_table_remove_if(&t, is_below, &below, NULL);
		check_int("left", t.len, 3000 - below);
		for (uint64_t i = 0; i < 3000; i++) {
			const struct thing *x = label_table_find(&t, numbered(arena, i));
			check_int("found", x != NULL, i >= below);
			if (x)
				check_int("the right one", x->number, i);
		}
	}
	label_table_done(&t, NULL);
	check_int("usable again", t.len, 0);
	arena_free(arena);
}

static void repeated_sets_are_seen(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *v[100];
	for (uint64_t i = 0; i < 100; i++)
		v[i] = numbered(arena, i);
	check_true("all differ", !label_sets_repeat(arena, v, 100));
	v[99] = numbered(arena, 17);
	check_true("one is there twice", label_sets_repeat(arena, v, 100));
	check_true("none", !label_sets_repeat(arena, v, 0));
	arena_free(arena);
}

TEST_MAIN("label_table", cmocka_unit_test(entries_are_found_until_removed),
    cmocka_unit_test(repeated_sets_are_seen))
