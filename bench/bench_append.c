/* How fast the store takes samples, and what a series costs: appends S series x N steps straight into the engine, in
 * transactions as remote write would make them, and prints CPU and wall time per sample and memory per series.
 *
 *   bench_append [SERIES [STEPS [BATCH [always|interval|off]]]]     default 100000 120 2000 off
 *
 * A fifth of the series never changes, the others are counters and gauges of two decimals. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/xmalloc.h"
#include "model/labels.h"
#include "tsdb/tsdb.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { STEP_MS = 15000, PER_TARGET = 500 };

struct bench {
	struct tsdb *db;
	uint64_t series, steps, batch;
	int64_t start_ms;
	series_ref *refs;
	double *values;
	uint64_t random;
};

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double resident_bytes(void)
{
	long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f && fscanf(f, "%ld %ld", &pages, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return (double)resident * 4096;
}

static void fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->msg);
	exit(1);
}

static struct appender *begin(struct bench *b)
{
	struct appender *a;
	struct err err;
	struct appendable *door = tsdb_appendable(b->db);
	if (door->begin(door, &a, &err) != 0)
		fail(&err);
	return a;
}

/* Twelve labels, as a scrape of many targets with many metrics has them. */
static const struct labels *labels_of_series(struct arena *arena, uint64_t i)
{
	char instance[32], pod[48], metric[48], device[16];
	uint64_t target = i / PER_TARGET, in_target = i % PER_TARGET;
	snprintf(instance, sizeof(instance), "10.%" PRIu64 ".%" PRIu64 ".7:9100", target / 200, target % 200);
	snprintf(pod, sizeof(pod), "node-exporter-%" PRIx64, target * 2654435761u % 0xfffff);
	snprintf(metric, sizeof(metric), "node_some_metric_%" PRIu64 "_total", in_target / 4);
	snprintf(device, sizeof(device), "dev%" PRIu64, in_target % 4);
	return labels_of(arena, "__name__", metric, "cluster", "eu-west-1", "container", "node-exporter",
	    "device", device, "endpoint", "metrics", "instance", instance, "job", "node", "mode", "rw",
	    "namespace", "monitoring", "pod", pod, "region", "eu", "service", "prometheus-node-exporter",
	    NULL);
}

static struct series_key key_of(uint64_t i)
{
	struct hash128 h = hash128(&i, sizeof(i), 7);
	return (struct series_key){h.lo, h.hi};
}

static void make_series(struct bench *b)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct appender *a = begin(b);
	for (uint64_t i = 0; i < b->series; i++) {
		struct err err;
		struct series_key key = key_of(i);
		if (a->ops->add_series(a, &key, labels_of_series(arena, i), &b->refs[i], &err) != 0)
			fail(&err);
		arena_reset(arena);
	}
	a->ops->rollback(a);
	arena_free(arena);
}

static double next_value(struct bench *b, uint64_t i)
{
	b->random = b->random * 6364136223846793005u + 1442695040888963407u;
	uint64_t r = b->random >> 33;
	if (i % 5 == 0)
		return b->values[i];
	if (i % 5 == 1)
		return b->values[i] = (double)(r % 10000) / 100;
	return b->values[i] += (double)(r % 4 ? 0 : r % 1000);
}

static void append_batch(struct bench *b, uint64_t from, uint64_t to, int64_t t_ms, struct series_key *keys,
    series_ref *refs, struct sample *samples)
{
	struct appender *a = begin(b);
	struct append_stats stats;
	struct err err;
	size_t n = to - from;
	for (size_t i = 0; i < n; i++)
		keys[i] = key_of(from + i);
	a->ops->find(a, keys, n, refs);
	for (size_t i = 0; i < n; i++)
		samples[i] = (struct sample){.ref = refs[i], .t_ms = t_ms, .v = next_value(b, from + i)};
	if (a->ops->append(a, samples, n, NULL, &err) != 0 ||
	    a->ops->commit(a, &stats, NULL, NULL, &err) != 0)
		fail(&err);
	if (stats.by_result[APPEND_OK] != n) {
		fprintf(stderr, "%" PRIu64 " of %zu samples were taken\n", stats.by_result[APPEND_OK], n);
		exit(1);
	}
}

