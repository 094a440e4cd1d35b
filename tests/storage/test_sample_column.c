#include "storage/querier.h"
#include "tests/lib/test.h"

/* Appends times as a store does that knows them by a key. */
static bool append(struct sample_column *c, uint64_t key, const int64_t *t, uint32_t n)
{
	struct times_piece piece;
	assert_true(sample_column_reserve(c, n));
	bool known = sample_column_has_times(c, key, &piece);
	if (!known) {
		memcpy(c->t + c->n, t, n * sizeof(*t));
		piece = (struct times_piece){.key = key, .n = n};
		sample_column_note_times(c, piece);
	}
	check_int("n", piece.n, n);
	c->n += piece.n;
	return known;
}

static const int64_t times[] = {10, 20, 30, 40, 50, 60};

static void the_same_times_are_known_again(void **state)
{
	(void)state;
	struct sample_column c;
	sample_column_init(&c, NULL);
	assert_false(append(&c, 1, times, 3));
	assert_false(append(&c, 2, times + 3, 2));
	uint64_t id = sample_column_times_id(&c);
	assert_true(id != 0);
	sample_column_reset(&c);
	assert_true(append(&c, 1, times, 3));
	assert_true(append(&c, 2, times + 3, 2));
	assert_true(sample_column_times_id(&c) == id);
	assert_memory_equal(c.t, times, 5 * sizeof(*times));
	sample_column_reset(&c);
	assert_true(append(&c, 1, times, 3));
	assert_false(append(&c, 3, times + 4, 2));
	assert_true(sample_column_times_id(&c) != id);
	sample_column_done(&c);
}

static void what_somebody_else_wrote_is_not_believed(void **state)
{
	(void)state;
	struct sample_column c;
	sample_column_init(&c, NULL);
	assert_false(append(&c, 1, times, 3));
	assert_true(sample_column_push(&c, 35, 1, NULL));
	assert_true(sample_column_times_id(&c) == 0);
	assert_false(append(&c, 2, times + 3, 2));
	assert_true(sample_column_times_id(&c) == 0);
	sample_column_reset(&c);
	assert_false(append(&c, 1, times, 3));
	sample_column_reset(&c);
	/* A store without keys used the column meanwhile. */
	assert_true(sample_column_push(&c, 1, 1, NULL));
	sample_column_reset(&c);
	assert_false(append(&c, 1, times, 3));
	sample_column_forget_times(&c);
	assert_true(sample_column_times_id(&c) == 0);
	sample_column_reset(&c);
	assert_false(append(&c, 1, times, 3));
	sample_column_done(&c);
}

static void times_behind_a_change_are_gone(void **state)
{
	(void)state;
	struct sample_column c;
	sample_column_init(&c, NULL);
	assert_false(append(&c, 1, times, 3));
	assert_false(append(&c, 2, times + 3, 2));
	sample_column_reset(&c);
	assert_false(append(&c, 4, times + 1, 3));
	assert_false(append(&c, 2, times + 3, 2));
	assert_int_equal(c.t[0], 20);
	assert_int_equal(c.t[4], 50);
	assert_false(append(&c, 0, times, 1));
	assert_true(sample_column_times_id(&c) == 0);
	sample_column_done(&c);
}

static void summaries_grow(void **state)
{
	(void)state;
	struct sample_summaries s = {0};
	for (uint32_t i = 0; i < 100; i++) {
		struct sample_summary *one = sample_summaries_add(&s);
		assert_non_null(one);
		*one = (struct sample_summary){.count = i};
	}
	check_int("n", s.n, 100);
	check_int("last", s.v[99].count, 99);
	sample_summaries_done(&s);
}

TEST_MAIN("sample_column", cmocka_unit_test(the_same_times_are_known_again),
    cmocka_unit_test(what_somebody_else_wrote_is_not_believed),
    cmocka_unit_test(times_behind_a_change_are_gone), cmocka_unit_test(summaries_grow))
