#include "base/sha2.h"
#include "tests/lib/test.h"

/* FIPS 180-2, B.1 and the empty message. */
static void known_values(void **state)
{
	(void)state;
	char out[SHA256_HEX];
	sha256_hex(SL("abc"), out);
	check_str("abc", slice_of(out, SHA256_HEX),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_hex(SL_EMPTY, out);
	check_str("empty", slice_of(out, SHA256_HEX),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_MAIN("sha2", cmocka_unit_test(known_values))
