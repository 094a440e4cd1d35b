/* What comes from far outside of the usual: taken as it is through log, sealing and joining, or refused with a word. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/tsdb_priv.h"
#include <math.h>
#include <stdlib.h>

#define START_MS INT64_C(1700000000000)
#define DAY_MS   INT64_C(86400000)

struct fixture {
	char *dir;
	struct clock *clock;
	struct tsdb_options options;
	struct tsdb *db;
	struct arena *arena;
};

static struct fixture begin(const struct tsdb_options *o)
{
	struct fixture f = {.dir = test_tmpdir(), .options = *o, .arena = arena_new(ARENA_NO_LIMIT)};
	f.clock = clock_virtual_new(START_MS);
	f.db = probe_open(f.dir, f.clock, &f.options);
	return f;
}

static void end(struct fixture *f)
{
	tsdb_close(f->db);
	clock_virtual_free(f->clock);
	arena_free(f->arena);
	test_tmpdir_done(f->dir);
}

static char *dump(struct fixture *f)
{
	return probe_dump(tsdb_queryable(f->db), NULL, 0, INT64_MIN, INT64_MAX);
}

static void start_again(struct fixture *f)
{
	tsdb_close(f->db);
	f->db = probe_open(f->dir, f->clock, &f->options);
}

/* The same everywhere: in the head, out of the log, in a part, in a joined part. */
static void check_stays(struct fixture *f, const char *want)
{
	static const char *const where[] = {"head", "log", "part", "part after a start", "joined"};
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		if (i == 1 || i == 3)
			start_again(f);
		if (i == 2)
			check_ok("seal", tsdb_seal_all(f->db, &err), &err);
		if (i == 4)
			check_ok("join", tsdb_compact(f->db, &err), &err);
		char *got = dump(f);
		check_str(where[i], slice_cstr(got), want);
		free(got);
	}
}

/* --- times ------------------------------------------------------------------------------------------------------- */

#define YEAR_1677 INT64_C(-9223372036854)
#define YEAR_2262 INT64_C(9223372036854)

static void times_of_all_ages(void **state)
{
	(void)state;
	static const int64_t times[] = {INT64_MIN + 1, INT64_MIN + 2, INT64_MIN / 2, YEAR_1677 - 1, YEAR_1677,
	    -1, 0, 1, START_MS, YEAR_2262, YEAR_2262 + 1, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
	struct tsdb_options o = {.future_limit_ms = -1, .out_of_order_ms = -1};
	struct fixture f = begin(&o);
	const struct labels *up = labels_of(f.arena, "__name__", "a", NULL),
			    *down = labels_of(f.arena, "__name__", "b", NULL);
	struct strbuf want = STRBUF_INIT;
	strbuf_adds(&want, "{__name__=\"a\"}");
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		check_int("up", probe_add(f.db, up, times[i], (double)i), APPEND_OK);
		strbuf_addf(
		    &want, " %lld=%llx", (long long)times[i], (unsigned long long)double_bits((double)i));
	}
	strbuf_addf(&want, "\n{__name__=\"b\"} %lld=%llx\n", (long long)INT64_MAX,
	    (unsigned long long)double_bits(1));
	check_int("the end of time", probe_add(f.db, down, INT64_MAX, 1), APPEND_OK);
	for (size_t i = 0; i + 1 < ARRAY_LEN(times); i++)
		check_int("behind it", probe_add(f.db, down, times[i], 2), APPEND_OUT_OF_ORDER);
	check_stays(&f, strbuf_cstr(&want));
	strbuf_done(&want);
	end(&f);
}

/* The smallest time stands for none, so nothing can be there. */
static void no_time_at_all(void **state)
{
	(void)state;
	struct tsdb_options o = {.future_limit_ms = -1};
	struct fixture f = begin(&o);
	const struct labels *a = labels_of(f.arena, "__name__", "a", NULL);
	check_int("zero", probe_add(f.db, a, INT64_MIN, 0), APPEND_EXPIRED);
	check_int("another", probe_add(f.db, a, INT64_MIN, 1), APPEND_EXPIRED);
	check_int("behind others", probe_add(f.db, a, 5, 1), APPEND_OK);
	check_int("late", probe_add(f.db, a, INT64_MIN, 1), APPEND_EXPIRED);
	check_stays(&f, "{__name__=\"a\"} 5=3ff0000000000000\n");
	end(&f);
}

