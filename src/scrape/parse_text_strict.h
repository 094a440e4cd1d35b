/* Private to the text parser: the format token by token, as upstream's lexer cuts it. Slow, exact, with upstream's error
 * texts. */
#pragma once

#include "scrape/parse_text.h"

/* Parses the entry at p->start and sets p's fields as text_parser_next() does. */
MUST_CHECK int text_strict_entry(struct text_parser *p, struct err *err);

/* Parts of a series: raw slices, quotes taken off. */
struct text_label {
	struct slice name, value;
	bool name_quoted;
};
struct text_series {
	struct slice name;
	bool name_quoted;
	struct text_label *labels;
	size_t n;
};
/* Takes apart what is a series from its first to its last byte; false when it is not. */
bool text_strict_series(struct slice raw, struct arena *arena, struct text_series *out);
