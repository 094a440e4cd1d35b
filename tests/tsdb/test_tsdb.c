#include "base/scheduler.h"
#include "base/counters.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/head_seal.h"
#include "tsdb/series_snapshot.h"
#include "tsdb/tsdb_priv.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
enum { MINUTE_MS = 60000, INTERVAL_MS = 32 * MINUTE_MS };

struct fixture {
	struct arena *arena;
	struct clock *clock;
	char *dir;
	struct tsdb *db;
	const struct labels *a, *b;
};

static struct fixture fixture_new(const struct tsdb_options *o)
{
	struct fixture f = {
	    .arena = arena_new(ARENA_NO_LIMIT), .clock = clock_virtual_new(START_MS), .dir = test_tmpdir()};
	f.db = probe_open(f.dir, f.clock, o);
	f.a = labels_of(f.arena, "__name__", "a", "job", "x", NULL);
	f.b = labels_of(f.arena, "__name__", "b", "job", "y", NULL);
	return f;
}

static void fixture_done(struct fixture *f)
{
	tsdb_close(f->db);
	arena_free(f->arena);
	clock_virtual_free(f->clock);
	test_tmpdir_done(f->dir);
}

static void reopen(struct fixture *f, const struct tsdb_options *o)
{
	tsdb_close(f->db);
	f->db = probe_open(f->dir, f->clock, o);
}

static void check_dump(
    const char *name, struct fixture *f, int64_t min_t_ms, int64_t max_t_ms, const char *want)
{
	char *got = probe_dump(tsdb_queryable(f->db), NULL, 0, min_t_ms, max_t_ms);
	check_str(name, slice_cstr(got), want);
	free(got);
}

