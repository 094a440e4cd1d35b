/* Late samples through the store: which are taken, that they are seen at once, sealed apart, and there after a restart. */
#include "base/clock.h"
#include "model/histogram.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/tsdb_priv.h"
#include <stdlib.h>

#define START_MS  INT64_C(1700000000000)
#define MINUTE_MS INT64_C(60000)

struct fixture {
	char *dir;
	struct clock *clock;
	struct arena *arena;
	struct tsdb *db;
	struct tsdb_options options;
	const struct labels *a, *b;
};

static struct fixture fixture_new(const struct tsdb_options *o)
{
	struct fixture f = {
	    .dir = test_tmpdir(), .clock = clock_virtual_new(START_MS), .arena = arena_new(ARENA_NO_LIMIT)};
	f.options = *o;
	f.db = probe_open(f.dir, f.clock, o);
	f.a = labels_of(f.arena, "__name__", "a", NULL);
	f.b = labels_of(f.arena, "__name__", "b", NULL);
	return f;
}

static void fixture_done(struct fixture *f)
{
	tsdb_close(f->db);
	clock_virtual_free(f->clock);
	arena_free(f->arena);
	test_tmpdir_done(f->dir);
}

static void reopen(struct fixture *f)
{
	struct err err;
	check_ok("sync", tsdb_sync(f->db, &err), &err);
	tsdb_close(f->db);
	f->db = probe_open(f->dir, f->clock, &f->options);
}

static void seal(struct fixture *f)
{
	struct err err;
	check_ok("seal", tsdb_seal_all(f->db, &err), &err);
}

static void check_dump(const char *name, struct fixture *f, const char *want)
{
	char *got = probe_dump(tsdb_queryable(f->db), NULL, 0, INT64_MIN, INT64_MAX);
	check_str(name, slice_cstr(got), want);
	free(got);
}

struct late_case {
	const char *name;
	int64_t t_ms;
	double v;
	enum append_result want;
};

static void check_cases(struct fixture *f, const struct late_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_int(cases[i].name, probe_add(f->db, f->a, cases[i].t_ms, cases[i].v), cases[i].want);
}

static void what_is_taken(void **state)
{
	(void)state;
	struct fixture f =
	    fixture_new(&(struct tsdb_options){.out_of_order_ms = 10 * MINUTE_MS, .retention_ms = 3600000});
	const struct late_case cases[] = {
	    {"first", START_MS - 3000, 1, APPEND_OK},
	    {"newest", START_MS, 2, APPEND_OK},
	    {"between", START_MS - 1000, 3, APPEND_OK},
	    {"between, again", START_MS - 1000, 3, APPEND_REPEATED},
	    {"between, another value", START_MS - 1000, 4, APPEND_DUPLICATE},
	    {"before the first", START_MS - 5000, 5, APPEND_OK},
	    {"the first again", START_MS - 3000, 1, APPEND_REPEATED},
	    {"the first, another value", START_MS - 3000, 9, APPEND_DUPLICATE},
	    {"end of the window", START_MS - 10 * MINUTE_MS, 6, APPEND_OK},
	    {"past the window", START_MS - 10 * MINUTE_MS - 1, 7, APPEND_TOO_OLD},
	    {"past retention", START_MS - 3600001, 7, APPEND_EXPIRED},
	    {"in order still", START_MS + 1000, 8, APPEND_OK},
	};
	check_cases(&f, cases, ARRAY_LEN(cases));
	const char *want = "{__name__=\"a\"} 1699999400000=4018000000000000 1699999995000=4014000000000000 "
			   "1699999997000=3ff0000000000000 1699999999000=4008000000000000 "
			   "1700000000000=4000000000000000 1700000001000=4020000000000000\n";
	check_dump("at once", &f, want);
	reopen(&f);
	check_dump("from the log", &f, want);
	check_cases(
	    &f, (const struct late_case[]){{"known from the log", START_MS - 1000, 3, APPEND_REPEATED}}, 1);
	seal(&f);
	check_dump("from the parts", &f, want);
	struct tsdb_status status;
	tsdb_status(f.db, &status);
	check_int("late ones have a part of their own", status.parts, 2);
	check_int("each once", status.part_samples, 6);
	check_int("no memory is theirs any more", f.db->head.late_bytes, 0);
	reopen(&f);
	check_dump("from the parts, later", &f, want);
	fixture_done(&f);
}

/* The window counts from the newest sample of the store, as upstream does, not from the newest of the series. */
static void window_of_the_store(void **state)
{
	(void)state;
	struct fixture f = fixture_new(&(struct tsdb_options){.out_of_order_ms = MINUTE_MS});
	const struct late_case cases[] = {
	    {"first", START_MS - 10 * MINUTE_MS, 1, APPEND_OK},
	    {"not older than another series' newest less the window", START_MS - 11 * MINUTE_MS, 1,
		APPEND_TOO_OLD},
	    {"newer than its own newest", START_MS - 9 * MINUTE_MS, 1, APPEND_OK},
	};
	check_int("another series", probe_add(f.db, f.b, START_MS, 1), APPEND_OK);
	check_cases(&f, cases, ARRAY_LEN(cases));
	fixture_done(&f);
}

