#include "scrape/scrape_cache.h"
#include "tests/lib/test.h"

#include <stdio.h>

/* Random pages against the obvious model: a set of names, of the last page and of this one. */

enum { NAMES = 60 };

static struct slice raw(size_t i)
{
	static char text[NAMES][16];
	snprintf(text[i], sizeof(text[i]), "m{i=\"%zu\"}", i);
	return slice_cstr(text[i]);
}

static void count_vanished(void *arg, const struct cache_entry *e)
{
	bool *vanished = arg;
	assert_false(vanished[e->ref - 1]);
	vanished[e->ref - 1] = true;
}

static void like_two_sets(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 60; round++) {
		struct scrape_cache c;
		scrape_cache_init(&c, test_random_u64(&r));
		bool known[NAMES] = {false}, live[NAMES] = {false}; /* in the cache; without a stale marker */
		for (int scrape = 0; scrape < 12; scrape++) {
			bool now[NAMES] = {false}, vanished[NAMES] = {false};
			bool fails = test_random_below(&r, 5) == 0;
			scrape_cache_begin(&c);
			size_t step = 1 + test_random_below(&r, 3), at = test_random_below(&r, NAMES);
			for (uint64_t lines = test_random_below(&r, 2 * NAMES); lines > 0; lines--) {
				at = test_random_below(&r, 10) ? (at + step) % NAMES
							       : test_random_below(&r, NAMES);
				bool is_new, is_again;
				struct cache_entry *e = scrape_cache_find(&c, raw(at), &is_new, &is_again);
				check_int("again", is_again, now[at]);
				check_int("new", is_new, !known[at] && !now[at]);
				if (is_new)
					e->ref = (series_ref)at + 1;
				check_int("ref", e->ref, at + 1);
				now[at] = true;
			}
			if (fails)
				scrape_cache_fail(&c);
			scrape_cache_each_vanished(&c, count_vanished, vanished);
			for (size_t i = 0; i < NAMES; i++)
				check_int("vanished", vanished[i], live[i] && (fails || !now[i]));
			if (fails)
				scrape_cache_all_gone(&c);
			else
				scrape_cache_end(&c);
			for (size_t i = 0; i < NAMES; i++) {
				known[i] = fails ? known[i] : now[i];
				live[i] = fails ? false : now[i];
			}
		}
		scrape_cache_done(&c);
	}
}

static void the_order_needs_no_table(void **state)
{
	(void)state;
	struct scrape_cache c;
	scrape_cache_init(&c, 1);
	for (int scrape = 0; scrape < 3; scrape++) {
		bool is_new, is_again;
		scrape_cache_begin(&c);
		for (size_t i = scrape == 2; i < NAMES; i++) /* the last page lacks the first line */
			scrape_cache_find(&c, raw(i), &is_new, &is_again)->ref = (series_ref)i + 1;
		check_int("table", c.slots != NULL, scrape == 0);
		scrape_cache_end(&c);
	}
	scrape_cache_done(&c);
}

static void other_relabelling_makes_everything_new(void **state)
{
	(void)state;
	struct scrape_cache c;
	bool is_new, is_again, vanished[NAMES] = {false};
	scrape_cache_init(&c, 1);
	scrape_cache_begin(&c);
	scrape_cache_find(&c, raw(0), &is_new, &is_again)->ref = 1;
	scrape_cache_end(&c);
	scrape_cache_forget_text(&c);
	scrape_cache_begin(&c);
	scrape_cache_find(&c, raw(0), &is_new, &is_again)->ref = 2;
	assert_true(is_new);
	scrape_cache_each_vanished(&c, count_vanished, vanished);
	assert_true(vanished[0]);
	scrape_cache_end(&c);
	scrape_cache_done(&c);
}

TEST_MAIN("scrape_cache", cmocka_unit_test(like_two_sets), cmocka_unit_test(the_order_needs_no_table),
    cmocka_unit_test(other_relabelling_makes_everything_new))
