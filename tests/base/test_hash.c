#include "base/hash.h"
#include "tests/lib/test.h"

/* Values of the xxHash specification's empty input and of its reference program. */
static void known_values(void **state)
{
	(void)state;
	check_int("xxh64 of nothing", hash_xxh64("", 0), 0xef46db3751d8e999u);
	check_int("xxh64 of abc", hash_xxh64("abc", 3), 0x44bc2cf5ad770999u);
	check_int("xxh3 of nothing", hash64("", 0), 0x2d06800538d394c2u);
	check_int("seed 0 is no seed", hash64_seed("abc", 3, 0), hash64("abc", 3));
	struct hash128 h = hash128("", 0, 0);
	check_int("xxh128 of nothing, low", h.lo, 0x6001c324468d497fu);
	check_int("xxh128 of nothing, high", h.hi, 0x99aa06d3014798d8u);
}

static void seeds_matter(void **state)
{
	(void)state;
	check_true("64", hash64_seed("abc", 3, 1) != hash64_seed("abc", 3, 2));
	check_true("128", hash128("abc", 3, 1).lo != hash128("abc", 3, 2).lo);
}

TEST_MAIN("hash", cmocka_unit_test(known_values), cmocka_unit_test(seeds_matter))
