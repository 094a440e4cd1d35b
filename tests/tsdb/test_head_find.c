/* Lookups by key, with their guesses, beside an array. */
#include "tests/lib/test.h"
#include "tsdb/head_find.h"
#include <stdlib.h>

enum { SERIES = 3000, ASKED = 200, ROUNDS = 600 };

struct world {
	struct test_random r;
	struct arena *arena;
	struct head *head;
	struct series_key keys[SERIES];
	series_ref refs[SERIES]; /* 0: not there */
};

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	test_random_init(&w->r);
	w->arena = arena_new(ARENA_NO_LIMIT);
	w->head = malloc(sizeof(*w->head));
	head_init(w->head, &(struct head_options){.clock = clock_real()});
	for (int i = 0; i < SERIES; i++)
		w->keys[i] = (struct series_key){test_random_u64(&w->r), test_random_u64(&w->r)};
}

static void world_done(struct world *w)
{
	head_done(w->head);
	free(w->head);
	arena_free(w->arena);
}

/* The labels are those of generation `g`, so that a series that ended comes again under its old key. */
static void make(struct world *w, unsigned i, unsigned g)
{
	struct err err;
	struct label l[] = {{SL("__name__"), SL("m")}, {SL("i"), arena_printf(w->arena, "%u.%u", i, g)}};
	const struct labels *labels = labels_from_sorted(w->arena, l, 2);
	check_ok("add", head_add_series(w->head, &w->keys[i], labels, &w->refs[i], &err), &err);
}

static void end(struct world *w, unsigned i)
{
	series_ref ref = w->refs[i];
	struct head_block *b = head_columns_block(&w->head->columns, ref);
	if (!b)
		abort();
	b->series[series_in_block(ref)].flags |= SERIES_DYING;
	head_drop_series(w->head, ref, 1);
	w->refs[i] = 0;
}

/* In the order of a writer, with leaps, repetitions and keys that nobody gave. */
static void ask(struct world *w)
{
	struct series_key keys[ASKED];
	series_ref want[ASKED], got[ASKED], before = 0;
	size_t n = 1 + test_random_below(&w->r, ASKED);
	unsigned at = (unsigned)test_random_below(&w->r, SERIES);
	for (size_t i = 0; i < n; i++) {
		keys[i] = w->keys[at];
		want[i] = w->refs[at];
		if (test_random_below(&w->r, 50) == 0) {
			keys[i].lo ^= 1;
			want[i] = 0;
		}
		at = test_random_below(&w->r, 40) ? (at + 1) % SERIES
						  : (unsigned)test_random_below(&w->r, SERIES);
	}
	for (size_t i = 0, some; i < n; i += some) {
		some = 1 + test_random_below(&w->r, n - i);
		before = head_find(w->head, before, keys + i, some, got + i);
		check_int("the last one", before, got[i + some - 1]);
	}
	for (size_t i = 0; i < n; i++)
		check_int("ref", got[i], want[i]);
}

static void guesses_are_never_wrong(void **state)
{
	(void)state;
	static struct world w;
	world_init(&w);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (int k = 0; k < 20; k++) {
			unsigned i = (unsigned)test_random_below(&w.r, SERIES);
			if (w.refs[i] == 0)
				make(&w, i, round);
			else if (test_random_below(&w.r, 4) == 0)
				end(&w, i);
		}
		ask(&w);
	}
	world_done(&w);
}

TEST_MAIN("head_find", cmocka_unit_test(guesses_are_never_wrong))
