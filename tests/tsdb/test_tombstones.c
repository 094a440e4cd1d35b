/* Sets of deletions beside a plain array of bits; their file, cut and bent. */
#include "base/xmalloc.h"
#include "tests/lib/test.h"
#include "tsdb/tombstones.h"
#include <stdlib.h>
#include <string.h>

enum { SERIES = 8, TIMES = 60, ROUNDS = 200, DELETIONS = 12 };

static void check_bits(const struct tombstones *t, const bool deleted[SERIES][TIMES])
{
	for (uint32_t s = 0; s < SERIES; s++) {
		size_t n;
		const struct tombstone *v = tombstones_of(t, s, &n);
		for (int64_t time = 0; time < TIMES; time++)
			check_int("deleted", tombstones_cover(v, n, time, time), deleted[s][time]);
		for (size_t i = 1; i < n; i++)
			check_true("apart", v[i].min_t_ms > v[i - 1].max_t_ms + 1);
	}
}

static struct tombstones *delete_some(
    struct test_random *r, const struct tombstones *old, bool deleted[SERIES][TIMES])
{
	struct postings series = {0};
	int64_t min = (int64_t)test_random_below(r, TIMES);
	int64_t max = min + (int64_t)test_random_below(r, (uint64_t)(TIMES - min));
	for (uint32_t s = 0; s < SERIES; s++) {
		if (test_random_below(r, 3))
			continue;
		postings_add(&series, s);
		for (int64_t t = min; t <= max; t++)
			deleted[s][t] = true;
	}
	struct tombstones *t = tombstones_with(old, &series, min, max);
	postings_done(&series);
	return t;
}

static void sets_are_right(void **state)
{
	(void)state;
	struct test_random r;
	struct err err;
	char *dir = test_tmpdir();
	char *path = xasprintf("%s/stones", dir);
	test_random_init(&r);
	for (int round = 0; round < ROUNDS; round++) {
		bool deleted[SERIES][TIMES] = {{false}};
		struct tombstones *t = NULL;
		for (int i = 0; i < DELETIONS; i++) {
			struct tombstones *more = delete_some(&r, t, deleted);
			tombstones_free(t);
			t = more;
			check_bits(t, deleted);
		}
		struct tombstones *back;
		check_ok("write", tombstones_write(fs_real(), path, t, &err), &err);
		check_ok("read", tombstones_read(fs_real(), path, SERIES, &back, &err), &err);
		check_bits(back, deleted);
		tombstones_free(back);
		tombstones_free(t);
	}
	free(path);
	test_tmpdir_done(dir);
}

static void ends_of_time(void **state)
{
	(void)state;
	struct postings one = {0};
	struct tombstones *back;
	struct err err;
	char *dir = test_tmpdir();
	char *path = xasprintf("%s/stones", dir);
	postings_add(&one, 3);
	struct tombstones *a = tombstones_with(NULL, &one, 5, INT64_MAX);
	struct tombstones *t = tombstones_with(a, &one, INT64_MIN, 4);
	check_int("joined", t->n, 1);
	check_ok("write", tombstones_write(fs_real(), path, t, &err), &err);
	check_ok("read", tombstones_read(fs_real(), path, 4, &back, &err), &err);
	check_int("min", back->v[0].min_t_ms, INT64_MIN);
	check_int("max", back->v[0].max_t_ms, INT64_MAX);
	tombstones_free(back);
	check_int("too few series", tombstones_read(fs_real(), path, 3, &back, &err), ERR_CORRUPT);
	tombstones_free(a);
	tombstones_free(t);
	postings_done(&one);
	free(path);
	test_tmpdir_done(dir);
}

static void damage_is_noticed(void **state)
{
	(void)state;
	struct test_random r;
	struct err err;
	bool deleted[SERIES][TIMES] = {{false}};
	char *dir = test_tmpdir();
	char *path = xasprintf("%s/stones", dir);
	test_random_init(&r);
	struct tombstones *t = delete_some(&r, NULL, deleted), *back;
	check_ok("write", tombstones_write(fs_real(), path, t, &err), &err);
	size_t n;
	char *bytes = test_read_file(path, &n);
	for (size_t len = 0; len < n; len++)
		check_int("cut", tombstones_parse(slice_of(bytes, len), SERIES, &back, &err), ERR_CORRUPT);
	for (size_t bit = 0; bit < n * 8; bit++) {
		bytes[bit / 8] ^= (char)(1 << (bit % 8));
		int rc = tombstones_parse(slice_of(bytes, n), SERIES, &back, &err);
		check_int("bent", rc, bit / 8 == 7 ? ERR_UNSUPPORTED : ERR_CORRUPT);
		bytes[bit / 8] ^= (char)(1 << (bit % 8));
	}
	check_int("not there", tombstones_read(fs_real(), dir, SERIES, &back, &err) != 0, 1);
	tombstones_free(t);
	free(bytes);
	free(path);
	test_tmpdir_done(dir);
}

TEST_MAIN("tombstones", cmocka_unit_test(sets_are_right), cmocka_unit_test(ends_of_time),
    cmocka_unit_test(damage_is_noticed))
