/* Late samples beside random parts that overlap: an array says which times they have. */
#include "tsdb/sealed_times.h"

#include "base/xmalloc.h"
#include "model/histogram.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/part_write.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 40, PARTS = 5, SERIES = 70, TIMES = 60, VALUES = 3, CACHE_BYTES = 1 << 20 };
enum { NONE = 0 }; /* else the value + 1; above VALUES a histogram */

struct world {
	struct test_random random;
	struct arena *arena;
	char *dir;
	struct page_cache *cache;
	const struct labels *labels[SERIES];
	struct part *parts[PARTS];
	uint8_t has[PARTS][SERIES][TIMES];
};

static int by_labels(const void *a, const void *b)
{
	return labels_cmp(*(const struct labels *const *)a, *(const struct labels *const *)b);
}

static void push(struct world *w, struct sample_column *c, int64_t t, uint8_t what)
{
	struct histogram h = {.schema = 3, .count = what, .zero_count = what};
	bool is_histogram = what > VALUES;
	check_true("push", sample_column_push(c, t, is_histogram ? 0 : what - 1,
			       is_histogram ? histogram_copy(w->arena, &h) : NULL));
}

/* Samples of one series at some times from `first` on; `has` says at which and what they are. */
static void fill(struct world *w, unsigned every, size_t first, struct sample_column *c, uint8_t has[TIMES])
{
	for (size_t t = first; t < TIMES; t++) {
		if (test_random_below(&w->random, every))
			continue;
		has[t] = (uint8_t)(1 + test_random_below(&w->random, VALUES + 1));
		push(w, c, (int64_t)t, has[t]);
	}
}

static void make_part(struct world *w, size_t i)
{
	char name[PART_NAME_MAX];
	struct part_write_options o = {
	    .fs = probe_fs(), .parts_dir = w->dir, .seq = i + 1, .chunk_samples = 7};
	struct part_writer *writer;
	struct err err;
	unsigned sparse = 1 + (unsigned)test_random_below(&w->random, 8);
	size_t first = test_random_below(&w->random, TIMES / 2);
	check_ok("new", part_writer_new(&o, &writer, &err), &err);
	for (size_t s = 0; s < SERIES; s++) {
		struct sample_column c;
		if (s > 0 && test_random_below(&w->random, sparse))
			continue;
		sample_column_init(&c, w->arena);
		fill(w, 3, first, &c, w->has[i][s]);
		check_ok("series", part_writer_series(writer, w->labels[s], &err), &err);
		check_ok("samples", part_writer_column(writer, &c, &err), &err);
		sample_column_done(&c);
	}
	check_ok("commit", part_writer_commit(writer, NULL, &err), &err);
	part_name(i + 1, name);
	check_ok("open", part_open(probe_fs(), w->dir, name, w->cache, &w->parts[i], &err), &err);
}

/* Some stretch of all series of a part that have an even ordinal. */
static void delete_some(struct world *w, size_t i)
{
	struct postings even = {0};
	char name[PART_NAME_MAX];
	struct err err;
	bool changed;
	int64_t min = (int64_t)test_random_below(&w->random, TIMES), max = min + 9;
	uint32_t ordinal = 0;
	for (size_t s = 0; s < SERIES; s++) {
		if (part_find(w->parts[i], w->labels[s], &ordinal, NULL) != 0 || ordinal % 2)
			continue;
		postings_add(&even, ordinal);
		for (int64_t t = min; t <= max && t < TIMES; t++)
			w->has[i][s][t] = NONE;
	}
	check_ok("delete", part_delete(w->parts[i], &even, min, max, &changed, &err), &err);
	postings_done(&even);
	part_unref(w->parts[i]);
	part_name(i + 1, name);
	check_ok("again", part_open(probe_fs(), w->dir, name, w->cache, &w->parts[i], &err), &err);
}

static uint8_t first_of(const struct world *w, size_t s, size_t t)
{
	for (size_t i = 0; i < PARTS; i++)
		if (w->has[i][s][t])
			return w->has[i][s][t];
	return NONE;
}

