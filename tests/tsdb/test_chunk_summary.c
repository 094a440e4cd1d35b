/* Summaries of chunks: beside plain loops, their rows, which of them hold when chunks overlap, and those that a store gives
 * after seals, late samples, deletions and joinings. */
#include "base/clock.h"
#include "model/stale_marker.h"
#include "tests/lib/stream_gen.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/chunk_summary.h"
#include "tsdb/summary_pick.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_SAMPLES = 2048 };

static int64_t t[MAX_SAMPLES];
static double v[MAX_SAMPLES];

static bool same_bits(double a, double b)
{
	return double_bits(a) == double_bits(b);
}

/* One sample after the other, as PromQL's functions look at them. */
static void check_summary(
    const char *name, const struct sample_summary *s, const int64_t *times, const double *x, size_t n)
{
	double min = x[0], max = x[0], dropped = 0;
	long double sum = 0, size = 0;
	uint32_t nans = 0, resets = 0, changes = 0;
	for (size_t i = 0; i < n; i++) {
		nans += isnan(x[i]);
		sum += (long double)x[i];
		size += fabsl((long double)x[i]);
		min = x[i] < min || isnan(min) ? x[i] : min;
		max = x[i] > max || isnan(max) ? x[i] : max;
		if (i > 0 && x[i] < x[i - 1]) {
			resets++;
			dropped += x[i - 1];
		}
		changes += i > 0 && x[i] != x[i - 1] && !(isnan(x[i]) && isnan(x[i - 1]));
	}
	check_int(name, s->first_t_ms, times[0]);
	check_int(name, s->last_t_ms, times[n - 1]);
	check_int(name, s->count, n);
	check_int(name, s->nans, nans);
	check_int(name, s->resets, resets);
	check_int(name, s->changes, changes);
	check_true(name, same_bits(s->first, x[0]) && same_bits(s->last, x[n - 1]));
	check_true(name, same_bits(s->min, min) || (isnan(s->min) && isnan(min)));
	check_true(name, same_bits(s->max, max) || (isnan(s->max) && isnan(max)));
	check_true(name, same_bits(s->dropped, dropped) || (isnan(s->dropped) && isnan(dropped)));
	if (isfinite(s->sum))
		check_true(name, fabsl((long double)s->sum + (long double)s->rest - sum) <=
				     size * 1e-18L * (long double)n);
	else
		check_true(name, isnan(s->sum) && isnan(s->rest));
}

static bool has_stale(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_stale(x[i]))
			return true;
	return false;
}

static void they_are_what_loops_say(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 30; round++)
		for (int kind = 0; kind < STREAM_KINDS; kind++) {
			size_t n = SUMMARY_MIN_SAMPLES - 1 + test_random_below(&r, 600);
			struct sample_summary s;
			stream_gen(&r, (enum stream_kind)kind, kind % 3, t, v, n);
			if (round % 5 == 4) /* zeros of both signs are the extremes */
				for (size_t i = 0; i < n; i++)
					v[i] = test_random_below(&r, 2) ? 0.0 : -0.0;
			bool has = chunk_summary_make(t, v, n, &s);
			check_true("has", has == (n >= SUMMARY_MIN_SAMPLES && !has_stale(v, n)));
			if (has)
				check_summary(stream_name((enum stream_kind)kind), &s, t, v, n);
		}
}

static void sums_keep_what_rounding_would_lose(void **state)
{
	(void)state;
	struct sample_summary s;
	for (size_t i = 0; i < 1000; i++) {
		t[i] = (int64_t)i;
		v[i] = i == 3 ? 1e17 : i == 900 ? -1e17 : 0.25;
	}
	assert_true(chunk_summary_make(t, v, 1000, &s));
	check_double("sum", s.sum, 249.5);
	check_double("rest", s.rest, 0);
	for (size_t i = 0; i < 1000; i++)
		v[i] = 9007199254740991.0;
	assert_true(chunk_summary_make(t, v, 1000, &s));
	check_double("sum", s.sum, 9007199254740991000.0);
	check_double("rest", s.rest, 24); /* the sum is a multiple of 1024 */
}

