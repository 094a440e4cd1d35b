#include "promql/lex_glue.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "grammar/promql_grammar.h"
#include "promql/string_literal.h"
#include <stdlib.h>

/* What flex's header wants to find. */
typedef void *yyscan_t;
#define YY_TYPEDEF_YY_SCANNER_T
#define YY_EXTRA_TYPE struct parse_state *
#define YYSTYPE       PROMQL_YYSTYPE
#define YYLTYPE       PROMQL_YYLTYPE
#include "grammar/promql_lexer.h"

int promql_scan(YYSTYPE *value, YYLTYPE *at, void *scanner);

static const struct {
	const char *word;
	int token;
} keywords[] = {
    /* sorted by word */
    /* clang-format off */
    {"anchored", ANCHORED}, {"and", LAND}, {"atan2", ATAN2}, {"avg", AVG}, {"bool", BOOL}, {"bottomk", BOTTOMK},
    {"by", BY}, {"count", COUNT}, {"count_values", COUNT_VALUES}, {"end", END}, {"fill", FILL},
    {"fill_left", FILL_LEFT}, {"fill_right", FILL_RIGHT}, {"group", GROUP}, {"group_left", GROUP_LEFT},
    {"group_right", GROUP_RIGHT}, {"ignoring", IGNORING}, {"inf", NUMBER}, {"limit_ratio", LIMIT_RATIO},
    {"limitk", LIMITK}, {"max", MAX}, {"max_of", MAX_OF}, {"min", MIN}, {"min_of", MIN_OF}, {"nan", NUMBER},
    {"offset", OFFSET}, {"on", ON}, {"or", LOR}, {"quantile", QUANTILE}, {"range", RANGE}, {"smoothed", SMOOTHED},
    {"start", START}, {"stddev", STDDEV}, {"stdvar", STDVAR}, {"step", STEP}, {"sum", SUM}, {"topk", TOPK},
    {"unless", LUNLESS}, {"without", WITHOUT},
    /* clang-format on */
};

enum { MAX_KEYWORD = 12 };

void lex_advance(struct parse_state *s, struct ast_range *at, size_t len)
{
	at->start = s->pos;
	s->pos += (uint32_t)len;
	at->end = s->pos;
}

int lex_fail(struct parse_state *s, uint32_t from, const char *message)
{
	parse_fail(s, (struct ast_range){from, (uint32_t)s->text.len}, "%s", message);
	return 0;
}

int lex_bad_character(
    struct parse_state *s, uint32_t from, uint32_t at, const char *before, const char *after)
{
	struct slice c = quote_rune(s->arena, slice_from(s->text, at));
	parse_fail(
	    s, (struct ast_range){from, (uint32_t)s->text.len}, "%s%" SL_FMT "%s", before, SL_ARG(c), after);
	return 0;
}

/* --- words --- */

static int compare_keyword(const void *word, const void *row)
{
	return strcmp((const char *)word, *(const char *const *)row);
}

/* The keyword's token, whatever its case; 0: no keyword. */
static int find_keyword(struct slice word)
{
	char lower[MAX_KEYWORD + 1];
	if (word.len > MAX_KEYWORD)
		return 0;
	for (size_t i = 0; i < word.len; i++)
		lower[i] = (char)(word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? word.ptr[i] + 32 : word.ptr[i]);
	lower[word.len] = '\0';
	const void *row = bsearch(lower, keywords, ARRAY_LEN(keywords), sizeof(keywords[0]), compare_keyword);
	return row ? keywords[((const char *)row - (const char *)keywords) / (ptrdiff_t)sizeof(keywords[0])]
			 .token
		   : 0;
}

static bool paren_follows(const struct parse_state *s)
{
	size_t i = s->pos;
	while (i < s->text.len && strchr(" \t\r\n", s->text.ptr[i]) && s->text.ptr[i])
		i++;
	return i < s->text.len && s->text.ptr[i] == '(';
}

int lex_word(struct parse_state *s, struct slice word)
{
	int token = find_keyword(word);
	bool is_fill = token == FILL || token == FILL_LEFT || token == FILL_RIGHT;
	if (token && (!is_fill || paren_follows(s)))
		return token;
	return slice_find(word, ':') < word.len ? METRIC_IDENTIFIER : IDENTIFIER;
}

size_t lex_letters(struct slice word)
{
	size_t n = 0;
	while (n < word.len && !(word.ptr[n] >= '0' && word.ptr[n] <= '9') && word.ptr[n] != ':')
		n++;
	return n;
}

int lex_word_in_bracket(struct parse_state *s, struct slice word, bool operand)
{
	int token = find_keyword(word);
	if (token == STEP || token == RANGE || token == MIN_OF || token == MAX_OF)
		return token;
	uint32_t start = s->pos - (uint32_t)word.len;
	if (operand)
		return lex_bad_character(
		    s, start, start, "unexpected character in duration expression: ", "");
	return lex_bad_character(s, start, start, "unexpected character: ", ", expected ':'");
}

/* --- brackets --- */

int lex_paren_open(struct parse_state *s)
{
	s->paren_depth++;
	return LEFT_PAREN;
}

int lex_paren_close(struct parse_state *s)
{
	if (--s->paren_depth < 0)
		return lex_fail(s, s->pos, "unexpected right parenthesis ')'");
	return RIGHT_PAREN;
}

int lex_bracket_close(struct parse_state *s)
{
	s->bracket_open = false;
	return RIGHT_BRACKET;
}

