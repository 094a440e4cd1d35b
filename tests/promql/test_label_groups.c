#include "tests/lib/test.h"

#include "promql/label_groups.h"

static void check_labels(const char *name, const struct labels *ls, const char *want)
{
	struct strbuf sb = STRBUF_INIT;

	labels_print(&sb, ls);
	check_str(name, strbuf_slice(&sb), want);
	strbuf_done(&sb);
}

static void test_groups(void **state)
{
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	const struct labels *x = labels_of(a, "__name__", "m", "a", "1", "b", "1", NULL);
	const struct labels *y = labels_of(a, "__name__", "n", "a", "1", "b", "2", NULL);
	const struct labels *z = labels_of(a, "__name__", "m", "b", "2", NULL);
	const struct slice names[] = {SL_INIT("b"), SL_INIT("a"), SL_INIT("b")};
	struct label_groups by, without;
	(void)state;

	label_groups_init(&by, a, names + 1, 1, true);
	check_int("x", label_groups_add(&by, x), 0);
	check_int("y as x", label_groups_add(&by, y), 0);
	check_int("z lacks it", label_groups_add(&by, z), 1);
	check_labels("by", label_groups_labels(&by, y), "{a=\"1\"}");

	label_groups_init(&without, a, names, 1, false);
	check_int("x", label_groups_add(&without, x), 0);
	check_int("the name does not count", label_groups_add(&without, y), 0);
	check_labels("without", label_groups_labels(&without, x), "{a=\"1\"}");

	label_groups_init(&without, a, names, 3, false);
	without.keep_name = true;
	check_int("names", without.n_names, 2);
	label_groups_add(&without, x);
	check_int("the name counts", label_groups_add(&without, y), 1);
	arena_free(a);
}

static void test_many(void **state)
{
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	const struct slice name = SL_INIT("n");
	struct label_groups g;
	(void)state;

	label_groups_init(&g, a, &name, 1, true);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			const struct labels *ls =
			    labels_of(a, "n", arena_printf(a, "%u", i).ptr, "x", "y", NULL);
			check_int("group", label_groups_add(&g, ls), i);
		}
	}
	arena_free(a);
}

TEST_MAIN("label groups", cmocka_unit_test(test_groups), cmocka_unit_test(test_many))
