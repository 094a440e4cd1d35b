#include "base/crc32c.h"
#include "model/stale_marker.h"
#include "tests/lib/test.h"
#include "tsdb/wal_frames.h"
#include "tsdb/wal_record.h"
#include <stdlib.h>

enum { MANY = 3000 };

static double random_value(struct test_random *r)
{
	static const double special[] = {
	    0.0, -0.0, 1, -1, 0.5, 1e300, 9007199254740993.0, -36028797018963968.0, 72057594037927936.0};
	switch (test_random_below(r, 5)) {
	case 0:
		return special[test_random_below(r, ARRAY_LEN(special))];
	case 1:
		return (double)(int64_t)(test_random_u64(r) >> test_random_below(r, 64)) - 50;
	case 2:
		return double_from_bits(STALE_NAN_BITS);
	case 3:
		return (double)test_random_below(r, 100000) / 100;
	default:
		return double_from_bits(test_random_u64(r));
	}
}

static int64_t random_time(struct test_random *r, int64_t last)
{
	switch (test_random_below(r, 4)) {
	case 0:
		return last;
	case 1:
		return (int64_t)test_random_u64(r);
	default:
		return (int64_t)((uint64_t)last + 15000);
	}
}

static void samples_come_back(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct sample *want = calloc(MANY, sizeof(*want));
	uint8_t *bytes = malloc(MANY * (size_t)WAL_SAMPLE_MAX_BYTES);
	struct wal_samples_writer w;
	wal_samples_begin(&w, bytes);
	for (size_t i = 0; i < MANY; i++) {
		series_ref ref = i ? want[i - 1].ref : 0;
		ref = test_random_below(&r, 3)   ? ref + 1
		      : test_random_below(&r, 2) ? ref
						 : (series_ref)test_random_u64(&r);
		want[i] = (struct sample){
		    .ref = ref, .t_ms = random_time(&r, i ? want[i - 1].t_ms : 0), .v = random_value(&r)};
		size_t before = w.len;
		wal_samples_add(&w, want[i].ref, want[i].t_ms, want[i].v);
		check_true("bounded", w.len - before <= WAL_SAMPLE_MAX_BYTES);
	}
	struct wal_samples_reader reader;
	wal_samples_open(&reader, slice_of((char *)bytes, w.len));
	for (size_t i = 0; i < MANY; i++) {
		struct sample got;
		check_int("next", wal_samples_next(&reader, &got), 0);
		check_int("ref", got.ref, want[i].ref);
		check_int("time", got.t_ms, want[i].t_ms);
		check_double("value", got.v, want[i].v);
	}
	struct sample none;
	check_int("end", wal_samples_next(&reader, &none), 1);
	/* Cut anywhere, it ends or is corrupt, and never reads behind its end. */
	for (size_t n = 0; n < w.len && n < 500; n++) {
		char *exact = malloc(n ? n : 1);
		memcpy(exact, bytes, n);
		wal_samples_open(&reader, slice_of(exact, n));
		int rc;
		while ((rc = wal_samples_next(&reader, &none)) == 0)
			;
		check_true("ends", rc == 1 || rc == ERR_CORRUPT);
		free(exact);
	}
	free(bytes);
	free(want);
}

static void a_regular_scrape_is_small(void **state)
{
	(void)state;
	uint8_t bytes[100 * WAL_SAMPLE_MAX_BYTES];
	struct wal_samples_writer w;
	wal_samples_begin(&w, bytes);
	for (series_ref i = 1; i <= 100; i++)
		wal_samples_add(&w, 1000 + i, INT64_C(1700000000000), i);
	check_true("two bytes each", w.len < 100 * 3 + 10);
}

static void series_come_back(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct labels *want[500];
	series_ref refs[500];
	struct strbuf out = STRBUF_INIT;
	struct wal_series_writer w = {0};
	wal_series_begin(&w, &out);
	for (uint32_t i = 0; i < 500; i++) {
		struct label l[20];
		size_t n = 1 + test_random_below(&r, 3) * 6;
		for (size_t k = 0; k < n; k++)
			l[k] = (struct label){arena_printf(arena, "n%02zu", k),
			    arena_printf(arena, "v%u", (unsigned)test_random_below(&r, 3))};
		want[i] = labels_from_sorted(arena, l, n);
		refs[i] = (series_ref)(1 + test_random_below(&r, UINT32_MAX));
		wal_series_add(&w, refs[i], want[i]->l, want[i]->n);
	}
	wal_series_done(&w);
	struct wal_series_reader reader = {0};
	wal_series_open(&reader, strbuf_slice(&out));
	for (uint32_t i = 0; i < 500; i++) {
		series_ref ref;
		check_int("next", wal_series_next(&reader, &ref), 0);
		check_int("ref", ref, refs[i]);
		check_true("labels", labels_eq(labels_from_sorted(arena, reader.l, reader.n), want[i]));
	}
	series_ref ref;
	check_int("end", wal_series_next(&reader, &ref), 1);
	wal_series_close(&reader);
	strbuf_done(&out);
	arena_free(arena);
}

/* A frame is good in its place only. */
static void frames_know_their_place(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	for (uint64_t i = 1; i <= 3; i++) {
		struct slice payload = SL("payload");
		struct wal_frame f = {
		    .len = (uint32_t)payload.len, .number = i, .type = 9, .version = 1, .stripe = 3};
		uint8_t head[WAL_FRAME_BYTES];
		f.check = wal_frame_check(&f, crc32c(0, payload.ptr, payload.len), 77, out.len);
		wal_frame_encode(&f, head);
		strbuf_add(&out, head, sizeof(head));
		strbuf_add_slice(&out, payload);
	}
	size_t len = out.len;
	strbuf_add(&out, (char[50]){0}, 50);
	struct wal_frames w;
	struct wal_frame f;
	struct slice payload;
	wal_frames_open(&w, strbuf_slice(&out), 0, 77);
	for (uint64_t i = 1; i <= 3; i++) {
		check_int("frame", wal_frames_next(&w, &f, &payload), 0);
		check_int("number", f.number, i);
		check_int("stripe", f.stripe, 3);
		check_slice("payload", payload, SL("payload"));
	}
	check_int("zeros end it", wal_frames_next(&w, &f, &payload), 1);
	check_int("where", w.offset, len);
	wal_frames_open(&w, strbuf_slice(&out), 0, 78);
	check_int("another segment", wal_frames_next(&w, &f, &payload), ERR_CORRUPT);
	wal_frames_open(&w, slice_of(out.ptr + 27, len - 27), 0, 77);
	check_int("another offset", wal_frames_next(&w, &f, &payload), ERR_CORRUPT);
	strbuf_done(&out);
}

TEST_MAIN("wal record", cmocka_unit_test(samples_come_back), cmocka_unit_test(a_regular_scrape_is_small),
    cmocka_unit_test(series_come_back), cmocka_unit_test(frames_know_their_place))
