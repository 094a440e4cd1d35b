/* bench_promql: wall time of dashboard queries in the PromQL engine alone, over series in plain memory (reading a series is
 * a memcpy): what remains is windows, functions, grouping and labels. Or over a data directory, whose newest day should be
 * what `rwload gen FILE 5000 5760 15000` makes, sealed.
 *
 *   bench_promql [SERIES|DIR [ROUNDS [THREADS [QUERY]]]]     5000 series of 24 h at 15 s; best of 5; 0 helper threads; all
 *
 * Prints a line a query: milliseconds, samples read, points in the result. QUERY is the number of one, from 1: for profiles. */
#include "base/clock.h"
#include "base/thread_pool.h"
#include "base/xmalloc.h"
#include "promql/engine.h"
#include "tsdb/tsdb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 5760, STEP_MS = 15000, PER_TARGET = 1000 };

struct array_store {
	struct queryable queryable;
	struct querier querier;
	struct arena *arena;
	size_t n;
	const struct labels **labels;
	int64_t **t; /* shared by the series of a target */
	double **v;
};

struct array_set {
	struct series_set set;
	const struct array_store *store;
	size_t *at;
	struct select_hints hints;
};

/* --- the store ---------------------------------------------------------------------------------------------------------- */

static const struct labels *set_labels(struct series_set *set, size_t i, struct arena *arena)
{
	struct array_set *s = (struct array_set *)set;
	(void)arena;
	return s->store->labels[s->at[i]];
}

static size_t first_after(const int64_t *t, size_t n, int64_t bound)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (t[mid] >= bound)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static int set_read(struct series_set *set, size_t i, struct sample_column *out, struct err *err)
{
	struct array_set *s = (struct array_set *)set;
	size_t at = s->at[i];
	const int64_t *t = s->store->t[at];
	size_t lo = first_after(t, STEPS, s->hints.start_ms), hi = first_after(t, STEPS, s->hints.end_ms + 1);

	if (s->hints.newest_only && hi > lo)
		lo = hi - 1;
	if (!sample_column_reserve(out, hi - lo))
		return err_set(err, ERR_NO_MEMORY, "no memory");
	memcpy(out->t, t + lo, (hi - lo) * sizeof(*t));
	memcpy(out->v, s->store->v[at] + lo, (hi - lo) * sizeof(double));
	out->n = hi - lo;
	return 0;
}

static size_t set_estimate(struct series_set *set, size_t i)
{
	(void)set, (void)i;
	return STEPS;
}

static const struct series_set_ops set_ops = {
    .labels = set_labels, .read = set_read, .estimate = set_estimate};

static int store_select(struct querier *q, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, bool sorted, const struct select_hints *hints, struct series_set **out,
    struct err *err)
{
	struct array_store *store = (struct array_store *)((char *)q - offsetof(struct array_store, querier));
	struct array_set *s = ARENA_NEW(arena, struct array_set);
	(void)sorted, (void)err;

	s->set.ops = &set_ops;
	s->store = store;
	s->hints = *hints;
	s->at = ARENA_ARRAY(arena, size_t, store->n);
	for (size_t i = 0; i < store->n; i++) {
		bool all = true;
		for (size_t j = 0; all && j < n_matchers; j++)
			all = matcher_matches_labels(matchers[j], store->labels[i]);
		if (all)
			s->at[s->set.n++] = i;
	}
	*out = &s->set;
	return 0;
}

static void store_close(struct querier *q)
{
	(void)q;
}

static const struct querier_ops querier_ops = {.select = store_select, .close = store_close};

static int store_open(
    struct queryable *self, int64_t min_ms, int64_t max_ms, struct querier **out, struct err *err)
{
	struct array_store *store =
	    (struct array_store *)((char *)self - offsetof(struct array_store, queryable));
	(void)min_ms, (void)max_ms, (void)err;

	*out = &store->querier;
	return 0;
}

/* --- the series: 1000 a target, kinds as on a web server ---------------------------------------------------------------- */

static uint64_t seed = 88172645463325252;