static void switched_off_and_on(void **state)
{
	(void)state;
	struct fixture f = fixture_new(&(struct tsdb_options){.out_of_order_ms = -1});
	check_cases(&f,
	    (const struct late_case[]){
		{"newest", START_MS, 1, APPEND_OK}, {"late", START_MS - 1, 2, APPEND_OUT_OF_ORDER}},
	    2);
	tsdb_set_out_of_order(f.db, MINUTE_MS);
	check_cases(&f,
	    (const struct late_case[]){{"now taken", START_MS - 1, 2, APPEND_OK},
		{"too old", START_MS - 2 * MINUTE_MS, 2, APPEND_TOO_OLD}},
	    2);
	tsdb_set_out_of_order(f.db, 0);
	check_cases(&f,
	    (const struct late_case[]){{"known all the same", START_MS - 1, 2, APPEND_REPEATED},
		{"refused", START_MS - 2, 2, APPEND_OUT_OF_ORDER}},
	    2);
	fixture_done(&f);
}

/* Batches of many series in any order: what waits in one transaction is judged like what came before. */
static void a_batch_in_disorder(void **state)
{
	(void)state;
	struct fixture f = fixture_new(&(struct tsdb_options){.out_of_order_ms = 10 * MINUTE_MS});
	struct appender *a;
	struct err err;
	series_ref ref;
	struct append_stats stats;
	struct appendable *door = tsdb_appendable(f.db);
	check_ok("begin", door->begin(door, &a, &err), &err);
	check_ok("series", a->ops->add_series(a, NULL, f.a, &ref, &err), &err);
	const struct sample s[] = {{.ref = ref, .t_ms = START_MS, .v = 4},
	    {.ref = ref, .t_ms = START_MS - 3, .v = 1}, {.ref = ref, .t_ms = START_MS - 1, .v = 3},
	    {.ref = ref, .t_ms = START_MS - 2, .v = 2}, {.ref = ref, .t_ms = START_MS - 2, .v = 2},
	    {.ref = ref, .t_ms = START_MS - 3, .v = 7}};
	check_ok("append", a->ops->append(a, s, ARRAY_LEN(s), NULL, &err), &err);
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	check_int("taken", stats.by_result[APPEND_OK], 4);
	check_int("repeated", stats.by_result[APPEND_REPEATED], 1);
	check_int("duplicate", stats.by_result[APPEND_DUPLICATE], 1);
	check_int("which", stats.first_refused, 5);
	check_dump("in order", &f,
	    "{__name__=\"a\"} 1699999999997=3ff0000000000000 1699999999998=4000000000000000 "
	    "1699999999999=4008000000000000 1700000000000=4010000000000000\n");
	fixture_done(&f);
}

static void writers_that_want_order(void **state)
{
	(void)state;
	struct fixture f = fixture_new(&(struct tsdb_options){.out_of_order_ms = 10 * MINUTE_MS});
	struct appendable *door = tsdb_appendable(f.db);
	struct appender *a;
	struct err err;
	series_ref ref;
	struct append_stats stats;
	uint8_t result;
	check_int("newest", probe_add(f.db, f.a, START_MS, 1), APPEND_OK);
	check_ok("begin", door->begin(door, &a, &err), &err);
	a->in_order_only = true;
	check_ok("series", a->ops->add_series(a, NULL, f.a, &ref, &err), &err);
	const struct sample s = {.ref = ref, .t_ms = START_MS - 1, .v = 1};
	check_ok("append", a->ops->append(a, &s, 1, &result, &err), &err);
	check_int("refused", result, APPEND_OUT_OF_ORDER);
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	check_int("counted", stats.by_result[APPEND_OUT_OF_ORDER], 1);
	check_int("the next one may", probe_add(f.db, f.a, START_MS - 1, 1), APPEND_OK);
	fixture_done(&f);
}

static void memory_is_bounded(void **state)
{
	(void)state;
	struct fixture f = fixture_new(
	    &(struct tsdb_options){.out_of_order_ms = 10 * MINUTE_MS, .out_of_order_bytes = 4096});
	int64_t t = START_MS;
	enum append_result r;
	check_int("newest", probe_add(f.db, f.a, t, 1), APPEND_OK);
	while ((r = probe_add(f.db, f.a, --t, 1)) == APPEND_OK)
		check_true("in the end it is full", t > START_MS - 1000);
	check_int("full", r, APPEND_NO_ROOM);
	check_int("order is not touched", probe_add(f.db, f.a, START_MS + 1, 1), APPEND_OK);
	reopen(&f);
	check_true("a restart keeps all", f.db->head.late_bytes > 2000);
	struct err err;
	check_ok("maintain", tsdb_maintain(f.db, START_MS, &err), &err);
	check_int("sealed early", f.db->head.late_bytes, 0);
	check_int("and there is room", probe_add(f.db, f.a, t, 1), APPEND_OK);
	fixture_done(&f);
}

