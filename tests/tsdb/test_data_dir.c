/* Whose a directory is, what is made in it, and its lock. */
#include "tsdb/data_dir.h"

#include "base/xmalloc.h"
#include "tests/lib/test.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void touch(const char *dir, const char *name)
{
	struct err err;
	char *path = xasprintf("%s/%s", dir, name), *slash = strrchr(path, '/');
	*slash = '\0';
	check_ok("mkdir", fs_mkdir(fs_real(), path, &err), &err);
	*slash = '/';
	size_t n = strlen(name);
	if (name[n - 1] == '/')
		path[strlen(path) - 1] = '\0';
	else
		check_ok("file", fs_write_file(fs_real(), path, SL("x"), &err), &err);
	free(path);
}

static int print_name(void *arg, const char *name, bool is_dir)
{
	strbuf_addf(arg, "%s%s ", name, is_dir ? "/" : "");
	return 0;
}

static void check_content(const char *name, const char *dir, const char *want)
{
	struct strbuf got = STRBUF_INIT;
	struct err err;
	if (fs_exists(fs_real(), dir))
		check_ok("list", fs_list(fs_real(), dir, print_name, &got, &err), &err);
	check_str(name, strbuf_slice(&got), want);
	strbuf_done(&got);
}

static const struct {
	const char *name;
	const char *there[3];
	int open, open_existing;
	const char *after; /* opening it to write */
} cases[] = {
    {"none", {NULL}, 0, ERR_NOT_FOUND, "head/ lock parts/ wal/ "},
    {"empty", {"x/"}, 0, ERR_NOT_FOUND, "head/ lock parts/ wal/ x/ "},
    {"somebody's files", {"README", "a/b"}, 0, ERR_NOT_FOUND, "README a/ head/ lock parts/ wal/ "},
    {"ours", {"manifest", "wal/"}, 0, 0, "head/ lock manifest parts/ wal/ "},
    {"a block", {"01BKGV7JC0RY8A6MACW02A2PJD/"}, ERR_EXISTS, ERR_EXISTS, "01BKGV7JC0RY8A6MACW02A2PJD/ "},
    {"its name in small letters", {"01bkgv7jc0ry8a6macw02a2pjd/"}, 0, ERR_NOT_FOUND,
	"01bkgv7jc0ry8a6macw02a2pjd/ head/ lock parts/ wal/ "},
    {"a file of that name", {"01BKGV7JC0RY8A6MACW02A2PJD"}, 0, ERR_NOT_FOUND,
	"01BKGV7JC0RY8A6MACW02A2PJD head/ lock parts/ wal/ "},
    {"chunks of a head", {"chunks_head/"}, ERR_EXISTS, ERR_EXISTS, "chunks_head/ "},
    {"active queries", {"queries.active"}, ERR_EXISTS, ERR_EXISTS, "queries.active "},
    {"a log", {"wal/00000001"}, ERR_EXISTS, ERR_EXISTS, "wal/ "},
    {"a checkpoint", {"wal/checkpoint.00000001/"}, ERR_EXISTS, ERR_EXISTS, "wal/ "},
    {"our log", {"wal/0000000000000001"}, 0, ERR_NOT_FOUND, "head/ lock parts/ wal/ "},
    {"ours, whatever else is there", {"manifest", "chunks_head/"}, 0, 0,
	"chunks_head/ head/ lock manifest parts/ wal/ "},
};

static void whose_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *top = test_tmpdir(), *dir = xasprintf("%s/data", top);
		struct data_dir d;
		struct err err;
		struct strbuf before = STRBUF_INIT;
		for (size_t k = 0; k < 3 && cases[i].there[k]; k++)
			touch(dir, cases[i].there[k]);
		if (fs_exists(fs_real(), dir))
			check_ok("list", fs_list(fs_real(), dir, print_name, &before, &err), &err);
		int rc = data_dir_open_existing(fs_real(), dir, &d, &err);
		check_int(cases[i].name, rc, cases[i].open_existing);
		if (rc == 0)
			data_dir_close(&d);
		check_content("reading makes nothing", dir, strbuf_cstr(&before));
		rc = data_dir_open(fs_real(), dir, &d, &err);
		check_int(cases[i].name, rc, cases[i].open);
		check_true("says why", rc == 0 || strstr(err.msg, dir));
		check_content(cases[i].name, dir, cases[i].after);
		if (rc == 0)
			data_dir_close(&d);
		strbuf_done(&before);
		free(dir);
		test_tmpdir_done(top);
	}
}

static void one_at_a_time(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct data_dir a, b;
	struct err err;
	check_ok("first", data_dir_open(fs_real(), dir, &a, &err), &err);
	check_int("second", data_dir_open(fs_real(), dir, &b, &err), ERR_BUSY);
	check_true("one line", strstr(err.msg, "is locked by another process") && !strchr(err.msg, '\n'));
	touch(dir, "manifest");
	check_int("reader", data_dir_open_existing(fs_real(), dir, &b, &err), ERR_BUSY);
	data_dir_close(&a);
	check_ok("afterwards", data_dir_open_existing(fs_real(), dir, &b, &err), &err);
	check_int("a reader keeps writers out", data_dir_open(fs_real(), dir, &a, &err), ERR_BUSY);
	data_dir_close(&b);
	check_ok("again", data_dir_open(fs_real(), dir, &a, &err), &err);
	data_dir_close(&a);
	test_tmpdir_done(dir);
}

static int fail_one(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)call, (void)path, (void)n;
	return --*(int *)arg == 0 ? EIO : 0;
}

static void a_call_that_fails_is_told(void **state)
{
	(void)state;
	bool reached = true;
	for (int bad = 1; reached; bad++) {
		char *top = test_tmpdir(), *dir = xasprintf("%s/data", top);
		int left = bad;
		struct fs *fs = fs_faulty_new(fail_one, &left);
		struct data_dir d;
		struct err err;
		int rc = data_dir_open(fs, dir, &d, &err);
		reached = left <= 0;
		check_int("what it says", rc, reached ? ERR_IO : 0);
		if (rc == 0)
			data_dir_close(&d);
		check_ok("without it", data_dir_open(fs_real(), dir, &d, &err), &err);
		data_dir_close(&d);
		fs_faulty_free(fs);
		free(dir);
		test_tmpdir_done(top);
	}
}

TEST_MAIN("data dir", cmocka_unit_test(whose_it_is), cmocka_unit_test(one_at_a_time),
    cmocka_unit_test(a_call_that_fails_is_told))