static void append_all(struct bench *b)
{
	struct series_key *keys = xreallocarray(NULL, b->batch, sizeof(*keys));
	series_ref *refs = xreallocarray(NULL, b->batch, sizeof(*refs));
	struct sample *samples = xreallocarray(NULL, b->batch, sizeof(*samples));
	for (uint64_t step = 0; step < b->steps; step++)
		for (uint64_t i = 0; i < b->series; i += b->batch) {
			uint64_t to = i + b->batch < b->series ? i + b->batch : b->series;
			append_batch(b, i, to, b->start_ms + (int64_t)step * STEP_MS, keys, refs, samples);
		}
	free(samples);
	free(refs);
	free(keys);
}

static void report(const char *what, uint64_t n, double cpu, double wall)
{
	printf("%-10s %12" PRIu64 "  cpu %8.1f ns each  wall %8.1f ns each  %.3f s\n", what, n,
	    cpu / (double)n * 1e9, wall / (double)n * 1e9, wall);
}

static double wall_seconds(void)
{
	return (double)clock_mono_ns(clock_real()) / 1e9;
}

static uint64_t argument(int argc, char **argv, int i, uint64_t otherwise)
{
	return argc > i ? strtoull(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	struct bench b = {.series = argument(argc, argv, 1, 100000),
	    .steps = argument(argc, argv, 2, 120),
	    .batch = argument(argc, argv, 3, 2000),
	    .random = 1};
	const char *sync = argc > 4 ? argv[4] : "off";
	char *dir =
	    xasprintf("%s/bench_append.%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	struct tsdb_options o = {.path = dir,
	    .future_limit_ms = -1,
	    .wal_sync = strcmp(sync, "always") == 0     ? WAL_SYNC_ALWAYS
			: strcmp(sync, "interval") == 0 ? WAL_SYNC_INTERVAL
							: WAL_SYNC_OFF};
	struct err err;
	b.refs = xcalloc(b.series, sizeof(*b.refs));
	b.values = xcalloc(b.series, sizeof(*b.values));
	b.start_ms = clock_now_ms(clock_real());
	if (tsdb_open(&o, &b.db, &err) != 0)
		fail(&err);
	double before = resident_bytes(), cpu = cpu_seconds(), wall = wall_seconds();
	make_series(&b);
	report("series", b.series, cpu_seconds() - cpu, wall_seconds() - wall);
	printf("%-10s %12.1f bytes a series\n", "memory", (resident_bytes() - before) / (double)b.series);
	cpu = cpu_seconds();
	wall = wall_seconds();
	append_all(&b);
	if (tsdb_sync(b.db, &err) != 0)
		fail(&err);
	report("samples", b.series * b.steps, cpu_seconds() - cpu, wall_seconds() - wall);
	struct tsdb_status s;
	tsdb_status(b.db, &s);
	printf("%-10s %12.1f bytes a series (%.1f accounted), log %.2f bytes a sample\n", "memory",
	    (resident_bytes() - before) / (double)b.series, (double)s.head_memory_bytes / (double)b.series,
	    (double)s.wal_bytes / (double)(b.series * b.steps));
	cpu = cpu_seconds();
	wall = wall_seconds();
	tsdb_close(b.db);
	if (tsdb_open(&o, &b.db, &err) != 0)
		fail(&err);
	report("replay", b.series * b.steps, cpu_seconds() - cpu, wall_seconds() - wall);
	cpu = cpu_seconds();
	wall = wall_seconds();
	if (tsdb_seal_all(b.db, &err) != 0)
		fail(&err);
	report("seal", b.series * b.steps, cpu_seconds() - cpu, wall_seconds() - wall);
	tsdb_status(b.db, &s);
	printf("%-10s %12.3f bytes a sample on disk, %" PRIu64 " parts\n", "parts",
	    (double)s.part_bytes / (double)s.part_samples, s.parts);
	tsdb_close(b.db);
	if (fs_remove_tree(fs_real(), dir, &err) != 0)
		fail(&err);
	free(b.refs);
	free(b.values);
	free(dir);
	return 0;
}
