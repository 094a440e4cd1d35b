/* bench_query: queries over much data through store and engine, without a server; one row each, runnable alone.
 *
 *   bench_query ROW... [--dir DIR] [--rounds N] [--threads N] [--scale F]
 *
 *   day10k      sum by (job) (rate(x[5m])), 10,000 series, 24 h at 15 s, a step a minute
 *   quarter1k   sum(rate(x[5m])), 1000 series, 90 days at 15 s, a step an hour
 *   quarter10k  the same over 10,000 series (5.2 billion samples: making them takes minutes, 5 GB of disk)
 *   max90d      max_over_time(x[90d]) and its like over the 1000 series
 *   instant1m   count, sum, sum by (job) of 1,000,000 series at one time; with --scale 10: of ten million
 *   memory1m    1,000,000 series x 1 step: bytes of the query
 *   json        a matrix of 10 million points as JSON (web/api_json.h)
 *   query TEXT RANGE_S STEP_S    any query over what is in DIR/data
 *
 * Data are made in DIR (default /tmp/promq-bench-query), once. Prints the best wall time of N rounds (default 5), the mean CPU
 * time (user + system), samples decoded, and the bytes that the query held. THREADS: helpers of the pool; default one less
 * than there are processors. */
#include "base/clock.h"
#include "base/thread_pool.h"
#include "base/xmalloc.h"
#include "promql/engine.h"
#include "promql/query_record.h"
#include "tsdb/backfill.h"
#include "tsdb/tsdb.h"
#include "web/api_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_MS = 15000, DAY_MS = 86400 * 1000, PER_TARGET = 100, JOBS = 50, TARGETS_PER_JOB = 20 };
#define END_MS INT64_C(1700006400000) /* of all data; a full day, and a multiple of each step */

struct bench {
	const char *dir;
	int rounds;
	double scale;
	struct thread_pool *pool;
	struct promql_engine *engine;
};

static void fail(const char *what, const struct err *err)
{
	fprintf(stderr, "bench_query: %s: %s\n", what, err->msg);
	exit(1);
}

/* --- data --------------------------------------------------------------------------------------------------------------- */

static const struct labels *labels_of_series(struct arena *a, size_t i)
{
	size_t target = i / PER_TARGET;

	return labels_of(a, "__name__", "x", "code", i % 2 ? "200" : "500", "instance",
	    arena_printf(a, "10.%zu.%zu.1:9100", target / 200, target % 200).ptr, "job",
	    arena_printf(a, "job-%zu", target / TARGETS_PER_JOB % JOBS).ptr, "namespace", "ns", "path",
	    arena_printf(a, "/p%zu", i % PER_TARGET / 2).ptr, "pod",
	    arena_printf(a, "app-%08zx", target * 2654435761u % 0xffffffff).ptr, NULL);
}

/* A counter: a quarter of them idle, a quarter slow, the rest busy; each starts anew every few days. */
struct counter {
	uint64_t random;
	double v;
};

static uint64_t counter_random(struct counter *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random;
}

static double counter_next(struct counter *c, size_t i)
{
	uint64_t r = counter_random(c);

	if (r % 30011 == 0)
		c->v = 0;
	if (i % 4 == 1)
		c->v += r >> 20 & 15 ? 0 : (double)(r >> 32 & 7);
	else if (i % 4 > 1)
		c->v += (double)(r >> 32 & 127);
	return c->v;
}

static int add_days(struct backfill *b, size_t n, int days, struct err *err)
{
	struct counter *counters = xcalloc(n, sizeof(*counters));
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		counters[i].random = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
	for (int day = 0; rc == 0 && day < days; day++) {
		int64_t begin_ms = END_MS - (int64_t)(days - day) * DAY_MS;
		for (uint32_t i = 0; rc == 0 && i < n; i++) {
			/* Targets are scraped at times of their own. */
			int64_t t_ms = begin_ms + (int64_t)(i / PER_TARGET * 7919 % STEP_MS);
			for (; rc == 0 && t_ms < begin_ms + DAY_MS; t_ms += STEP_MS)
				rc = backfill_add(b, i, t_ms, counter_next(&counters[i], i), err);
		}
		if (rc == 0)
			rc = backfill_flush(b, err);
	}
	free(counters);
	return rc;
}

static void make_days(const char *path, size_t n, int days)
{
	struct backfill_options o = {
	    .fs = fs_real(), .path = path, .max_samples = n * (DAY_MS / STEP_MS) + 1};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct backfill_result result;
	struct backfill *b;
	struct err err;

	fprintf(stderr, "making %zu series of %d days in %s\n", n, days, path);
	if (backfill_open(&o, &b, &err) != 0)
		fail(path, &err);
	for (size_t i = 0; i < n; i++) {
		backfill_series(b, labels_of_series(arena, i));
		arena_reset(arena);
	}
	if (add_days(b, n, days, &err) != 0 || backfill_commit(b, &result, &err) != 0)
		fail(path, &err);
	backfill_close(b);
	arena_free(arena);
}

