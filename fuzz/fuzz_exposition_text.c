/* The text format: the walker and the strict parser must read the same series from every document. */
#include "base/xmalloc.h"
#include "scrape/parse_text.h"
#include "scrape/parse_text_strict.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One entry by both; false at the end. */
static bool step(struct text_parser *fast, struct text_parser *strict, struct arena *arena)
{
	struct err err;
	int rc = text_parser_next(fast, &err);
	struct label *l;
	size_t n;
	if (rc == 0 && fast->entry == TEXT_SERIES)
		rc = text_series_labels(fast, arena, &l, &n, &err);
	strict->start = strict->at;
	if (text_strict_entry(strict, &err) != rc)
		abort();
	if (rc != 0)
		return false;
	if (fast->entry != strict->entry || fast->at != strict->at)
		abort();
	if (fast->entry == TEXT_SERIES &&
	    (!slice_eq(fast->series, strict->series) || fast->has_time != strict->has_time))
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *body = (char *)xmalloc(size + 1);
	if (size > 0)
		memcpy(body, data, size);
	body[size] = '\n';
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct text_parser fast, strict;
	text_parser_init(&fast, slice_of(body, size + 1));
	text_parser_init(&strict, slice_of(body, size + 1));
	while (step(&fast, &strict, arena))
		;
	arena_free(arena);
	free(body);
	return 0;
}
