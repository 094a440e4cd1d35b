/* Writing and reading parts, against plain arrays; then every bit of a small one is bent. */
#include "base/fs.h"
#include "model/stale_marker.h"
#include "tests/lib/stream_gen.h"
#include "tests/lib/test.h"
#include "tsdb/part_read.h"
#include "tsdb/part_write.h"

#include <stdio.h>
#include <stdlib.h>

enum { SERIES = 700, MAX_SAMPLES = 300 };

struct series {
	const struct labels *labels;
	size_t n;
	int64_t t[MAX_SAMPLES];
	double v[MAX_SAMPLES];
};

static struct series all[SERIES];

static int cmp_series(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	return labels_cmp(x->labels, y->labels);
}

static void make_series(struct arena *arena, struct test_random *r)
{
	for (int i = 0; i < SERIES; i++) {
		char job[32], instance[32], le[32], name[32];
		snprintf(name, sizeof(name), "metric_%d", i % 7);
		snprintf(job, sizeof(job), "job-%d", i % 3);
		snprintf(instance, sizeof(instance), "10.0.0.%d:9100", i / 21);
		snprintf(le, sizeof(le), "%d", i % 21);
		all[i].labels = i % 5 == 0
				    ? labels_of(arena, "__name__", arena_strdup(arena, slice_cstr(name)),
					  "instance", arena_strdup(arena, slice_cstr(instance)), "le",
					  arena_strdup(arena, slice_cstr(le)), NULL)
				    : labels_of(arena, "__name__", arena_strdup(arena, slice_cstr(name)),
					  "instance", arena_strdup(arena, slice_cstr(instance)), "job",
					  arena_strdup(arena, slice_cstr(job)), "le",
					  arena_strdup(arena, slice_cstr(le)), NULL);
		all[i].n = 1 + test_random_below(r, MAX_SAMPLES);
		stream_gen(r, (enum stream_kind)(i % STREAM_KINDS), i % 3, all[i].t, all[i].v, all[i].n);
	}
	qsort(all, SERIES, sizeof(all[0]), cmp_series);
}

static void write_part(const char *dir, size_t n, uint32_t chunk_samples, struct part_meta *meta)
{
	struct err err;
	struct part_writer *w;
	uint64_t parents[] = {3, 4};
	struct part_write_options opt = {.fs = fs_real(),
	    .parts_dir = dir,
	    .seq = 7,
	    .level = 1,
	    .chunk_samples = chunk_samples,
	    .parents = parents,
	    .n_parents = 2};
	check_ok("new", part_writer_new(&opt, &w, &err), &err);
	assert_true(part_writer_is_empty(w));
	for (size_t i = 0; i < n; i++) {
		check_ok("series", part_writer_series(w, all[i].labels, &err), &err);
		size_t half = all[i].n / 2;
		check_ok("floats", part_writer_floats(w, all[i].t, all[i].v, half, &err), &err);
		check_ok("floats",
		    part_writer_floats(w, all[i].t + half, all[i].v + half, all[i].n - half, &err), &err);
	}
	check_ok("commit", part_writer_commit(w, meta, &err), &err);
}

static void check_samples(struct part *p, uint32_t ordinal, const struct series *s, int64_t min, int64_t max)
{
	struct err err;
	struct sample_column c;
	size_t from = 0, to = s->n;
	while (from < to && s->t[from] < min)
		from++;
	while (to > from && s->t[to - 1] > max)
		to--;
	sample_column_init(&c, NULL);
	check_ok("read", part_read(p, ordinal, min, max, &c, &err), &err);
	check_int("samples", c.n, to - from);
	assert_true(part_estimate(p, ordinal, min, max) >= c.n);
	for (size_t i = 0; i < c.n; i++) {
		check_int("time", c.t[i], s->t[from + i]);
		check_int("value", double_bits(c.v[i]), double_bits(s->v[from + i]));
	}
	sample_column_done(&c);
}

