/* Joining random parts, beside storage/mem_store.h: overlapping ones, with samples at the same times, floats and histograms. */
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "storage/mem_store.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/compact_run.h"
#include "tsdb/part_read.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 30, MAX_PARTS = 6, SERIES = 24, TIMES = 3000, CACHE_BYTES = 1 << 20 };

struct world {
	struct test_random random;
	struct arena *arena;
	char *dir;
	struct mem_store *naive;
	struct page_cache *cache;
	const struct labels *labels[SERIES];
	size_t n;
	struct part_meta parts[MAX_PARTS];
};

static void make_labels(struct world *w)
{
	for (int i = 0; i < SERIES; i++)
		w->labels[i] = labels_of(w->arena, "__name__", i % 3 ? "a" : "b", "n",
		    arena_printf(w->arena, "%02d", i).ptr, NULL);
}

static int by_labels(const void *a, const void *b)
{
	return labels_cmp(*(const struct labels *const *)a, *(const struct labels *const *)b);
}

static const struct histogram *some_histogram(struct world *w)
{
	struct histogram *h = ARENA_NEW(w->arena, struct histogram);
	h->schema = 3;
	h->count = h->zero_count = (double)test_random_below(&w->random, 50);
	h->sum = test_random_unit(&w->random);
	return h;
}

/* Runs of floats, and now and then of histograms. */
static void fill(struct world *w, struct sample_column *c, bool histograms)
{
	int64_t t = (int64_t)test_random_below(&w->random, TIMES) * 1000;
	size_t n = 1 + test_random_below(&w->random, test_random_below(&w->random, 3) ? 40 : 1500);
	bool is_histogram = false;
	for (size_t i = 0; i < n; i++, t += 1000 * (1 + (int64_t)(test_random_below(&w->random, 8) == 0))) {
		if (histograms && test_random_below(&w->random, 20) == 0)
			is_histogram = !is_histogram;
		double v = i % 97 == 5 ? double_from_bits(STALE_NAN_BITS)
				       : (double)test_random_below(&w->random, 1000) / 10;
		const struct histogram *h = is_histogram ? some_histogram(w) : NULL;
		assert_true(sample_column_push(c, t, h ? 0 : v, h));
	}
}

static void write_part(struct world *w, const char *dir, uint64_t seq, struct part_meta *meta)
{
	struct part_write_options o = {.fs = probe_fs(), .parts_dir = dir, .seq = seq, .chunk_samples = 100};
	struct part_writer *writer;
	struct err err;
	check_ok("new", part_writer_new(&o, &writer, &err), &err);
	for (int i = 0; i < SERIES; i++) {
		struct sample_column c;
		if (test_random_below(&w->random, 3) == 0 && !(i == SERIES - 1))
			continue;
		sample_column_init(&c, w->arena);
		fill(w, &c, i % 4 == 0);
		check_ok("series", part_writer_series(writer, w->labels[i], &err), &err);
		check_ok("samples", part_writer_column(writer, &c, &err), &err);
		for (size_t k = 0; k < c.n; k++)
			mem_store_add(w->naive, w->labels[i], c.t[k], c.v[k], c.h ? c.h[k] : NULL);
		sample_column_done(&c);
	}
	check_ok("commit", part_writer_commit(writer, meta, &err), &err);
}

static char *print_part(struct world *w, const char *name)
{
	struct strbuf out = STRBUF_INIT;
	struct part *p;
	struct sample_column c;
	struct err err;
	check_ok("open", part_open(probe_fs(), w->dir, name, w->cache, &p, &err), &err);
	check_ok("verify", part_verify(p, &err), &err);
	sample_column_init(&c, w->arena);
	for (uint32_t i = 0; i < part_series_count(p); i++) {
		const struct labels *labels;
		sample_column_reset(&c);
		check_ok("labels", part_labels(p, i, w->arena, &labels, &err), &err);
		check_ok("read", part_read(p, i, INT64_MIN, INT64_MAX, &c, &err), &err);
		labels_print(&out, labels);
		probe_print_column(&out, &c, 0);
		strbuf_addch(&out, '\n');
	}
	sample_column_done(&c);
	part_unref(p);
	return strbuf_take(&out);
}

