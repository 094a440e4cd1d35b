#include "tsdb/column_order.h"

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/xmalloc.h"
#include "model/histogram.h"
#include "tests/lib/test.h"
#include <inttypes.h>

/* Samples as they are pushed: "time:value". */
static const struct {
	const char *name;
	size_t from;
	int64_t t[8]; /* 0 ends it */
	const char *want;
} cases[] = {
    {"nothing", 0, {0}, ""},
    {"one", 0, {5}, " 5:0"},
    {"in order", 0, {1, 2, 3}, " 1:0 2:1 3:2"},
    {"backwards", 0, {3, 2, 1}, " 1:2 2:1 3:0"},
    {"two pieces", 0, {1, 3, 5, 2, 4, 6}, " 1:0 2:3 3:1 4:4 5:2 6:5"},
    {"the first of equal times stays", 0, {1, 2, 3, 2, 3, 4}, " 1:0 2:1 3:2 4:5"},
    {"of three", 0, {7, 7, 7}, " 7:0"},
    {"a repeated piece", 0, {1, 2, 1, 2}, " 1:0 2:1"},
    {"what stands in front is left alone", 2, {9, 8, 3, 3, 1}, " 9:0 8:1 1:4 3:2"},
};

static void pieces_become_one_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sample_column c;
		struct strbuf got = STRBUF_INIT;
		sample_column_init(&c, NULL);
		for (size_t k = 0; cases[i].t[k]; k++)
			check_true("push", sample_column_push(&c, cases[i].t[k], (double)k, NULL));
		check_true("order", column_order(&c, cases[i].from));
		for (size_t k = 0; k < c.n; k++)
			strbuf_addf(&got, " %" PRId64 ":%g", c.t[k], c.v[k]);
		check_str(cases[i].name, strbuf_slice(&got), cases[i].want);
		strbuf_done(&got);
		sample_column_done(&c);
	}
}

static void histograms_and_starts_go_along(void **state)
{
	(void)state;
	static const struct {
		int64_t t, start;
		bool is_histogram;
	} in[] = {{30, 1, true}, {10, 2, false}, {20, 3, true}, {30, 4, false}, {10, 5, true}};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	sample_column_init(&c, arena);
	for (size_t i = 0; i < ARRAY_LEN(in); i++) {
		struct histogram h = {.schema = 3, .count = (double)i};
		check_true("push", sample_column_push(&c, in[i].t, (double)i,
				       in[i].is_histogram ? histogram_copy(arena, &h) : NULL));
		check_true("start", sample_column_set_start(&c, in[i].start));
	}
	check_true("order", column_order(&c, 0));
	check_int("samples", c.n, 3);
	static const size_t want[] = {1, 2, 0};
	for (size_t i = 0; i < c.n; i++) {
		check_int("time", c.t[i], in[want[i]].t);
		check_int("start", c.start[i], in[want[i]].start);
		check_int("kind", c.h[i] != NULL, in[want[i]].is_histogram);
		if (c.h[i])
			check_int("which", (int64_t)c.h[i]->count, (int64_t)want[i]);
	}
	sample_column_done(&c);
	arena_free(arena);
}

TEST_MAIN("column order", cmocka_unit_test(pieces_become_one_column),
    cmocka_unit_test(histograms_and_starts_go_along))