static void rows_come_back(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	enum { ROWS = 12 };
	for (int round = 0; round < 200; round++) {
		struct sample_summary rows[ROWS];
		bool has[ROWS];
		size_t ends[ROWS];
		const struct sample_summary *before = NULL;
		struct strbuf sb = STRBUF_INIT;
		for (int i = 0; i < ROWS; i++) {
			size_t n = SUMMARY_MIN_SAMPLES + test_random_below(&r, 300);
			int kind =
			    round % 2 ? round / 2 % STREAM_KINDS : (int)test_random_below(&r, STREAM_KINDS);
			stream_gen(&r, (enum stream_kind)kind, i % 3, t, v, n);
			has[i] = test_random_below(&r, 5) > 0 && chunk_summary_make(t, v, n, &rows[i]);
			chunk_summary_encode(has[i] ? &rows[i] : NULL, before, &sb);
			before = has[i] ? &rows[i] : before;
			ends[i] = sb.len;
		}
		char *exact = malloc(sb.len);
		memcpy(exact, sb.ptr, sb.len);
		struct sample_summary got[ROWS];
		struct byte_reader reader;
		byte_reader_init(&reader, slice_of(exact, sb.len));
		before = NULL;
		for (int i = 0; i < ROWS; i++) {
			bool is_there;
			got[i] = (struct sample_summary){.first_t_ms = rows[i].first_t_ms,
			    .last_t_ms = rows[i].last_t_ms,
			    .count = rows[i].count};
			assert_true(chunk_summary_decode(&reader, before, &got[i], &is_there));
			assert_true(
			    is_there == has[i] && (!has[i] || chunk_summary_equal(&got[i], &rows[i])));
			before = has[i] ? &got[i] : before;
		}
		assert_true(byte_reader_done(&reader));
		for (size_t n = 0; n < ends[0]; n++) {
			bool is_there;
			byte_reader_init(&reader, slice_of(exact, n));
			assert_false(chunk_summary_decode(&reader, NULL, &got[0], &is_there));
		}
		free(exact);
		strbuf_done(&sb);
	}
}

static void bent_rows_are_survived(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 200000; round++) {
		uint8_t bytes[40];
		size_t n = test_random_below(&r, sizeof(bytes));
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)test_random_u64(&r);
		bytes[0] &= 31;
		bytes[1] &= 63;
		struct byte_reader reader;
		struct sample_summary s = {.count = 1000},
				      before = {.last = (double)(int64_t)test_random_u64(&r)};
		bool has;
		byte_reader_init(&reader, slice_of((char *)bytes, n));
		bool ok = chunk_summary_decode(&reader, round % 2 ? &before : NULL, &s, &has);
		assert_true(!ok || !has || s.nans <= s.count);
	}
}

/* --- which of them hold ------------------------------------------------------------------------------------------------- */

enum { TIMES = 60 };

static bool any_time(const uint8_t *has, int64_t from, int64_t to)
{
	for (int64_t i = from < 0 ? 0 : from; i <= to && i < TIMES; i++)
		if (has[i])
			return true;
	return false;
}

