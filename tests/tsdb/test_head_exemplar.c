/* Exemplars through the store: the door, the log, what is left of them when it is cut. */
#include "base/clock.h"
#include "base/counters.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/tsdb_priv.h"
#include "tsdb/wal_commit.h"
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)

static const struct labels *series_of(struct arena *arena, int i)
{
	return labels_of(arena, "__name__", "m", "i", arena_printf(arena, "%03d", i).ptr, NULL);
}

static enum exemplar_result add(struct tsdb *db, struct arena *arena, int series, struct exemplar e)
{
	struct appendable *door = tsdb_appendable(db);
	struct appender *a;
	struct err err;
	check_ok("begin", door->begin(door, &a, &err), &err);
	struct exemplar_sample s = {.exemplar = e};
	struct sample sample = {.t_ms = e.t_ms, .v = 1};
	uint8_t result = EXEMPLAR_RESULTS;
	check_ok("series", a->ops->add_series(a, NULL, series_of(arena, series), &s.ref, &err), &err);
	sample.ref = s.ref;
	check_ok("append", a->ops->append(a, &sample, 1, NULL, &err), &err);
	a->ops->append_exemplars(a, &s, 1, &result);
	check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
	return result;
}

/* "i:t=v{labels} " of all. */
static char *dump(struct tsdb *db)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct exemplar_queryable *q = tsdb_exemplars(db);
	const struct matcher_list all = {NULL, 0};
	const struct exemplar_series *s;
	struct strbuf out = STRBUF_INIT;
	size_t n;
	struct err err;
	check_ok("select", q->select(q, arena, &all, 1, INT64_MIN, INT64_MAX, &s, &n, &err), &err);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < s[i].n; k++) {
			strbuf_addf(&out, "%" SL_FMT ":%lld%s=%g", SL_ARG(labels_get(s[i].labels, SL("i"))),
			    (long long)(s[i].v[k].t_ms - START_MS), s[i].v[k].has_time ? "!" : "",
			    s[i].v[k].v);
			labels_print(&out, s[i].v[k].labels);
			strbuf_addch(&out, ' ');
		}
	arena_free(arena);
	char *text = strdup(strbuf_cstr(&out));
	strbuf_done(&out);
	return text;
}

static void check_dump(const char *name, struct tsdb *db, const char *want)
{
	char *got = dump(db);
	check_str(name, slice_cstr(got), want);
	free(got);
}

static void taken_refused_and_replayed(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb_options o = {.out_of_order_ms = 50};
	struct tsdb *db = probe_open(dir, clock, &o);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	char text[129];
	memset(text, 'x', sizeof(text));
	const struct labels *a = labels_of(arena, "id", "a", NULL), *b = labels_of(arena, "id", "b", NULL);
	struct label big = {SL("id"), slice_of(text, 127)};
	const struct labels *too_big = labels_from_sorted(arena, &big, 1);
	static const char all[] = "001:60!=2{id=\"b\"} 001:100!=1{id=\"a\"} 002:5=1{} ";
	uint64_t late = counter_get(M_TSDB_EXEMPLARS_OUT_OF_ORDER);
	check_int("taken", add(db, arena, 1, (struct exemplar){START_MS + 100, 1, true, a}), EXEMPLAR_TAKEN);
	check_int(
	    "repeated", add(db, arena, 1, (struct exemplar){START_MS + 100, 1, true, a}), EXEMPLAR_REPEATED);
	check_int("late", add(db, arena, 1, (struct exemplar){START_MS + 60, 2, true, b}), EXEMPLAR_TAKEN);
	check_int("too late", add(db, arena, 1, (struct exemplar){START_MS + 50, 2, true, b}),
	    EXEMPLAR_OUT_OF_ORDER);
	check_int("counted", counter_get(M_TSDB_EXEMPLARS_OUT_OF_ORDER) - late, 1);
	check_int("long", add(db, arena, 1, (struct exemplar){START_MS + 200, 2, true, too_big}),
	    EXEMPLAR_TOO_LONG);
	check_int("another series",
	    add(db, arena, 2, (struct exemplar){START_MS + 5, 1, false, &labels_empty}), EXEMPLAR_TAKEN);
	check_int("once more", add(db, arena, 2, (struct exemplar){START_MS + 20, 1, false, &labels_empty}),
	    EXEMPLAR_REPEATED);
	check_dump("all", db, all);
	check_double("gauge", gauge_get(M_TSDB_EXEMPLARS), 3);
	check_double("series", gauge_get(M_TSDB_EXEMPLAR_SERIES), 2);
	for (int i = 0; i < 2; i++) {
		tsdb_close(db);
		db = probe_open(dir, clock, &o);
		check_dump("after a start", db, all);
	}
	tsdb_set_max_exemplars(db, 2);
	check_dump("the newest two", db, "001:60!=2{id=\"b\"} 002:5=1{} ");
	tsdb_set_max_exemplars(db, 0);
	check_int("off", add(db, arena, 1, (struct exemplar){START_MS + 300, 1, true, a}), EXEMPLAR_OFF);
	check_dump("none", db, "");
	arena_free(arena);
	tsdb_close(db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

/* The log is cut again and again; what the ring has is found at each start. */
static void they_outlive_the_log(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb_options o = {.wal_segment_bytes = 4096, .seal_interval_ms = 60000, .max_exemplars = 100};
	struct tsdb *db = probe_open(dir, clock, &o);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct wal_stats before, after;
	struct err err;
	for (int i = 0; i < 400; i++) {
		int64_t now_ms = START_MS + i * 1000;
		const char *id = arena_printf(arena, "%d", i).ptr;
		clock_virtual_set(clock, now_ms);
		check_int("taken",
		    add(db, arena, i % 50,
			(struct exemplar){now_ms, i, true, labels_of(arena, "id", id, NULL)}),
		    EXEMPLAR_TAKEN);
		if (i % 80 != 79)
			continue;
		char *want = dump(db);
		wal_stats(db->wal, &before);
		check_ok("seal", tsdb_seal_all(db, &err), &err);
		wal_stats(db->wal, &after);
		check_true("was cut", after.bytes < before.bytes + 12000);
		tsdb_close(db);
		db = probe_open(dir, clock, &o);
		check_dump("after a start", db, want);
		free(want);
	}
	arena_free(arena);
	tsdb_close(db);
	clock_virtual_free(clock);
	test_tmpdir_done(dir);
}

TEST_MAIN(
    "head exemplars", cmocka_unit_test(taken_refused_and_replayed), cmocka_unit_test(they_outlive_the_log))
