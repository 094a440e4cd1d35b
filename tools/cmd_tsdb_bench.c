/* promq tsdb bench write: how fast this machine takes samples, and what they cost on disk */
#include "base/xmalloc.h"
#include "storage/appender.h"
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tsdb/tsdb.h"
#include <inttypes.h>

static const char help[] = "Usage: promq tsdb bench write [OPTION]... DIR\n"
			   "\n"
			   "Makes a store in DIR, which must not be there, appends generated samples as "
			   "scrapes would, seals it, and prints\n"
			   "samples per second and bytes per sample. DIR stays.\n"
			   "\n"
			   "  --metrics N   series (default: 10000)\n"
			   "  --scrapes N   samples of each, 15 s apart (default: 1000)\n";

enum { SCRAPE_MS = 15000, MAX_SERIES = 50000000 };

struct bench {
	struct cli *cli;
	const char *dir;
	int64_t metrics, scrapes;
	struct sample *samples; /* one a series */
	uint64_t random;
};

/* A small generator: the same samples on every machine. */
static uint64_t next_random(struct bench *b)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random;
}

static int add_series(struct bench *b, struct appender *a, struct err *err)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	int rc = 0;
	for (int64_t i = 0; rc == 0 && i < b->metrics; i++) {
		arena_reset(arena);
		struct slice metric = arena_printf(arena, "bench_metric_%" PRId64, i % 100);
		struct slice pod = arena_printf(arena, "pod-%" PRId64, i / 100);
		const struct label l[] = {
		    {SL(LABEL_NAME), metric}, {SL("job"), SL("bench")}, {SL("pod"), pod}};
		rc = a->ops->add_series(
		    a, NULL, labels_from_sorted(arena, l, ARRAY_LEN(l)), &b->samples[i].ref, err);
	}
	arena_free(arena);
	return rc;
}

/* Counters that grow by some, gauges that wander, constants: a third of each. */
static void next_values(struct bench *b, int64_t t_ms)
{
	for (int64_t i = 0; i < b->metrics; i++) {
		struct sample *s = &b->samples[i];
		uint64_t r = next_random(b);
		s->t_ms = t_ms;
		if (i % 3 == 0)
			s->v += (double)(r % 100);
		else if (i % 3 == 1)
			s->v = (double)(r % 10000) / 100;
	}
}

static int append_scrape(struct bench *b, struct tsdb *db, bool is_first, struct err *err)
{
	struct appender *a;
	struct append_stats stats;
	int rc = tsdb_appendable(db)->begin(tsdb_appendable(db), &a, err);
	if (rc != 0)
		return rc;
	if (is_first)
		rc = add_series(b, a, err);
	if (rc == 0)
		rc = a->ops->append(a, b->samples, (size_t)b->metrics, NULL, err);
	for (int64_t i = 0; i < b->metrics; i++) /* references are kept from scrape to scrape */
		b->samples[i].round = a->round;
	if (rc != 0) {
		a->ops->rollback(a);
		return rc;
	}
	return a->ops->commit(a, &stats, NULL, NULL, err);
}

static void print_speed(struct bench *b, const char *what, uint64_t samples, int64_t ns)
{
	double seconds = (double)(ns > 0 ? ns : 1) / 1e9;
	strbuf_addf(b->cli->out, "%s: %" PRIu64 " samples in %.2f s: %.0f samples/s\n", what, samples,
	    seconds, (double)samples / seconds);
}

static int write_all(struct bench *b, struct tsdb *db, struct err *err)
{
	struct clock *clock = b->cli->clock;
	int64_t first_ms = clock_now_ms(clock) - b->scrapes * SCRAPE_MS;
	uint64_t samples = (uint64_t)b->metrics * (uint64_t)b->scrapes;
	int64_t start_ns = clock_mono_ns(clock);
	int rc = 0;
	for (int64_t i = 0; rc == 0 && i < b->scrapes; i++) {
		next_values(b, first_ms + i * SCRAPE_MS);
		rc = append_scrape(b, db, i == 0, err);
	}
	if (rc == 0)
		rc = tsdb_sync(db, err);
	int64_t appended_ns = clock_mono_ns(clock);
	if (rc == 0)
		rc = tsdb_seal_all(db, err);
	if (rc != 0)
		return rc;
	struct tsdb_status status;
	tsdb_status(db, &status);
	print_speed(b, "appended", samples, appended_ns - start_ns);
	print_speed(b, "sealed", status.part_samples, clock_mono_ns(clock) - appended_ns);
	strbuf_addf(b->cli->out, "on disk: %" PRIu64 " bytes in %" PRIu64 " parts: %.2f bytes/sample\n",
	    status.part_bytes, status.parts,
	    (double)status.part_bytes / (double)(status.part_samples ? status.part_samples : 1));
	return 0;
}

static int run(struct bench *b)
{
	struct tsdb_options o = {.path = b->dir, .clock = b->cli->clock};
	struct tsdb *db;
	struct err err;
	if (fs_exists(fs_real(), b->dir))
		return cli_fail(b->cli, "tsdb bench write: %s is there already", b->dir);
	if (tsdb_open(&o, &db, &err) != 0)
		return cli_fail(b->cli, "%s", err.msg);
	b->samples = xcalloc((size_t)b->metrics, sizeof(*b->samples));
	int rc = write_all(b, db, &err);
	free(b->samples);
	tsdb_close(db);
	return rc == 0 ? EXIT_OK : cli_fail(b->cli, "%s", err.msg);
}

int cmd_tsdb_bench(struct cli *cli, int argc, char **argv)
{
	struct bench b = {.cli = cli, .metrics = 10000, .scrapes = 1000, .random = 88172645463325252u};
	const struct argument known[] = {
	    {"metrics", 0, ARGUMENT_NUMBER, &b.metrics}, {"scrapes", 0, ARGUMENT_NUMBER, &b.scrapes}};
	char **rest;
	int n_rest;
	if (argc < 2 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "--help") != 0))
		return cli_fail(cli, "tsdb bench: want \"write\" (see promq tsdb bench --help)");
	bool is_write = strcmp(argv[1], "write") == 0;
	int code = arguments_parse(cli, "tsdb bench write", help, known, ARRAY_LEN(known), argc - is_write,
	    argv + is_write, &rest, &n_rest);
	if (code >= 0)
		return code;
	if (n_rest != 1)
		return cli_fail(cli, "tsdb bench write: want DIR, a folder that is not there yet");
	if (b.metrics < 1 || b.metrics > MAX_SERIES || b.scrapes < 1 || b.scrapes > MAX_SERIES)
		return cli_fail(cli, "tsdb bench write: --metrics and --scrapes are 1 to %d", MAX_SERIES);
	b.dir = rest[0];
	return run(&b);
}