/* Late samples of all ages, as far as the window goes. */
static void late_by_ages(void **state)
{
	(void)state;
	struct tsdb_options o = {.future_limit_ms = -1, .out_of_order_ms = INT64_MAX};
	struct fixture f = begin(&o);
	const struct labels *a = labels_of(f.arena, "__name__", "a", NULL);
	check_int("newest", probe_add(f.db, a, YEAR_2262, 3), APPEND_OK);
	check_int("late", probe_add(f.db, a, YEAR_1677, 1), APPEND_OK);
	check_int("between", probe_add(f.db, a, 0, 2), APPEND_OK);
	check_int("again", probe_add(f.db, a, 0, 2), APPEND_REPEATED);
	check_int("other", probe_add(f.db, a, 0, 7), APPEND_DUPLICATE);
	check_stays(&f, "{__name__=\"a\"} -9223372036854=3ff0000000000000 0=4000000000000000 "
			"9223372036854=4008000000000000\n");
	end(&f);
}

static void ahead_of_the_clock(void **state)
{
	(void)state;
	struct tsdb_options o = {.retention_ms = 30 * DAY_MS};
	struct fixture f = begin(&o);
	const struct labels *a = labels_of(f.arena, "__name__", "a", NULL);
	check_int("ten minutes", probe_add(f.db, a, START_MS + 600000, 1), APPEND_OK);
	check_int("more", probe_add(f.db, a, START_MS + 600001, 1), APPEND_TOO_FAR);
	check_str("text", slice_cstr(append_result_text(APPEND_TOO_FAR)),
	    "out of bounds: timestamp is too far in the future");
	check_int("the end", probe_add(f.db, a, INT64_MAX, 1), APPEND_TOO_FAR);
	check_int("before retention",
	    probe_add(f.db, labels_of(f.arena, "__name__", "b", NULL), START_MS - 31 * DAY_MS, 1),
	    APPEND_EXPIRED);
	check_stays(&f, "{__name__=\"a\"} 1700000600000=3ff0000000000000\n");
	end(&f);
}

/* Maintenance at times that jump: nothing is lost, and sealing goes on. */
static void the_clock_jumps(void **state)
{
	(void)state;
	struct tsdb_options o = {.retention_ms = 15 * DAY_MS, .future_limit_ms = -1};
	struct fixture f = begin(&o);
	const struct labels *a = labels_of(f.arena, "__name__", "a", NULL);
	static const int64_t jumps[] = {-DAY_MS, 10 * 365 * DAY_MS, 0, -100 * 365 * DAY_MS, 600000};
	struct strbuf want = STRBUF_INIT;
	struct err err;
	strbuf_adds(&want, "{__name__=\"a\"}");
	for (size_t i = 0; i < ARRAY_LEN(jumps); i++) {
		int64_t t_ms = START_MS + (int64_t)i * 60000;
		check_int("taken", probe_add(f.db, a, t_ms, (double)i), APPEND_OK);
		strbuf_addf(&want, " %lld=%llx", (long long)t_ms, (unsigned long long)double_bits((double)i));
		check_ok("maintain", tsdb_maintain(f.db, START_MS + jumps[i], &err), &err);
	}
	check_ok("first", tsdb_maintain(f.db, INT64_MIN, &err), &err);
	check_ok("last", tsdb_maintain(f.db, INT64_MAX, &err), &err);
	strbuf_addch(&want, '\n');
	check_stays(&f, strbuf_cstr(&want));
	strbuf_done(&want);
	end(&f);
}

/* --- labels ------------------------------------------------------------------------------------------------------ */

static const struct labels *many_labels(struct arena *arena, size_t n)
{
	struct label *l = ARENA_ARRAY(arena, struct label, n);
	for (size_t i = 0; i < n; i++)
		l[i] = (struct label){arena_printf(arena, "l%05zu", i), arena_printf(arena, "%zu", i)};
	return labels_from_sorted(arena, l, n);
}

static int add_series(struct fixture *f, const struct labels *labels, struct err *err)
{
	struct appendable *door = tsdb_appendable(f->db);
	struct appender *a;
	series_ref ref;
	check_ok("begin", door->begin(door, &a, err), err);
	int rc = a->ops->add_series(a, NULL, labels, &ref, err);
	a->ops->rollback(a);
	return rc;
}

static void check_stays_itself(struct fixture *f)
{
	char *want = dump(f);
	check_stays(f, want);
	free(want);
}

