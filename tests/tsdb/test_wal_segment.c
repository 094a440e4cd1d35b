/* Files of the log and the walk over their frames. */
#include "base/crc32c.h"
#include "tests/lib/test.h"
#include "tsdb/wal_frames.h"
#include "tsdb/wal_segment.h"
#include <string.h>
#include <unistd.h>

enum { BYTES = 8192 };

/* --- segments -------------------------------------------------------------------------------------------------- */

static struct wal_segment create(const char *dir, uint64_t number)
{
	struct wal_segment s;
	struct err err;
	check_ok("create", wal_segment_create(fs_real(), dir, number, BYTES, &s, &err), &err);
	return s;
}

static void load(const char *dir, uint64_t number, struct strbuf *content)
{
	struct err err;
	strbuf_init(content, STRBUF_NO_LIMIT);
	check_ok("load", wal_segment_load(fs_real(), dir, number, content, &err), &err);
}

static void a_segment_is_reserved_and_cut_to_what_it_holds(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct wal_segment s = create(dir, 7);
	struct err err;
	uint64_t size;
	struct strbuf content;
	check_ok("size", fs_size(fs_real(), s.fd, &size, &err), &err);
	check_int("reserved", size, BYTES);
	check_int("behind the header", s.end, WAL_SEGMENT_HEADER_BYTES);
	check_ok("write", wal_segment_write(fs_real(), &s, "abc", 3, &err), &err);
	check_int("end", s.end, WAL_SEGMENT_HEADER_BYTES + 3);
	check_ok("finish", wal_segment_finish(fs_real(), &s, &err), &err);
	check_int("closed", s.fd, -1);
	load(dir, 7, &content);
	check_int("cut", content.len, WAL_SEGMENT_HEADER_BYTES + 3);
	check_true("content", memcmp(content.ptr + WAL_SEGMENT_HEADER_BYTES, "abc", 3) == 0);
	strbuf_done(&content);
	test_tmpdir_done(dir);
}

static void a_number_is_used_once(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct wal_segment s = create(dir, 1), again;
	struct err err;
	check_int("again", wal_segment_create(fs_real(), dir, 1, BYTES, &again, &err), ERR_EXISTS);
	wal_segment_discard(fs_real(), dir, &s);
	wal_segment_discard(fs_real(), dir, &s); /* nothing is open: nothing happens */
	s = create(dir, 1);
	wal_segment_abandon(fs_real(), &s);
	test_tmpdir_done(dir);
}

static void only_segments_are_listed_by_number(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	static const uint64_t numbers[] = {0x10, 2, 0xffffffffffffffff};
	static const char *const others[] = {
	    "0000000000000003.wal.damaged", "3.wal", "000000000000000G.wal", "lock"};
	struct wal_segment_numbers found = {0};
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct wal_segment s = create(dir, numbers[i]);
		wal_segment_abandon(fs_real(), &s);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char *path = xasprintf("%s/%s", dir, others[i]);
		check_ok("other", fs_write_file(fs_real(), path, SL("x"), &err), &err);
		free(path);
	}
	check_ok("list", wal_segment_list(fs_real(), dir, &found, &err), &err);
	check_int("segments", found.len, 3);
	check_true("in order", found.v[0] == 2 && found.v[1] == 0x10 && found.v[2] == UINT64_MAX);
	wal_segment_numbers_reset(&found);
	char *none = xasprintf("%s/none", dir);
	check_ok("no folder", wal_segment_list(fs_real(), none, &found, &err), &err);
	check_int("no segments", found.len, 0);
	free(none);
	wal_segment_numbers_done(&found);
	test_tmpdir_done(dir);
}

static void a_damaged_header_is_told_from_a_later_version(void **state)
{
	(void)state;
	char *dir = test_tmpdir();
	struct wal_segment s = create(dir, 5);
	wal_segment_abandon(fs_real(), &s);
	for (size_t bit = 0; bit < WAL_SEGMENT_HEADER_BYTES * 8; bit++) {
		char *path = wal_segment_path(dir, 5);
		struct strbuf content;
		struct err err;
		load(dir, 5, &content);
		struct slice whole = strbuf_slice(&content);
		((char *)(uintptr_t)whole.ptr)[bit / 8] ^= (char)(1 << bit % 8);
		check_ok("write", fs_write_file(fs_real(), path, whole, &err), &err);
		struct strbuf again = STRBUF_INIT;
		check_int("damaged", wal_segment_load(fs_real(), dir, 5, &again, &err), ERR_CORRUPT);
		strbuf_done(&again);
		((char *)(uintptr_t)whole.ptr)[bit / 8] ^= (char)(1 << bit % 8);
		check_ok("write", fs_write_file(fs_real(), path, whole, &err), &err);
		strbuf_done(&content);
		free(path);
	}
	/* Under another number it is another's. */
	char *from = wal_segment_path(dir, 5), *to = wal_segment_path(dir, 6);
	struct strbuf content = STRBUF_INIT;
	struct err err;
	check_ok("rename", fs_rename(fs_real(), from, to, &err), &err);
	check_int("moved", wal_segment_load(fs_real(), dir, 6, &content, &err), ERR_CORRUPT);
	strbuf_done(&content);
	free(from);
	free(to);
	test_tmpdir_done(dir);
}

