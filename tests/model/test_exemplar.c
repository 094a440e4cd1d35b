#include "model/exemplar.h"
#include "tests/lib/test.h"

#include <math.h>

static void labels_are_short(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	char text[300];
	struct err err;
	memset(text, 'x', sizeof(text));
	struct label l = {SL("trace_id"), slice_of(text, 120)};
	check_ok("128", exemplar_check(labels_from_sorted(arena, &l, 1), &err), &err);
	l.value.len = 121;
	check_int("129", exemplar_check(labels_from_sorted(arena, &l, 1), &err), ERR_LIMIT);
	check_str(
	    "text", slice_cstr(err.msg), "label length for exemplar exceeds maximum of 128 UTF-8 characters");
	for (size_t i = 0; i < 240; i += 2)
		memcpy(text + i, "\xc3\xa9", 2); /* two bytes, one character */
	l.value.len = 240;
	check_ok("characters count", exemplar_check(labels_from_sorted(arena, &l, 1), &err), &err);
	l.value.len = 239;
	check_int("torn character", exemplar_check(labels_from_sorted(arena, &l, 1), &err), ERR_INVALID);
	l = (struct label){SL("\xff"), SL("v")};
	check_int("name", exemplar_check(labels_from_sorted(arena, &l, 1), &err), ERR_INVALID);
	check_ok("none", exemplar_check(&labels_empty, &err), &err);
	arena_free(arena);
}

static void order(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *a = labels_of(arena, "a", "1", NULL), *b = labels_of(arena, "a", "2", NULL);
	const struct exemplar ascending[] = {
	    {.t_ms = INT64_MIN, .v = 9, .labels = b},
	    {.t_ms = 1, .v = -INFINITY, .labels = b},
	    {.t_ms = 1, .v = 1, .labels = a},
	    {.t_ms = 1, .v = 1, .labels = b},
	    {.t_ms = 2, .v = 0, .labels = &labels_empty},
	};
	for (size_t i = 0; i < ARRAY_LEN(ascending); i++)
		for (size_t k = 0; k < ARRAY_LEN(ascending); k++) {
			int c = exemplar_cmp(&ascending[i], &ascending[k]);
			check_int("sign", (c > 0) - (c < 0), (i > k) - (i < k));
			check_int("same", exemplar_same(&ascending[i], &ascending[k]), i == k);
		}
	arena_free(arena);
}

/* Without a time of its own it is the same at each scrape. */
static void same_without_time(void **state)
{
	(void)state;
	struct exemplar a = {.t_ms = 1, .v = NAN, .labels = &labels_empty}, b = a;
	b.t_ms = 2;
	check_true("same event", exemplar_same(&a, &b));
	b.has_time = true;
	check_true("one has a time", !exemplar_same(&a, &b));
	b.t_ms = 1;
	check_true("the same time", exemplar_same(&a, &b));
	b.v = 1;
	check_true("another value", !exemplar_same(&a, &b));
}

TEST_MAIN("exemplar", cmocka_unit_test(labels_are_short), cmocka_unit_test(order),
    cmocka_unit_test(same_without_time))