static void labels_of_a_series(void **state)
{
	(void)state;
	struct tsdb_options o = {0};
	struct fixture f = begin(&o);
	struct err err;
	check_int("as many as may be", probe_add(f.db, many_labels(f.arena, SERIES_MAX_LABELS), START_MS, 1),
	    APPEND_OK);
	check_int("one more", add_series(&f, many_labels(f.arena, SERIES_MAX_LABELS + 1), &err), ERR_INVALID);
	check_int("ten thousand", add_series(&f, many_labels(f.arena, 10000), &err), ERR_INVALID);
	check_true("said", strstr(err.msg, "10000 labels: a series has at most"));
	struct label twice[] = {{SL("a"), SL("1")}, {SL("a"), SL("2")}},
		     empty[] = {{SL("b"), SL("")}, {SL("a"), SL("1")}};
	const struct labels *out;
	check_int("twice", labels_from_pairs(f.arena, twice, 2, &out, &err), ERR_INVALID);
	check_str("twice", slice_cstr(err.msg), "label name \"a\" is not unique");
	check_ok("empty ones are none", labels_from_pairs(f.arena, empty, 2, &out, &err), &err);
	check_int("labels", out->n, 1);
	check_int("nothing", add_series(&f, &labels_empty, &err), ERR_INVALID);
	check_stays_itself(&f);
	end(&f);
}

static void long_values(void **state)
{
	(void)state;
	struct tsdb_options o = {0};
	struct fixture f = begin(&o);
	struct err err;
	char *text = xmalloc(SERIES_MAX_BYTES);
	memset(text, 'v', SERIES_MAX_BYTES);
	static const size_t sizes[] = {65535, 65536, 65537, SERIES_MAX_BYTES - 9 - 1};
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char which[] = {(char)('a' + i), 0};
		struct label l[] = {
		    {SL("__name__"), slice_cstr(which)}, {SL("v"), slice_of(text, sizes[i] - 1)}};
		const struct labels *labels = labels_copy_to(f.arena, labels_from_sorted(f.arena, l, 2));
		check_int("taken", probe_add(f.db, labels, START_MS, 1), APPEND_OK);
	}
	struct label l = {SL("v"), slice_of(text, SERIES_MAX_BYTES)};
	check_int("too long", add_series(&f, labels_from_sorted(f.arena, &l, 1), &err), ERR_INVALID);
	check_stays_itself(&f);
	free(text);
	end(&f);
}

/* Each value its own series. */
static void many_values(void **state)
{
	(void)state;
	enum { VALUES = 1000000, AT_ONCE = 10000 };
	struct tsdb_options o = {0};
	struct fixture f = begin(&o);
	struct err err;
	struct appendable *door = tsdb_appendable(f.db);
	for (unsigned first = 0; first < VALUES; first += AT_ONCE) {
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct appender *a;
		check_ok("begin", door->begin(door, &a, &err), &err);
		for (unsigned i = first; i < first + AT_ONCE; i++) {
			struct sample s = {.t_ms = START_MS, .v = i};
			const char *id = arena_printf(arena, "%u-%u", i * 2654435761u, i).ptr;
			check_ok("series",
			    a->ops->add_series(
				a, NULL, labels_of(arena, "__name__", "m", "id", id, NULL), &s.ref, &err),
			    &err);
			check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
		}
		check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
		arena_free(arena);
	}
	for (int i = 0; i < 3; i++) {
		char *got = dump(&f);
		size_t lines = 0;
		for (const char *p = got; *p; p++)
			lines += *p == '\n';
		check_int("series", lines, VALUES);
		free(got);
		if (i == 0)
			check_ok("seal", tsdb_seal_all(f.db, &err), &err);
		if (i == 1)
			start_again(&f);
	}
	struct tsdb_status status;
	tsdb_status(f.db, &status);
	check_int("in the head", status.head_series, VALUES);
	end(&f);
}

/* --- kinds of samples -------------------------------------------------------------------------------------------- */

static struct histogram *make(struct arena *a, enum histogram_hint hint, bool is_float, double base)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);
	struct histogram_span *spans = ARENA_ARRAY(a, struct histogram_span, 3);
	double *pos = ARENA_ARRAY(a, double, 4), *neg = ARENA_ARRAY(a, double, 1);
	double part = is_float ? 0.25 : 1;
	spans[0] = (struct histogram_span){-3, 3};
	spans[1] = (struct histogram_span){100000, 1};
	spans[2] = (struct histogram_span){7, 1};
	for (int i = 0; i < 4; i++)
		pos[i] = base + i * part;
	neg[0] = base + part;
	*h = (struct histogram){.hint = hint,
	    .schema = 3,
	    .zero_threshold = 1e-128,
	    .zero_count = base,
	    .count = 6 * base + 7 * part,
	    .sum = -base / 3,
	    .n_pos_spans = 2,
	    .n_pos = 4,
	    .n_neg_spans = 1,
	    .n_neg = 1,
	    .pos_spans = spans,
	    .neg_spans = spans + 2,
	    .pos = pos,
	    .neg = neg};
	return h;
}

