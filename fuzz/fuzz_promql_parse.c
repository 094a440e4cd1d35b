/* Any bytes as a query, a selector and a series of the test language: no crash, and what parses prints to
 * a text that parses and prints the same. */
#include "base/strbuf.h"
#include "promql/ast_print.h"
#include "promql/parse.h"
#include "promql/prepare.h"
#include "promql/series_notation.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 64 << 20, FIVE_MINUTES_MS = 300000, STEP_MS = 15000, LINE = 20 };

static const struct parse_options everything = {
    .experimental_functions = true, .extended_range_selectors = true, .binop_fill_modifiers = true};

static void must_print_the_same(struct arena *a, struct slice printed, bool pretty)
{
	const struct expr *e = NULL;
	if (promql_parse(a, printed, &everything, &e, NULL))
		abort();
	struct strbuf again = STRBUF_INIT;
	ast_print(&again, e);
	if (!pretty && !slice_eq(strbuf_slice(&again), printed))
		abort();
	strbuf_done(&again);
}

static void try_query(struct arena *a, struct slice text)
{
	const struct expr *e = NULL, *prepared = NULL;
	struct err err;
	if (promql_parse(a, text, &everything, &e, &err))
		return;
	int rc = promql_prepare(a, e, 0, FIVE_MINUTES_MS, STEP_MS, &prepared, &err);
	(void)rc;
	struct strbuf printed = STRBUF_INIT, pretty = STRBUF_INIT;
	ast_print(&printed, e);
	must_print_the_same(a, strbuf_slice(&printed), false);
	ast_print_pretty(&pretty, e, LINE);
	must_print_the_same(a, strbuf_slice(&pretty), true);
	strbuf_done(&printed);
	strbuf_done(&pretty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct arena *a = arena_new(ARENA_BYTES);
	const struct matcher *const *matchers;
	struct series_notation series;
	size_t n;
	struct err err;
	try_query(a, text);
	int rc = promql_parse_selector(a, text, &matchers, &n, &err);
	/* Long rows of values are legal, and slow to make. */
	if (rc && size < 100 && !memchr(data, 'x', size))
		rc = series_notation_parse(a, text, &series, &err);
	(void)rc;
	arena_free(a);
	return 0;
}
