#include "storage/mem_store.h"
#include "storage/merge_series.h"
#include "tests/lib/test.h"

#include <stdio.h>

/* Random samples spread over some stores, merged, against one store that was given the preferred of each. */

enum { STORES = 4, SERIES = 8, TIMES = 12 };

static struct series_set *select_all(
    struct mem_store *s, struct arena *arena, bool sorted, struct querier **q)
{
	struct queryable *from = mem_store_queryable(s);
	struct series_set *set = NULL;
	struct err err;
	check_ok("open", from->open(from, 0, TIMES, q, &err), &err);
	check_ok("select", (*q)->ops->select(*q, arena, NULL, 0, sorted, NULL, &set, &err), &err);
	return set;
}

static size_t find_series(struct series_set *set, const struct labels *labels, struct arena *arena)
{
	for (size_t i = 0; i < set->n; i++)
		if (labels_eq(set->ops->labels(set, i, arena), labels))
			return i;
	fail_msg("a series is missing");
	return 0;
}

static void check_same(struct series_set *got, struct series_set *want, struct arena *arena, bool sorted)
{
	check_int("series", got->n, want->n);
	struct sample_column g, w;
	struct err err;
	sample_column_init(&g, arena);
	sample_column_init(&w, arena);
	for (size_t i = 0; i < want->n; i++) {
		size_t at = find_series(got, want->ops->labels(want, i, arena), arena);
		if (sorted)
			check_int("order", at, i);
		check_ok("read", got->ops->read(got, at, &g, &err), &err);
		check_ok("read", want->ops->read(want, i, &w, &err), &err);
		check_int("samples", g.n, w.n);
		assert_true(got->ops->estimate(got, at) >= g.n);
		for (size_t k = 0; k < w.n; k++) {
			check_int("time", g.t[k], w.t[k]);
			check_double("value", g.v[k], w.v[k]);
			check_int("histogram", g.h && g.h[k], w.h && w.h[k]);
		}
	}
	sample_column_done(&g);
	sample_column_done(&w);
}

static void like_one_store(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 200; round++) {
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct mem_store *stores[STORES], *all = mem_store_new();
		struct querier *queriers[STORES], *q;
		struct series_set *sets[STORES];
		bool sorted = round % 2;
		size_t n = test_random_below(&r, STORES + 1);
		for (size_t k = 0; k < n; k++) {
			stores[k] = mem_store_new();
			for (uint64_t left = test_random_below(&r, 40); left > 0; left--) {
				size_t series = test_random_below(&r, SERIES),
				       t = test_random_below(&r, TIMES);
				char name[8];
				snprintf(name, sizeof(name), "s%zu", series);
				const struct labels *labels =
				    labels_of(arena, "__name__", arena_strdup(arena, slice_cstr(name)), NULL);
				struct histogram h = {.count = (double)left};
				const struct histogram *maybe = test_random_below(&r, 5) ? NULL : &h;
				mem_store_add(
				    stores[k], labels, (int64_t)t, (double)(k * 1000 + left), maybe);
			}
			sets[k] = select_all(stores[k], arena, sorted, &queriers[k]);
		}
		/* From the least preferred to the most: a later sample takes the earlier one's place. */
		struct sample_column c;
		struct err err;
		sample_column_init(&c, arena);
		for (size_t k = n; k-- > 0;)
			for (size_t i = 0; i < sets[k]->n; i++) {
				check_ok("read", sets[k]->ops->read(sets[k], i, &c, &err), &err);
				for (size_t at = 0; at < c.n; at++)
					mem_store_add(all, sets[k]->ops->labels(sets[k], i, arena), c.t[at],
					    c.v[at], c.h ? c.h[at] : NULL);
			}
		sample_column_done(&c);
		struct series_set *want = select_all(all, arena, true, &q);
		check_same(merge_series(arena, sets, n, sorted), want, arena, sorted);
		q->ops->close(q);
		for (size_t k = 0; k < n; k++) {
			queriers[k]->ops->close(queriers[k]);
			mem_store_free(stores[k]);
		}
		mem_store_free(all);
		arena_free(arena);
	}
}

static void names(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct slice x[] = {SL("a"), SL("c"), SL("d")}, y[] = {SL("b"), SL("c")};
	struct slice *lists[] = {x, y, NULL};
	const size_t counts[] = {3, 2, 0};
	struct slice *out;
	size_t n;
	bool truncated;
	static const struct {
		size_t limit;
		const char *want;
		bool truncated;
	} table[] = {{0, "abcd", false}, {4, "abcd", false}, {3, "abc", true}};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		merge_names(arena, lists, counts, 3, table[i].limit, &out, &n, &truncated);
		struct strbuf sb = STRBUF_INIT;
		for (size_t k = 0; k < n; k++)
			strbuf_add_slice(&sb, out[k]);
		check_str("names", strbuf_slice(&sb), table[i].want);
		check_int("truncated", truncated, table[i].truncated);
		strbuf_done(&sb);
	}
	arena_free(arena);
}

TEST_MAIN("merge_series", cmocka_unit_test(like_one_store), cmocka_unit_test(names))