static void order_and_bounds(void **state)
{
	(void)state;
	struct tsdb_options o = {.retention_ms = 3600000, .out_of_order_ms = -1};
	struct fixture f = fixture_new(&o);
	double nan_payload = double_from_bits(UINT64_C(0x7ff8000000001234));
	const struct {
		const char *name;
		int64_t t_ms;
		double v;
		enum append_result want;
	} cases[] = {
	    {"first", START_MS, 1, APPEND_OK},
	    {"the same", START_MS, 1, APPEND_REPEATED},
	    {"another value", START_MS, 2, APPEND_DUPLICATE},
	    {"minus zero", START_MS + 1, -0.0, APPEND_OK},
	    {"zero is not minus zero", START_MS + 1, 0.0, APPEND_DUPLICATE},
	    {"late", START_MS - 1, 7, APPEND_OUT_OF_ORDER},
	    {"late, but known", START_MS, 1, APPEND_REPEATED},
	    {"stale", START_MS + 2, double_from_bits(STALE_NAN_BITS), APPEND_OK},
	    {"stale again", START_MS + 2, double_from_bits(STALE_NAN_BITS), APPEND_REPEATED},
	    {"a nan", START_MS + 3, nan_payload, APPEND_OK},
	    {"the same nan", START_MS + 3, nan_payload, APPEND_REPEATED},
	    {"another nan", START_MS + 3, double_from_bits(NORMAL_NAN_BITS), APPEND_DUPLICATE},
	    {"ten minutes ahead", START_MS + 10 * MINUTE_MS, 4, APPEND_OK},
	    {"further ahead", START_MS + 10 * MINUTE_MS + 1, 4, APPEND_TOO_FAR},
	    {"the end of time", INT64_MAX, 4, APPEND_TOO_FAR},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_int(cases[i].name, probe_add(f.db, f.a, cases[i].t_ms, cases[i].v), cases[i].want);
	check_int("past retention", probe_add(f.db, f.b, START_MS - 3600001, 1), APPEND_EXPIRED);
	check_int("within retention", probe_add(f.db, f.b, START_MS - 3600000, 1), APPEND_OK);
	fixture_done(&f);
}

/* Values come back bit for bit, from the chunk, the log and the part; times may be anything when nothing bounds them. */
static void extremes_come_back(void **state)
{
	(void)state;
	struct tsdb_options o = {.future_limit_ms = -1};
	struct fixture f = fixture_new(&o);
	const int64_t t[] = {INT64_MIN + 1, -1, 0, 1, START_MS, INT64_MAX - 1};
	const uint64_t v[] = {0, UINT64_C(0x8000000000000000), STALE_NAN_BITS, UINT64_C(0x7ff4000000000001),
	    UINT64_C(0x7ff0000000000000), 1};
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		check_int("add", probe_add(f.db, f.a, t[i], double_from_bits(v[i])), APPEND_OK);
	const char *want =
	    "{__name__=\"a\", job=\"x\"} -9223372036854775807=0 -1=8000000000000000 0=7ff0000000000002 "
	    "1=7ff4000000000001 1700000000000=7ff0000000000000 9223372036854775806=1\n";
	struct err err;
	check_dump("from chunks", &f, INT64_MIN, INT64_MAX, want);
	reopen(&f, &o);
	check_dump("from the log", &f, INT64_MIN, INT64_MAX, want);
	check_ok("seal", tsdb_seal_all(f.db, &err), &err);
	check_dump("from the part", &f, INT64_MIN, INT64_MAX, want);
	reopen(&f, &o);
	check_dump("from the part, later", &f, INT64_MIN, INT64_MAX, want);
	check_dump("a stretch of it", &f, 0, START_MS - 1,
	    "{__name__=\"a\", job=\"x\"} 0=7ff0000000000002 1=7ff4000000000001\n");
	fixture_done(&f);
}

static uint64_t file_size(const char *dir, const char *name)
{
	struct strbuf path = STRBUF_INIT, content = STRBUF_INIT;
	strbuf_addf(&path, "%s/%s", dir, name);
	struct err err;
	check_ok(name, fs_read_file(fs_real(), strbuf_cstr(&path), &content, &err), &err);
	uint64_t n = content.len;
	strbuf_done(&path);
	strbuf_done(&content);
	return n;
}

/* A reader sees parts, snapshots and the log up to where it is torn, and leaves all as it is. */
static void reading_only(void **state)
{
	(void)state;
	struct fixture f = fixture_new(NULL);
	struct tsdb_options o = {.read_only = true, .path = f.dir};
	struct tsdb *other;
	struct err err;
	probe_add(f.db, f.a, START_MS, 1);
	check_ok("seal", tsdb_seal_all(f.db, &err), &err);
	probe_add(f.db, f.a, START_MS + 1, 2);
	check_int("in use", tsdb_open(&o, &other, &err), ERR_BUSY);
	tsdb_close(f.db);
	struct strbuf tail = STRBUF_INIT;
	strbuf_addf(&tail,
	    "printf 'torn tail of the log' >>$(ls %s/wal/*.wal | tail -1); mkdir %s/parts/orphan", f.dir,
	    f.dir);
	check_int("tear", system(strbuf_cstr(&tail)), 0);
	uint64_t manifest = file_size(f.dir, "manifest");
	for (int i = 0; i < 2; i++) {
		f.db = probe_open(f.dir, f.clock, &o);
		check_dump("all of it", &f, INT64_MIN, INT64_MAX,
		    "{__name__=\"a\", job=\"x\"} 1700000000000=3ff0000000000000 "
		    "1700000000001=4000000000000000\n");
		struct appender *a;
		check_int("no writes", tsdb_appendable(f.db)->begin(tsdb_appendable(f.db), &a, &err),
		    ERR_UNAVAILABLE);
		struct tsdb_status status;
		tsdb_status(f.db, &status);
		check_true("says so", status.read_only);
		tsdb_close(f.db);
		check_int("the manifest stays", file_size(f.dir, "manifest"), manifest);
	}
	strbuf_reset(&tail);
	strbuf_addf(&tail, "grep -q 'torn tail' %s/wal/*.wal && rmdir %s/parts/orphan", f.dir, f.dir);
	check_int("nothing was repaired", system(strbuf_cstr(&tail)), 0);
	strbuf_done(&tail);
	o.path = "/nonexistent/store";
	check_int("no store", tsdb_open(&o, &other, &err), ERR_NOT_FOUND);
	check_str("why", slice_cstr(err.msg), "/nonexistent/store holds no store: there is no manifest");
	f.db = probe_open(f.dir, f.clock, NULL);
	fixture_done(&f);
}

static void transactions(void **state)
{
	(void)state;
	struct fixture f = fixture_new(NULL);
	struct appendable *door = tsdb_appendable(f.db);
	struct appender *a;
	struct err err;
	struct append_stats stats;
	struct series_key key = {1, 2}, other = {3, 4};
	series_ref refs[2];
	uint8_t results[6];
	check_ok("begin", door->begin(door, &a, &err), &err);
	a->ops->find(a, &key, 1, refs);
	check_int("unknown", refs[0], 0);
	check_ok("series", a->ops->add_series(a, &key, f.a, &refs[0], &err), &err);
	check_ok("series", a->ops->add_series(a, &other, f.a, &refs[1], &err), &err);
	check_int("one series, two keys", refs[0], refs[1]);
	const struct sample s[] = {
	    {.ref = refs[0], .t_ms = START_MS, .v = 1},
	    {.ref = refs[0], .t_ms = START_MS + 1, .v = 2},
	    {.ref = refs[0], .t_ms = START_MS + 1, .v = 2},
	    {.ref = refs[0], .t_ms = START_MS + 1, .v = 3},
	    {.ref = refs[0], .t_ms = START_MS, .v = 9},
	    {.ref = 4711, .t_ms = START_MS, .v = 9},
	};
	check_ok("append", a->ops->append(a, s, ARRAY_LEN(s), results, &err), &err);
	const uint8_t want[] = {
	    APPEND_OK, APPEND_OK, APPEND_REPEATED, APPEND_DUPLICATE, APPEND_OK, APPEND_UNKNOWN_REF};
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		check_int("result", results[i], want[i]);
	check_dump("not yet", &f, INT64_MIN, INT64_MAX, "");
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	check_int("good", stats.by_result[APPEND_OK], 2);
	check_int("late, but of a known time", stats.by_result[APPEND_DUPLICATE], 2);
	check_int("refused first", stats.first_refused, 3);
	check_int("because", stats.first_reason, APPEND_DUPLICATE);
	check_ok("begin", door->begin(door, &a, &err), &err);
	a->ops->find(a, (struct series_key[]){key, other}, 2, refs);
	check_true("known", refs[0] != 0 && refs[0] == refs[1]);
	struct sample more = {.ref = refs[0], .t_ms = START_MS + 5, .v = 3};
	check_ok("append", a->ops->append(a, &more, 1, NULL, &err), &err);
	a->ops->rollback(a);
	check_dump("what was committed", &f, INT64_MIN, INT64_MAX,
	    "{__name__=\"a\", job=\"x\"} 1700000000000=3ff0000000000000 1700000000001=4000000000000000\n");
	fixture_done(&f);
}

static void bad_series_are_refused(void **state)
{
	(void)state;
	struct tsdb_options o = {.max_series = 2};
	struct fixture f = fixture_new(&o);
	struct appendable *door = tsdb_appendable(f.db);
	struct appender *a;
	struct err err;
	series_ref ref = 77;
	check_ok("begin", door->begin(door, &a, &err), &err);
	check_int("none", a->ops->add_series(a, NULL, &labels_empty, &ref, &err), ERR_INVALID);
	check_str("none", slice_cstr(err.msg), "empty labelset: invalid sample");
	struct label bad = {SL("x"), SL("\xff\xfe")};
	check_int("text", a->ops->add_series(a, NULL, labels_from_sorted(f.arena, &bad, 1), &ref, &err),
	    ERR_INVALID);
	check_str("text", slice_cstr(err.msg), "value of label \"x\" is not valid UTF-8");
	char *huge = xmalloc(1 << 20);
	memset(huge, 'h', 1 << 20);
	struct label large = {SL("x"), slice_of(huge, 1 << 20)};
	check_int("size", a->ops->add_series(a, NULL, labels_from_sorted(f.arena, &large, 1), &ref, &err),
	    ERR_INVALID);
	free(huge);
	check_int("untouched", ref, 77);
	check_ok("one", a->ops->add_series(a, NULL, f.a, &ref, &err), &err);
	check_ok("two", a->ops->add_series(a, NULL, f.b, &ref, &err), &err);
	const struct labels *c = labels_of(f.arena, "__name__", "c", NULL);
	check_int("three", a->ops->add_series(a, NULL, c, &ref, &err), ERR_LIMIT);
	check_str("three", slice_cstr(err.msg), "the limit of 2 series is reached");
	struct tsdb_status status;
	tsdb_status(f.db, &status);
	uint64_t symbols = status.head_symbols, refused = counter_get(M_TSDB_SERIES_REFUSED);
	for (int i = 0; i < 1000; i++) {
		c = labels_of(f.arena, "__name__", "c", "i", arena_printf(f.arena, "%d", i).ptr, NULL);
		check_int("more", a->ops->add_series(a, NULL, c, &ref, &err), ERR_LIMIT);
	}
	check_int("counted", counter_get(M_TSDB_SERIES_REFUSED) - refused, 1000);
	check_ok("one again", a->ops->add_series(a, NULL, f.a, &ref, &err), &err);
	a->ops->rollback(a);
	tsdb_status(f.db, &status);
	check_int("the limit is of memory", status.head_symbols, symbols);
	check_int("series", status.head_series, 2);
	fixture_done(&f);
}

static void a_querier_keeps_what_it_saw(void **state)
{
	(void)state;
	struct tsdb_options o = {.retention_ms = 3600000};
	struct fixture f = fixture_new(&o);
	struct queryable *door = tsdb_queryable(f.db);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	struct err err;
	probe_add(f.db, f.a, START_MS, 1);
	check_ok("open", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("select", q->ops->select(q, f.arena, NULL, 0, false, NULL, &set, &err), &err);
	check_int("series", set->n, 1);
	check_ok("seal", tsdb_seal_all(f.db, &err), &err);
	sample_column_init(&c, f.arena);
	check_ok("read", set->ops->read(set, 0, &c, &err), &err);
	check_int("after the seal", c.n, 1);
	clock_virtual_set(f.clock, START_MS + 7200000);
	probe_add(f.db, f.b, START_MS + 7200000, 1);
	check_ok("maintain", tsdb_maintain(f.db, START_MS + 7200000, &err), &err);
	struct tsdb_status status;
	tsdb_status(f.db, &status);
	check_int("past its time", status.parts, 1); /* that of b, sealed just now */
	check_ok("read", set->ops->read(set, 0, &c, &err), &err);
	check_int("after retention", c.n, 1);
	sample_column_done(&c);
	q->ops->close(q);
	check_dump("for a new one it is gone", &f, INT64_MIN, START_MS + 1, "");
	fixture_done(&f);
}

static void a_clock_that_jumps_deletes_nothing(void **state)
{
	(void)state;
	struct tsdb_options o = {.retention_ms = 3600000};
	struct fixture f = fixture_new(&o);
	struct err err;
	probe_add(f.db, f.a, START_MS, 1);
	check_ok("seal", tsdb_seal_all(f.db, &err), &err);
	clock_virtual_set(f.clock, START_MS + INT64_C(1000000000000));
	check_ok("maintain", tsdb_maintain(f.db, START_MS + INT64_C(1000000000000), &err), &err);
	check_dump("there", &f, INT64_MIN, INT64_MAX,
	    "{__name__=\"a\", job=\"x\"} 1700000000000=3ff0000000000000\n");
	check_ok("back", tsdb_maintain(f.db, 0, &err), &err);
	fixture_done(&f);
}

static void ended_series_leave_the_head_and_come_back(void **state)
{
	(void)state;
	struct fixture f = fixture_new(NULL);
	struct err err;
	struct tsdb_status status;
	probe_add(f.db, f.a, START_MS, 1);
	probe_add(f.db, f.b, START_MS, 1);
	int64_t now_ms = START_MS;
	for (int i = 1; i <= 6; i++) {
		now_ms = START_MS + i * (int64_t)INTERVAL_MS;
		clock_virtual_set(f.clock, now_ms);
		probe_add(f.db, f.b, now_ms, 2);
		check_ok("maintain", tsdb_maintain(f.db, now_ms, &err), &err);
	}
	tsdb_status(f.db, &status);
	check_int("one left", status.head_series, 1);
	check_dump("its samples are in parts", &f, START_MS, START_MS,
	    "{__name__=\"a\", job=\"x\"} 1700000000000=3ff0000000000000\n"
	    "{__name__=\"b\", job=\"y\"} 1700000000000=3ff0000000000000\n");
	check_int("back", probe_add(f.db, f.a, now_ms, 3), APPEND_OK);
	reopen(&f, NULL);
	tsdb_status(f.db, &status);
	check_int("both", status.head_series, 2);
	char *got = probe_dump(tsdb_queryable(f.db), NULL, 0, INT64_MIN, INT64_MAX);
	check_true("one series of old and new",
	    strstr(got, "{__name__=\"a\", job=\"x\"} 1700000000000=3ff0000000000000 "
			"1700011520000=4008000000000000\n"));
	free(got);
	fixture_done(&f);
}

/* A sample that comes between the freezing of its stripe and the dropping of what ended there keeps its series, also over
 * a restart from the snapshot that left it out. */
static void a_dying_series_comes_back_with_a_sample(void **state)
{
	(void)state;
	struct fixture f = fixture_new(NULL);
	struct err err;
	probe_add(f.db, f.a, START_MS, 1);
	probe_add(f.db, f.b, START_MS, 1);
	series_ref ref = head_find_labels(&f.db->head, f.a);
	check_ok("seal", tsdb_seal_all(f.db, &err), &err);
	struct stripe_seal seal;
	for (int i = 0; i < 2; i++) {
		head_freeze(&f.db->head, 0, START_MS + 1, &seal);
		if (i == 0)
			stripe_seal_done(&seal);
	}
	struct appendable *door = tsdb_appendable(f.db);
	struct appender *a;
	check_ok("begin", door->begin(door, &a, &err), &err);
	struct sample s = {.ref = ref, .t_ms = START_MS + 5, .v = 2};
	uint8_t result;
	check_ok("append", a->ops->append(a, &s, 1, &result, &err), &err);
	check_int("welcome", result, APPEND_OK);
	check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
	check_ok(
	    "snapshot", series_snapshot_write(&f.db->head, &seal, f.db->dir.fs, f.db->dir.head, &err), &err);
	head_drop_dying(&f.db->head, &seal, 0);
	stripe_seal_done(&seal);
	check_int("kept", head_find_labels(&f.db->head, f.a), ref);
	check_int("the other went", head_find_labels(&f.db->head, f.b), 0);
	const char *want =
	    "{__name__=\"a\", job=\"x\"} 1700000000000=3ff0000000000000 1700000000005=4000000000000000\n"
	    "{__name__=\"b\", job=\"y\"} 1700000000000=3ff0000000000000\n";
	check_dump("now", &f, INT64_MIN, INT64_MAX, want);
	reopen(&f, NULL);
	check_dump("after a restart", &f, INT64_MIN, INT64_MAX, want);
	check_int("the same ref", head_find_labels(&f.db->head, f.a), ref);
	fixture_done(&f);
}

static void the_log_is_cut_behind_what_is_sealed(void **state)
{
	(void)state;
	struct tsdb_options o = {.wal_segment_bytes = 4096, .out_of_order_ms = -1};
	struct fixture f = fixture_new(&o);
	struct err err;
	struct tsdb_status before, after;
	struct metadata help = {METRIC_GAUGE, SL("what a is"), SL_EMPTY};
	struct appendable *door = tsdb_appendable(f.db);
	struct appender *a;
	check_ok("begin", door->begin(door, &a, &err), &err);
	a->ops->set_metadata(a, SL("a"), &help);
	check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
	for (int i = 0; i < 600; i++)
		probe_add(f.db, i % 2 ? f.a : f.b, START_MS + i, i * 1.1);
	check_ok("sync", tsdb_sync(f.db, &err), &err);
	tsdb_status(f.db, &before);
	check_true("many segments", before.wal_segments > 3);
	check_ok("seal", tsdb_seal_all(f.db, &err), &err);
	tsdb_status(f.db, &after);
	check_true("few are left", after.wal_segments <= 2);
	check_int("nothing waits", after.head_min_t_ms, INT64_MAX);
	reopen(&f, &o);
	check_int(
	    "the newest sample is known", probe_add(f.db, f.a, START_MS + 599, 599 * 1.1), APPEND_REPEATED);
	check_int("and judges", probe_add(f.db, f.a, START_MS + 598, 1), APPEND_OUT_OF_ORDER);
	struct metadata_of *all;
	check_int("metadata", metadata_store_list(&f.db->head.metadata, SL_EMPTY, f.arena, &all), 1);
	check_slice("help", all[0].m.help, help.help);
	fixture_done(&f);
}

static void status_and_cardinality(void **state)
{
	(void)state;
	struct fixture f = fixture_new(NULL);
	const struct labels *a2 = labels_of(f.arena, "__name__", "a", "job", "yy", NULL);
	probe_add(f.db, f.a, START_MS, 1);
	probe_add(f.db, f.b, START_MS + 5, 1);
	probe_add(f.db, a2, START_MS + 3, 1);
	struct tsdb_status s;
	tsdb_status(f.db, &s);
	check_int("series", s.head_series, 3);
	check_int("pairs", s.head_label_pairs, 6);
	check_int("symbols", s.head_symbols, 7);
	check_int("from", s.head_min_t_ms, START_MS);
	check_int("to", s.head_max_t_ms, START_MS + 5);
	check_true("well", !s.read_only && !s.disk_full);
	struct tsdb_cardinality c;
	tsdb_cardinality(f.db, 2, f.arena, &c);
	check_int("metrics", c.n_series_by_metric, 2);
	check_str("metric", c.series_by_metric[0].name, "a");
	check_int("metric", c.series_by_metric[0].count, 2);
	check_str("label", c.values_by_label[0].name, "job");
	check_int("label", c.values_by_label[0].count, 3);
	check_str("bytes", c.bytes_by_label[0].name, "job");
	check_int("bytes", c.bytes_by_label[0].count, 4);
	check_str("pair", c.series_by_pair[0].name, "__name__=a");
	char *names = probe_names(tsdb_queryable(f.db), NULL, NULL, 0);
	check_str("names", slice_cstr(names), "__name__,job");
	free(names);
	names = probe_names(tsdb_queryable(f.db), "job", NULL, 0);
	check_str("values", slice_cstr(names), "x,y,yy");
	free(names);
	fixture_done(&f);
}

/* --- directories ------------------------------------------------------------------------------------------------- */

static void check_refused(
    const char *name, const char *dir, struct fs *fs, int code, const char *part_of_message)
{
	struct err err;
	struct tsdb *db;
	struct tsdb_options o = {.path = dir, .fs = fs};
	check_int(name, tsdb_open(&o, &db, &err), code);
	if (!strstr(err.msg, part_of_message) || strchr(err.msg, '\n'))
		fail_msg("%s: %s", name, err.msg);
}

static int refuse_writing(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)arg, (void)path, (void)n;
	return call == FS_CALL_LOCK || call == FS_CALL_MKDIR || call == FS_CALL_OPEN ? EACCES : 0;
}

static void foreign_directories_are_left_alone(void **state)
{
	(void)state;
	struct fixture f = fixture_new(NULL);
	check_refused("locked", f.dir, NULL, ERR_BUSY, "is locked by another process");
	struct fs *fs = fs_faulty_new(refuse_writing, NULL);
	check_refused("not writable", f.dir, fs, ERR_IO, "ermission denied");
	fs_faulty_free(fs);
	static const char *const signs[] = {
	    "chunks_head", "01BKGV7JC0RY8A6MACW02A2PJD", "wal/00000003", "wal/checkpoint.00000002"};
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		struct err err;
		char *dir = xasprintf("%s/prometheus%zu", f.dir, i);
		char *sign = xasprintf("%s/%s", dir, signs[i]), *lock = xasprintf("%s/lock", dir);
		check_ok("mkdir", fs_mkdir(fs_real(), sign, &err), &err);
		check_refused(signs[i], dir, NULL, ERR_EXISTS, "belongs to a Prometheus");
		check_true("untouched", !fs_exists(fs_real(), lock));
		free(lock);
		free(sign);
		free(dir);
	}
	fixture_done(&f);
}