static void check_same_file(struct world *w, const char *a, const char *b, const char *file)
{
	size_t n[2];
	char *path[2] = {xasprintf("%s/%s/%s", w->dir, a, file), xasprintf("%s/%s/%s", w->dir, b, file)};
	char *text[2] = {test_read_file(path[0], &n[0]), test_read_file(path[1], &n[1])};
	check_slice(file, slice_of(text[0], n[0]), slice_of(text[1], n[1]));
	for (int i = 0; i < 2; i++) {
		free(path[i]);
		free(text[i]);
	}
}

/* Of the samples from `min` to `max`. False: there are none. */
static bool join_some(struct world *w, uint64_t seq, int64_t min, int64_t max, struct part_meta *meta)
{
	const struct part_meta *parts[MAX_PARTS];
	uint64_t seqs[MAX_PARTS];
	struct err err;
	bool is_empty;
	for (size_t i = 0; i < w->n; i++) {
		parts[i] = &w->parts[i];
		seqs[i] = w->parts[i].seq;
	}
	struct compact_run run = {.fs = probe_fs(),
	    .parts_dir = w->dir,
	    .parts = parts,
	    .n = w->n,
	    .min_t_ms = min,
	    .max_t_ms = max,
	    .level = 2,
	    .seq = seq,
	    .sources = seqs,
	    .n_sources = w->n};
	check_ok("join", compact_run(&run, meta, &is_empty, &err), &err);
	return !is_empty;
}

static struct part_meta join(struct world *w, uint64_t seq)
{
	struct part_meta meta;
	check_true("something is left", join_some(w, seq, INT64_MIN, INT64_MAX, &meta));
	return meta;
}

static void joined_is_what_all_had(void **state)
{
	(void)state;
	struct world w = {0};
	test_random_init(&w.random);
	for (int round = 0; round < ROUNDS; round++) {
		w.arena = arena_new(ARENA_NO_LIMIT);
		w.dir = test_tmpdir();
		w.naive = mem_store_new();
		w.cache = page_cache_new(CACHE_BYTES);
		w.n = 1 + test_random_below(&w.random, MAX_PARTS);
		make_labels(&w);
		qsort(w.labels, SERIES, sizeof(w.labels[0]), by_labels);
		/* Backwards: the naive one keeps what came last, and the oldest part counts. */
		for (size_t i = w.n; i-- > 0;)
			write_part(&w, w.dir, i + 1, &w.parts[i]);
		struct part_meta a = join(&w, 50), b = join(&w, 60);
		check_int("level", a.level, 2);
		check_int("parents", a.n_parents, w.n);
		check_int("stands for the newest", a.newest_seq, w.n);
		char *got = print_part(&w, a.name);
		char *want = probe_dump(mem_store_queryable(w.naive), NULL, 0, INT64_MIN, INT64_MAX);
		check_str("samples", slice_cstr(got), want);
		check_same_file(&w, a.name, b.name, "chunks");
		check_same_file(&w, a.name, b.name, "dir");
		check_same_file(&w, a.name, b.name, "index");
		free(got);
		free(want);
		page_cache_free(w.cache);
		mem_store_free(w.naive);
		test_tmpdir_done(w.dir);
		arena_free(w.arena);
	}
}

