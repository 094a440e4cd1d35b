/* The disk of the tests that forgets what was not synced (tests/lib/power_cut.h). */
#include "tests/lib/power_cut.h"

#include "base/xmalloc.h"
#include <errno.h>
#include <stdlib.h>

enum { CUTS = 64 };

static int no_folder_sync(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)arg, (void)path, (void)n;
	return call == FS_CALL_SYNC_DIR ? EIO : 0;
}

static void check_old_or_new(const char *path, const char *old, const char *new)
{
	struct err err;
	struct strbuf got = STRBUF_INIT;
	check_ok("read", fs_read_file(fs_real(), path, &got, &err), &err);
	bool is_old = slice_eq(strbuf_slice(&got), slice_cstr(old));
	check_true(
	    "the old file or the new one", is_old || (new &&slice_eq(strbuf_slice(&got), slice_cstr(new))));
	strbuf_done(&got);
}

static void write_old(const char *path)
{
	struct err err;
	check_ok("write", fs_write_file(fs_real(), path, SL("old text"), &err), &err);
}

/* A name that was taken over, but whose folder was not synced, may come back with all the old file had. */
static void a_replaced_file(void **state)
{
	(void)state;
	struct test_random random;
	struct err err;
	test_random_init(&random);
	for (int i = 0; i < CUTS; i++) {
		char *tmp = test_tmpdir(), *path = xasprintf("%s/f", tmp);
		write_old(path);
		struct power_cut *p = power_cut_new(tmp, no_folder_sync, NULL);
		int rc = fs_write_file(power_cut_fs(p), path, SL("new text"), &err);
		check_int("the folder is not synced", rc, ERR_IO);
		power_cut_apply(p, &random);
		power_cut_free(p);
		check_old_or_new(path, "old text", "new text");
		free(path);
		test_tmpdir_done(tmp);
	}
}

static void a_removed_file(void **state)
{
	(void)state;
	struct test_random random;
	struct err err;
	test_random_init(&random);
	for (int i = 0; i < CUTS; i++) {
		char *tmp = test_tmpdir(), *path = xasprintf("%s/f", tmp);
		write_old(path);
		struct power_cut *p = power_cut_new(tmp, NULL, NULL);
		check_ok("remove", fs_unlink(power_cut_fs(p), path, &err), &err);
		power_cut_apply(p, &random);
		power_cut_free(p);
		if (fs_exists(fs_real(), path))
			check_old_or_new(path, "old text", NULL);
		free(path);
		test_tmpdir_done(tmp);
	}
}

/* Content, the name, and the name of each folder above. */
static void what_is_safe(void **state)
{
	(void)state;
	char *tmp = test_tmpdir();
	char *was = xasprintf("%s/was", tmp), *dir = xasprintf("%s/dir", tmp), *path = xasprintf("%s/f", dir);
	struct err err;
	int fd;
	write_old(was);
	struct power_cut *p = power_cut_new(tmp, NULL, NULL);
	struct fs *fs = power_cut_fs(p);
	check_true("what was there", power_cut_is_safe(p, was));
	check_ok("make", fs_mkdir(fs, dir, &err), &err);
	check_ok("open", fs_open(fs, path, FS_CREATE_NEW, &fd, &err), &err);
	check_ok("write", fs_pwrite(fs, fd, "text", 4, 0, &err), &err);
	check_ok("sync the folder", fs_sync_dir(fs, dir, &err), &err);
	check_ok("sync the root", fs_sync_dir(fs, tmp, &err), &err);
	check_true("no content", !power_cut_is_safe(p, path));
	check_ok("sync", fs_datasync(fs, fd, &err), &err);
	check_true("all of it", power_cut_is_safe(p, path));
	check_ok("write more", fs_pwrite(fs, fd, "more", 4, 4, &err), &err);
	check_true("not the rest", !power_cut_is_safe(p, path));
	check_ok("sync the rest", fs_datasync(fs, fd, &err), &err);
	fs_close(fs, fd);
	free(was);
	was = xasprintf("%s/new", tmp);
	check_ok("rename the folder", fs_rename(fs, dir, was, &err), &err);
	free(path);
	path = xasprintf("%s/f", was);
	check_true("not the new name", !power_cut_is_safe(p, path));
	check_ok("sync the root again", fs_sync_dir(fs, tmp, &err), &err);
	check_true("the new name", power_cut_is_safe(p, path));
	check_true("nothing", !power_cut_is_safe(p, dir));
	power_cut_free(p);
	free(was);
	free(dir);
	free(path);
	test_tmpdir_done(tmp);
}

TEST_MAIN("power cut", cmocka_unit_test(a_replaced_file), cmocka_unit_test(a_removed_file),
    cmocka_unit_test(what_is_safe))