static struct tsdb *open_store(const char *path)
{
	struct tsdb_options o = {.path = path, .wal_sync = WAL_SYNC_OFF, .future_limit_ms = -1};
	struct tsdb *db;
	struct err err;

	if (tsdb_open(&o, &db, &err) != 0)
		fail(path, &err);
	return db;
}

/* Gives each series a sample at t_ms, so that the head knows it, as it does on a running server. */
static void append_live(struct tsdb *db, size_t n, int64_t t_ms)
{
	enum { AT_ONCE = 10000 };
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample *s = xcalloc(AT_ONCE, sizeof(*s));
	struct appendable *door = tsdb_appendable(db);
	struct append_stats stats;
	struct appender *a;
	struct err err = {.msg = ""};

	for (size_t from = 0; from < n; from += AT_ONCE) {
		size_t k = 0;
		if (door->begin(door, &a, &err) != 0)
			fail("append", &err);
		for (; k < AT_ONCE && from + k < n; k++) {
			s[k] = (struct sample){.t_ms = t_ms, .v = (double)((from + k) % 1000) / 8};
			if (a->ops->add_series(a, NULL, labels_of_series(arena, from + k), &s[k].ref, &err) !=
			    0)
				fail("append", &err);
			arena_reset(arena);
		}
		if (a->ops->append(a, s, k, NULL, &err) != 0 ||
		    a->ops->commit(a, &stats, NULL, NULL, &err) != 0)
			fail("append", &err);
	}
	free(s);
	arena_free(arena);
}

static struct tsdb *open_days(struct bench *b, const char *name, size_t n, int days)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s-%zu", b->dir, name, n);
	if (stat(path, &st) != 0)
		make_days(path, n, days);
	struct tsdb *db = open_store(path);
	append_live(db, n, END_MS);
	return db;
}

/* --- measuring ---------------------------------------------------------------------------------------------------------- */

static double cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static struct query_result *run_once(struct bench *b, struct promql_query *q)
{
	struct query_result *r;
	struct err err;

	if (promql_engine_run(b->engine, q, &r, &err) != 0)
		fail(q->text.ptr, &err);
	return r;
}

