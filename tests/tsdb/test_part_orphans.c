/* Directories of parts beside manifests that name some of them, case by case: which count afterwards, and what is left on
 * disk. */
#include "tsdb/part_orphans.h"

#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/part_read.h"
#include "tsdb/part_write.h"
#include <stdlib.h>
#include <string.h>

enum { MOST = 6, CACHE_BYTES = 1 << 20 };

enum shape { WHOLE, NO_META, BENT_CHUNKS, TEMPORARY, A_FILE };

struct sketch {
	uint64_t seq;
	bool is_named;
	enum shape shape;
	uint64_t parents[3];
};

#define NAMED(s, ...)                                                                                        \
	{                                                                                                    \
		.seq = s, .is_named = true, .parents = { __VA_ARGS__ }                                       \
	}
#define UNNAMED(s, ...)                                                                                      \
	{                                                                                                    \
		.seq = s, .parents = { __VA_ARGS__ }                                                         \
	}

static const struct {
	const char *name;
	bool salvage;
	struct sketch parts[MOST];
	uint64_t missing; /* named, but not there */
	const char *counts, *left;
} cases[] = {
    {"nothing", true, {{.seq = 0}}, 0, "", ""},
    {"a whole list", false, {NAMED(1), NAMED(2)}, 0, "1 2", "1 2"},
    {"garbage of a crash", false, {NAMED(1), UNNAMED(2)}, 0, "1", "1"},
    {"and of other kinds", false,
	{NAMED(1), {.seq = 2, .shape = NO_META}, {.seq = 3, .shape = TEMPORARY}, {.seq = 4, .shape = A_FILE}},
	0, "1", "1"},
    {"a lost list", true, {UNNAMED(1), UNNAMED(2)}, 0, "1 2", "1 2"},
    {"half a list", true, {NAMED(1), UNNAMED(2)}, 0, "1 2", "1 2"},
    {"what was not finished goes", true,
	{NAMED(1), {.seq = 2, .shape = TEMPORARY}, {.seq = 3, .shape = A_FILE}}, 0, "1", "1"},
    {"what cannot be read is set aside", true, {UNNAMED(1), {.seq = 2, .shape = NO_META}}, 0, "1",
	"1 2.damaged"},
    {"but not when another one has its samples", true, {{.seq = 2, .shape = NO_META}, UNNAMED(3, 1, 2)}, 0,
	"3", "3"},
    {"a joined part and its old ones", true, {UNNAMED(1), UNNAMED(2), UNNAMED(3, 1, 2)}, 0, "3", "3"},
    {"the joined one is named", true, {UNNAMED(1), UNNAMED(2), NAMED(3, 1, 2), NAMED(4)}, 0, "3 4", "3 4"},
    {"the old ones are named", true, {NAMED(1), NAMED(2), UNNAMED(3, 1, 2)}, 0, "3", "3"},
    {"one of them is gone", true, {NAMED(2), UNNAMED(3, 1, 2)}, 1, "3", "3"},
    {"one that it was not joined from", true, {UNNAMED(1), UNNAMED(2), UNNAMED(3, 1)}, 0, "2 3", "2 3"},
    {"joined twice", true, {UNNAMED(1), UNNAMED(3, 1), UNNAMED(5, 3, 1)}, 0, "5", "5"},
    {"joined twice, what was between is gone", true, {UNNAMED(1), UNNAMED(5, 3, 1)}, 0, "5", "5"},
    {"a piece without sources", true, {UNNAMED(1), UNNAMED(2)}, 0, "1 2", "1 2"},
    {"the joined one is damaged", true, {UNNAMED(1), {.seq = 3, .shape = BENT_CHUNKS, .parents = {1}}}, 0,
	"1 3", "1 3"},
};

struct world {
	struct arena *arena;
	char *dir, *parts;
	struct page_cache *cache;
	struct manifest *manifest;
};

static void write_part(struct world *w, const struct sketch *s)
{
	struct part_write_options o = {
	    .fs = probe_fs(), .parts_dir = w->parts, .seq = s->seq, .parents = s->parents};
	struct part_writer *writer;
	struct err err;
	/* One with bent chunks has more than a page of them: opening it does not notice. */
	size_t n = s->shape == BENT_CHUNKS ? 20000 : 1;
	while (o.n_parents < 3 && s->parents[o.n_parents])
		o.n_parents++;
	check_ok("new", part_writer_new(&o, &writer, &err), &err);
	check_ok("series", part_writer_series(writer, labels_of(w->arena, "a", "b", NULL), &err), &err);
	for (size_t i = 0; i < n; i++) {
		int64_t t = (int64_t)(s->seq + i);
		double v = (double)((i + 1) * UINT64_C(0x9e3779b97f4a7c15));
		check_ok("sample", part_writer_floats(writer, &t, &v, 1, &err), &err);
	}
	check_ok("commit", part_writer_commit(writer, NULL, &err), &err);
}

static void bend(const char *path)
{
	struct err err;
	char byte = 'x';
	int fd;
	check_ok("open", fs_open(probe_fs(), path, FS_READ_WRITE, &fd, &err), &err);
	check_ok("write", fs_pwrite(probe_fs(), fd, &byte, 1, 30000, &err), &err);
	fs_close(probe_fs(), fd);
}

