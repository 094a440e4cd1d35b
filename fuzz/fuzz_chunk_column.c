/* A sealed chunk: decoded, with each version of the kernels, which must agree; a part of it read alone is that part; what decodes
 * is encoded again and must come back the same. */
#include "tsdb/chunk_column.h"
#include "tsdb/column_kernels.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIRST_MS = 1700000 };
static int64_t t[CHUNK_COLUMN_MAX_SAMPLES], t2[CHUNK_COLUMN_MAX_SAMPLES];
static double v[CHUNK_COLUMN_MAX_SAMPLES], v2[CHUNK_COLUMN_MAX_SAMPLES];

static void check_again(size_t n)
{
	struct strbuf sb = STRBUF_INIT;
	chunk_column_encode(t, v, n, &sb);
	if (chunk_column_decode(strbuf_slice(&sb), SL_EMPTY, t[0], t2, v2, NULL) != 0 ||
	    memcmp(t, t2, n * sizeof(*t)) != 0 || memcmp(v, v2, n * sizeof(*v)) != 0)
		abort();
	strbuf_done(&sb);
}

/* The plain kernels say the same. */
static void check_plain(struct slice bytes, size_t n, int rc)
{
	column_kernels_force(column_kernels_version(0));
	int plain = chunk_column_decode(bytes, SL_EMPTY, FIRST_MS, t2, v2, NULL);
	column_kernels_force(NULL);
	if (plain != rc ||
	    (rc == 0 && (memcmp(t, t2, n * sizeof(*t)) != 0 || memcmp(v, v2, n * sizeof(*v)) != 0)))
		abort();
}

static void check_part(struct slice bytes, size_t n)
{
	size_t from = n / 3, to = n - n / 4 - 1;
	struct chunk_times none = {SL_EMPTY, 0};
	struct sample_column c;
	sample_column_init(&c, NULL);
	if (from > to)
		return;
	size_t m = to - from + 1;
	if (chunk_column_read(bytes, &none, FIRST_MS, t[from], t[to], &c, NULL) != 0 || c.n != m ||
	    memcmp(c.t, t + from, m * sizeof(*t)) != 0 || memcmp(c.v, v + from, m * sizeof(*v)) != 0)
		abort();
	sample_column_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = slice_of((const char *)data, size);
	uint32_t n;
	if (chunk_column_count(bytes, &n, NULL) != 0)
		return 0;
	int rc = chunk_column_decode(bytes, SL_EMPTY, FIRST_MS, t, v, NULL);
	check_plain(bytes, n, rc);
	if (rc)
		return 0;
	check_part(bytes, n);
	check_again(n);
	return 0;
}
