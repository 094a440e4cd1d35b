/* The store beside storage/mem_store.h: random samples, in order and late, seals, restarts and queries; both must say the
 * same. */
#include "base/clock.h"
#include "base/counters.h"
#include "base/vec.h"
#include "model/stale_marker.h"
#include "storage/mem_store.h"
#include "tests/tsdb/store_probe.h"
#include <stdio.h>
#include <stdlib.h>

enum { SERIES = 60, ROUNDS = 400, STEP_MS = 15000, WINDOW_MS = 700000 };
#define START_MS INT64_C(1700000000000)

struct known_sample {
	int64_t t_ms;
	double v;
	bool is_histogram;
};
VEC_DEFINE(known_samples, struct known_sample);

struct model {
	struct test_random random;
	struct arena *arena;
	struct clock *clock;
	char *dir;
	struct tsdb *db;
	struct mem_store *naive;
	const struct labels *labels[SERIES];
	struct known_samples known[SERIES];
	int64_t newest_ms; /* of all */
	int64_t newest[SERIES];
	double value[SERIES];
	int64_t now_ms;
};

static const struct labels *make_labels(struct model *m, unsigned i)
{
	char job[16], instance[16];
	snprintf(job, sizeof(job), "job%u", i % 3);
	snprintf(instance, sizeof(instance), "i%u", i / 4);
	if (i % 5 == 0)
		return labels_of(m->arena, "__name__", i % 2 ? "up" : "down", "instance",
		    arena_strdup(m->arena, slice_cstr(instance)), NULL);
	return labels_of(m->arena, "__name__", i % 2 ? "up" : "requests_total", "instance",
	    arena_strdup(m->arena, slice_cstr(instance)), "job", arena_strdup(m->arena, slice_cstr(job)), "n",
	    arena_printf(m->arena, "%u", i).ptr, NULL);
}

static double next_value(struct model *m, unsigned i)
{
	switch (i % 6) {
	case 0:
		return m->value[i];
	case 1:
		return m->value[i] + (double)test_random_below(&m->random, 100);
	case 2:
		return (double)test_random_below(&m->random, 10000) / 100;
	case 3:
		return test_random_unit(&m->random) * 1e9;
	case 4:
		return test_random_below(&m->random, 10) == 0 ? double_from_bits(STALE_NAN_BITS) : -0.0;
	default:
		return double_from_bits(test_random_u64(&m->random));
	}
}

static struct histogram *random_histogram(struct model *m, struct arena *arena)
{
	struct histogram *h = ARENA_NEW(arena, struct histogram);
	struct histogram_span *span = ARENA_NEW(arena, struct histogram_span);
	double *pos = ARENA_ARRAY(arena, double, 3);
	*span = (struct histogram_span){(int32_t)test_random_below(&m->random, 9) - 4, 3};
	for (int i = 0; i < 3; i++)
		h->count += pos[i] = (double)test_random_below(&m->random, 50);
	h->schema = 3;
	h->sum = test_random_unit(&m->random);
	h->n_pos_spans = 1;
	h->n_pos = 3;
	h->pos_spans = span;
	h->pos = pos;
	return h;
}

static void remember(struct model *m, unsigned i, struct known_sample k)
{
	known_samples_push(&m->known[i], k);
	if (k.t_ms > m->newest[i])
		m->newest[i] = k.t_ms;
	if (k.t_ms > m->newest_ms)
		m->newest_ms = k.t_ms;
}

static void add_histogram(struct model *m, unsigned i, int64_t t_ms)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct histogram *h = random_histogram(m, arena);
	check_int("histogram", probe_add_histogram(m->db, m->labels[i], t_ms, h), APPEND_OK);
	mem_store_add(m->naive, m->labels[i], t_ms, 0, h);
	remember(m, i, (struct known_sample){.t_ms = t_ms, .is_histogram = true});
	arena_free(arena);
}

static struct known_sample *find_known(struct model *m, unsigned i, int64_t t_ms)
{
	VEC_EACH (struct known_sample, k, &m->known[i])
		if (k->t_ms == t_ms)
			return k;
	return NULL;
}

/* Whether the store may say `r` of a late sample: one of a new time, or one at a known time. Of the latter it says what it
 * knows: when the first value is in parts alone it takes another one, and compares with that from then on. */