/* --- a disk that says no ------------------------------------------------------------------------------------------- */

struct disk {
	_Atomic int fail_syncs; /* so many of the log fail */
	_Atomic int syncs;
};

static int failing_syncs(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)n;
	struct disk *d = arg;
	if (call == FS_CALL_SYNC_DIR)
		return FS_PRETEND;
	if (call != FS_CALL_SYNC)
		return 0;
	if (!strstr(path, "/wal/"))
		return FS_PRETEND;
	d->syncs++;
	if (d->fail_syncs > 0) {
		d->fail_syncs--;
		return EIO;
	}
	return FS_PRETEND;
}

static void a_failed_sync_is_survived(void **state)
{
	(void)state;
	struct disk disk = {0};
	struct fs *fs = fs_faulty_new(failing_syncs, &disk);
	struct tsdb_options o = {.fs = fs};
	struct fixture f = fixture_new(&o);
	struct err err;
	check_ok("settle", tsdb_sync(f.db, &err), &err);
	disk.fail_syncs = 1;
	probe_add(f.db, f.a, START_MS, 1);
	check_ok("written again to a new segment", tsdb_sync(f.db, &err), &err);
	struct tsdb_status s;
	tsdb_status(f.db, &s);
	check_int("segments", s.wal_segments, 2);
	disk.fail_syncs = 1000;
	probe_add(f.db, f.a, START_MS + 1, 2);
	check_true("told", tsdb_sync(f.db, &err) != 0);
	tsdb_status(f.db, &s);
	check_true("read only", s.read_only);
	struct appender *a;
	check_int(
	    "no writes", tsdb_appendable(f.db)->begin(tsdb_appendable(f.db), &a, &err), ERR_UNAVAILABLE);
	disk.fail_syncs = 0;
	check_ok("the disk is well again", tsdb_sync(f.db, &err), &err);
	check_int("writes", probe_add(f.db, f.a, START_MS + 2, 3), APPEND_OK);
	reopen(&f, &o);
	check_dump("all three", &f, INT64_MIN, INT64_MAX,
	    "{__name__=\"a\", job=\"x\"} 1700000000000=3ff0000000000000 1700000000001=4000000000000000 "
	    "1700000000002=4008000000000000\n");
	int notes = 0;
	VEC_EACH (char *, note, &f.db->notes)
		notes += strstr(*note, "lost") != NULL;
	check_int("nothing is reported lost", notes, 0);
	fixture_done(&f);
	fs_faulty_free(fs);
}

