/* OpenMetrics text: read whole and in two pieces, a document gives the same entries; what parsed is taken apart. */
#include "base/xmalloc.h"
#include "scrape/parse_openmetrics.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_all(struct openmetrics_parser *p, struct arena *arena, int *rc)
{
	size_t entries = 0;
	while ((*rc = openmetrics_next(p, NULL)) == 0) {
		struct label *l;
		size_t n;
		entries++;
		if (p->entry != OPENMETRICS_SERIES)
			continue;
		openmetrics_labels(p, arena, &l, &n);
		if (p->has_exemplar)
			openmetrics_exemplar_labels(p, arena, &l, &n);
	}
	return entries;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = (char *)xmalloc(size + 1);
	if (size > 0)
		memcpy(body, data, size);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct openmetrics_parser p;
	int rc, rc_pieces;
	openmetrics_init(&p, slice_of(body, size), false);
	size_t entries = read_all(&p, arena, &rc);
	size_t cut = slice_find(slice_of(body, size), '\n');
	if (rc == 1 && cut < size) {
		openmetrics_init(&p, slice_of(body, cut + 1), true);
		size_t pieces = read_all(&p, arena, &rc_pieces);
		if (rc_pieces == 1) {
			openmetrics_continue(&p, slice_of(body + cut + 1, size - cut - 1), false);
			pieces += read_all(&p, arena, &rc_pieces);
			if (rc_pieces != rc || pieces != entries)
				abort();
		}
	}
	arena_free(arena);
	free(body);
	return 0;
}
