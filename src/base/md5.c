#include "base/md5.h"

#include <nettle/md5.h>

_Static_assert(MD5_BYTES == MD5_DIGEST_SIZE, "size of the digest");

void md5(const void *bytes, size_t n, uint8_t out[MD5_BYTES])
{
	struct md5_ctx ctx;
	md5_init(&ctx);
	md5_update(&ctx, n, (const uint8_t *)bytes);
	md5_digest(&ctx, MD5_BYTES, out);
}