static void measure(struct bench *b, struct queryable *store, const char *name, const char *text,
    int64_t end_ms, int64_t range_s, int64_t step_s)
{
	struct query_record record = {0};
	struct promql_query q = {.store = store,
	    .text = slice_cstr(text),
	    .end_ms = end_ms,
	    .start_ms = end_ms - range_s * 1000,
	    .step_ms = step_s * 1000,
	    .record = &record};
	double best_ms = HUGE_VAL, cpu = cpu_ms();
	uint64_t samples = 0;

	for (int k = 0; k < b->rounds; k++) {
		int64_t begun = clock_mono_ns(clock_real());
		struct query_result *r = run_once(b, &q);
		best_ms = fmin(best_ms, (double)(clock_mono_ns(clock_real()) - begun) / 1e6);
		samples = r->stats.samples_decoded;
		query_result_free(r);
	}
	printf("%-12s %-52s %10.2f ms  cpu %10.2f ms  %12llu samples  %8.1f MB\n", name, text, best_ms,
	    (cpu_ms() - cpu) / b->rounds, (unsigned long long)samples, (double)record.bytes / 1e6);
	fflush(stdout);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static size_t scaled(const struct bench *b, size_t n)
{
	return (size_t)((double)n * b->scale);
}

static void row_day(struct bench *b, const char *name)
{
	struct tsdb *db = open_days(b, "day", scaled(b, 10000), 1);

	measure(b, tsdb_queryable(db), name, "sum by (job) (rate(x[5m]))", END_MS, 86400, 60);
	measure(b, tsdb_queryable(db), name, "rate(x[5m])", END_MS, 86400, 600);
	tsdb_close(db);
}

static void row_quarter(struct bench *b, const char *name)
{
	struct tsdb *db =
	    open_days(b, "quarter", scaled(b, strcmp(name, "quarter1k") == 0 ? 1000 : 10000), 90);

	measure(b, tsdb_queryable(db), name, "sum(rate(x[5m]))", END_MS, 90 * 86400, 3600);
	tsdb_close(db);
}

static void row_max(struct bench *b, const char *name)
{
	static const char *const texts[] = {"max_over_time(x[90d])", "min_over_time(x[90d])",
	    "count_over_time(x[90d])", "last_over_time(x[90d])", "sum(increase(x[90d]))", "resets(x[90d])",
	    "changes(x[90d])", "avg_over_time(x[90d])"};
	struct tsdb *db = open_days(b, "quarter", scaled(b, 1000), 90);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		measure(b, tsdb_queryable(db), name, texts[i], END_MS, 0, 0);
	tsdb_close(db);
}

/* A store with n series in the head alone. */
static struct tsdb *open_instant(struct bench *b, size_t n)
{
	char path[4096], command[8192];

	snprintf(path, sizeof(path), "%s/instant", b->dir);
	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	if (system(command) != 0)
		exit(1);
	struct tsdb *db = open_store(path);
	append_live(db, n, END_MS);
	return db;
}

static void row_instant(struct bench *b, const char *name)
{
	struct tsdb *db = open_instant(b, scaled(b, 1000000));
	static const char *const texts[] = {
	    "count(x)", "sum(x)", "sum by (job) (x)", "sum by (job, code) (x)", "max by (instance) (x)"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		measure(b, tsdb_queryable(db), name, texts[i], END_MS + 1000, 0, 0);
	tsdb_close(db);
}

static void row_memory(struct bench *b, const char *name)
{
	struct tsdb *db = open_instant(b, scaled(b, 1000000));
	static const char *const texts[] = {
	    "x", "x + 1", "rate(x[5m])", "topk(10, x)", "x / on (code, instance, job, path) x"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		measure(b, tsdb_queryable(db), name, texts[i], END_MS + 1000, 0, 0);
	tsdb_close(db);
}

static void row_json(struct bench *b, const char *name)
{
	struct tsdb *db = open_days(b, "day", scaled(b, 10000), 1);
	struct promql_query q = {.store = tsdb_queryable(db),
	    .text = SL("rate(x[5m])"),
	    .end_ms = END_MS,
	    .start_ms = END_MS - DAY_MS,
	    .step_ms = 86400}; /* a thousand steps */
	struct query_result *r = run_once(b, &q);
	double best_ms = HUGE_VAL;
	uint64_t points = 0;
	struct strbuf out;

	for (size_t i = 0; i < r->n_series; i++)
		points += r->series[i].n;
	strbuf_init(&out, STRBUF_NO_LIMIT);
	for (int k = 0; k < b->rounds; k++) {
		struct json j;
		strbuf_reset(&out);
		json_init(&j, &out);
		double begun = cpu_ms();
		json_object_begin(&j);
		json_query_result(&j, r, 0);
		json_object_end(&j);
		best_ms = fmin(best_ms, cpu_ms() - begun);
	}
	printf("%-12s %llu points, %.1f MB: %.1f ms CPU, %.1f MB/s\n", name, (unsigned long long)points,
	    (double)out.len / 1e6, best_ms, (double)out.len / 1e3 / best_ms);
	strbuf_done(&out);
	query_result_free(r);
	tsdb_close(db);
}

static void row_query(struct bench *b, const char *text, int64_t range_s, int64_t step_s)
{
	char path[4096];
	struct tsdb_status status;

	snprintf(path, sizeof(path), "%s/data", b->dir);
	struct tsdb *db = open_store(path);
	tsdb_status(db, &status);
	measure(b, tsdb_queryable(db), "query", text, status.max_t_ms, range_s, step_s);
	tsdb_close(db);
}

static const struct {
	const char *name;
	void (*run)(struct bench *b, const char *name);
} rows[] = {
    {"day10k", row_day},
    {"quarter1k", row_quarter},
    {"quarter10k", row_quarter},
    {"max90d", row_max},
    {"instant1m", row_instant},
    {"memory1m", row_memory},
    {"json", row_json},
};

static void run_row(struct bench *b, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, name) == 0) {
			rows[i].run(b, name);
			return;
		}
	}
	fprintf(stderr, "bench_query: no row %s\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	struct bench b = {.dir = "/tmp/promq-bench-query", .rounds = 5, .scale = 1};
	long threads = sysconf(_SC_NPROCESSORS_ONLN) - 1;

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--dir") == 0)
			b.dir = argv[i + 1];
		else if (strcmp(argv[i], "--rounds") == 0)
			b.rounds = atoi(argv[i + 1]);
		else if (strcmp(argv[i], "--threads") == 0)
			threads = atol(argv[i + 1]);
		else if (strcmp(argv[i], "--scale") == 0)
			b.scale = atof(argv[i + 1]);
	}
	mkdir(b.dir, 0777);
	b.pool = threads > 0 ? thread_pool_new("query", (size_t)threads) : NULL;
	struct promql_options options = {.pool = b.pool,
	    .max_samples = UINT64_C(1) << 40,
	    .max_query_bytes = (size_t)16 << 30,
	    .timeout_ms = 3600 * 1000};
	b.engine = promql_engine_new(&options);
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			i++;
		} else if (strcmp(argv[i], "query") == 0 && i + 3 < argc) {
			row_query(&b, argv[i + 1], atoll(argv[i + 2]), atoll(argv[i + 3]));
			i += 3;
		} else {
			run_row(&b, argv[i]);
		}
	}
	promql_engine_free(b.engine);
	thread_pool_free(b.pool);
	return 0;
}