static uint64_t random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static const struct labels *make_labels(struct array_store *s, size_t i)
{
	static const char *const paths[] = {"/api/users", "/api/orders", "/api/pay", "/login", "/logout",
	    "/metrics", "/healthz", "/cart", "/search", "/static"};
	static const char *const le[] = {
	    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"};
	size_t target = i / PER_TARGET, j = i % PER_TARGET;
	struct arena *a = s->arena;
	const char *instance = arena_printf(a, "10.0.0.%zu:8080", target).ptr;
	const char *job = arena_printf(a, "svc-%zu", target % 50).ptr;
	const char *pod = arena_printf(a, "app-%zu-%08zx", target % 50, target * 2654435761u).ptr;
	const char *code, *name;

	if (j < 480) {
		code = arena_printf(a, "%zu", 200 + 100 * (j / 120 % 4)).ptr;
		return labels_of(a, "__name__", "http_request_duration_seconds_bucket", "code", code,
		    "instance", instance, "job", job, "le", le[j % 12], "namespace", "ns", "path",
		    paths[j / 12 % 10], "pod", pod, NULL);
	}
	if (j < 520) {
		code = arena_printf(a, "%zu", 200 + 100 * (j / 10 % 4)).ptr;
		return labels_of(a, "__name__", "http_requests_total", "code", code, "instance", instance,
		    "job", job, "namespace", "ns", "path", paths[j % 10], "pod", pod, NULL);
	}
	name = j < 700   ? arena_printf(a, "process_gauge_%zu_bytes", j - 520).ptr
	       : j < 850 ? arena_printf(a, "app_events_%zu_total", j - 700).ptr
	       : j < 950 ? arena_printf(a, "app_constant_%zu", j - 850).ptr
			 : arena_printf(a, "app_temperature_%zu_celsius", j - 950).ptr;
	return labels_of(
	    a, "__name__", name, "instance", instance, "job", job, "namespace", "ns", "pod", pod, NULL);
}

static void make_values(double *v, size_t j)
{
	double x = j < 520 ? 0 : (double)(random_u64() % 1000);

	for (size_t k = 0; k < STEPS; k++) {
		uint64_t r = random_u64();
		if (j < 520)
			x += floor((double)(j % 12 + 1) * 7 * (0.5 + (double)(r % 1000) / 1000));
		else if (j < 850)
			x += r % 8 == 0 ? (double)(r >> 8 & 15) : 0;
		else if (j >= 950)
			x += ((double)(r % 2001) - 1000) / 1e3 * 0.37;
		v[k] = x;
	}
}

static struct array_store *store_new(size_t n)
{
	struct array_store *s = xcalloc(1, sizeof(*s));

	s->queryable.open = store_open;
	s->querier.ops = &querier_ops;
	s->arena = arena_new(ARENA_NO_LIMIT);
	s->n = n;
	s->labels = xcalloc(n, sizeof(*s->labels));
	s->t = xcalloc(n, sizeof(*s->t));
	s->v = xcalloc(n, sizeof(*s->v));
	for (size_t i = 0; i < n; i++) {
		s->labels[i] = make_labels(s, i);
		s->v[i] = xmalloc(STEPS * sizeof(double));
		make_values(s->v[i], i % PER_TARGET);
		s->t[i] = i % PER_TARGET ? s->t[i - 1] : xmalloc(STEPS * sizeof(int64_t));
		for (int64_t k = 0; i % PER_TARGET == 0 && k < STEPS; k++)
			s->t[i][k] = k * STEP_MS + (int64_t)(i / PER_TARGET * 7919 % STEP_MS);
	}
	return s;
}

/* --- the queries -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *text;
	int64_t range_s, step_s; /* step 0: instant */
} queries[] = {
    {"gauge, 1 series, 24 h", "process_gauge_0_bytes{instance=\"10.0.0.1:8080\"}", 86400, 60},
    {"rate, 1 series, 24 h",
	"rate(http_requests_total{instance=\"10.0.0.1:8080\",code=\"200\",path=\"/login\"}[5m])", 86400, 60},
    {"sum rate, 24 h", "sum by (code) (rate(http_requests_total[5m]))", 86400, 60},
    {"sum rate, 1 h", "sum by (code) (rate(http_requests_total[5m]))", 3600, 15},
    {"quantile by path, 6 h",
	"histogram_quantile(0.95, sum by (le, path) (rate(http_request_duration_seconds_bucket[5m])))", 21600,
	60},
    {"quantile, 24 h",
	"histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", 86400, 300},
    {"sum of all gauges, 24 h", "sum by (job) ({__name__=~\"process_gauge_.*\"})", 86400, 300},
    {"avg over 1 d", "avg_over_time(app_temperature_0_celsius[24h])", 0, 0},
    {"max over 1 h, 24 h", "max_over_time(app_temperature_1_celsius[1h])", 86400, 60},
    {"increase over 1 d", "sum(increase(http_request_duration_seconds_bucket[24h]))", 0, 0},
    {"topk", "topk(10, rate(http_request_duration_seconds_bucket[5m]))", 3600, 60},
    {"ratio, joined",
	"sum by (job,instance) (rate(http_requests_total{code=\"500\"}[5m])) / on(job,instance) "
	"sum by (job,instance) (rate(http_requests_total[5m]))",
	21600, 60},
    {"count by regex", "count({__name__=~\"app_(events|constant)_.*\", instance=~\"10.0.0.[1-3]:8080\"})", 0,
	0},
    {"subquery", "max_over_time(sum(rate(http_requests_total[5m]))[24h:1m])", 0, 0},
};

