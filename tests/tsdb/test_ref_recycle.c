/* When a ref is kept by nobody. */
#include "tests/lib/test.h"
#include "tsdb/ref_recycle.h"

enum { ROUND_MS = 1000 };

static void tick(struct ref_recycler *r, int64_t now_ms)
{
	ref_recycler_tick(r, now_ms, ROUND_MS);
}

static void two_rounds_and_the_log(void **state)
{
	(void)state;
	struct ref_recycler r;
	ref_recycler_init(&r);
	tick(&r, 0);
	ref_recycler_retire(&r, 10, 5, 77);
	ref_recycler_retire(&r, 15, 1, 77);
	check_int("joined", r.waiting.len, 1);
	tick(&r, 500);
	check_true("one round too early", !ref_recycler_collect(&r, 1000));
	tick(&r, 1000);
	check_true("kept refs are good for another round", !ref_recycler_collect(&r, 1000));
	tick(&r, 2000);
	check_true("the log names them", !ref_recycler_collect(&r, 76));
	check_true("now", ref_recycler_collect(&r, 77));
	check_int("all", r.forgotten.count, 6);
	check_true("somebody may have looked before", !ref_recycler_is_safe(&r));
	tick(&r, 2001);
	check_true("safe", ref_recycler_is_safe(&r));
	check_true("one after the other", !ref_recycler_collect(&r, 1000));
	ref_recycler_done(&r);
}

static void users_hold_it_back(void **state)
{
	(void)state;
	struct ref_recycler r;
	ref_recycler_init(&r);
	tick(&r, 0);
	uint64_t before = ref_recycler_enter(&r);
	ref_recycler_retire(&r, 1, 1, 0);
	for (int i = 1; i < 5; i++)
		tick(&r, i * 1000);
	check_true("a user of before is there", !ref_recycler_collect(&r, 0));
	ref_recycler_leave(&r, before);
	tick(&r, 5000);
	uint64_t meanwhile = ref_recycler_enter(&r);
	check_true("gone", ref_recycler_collect(&r, 0));
	for (int i = 6; i < 10; i++)
		tick(&r, i * 1000);
	check_true("another one may have looked", !ref_recycler_is_safe(&r));
	ref_recycler_leave(&r, meanwhile);
	uint64_t later = ref_recycler_enter(&r);
	tick(&r, 11000);
	check_true("one that came later does not matter", ref_recycler_is_safe(&r));
	ref_recycler_leave(&r, later);
	ref_recycler_done(&r);
}

/* A clock that is set back begins a round, and no round is missed for ever. */
static void clock_jumps(void **state)
{
	(void)state;
	struct ref_recycler r;
	ref_recycler_init(&r);
	tick(&r, INT64_MAX);
	uint32_t first = r.round;
	tick(&r, INT64_MIN + 1);
	check_int("back", r.round, first + 1);
	tick(&r, INT64_MIN + 500);
	check_int("not yet", r.round, first + 1);
	tick(&r, INT64_MAX);
	check_int("ahead", r.round, first + 2);
	ref_recycler_done(&r);
}

TEST_MAIN("ref recycle", cmocka_unit_test(two_rounds_and_the_log), cmocka_unit_test(users_hold_it_back),
    cmocka_unit_test(clock_jumps))
