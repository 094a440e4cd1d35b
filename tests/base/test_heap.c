#include "base/attr.h"
#include "base/heap.h"
#include "tests/lib/test.h"

struct item {
	struct heap_node node;
	uint64_t key;
};

static struct item *item_of(const struct heap_node *n)
{
	union {
		const struct heap_node *in;
		struct heap_node *out;
	} u = {.in = n};
	return CONTAINER_OF(u.out, struct item, node);
}

static bool less(const struct heap_node *a, const struct heap_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

enum { ITEMS = 100 };

static uint64_t least_of(const struct item *items)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < ITEMS; i++)
		if (items[i].node.at && items[i].key < least)
			least = items[i].key;
	return least;
}

static void like_a_search(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct heap h;
	heap_init(&h, less);
	struct item items[ITEMS] = {0};
	for (int step = 0; step < 100000; step++) {
		struct item *it = &items[test_random_below(&r, ITEMS)];
		if (it->node.at == 0) {
			it->key = test_random_below(&r, 50);
			heap_push(&h, &it->node);
		} else if (test_random_below(&r, 2)) {
			it->key = test_random_below(&r, 50);
			heap_changed(&h, &it->node);
		} else {
			heap_remove(&h, &it->node);
			check_int("out", it->node.at, 0);
		}
		check_int("least", heap_top(&h) ? item_of(heap_top(&h))->key : UINT64_MAX, least_of(items));
	}
	uint64_t last = 0;
	for (struct heap_node *n; (n = heap_pop(&h)); last = item_of(n)->key)
		check_true("sorted", item_of(n)->key >= last);
	check_true("empty", !heap_top(&h) && h.len == 0);
	heap_done(&h);
}

TEST_MAIN("heap", cmocka_unit_test(like_a_search))
