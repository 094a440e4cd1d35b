/* The buffer of late samples beside plain arrays. */
#include "base/arena.h"
#include "tests/lib/test.h"
#include "tsdb/ooo_buffer.h"

enum { SERIES = 7, TIMES = 900, STEPS = 6000 };

struct naive {
	bool has[SERIES][TIMES];
	double v[SERIES][TIMES];
};

static void check_series(
    const struct ooo_buffer *b, const struct naive *n, unsigned i, int64_t from, int64_t to)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	struct err err;
	sample_column_init(&c, arena);
	check_ok("read", ooo_buffer_read(b, i + 1, from, to, &c, &err), &err);
	size_t k = 0, all = 0;
	for (int64_t t = 0; t < TIMES; t++) {
		all += n->has[i][t];
		if (!n->has[i][t] || t < from || t > to)
			continue;
		check_true("as many", k < c.n);
		check_int("time", c.t[k], t);
		check_true("value", c.v[k] == n->v[i][t]);
		k++;
	}
	check_int("not more", c.n, k);
	check_int("count", ooo_buffer_count(b, i + 1), all);
	sample_column_done(&c);
	arena_free(arena);
}

static void add_or_find(struct ooo_buffer *b, struct naive *n, struct test_random *random)
{
	unsigned i = (unsigned)test_random_below(random, SERIES);
	int64_t t = (int64_t)test_random_below(random, TIMES);
	double v = test_random_unit(random), got = 0;
	check_int("find", ooo_buffer_find(b, i + 1, t, &got), n->has[i][t]);
	if (n->has[i][t]) {
		check_true("found", got == n->v[i][t]);
		return;
	}
	check_true("add", ooo_buffer_add(b, i + 1, t, v, TIMES));
	n->has[i][t] = true;
	n->v[i][t] = v;
}

static void buffer_and_arrays_agree(void **state)
{
	(void)state;
	static struct naive n;
	struct ooo_buffer b = {0};
	struct test_random random;
	test_random_init(&random);
	check_true("empty", ooo_buffer_is_empty(&b));
	for (int step = 0; step < STEPS; step++) {
		add_or_find(&b, &n, &random);
		if (step % 50 != 0)
			continue;
		int64_t from = (int64_t)test_random_below(&random, TIMES);
		check_series(&b, &n, (unsigned)test_random_below(&random, SERIES), from, from + 300);
	}
	for (unsigned i = 0; i < SERIES; i++)
		check_series(&b, &n, i, INT64_MIN, INT64_MAX);
	check_int("nobody", ooo_buffer_count(&b, 99), 0);
	check_true("accounted", b.bytes >= STEPS / 2 * sizeof(struct ooo_sample) && b.bytes < STEPS * 64);
	ooo_buffer_done(&b);
	check_int("given back", b.bytes, 0);
}

static void a_series_is_bounded(void **state)
{
	(void)state;
	struct ooo_buffer b = {0};
	for (int64_t t = 0; t < 5; t++)
		check_int("add", ooo_buffer_add(&b, 1, -t, 1, 4), t < 4);
	check_true("another series", ooo_buffer_add(&b, 2, 0, 1, 4));
	ooo_buffer_done(&b);
}

TEST_MAIN("ooo buffer", cmocka_unit_test(buffer_and_arrays_agree), cmocka_unit_test(a_series_is_bounded))