static struct histogram *make_custom(struct arena *a, double base)
{
	static const double bounds[] = {-1, 0.5, 1e300};
	struct histogram *h = ARENA_NEW(a, struct histogram);
	struct histogram_span *span = ARENA_NEW(a, struct histogram_span);
	double *pos = ARENA_ARRAY(a, double, 4);
	*span = (struct histogram_span){0, 4};
	for (int i = 0; i < 4; i++)
		pos[i] = base + i;
	*h = (struct histogram){.schema = HISTOGRAM_CUSTOM_SCHEMA,
	    .count = 4 * base + 6,
	    .sum = base,
	    .n_pos_spans = 1,
	    .n_pos = 4,
	    .pos_spans = span,
	    .pos = pos,
	    .n_custom = 3,
	    .custom = bounds};
	return h;
}

static struct histogram *make_stale(struct arena *a)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);
	*h = (struct histogram){.sum = double_from_bits(STALE_NAN_BITS)};
	return h;
}

static void all_kinds_in_one_series(void **state)
{
	(void)state;
	struct tsdb_options o = {0};
	struct fixture f = begin(&o);
	const struct labels *a = labels_of(f.arena, "__name__", "a", NULL);
	struct histogram *huge = make(f.arena, HINT_UNKNOWN, false, 9007199254740992.0 / 8);
	const struct histogram *of[] = {NULL, make(f.arena, HINT_UNKNOWN, false, 3),
	    make(f.arena, HINT_UNKNOWN, false, 5), make(f.arena, HINT_UNKNOWN, true, 0.5), NULL,
	    make_custom(f.arena, 2), make(f.arena, HINT_GAUGE, false, 1),
	    make(f.arena, HINT_GAUGE, true, 0.1), make(f.arena, HINT_RESET, false, 1), make_stale(f.arena),
	    NULL, NULL, make_custom(f.arena, 0), ARENA_NEW(f.arena, struct histogram), huge, NULL};
	static const double floats[] = {1, 0, 0, 0, -0.0, 0, 0, 0, 0, 0, INFINITY, 0, 0, 0, 0, 5};
	int64_t t_ms = START_MS;
	for (size_t i = 0; i < ARRAY_LEN(of); i++) {
		double v = i == 11 ? double_from_bits(STALE_NAN_BITS) : floats[i];
		t_ms += 15000;
		enum append_result r =
		    of[i] ? probe_add_histogram(f.db, a, t_ms, of[i]) : probe_add(f.db, a, t_ms, v);
		check_int("taken", r, APPEND_OK);
		r = of[i] ? probe_add_histogram(f.db, a, t_ms, of[i]) : probe_add(f.db, a, t_ms, v);
		check_int("once more", r, APPEND_REPEATED);
		r = of[i] ? probe_add(f.db, a, t_ms, v) : probe_add_histogram(f.db, a, t_ms, of[1]);
		check_int("of another kind", r, APPEND_DUPLICATE);
		r = probe_add(f.db, a, t_ms - 7500, v);
		check_int("late", r, APPEND_OK);
		r = probe_add_histogram(f.db, a, t_ms - 5000, of[1]);
		check_int("late, too", r, APPEND_OK);
	}
	char *got = dump(&f);
	size_t samples = 0;
	for (const char *p = got; *p; p++)
		samples += p[0] == ' ' && (p[1] == '1') && strncmp(p + 1, "17000", 5) == 0;
	check_int("all of them", samples, 3 * ARRAY_LEN(of));
	free(got);
	check_stays_itself(&f);
	end(&f);
}

TEST_MAIN("head extremes", cmocka_unit_test(times_of_all_ages), cmocka_unit_test(no_time_at_all),
    cmocka_unit_test(late_by_ages), cmocka_unit_test(ahead_of_the_clock), cmocka_unit_test(the_clock_jumps),
    cmocka_unit_test(labels_of_a_series), cmocka_unit_test(long_values), cmocka_unit_test(many_values),
    cmocka_unit_test(all_kinds_in_one_series))
