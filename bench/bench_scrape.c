/* bench_scrape: CPU time a sample of a scraped page, from the bytes of the answer to the committed transaction.
 *
 *   bench_scrape [SERIES [SCRAPES]]     50000 series, 30 scrapes
 *
 * Three rows: parsing alone, parsing and cache over a store that does nothing, and the real store (in $TMPDIR). The page is
 * made anew for each scrape with other values, and that is not counted. CPU time is of all threads. */
#include "base/strbuf.h"
#include "base/xmalloc.h"
#include "scrape/parse_text.h"
#include "scrape/scrape_append.h"
#include "tests/lib/test.h"
#include "tsdb/tsdb.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const int64_t START_MS = 1700000000000, INTERVAL_MS = 15000;

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Ten series a family; half of the values move, as they do. */
static void make_page(struct strbuf *sb, size_t n, size_t scrape)
{
	strbuf_reset(sb);
	for (size_t i = 0; i < n; i++) {
		if (i % 1000 == 0)
			strbuf_addf(sb,
			    "# HELP http_requests_family_%zu_total Requests served.\n"
			    "# TYPE http_requests_family_%zu_total counter\n",
			    i / 1000, i / 1000);
		strbuf_addf(sb,
		    "http_requests_family_%zu_total{method=\"GET\",path=\"/api/v1/items/"
		    "%zu\",code=\"%d\",zone=\"eu-%zu\"} ",
		    i / 1000, i, i % 7 ? 200 : 500, i % 3);
		if (i % 2)
			strbuf_addf(sb, "%zu\n", i * 17);
		else
			strbuf_addf(sb, "%.3f\n", (double)(i * scrape) * 0.125);
	}
}

/* --- a store that does nothing ------------------------------------------------------------------------------------------ */

static series_ref next_ref;

static int null_add_series(struct appender *a, const struct series_key *key, const struct labels *labels,
    series_ref *ref, struct err *err)
{
	(void)a, (void)key, (void)labels, (void)err;
	*ref = ++next_ref;
	return 0;
}

static int null_append(
    struct appender *a, const struct sample *s, size_t n, uint8_t *results, struct err *err)
{
	(void)a, (void)s, (void)n, (void)results, (void)err;
	return 0;
}

static void null_set_metadata(struct appender *a, struct slice metric, const struct metadata *m)
{
	(void)a, (void)metric, (void)m;
}

static int null_commit(struct appender *a, struct append_stats *stats,
    void (*durable)(void *arg, int rc, const char *why), void *arg, struct err *err)
{
	(void)a, (void)stats, (void)durable, (void)arg, (void)err;
	return 0;
}

static const struct appender_ops null_ops = {
    .add_series = null_add_series,
    .append = null_append,
    .set_metadata = null_set_metadata,
    .commit = null_commit,
};
static struct appender null_appender = {&null_ops};

static int null_begin(struct appendable *self, struct appender **out, struct err *err)
{
	(void)self, (void)err;
	*out = &null_appender;
	return 0;
}

/* --- rows ----------------------------------------------------------------------------------------------------------------- */

static void row(const char *name, double seconds, size_t samples, double first_s, size_t series)
{
	printf(
	    "| %s | %.1f | %.1f |\n", name, first_s * 1e9 / (double)series, seconds * 1e9 / (double)samples);
}

static void bench_parse(size_t n, size_t scrapes)
{
	struct strbuf sb = STRBUF_INIT;
	double used = 0;
	for (size_t k = 0; k < scrapes; k++) {
		make_page(&sb, n, k);
		struct text_parser p;
		struct err err;
		double start = cpu_s();
		text_parser_init(&p, strbuf_slice(&sb));
		while (text_parser_next(&p, &err) == 0)
			;
		used += cpu_s() - start;
	}
	row("parsing alone", used, n * scrapes, 0, n);
	strbuf_done(&sb);
}

static void bench_store(const char *name, struct appendable *store, size_t n, size_t scrapes)
{
	struct strbuf sb = STRBUF_INIT;
	struct lock lock;
	struct metadata_cache metadata;
	struct scrape_cache cache;
	struct scrape_config config = {.honor_timestamps = true};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct target target = {.labels = labels_of(arena, "instance", "app-1:8080", "job", "app", NULL)};
	lock_init(&lock, LOCK_SCRAPE_POOL, "bench");
	metadata_cache_init(&metadata, &lock);
	scrape_cache_init(&cache, 1);
	double used = 0, first = 0;
	for (size_t k = 0; k <= scrapes; k++) {
		make_page(&sb, n, k);
		struct err err;
		struct appender *a;
		struct scrape_counts counts;
		struct scrape_page page = {strbuf_slice(&sb), &config, &target, &cache, &metadata,
		    START_MS + (int64_t)k * INTERVAL_MS, START_MS + (int64_t)k * INTERVAL_MS};
		double start = cpu_s();
		int rc = store->begin(store, &a, &err);
		if (rc == 0)
			rc = scrape_append_page(&page, a, &counts, &err);
		if (rc == 0)
			rc = scrape_append_stale(&cache, a, page.t_ms, &err);
		scrape_cache_end(&cache);
		if (rc == 0)
			rc = a->ops->commit(a, NULL, NULL, NULL, &err);
		double seconds = cpu_s() - start;
		*(k == 0 ? &first : &used) += seconds;
		if (rc < 0 || counts.kept != n) {
			fprintf(stderr, "bench_scrape: %s\n", rc < 0 ? err.msg : "samples are missing");
			exit(1);
		}
	}
	row(name, used, n * scrapes, first, n);
	scrape_cache_done(&cache);
	metadata_cache_done(&metadata);
	lock_done(&lock);
	arena_free(arena);
	strbuf_done(&sb);
}

static void bench_tsdb(size_t n, size_t scrapes)
{
	char *path = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS + (int64_t)scrapes * INTERVAL_MS);
	struct tsdb_options o = {.path = path, .clock = clock, .wal_sync = WAL_SYNC_OFF};
	struct tsdb *db;
	struct err err;
	if (tsdb_open(&o, &db, &err) < 0) {
		fprintf(stderr, "bench_scrape: %s\n", err.msg);
		exit(1);
	}
	bench_store("the store", tsdb_appendable(db), n, scrapes);
	tsdb_close(db);
	clock_virtual_free(clock);
	test_tmpdir_done(path);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 50000;
	size_t scrapes = argc > 2 ? strtoull(argv[2], NULL, 10) : 30;
	struct appendable nothing = {null_begin};
	printf("%zu series, %zu scrapes\n\n| to | first scrape, ns a series | later, ns a sample |\n| --- | "
	       "--- | --- |\n",
	    n, scrapes);
	bench_parse(n, scrapes);
	bench_store("cache, no store", &nothing, n, scrapes);
	bench_tsdb(n, scrapes);
	return 0;
}
