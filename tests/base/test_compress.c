#include "base/compress.h"
#include "tests/lib/test.h"

static void random_text(struct test_random *r, struct strbuf *out)
{
	size_t n = test_random_below(r, test_random_below(r, 10) ? 5000 : 300000);
	uint64_t letters = 1 + test_random_below(r, 256);
	for (size_t i = 0; i < n; i++)
		strbuf_addch(out, (char)test_random_below(r, letters));
}

static void round_trips(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 100; round++) {
		struct strbuf text = STRBUF_INIT, packed = STRBUF_INIT, back = STRBUF_INIT;
		struct err err;
		random_text(&r, &text);
		strbuf_adds(&back, "kept");
		snappy_encode(strbuf_slice(&text), &packed);
		check_ok("snappy", snappy_decode(strbuf_slice(&packed), &back, &err), &err);
		check_true("snappy", slice_eq(slice_from(strbuf_slice(&back), 4), strbuf_slice(&text)));
		strbuf_reset(&packed);
		strbuf_reset(&back);
		check_ok("gzip", gzip_encode(strbuf_slice(&text), &packed, &err), &err);
		check_ok("gzip", gzip_decode(strbuf_slice(&packed), &back, &err), &err);
		check_true("gzip", slice_eq(strbuf_slice(&back), strbuf_slice(&text)));
		strbuf_reset(&packed);
		strbuf_reset(&back);
		check_ok("deflate", deflate_encode(strbuf_slice(&text), &packed, &err), &err);
		check_ok("deflate", deflate_decode(strbuf_slice(&packed), &back, &err), &err);
		check_true("deflate", slice_eq(strbuf_slice(&back), strbuf_slice(&text)));
		strbuf_done(&text);
		strbuf_done(&packed);
		strbuf_done(&back);
	}
}

static void gzip_members_join(void **state)
{
	(void)state;
	struct strbuf packed = STRBUF_INIT, back = STRBUF_INIT;
	struct err err;
	check_ok("one", gzip_encode(SL("hello "), &packed, &err), &err);
	check_ok("two", gzip_encode(SL("world"), &packed, &err), &err);
	check_ok("both", gzip_decode(strbuf_slice(&packed), &back, &err), &err);
	check_str("both", strbuf_slice(&back), "hello world");
	strbuf_done(&packed);
	strbuf_done(&back);
}

static void in_pieces(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 1000, 70000, 3};
	for (int gzip = 0; gzip < 2; gzip++) {
		struct strbuf text = STRBUF_INIT, packed = STRBUF_INIT, back = STRBUF_INIT;
		struct compress_stream *s = compress_stream_new(gzip);
		struct err err;
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			size_t from = text.len;
			for (size_t k = 0; k < sizes[i]; k++)
				strbuf_addch(&text, (char)(k * k % 251));
			struct slice piece = slice_from(strbuf_slice(&text), from);
			check_ok("add", compress_stream_add(s, piece, false, &packed, &err), &err);
		}
		check_ok("end", compress_stream_add(s, SL_EMPTY, true, &packed, &err), &err);
		compress_stream_free(s);
		check_ok("back",
		    gzip ? gzip_decode(strbuf_slice(&packed), &back, &err)
			 : deflate_decode(strbuf_slice(&packed), &back, &err),
		    &err);
		check_true("the same", slice_eq(strbuf_slice(&back), strbuf_slice(&text)));
		strbuf_done(&text);
		strbuf_done(&packed);
		strbuf_done(&back);
	}
}

static void bombs_and_torn_data(void **state)
{
	(void)state;
	struct strbuf zeros = STRBUF_INIT, packed = STRBUF_INIT, out;
	struct err err;
	for (int i = 0; i < 1000000; i++)
		strbuf_addch(&zeros, 0);
	strbuf_init(&out, 999999);
	check_ok("pack", gzip_encode(strbuf_slice(&zeros), &packed, &err), &err);
	check_int("gzip bomb", gzip_decode(strbuf_slice(&packed), &out, &err), ERR_LIMIT);
	strbuf_done(&out);
	strbuf_init(&out, 1000000);
	check_ok("just fits", gzip_decode(strbuf_slice(&packed), &out, &err), &err);
	strbuf_reset(&out);
	check_int("torn gzip", gzip_decode(slice_of(packed.ptr, packed.len / 2), &out, &err), ERR_INVALID);
	strbuf_reset(&out);
	check_int("no gzip", gzip_decode(SL("hello"), &out, &err), ERR_INVALID);
	check_int("nothing", gzip_decode(SL_EMPTY, &out, &err), ERR_INVALID);
	strbuf_reset(&packed);
	snappy_encode(strbuf_slice(&zeros), &packed);
	strbuf_done(&out);
	strbuf_init(&out, 999999);
	check_int("snappy bomb", snappy_decode(strbuf_slice(&packed), &out, &err), ERR_LIMIT);
	strbuf_done(&out);
	strbuf_init(&out, STRBUF_NO_LIMIT);
	check_int("4 GiB declared by five bytes", snappy_decode(SL("\xff\xff\xff\xff\x0f"), &out, &err),
	    ERR_INVALID);
	check_int("takes no memory", out.cap, 0);
	check_int(
	    "torn snappy", snappy_decode(slice_of(packed.ptr, packed.len - 1), &out, &err), ERR_INVALID);
	check_int("nothing", snappy_decode(SL_EMPTY, &out, &err), ERR_INVALID);
	strbuf_done(&zeros);
	strbuf_done(&packed);
	strbuf_done(&out);
}

TEST_MAIN("compress", cmocka_unit_test(round_trips), cmocka_unit_test(gzip_members_join),
    cmocka_unit_test(in_pieces), cmocka_unit_test(bombs_and_torn_data))
