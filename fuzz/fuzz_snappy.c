/* Compressed bodies: any bytes are decoded within the bound or refused; what was encoded comes back. */
#include "base/compress.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BOUND = 1 << 20 };

static void check_decode(struct slice in, int (*decode)(struct slice in, struct strbuf *out, struct err *err))
{
	struct strbuf out;
	struct err err = {0};
	strbuf_init(&out, BOUND);
	int rc = decode(in, &out, &err);
	if (out.len > BOUND || (rc && err.msg[0] == '\0'))
		abort();
	strbuf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	check_decode(in, snappy_decode);
	check_decode(in, gzip_decode);
	check_decode(in, deflate_decode);
	struct strbuf packed = STRBUF_INIT, back = STRBUF_INIT;
	snappy_encode(in, &packed);
	if (snappy_decode(strbuf_slice(&packed), &back, NULL) || !slice_eq(strbuf_slice(&back), in))
		abort();
	strbuf_done(&packed);
	strbuf_done(&back);
	return 0;
}