static bool may_say(const struct model *m, bool is_known, int64_t t_ms, enum append_result r)
{
	if (is_known && (r == APPEND_REPEATED || r == APPEND_DUPLICATE))
		return true;
	return r == (t_ms < m->newest_ms - WINDOW_MS ? APPEND_TOO_OLD : APPEND_OK);
}

static double other_value(double v)
{
	return double_from_bits(double_bits(v) ^ 1);
}

static void add_late(struct model *m, unsigned i)
{
	int64_t t_ms = m->now_ms - (int64_t)test_random_below(&m->random, 2 * WINDOW_MS) - 1;
	if (m->known[i].len > 0 && test_random_below(&m->random, 2))
		t_ms = m->known[i].v[test_random_below(&m->random, m->known[i].len)].t_ms;
	const struct known_sample *k = find_known(m, i, t_ms);
	if (k && k->is_histogram)
		return;
	if (i % 10 == 9 && !k && t_ms >= m->newest_ms - WINDOW_MS && test_random_below(&m->random, 2)) {
		add_histogram(m, i, t_ms);
		return;
	}
	double v = !k ? next_value(m, i) : test_random_below(&m->random, 2) ? k->v : other_value(k->v);
	bool is_in_order = t_ms > m->newest[i];
	enum append_result r = probe_add(m->db, m->labels[i], t_ms, v);
	if (is_in_order ? r != APPEND_OK : !may_say(m, k, t_ms, r))
		fail_msg("series %u, sample at %lld, newest %lld: \"%s\"", i, (long long)t_ms,
		    (long long)m->newest_ms, append_result_text(r));
	if (r != APPEND_OK || k)
		return;
	mem_store_add(m->naive, m->labels[i], t_ms, v, NULL);
	remember(m, i, (struct known_sample){.t_ms = t_ms, .v = v});
}

/* One step of time: most series get a sample, in one transaction or in many. */
static void append_round(struct model *m)
{
	m->now_ms += test_random_below(&m->random, 20) == 0 ? STEP_MS * 40 : STEP_MS;
	clock_virtual_set(m->clock, m->now_ms);
	for (unsigned i = 0; i < SERIES; i++) {
		if (test_random_below(&m->random, 8) == 0)
			add_late(m, i);
		if (test_random_below(&m->random, 8) == 0)
			continue;
		int64_t t = m->now_ms + (i % 7 == 0 ? (int64_t)test_random_below(&m->random, 40) : 0);
		if (i % 10 == 9 && test_random_below(&m->random, 2)) {
			add_histogram(m, i, t);
			continue;
		}
		m->value[i] = next_value(m, i);
		check_int("append", probe_add(m->db, m->labels[i], t, m->value[i]), APPEND_OK);
		mem_store_add(m->naive, m->labels[i], t, m->value[i], NULL);
		remember(m, i, (struct known_sample){.t_ms = t, .v = m->value[i]});
		if (test_random_below(&m->random, 16) == 0)
			check_int("again", probe_add(m->db, m->labels[i], t, m->value[i]), APPEND_REPEATED);
		if (test_random_below(&m->random, 16) == 0)
			check_int("another value",
			    probe_add(m->db, m->labels[i], t, other_value(m->value[i])), APPEND_DUPLICATE);
	}
}

static const struct matcher *random_matcher(struct model *m)
{
	static const struct {
		enum match_op op;
		const char *name, *value;
	} some[] = {
	    {MATCH_EQUAL, "__name__", "up"},
	    {MATCH_NOT_EQUAL, "__name__", "up"},
	    {MATCH_REGEX, "__name__", "up|down"},
	    {MATCH_EQUAL, "job", ""},
	    {MATCH_NOT_EQUAL, "job", ""},
	    {MATCH_REGEX, "job", "job[12]"},
	    {MATCH_NOT_REGEX, "job", "job[12]"},
	    {MATCH_REGEX, "job", ".*"},
	    {MATCH_REGEX, "job", ".+"},
	    {MATCH_REGEX, "job", "job1|"},
	    {MATCH_NOT_REGEX, "job", "job1|"},
	    {MATCH_EQUAL, "instance", "i3"},
	    {MATCH_REGEX, "n", "1.*"},
	    {MATCH_EQUAL, "nothing", "x"},
	    {MATCH_NOT_EQUAL, "nothing", "x"},
	};
	size_t i = test_random_below(&m->random, ARRAY_LEN(some));
	const struct matcher *out;
	struct err err;
	check_ok("matcher",
	    matcher_new(
		m->arena, some[i].op, slice_cstr(some[i].name), slice_cstr(some[i].value), &out, &err),
	    &err);
	return out;
}