static void run(struct promql_engine *engine, struct queryable *store, int64_t now_ms, size_t i, int rounds,
    double *total_ms)
{
	int64_t best_ns = INT64_MAX;
	struct promql_query q = {.store = store, .text = slice_cstr(queries[i].text), .end_ms = now_ms};
	uint64_t samples = 0, points = 0;
	struct query_result *r;
	struct err err;

	q.start_ms = now_ms - queries[i].range_s * 1000;
	q.step_ms = queries[i].step_s * 1000;
	for (int k = 0; k < rounds; k++) {
		int64_t begun = clock_mono_ns(clock_real());
		if (promql_engine_run(engine, &q, &r, &err) != 0) {
			fprintf(stderr, "%s: %s\n", queries[i].text, err.msg);
			exit(1);
		}
		int64_t ns = clock_mono_ns(clock_real()) - begun;
		best_ns = ns < best_ns ? ns : best_ns;
		samples = r->stats.samples_decoded;
		points = 0;
		for (size_t s = 0; s < r->n_series; s++)
			points += r->series[s].n;
		query_result_free(r);
	}
	printf("%-26s %9.3f ms  %9llu samples  %7llu points\n", queries[i].name, (double)best_ns / 1e6,
	    (unsigned long long)samples, (unsigned long long)points);
	*total_ms += (double)best_ns / 1e6;
}

static struct queryable *open_data(const char *path, int64_t *now_ms)
{
	struct tsdb_options options = {.path = path, .wal_sync = WAL_SYNC_OFF};
	struct tsdb_status status;
	struct tsdb *db;
	struct err err;

	if (tsdb_open(&options, &db, &err) != 0) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	tsdb_status(db, &status);
	*now_ms = status.max_t_ms;
	return tsdb_queryable(db);
}

int main(int argc, char **argv)
{
	size_t series = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000,
	       n = sizeof(queries) / sizeof(queries[0]);
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	size_t threads = argc > 3 ? strtoul(argv[3], NULL, 10) : 0,
	       only = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	struct thread_pool *pool = threads ? thread_pool_new("query", threads) : NULL;
	struct promql_options options = {.pool = pool};
	struct promql_engine *engine = promql_engine_new(&options);
	int64_t now_ms = (int64_t)STEPS * STEP_MS;
	struct queryable *store = series ? &store_new(series)->queryable : open_data(argv[1], &now_ms);
	double total_ms = 0;

	for (size_t i = 0; i < n; i++) {
		if (only == 0 || only == i + 1)
			run(engine, store, now_ms, i, rounds, &total_ms);
	}
	printf("%-26s %9.3f ms\n", "all", total_ms);
	return 0;
}
