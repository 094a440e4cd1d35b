/* Bits that flip on disk, in every file of a small store: what was damaged is named, costs what stood there and no more, is
 * not removed, and never gives a wrong value. Every bit of a part; of the other files one bit of each byte, others each time,
 * and all with TEST_EVERY_BIT=1. */
#include "base/clock.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700000000000)
enum { SERIES = 5, SEALED = 12, SAMPLES = 24, FILES = 16 };

/* A file of the store as it should be. */
struct origin {
	char *name; /* within the data directory */
	char *bytes;
	size_t n;
};

struct store {
	char *dir;
	struct clock *clock;
	struct origin files[FILES];
	size_t n_files;
};

static const struct tsdb_options options = {.wal_segment_bytes = 4096, .future_limit_ms = -1};

/* --- making it --------------------------------------------------------------------------------------------------- */

static void add_samples(struct tsdb *db, int from, int to)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct err err;
	for (int i = from; i < to; i++) {
		const struct labels *labels =
		    labels_of(arena, "__name__", "m", "n", arena_printf(arena, "%d", i % SERIES).ptr, NULL);
		check_int("add", probe_add(db, labels, START_MS + i * 1000, i * 1.5), APPEND_OK);
		check_ok("sync", tsdb_sync(db, &err), &err);
	}
	arena_free(arena);
}

/* The files of a folder, not those below it. */
static void take_files(struct store *s, const char *folder)
{
	char *path = xasprintf("%s/%s", s->dir, folder);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_type != DT_REG || strcmp(e->d_name, "lock") == 0)
			continue;
		assert_true(s->n_files < FILES);
		struct origin *f = &s->files[s->n_files++];
		f->name = xasprintf("%s%s%s", folder, *folder ? "/" : "", e->d_name);
		char *file = xasprintf("%s/%s", s->dir, f->name);
		f->bytes = test_read_file(file, &f->n);
		free(file);
	}
	assert_non_null(d);
	closedir(d);
	free(path);
}

/* A part with the first samples, a log with the others. */
static void store_make(struct store *s)
{
	struct err err;
	char *tmp = test_tmpdir();
	*s = (struct store){.dir = tmp, .clock = clock_virtual_new(START_MS + 100000)};
	struct tsdb *db = probe_open(s->dir, s->clock, &options);
	add_samples(db, 0, SEALED);
	check_ok("seal", tsdb_seal_all(db, &err), &err);
	add_samples(db, SEALED, SAMPLES);
	tsdb_close(db);
	take_files(s, "");
	take_files(s, "wal");
	take_files(s, "head");
	take_files(s, "parts/part-0000000000000001");
}

static void store_done(struct store *s)
{
	for (size_t i = 0; i < s->n_files; i++) {
		free(s->files[i].name);
		free(s->files[i].bytes);
	}
	clock_virtual_free(s->clock);
	test_tmpdir_done(s->dir);
}

/* The store in its folder again, whatever happened to it. */
static void store_restore(const struct store *s)
{
	struct err err;
	for (size_t i = 0; i < s->n_files; i++) {
		char *path = xasprintf("%s/%s", s->dir, s->files[i].name), *slash = strrchr(path, '/');
		*slash = '\0';
		if (i == 0 || strchr(s->files[i].name, '/'))
			check_ok("folder", fs_mkdir(fs_real(), path, &err), &err);
		*slash = '/';
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(s->files[i].bytes, 1, s->files[i].n, f), s->files[i].n);
		fclose(f);
		free(path);
	}
}

static void store_clean(const struct store *s)
{
	static const char *const names[] = {"wal", "head", "parts", "manifest", "manifest.damaged"};
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *path = xasprintf("%s/%s", s->dir, names[i]);
		check_ok("clean", fs_remove_tree(fs_real(), path, &err), &err);
		free(path);
	}
}

/* --- looking ----------------------------------------------------------------------------------------------------- */

struct finding {
	int there;  /* of the samples */
	int errors; /* of queries */
	int notes;
};

static void count_note(void *arg, const char *note)
{
	(void)note;
	++((struct finding *)arg)->notes;
}

static void look_at_column(const struct sample_column *c, struct finding *f, bool *seen)
{
	for (size_t k = 0; k < c->n; k++) {
		int64_t i = (c->t[k] - START_MS) / 1000;
		check_true(
		    "a sample of ours", i >= 0 && i < SAMPLES && c->t[k] == START_MS + i * 1000 && !seen[i]);
		check_double("its value", c->v[k], (double)i * 1.5);
		seen[i] = true;
		f->there++;
	}
}

