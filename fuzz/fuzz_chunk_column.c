/* A sealed chunk: decoded; what decodes is encoded again and must come back the same. */
#include "tsdb/chunk_column.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const int64_t *t, const double *v, size_t n)
{
	static int64_t t2[CHUNK_COLUMN_MAX_SAMPLES];
	static double v2[CHUNK_COLUMN_MAX_SAMPLES];
	struct strbuf sb = STRBUF_INIT;
	chunk_column_encode(t, v, n, &sb);
	if (chunk_column_decode(strbuf_slice(&sb), SL_EMPTY, t[0], t2, v2, NULL) != 0 ||
	    memcmp(t, t2, n * sizeof(*t)) != 0 || memcmp(v, v2, n * sizeof(*v)) != 0)
		abort();
	strbuf_done(&sb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int64_t t[CHUNK_COLUMN_MAX_SAMPLES];
	static double v[CHUNK_COLUMN_MAX_SAMPLES];
	struct slice bytes = slice_of((const char *)data, size);
	uint32_t n;
	if (chunk_column_count(bytes, &n, NULL) == 0 &&
	    chunk_column_decode(bytes, SL_EMPTY, 1700000000000, t, v, NULL) == 0)
		check_again(t, v, n);
	return 0;
}