/* --- the timer --------------------------------------------------------------------------------------------------- */

static void the_scheduler_seals_in_time(void **state)
{
	(void)state;
	struct clock *clock = clock_virtual_new(START_MS);
	struct scheduler *scheduler = scheduler_new(clock, NULL);
	char *dir = test_tmpdir();
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *a = labels_of(arena, "__name__", "a", NULL);
	struct tsdb_options o = {.scheduler = scheduler};
	struct tsdb *db = probe_open(dir, clock, &o);
	struct tsdb_status s;
	probe_add(db, a, START_MS, 1);
	scheduler_run_until(scheduler, START_MS + INTERVAL_MS - 10000);
	tsdb_status(db, &s);
	check_int("not yet", s.parts, 0);
	scheduler_run_until(scheduler, START_MS + INTERVAL_MS + 10000);
	tsdb_status(db, &s);
	check_int("sealed", s.parts, 1);
	tsdb_close(db);
	check_int("no timer is left", scheduler_next_ms(scheduler), INT64_MAX);
	scheduler_free(scheduler);
	clock_virtual_free(clock);
	arena_free(arena);
	test_tmpdir_done(dir);
}

TEST_MAIN("tsdb", cmocka_unit_test(order_and_bounds), cmocka_unit_test(extremes_come_back),
    cmocka_unit_test(reading_only), cmocka_unit_test(transactions), cmocka_unit_test(bad_series_are_refused),
    cmocka_unit_test(a_querier_keeps_what_it_saw), cmocka_unit_test(a_clock_that_jumps_deletes_nothing),
    cmocka_unit_test(ended_series_leave_the_head_and_come_back),
    cmocka_unit_test(a_dying_series_comes_back_with_a_sample),
    cmocka_unit_test(the_log_is_cut_behind_what_is_sealed), cmocka_unit_test(status_and_cardinality),
    cmocka_unit_test(foreign_directories_are_left_alone), cmocka_unit_test(a_failed_sync_is_survived),
    cmocka_unit_test(the_scheduler_seals_in_time))
