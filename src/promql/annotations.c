#include "promql/annotations.h"

#include "base/utf8.h"
#include "promql/parse.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void annotations_init(struct annotations *a, struct arena *arena, struct slice query)
{
	*a = (struct annotations){.arena = arena, .query = query};
}

static void list_add(struct arena *arena, struct annotation_list *l, struct slice text)
{
	for (size_t i = 0; i < l->n; i++) {
		if (slice_eq(l->v[i], text))
			return;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 8;
		struct slice *v = ARENA_ARRAY(arena, struct slice, cap);
		if (l->n)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = arena_slice(arena, text);
}

static PRINTF_LIKE(5, 0) void add(struct annotations *a, struct annotation_list *l, const char *kind,
    struct ast_range where, const char *fmt, va_list ap)
{
	struct strbuf sb = STRBUF_INIT;
	uint32_t line = 1, column = 1;

	strbuf_addf(&sb, "PromQL %s: ", kind);
	strbuf_addv(&sb, fmt, ap);
	promql_position(a->query, where.start, &line, &column);
	strbuf_addf(&sb, " (%u:%u)", line, column);
	list_add(a->arena, l, strbuf_slice(&sb));
	strbuf_done(&sb);
}

void annotate_warning(struct annotations *a, struct ast_range where, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(a, &a->warnings, "warning", where, fmt, ap);
	va_end(ap);
}

void annotate_info(struct annotations *a, struct ast_range where, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add(a, &a->infos, "info", where, fmt, ap);
	va_end(ap);
}

/* A text with the metric's name quoted behind it. */
static void named(
    struct annotations *a, bool warning, struct ast_range where, const char *text, struct slice name)
{
	struct strbuf sb = STRBUF_INIT;

	utf8_quote_go(&sb, name);
	if (warning)
		annotate_warning(a, where, "%s %s", text, strbuf_cstr(&sb));
	else
		annotate_info(a, where, "%s %s", text, strbuf_cstr(&sb));
	strbuf_done(&sb);
}

/* Whether Prometheus takes a metric of this name for a counter, when no type label says more. */
static bool is_counter_name(struct slice name)
{
	return slice_ends(name, SL("_total")) || slice_ends(name, SL("_sum")) ||
	       slice_ends(name, SL("_count")) || slice_ends(name, SL("_bucket"));
}

void annotate_row_notes(
    struct annotations *a, struct ast_range where, unsigned notes, struct slice name, const char *operation)
{
	static const struct {
		unsigned note;
		bool warning;
		const char *text;
	} texts[] = {
	    {NOTE_MIXED_FLOATS_HISTOGRAMS, true,
		"encountered a mix of histograms and floats for metric name"},
	    {NOTE_NOT_COUNTER, true, "this native histogram metric is not a counter:"},
	    {NOTE_NOT_GAUGE, true, "this native histogram metric is not a gauge:"},
	    {NOTE_MIXED_SCHEMAS, true,
		"vector contains a mix of histograms with exponential and custom buckets schemas for metric "
		"name"},
	    {NOTE_STARTS_OVERLAP, true,
		"sample has start time that overlaps with previous sample timestamp for metric"},
	    {NOTE_HISTOGRAMS_IGNORED, false,
		"ignored histograms in a range containing both floats and histograms for metric name"},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (notes & texts[i].note)
			named(a, texts[i].warning, where, texts[i].text, name);
	}
	if (notes & NOTE_RESET_CONFLICT)
		annotate_warning(a, where, "conflicting counter resets during histogram %s", operation);
	if (notes & NOTE_BOUNDS_RECONCILED)
		annotate_info(a, where, "mismatched custom buckets were reconciled during %s", operation);
	if (notes & NOTE_BOUNDS_ADDED)
		annotate_info(a, where, "mismatched custom buckets were reconciled during addition");
	if (notes & NOTE_MAYBE_NOT_COUNTER && name.len && !is_counter_name(name))
		named(a, false, where,
		    "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:", name);
}
