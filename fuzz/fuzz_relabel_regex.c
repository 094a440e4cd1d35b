/* The first line is an expression, the second a replacement, the rest text. A simple expression must be one for the engine
 * too, and match the same. */
#include "base/utf8.h"
#include "model/label_regex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice take_line(struct slice *rest)
{
	size_t n = slice_find(*rest, '\n');
	struct slice line = slice_of(rest->ptr, n);
	*rest = slice_from(*rest, n < rest->len ? n + 1 : n);
	return line;
}

/* The same expression in a group that the analysis of simple ones does not know. */
static void compare(const struct label_regex *re, struct slice expr, struct slice text)
{
	struct strbuf grouped = STRBUF_INIT;
	strbuf_adds(&grouped, "(?s:");
	strbuf_add_slice(&grouped, expr);
	strbuf_addch(&grouped, ')');
	struct label_regex *engine;
	if (label_regex_new(strbuf_slice(&grouped), &engine, NULL) == 0) {
		if (label_regex_matches(engine, text) != label_regex_matches(re, text))
			abort();
		label_regex_free(engine);
	}
	strbuf_done(&grouped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_of((const char *)data, size);
	struct slice expr = take_line(&rest), replacement = take_line(&rest);
	/* Beyond UTF-8, which labels never are, a gap takes bytes that a dot does not. */
	if (expr.len > 500 || rest.len > 2000 || !utf8_valid(rest))
		return 0;
	struct label_regex *re;
	struct err err;
	if (label_regex_new(expr, &re, &err) < 0)
		return 0;
	struct strbuf out;
	strbuf_init(&out, 1 << 20);
	if (label_regex_expand(re, rest, replacement, &out) != label_regex_matches(re, rest))
		abort();
	if (label_regex_matches(re, rest) && !slice_starts(rest, label_regex_prefix(re)))
		abort();
	label_regex_replace_all(re, rest, replacement, &out);
	compare(re, expr, rest);
	strbuf_done(&out);
	label_regex_free(re);
	return 0;
}
