/* The log while it is written: who is told when, segments, refusing and going on. */
#include "tsdb/wal_commit.h"

#include "base/xmalloc.h"
#include "tests/lib/test.h"
#include "tsdb/wal_frames.h"
#include "tsdb/wal_segment.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENT = 4096 };

struct disk {
	_Atomic int fail_writes, fail_syncs,
	    fail_allocate; /* how many more; their errno is EIO, ENOSPC for the last */
	_Atomic int syncs;
};

static int ask_disk(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)path;
	struct disk *d = arg;
	if (call == FS_CALL_WRITE && d->fail_writes > 0) {
		d->fail_writes--;
		*n /= 2;
		return EIO;
	}
	if (call == FS_CALL_ALLOCATE && d->fail_allocate > 0) {
		d->fail_allocate--;
		return ENOSPC;
	}
	if (call == FS_CALL_SYNC_DIR)
		return FS_PRETEND;
	if (call != FS_CALL_SYNC)
		return 0;
	d->syncs++;
	if (d->fail_syncs > 0) {
		d->fail_syncs--;
		return EIO;
	}
	return FS_PRETEND;
}

struct fixture {
	char *dir;
	struct disk disk;
	struct fs *fs;
	struct wal *wal;
};

static void open_log(struct fixture *f, enum wal_sync sync)
{
	struct err err;
	struct wal_options o = {.fs = f->fs,
	    .dir = f->dir,
	    .sync = sync,
	    .segment_bytes = SEGMENT,
	    .next_segment = 1,
	    .next_record = 1};
	check_ok("open", wal_open(&o, &f->wal, &err), &err);
}

static void fixture_init(struct fixture *f, enum wal_sync sync)
{
	*f = (struct fixture){.dir = test_tmpdir()};
	f->fs = fs_faulty_new(ask_disk, &f->disk);
	open_log(f, sync);
}

static void fixture_done(struct fixture *f)
{
	wal_close(f->wal);
	fs_faulty_free(f->fs);
	test_tmpdir_done(f->dir);
}

static uint64_t append(struct fixture *f, const char *payload)
{
	return wal_append(f->wal, WAL_SAMPLES, 1, slice_cstr(payload));
}

/* The numbers of all good records on disk, each once, ascending: "1 2 3". */
static char *numbers_on_disk(struct fixture *f)
{
	struct wal_segment_numbers segments = {0};
	struct strbuf out = STRBUF_INIT;
	struct err err;
	uint64_t last = 0;
	check_ok("list", wal_segment_list(fs_real(), f->dir, &segments, &err), &err);
	for (size_t i = 0; i < segments.len; i++) {
		struct strbuf content = STRBUF_INIT;
		struct wal_frames w;
		struct wal_frame frame;
		struct slice payload;
		check_ok("load", wal_segment_load(fs_real(), f->dir, segments.v[i], &content, &err), &err);
		wal_frames_open(&w, strbuf_slice(&content), WAL_SEGMENT_HEADER_BYTES, segments.v[i]);
		while (wal_frames_next(&w, &frame, &payload) == 0) {
			if (frame.number <= last)
				continue;
			strbuf_addf(&out, "%s%llu", last ? " " : "", (unsigned long long)frame.number);
			last = frame.number;
		}
		strbuf_done(&content);
	}
	wal_segment_numbers_done(&segments);
	char *text = slice_dup(strbuf_slice(&out));
	strbuf_done(&out);
	return text;
}

static void check_numbers(struct fixture *f, const char *want)
{
	char *got = numbers_on_disk(f);
	check_str("records on disk", slice_cstr(got), want);
	free(got);
}

static void a_sync_covers_all_that_came_before(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f, WAL_SYNC_ALWAYS);
	check_int("first", append(&f, "a"), 1);
	check_int("second", append(&f, "b"), 2);
	check_ok("sync", wal_sync_now(f.wal, &err), &err);
	check_true("synced", f.disk.syncs > 0);
	check_numbers(&f, "1 2");
	check_int("newest", wal_last_record(f.wal), 2);
	fixture_done(&f);
}