static void shape_part(struct world *w, const struct sketch *s)
{
	char name[PART_NAME_MAX];
	struct err err;
	part_name(s->seq, name);
	char *path = xasprintf("%s/%s", w->parts, name), *chunks = xasprintf("%s/chunks", path),
	     *meta = xasprintf("%s/meta", path), *tmp = xasprintf("%s.tmp", path);
	if (s->shape == A_FILE) {
		check_ok("file", fs_write_file(probe_fs(), tmp, SL("x"), &err), &err);
	} else {
		write_part(w, s);
		if (s->shape == NO_META)
			check_ok("unlink", fs_unlink(probe_fs(), meta, &err), &err);
		if (s->shape == BENT_CHUNKS)
			bend(chunks);
		if (s->shape == TEMPORARY)
			check_ok("rename", fs_rename(probe_fs(), path, tmp, &err), &err);
	}
	free(path);
	free(chunks);
	free(meta);
	free(tmp);
}

static void name_part(struct world *w, uint64_t seq)
{
	struct err err;
	struct manifest_part entry = {.seq = seq, .min_t_ms = (int64_t)seq, .max_t_ms = (int64_t)seq};
	check_ok("name",
	    manifest_commit(w->manifest, &(struct manifest_change){.add = &entry, .n_add = 1}, &err), &err);
}

static void world_init(struct world *w, const struct sketch *parts, uint64_t missing)
{
	enum manifest_state state;
	struct err err;
	w->arena = arena_new(ARENA_NO_LIMIT);
	w->dir = test_tmpdir();
	w->parts = xasprintf("%s/parts", w->dir);
	w->cache = page_cache_new(CACHE_BYTES);
	check_ok("mkdir", fs_mkdir(probe_fs(), w->parts, &err), &err);
	check_ok("manifest", manifest_open(probe_fs(), w->dir, &w->manifest, &state, &err), &err);
	for (size_t i = 0; i < MOST && parts[i].seq; i++) {
		shape_part(w, &parts[i]);
		if (parts[i].is_named)
			name_part(w, parts[i].seq);
	}
	if (missing)
		name_part(w, missing);
}

static void world_done(struct world *w)
{
	manifest_close(w->manifest);
	page_cache_free(w->cache);
	free(w->parts);
	arena_free(w->arena);
	test_tmpdir_done(w->dir);
}

static void no_note(void *arg, const char *text)
{
	(void)arg;
	assert_true(strlen(text) > 10);
}

static void settle(struct world *w, bool salvage)
{
	struct part_orphans o = {.fs = probe_fs(),
	    .parts_dir = w->parts,
	    .manifest = w->manifest,
	    .cache = w->cache,
	    .salvage = salvage,
	    .note = no_note};
	struct err err;
	check_ok("settle", part_orphans_settle(&o, &err), &err);
}

static int print_name(void *arg, const char *name, bool is_dir)
{
	struct strbuf *out = arg;
	(void)is_dir;
	const char *seq = name + strlen("part-");
	seq += strspn(seq, "0");
	strbuf_addf(out, "%s%s", out->len ? " " : "", seq);
	return 0;
}

static void check_world(struct world *w, const char *name, const char *counts, const char *left)
{
	struct strbuf out = STRBUF_INIT;
	struct err err;
	size_t n;
	const struct manifest_part *parts = manifest_parts(w->manifest, &n);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&out, "%s%d", i ? " " : "", (int)parts[i].seq);
	check_str(name, strbuf_slice(&out), counts);
	strbuf_reset(&out);
	check_ok("list", fs_list(probe_fs(), w->parts, print_name, &out, &err), &err);
	check_str(name, strbuf_slice(&out), left);
	strbuf_done(&out);
}

static void which_parts_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world w;
		world_init(&w, cases[i].parts, cases[i].missing);
		settle(&w, cases[i].salvage);
		check_world(&w, cases[i].name, cases[i].counts, cases[i].left);
		settle(&w, cases[i].salvage);
		check_world(&w, cases[i].name, cases[i].counts, cases[i].left);
		world_done(&w);
	}
}

static void numbers_are_not_given_again(void **state)
{
	(void)state;
	static const struct sketch parts[] = {UNNAMED(3), {.seq = 9, .shape = NO_META}, {.seq = 0}};
	struct world w;
	world_init(&w, parts, 0);
	settle(&w, true);
	check_true("behind all that there are", manifest_next_seq(w.manifest) > 9);
	world_done(&w);
}

static void two_damaged_ones_of_one_name(void **state)
{
	(void)state;
	static const struct sketch parts[] = {{.seq = 2, .shape = NO_META}, {.seq = 0}};
	struct world w;
	world_init(&w, parts, 0);
	settle(&w, true);
	shape_part(&w, &parts[0]);
	settle(&w, true);
	check_world(&w, "both stay", "", "2.2.damaged 2.damaged");
	world_done(&w);
}

TEST_MAIN("part orphans", cmocka_unit_test(which_parts_count), cmocka_unit_test(numbers_are_not_given_again),
    cmocka_unit_test(two_damaged_ones_of_one_name))