/* Cut at a time: the one has what is before it, the other the rest. */
static void pieces_share_the_samples(void **state)
{
	(void)state;
	struct world w = {0};
	test_random_init(&w.random);
	for (int round = 0; round < ROUNDS; round++) {
		w.arena = arena_new(ARENA_NO_LIMIT);
		w.dir = test_tmpdir();
		w.naive = mem_store_new();
		w.cache = page_cache_new(CACHE_BYTES);
		w.n = 1 + test_random_below(&w.random, MAX_PARTS);
		make_labels(&w);
		qsort(w.labels, SERIES, sizeof(w.labels[0]), by_labels);
		for (size_t i = w.n; i-- > 0;)
			write_part(&w, w.dir, i + 1, &w.parts[i]);
		struct part_meta piece[2];
		int64_t cut = (int64_t)test_random_below(&w.random, 2 * TIMES) * 1000;
		const int64_t min[] = {INT64_MIN, cut}, max[] = {cut - 1, INT64_MAX};
		for (size_t i = 0; i < 2; i++) {
			bool any = join_some(&w, 50 + i, min[i], max[i], &piece[i]);
			char *got = any ? print_part(&w, piece[i].name) : xstrdup("");
			char *want = probe_dump(mem_store_queryable(w.naive), NULL, 0, min[i], max[i]);
			check_str(i ? "behind" : "before", slice_cstr(got), want);
			free(got);
			free(want);
		}
		page_cache_free(w.cache);
		mem_store_free(w.naive);
		test_tmpdir_done(w.dir);
		arena_free(w.arena);
	}
}

static void short_chunks_become_long(void **state)
{
	(void)state;
	struct world w = {.n = 4};
	struct err err;
	w.arena = arena_new(ARENA_NO_LIMIT);
	w.dir = test_tmpdir();
	make_labels(&w);
	for (size_t i = 0; i < w.n; i++) {
		struct part_write_options o = {
		    .fs = probe_fs(), .parts_dir = w.dir, .seq = i + 1, .chunk_samples = 128};
		struct part_writer *writer;
		check_ok("new", part_writer_new(&o, &writer, &err), &err);
		check_ok("series", part_writer_series(writer, w.labels[0], &err), &err);
		for (int64_t k = 0; k < 512; k++) {
			int64_t t = ((int64_t)i * 512 + k) * 15000;
			double v = (double)k;
			check_ok("sample", part_writer_floats(writer, &t, &v, 1, &err), &err);
		}
		check_ok("commit", part_writer_commit(writer, &w.parts[i], &err), &err);
		check_int("short", w.parts[i].chunks, 4);
	}
	struct part_meta joined = join(&w, 9);
	check_int("samples", joined.samples, 2048);
	check_int("long", joined.chunks, 1);
	test_tmpdir_done(w.dir);
	arena_free(w.arena);
}

static void it_can_be_stopped(void **state)
{
	(void)state;
	struct world w = {.n = 2};
	struct err err;
	struct part_meta meta;
	bool is_empty;
	atomic_bool stop = true;
	test_random_init(&w.random);
	w.arena = arena_new(ARENA_NO_LIMIT);
	w.dir = test_tmpdir();
	w.naive = mem_store_new();
	make_labels(&w);
	qsort(w.labels, SERIES, sizeof(w.labels[0]), by_labels);
	write_part(&w, w.dir, 1, &w.parts[0]);
	write_part(&w, w.dir, 2, &w.parts[1]);
	const struct part_meta *parts[] = {&w.parts[0], &w.parts[1]};
	struct compact_run run = {.fs = probe_fs(),
	    .parts_dir = w.dir,
	    .parts = parts,
	    .n = 2,
	    .min_t_ms = INT64_MIN,
	    .max_t_ms = INT64_MAX,
	    .level = 1,
	    .seq = 3,
	    .stop = &stop};
	check_int("stopped", compact_run(&run, &meta, &is_empty, &err), ERR_CANCELED);
	char *left = xasprintf("%s/part-0000000000000003.tmp", w.dir);
	check_true("nothing is left", !fs_exists(probe_fs(), left));
	free(left);
	mem_store_free(w.naive);
	test_tmpdir_done(w.dir);
	arena_free(w.arena);
}

TEST_MAIN("compact run", cmocka_unit_test(joined_is_what_all_had), cmocka_unit_test(pieces_share_the_samples),
    cmocka_unit_test(short_chunks_become_long), cmocka_unit_test(it_can_be_stopped))