/* Samples at times 0 to 59: those of random chunks, and of the head. has[] counts them. */
static void those_that_overlap_are_left_out(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	size_t picked = 0, followed = 0;
	for (int round = 0; round < 20000; round++) {
		uint8_t has[TIMES] = {0};
		int64_t head[TIMES];
		size_t n_head = 0;
		struct chunk_spans spans = {0};
		struct sample_summaries out = {0};
		int64_t min = (int64_t)test_random_below(&r, 20),
			max = min + (int64_t)test_random_below(&r, 40);
		for (size_t k = test_random_below(&r, 5); k > 0; k--) {
			int64_t from = (int64_t)test_random_below(&r, TIMES),
				to = from + (int64_t)test_random_below(&r, 8);
			to = to < TIMES ? to : TIMES - 1;
			has[from]++;
			for (int64_t i = from + 1; i <= to; i++)
				has[i] = (uint8_t)(has[i] + (i == to || test_random_below(&r, 2)));
			struct chunk_span span = {
			    .min_t_ms = from, .max_t_ms = to, .has_summary = test_random_below(&r, 4) > 0};
			span.summary = (struct sample_summary){.first_t_ms = from, .last_t_ms = to};
			if (to >= min && from <= max)
				chunk_spans_push(&spans, span);
		}
		for (int64_t i = 0; i < TIMES; i++)
			if (test_random_below(&r, 20) == 0 && i >= min && i <= max) {
				head[n_head++] = i;
				has[i]++;
			}
		struct chunk_spans asked = {0};
		for (size_t k = 0; k < spans.len; k++)
			chunk_spans_push(&asked, spans.v[k]);
		assert_true(summaries_pick(&asked, head, n_head, min, max, &out));
		int64_t before = min;
		for (size_t k = 0; k < out.n; k++) {
			const struct sample_summary *s = &out.v[k];
			assert_true(s->first_t_ms >= min && s->last_t_ms <= max && s->first_t_ms >= before);
			size_t chunks = 0;
			for (size_t i = 0; i < spans.len; i++)
				chunks += spans.v[i].min_t_ms <= s->last_t_ms &&
					  spans.v[i].max_t_ms >= s->first_t_ms;
			check_int("chunks there", chunks, 1);
			for (size_t i = 0; i < n_head; i++)
				assert_true(head[i] < s->first_t_ms || head[i] > s->last_t_ms);
			if (s->follows)
				assert_false(any_time(has, before, s->first_t_ms - 1));
			picked++;
			followed += s->follows;
			before = s->last_t_ms + 1;
		}
		if (out.nothing_follows)
			assert_false(any_time(has, before, max));
		sample_summaries_done(&out);
		chunk_spans_done(&spans);
		chunk_spans_done(&asked);
	}
	assert_true(picked > 1000 && followed > 100);
}

/* --- a store ------------------------------------------------------------------------------------------------------------ */

#define START_MS INT64_C(1700006400000)
enum { SERIES = 4, STEPS = 2600, STEP_MS = 15000 };

static size_t time_index(const struct sample_column *c, int64_t t_ms)
{
	size_t i = 0;
	while (i < c->n && c->t[i] < t_ms)
		i++;
	return i;
}

/* What a series set says of one series within a range, beside all of its samples. */
static size_t check_range(
    struct series_set *set, size_t i, const struct sample_column *all, int64_t min, int64_t max)
{
	struct err err;
	struct sample_summaries out = {0};
	struct sample_column part;
	sample_column_init(&part, all->histograms);
	check_ok("summaries", set->ops->summaries(set, i, min, max, &out, &err), &err);
	size_t at = time_index(all, min), end = time_index(all, max + 1);
	for (size_t k = 0; k < out.n; k++) {
		const struct sample_summary *s = &out.v[k];
		size_t from = time_index(all, s->first_t_ms);
		assert_true(from >= at && from + s->count <= end);
		check_summary("of the store", s, all->t + from, all->v + from, s->count);
		assert_true(!s->follows || from == at);
		at = from + s->count;
	}
	assert_true(!out.nothing_follows || at == end);
	check_ok("between", set->ops->read_between(set, i, min, max, &part, &err), &err);
	at = time_index(all, min);
	check_int("samples between", part.n, end - at);
	assert_true(part.n == 0 || memcmp(part.t, all->t + at, part.n * sizeof(*part.t)) == 0);
	assert_true(part.n == 0 || memcmp(part.v, all->v + at, part.n * sizeof(*part.v)) == 0);
	size_t n = out.n;
	sample_summaries_done(&out);
	sample_column_done(&part);
	return n;
}

