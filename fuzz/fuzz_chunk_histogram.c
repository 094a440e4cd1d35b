/* A sealed chunk of native histograms: read; what reads is encoded again and must come back the same. */
#include "tsdb/chunk_histogram.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct arena *a, const struct sample_column *c)
{
	struct strbuf sb = STRBUF_INIT;
	struct sample_column again;
	sample_column_init(&again, a);
	chunk_histogram_encode(c->t, c->h, c->n, &sb);
	int rc = chunk_histogram_read(strbuf_slice(&sb), c->t[0], INT64_MIN, INT64_MAX, &again, NULL);
	assert(rc == 0 && again.n == c->n && memcmp(c->t, again.t, c->n * sizeof(*c->t)) == 0);
	for (size_t i = 0; i < c->n; i++)
		assert(c->h[i]->n_pos == again.h[i]->n_pos && c->h[i]->n_neg == again.h[i]->n_neg &&
		       memcmp(c->h[i]->pos, again.h[i]->pos, c->h[i]->n_pos * sizeof(double)) == 0);
	sample_column_done(&again);
	strbuf_done(&sb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	sample_column_init(&c, a);
	if (chunk_histogram_read(
		slice_of((const char *)data, size), 1700000000000, INT64_MIN, INT64_MAX, &c, NULL) == 0 &&
	    c.n)
		check_again(a, &c);
	sample_column_done(&c);
	arena_free(a);
	return 0;
}
