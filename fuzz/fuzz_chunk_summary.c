/* Rows of summaries as they stand in a directory: taken one after the other; what is taken is written again and must come back the
 * same. */
#include "tsdb/chunk_summary.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 1000 };

static void check_again(const struct sample_summary *s, const struct sample_summary *before)
{
	struct strbuf sb = STRBUF_INIT;
	struct byte_reader r;
	struct sample_summary again = {.count = s->count};
	bool has = false;
	chunk_summary_encode(s, before, &sb);
	byte_reader_init(&r, strbuf_slice(&sb));
	if (!chunk_summary_decode(&r, before, &again, &has) || !has || !byte_reader_done(&r) ||
	    !chunk_summary_equal(s, &again))
		abort();
	strbuf_done(&sb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct byte_reader r;
	struct sample_summary before;
	bool has_before = false;
	byte_reader_init(&r, slice_of((const char *)data, size));
	while (!byte_reader_done(&r)) {
		struct sample_summary s = {.count = SAMPLES};
		bool has;
		if (!chunk_summary_decode(&r, has_before ? &before : NULL, &s, &has))
			break;
		if (!has)
			continue;
		check_again(&s, has_before ? &before : NULL);
		before = s;
		has_before = true;
	}
	return 0;
}