static struct finding look(struct tsdb *db)
{
	struct finding f = {0};
	struct queryable *door = tsdb_queryable(db);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *q;
	struct series_set *set;
	struct sample_column c;
	struct err err;
	bool seen[SAMPLES] = {0};
	tsdb_start_notes(db, count_note, &f);
	check_ok("querier", door->open(door, INT64_MIN, INT64_MAX, &q, &err), &err);
	int rc = q->ops->select(q, arena, NULL, 0, false, NULL, &set, &err);
	f.errors += rc != 0;
	sample_column_init(&c, arena);
	for (size_t i = 0; rc == 0 && i < set->n; i++) {
		if (set->ops->read(set, i, &c, &err) == 0)
			look_at_column(&c, &f, seen);
		else
			f.errors++;
	}
	sample_column_done(&c);
	q->ops->close(q);
	arena_free(arena);
	return f;
}

static bool is_aside(const struct store *s, const char *name)
{
	char *path = xasprintf("%s/%s.damaged", s->dir, name);
	bool is = fs_exists(fs_real(), path);
	free(path);
	return is;
}

/* Damage in this file may cost so many samples. */
static int worst(const struct origin *f)
{
	if (strncmp(f->name, "wal/", 4) == 0)
		return SERIES; /* a record: a sample, or the series that were new with it */
	if (strncmp(f->name, "head/", 5) == 0)
		return SAMPLES - SEALED;
	return strcmp(f->name, "manifest") == 0 ? 0 : SEALED;
}

/* The store with this bit changed. */
static void check_flip(const struct store *s, const struct origin *f, size_t bit)
{
	struct tsdb_options o = options;
	struct tsdb *db;
	struct err err;
	f->bytes[bit / 8] ^= (char)(1 << bit % 8);
	store_restore(s);
	f->bytes[bit / 8] ^= (char)(1 << bit % 8);
	o.path = s->dir;
	o.fs = probe_fs();
	o.clock = s->clock;
	int rc = tsdb_open(&o, &db, &err);
	if (rc != 0) {
		/* A version of the future stops the start: the one byte where damage looks like it. */
		check_int(f->name, rc, ERR_UNSUPPORTED);
		store_clean(s);
		return;
	}
	struct finding found = look(db);
	int lost = SAMPLES - found.there;
	if (lost > 0 && found.notes + found.errors == 0)
		fail_msg("%s, bit %zu: %d samples are lost and nobody says so", f->name, bit, lost);
	if (lost > worst(f))
		fail_msg("%s, bit %zu: %d samples are lost", f->name, bit, lost);
	/* It goes on, and what was damaged stays on disk. */
	rc = tsdb_seal_all(db, &err);
	if (rc != 0 && rc != ERR_CORRUPT)
		fail_msg("%s, bit %zu: sealing says %s", f->name, bit, err.msg);
	struct finding then = look(db);
	if (then.there < found.there)
		fail_msg("%s, bit %zu: sealing lost %d samples", f->name, bit, found.there - then.there);
	tsdb_close(db);
	bool outside = strncmp(f->name, "parts/", 6) != 0;
	if (lost > 0 && outside && !is_aside(s, f->name))
		fail_msg(
		    "%s, bit %zu: %d samples are lost, and so is what is left of them", f->name, bit, lost);
	store_clean(s);
}

static void flip(const char *prefix, bool every)
{
	struct store s;
	struct test_random random;
	test_random_init(&random);
	store_make(&s);
	store_clean(&s);
	every = every || getenv("TEST_EVERY_BIT");
	size_t files = 0;
	for (size_t i = 0; i < s.n_files; i++) {
		const struct origin *f = &s.files[i];
		if (strncmp(f->name, prefix, strlen(prefix)) != 0)
			continue;
		files++;
		for (size_t bit = 0; bit < f->n * 8; bit += every ? 1 : 8)
			check_flip(&s, f, every ? bit : bit + test_random_below(&random, 8));
	}
	check_true(prefix, files > 0);
	store_done(&s);
}

static void bits_of_the_log(void **state)
{
	(void)state;
	flip("wal/", false);
}

static void bits_of_the_manifest(void **state)
{
	(void)state;
	flip("manifest", false);
}

static void bits_of_series_snapshots(void **state)
{
	(void)state;
	flip("head/", false);
}

static void bits_of_a_part(void **state)
{
	(void)state;
	flip("parts/", true);
}

TEST_MAIN("tsdb corruption", cmocka_unit_test(bits_of_the_log), cmocka_unit_test(bits_of_the_manifest),
    cmocka_unit_test(bits_of_series_snapshots), cmocka_unit_test(bits_of_a_part))