/* --- frames ---------------------------------------------------------------------------------------------------- */

static void add_frame(struct strbuf *out, uint64_t number, uint64_t place, const char *payload)
{
	uint8_t head[WAL_FRAME_BYTES];
	struct wal_frame f = {.len = (uint32_t)strlen(payload),
	    .number = number,
	    .type = WAL_SAMPLES,
	    .version = WAL_RECORD_VERSION,
	    .stripe = 3};
	f.check = wal_frame_check(&f, crc32c(0, payload, f.len), place, out->len);
	wal_frame_encode(&f, head);
	strbuf_add(out, head, sizeof(head));
	strbuf_adds(out, payload);
}

static struct strbuf three_frames(void)
{
	struct strbuf b = STRBUF_INIT;
	add_frame(&b, 10, 9, "first");
	add_frame(&b, 11, 9, "second");
	add_frame(&b, 12, 9, "third");
	return b;
}

static void frames_come_one_by_one(void **state)
{
	(void)state;
	struct strbuf b = three_frames();
	static const char *const want[] = {"first", "second", "third"};
	struct wal_frames w;
	struct wal_frame f;
	struct slice payload;
	static const char zeros[64];
	for (int tail = 0; tail < 3; tail++) {
		wal_frames_open(&w, strbuf_slice(&b), 0, 9);
		for (size_t i = 0; i < 3; i++) {
			check_int("next", wal_frames_next(&w, &f, &payload), 0);
			check_int("number", f.number, 10 + i);
			check_str("payload", payload, want[i]);
		}
		check_int("the end", wal_frames_next(&w, &f, &payload), 1);
		strbuf_add(&b, zeros, tail == 0 ? 7 : sizeof(zeros)); /* what was reserved and not written */
	}
	strbuf_done(&b);
}

static void a_frame_elsewhere_is_none(void **state)
{
	(void)state;
	struct strbuf b = three_frames();
	struct wal_frames w;
	struct wal_frame f;
	struct slice payload;
	wal_frames_open(&w, strbuf_slice(&b), 0, 8); /* of another segment */
	check_int("another place", wal_frames_next(&w, &f, &payload), ERR_CORRUPT);
	wal_frames_open(&w, slice_from(strbuf_slice(&b), WAL_FRAME_BYTES + 5), 0, 9);
	check_int("another offset", wal_frames_next(&w, &f, &payload), ERR_CORRUPT);
	strbuf_done(&b);
}

/* Any bit of the first frame: the walk goes on with the second, or with the third when the numbers say so. */
static void behind_a_bad_frame_the_next_good_one_is_found(void **state)
{
	(void)state;
	struct strbuf b = three_frames();
	struct wal_frames w;
	struct wal_frame f;
	struct slice payload;
	for (size_t bit = 0; bit < (WAL_FRAME_BYTES + 5) * 8; bit++) {
		char *bytes = (char *)(uintptr_t)b.ptr;
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		wal_frames_open(&w, strbuf_slice(&b), 0, 9);
		check_int("bad", wal_frames_next(&w, &f, &payload), ERR_CORRUPT);
		check_int("stays", w.offset, 0);
		check_true("found", wal_frames_resync(&w, 9));
		check_int("next", wal_frames_next(&w, &f, &payload), 0);
		check_int("number", f.number, 11);
		wal_frames_open(&w, strbuf_slice(&b), 0, 9);
		check_true("found", wal_frames_resync(&w, 11));
		check_int("next", wal_frames_next(&w, &f, &payload), 0);
		check_int("number", f.number, 12);
		wal_frames_open(&w, strbuf_slice(&b), 0, 9);
		check_true("none", !wal_frames_resync(&w, 12) && w.offset == 0);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	strbuf_done(&b);
}

static void a_cut_frame_is_bad(void **state)
{
	(void)state;
	struct strbuf b = three_frames();
	size_t two = 2 * WAL_FRAME_BYTES + 5 + 6;
	struct wal_frames w;
	struct wal_frame f;
	struct slice payload;
	for (size_t n = two; n < b.len; n++) {
		wal_frames_open(&w, slice_of(b.ptr, n), 0, 9);
		check_int("first", wal_frames_next(&w, &f, &payload), 0);
		check_int("second", wal_frames_next(&w, &f, &payload), 0);
		check_int("third", wal_frames_next(&w, &f, &payload), n == two ? 1 : ERR_CORRUPT);
		check_int("stays", w.offset, two);
	}
	strbuf_done(&b);
}

TEST_MAIN("wal segments and frames", cmocka_unit_test(a_segment_is_reserved_and_cut_to_what_it_holds),
    cmocka_unit_test(a_number_is_used_once), cmocka_unit_test(only_segments_are_listed_by_number),
    cmocka_unit_test(a_damaged_header_is_told_from_a_later_version), cmocka_unit_test(frames_come_one_by_one),
    cmocka_unit_test(a_frame_elsewhere_is_none),
    cmocka_unit_test(behind_a_bad_frame_the_next_good_one_is_found), cmocka_unit_test(a_cut_frame_is_bad))