static void what_was_written_is_read(void **state)
{
	(void)state;
	struct test_random r;
	struct err err;
	char *dir = test_tmpdir();
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct page_cache *cache = page_cache_new(200000);
	struct part_meta meta;
	struct part *p;
	test_random_init(&r);
	make_series(arena, &r);
	write_part(dir, SERIES, 64, &meta);
	check_ok("open", part_open(fs_real(), dir, meta.name, cache, &p, &err), &err);
	check_int("series", part_series_count(p), SERIES);
	check_int("level", part_meta(p)->level, 1);
	check_int("parents", part_meta(p)->parents[1], 4);
	check_ok("verify", part_verify(p, &err), &err);
	for (uint32_t i = 0; i < SERIES; i++) {
		const struct labels *labels;
		uint32_t found;
		check_ok("labels", part_labels(p, i, arena, &labels, &err), &err);
		check_true("same labels", labels_eq(labels, all[i].labels));
		check_ok("find", part_find(p, all[i].labels, &found, &err), &err);
		check_int("found", found, i);
		check_samples(p, i, &all[i], INT64_MIN, INT64_MAX);
		int64_t a = all[i].t[test_random_below(&r, all[i].n)],
			b = all[i].t[test_random_below(&r, all[i].n)];
		check_samples(p, i, &all[i], a, b);
		check_samples(p, i, &all[i], b + 1, INT64_MAX);
	}
	uint32_t found;
	check_int("find", part_find(p, labels_of(arena, "a", "b", NULL), &found, &err), ERR_NOT_FOUND);
	struct page_cache_stats stats;
	page_cache_stats(cache, &stats);
	assert_true(stats.bytes <= 200000 + 16 * 16384);
	part_ref(p);
	part_unlink_when_done(p);
	part_unref(p);
	assert_true(fs_exists(fs_real(), dir));
	part_unref(p);
	page_cache_free(cache);
	arena_free(arena);
	test_tmpdir_done(dir);
}

static void matchers_find_what_they_match(void **state)
{
	(void)state;
	static const struct {
		enum match_op op;
		const char *name, *value;
	} m[][3] = {
	    {{MATCH_EQUAL, "__name__", "metric_3"}},
	    {{MATCH_EQUAL, "__name__", "metric_3"}, {MATCH_EQUAL, "job", "job-1"}},
	    {{MATCH_EQUAL, "__name__", "none"}},
	    {{MATCH_EQUAL, "none", "x"}},
	    {{MATCH_EQUAL, "none", ""}},
	    {{MATCH_EQUAL, "job", ""}},
	    {{MATCH_NOT_EQUAL, "job", ""}},
	    {{MATCH_NOT_EQUAL, "job", "job-1"}},
	    {{MATCH_NOT_EQUAL, "none", ""}},
	    {{MATCH_REGEX, "le", "1|2|20|99"}},
	    {{MATCH_REGEX, "le", "|2"}},
	    {{MATCH_NOT_REGEX, "le", "1|2"}},
	    {{MATCH_NOT_REGEX, "le", "|2"}},
	    {{MATCH_REGEX, "le", "1.*"}, {MATCH_REGEX, "instance", "10\\.0\\.0\\.1.*"}},
	    {{MATCH_REGEX, "instance", ".*3:9100"}, {MATCH_NOT_REGEX, "job", ".+"}},
	    {{MATCH_REGEX, "job", ".*"}},
	    {{MATCH_REGEX, "job", ".+"}, {MATCH_NOT_EQUAL, "le", "3"}, {MATCH_EQUAL, "__name__", "metric_0"}},
	    {{MATCH_NOT_REGEX, "instance", ".*[12]:9100"}, {MATCH_EQUAL, "le", "4"}},
	    {{MATCH_REGEX, "instance", "zzz.*"}},
	    {{MATCH_REGEX, "instance", "0.*"}},
	};
	struct test_random r;
	struct err err;
	char *dir = test_tmpdir();
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct page_cache *cache = page_cache_new(1 << 20);
	struct part_meta meta;
	struct part *p;
	test_random_init(&r);
	make_series(arena, &r);
	write_part(dir, SERIES, 0, &meta);
	check_ok("open", part_open(fs_real(), dir, meta.name, cache, &p, &err), &err);
	for (size_t k = 0; k < sizeof(m) / sizeof(m[0]); k++) {
		const struct matcher *list[3];
		struct postings got = {0};
		size_t n = 0;
		for (; n < 3 && m[k][n].name; n++)
			check_ok("matcher",
			    matcher_new(arena, m[k][n].op, slice_cstr(m[k][n].name),
				slice_cstr(m[k][n].value), &list[n], &err),
			    &err);
		check_ok("select", part_select(p, list, n, &got, &err), &err);
		for (uint32_t i = 0; i < SERIES; i++) {
			bool want = true;
			for (size_t j = 0; j < n; j++)
				want = want && matcher_matches_labels(list[j], all[i].labels);
			if (postings_has(&got, i) != want)
				fail_msg("matchers %zu (%s %s): series %u: got %d", k, m[k][0].name,
				    m[k][0].value, i, !want);
		}
		postings_done(&got);
	}
	part_unref(p);
	page_cache_free(cache);
	arena_free(arena);
	test_tmpdir_done(dir);
}

