#include "base/fs.h"

#include "base/xmalloc.h"
#include "tests/lib/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static char *in(const char *folder, const char *name)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void one_file(void **state)
{
	(void)state;
	char *tmp = test_tmpdir();
	struct fs *fs = fs_real();
	struct err err;
	int fd, other;
	char bytes[16] = {0};
	size_t got;
	uint64_t size;
	check_int("absent", fs_open(fs, in(tmp, "a"), FS_READ, &fd, &err), ERR_NOT_FOUND);
	check_ok("create", fs_open(fs, in(tmp, "a"), FS_CREATE_NEW, &fd, &err), &err);
	check_int("there", fs_open(fs, in(tmp, "a"), FS_CREATE_NEW, &other, &err), ERR_EXISTS);
	check_ok("write", fs_pwrite(fs, fd, "hello", 5, 3, &err), &err);
	check_ok("sync", fs_datasync(fs, fd, &err), &err);
	check_ok("read", fs_pread(fs, fd, bytes, sizeof(bytes), 4, &got, &err), &err);
	check_slice("read", slice_of(bytes, got), SL("ello"));
	check_ok("allocate", fs_allocate(fs, fd, 1000, &err), &err);
	check_ok("size", fs_size(fs, fd, &size, &err), &err);
	check_int("size", size, 1000);
	check_ok("truncate", fs_truncate(fs, fd, 2, &err), &err);
	check_ok("size", fs_size(fs, fd, &size, &err), &err);
	check_int("size", size, 2);
	fs_close(fs, fd);
	check_true("exists", fs_exists(fs, in(tmp, "a")));
	check_ok("remove", fs_unlink(fs, in(tmp, "a"), &err), &err);
	check_ok("remove again", fs_unlink(fs, in(tmp, "a"), &err), &err);
	check_true("gone", !fs_exists(fs, in(tmp, "a")));
	test_tmpdir_done(tmp);
}

static int collect(void *arg, const char *name, bool is_dir)
{
	strbuf_addf(arg, "%s%s ", name, is_dir ? "/" : "");
	return strcmp(name, "stop") == 0 ? 7 : 0;
}

static void folders(void **state)
{
	(void)state;
	char *tmp = test_tmpdir();
	struct fs *fs = fs_real();
	struct err err;
	struct strbuf names = STRBUF_INIT;
	check_ok("mkdir", fs_mkdir(fs, in(tmp, "x/y/z"), &err), &err);
	check_ok("mkdir again", fs_mkdir(fs, in(tmp, "x/y/z"), &err), &err);
	check_ok("b", fs_write_file(fs, in(tmp, "x/b"), SL("1"), &err), &err);
	check_ok("a", fs_write_file(fs, in(tmp, "x/a"), SL("1"), &err), &err);
	check_int("a file in the way", fs_mkdir(fs, in(tmp, "x/a/c"), &err), ERR_IO);
	check_ok("list", fs_list(fs, in(tmp, "x"), collect, &names, &err), &err);
	check_str("list", strbuf_slice(&names), "a b y/ ");
	check_ok("stop", fs_write_file(fs, in(tmp, "x/stop"), SL("1"), &err), &err);
	check_int("stops", fs_list(fs, in(tmp, "x"), collect, &names, &err), 7);
	check_ok("remove", fs_remove_tree(fs, in(tmp, "x"), &err), &err);
	check_ok("remove again", fs_remove_tree(fs, in(tmp, "x"), &err), &err);
	check_true("gone", !fs_exists(fs, in(tmp, "x")));
	uint64_t free_bytes = 0, total_bytes = 0;
	check_ok("space", fs_space(fs, tmp, &free_bytes, &total_bytes, &err), &err);
	check_true("space", total_bytes >= free_bytes && total_bytes > 0);
	strbuf_done(&names);
	test_tmpdir_done(tmp);
}

static void whole_files(void **state)
{
	(void)state;
	char *tmp = test_tmpdir();
	struct fs *fs = fs_real();
	struct err err;
	struct strbuf text = STRBUF_INIT, out;
	for (int i = 0; i < 200000; i++)
		strbuf_addch(&text, (char)('a' + i % 26));
	strbuf_init(&out, 200000);
	check_ok("write", fs_write_file(fs, in(tmp, "f"), strbuf_slice(&text), &err), &err);
	check_ok("just fits", fs_read_file(fs, in(tmp, "f"), &out, &err), &err);
	check_true("same", slice_eq(strbuf_slice(&out), strbuf_slice(&text)));
	strbuf_done(&out);
	strbuf_init(&out, 199999);
	check_int("too long", fs_read_file(fs, in(tmp, "f"), &out, &err), ERR_LIMIT);
	check_int("absent", fs_read_file(fs, in(tmp, "g"), &out, &err), ERR_NOT_FOUND);
	strbuf_done(&out);
	strbuf_done(&text);
	test_tmpdir_done(tmp);
}

