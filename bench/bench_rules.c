/* bench_rules: what a cycle of rules costs, store included: half of the rules record a rate, half alert and fire.
 *
 *   bench_rules [RULES [SERIES [CYCLES]]]     2000 rules over 20000 series; 10 cycles
 *
 * Prints CPU seconds and wall time of each cycle, and the number of firing alerts. A cycle is one evaluation of each group;
 * groups hold 20 rules. Samples of the series arrive before each cycle and are not counted. */
#include "base/xmalloc.h"
#include "config/config_check.h"
#include "rules/rule_manager.h"
#include "tsdb/tsdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MINUTE_MS = 60000, PER_GROUP = 20 };
#define START_MS INT64_C(1700000000000)

struct bench {
	struct alert_sink sink; /* first */
	int n_rules, n_series, n_jobs;
	char *dir;
	struct clock *clock;
	struct scheduler *scheduler;
	struct tsdb *db;
	struct promql_engine *engine;
	struct rule_manager *manager;
	struct kept_ref *refs;
	size_t n_sent;
};

static void must(int rc, const struct err *err, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_rules: %s: %s\n", what, err->msg);
	exit(1);
}

static void count_alerts(struct alert_sink *self, const struct alert *alerts, size_t n, int64_t now_ms)
{
	(void)alerts;
	(void)now_ms;
	((struct bench *)(void *)self)->n_sent += n;
}

static void write_files(const struct bench *b)
{
	char *path = xasprintf("%s/prometheus.yml", b->dir);
	FILE *f = fopen(path, "w");
	if (!f)
		exit(1);
	fputs("global: {evaluation_interval: 1m}\nrule_files: [rules.yml]\n", f);
	fclose(f);
	free(path);
	path = xasprintf("%s/rules.yml", b->dir);
	f = fopen(path, "w");
	if (!f)
		exit(1);
	fputs("groups:\n", f);
	for (int i = 0; i < b->n_rules; i++) {
		int job = i / 2 % b->n_jobs;
		if (i % PER_GROUP == 0)
			fprintf(f, "- name: g%d\n  rules:\n", i / PER_GROUP);
		if (i % 2)
			fprintf(f,
			    "  - alert: Busy%d\n    expr: work_total{job=\"j%d\"} > 0\n    labels: "
			    "{severity: page}\n"
			    "    annotations: {summary: \"{{ $labels.instance }} has done {{ $value | "
			    "humanize }}\"}\n",
			    i, job);
		else
			fprintf(f,
			    "  - record: job:work:rate5m_%d\n    expr: sum by (job) "
			    "(rate(work_total{job=\"j%d\"}[5m]))\n",
			    i, job);
	}
	fclose(f);
	free(path);
}

static void add_samples(struct bench *b, int64_t t_ms, double v)
{
	struct appendable *door = tsdb_appendable(b->db);
	struct appender *a;
	struct err err;
	must(door->begin(door, &a, &err), &err, "append");
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	for (int i = 0; i < b->n_series; i++) {
		char job[24], instance[24];
		snprintf(job, sizeof(job), "j%d", i % b->n_jobs);
		snprintf(instance, sizeof(instance), "host-%d:9100", i / b->n_jobs);
		enum append_result r;
		const struct labels *labels = b->refs[i].ref ? NULL
							 : labels_of(arena, LABEL_NAME, "work_total",
							       "instance", instance, "job", job, NULL);
		must(appender_append_one(a, &b->refs[i], labels, t_ms, v, &r, &err), &err, "append");
	}
	struct append_stats stats;
	must(a->ops->commit(a, &stats, NULL, NULL, &err), &err, "commit");
	arena_free(arena);
}

static double cpu_seconds(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void load_rules(struct bench *b)
{
	char *path = xasprintf("%s/prometheus.yml", b->dir);
	struct config_generation *g = config_generation_load(&(struct config_options){.path = path});
	struct err err;
	must(rule_manager_load(b->manager, g, &err), &err, "load");
	config_generation_unref(g);
	free(path);
}

static void open_all(struct bench *b)
{
	char *data = xasprintf("%s/data", b->dir);
	struct err err;
	b->clock = clock_virtual_new(START_MS);
	b->scheduler = scheduler_new(b->clock, NULL);
	struct tsdb_options options = {.path = data, .clock = b->clock, .wal_sync = WAL_SYNC_OFF};
	must(tsdb_open(&options, &b->db, &err), &err, "open");
	b->engine = promql_engine_new(&(struct promql_options){.clock = b->clock});
	b->manager = rule_manager_new(&(struct rule_manager_options){.scheduler = b->scheduler,
	    .engine = b->engine,
	    .queryable = tsdb_queryable(b->db),
	    .appendable = tsdb_appendable(b->db),
	    .sink = &b->sink});
	free(data);
}

static void close_all(struct bench *b)
{
	rule_manager_free(b->manager);
	promql_engine_free(b->engine);
	tsdb_close(b->db);
	scheduler_free(b->scheduler);
	clock_virtual_free(b->clock);
	struct err err;
	must(fs_remove_tree(fs_real(), b->dir, &err), &err, "remove");
	free(b->refs);
}

int main(int argc, char **argv)
{
	struct bench b = {.sink = {.send = count_alerts}};
	b.n_rules = argc > 1 ? atoi(argv[1]) : 2000;
	b.n_series = argc > 2 ? atoi(argv[2]) : 20000;
	int cycles = argc > 3 ? atoi(argv[3]) : 10;
	if (b.n_rules < 2 || b.n_series < 1 || cycles < 1) {
		fprintf(stderr, "usage: bench_rules [RULES [SERIES [CYCLES]]]\n");
		return 2;
	}
	char dir[] = "/tmp/bench_rules.XXXXXX";
	b.dir = mkdtemp(dir);
	b.n_jobs = b.n_rules / 2;
	b.refs = xcalloc((size_t)b.n_series, sizeof(*b.refs));
	write_files(&b);
	open_all(&b);
	load_rules(&b);
	for (int k = 0; k < cycles; k++) {
		add_samples(&b, clock_now_ms(b.clock), 1.0 + k);
		double cpu = cpu_seconds();
		int64_t start_ns = clock_mono_ns(clock_real());
		b.n_sent = 0;
		scheduler_run_until(b.scheduler, START_MS + (int64_t)(k + 1) * MINUTE_MS);
		printf("cycle %2d: %.3f s CPU, %.3f s wall, %zu alerts sent\n", k + 1, cpu_seconds() - cpu,
		    (double)(clock_mono_ns(clock_real()) - start_ns) / 1e9, b.n_sent);
	}
	close_all(&b);
	return 0;
}
