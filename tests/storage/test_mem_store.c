#include "model/stale_marker.h"
#include "storage/mem_store.h"
#include "tests/lib/test.h"

#include <inttypes.h>
#include <stdio.h>

static struct mem_store *store;
static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	store = mem_store_new();
	arena = arena_new(ARENA_NO_LIMIT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mem_store_free(store);
	arena_free(arena);
	return 0;
}

static struct appender *begin(void)
{
	struct appender *a;
	struct err err;
	struct appendable *from = mem_store_appendable(store);
	check_ok("begin", from->begin(from, &a, &err), &err);
	return a;
}

static series_ref add(struct appender *a, const char *name)
{
	series_ref ref = 0;
	struct err err;
	check_ok(
	    name, a->ops->add_series(a, NULL, labels_of(arena, "__name__", name, NULL), &ref, &err), &err);
	return ref;
}

/* "name t:v t:v;" of all series in a range. */
static const char *dump(int64_t min_t_ms, int64_t max_t_ms)
{
	struct queryable *from = mem_store_queryable(store);
	struct querier *q;
	struct series_set *set;
	struct err err;
	struct sample_column c;
	struct strbuf sb = STRBUF_INIT;
	check_ok("open", from->open(from, min_t_ms, max_t_ms, &q, &err), &err);
	check_ok("select", q->ops->select(q, arena, NULL, 0, true, NULL, &set, &err), &err);
	sample_column_init(&c, arena);
	for (size_t i = 0; i < set->n; i++) {
		labels_print_metric(&sb, set->ops->labels(set, i, arena));
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		check_int("estimate", set->ops->estimate(set, i), c.n);
		for (size_t k = 0; k < c.n; k++)
			strbuf_addf(
			    &sb, " %" PRId64 ":%g", c.t[k], c.h && c.h[k] ? c.h[k]->count + 1000 : c.v[k]);
		strbuf_addch(&sb, ';');
	}
	sample_column_done(&c);
	q->ops->close(q);
	const char *text = arena_strdup(arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

static void samples_are_judged(void **state)
{
	(void)state;
	struct appender *a = begin();
	series_ref x = add(a, "x");
	check_int("the same series", add(a, "x"), x);
	const struct sample s[] = {{x, 0, 10, 1}, {x, 0, 10, 1}, {x, 0, 10, 2}, {x, 0, 5, 1}, {x, 0, 20, 2},
	    {x + 1, 0, 30, 1}, {0, 0, 30, 1}};
	static const uint8_t want[] = {APPEND_OK, APPEND_REPEATED, APPEND_DUPLICATE, APPEND_OUT_OF_ORDER,
	    APPEND_OK, APPEND_UNKNOWN_REF, APPEND_UNKNOWN_REF};
	uint8_t results[ARRAY_LEN(s)];
	struct err err;
	check_ok("append", a->ops->append(a, s, ARRAY_LEN(s), results, &err), &err);
	assert_memory_equal(results, want, sizeof(want));
	check_str("not visible yet", slice_cstr(dump(0, 100)), "");
	struct append_stats stats;
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	check_int("good", stats.by_result[APPEND_OK], 2);
	check_int("first refused", stats.first_refused, 2);
	check_int("why", stats.first_reason, APPEND_DUPLICATE);
	check_str("stored", slice_cstr(dump(0, 100)), "x 10:1 20:2;");
	check_str("a part of it", slice_cstr(dump(11, 100)), "x 20:2;");
	check_str("nothing in range", slice_cstr(dump(21, 100)), "");
}

static void a_rollback_leaves_nothing_but_series(void **state)
{
	(void)state;
	struct appender *a = begin();
	struct sample s = {add(a, "x"), 0, 10, 1};
	struct err err;
	check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
	a->ops->rollback(a);
	check_str("stored", slice_cstr(dump(0, 100)), "");
	check_int("series", mem_store_series(store), 1);
	a = begin();
	check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
	check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
	check_str("stored", slice_cstr(dump(0, 100)), "x 10:1;");
}

static void count_call(void *arg, int rc, const char *why)
{
	(void)why;
	check_int("rc", rc, 0);
	++*(int *)arg;
}

static void keys_are_remembered(void **state)
{
	(void)state;
	struct appender *a = begin();
	struct series_key keys[] = {{1, 2}, {3, 4}};
	series_ref refs[2], ref;
	struct err err;
	check_ok("add", a->ops->add_series(a, &keys[1], labels_of(arena, "a", "1", NULL), &ref, &err), &err);
	a->ops->find(a, keys, 2, refs);
	check_int("unknown", refs[0], 0);
	check_int("known", refs[1], ref);
	check_int("bad name", a->ops->add_series(a, NULL, labels_of(arena, "\xff", "1", NULL), &ref, &err),
	    ERR_INVALID);
	check_int("no labels", a->ops->add_series(a, NULL, &labels_empty, &ref, &err), ERR_INVALID);
	int calls = 0;
	check_ok("commit", a->ops->commit(a, NULL, count_call, &calls, &err), &err);
	check_int("durable", calls, 1);
}

static void one_sample_at_a_time(void **state)
{
	(void)state;
	struct appender *a = begin();
	struct kept_ref ref = {77, 1}; /* dead */
	enum append_result result;
	struct err err;
	const struct labels *labels = labels_of(arena, "__name__", "x", NULL);
	check_ok("one", appender_append_one(a, &ref, labels, 1, 5, &result, &err), &err);
	check_int("found", ref.ref, 1);
	check_int("result", result, APPEND_OK);
	check_ok("again", appender_append_one(a, &ref, labels, 1, 6, &result, &err), &err);
	check_int("result", result, APPEND_DUPLICATE);
	check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
	check_str("stored", slice_cstr(dump(0, 100)), "x 1:5;");
}

static void histograms_share_the_time_column(void **state)
{
	(void)state;
	struct histogram h = {.count = 7, .sum = 1};
	const struct labels *labels = labels_of(arena, "__name__", "x", NULL);
	mem_store_add(store, labels, 20, 0, &h);
	mem_store_add(store, labels, 10, 1, NULL);
	mem_store_add(store, labels, 30, 3, NULL);
	mem_store_add(store, labels, 30, 4, NULL);
	check_str("stored", slice_cstr(dump(0, 100)), "x 10:1 20:1007 30:4;");
	mem_store_clear(store);
	check_str("cleared", slice_cstr(dump(0, 100)), "");
}

static void names_and_values(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		char value[4];
		snprintf(value, sizeof(value), "%d", i % 3);
		mem_store_add(
		    store, labels_of(arena, "a", value, i % 2 ? "odd" : "even", "1", NULL), i, 1, NULL);
	}
	struct queryable *from = mem_store_queryable(store);
	struct querier *q;
	struct err err;
	struct slice *v;
	size_t n;
	bool truncated;
	check_ok("open", from->open(from, 0, 100, &q, &err), &err);
	check_ok("names", q->ops->label_names(q, arena, NULL, 0, 0, &v, &n, &truncated, &err), &err);
	check_int("names", n, 3);
	check_str("second", v[1], "even");
	check_ok("names", q->ops->label_names(q, arena, NULL, 0, 2, &v, &n, &truncated, &err), &err);
	check_int("limited", n, 2);
	assert_true(truncated);
	const struct matcher *m;
	check_ok("matcher", matcher_new(arena, MATCH_EQUAL, SL("odd"), SL("1"), &m, &err), &err);
	check_ok("values", q->ops->label_values(q, arena, SL("a"), &m, 1, 0, &v, &n, &truncated, &err), &err);
	check_int("values", n, 2);
	check_str("first", v[0], "0");
	check_str("second", v[1], "1");
	assert_false(truncated);
	q->ops->close(q);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN("mem_store", CASE(samples_are_judged), CASE(a_rollback_leaves_nothing_but_series),
    CASE(keys_are_remembered), CASE(one_sample_at_a_time), CASE(histograms_share_the_time_column),
    CASE(names_and_values))