static size_t check_store(struct tsdb *db, struct test_random *r)
{
	struct err err;
	struct querier *q;
	struct series_set *set;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct queryable *door = tsdb_queryable(db);
	struct select_hints hints = {.start_ms = START_MS, .end_ms = START_MS + INT64_C(2) * STEPS * STEP_MS};
	struct sample_column all;
	size_t found = 0;
	sample_column_init(&all, arena);
	check_ok("open", door->open(door, hints.start_ms, hints.end_ms, &q, &err), &err);
	check_ok("select", q->ops->select(q, arena, NULL, 0, true, &hints, &set, &err), &err);
	for (size_t i = 0; i < set->n; i++) {
		check_ok("read", set->ops->read(set, i, &all, &err), &err);
		found += check_range(set, i, &all, hints.start_ms, hints.end_ms);
		for (int k = 0; k < 20; k++) {
			int64_t min = START_MS + (int64_t)test_random_below(r, STEPS) * STEP_MS;
			(void)check_range(
			    set, i, &all, min, min + (int64_t)test_random_below(r, STEPS) * STEP_MS);
		}
	}
	sample_column_done(&all);
	q->ops->close(q);
	arena_free(arena);
	return found;
}

static void a_store_gives_those_that_hold(void **state)
{
	(void)state;
	struct test_random r;
	struct err err;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct clock *clock = clock_virtual_new(START_MS);
	char *dir = test_tmpdir();
	static const struct tsdb_options options = {
	    .future_limit_ms = -1, .seal_interval_ms = INT64_C(1) << 40, .out_of_order_ms = 86400000};
	struct tsdb *db = probe_open(dir, clock, &options);
	const struct labels *labels[SERIES];
	size_t found = 0;
	for (int i = 0; i < SERIES; i++)
		labels[i] = labels_of(arena, "__name__", "m", "n", arena_printf(arena, "%d", i).ptr, NULL);
	for (int k = 0; k < STEPS; k++) {
		int64_t now = START_MS + k * INT64_C(15000);
		clock_virtual_set(clock, now);
		for (int i = 0; i < SERIES; i++) {
			double x = i == 0   ? k * 3.0
				   : i == 1 ? (double)test_random_below(&r, 1000) / 100
				   : i == 2 ? 7
					    : k % 400;
			(void)probe_add(db, labels[i], now, x);
		}
		if (k == 1100 || k == 2300)
			check_ok("seal", tsdb_seal_all(db, &err), &err);
		if (k == 2400) /* late, into the second part's time */
			(void)probe_add(db, labels[3], START_MS + 1500 * INT64_C(15000) + 5, 1);
	}
	found += check_store(db, &r);
	assert_true(found > 0);
	const struct matcher *only;
	check_ok("matcher", matcher_new(arena, MATCH_EQUAL, SL("n"), SL("1"), &only, &err), &err);
	check_ok(
	    "delete", tsdb_delete(db, &only, 1, START_MS + 100 * 15000, START_MS + 101 * 15000, &err), &err);
	assert_true(check_store(db, &r) < found);
	check_ok("seal", tsdb_seal_all(db, &err), &err);
	(void)check_store(db, &r);
	check_ok("compact", tsdb_compact(db, &err), &err);
	assert_true(check_store(db, &r) > 0);
	tsdb_close(db);
	clock_virtual_free(clock);
	arena_free(arena);
	test_tmpdir_done(dir);
}

TEST_MAIN("chunk_summary", cmocka_unit_test(they_are_what_loops_say),
    cmocka_unit_test(sums_keep_what_rounding_would_lose), cmocka_unit_test(rows_come_back),
    cmocka_unit_test(bent_rows_are_survived), cmocka_unit_test(those_that_overlap_are_left_out),
    cmocka_unit_test(a_store_gives_those_that_hold))
