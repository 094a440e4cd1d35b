/* An open chunk from bytes: the first ones are the state, the others the bits. */
#include "tsdb/chunk_xor.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int64_t t[65536];
	static double v[65536];
	struct chunk_xor c;
	if (size < sizeof(c))
		return 0;
	memcpy(&c, data, sizeof(c));
	size_t left = size - sizeof(c);
	if (chunk_xor_bytes(&c) > left)
		c.bits = (uint16_t)(left < 8192 ? left * 8 : 65528);
	if (chunk_xor_bytes(&c) > left)
		return 0;
	int rc = chunk_xor_decode(&c, data + sizeof(c), 1, t, v, NULL);
	(void)rc;
	return 0;
}