static void compare_texts(const char *what, char *got, char *want)
{
	check_str(what, slice_cstr(got), want);
	free(got);
	free(want);
}

static void query_round(struct model *m)
{
	const struct matcher *matchers[3];
	size_t n = test_random_below(&m->random, 4);
	for (size_t i = 0; i < n; i++)
		matchers[i] = random_matcher(m);
	int64_t span = m->now_ms - START_MS + 2 * STEP_MS;
	int64_t from = START_MS + (int64_t)test_random_below(&m->random, (uint64_t)span);
	int64_t to = from + (int64_t)test_random_below(&m->random, (uint64_t)span);
	if (test_random_below(&m->random, 4) == 0) {
		from = INT64_MIN;
		to = INT64_MAX;
	}
	struct queryable *q = tsdb_queryable(m->db), *naive = mem_store_queryable(m->naive);
	compare_texts(
	    "samples", probe_dump(q, matchers, n, from, to), probe_dump(naive, matchers, n, from, to));
	int64_t at = test_random_below(&m->random, 2) ? m->now_ms + 60000 : to;
	int64_t back = at < INT64_MIN + 300000 ? INT64_MIN : at - 300000;
	compare_texts("newest", probe_dump_newest(q, matchers, n, back, at),
	    probe_dump_newest(naive, matchers, n, back, at));
	compare_texts("names", probe_names(q, NULL, matchers, n), probe_names(naive, NULL, matchers, n));
	compare_texts(
	    "values", probe_names(q, "instance", matchers, n), probe_names(naive, "instance", matchers, n));
}

static const struct tsdb_options options = {.wal_segment_bytes = 20000,
    .seal_interval_ms = 600000,
    .future_limit_ms = -1,
    .out_of_order_ms = WINDOW_MS};

static void restart(struct model *m)
{
	struct err err;
	check_ok("sync", tsdb_sync(m->db, &err), &err);
	tsdb_close(m->db);
	m->db = probe_open(m->dir, m->clock, &options);
}

static void store_and_model_agree(void **state)
{
	(void)state;
	struct err err;
	struct model m = {.now_ms = START_MS, .newest_ms = INT64_MIN + WINDOW_MS};
	test_random_init(&m.random);
	m.arena = arena_new(ARENA_NO_LIMIT);
	m.clock = clock_virtual_new(START_MS);
	m.dir = test_tmpdir();
	m.naive = mem_store_new();
	m.db = probe_open(m.dir, m.clock, &options);
	for (unsigned i = 0; i < SERIES; i++) {
		m.newest[i] = INT64_MIN;
		m.labels[i] = make_labels(&m, i);
	}
	for (int round = 0; round < ROUNDS; round++) {
		append_round(&m);
		if (test_random_below(&m.random, 4) == 0)
			query_round(&m);
		if (test_random_below(&m.random, 10) == 0)
			check_ok("maintain", tsdb_maintain(m.db, m.now_ms, &err), &err);
		if (test_random_below(&m.random, 40) == 0)
			check_ok("seal", tsdb_seal_all(m.db, &err), &err);
		if (test_random_below(&m.random, 60) == 0)
			check_ok("compact", tsdb_compact(m.db, &err), &err);
		if (test_random_below(&m.random, 25) == 0)
			restart(&m);
	}
	for (int i = 0; i < 50; i++)
		query_round(&m);
	struct tsdb_status status;
	tsdb_status(m.db, &status);
	check_true("parts were made", status.parts > 0 && status.part_samples > 1000);
	check_true("late samples came", counter_get(M_TSDB_LATE_APPENDED) > 300);
	check_true("the log was cut", status.wal_segments < 100);
	tsdb_close(m.db);
	for (unsigned i = 0; i < SERIES; i++)
		known_samples_done(&m.known[i]);
	mem_store_free(m.naive);
	clock_virtual_free(m.clock);
	arena_free(m.arena);
	test_tmpdir_done(m.dir);
}

TEST_MAIN("tsdb model", cmocka_unit_test(store_and_model_agree))
