#include "ingest/pb_reader.h"
#include "tests/lib/test.h"

#define BYTES(lit) slice_of("" lit, sizeof(lit) - 1)

static void fields_come_one_by_one(void **state)
{
	(void)state;
	struct slice message = BYTES("\x08\x96\x01"
				     "\x12\x03"
				     "abc"
				     "\x19\0\0\0\0\0\0\xf0\x3f"
				     "\x25\x04\x03\x02\x01");
	struct pb_reader r = pb_reader_of(message);
	assert_true(pb_next(&r));
	check_int("varint", r.number, 150);
	assert_true(pb_next(&r));
	check_str("bytes", r.bytes, "abc");
	check_int("field", r.field, 2);
	assert_true(pb_next(&r));
	check_double("double", pb_double(&r), 1);
	assert_true(pb_next(&r));
	check_int("fixed32", r.number, 0x01020304);
	assert_false(pb_next(&r));
	assert_true(pb_ok(&r));
}

static void what_is_torn_fails(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct slice message;
	} cases[] = {
	    {"cut varint", SL_INIT("\x08\x96")},
	    {"no value", SL_INIT("\x08")},
	    {"cut tag", SL_INIT("\x88")},
	    {"cut bytes", SL_INIT("\x12\x03"
				  "ab")},
	    {"length beyond all", SL_INIT("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
	    {"cut double", SL_INIT("\x19\0\0\0")},
	    {"field zero", SL_INIT("\x02\x01"
				   "a")},
	    {"group", SL_INIT("\x0b\x0c")},
	    {"wire 6", SL_INIT("\x0e\x01")},
	    {"eleven bytes", SL_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
	    {"large tag", SL_INIT("\xff\xff\xff\xff\xff\x01\x01")},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pb_reader r = pb_reader_of(cases[i].message);
		while (pb_next(&r))
			;
		check_true(cases[i].name, !pb_ok(&r));
	}
}

static void negative_numbers_are_ten_bytes(void **state)
{
	(void)state;
	struct slice message = BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	struct pb_reader r = pb_reader_of(message);
	assert_true(pb_next(&r));
	check_int("-1", (int64_t)r.number, -1);
	check_int("zigzag", pb_zigzag(3), -2);
	check_int("zigzag", pb_zigzag(UINT64_MAX), INT64_MIN);
}

static void repeated_numbers_packed_or_not(void **state)
{
	(void)state;
	struct slice message = BYTES("\x0a\x03\x01\x96\x01"
				     "\x08\x07"
				     "\x12\x08\0\0\0\0\0\0\xf0\x3f"
				     "\x11\0\0\0\0\0\0\0\x40");
	struct pb_reader r = pb_reader_of(message);
	uint64_t x[3];
	double d[2];
	size_t n = 0, m = 0;
	assert_true(pb_next(&r) && pb_take_varints(&r, x, &n, 3));
	assert_true(pb_next(&r) && pb_take_varints(&r, x, &n, 3));
	assert_true(pb_next(&r) && pb_take_doubles(&r, d, &m, 2));
	assert_true(pb_next(&r) && pb_take_doubles(&r, d, &m, 2));
	check_int("n", n, 3);
	check_int("packed", x[1], 150);
	check_int("single", x[2], 7);
	check_double("packed", d[0], 1);
	check_double("single", d[1], 2);
	r = pb_reader_of(message);
	n = 2;
	assert_true(pb_next(&r));
	assert_false(pb_take_varints(&r, x, &n, 3));
	assert_false(pb_ok(&r));
}

TEST_MAIN("pb_reader", cmocka_unit_test(fields_come_one_by_one), cmocka_unit_test(what_is_torn_fails),
    cmocka_unit_test(negative_numbers_are_ten_bytes), cmocka_unit_test(repeated_numbers_packed_or_not))
