#include "tests/tsdb/store_probe.h"

#include "model/stale_marker.h"
#include <inttypes.h>
#include <stdlib.h>

static int no_syncs(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)arg, (void)path, (void)n;
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

struct fs *probe_fs(void)
{
	static struct fs *fs;
	if (!fs)
		fs = fs_faulty_new(no_syncs, NULL);
	return fs;
}

struct tsdb *probe_open(const char *dir, struct clock *clock, const struct tsdb_options *given)
{
	struct tsdb_options o = given ? *given : (struct tsdb_options){0};
	struct tsdb *db;
	struct err err;
	o.path = dir;
	o.clock = clock;
	o.fs = o.fs ? o.fs : probe_fs();
	check_ok("open", tsdb_open(&o, &db, &err), &err);
	return db;
}

enum append_result probe_add(struct tsdb *db, const struct labels *labels, int64_t t_ms, double v)
{
	struct appendable *door = tsdb_appendable(db);
	struct appender *a;
	struct err err;
	struct append_stats stats;
	series_ref ref;
	check_ok("begin", door->begin(door, &a, &err), &err);
	check_ok("add series", a->ops->add_series(a, NULL, labels, &ref, &err), &err);
	struct sample s = {.ref = ref, .t_ms = t_ms, .v = v};
	check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	for (int r = 0; r < APPEND_RESULTS; r++)
		if (stats.by_result[r])
			return (enum append_result)r;
	fail_msg("the sample is not in the stats");
	return APPEND_RESULTS;
}

enum append_result probe_add_histogram(
    struct tsdb *db, const struct labels *labels, int64_t t_ms, const struct histogram *h)
{
	struct appendable *door = tsdb_appendable(db);
	struct appender *a;
	struct err err;
	struct append_stats stats;
	series_ref ref;
	check_ok("begin", door->begin(door, &a, &err), &err);
	check_ok("add series", a->ops->add_series(a, NULL, labels, &ref, &err), &err);
	struct histogram_sample s = {.ref = ref, .t_ms = t_ms, .h = h};
	check_ok("append", a->ops->append_histograms(a, &s, 1, NULL, &err), &err);
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	for (int r = 0; r < APPEND_RESULTS; r++)
		if (stats.by_result[r])
			return (enum append_result)r;
	fail_msg("the histogram is not in the stats");
	return APPEND_RESULTS;
}

void probe_print_column(struct strbuf *out, const struct sample_column *c, size_t from)
{
	for (size_t i = from; i < c->n; i++) {
		strbuf_addf(out, " %" PRId64 "=", c->t[i]);
		if (c->h && c->h[i])
			histogram_print(out, c->h[i]);
		else
			strbuf_addf(out, "%" PRIx64, double_bits(c->v[i]));
	}
}

static char *dump(struct queryable *door, const struct matcher *const *matchers, size_t n, int64_t min_t_ms,
    int64_t max_t_ms, bool newest)
{
	struct strbuf out = STRBUF_INIT;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *q;
	struct series_set *set;
	struct err err;
	struct select_hints hints = {.start_ms = min_t_ms, .end_ms = max_t_ms, .newest_only = newest};
	check_ok("open querier", door->open(door, min_t_ms, max_t_ms, &q, &err), &err);
	check_ok("select", q->ops->select(q, arena, matchers, n, true, &hints, &set, &err), &err);
	struct sample_column c;
	sample_column_init(&c, arena);
	for (size_t i = 0; i < set->n; i++) {
		size_t bound = set->ops->estimate(set, i);
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		if (c.n > bound)
			fail_msg("%zu samples, estimated %zu", c.n, bound);
		if (c.n == 0)
			continue;
		labels_print(&out, set->ops->labels(set, i, arena));
		probe_print_column(&out, &c, newest ? c.n - 1 : 0);
		strbuf_addch(&out, '\n');
	}
	sample_column_done(&c);
	q->ops->close(q);
	arena_free(arena);
	return strbuf_take(&out);
}

char *probe_dump(
    struct queryable *q, const struct matcher *const *matchers, size_t n, int64_t min_t_ms, int64_t max_t_ms)
{
	return dump(q, matchers, n, min_t_ms, max_t_ms, false);
}

char *probe_dump_newest(
    struct queryable *q, const struct matcher *const *matchers, size_t n, int64_t min_t_ms, int64_t max_t_ms)
{
	return dump(q, matchers, n, min_t_ms, max_t_ms, true);
}

char *probe_names(struct queryable *door, const char *name, const struct matcher *const *matchers, size_t n)
{
	struct strbuf out = STRBUF_INIT;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *q;
	struct slice *texts;
	size_t len;
	bool truncated;
	struct err err;
	check_ok("open querier", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	int rc = name ? q->ops->label_values(
			    q, arena, slice_cstr(name), matchers, n, 0, &texts, &len, &truncated, &err)
		      : q->ops->label_names(q, arena, matchers, n, 0, &texts, &len, &truncated, &err);
	check_ok("names", rc, &err);
	for (size_t i = 0; i < len; i++)
		strbuf_addf(&out, "%s%" SL_FMT, i ? "," : "", SL_ARG(texts[i]));
	q->ops->close(q);
	arena_free(arena);
	return strbuf_take(&out);
}