int lex_bracket_colon(struct parse_state *s, const struct ast_range *at, bool operand)
{
	if (operand && !s->got_duration)
		return lex_fail(s, s->pos, "unexpected colon before duration in duration expression");
	if (operand && s->got_colon)
		return lex_fail(s, s->pos, "unexpected repeated colon in duration expression");
	if (s->got_colon)
		return lex_fail(s, at->start, "unexpected colon ':'");
	s->got_colon = true;
	return COLON;
}

int lex_end(struct parse_state *s)
{
	if (s->paren_depth != 0)
		return lex_fail(s, s->pos, "unclosed left parenthesis");
	if (s->bracket_open)
		return lex_fail(s, s->pos, "unclosed left bracket");
	return 0;
}

int lex_string(struct parse_state *s, struct slice text, struct ast_range at, struct slice *value)
{
	size_t len;
	struct err err;
	struct slice unquoted;
	if (string_literal_read(s->arena, text, &unquoted, &len, &err))
		return lex_fail(s, at.start, err.msg);
	*value = unquoted;
	return STRING;
}

/* --- numbers --- */

struct scan {
	struct slice text;
	size_t pos;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char peek(const struct scan *s)
{
	return s->pos < s->text.len ? s->text.ptr[s->pos] : '\0';
}

static bool take_one_of(struct scan *s, const char *set)
{
	char c = peek(s);
	if (!c || !strchr(set, c))
		return false;
	s->pos++;
	return true;
}

static void take_digits(struct scan *s, const char *digits)
{
	while (take_one_of(s, digits))
		continue;
}

#define DIGITS     "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"

/* A character that may not be: part of what is refused. */
static bool take_bad(struct scan *s, const char *set)
{
	return take_one_of(s, set) || s->pos == s->text.len;
}

/* What is left of a number behind its first digit: digits, at most one dot and one exponent, single underscores. In hexadecimal
 * numbers an E is an exponent, too, where it does not follow another digit. */
static bool scan_number_rest(struct scan *s, const char *digits)
{
	bool dot = false, exponent = false;
	for (;;) {
		if (take_one_of(s, ".")) {
			if (dot || take_one_of(s, "_.") || digits[10])
				return false;
			dot = true;
		} else if (take_one_of(s, "eE")) {
			if (exponent)
				return false;
			exponent = true;
			take_one_of(s, "+-");
			if (take_bad(s, "._eE"))
				return false;
		} else if (take_one_of(s, "_")) {
			if (take_bad(s, "._eE"))
				return false;
		} else if (take_one_of(s, digits)) {
			take_digits(s, digits);
		} else {
			return !is_word_char(peek(s));
		}
	}
}

static bool scan_number(struct scan *s)
{
	const char *digits = DIGITS;
	if (take_one_of(s, "0") && take_one_of(s, "xX")) {
		take_one_of(s, "_");
		digits = HEX_DIGITS;
	}
	take_one_of(s, ".");
	take_one_of(s, digits);
	return scan_number_rest(s, digits);
}

/* What is left behind the first digits of a duration: units and further groups. Which units in which order is
 * decided by duration_parse(). */
static bool scan_duration_rest(struct scan *s)
{
	if (!take_one_of(s, "smhdwy"))
		return false;
	take_one_of(s, "s");
	while (take_one_of(s, DIGITS)) {
		take_digits(s, DIGITS);
		if (!take_one_of(s, "smhdw"))
			return false;
		take_one_of(s, "s");
	}
	if (!is_word_char(peek(s)))
		return true;
	s->pos++;
	return false;
}

int lex_number(struct parse_state *s, struct slice text, struct ast_range *at, size_t *len)
{
	struct scan scan = {.text = slice_from(s->text, at->start)};
	int token = scan_number(&scan) ? NUMBER : scan_duration_rest(&scan) ? DURATION : 0;
	if (!token) {
		struct slice bad = parse_quote(s, slice_of(text.ptr, scan.pos));
		parse_fail(s, (struct ast_range){at->start, (uint32_t)s->text.len},
		    "bad number or duration syntax: %" SL_FMT, SL_ARG(bad));
	}
	*len = scan.pos;
	s->pos = at->end = at->start + (uint32_t)scan.pos;
	return token;
}

/* --- the grammar's side --- */

int promql_yylex(YYSTYPE *value, YYLTYPE *at, struct parse_state *s)
{
	if (s->start_token) {
		int token = s->start_token;
		s->start_token = 0;
		*at = (struct ast_range){0, 0};
		return token;
	}
	*at = (struct ast_range){s->pos, s->pos};
	value->text = SL_EMPTY;
	int token = s->failed ? 0 : promql_scan(value, at, s->scanner);
	if (token == 0)
		*at = (struct ast_range){s->pos, s->pos};
	s->token = token;
	s->token_pos = *at;
	s->token_text = slice_of(s->text.ptr + at->start, at->end - at->start);
	return token;
}

void lex_start(struct parse_state *s)
{
	promql_lex_lex_init_extra(s, &s->scanner);
	promql_lex__scan_bytes(s->text.len ? s->text.ptr : "", (int)s->text.len, s->scanner);
}

void lex_stop(struct parse_state *s)
{
	promql_lex_lex_destroy(s->scanner);
	s->scanner = NULL;
}

/* The scanner's memory: small, but for one copy of the text. */
void *promql_lex_alloc(size_t size, void *scanner)
{
	(void)scanner;
	return xmalloc(size);
}

void *promql_lex_realloc(void *ptr, size_t size, void *scanner)
{
	(void)scanner;
	return xrealloc(ptr, size);
}

void promql_lex_free(void *ptr, void *scanner)
{
	(void)scanner;
	free(ptr);
}
