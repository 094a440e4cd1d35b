#include "tests/lib/test.h"

#include "promql/slow_queries.h"

#include <stdio.h>

static void add(struct slow_queries *s, const char *text, int64_t ns, const char *error)
{
	struct query_record r = {.text = slice_cstr(text), .stats.total_ns = ns, .error = error};
	slow_queries_add(s, &r);
}

static void newest_first(void **state)
{
	struct slow_queries *s = slow_queries_new(1000);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct query_record *v;
	size_t n;
	(void)state;

	slow_queries_list(s, arena, &v, &n);
	check_int("none", n, 0);
	add(s, "fast", 999, NULL);
	add(s, "a", 1000, NULL);
	add(s, "b", 5000, "broken");
	slow_queries_list(s, arena, &v, &n);
	check_int("two", n, 2);
	check_str("newest", v[0].text, "b");
	check_str("error", slice_cstr(v[0].error), "broken");
	check_str("oldest", v[1].text, "a");
	check_true("no error", v[1].error == NULL);
	arena_free(arena);
	slow_queries_free(s);
}

static void keeps_a_hundred(void **state)
{
	struct slow_queries *s = slow_queries_new(1);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct query_record *v;
	struct strbuf text = STRBUF_INIT;
	size_t n;
	(void)state;

	for (int i = 0; i < 250; i++) {
		char name[16];
		snprintf(name, sizeof(name), "q%d", i);
		add(s, name, 10, NULL);
	}
	slow_queries_list(s, arena, &v, &n);
	check_int("n", n, SLOW_QUERIES);
	check_str("newest", v[0].text, "q249");
	check_str("oldest", v[SLOW_QUERIES - 1].text, "q150");

	while (text.len < 2 * SLOW_QUERY_TEXT_BYTES)
		strbuf_addch(&text, 'x');
	add(s, strbuf_cstr(&text), 10, NULL);
	slow_queries_list(s, arena, &v, &n);
	check_int("cut", v[0].text.len, SLOW_QUERY_TEXT_BYTES);
	strbuf_done(&text);
	arena_free(arena);
	slow_queries_free(s);
}

TEST_MAIN("slow_queries", cmocka_unit_test(newest_first), cmocka_unit_test(keeps_a_hundred))