static void lock_files(void **state)
{
	(void)state;
	char *tmp = test_tmpdir();
	struct fs *fs = fs_real();
	struct err err;
	int first, second;
	check_ok("first", fs_lock_file(fs, in(tmp, "lock"), &first, &err), &err);
	check_int("second", fs_lock_file(fs, in(tmp, "lock"), &second, &err), ERR_BUSY);
	fs_close(fs, first);
	check_ok("after it", fs_lock_file(fs, in(tmp, "lock"), &second, &err), &err);
	fs_close(fs, second);
	test_tmpdir_done(tmp);
}

/* Fails the k-th call of any kind. */
struct fault {
	int left;
	int code;
};

static int fail_one(void *arg, enum fs_call call, const char *path, size_t *n)
{
	struct fault *f = arg;
	if (f->left-- != 0)
		return 0;
	if (call == FS_CALL_WRITE) {
		check_true("path", slice_ends(slice_cstr(path), SL("f.tmp")));
		*n /= 2;
	}
	return f->code;
}

/* Whichever step of a rewrite fails, the file holds the old or the new text. */
static void a_failed_rewrite_leaves_old_or_new(void **state)
{
	(void)state;
	char *tmp = test_tmpdir();
	struct err err;
	struct fault fault = {.code = ENOSPC};
	struct fs *fs = fs_faulty_new(fail_one, &fault);
	int failures = 0;
	for (int k = 0;; k++) {
		check_ok("old", fs_write_file(fs_real(), in(tmp, "f"), SL("old text"), &err), &err);
		fault.left = k;
		int rc = fs_write_file(fs, in(tmp, "f"), SL("new text"), &err);
		struct strbuf out = STRBUF_INIT;
		check_ok("read", fs_read_file(fs_real(), in(tmp, "f"), &out, &err), &err);
		bool is_new = slice_eq(strbuf_slice(&out), SL("new text"));
		check_true("old or new", is_new || slice_eq(strbuf_slice(&out), SL("old text")));
		check_true("no temporary file", !fs_exists(fs_real(), in(tmp, "f.tmp")));
		strbuf_done(&out);
		if (rc == 0)
			break;
		failures++;
	}
	check_int("open, write, sync, rename, sync of the folder", failures, 5);
	fs_faulty_free(fs);
	test_tmpdir_done(tmp);
}

static int pretend_to_write(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)arg, (void)path, (void)n;
	return call == FS_CALL_WRITE ? FS_PRETEND : 0;
}

static void a_lost_write_is_reported_as_good(void **state)
{
	(void)state;
	char *tmp = test_tmpdir();
	struct err err;
	struct fs *fs = fs_faulty_new(pretend_to_write, NULL);
	check_ok("write", fs_write_file(fs, in(tmp, "f"), SL("text"), &err), &err);
	struct strbuf out = STRBUF_INIT;
	check_ok("read", fs_read_file(fs, in(tmp, "f"), &out, &err), &err);
	check_int("nothing there", out.len, 0);
	fs_faulty_free(fs);
	strbuf_done(&out);
	test_tmpdir_done(tmp);
}

static int note_path(void *arg, enum fs_call call, const char *path, size_t *n)
{
	char **synced = arg;
	(void)n;
	if (call == FS_CALL_SYNC) {
		free(*synced);
		*synced = xstrdup(path);
	}
	return 0;
}

/* A fault injector is told the path of every descriptor, also of one with a high number. */
static void many_open_files(void **state)
{
	(void)state;
	enum { MANY = 2000 };
	char *tmp = test_tmpdir(), *synced = NULL;
	struct err err;
	struct rlimit limit;
	int fds[MANY], fd;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	struct fs *fs = fs_faulty_new(note_path, &synced);
	for (int i = 0; i < MANY; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	check_ok("open", fs_open(fs, in(tmp, "f"), FS_CREATE, &fd, &err), &err);
	check_ok("sync", fs_datasync(fs, fd, &err), &err);
	check_str("its path", slice_cstr(synced), in(tmp, "f"));
	fs_close(fs, fd);
	for (int i = 0; i < MANY; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	fs_faulty_free(fs);
	free(synced);
	test_tmpdir_done(tmp);
}

TEST_MAIN("fs", cmocka_unit_test(one_file), cmocka_unit_test(folders), cmocka_unit_test(whole_files),
    cmocka_unit_test(lock_files), cmocka_unit_test(a_failed_rewrite_leaves_old_or_new),
    cmocka_unit_test(a_lost_write_is_reported_as_good), cmocka_unit_test(many_open_files))
