/* The series of a stripe in a file: what comes back, and of a damaged one as much as is whole. */
#include "tsdb/series_snapshot.h"

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(1700000000000)
enum { SERIES = 20, HEADER_BYTES = 32, AT_VERSION = 8, AT_CHECK = 12, AT_RECORD = 16 };

struct fixture {
	char *dir;
	struct clock *clock;
	char *bytes; /* of stripe 0 */
	size_t n;
};

static void fixture_init(struct fixture *f)
{
	struct err err;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	*f = (struct fixture){.dir = test_tmpdir(), .clock = clock_virtual_new(START_MS)};
	struct tsdb *db = probe_open(f->dir, f->clock, NULL);
	for (int i = 0; i < SERIES; i++)
		check_int("add",
		    probe_add(db,
			labels_of(arena, "__name__", "m", "n", arena_printf(arena, "%d", i).ptr, NULL),
			START_MS + i, i),
		    APPEND_OK);
	check_ok("seal", tsdb_seal_all(db, &err), &err);
	tsdb_close(db);
	char *path = xasprintf("%s/head/stripe-000", f->dir);
	f->bytes = test_read_file(path, &f->n);
	assert_non_null(f->bytes);
	free(path);
	arena_free(arena);
}

static void fixture_done(struct fixture *f)
{
	free(f->bytes);
	clock_virtual_free(f->clock);
	test_tmpdir_done(f->dir);
}

struct loaded {
	int rc;
	uint64_t series;
	series_ref next_ref;
	uint64_t record;
	int64_t newest_ms;
};

static struct loaded parse(const char *bytes, size_t n, unsigned stripe)
{
	struct err err;
	struct head *h = xcalloc(1, sizeof(*h));
	head_init(h, &(struct head_options){.clock = clock_real()});
	struct loaded l = {.rc = series_snapshot_parse(h, stripe, slice_of(bytes, n), &err)};
	l.series = h->n_series;
	l.next_ref = h->next_ref;
	l.record = h->stripes[stripe].replay_record;
	l.newest_ms = h->max_t_ms;
	head_done(h);
	free(h);
	return l;
}

static void what_was_written_comes_back(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct loaded l = parse(f.bytes, f.n, 0);
	check_int("well", l.rc, 0);
	check_int("series", l.series, SERIES);
	check_int("refs", l.next_ref, SERIES + 1);
	check_true("record", l.record > 0);
	check_int("newest sample", l.newest_ms, START_MS + SERIES - 1);
	fixture_done(&f);
}

static void one_that_is_not_there_is_empty(void **state)
{
	(void)state;
	struct fixture f;
	struct err err;
	struct head *h = xcalloc(1, sizeof(*h));
	fixture_init(&f);
	head_init(h, &(struct head_options){.clock = f.clock});
	check_ok("none", series_snapshot_load(h, 5, fs_real(), f.dir, &err), &err);
	check_int("series", h->n_series, 0);
	head_done(h);
	free(h);
	fixture_done(&f);
}

/* Cut anywhere: never more than there was, and never taken for whole but where a frame ends. */
static void a_cut_one_gives_what_is_whole(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	int whole = 0;
	for (size_t n = 0; n < f.n; n++) {
		struct loaded l = parse(f.bytes, n, 0);
		check_true("corrupt, or a frame ends", l.rc == ERR_CORRUPT || l.rc == 0);
		check_true("all of a frame or nothing", l.series == 0 || l.series == SERIES);
		whole += l.rc == 0;
	}
	check_true("frames", whole <= 3);
	fixture_done(&f);
}

static void any_bit_is_noticed(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	for (size_t bit = 0; bit < f.n * 8; bit++) {
		f.bytes[bit / 8] ^= (char)(1 << bit % 8);
		struct loaded l = parse(f.bytes, f.n, 0);
		check_int("noticed", l.rc, ERR_CORRUPT);
		check_true("only good series", l.series == 0 || l.series == SERIES);
		/* The series are whole when the header is not, but then the log is read from its beginning. */
		if (bit < HEADER_BYTES * 8)
			check_true("header", l.series == SERIES && l.record == 0);
		f.bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	fixture_done(&f);
}

static void another_stripe_and_a_later_version_are_told_apart(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	check_int("another stripe", parse(f.bytes, f.n, 1).rc, ERR_CORRUPT);
	f.bytes[AT_VERSION]++;
	uint32_t crc = crc32c(crc32c(0, f.bytes, AT_CHECK), f.bytes + AT_RECORD, HEADER_BYTES - AT_RECORD);
	crc = crc32c_mask(crc);
	memcpy(f.bytes + AT_CHECK, &crc, sizeof(crc));
	struct loaded l = parse(f.bytes, f.n, 0);
	check_int("later version", l.rc, ERR_UNSUPPORTED);
	check_int("nothing is read", l.series, 0);
	fixture_done(&f);
}

TEST_MAIN("series snapshot", cmocka_unit_test(what_was_written_comes_back),
    cmocka_unit_test(one_that_is_not_there_is_empty), cmocka_unit_test(a_cut_one_gives_what_is_whole),
    cmocka_unit_test(any_bit_is_noticed), cmocka_unit_test(another_stripe_and_a_later_version_are_told_apart))
