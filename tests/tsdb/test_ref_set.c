/* Runs beside a plain array of flags. */
#include "tests/lib/test.h"
#include "tsdb/ref_set.h"

enum { REFS = 3000 };

static void check_all(const struct ref_set *s, const bool *has)
{
	uint64_t count = 0;
	for (series_ref i = 1; i < REFS; i++) {
		check_int("has", ref_set_has(s, i), has[i]);
		count += has[i];
	}
	check_int("count", s->count, count);
	for (size_t i = s->at + 1; i < s->runs.len; i++)
		check_true("apart", s->runs.v[i].first > s->runs.v[i - 1].first + s->runs.v[i - 1].n);
}

static void add_random(struct test_random *r, struct ref_set *s, bool *has)
{
	series_ref first = 1 + (series_ref)test_random_below(r, REFS - 1);
	uint32_t n = 0;
	while (n < 20 && first + n < REFS && !has[first + n])
		has[first + n++] = true;
	if (n > 0)
		ref_set_add(s, first, n);
}

static void like_flags(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct ref_set s = {0}, other = {0};
	bool has[REFS] = {false};
	for (int i = 0; i < 3000; i++) {
		switch (test_random_below(&r, 4)) {
		case 0:
			add_random(&r, &s, has);
			break;
		case 1:
			for (int k = 0; k < 5; k++)
				add_random(&r, &other, has);
			ref_set_merge(&s, &other);
			check_int("moved", other.count, 0);
			break;
		default:
			for (int k = 0; k < 8; k++) {
				series_ref least = 1;
				while (least < REFS && !has[least])
					least++;
				check_int("the smallest", ref_set_take(&s), least < REFS ? least : 0);
				if (least < REFS)
					has[least] = false;
			}
		}
		if (i % 37 == 0)
			check_all(&s, has);
		series_ref first = 1 + (series_ref)test_random_below(&r, REFS - 40);
		uint32_t n = 1 + (uint32_t)test_random_below(&r, 30), k = 0;
		while (k < n && has[first + k])
			k++;
		check_int("all of them", ref_set_has_all(&s, first, n), k == n);
	}
	ref_set_done(&s);
}

TEST_MAIN("ref set", cmocka_unit_test(like_flags))
