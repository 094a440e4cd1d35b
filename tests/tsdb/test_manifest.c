#include "base/fs.h"
#include "base/xmalloc.h"
#include "tests/lib/test.h"
#include "tsdb/manifest.h"

#include <errno.h>
#include <stdlib.h>

/* Thousands of files: without syncs. */
static int no_syncs(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)arg, (void)path, (void)n;
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

static struct fs *files(void)
{
	static struct fs *fs;
	if (!fs)
		fs = fs_faulty_new(no_syncs, NULL);
	return fs;
}

static struct manifest *open_it(const char *dir, enum manifest_state want)
{
	struct err err;
	struct manifest *m;
	enum manifest_state state;
	check_ok("open", manifest_open(files(), dir, &m, &state, &err), &err);
	check_int("state", state, want);
	return m;
}

static void changes_survive(void **state)
{
	(void)state;
	struct err err;
	char *dir = test_tmpdir();
	struct manifest *m = open_it(dir, MANIFEST_NEW);
	size_t n;
	for (uint64_t i = 0; i < 50; i++) {
		struct manifest_part part = {.seq = manifest_next_seq(m),
		    .level = (int)(i % 3),
		    .min_t_ms = -5,
		    .max_t_ms = (int64_t)i * 1000};
		uint64_t drop[] = {i / 2, 12345};
		struct manifest_change change = {.add = &part,
		    .n_add = 1,
		    .remove = drop,
		    .n_remove = i % 2 ? 2 : 0,
		    .wal_segment = i == 30 ? 9 : 0};
		check_int("new", part.seq, i + 1);
		check_ok("commit", manifest_commit(m, &change, &err), &err);
	}
	for (int again = 0; again < 3; again++) {
		const struct manifest_part *parts = manifest_parts(m, &n);
		check_int("parts", n, 26);
		check_int("first", parts[0].seq, 25);
		check_int("last", parts[n - 1].max_t_ms, 49000);
		check_true("has", manifest_has(m, 50) && !manifest_has(m, 3) && !manifest_has(m, 51));
		check_int("log", manifest_wal_segment(m), 9);
		manifest_close(m);
		m = open_it(dir, MANIFEST_WHOLE);
	}
	check_int("next", manifest_next_seq(m), 51);
	manifest_close(m);
	manifest_close(NULL);
	test_tmpdir_done(dir);
}

/* Cut at every byte: the list is that of the last whole record. */
static void a_torn_end_is_cut_off(void **state)
{
	(void)state;
	struct err err;
	char *dir = test_tmpdir();
	struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
	size_t ends[6];
	struct manifest *m = open_it(dir, MANIFEST_NEW);
	strbuf_addf(&path, "%s/manifest", dir);
	for (size_t i = 0; i < 5; i++) {
		uint64_t size;
		int fd;
		check_ok("open", fs_open(files(), strbuf_cstr(&path), FS_READ, &fd, &err), &err);
		check_ok("size", fs_size(files(), fd, &size, &err), &err);
		fs_close(files(), fd);
		ends[i] = size;
		struct manifest_part part = {.seq = manifest_next_seq(m), .max_t_ms = 5};
		struct manifest_change change = {.add = &part, .n_add = 1};
		check_ok("commit", manifest_commit(m, &change, &err), &err);
	}
	manifest_close(m);
	check_ok("read", fs_read_file(files(), strbuf_cstr(&path), &text, &err), &err);
	ends[5] = text.len;
	for (size_t len = ends[0]; len <= text.len; len++) {
		size_t whole = 0, n;
		while (whole < 5 && ends[whole + 1] <= len)
			whole++;
		check_ok(
		    "write", fs_write_file(files(), strbuf_cstr(&path), slice_of(text.ptr, len), &err), &err);
		m = open_it(dir, len == ends[whole] ? MANIFEST_WHOLE : MANIFEST_DAMAGED);
		manifest_parts(m, &n);
		check_int("whole records", n, whole);
		manifest_close(m);
	}
	/* Any bent bit is noticed, and the list is that of the records in front of it. */
	for (size_t bit = 0; bit < text.len * 8; bit++) {
		struct strbuf bent = STRBUF_INIT;
		enum manifest_state found = MANIFEST_WHOLE;
		size_t before = 0, n;
		while (before < 5 && ends[before + 1] <= bit / 8)
			before++;
		strbuf_add_slice(&bent, strbuf_slice(&text));
		bent.ptr[bit / 8] ^= (char)(1 << bit % 8);
		check_ok(
		    "write", fs_write_file(files(), strbuf_cstr(&path), strbuf_slice(&bent), &err), &err);
		int rc = manifest_open(files(), dir, &m, &found, &err);
		if (rc == 0) {
			manifest_parts(m, &n);
			check_int("damaged", found, MANIFEST_DAMAGED);
			check_int("records", n, bit / 8 < ends[0] ? 0 : before);
			manifest_close(m);
		} else {
			check_int("the version", rc, ERR_UNSUPPORTED);
			check_int("its byte", bit / 8, 7);
		}
		strbuf_done(&bent);
	}
	strbuf_done(&path);
	strbuf_done(&text);
	test_tmpdir_done(dir);
}

/* Fails the calls of one kind. */
static int fail_kind(void *arg, enum fs_call call, const char *path, size_t *n)
{
	const int *kind = arg;
	if ((int)call == *kind)
		return EIO;
	return no_syncs(NULL, call, path, n);
}

static int add_parts(struct manifest *m, size_t n)
{
	struct manifest_part *parts = xcalloc(n, sizeof(*parts));
	for (size_t i = 0; i < n; i++)
		parts[i] = (struct manifest_part){.seq = manifest_next_seq(m), .max_t_ms = INT64_MAX / 2};
	int rc = manifest_commit(m, &(struct manifest_change){.add = parts, .n_add = n}, NULL);
	free(parts);
	return rc;
}

/* The long file is written anew, and fails with its last step: the name is the new file's. Then it fails before that. A change
 * that went well is in the file that has the name. */
static void a_rewrite_that_fails_late(void **state)
{
	(void)state;
	enum { NEVER = -1, PARTS = 120000 };
	static const int kinds[] = {FS_CALL_SYNC_DIR, FS_CALL_RENAME, FS_CALL_OPEN, NEVER};
	for (size_t i = 0; i < ARRAY_LEN(kinds) * ARRAY_LEN(kinds); i++) {
		int kind = NEVER;
		struct err err;
		struct manifest *m;
		enum manifest_state found;
		size_t n;
		char *dir = test_tmpdir();
		struct fs *fs = fs_faulty_new(fail_kind, &kind);
		check_ok("open", manifest_open(fs, dir, &m, &found, &err), &err);
		kind = kinds[i / ARRAY_LEN(kinds)];
		check_int("many", add_parts(m, PARTS), 0);
		kind = kinds[i % ARRAY_LEN(kinds)];
		bool went_well = add_parts(m, 1) == 0;
		check_true("nothing fails", went_well || kind != NEVER);
		manifest_close(m);
		m = open_it(dir, MANIFEST_WHOLE);
		manifest_parts(m, &n);
		check_int("parts", n, went_well ? PARTS + 1 : PARTS);
		manifest_close(m);
		fs_faulty_free(fs);
		test_tmpdir_done(dir);
	}
}

TEST_MAIN("manifest", cmocka_unit_test(changes_survive), cmocka_unit_test(a_torn_end_is_cut_off),
    cmocka_unit_test(a_rewrite_that_fails_late))