static struct histogram histogram_with(double count)
{
	return (struct histogram){
	    .count = count, .sum = 1, .schema = 3, .zero_count = count, .hint = HINT_NOT_RESET};
}

static void histograms(void **state)
{
	(void)state;
	struct fixture f = fixture_new(&(struct tsdb_options){.out_of_order_ms = 10 * MINUTE_MS});
	struct histogram one = histogram_with(1), two = histogram_with(2);
	const struct {
		const char *name;
		int64_t t_ms;
		const struct histogram *h;
		enum append_result want;
	} cases[] = {
	    {"newest", START_MS, &two, APPEND_OK},
	    {"late", START_MS - 5, &one, APPEND_OK},
	    {"again", START_MS - 5, &one, APPEND_REPEATED},
	    {"another", START_MS - 5, &two, APPEND_DUPLICATE},
	    {"newest again", START_MS, &two, APPEND_REPEATED},
	    {"too old", START_MS - 11 * MINUTE_MS, &one, APPEND_TOO_OLD},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_int(
		    cases[i].name, probe_add_histogram(f.db, f.a, cases[i].t_ms, cases[i].h), cases[i].want);
	check_int("a float among them", probe_add(f.db, f.a, START_MS - 3, 1), APPEND_OK);
	check_int("a float at the time of one", probe_add(f.db, f.a, START_MS - 5, 1), APPEND_DUPLICATE);
	check_int("one at the time of a float", probe_add_histogram(f.db, f.a, START_MS - 3, &one),
	    APPEND_DUPLICATE);
	char *before = probe_dump(tsdb_queryable(f.db), NULL, 0, INT64_MIN, INT64_MAX);
	check_true("three samples", strstr(before, "1699999999995={") && strstr(before, "1699999999997=3ff"));
	reopen(&f);
	check_dump("from the log", &f, before);
	seal(&f);
	check_dump("from the parts", &f, before);
	free(before);
	fixture_done(&f);
}

/* Whether a histogram continues the one before it, a late one may change. */
static void no_hint_is_wrong_later(void **state)
{
	(void)state;
	struct fixture f = fixture_new(&(struct tsdb_options){.out_of_order_ms = 10 * MINUTE_MS});
	struct histogram one = histogram_with(1), two = histogram_with(2), nine = histogram_with(9);
	check_int("first", probe_add_histogram(f.db, f.a, START_MS, &one), APPEND_OK);
	check_int("goes on", probe_add_histogram(f.db, f.a, START_MS + 10, &two), APPEND_OK);
	check_int("late", probe_add_histogram(f.db, f.a, START_MS + 5, &nine), APPEND_OK);
	for (int round = 0; round < 2; round++) {
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct queryable *door = tsdb_queryable(f.db);
		struct querier *q;
		struct series_set *set;
		struct sample_column c;
		struct err err;
		sample_column_init(&c, arena);
		check_ok("open", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
		check_ok("select", q->ops->select(q, arena, NULL, 0, true, NULL, &set, &err), &err);
		check_ok("read", set->ops->read(set, 0, &c, &err), &err);
		check_int("all three", c.n, 3);
		check_true("the last began anew", c.h && histogram_detect_reset(c.h[2], c.h[1]));
		sample_column_done(&c);
		q->ops->close(q);
		arena_free(arena);
		seal(&f);
	}
	fixture_done(&f);
}

/* A series that ends may get late samples: they count as a sign of life. */
static void a_dying_series_lives_on(void **state)
{
	(void)state;
	struct fixture f = fixture_new(&(struct tsdb_options){
	    .out_of_order_ms = 200 * MINUTE_MS, .seal_interval_ms = 10 * MINUTE_MS, .future_limit_ms = -1});
	struct err err;
	int64_t now_ms = START_MS;
	check_int("a", probe_add(f.db, f.a, START_MS, 1), APPEND_OK);
	for (int i = 0; i < 6; i++) {
		now_ms += 11 * MINUTE_MS;
		clock_virtual_set(f.clock, now_ms);
		check_int("b", probe_add(f.db, f.b, now_ms, 1), APPEND_OK);
		check_int("a, late", probe_add(f.db, f.a, START_MS - 1 - i, 1), APPEND_OK);
		check_ok("maintain", tsdb_maintain(f.db, now_ms, &err), &err);
		check_true("still there", head_find_labels(&f.db->head, f.a) != 0);
	}
	fixture_done(&f);
}

TEST_MAIN("late samples", cmocka_unit_test(what_is_taken), cmocka_unit_test(window_of_the_store),
    cmocka_unit_test(switched_off_and_on), cmocka_unit_test(a_batch_in_disorder),
    cmocka_unit_test(writers_that_want_order), cmocka_unit_test(memory_is_bounded),
    cmocka_unit_test(histograms), cmocka_unit_test(no_hint_is_wrong_later),
    cmocka_unit_test(a_dying_series_lives_on))