struct seen {
	size_t n;
	uint64_t series;
	char last[64];
};

static int see_value(void *arg, struct slice value, uint64_t series)
{
	struct seen *s = arg;
	assert_true(slice_cmp(slice_cstr(s->last), value) < 0);
	snprintf(s->last, sizeof(s->last), "%" SL_FMT, SL_ARG(value));
	s->n++;
	s->series += series;
	return 0;
}

static int see_name(void *arg, struct slice name)
{
	return see_value(arg, name, 1);
}

static int stop_at_once(void *arg, struct slice value, uint64_t series)
{
	(void)arg;
	(void)value;
	(void)series;
	return 1;
}

static void names_and_values_are_listed(void **state)
{
	(void)state;
	struct test_random r;
	struct err err;
	char *dir = test_tmpdir();
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct page_cache *cache = page_cache_new(1 << 20);
	struct part_meta meta;
	struct part *p;
	test_random_init(&r);
	make_series(arena, &r);
	write_part(dir, SERIES, 0, &meta);
	check_ok("open", part_open(fs_real(), dir, meta.name, cache, &p, &err), &err);
	struct seen names = {0}, values = {0}, some = {0}, none = {0};
	check_int("names", part_each_name(p, see_name, &names, &err), 0);
	check_int("names", names.n, 4);
	check_int("values", part_each_value(p, SL("le"), see_value, &values, &err), 0);
	check_int("values of le", values.n, 21);
	check_int("each series has one", values.series, SERIES);
	check_int("none", part_each_value(p, SL("zone"), see_value, &none, &err), 0);
	check_int("none", none.n, 0);
	check_int("stop", part_each_value(p, SL("le"), stop_at_once, NULL, &err), 1);
	const struct matcher *m;
	struct postings among = {0};
	check_ok("matcher", matcher_new(arena, MATCH_EQUAL, SL("le"), SL("7"), &m, &err), &err);
	check_ok("select", part_select(p, &m, 1, &among, &err), &err);
	check_int("among", part_each_value_among(p, SL("le"), &among, see_value, &some, &err), 0);
	check_int("only 7", some.n, 1);
	check_str("7", slice_cstr(some.last), "7");
	check_int("its series", some.series, postings_count(&among));
	postings_done(&among);
	part_unref(p);
	page_cache_free(cache);
	arena_free(arena);
	test_tmpdir_done(dir);
}

static struct histogram *make_histogram(struct arena *a, double base, bool other_layout)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);
	struct histogram_span *spans = ARENA_ARRAY(a, struct histogram_span, 2);
	double *pos = ARENA_ARRAY(a, double, 4);
	spans[0] = (struct histogram_span){other_layout ? -3 : 2, 3};
	spans[1] = (struct histogram_span){5, 1};
	for (int i = 0; i < 4; i++)
		pos[i] = base + i * 1.5;
	*h = (struct histogram){.schema = 3,
	    .zero_threshold = 1e-128,
	    .zero_count = base,
	    .count = base * 10,
	    .sum = base / 3,
	    .n_pos_spans = 2,
	    .n_pos = 4,
	    .pos_spans = spans,
	    .pos = pos};
	return h;
}