static void a_full_segment_is_followed_by_another(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	struct wal_stats s;
	char text[601];
	memset(text, 'x', 600);
	text[600] = '\0';
	fixture_init(&f, WAL_SYNC_ALWAYS);
	for (int i = 0; i < 20; i++) {
		append(&f, text);
		check_ok("sync", wal_sync_now(f.wal, &err), &err);
	}
	wal_stats(f.wal, &s);
	check_int("segments", s.segments, 4); /* six records each */
	check_numbers(&f, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20");
	check_true("nothing to cut", !wal_would_cut(f.wal, 5));
	check_true("the first", wal_would_cut(f.wal, 6));
	check_ok("cut", wal_cut(f.wal, 11, &err), &err);
	check_numbers(&f, "7 8 9 10 11 12 13 14 15 16 17 18 19 20");
	check_ok("cut", wal_cut(f.wal, 100, &err), &err);
	check_numbers(&f, "19 20"); /* what is being written stays */
	fixture_done(&f);
}

/* Each fault once: what was appended is on disk all the same, in another segment, under its number. */
static void one_fault_is_not_seen(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct fixture f;
		struct err err;
		struct wal_stats s;
		fixture_init(&f, WAL_SYNC_ALWAYS);
		append(&f, "a");
		check_ok("sync", wal_sync_now(f.wal, &err), &err);
		if (kind == 0)
			f.disk.fail_writes = 1;
		else
			f.disk.fail_syncs = 1;
		append(&f, "b");
		check_ok("sync", wal_sync_now(f.wal, &err), &err);
		append(&f, "c");
		check_ok("sync", wal_sync_now(f.wal, &err), &err);
		wal_stats(f.wal, &s);
		check_int("segments", s.segments, 2);
		check_true("takes more", !s.refusing && s.failures > 0);
		check_numbers(&f, "1 2 3");
		/* The torn record is cut off. */
		char *path = wal_segment_path(f.dir, 1);
		size_t n;
		char *bytes = test_read_file(path, &n);
		check_int("whole records", n,
		    WAL_SEGMENT_HEADER_BYTES + (size_t)(kind == 0 ? 1 : 2) * (WAL_FRAME_BYTES + 1));
		free(bytes);
		free(path);
		fixture_done(&f);
	}
}

static void two_faults_refuse_until_the_disk_is_well(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	struct wal_stats s;
	fixture_init(&f, WAL_SYNC_ALWAYS);
	append(&f, "a");
	check_ok("sync", wal_sync_now(f.wal, &err), &err);
	f.disk.fail_syncs = 1000;
	append(&f, "b");
	check_int("told", wal_sync_now(f.wal, &err), ERR_IO);
	check_int("refuses", wal_ready(f.wal, &err), ERR_UNAVAILABLE);
	check_int("the same without waiting", wal_refusal(f.wal, &err), ERR_UNAVAILABLE);
	wal_stats(f.wal, &s);
	check_true("refusing, but not full", s.refusing && !s.disk_full);
	check_int("no heap of segments", s.segments, 2);
	f.disk.fail_syncs = 0;
	check_ok("told", wal_sync_now(f.wal, &err), &err);
	check_ok("takes", wal_ready(f.wal, &err), &err);
	check_numbers(&f, "1 2");
	fixture_done(&f);
}

static void a_full_disk_is_known_as_such(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	struct wal_stats s;
	fixture_init(&f, WAL_SYNC_ALWAYS);
	wal_close(f.wal);
	f.disk.fail_allocate = 1000;
	struct wal_options o = {
	    .fs = f.fs, .dir = f.dir, .segment_bytes = SEGMENT, .next_segment = 2, .next_record = 5};
	check_ok("opens", wal_open(&o, &f.wal, &err), &err);
	wal_stats(f.wal, &s);
	check_true("full", s.refusing && s.disk_full);
	check_int("refuses", wal_ready(f.wal, &err), ERR_UNAVAILABLE);
	f.disk.fail_allocate = 0;
	wal_retry(f.wal);
	check_ok("goes on", wal_sync_now(f.wal, &err), &err);
	check_int("number", append(&f, "a"), 5);
	check_ok("sync", wal_sync_now(f.wal, &err), &err);
	check_numbers(&f, "5");
	fixture_done(&f);
}

static void a_held_log_refuses_and_writes_all_the_same(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	fixture_init(&f, WAL_SYNC_ALWAYS);
	wal_hold(f.wal, "not now");
	check_int("refuses", wal_ready(f.wal, &err), ERR_UNAVAILABLE);
	check_str("why", slice_cstr(err.msg), "not now");
	append(&f, "a");
	check_ok("sync", wal_sync_now(f.wal, &err), &err);
	wal_hold(f.wal, NULL);
	check_ok("takes", wal_ready(f.wal, &err), &err);
	check_numbers(&f, "1");
	fixture_done(&f);
}

TEST_MAIN("wal commit", cmocka_unit_test(a_sync_covers_all_that_came_before),
    cmocka_unit_test(a_full_segment_is_followed_by_another), cmocka_unit_test(one_fault_is_not_seen),
    cmocka_unit_test(two_faults_refuse_until_the_disk_is_well),
    cmocka_unit_test(a_full_disk_is_known_as_such),
    cmocka_unit_test(a_held_log_refuses_and_writes_all_the_same))