static void ask(struct world *w, struct sealed_times *known, size_t s)
{
	uint8_t late[TIMES] = {0};
	struct sample_column c;
	size_t left = 0, conflicts = 0;
	sample_column_init(&c, w->arena);
	fill(w, 1 + (unsigned)test_random_below(&w->random, 6), 0, &c, late);
	size_t said = sealed_times_leave_out(known, w->labels[s], &c);
	for (size_t t = 0; t < TIMES; t++) {
		uint8_t sealed = first_of(w, s, t);
		conflicts += late[t] && sealed && sealed != late[t];
		if (!late[t] || sealed)
			continue;
		check_true("still there", left < c.n);
		check_int("time", c.t[left], t);
		check_int("kind", c.h && c.h[left], late[t] > VALUES);
		left++;
	}
	check_int("nothing more", c.n, left);
	check_int("conflicts", said, conflicts);
	sample_column_done(&c);
}

static void one_round(struct world *w)
{
	struct part_set set = {.v = w->parts, .n = PARTS};
	for (size_t i = 0; i < PARTS; i++)
		make_part(w, i);
	delete_some(w, test_random_below(&w->random, PARTS));
	struct sealed_times *known = sealed_times_new(&set);
	unsigned every = 1 + (unsigned)test_random_below(&w->random, 20);
	for (size_t s = 0; s < SERIES; s++)
		if (test_random_below(&w->random, every) == 0)
			ask(w, known, s);
	sealed_times_free(known);
	for (size_t i = 0; i < PARTS; i++)
		part_unref(w->parts[i]);
}

static void what_parts_have_is_left_out(void **state)
{
	(void)state;
	struct test_random random;
	test_random_init(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct world *w = xcalloc(1, sizeof(*w));
		w->random = random;
		w->arena = arena_new(ARENA_NO_LIMIT);
		w->dir = test_tmpdir();
		w->cache = page_cache_new(CACHE_BYTES);
		for (size_t s = 0; s < SERIES; s++)
			w->labels[s] = labels_of(w->arena, "__name__", s % 2 ? "a" : "b", "n",
			    arena_printf(w->arena, "%zu", s).ptr, NULL);
		qsort(w->labels, SERIES, sizeof(w->labels[0]), by_labels);
		one_round(w);
		random = w->random;
		page_cache_free(w->cache);
		test_tmpdir_done(w->dir);
		arena_free(w->arena);
		free(w);
	}
}

static void bend_chunks(const char *dir)
{
	struct err err;
	char *path = xasprintf("%s/part-0000000000000001/chunks", dir), byte = 'x';
	int fd;
	check_ok("open", fs_open(probe_fs(), path, FS_READ_WRITE, &fd, &err), &err);
	check_ok("write", fs_pwrite(probe_fs(), fd, &byte, 1, 20, &err), &err);
	fs_close(probe_fs(), fd);
	free(path);
}

static void what_cannot_be_read_is_not_there(void **state)
{
	(void)state;
	struct world *w = xcalloc(1, sizeof(*w));
	test_random_init(&w->random);
	w->arena = arena_new(ARENA_NO_LIMIT);
	w->dir = test_tmpdir();
	for (size_t s = 0; s < SERIES; s++)
		w->labels[s] =
		    labels_of(w->arena, "n", arena_printf(w->arena, "%02zu", s).ptr, "x", "y", NULL);
	w->cache = page_cache_new(CACHE_BYTES);
	make_part(w, 0);
	part_unref(w->parts[0]);
	bend_chunks(w->dir);
	struct err err;
	char name[PART_NAME_MAX];
	part_name(1, name);
	int rc = part_open(probe_fs(), w->dir, name, w->cache, &w->parts[0], &err);
	if (rc == 0) {
		struct part_set set = {.v = w->parts, .n = 1};
		struct sealed_times *known = sealed_times_new(&set);
		struct sample_column c;
		sample_column_init(&c, w->arena);
		for (int64_t t = 0; t < TIMES; t++)
			push(w, &c, t, 1);
		check_int("no conflict", sealed_times_leave_out(known, w->labels[0], &c), 0);
		check_int("all stay", c.n, TIMES);
		sample_column_done(&c);
		sealed_times_free(known);
		part_unref(w->parts[0]);
	}
	page_cache_free(w->cache);
	test_tmpdir_done(w->dir);
	arena_free(w->arena);
	free(w);
}

TEST_MAIN("sealed times", cmocka_unit_test(what_parts_have_is_left_out),
    cmocka_unit_test(what_cannot_be_read_is_not_there))
