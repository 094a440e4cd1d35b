#include "base/crc32c.h"
#include "tests/lib/test.h"

/* RFC 3720 B.4. */
static void known_values(void **state)
{
	(void)state;
	unsigned char bytes[32] = {0};
	check_int("zeros", crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	check_int("ones", crc32c(0, bytes, 32), 0x62a8ab43);
	for (unsigned char i = 0; i < 32; i++)
		bytes[i] = i;
	check_int("ascending", crc32c(0, bytes, 32), 0x46dd794e);
	check_int("digits", crc32c(0, "123456789", 9), 0xe3069283);
	check_int("nothing", crc32c(0, "", 0), 0);
	check_int("mask", crc32c_mask(0), 0xa282ead8);
}

static void both_ways_agree_and_chain(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	unsigned char bytes[300];
	for (int round = 0; round < 2000; round++) {
		size_t from = test_random_below(&r, 16), n = test_random_below(&r, sizeof(bytes) - from);
		for (size_t i = 0; i < n; i++)
			bytes[from + i] = (unsigned char)test_random_u64(&r);
		uint32_t whole = crc32c(0, bytes + from, n);
		check_int("portable", crc32c_portable(0, bytes + from, n), whole);
		size_t cut = test_random_below(&r, n + 1);
		uint32_t first = crc32c(0, bytes + from, cut);
		check_int("in two pieces", crc32c(first, bytes + from + cut, n - cut), whole);
	}
}

TEST_MAIN("crc32c", cmocka_unit_test(known_values), cmocka_unit_test(both_ways_agree_and_chain))