static void histograms_and_floats_mix(void **state)
{
	(void)state;
	struct err err;
	char *dir = test_tmpdir();
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct page_cache *cache = page_cache_new(1 << 20);
	struct part_writer *w;
	struct part_meta meta;
	struct part *p;
	struct part_write_options opt = {.fs = fs_real(), .parts_dir = dir, .seq = 1};
	const struct histogram *h[300];
	int64_t t[300];
	double v[2] = {7, 8};
	for (int i = 0; i < 300; i++) {
		t[i] = 1000 + i * 15000;
		h[i] = make_histogram(arena, i * i, i % 50 > 40);
	}
	check_ok("new", part_writer_new(&opt, &w, &err), &err);
	check_ok("series", part_writer_series(w, labels_of(arena, "__name__", "h", NULL), &err), &err);
	check_ok("histograms", part_writer_histograms(w, t, h, 298, &err), &err);
	check_ok("floats", part_writer_floats(w, t + 298, v, 2, &err), &err);
	check_int("not ascending", part_writer_floats(w, t, v, 1, &err), ERR_INVALID);
	check_ok("empty series", part_writer_series(w, labels_of(arena, "__name__", "i", NULL), &err), &err);
	check_int(
	    "wrong order", part_writer_series(w, labels_of(arena, "__name__", "a", NULL), &err), ERR_INVALID);
	check_ok("commit", part_writer_commit(w, &meta, &err), &err);
	check_int("series", meta.series, 1);
	check_ok("open", part_open(fs_real(), dir, meta.name, cache, &p, &err), &err);
	check_ok("verify", part_verify(p, &err), &err);
	struct sample_column c;
	sample_column_init(&c, arena);
	check_ok("read", part_read(p, 0, INT64_MIN, INT64_MAX, &c, &err), &err);
	check_int("samples", c.n, 300);
	for (size_t i = 0; i < 298; i++) {
		check_true("same", histogram_eq(c.h[i], h[i]));
		check_double("sum", c.h[i]->sum, h[i]->sum);
		check_double("bucket", c.h[i]->pos[3], h[i]->pos[3]);
	}
	check_true("float", !c.h[298] && !c.h[299]);
	check_double("float", c.v[299], 8);
	sample_column_done(&c);
	part_unref(p);
	page_cache_free(cache);
	arena_free(arena);
	test_tmpdir_done(dir);
}

static void an_empty_part_is_refused(void **state)
{
	(void)state;
	struct err err;
	char *dir = test_tmpdir();
	struct part_writer *w;
	struct part_write_options opt = {.fs = fs_real(), .parts_dir = dir, .seq = 1};
	check_ok("new", part_writer_new(&opt, &w, &err), &err);
	check_int("commit", part_writer_commit(w, NULL, &err), ERR_INVALID);
	char *path = slice_dup(slice_cstr(dir));
	check_ok("new", part_writer_new(&opt, &w, &err), &err);
	part_writer_free(w);
	part_writer_free(NULL);
	free(path);
	test_tmpdir_done(dir);
}

/* Every bit of every file, one at a time: opening or verifying says so, and nothing worse happens. */
static void every_bent_bit_is_noticed(void **state)
{
	(void)state;
	static const char *const files[] = {"meta", "chunks", "dir", "index"};
	struct test_random r;
	struct err err;
	char *dir = test_tmpdir();
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct part_meta meta;
	test_random_init(&r);
	make_series(arena, &r);
	write_part(dir, 12, 0, &meta);
	for (size_t f = 0; f < 4; f++) {
		struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
		size_t unnoticed = 0;
		strbuf_addf(&path, "%s/%s/%s", dir, meta.name, files[f]);
		check_ok("read", fs_read_file(fs_real(), strbuf_cstr(&path), &text, &err), &err);
		size_t bits = text.len * 8, step = f == 1 ? 7 : 1;
		for (size_t bit = 0; bit < bits; bit += step) {
			struct page_cache *cache = page_cache_new(1 << 20);
			struct part *p;
			int fd;
			char bent = (char)(text.ptr[bit / 8] ^ (1 << bit % 8));
			check_ok(
			    "open", fs_open(fs_real(), strbuf_cstr(&path), FS_READ_WRITE, &fd, &err), &err);
			check_ok("bend", fs_pwrite(fs_real(), fd, &bent, 1, bit / 8, &err), &err);
			int rc = part_open(fs_real(), dir, meta.name, cache, &p, &err);
			if (rc == 0) {
				rc = part_verify(p, &err);
				part_unref(p);
			}
			unnoticed += rc == 0;
			check_ok(
			    "mend", fs_pwrite(fs_real(), fd, text.ptr + bit / 8, 1, bit / 8, &err), &err);
			fs_close(fs_real(), fd);
			page_cache_free(cache);
		}
		check_int(files[f], unnoticed, 0);
		strbuf_done(&path);
		strbuf_done(&text);
	}
	arena_free(arena);
	test_tmpdir_done(dir);
}

TEST_MAIN("part", cmocka_unit_test(what_was_written_is_read), cmocka_unit_test(matchers_find_what_they_match),
    cmocka_unit_test(names_and_values_are_listed), cmocka_unit_test(histograms_and_floats_mix),
    cmocka_unit_test(an_empty_part_is_refused), cmocka_unit_test(every_bent_bit_is_noticed))
