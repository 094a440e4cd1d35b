#include "promql/parse.h"
#include "base/utf8.h"
#include "grammar/promql_grammar.h"
#include "promql/lex_glue.h"
#include "promql/parse_priv.h"

/* Positions are 32 bits. */
enum { MAX_TEXT_BYTES = 64 << 20 };

struct slice parse_quote(struct parse_state *s, struct slice text)
{
	struct strbuf quoted = STRBUF_INIT;
	utf8_quote_go(&quoted, text);
	struct slice copy = arena_slice(s->arena, strbuf_slice(&quoted));
	strbuf_done(&quoted);
	return copy;
}

void parse_fail(struct parse_state *s, struct ast_range where, const char *fmt, ...)
{
	if (s->failed)
		return;
	struct strbuf text = STRBUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	s->failed = true;
	s->where = where;
	s->message = arena_slice(s->arena, strbuf_slice(&text));
	strbuf_done(&text);
}

/* --- "unexpected ..." --- */

enum token_class { CLASS_PLAIN, CLASS_NAMED, CLASS_WORD, CLASS_OPERATOR, CLASS_AGGREGATE, CLASS_KEYWORD };

static enum token_class class_of(int token)
{
	if (token >= ADD && token <= TRIM_UPPER)
		return CLASS_OPERATOR;
	if (token >= AVG && token <= TOPK)
		return CLASS_AGGREGATE;
	if (token >= ANCHORED && token <= WITHOUT)
		return CLASS_KEYWORD;
	if (token == IDENTIFIER || token == METRIC_IDENTIFIER)
		return CLASS_WORD;
	return token == NUMBER || token == DURATION || token == STRING ? CLASS_NAMED : CLASS_PLAIN;
}

static const char *name_of(int token)
{
	switch (token) {
	case IDENTIFIER:
		return "identifier ";
	case METRIC_IDENTIFIER:
		return "metric identifier ";
	case NUMBER:
		return "number ";
	case DURATION:
		return "duration ";
	case STRING:
		return "string ";
	default:
		return "";
	}
}

/* The first `n` characters of `text`. */
static struct slice first_characters(struct slice text, size_t n)
{
	size_t pos = 0, len;
	for (; n > 0 && pos < text.len; n--) {
		utf8_decode(slice_from(text, pos), &len);
		pos += len;
	}
	return slice_of(text.ptr, pos);
}

enum { SHOWN_CHARACTERS = 10 };

static struct slice describe_token(struct parse_state *s)
{
	struct slice text = s->token_text;
	switch (class_of(s->token)) {
	case CLASS_OPERATOR:
		return arena_printf(s->arena, "<op:%" SL_FMT ">", SL_ARG(text));
	case CLASS_AGGREGATE:
		return arena_printf(s->arena, "<aggr:%" SL_FMT ">", SL_ARG(text));
	case CLASS_KEYWORD:
		return arena_printf(s->arena, "<%" SL_FMT ">", SL_ARG(text));
	case CLASS_WORD:
		return arena_printf(s->arena, "%s%" SL_FMT, name_of(s->token), SL_ARG(parse_quote(s, text)));
	case CLASS_NAMED:
	case CLASS_PLAIN:
		break;
	}
	if (s->token == 0)
		return SL("end of input");
	bool cut = text.len > SHOWN_CHARACTERS;
	struct slice shown = parse_quote(s, cut ? first_characters(text, SHOWN_CHARACTERS) : text);
	return arena_printf(s->arena, "%s%" SL_FMT "%s", name_of(s->token), SL_ARG(shown), cut ? "..." : "");
}

void parse_unexpected(struct parse_state *s, const char *context, const char *expected)
{
	if (s->failed)
		return;
	struct slice token = describe_token(s);
	parse_fail(s, s->token_pos, "unexpected %" SL_FMT "%s%s%s%s", SL_ARG(token), *context ? " in " : "",
	    context, *expected ? ", expected " : "", expected);
}

void parse_empty(struct parse_state *s)
{
	if (s->token != 0)
		parse_unexpected(s, "", "");
	s->nowhere = !s->failed && s->text.len == 0;
	parse_fail(s, (struct ast_range){0, 0}, "no expression found in input");
}

/* --- entry points --- */

void promql_position(struct slice text, uint32_t pos, uint32_t *line, uint32_t *column)
{
	uint32_t lines = 1, line_start = 0;
	for (uint32_t i = 0; i < pos && i < text.len; i++) {
		if (text.ptr[i] == '\n') {
			lines++;
			line_start = i + 1;
		}
	}
	*line = lines;
	*column = pos - line_start + 1;
}

static int report(const struct parse_state *s, struct ast_range *where, struct err *err)
{
	if (where)
		*where = s->where;
	if (s->nowhere)
		return err_set(
		    err, ERR_INVALID, "unknown position: parse error: %" SL_FMT, SL_ARG(s->message));
	uint32_t line, column;
	promql_position(s->text, s->where.start, &line, &column);
	return err_set_at(
	    err, ERR_INVALID, line, column, "%u:%u: parse error: %" SL_FMT, line, column, SL_ARG(s->message));
}

static int run(struct parse_state *s, struct ast_range *where, struct err *err)
{
	if (s->text.len > MAX_TEXT_BYTES)
		return err_set(err, ERR_LIMIT, "expression is longer than %d bytes", (int)MAX_TEXT_BYTES);
	lex_start(s);
	promql_yyparse(s);
	lex_stop(s);
	if (!s->failed && s->result)
		typecheck(s, s->result);
	if (!s->failed && arena_overflowed(s->arena))
		return err_set(err, ERR_LIMIT, "expression needs too much memory");
	return s->failed ? report(s, where, err) : 0;
}

const struct parse_options parse_all_syntax = {
    .experimental_functions = true, .extended_range_selectors = true, .binop_fill_modifiers = true};

int promql_parse_where(struct arena *arena, struct slice text, const struct parse_options *options,
    const struct expr **out, struct ast_range *where, struct err *err)
{
	struct parse_state s = {.arena = arena, .text = text, .start_token = START_EXPRESSION};
	if (options)
		s.options = *options;
	int rc = run(&s, where, err);
	if (rc)
		return rc;
	*out = s.result;
	return 0;
}

int promql_parse(struct arena *arena, struct slice text, const struct parse_options *options,
    const struct expr **out, struct err *err)
{
	return promql_parse_where(arena, text, options, out, NULL, err);
}

int promql_parse_selector(struct arena *arena, struct slice text, const struct matcher *const **matchers,
    size_t *n_matchers, struct err *err)
{
	struct parse_state s = {
	    .arena = arena, .text = text, .start_token = START_SELECTOR, .may_match_all = true};
	int rc = run(&s, NULL, err);
	if (rc)
		return rc;
	*matchers = s.result->selector.matchers;
	*n_matchers = s.result->selector.n_matchers;
	return 0;
}
