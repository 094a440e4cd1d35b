/* Which tokens are legal depends on the state, which tokens change. A blank is one blank, and belongs to a token:
 *
 *   INIT      "# HELP " "# TYPE " "# UNIT " (-> META1), "# EOF", name (-> VALUE), '{' (-> LABELS)
 *   META1     name or "quoted name" (-> META2)           META2   blank and the rest of the line (-> INIT)
 *   LABELS    label name, "quoted", '=' (-> LVALUE), ',', '}' (-> VALUE)
 *   LVALUE    "quoted" (-> LABELS)
 *   VALUE     '{' (-> LABELS), blank and anything up to a blank (-> TIME)
 *   TIME      blank and anything up to a blank, " # {" (-> LABELS of an exemplar), newline (-> INIT)
 *
 * Labels of an exemplar have states of their own, for what follows them. */
#include "scrape/parse_openmetrics.h"

#include "base/double_text.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "model/stale_marker.h"
#include "scrape/exposition_lexer.h"
#include "scrape/parse_text.h"
#include "scrape/parse_text_strict.h"
#include <math.h>

enum state {
	S_INIT,
	S_META1,
	S_META2,
	S_LABELS,
	S_LVALUE,
	S_VALUE,
	S_TIME,
	S_EX_LABELS,
	S_EX_LVALUE,
	S_EX_VALUE,
	S_EX_TIME
};

/* --- tokens ---------------------------------------------------------------------------------------------------- */

/* "...": a backslash takes the next character with it. Values of exemplars have no NUL (upstream's lexer stops there).
 * Without its end the lexer has read to where it failed. */
static enum token take_quoted(struct lexer *l, bool nul, enum state next, enum token t)
{
	const char *p = l->at + 1;
	for (; p < l->end && *p != '\n' && (nul || *p != '\0'); p++) {
		if (*p == '"')
			return lexer_take(l, (size_t)(p + 1 - l->at), next, t);
		if (*p == '\\' && (++p == l->end || *p == '\n'))
			break;
	}
	l->at = p < l->end ? p : l->end;
	return T_INVALID;
}

/* From behind "# ": a keyword, taken as far as it goes. */
static enum token take_keyword(struct lexer *l, const char *word, enum state next, enum token t)
{
	for (; *word; word++, l->at++)
		if (l->at == l->end || *l->at != *word)
			return T_INVALID;
	l->state = next;
	return t;
}

static enum token take_hash(struct lexer *l)
{
	l->at++;
	if (l->at == l->end || *l->at != ' ')
		return T_INVALID;
	l->at++;
	if (l->at == l->end)
		return T_INVALID;
	switch (*l->at) {
	case 'H':
		return take_keyword(l, "HELP ", S_META1, T_HELP);
	case 'T':
		return take_keyword(l, "TYPE ", S_META1, T_TYPE);
	case 'U':
		return take_keyword(l, "UNIT ", S_META1, T_UNIT);
	case 'E':
		if (take_keyword(l, "EOF", S_INIT, T_EOF_WORD) == T_INVALID)
			return T_INVALID;
		if (l->at < l->end && *l->at == '\n')
			l->at++;
		return T_EOF_WORD;
	default:
		return T_INVALID;
	}
}

/* A blank and what follows up to a blank or the end of the line. */
static enum token take_word(struct lexer *l, enum state next, enum token t)
{
	if (*l->at != ' ')
		return T_INVALID;
	const char *p = l->at + 1;
	while (p < l->end && *p != ' ' && *p != '\n')
		p++;
	if (p == l->at + 1) {
		l->at = p;
		return T_INVALID;
	}
	return lexer_take(l, (size_t)(p - l->at), next, t);
}

static enum token take_time(struct lexer *l, bool of_exemplar)
{
	if (*l->at == '\n')
		return lexer_take(l, 1, S_INIT, T_LINEBREAK);
	if (!of_exemplar && l->end - l->at >= 4 && memcmp(l->at, " # {", 4) == 0)
		return lexer_take(l, 4, S_EX_LABELS, T_EXEMPLAR);
	return take_word(l, l->state, T_TIMESTAMP);
}

static enum token take_in_labels(struct lexer *l, bool of_exemplar)
{
	switch (*l->at) {
	case '}':
		return lexer_take(l, 1, of_exemplar ? S_EX_VALUE : S_VALUE, T_BRACE_CLOSE);
	case '=':
		return lexer_take(l, 1, of_exemplar ? S_EX_LVALUE : S_LVALUE, T_EQUAL);
	case ',':
		return lexer_take(l, 1, l->state, T_COMMA);
	case '"':
		return take_quoted(l, true, l->state, T_QUOTED);
	default:
		return lexer_take_name(l, false, l->state, T_LABEL_NAME);
	}
}

static enum token take_at_start(struct lexer *l)
{
	switch (*l->at) {
	case '#':
		return take_hash(l);
	case '{':
		return lexer_take(l, 1, S_LABELS, T_BRACE_OPEN);
	default:
		return lexer_take_name(l, true, S_VALUE, T_NAME);
	}
}

/* A blank and the line with its newline. */
static enum token take_text(struct lexer *l)
{
	const char *p = *l->at == ' ' ? memchr(l->at, '\n', (size_t)(l->end - l->at)) : NULL;
	return p ? lexer_take(l, (size_t)(p + 1 - l->at), S_INIT, T_TEXT) : T_INVALID;
}

static enum token next_token(struct lexer *l)
{
	if (l->at == l->end) /* what an error shows is the token before then */
		return T_EOF;
	l->token = l->at;
	switch (l->state) {
	case S_INIT:
		return take_at_start(l);
	case S_META1:
		return *l->at == '"' ? take_quoted(l, true, S_META2, T_NAME)
				     : lexer_take_name(l, true, S_META2, T_NAME);
	case S_META2:
		return take_text(l);
	case S_LABELS:
		return take_in_labels(l, false);
	case S_EX_LABELS:
		return take_in_labels(l, true);
	case S_LVALUE:
		return *l->at == '"' ? take_quoted(l, true, S_LABELS, T_LABEL_VALUE) : T_INVALID;
	case S_EX_LVALUE:
		return *l->at == '"' ? take_quoted(l, false, S_EX_LABELS, T_LABEL_VALUE) : T_INVALID;
	case S_VALUE:
		return *l->at == '{' ? lexer_take(l, 1, S_LABELS, T_BRACE_OPEN)
				     : take_word(l, S_TIME, T_VALUE);
	case S_EX_VALUE:
		return take_word(l, S_EX_TIME, T_VALUE);
	case S_TIME:
		return take_time(l, false);
	case S_EX_TIME:
		return take_time(l, true);
	}
	return T_INVALID;
}

/* --- errors ----------------------------------------------------------------------------------------------------- */

static int no_end(struct err *err)
{
	return err_set(err, ERR_INVALID, "data does not end with # EOF");
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

/* Of the last token, which begins with a blank. */
static int take_float(const struct lexer *l, double *v, struct err *err)
{
	struct slice text = slice_from(lexer_token_text(l), 1);
	if (double_parse(text, v)) {
		if (isnan(*v))
			*v = double_from_bits(NORMAL_NAN_BITS);
		return 0;
	}
	return lexer_bad_float(l, text, err);
}

static int take_seconds(const struct lexer *l, const char *what, int64_t *t_ms, struct err *err)
{
	double seconds;
	int rc = take_float(l, &seconds, err);
	if (rc)
		return rc;
	if (!isfinite(seconds) || fabs(seconds * 1000) >= 0x1p63)
		return err_set(err, ERR_INVALID, "invalid %s %s", what,
		    isnan(seconds)      ? "NaN"
		    : isfinite(seconds) ? "out of range"
		    : seconds > 0       ? "+Inf"
					: "-Inf");
	*t_ms = (int64_t)(seconds * 1000);
	return 0;
}

/* --- labels ------------------------------------------------------------------------------------------------------- */

VEC_DEFINE(om_labels, struct text_label);

struct series_parts {
	struct slice name; /* ptr NULL: not set yet */
	bool name_quoted;
	struct om_labels *labels; /* NULL: not wanted */
};

/* A name that stands alone between the braces is the metric's. */
static int take_metric_name(
    const struct lexer *l, struct slice text, bool quoted, struct series_parts *parts, struct err *err)
{
	if (parts->name.ptr)
		return lexer_error(l, "metric name already set", (struct slice){0}, "", err);
	/* Upstream takes the first and last byte off, quotes or not. */
	parts->name = slice_of(text.ptr + 1, text.len >= 2 ? text.len - 2 : 0);
	parts->name_quoted = quoted;
	return 0;
}

/* What stands behind the name of a label: = and the value. */
static int take_label_value(struct lexer *l, enum token t, struct text_label *label, struct err *err)
{
	if (t != T_EQUAL)
		return lexer_unexpected(l, "expected equal", t, err);
	t = next_token(l);
	if (t != T_LABEL_VALUE)
		return lexer_unexpected(l, "expected label value", t, err);
	struct slice text = lexer_token_text(l);
	if (!utf8_valid(text))
		return lexer_error(NULL, "invalid UTF-8 label value: ", text, "", err);
	bool quoted;
	label->value = lexer_unquote(text, &quoted);
	return 0;
}

/* From behind '{' to behind '}'. */
static int parse_labels(struct lexer *l, struct series_parts *parts, bool of_exemplar, struct err *err)
{
	enum token t = next_token(l);
	while (t != T_BRACE_CLOSE) {
		struct slice text = lexer_token_text(l);
		enum token name = t;
		if (t != T_LABEL_NAME && t != T_QUOTED)
			return lexer_unexpected(l, "expected label name", t, err);
		t = next_token(l);
		if (!of_exemplar && (t == T_COMMA || t == T_BRACE_CLOSE)) {
			int rc = take_metric_name(l, text, name == T_QUOTED, parts, err);
			if (rc)
				return rc;
			if (t == T_COMMA)
				t = next_token(l);
			continue;
		}
		struct text_label label = {.value = SL_EMPTY};
		label.name = lexer_unquote(text, &label.name_quoted);
		int rc = take_label_value(l, t, &label, err);
		if (rc)
			return rc;
		if (parts->labels)
			om_labels_push(parts->labels, label);
		t = next_token(l);
		if (t == T_COMMA)
			t = next_token(l);
		else if (t != T_BRACE_CLOSE)
			return lexer_unexpected(l, "expected comma or brace close", t, err);
	}
	return 0;
}

/* --- series -------------------------------------------------------------------------------------------------------- */

/* From behind " # {". */
static int parse_exemplar(struct lexer *l, struct openmetrics_parser *p, struct err *err)
{
	struct series_parts parts = {0};
	const char *brace = l->at - 1;
	struct openmetrics_exemplar *x = &p->exemplar;
	int rc = parse_labels(l, &parts, true, err);
	if (rc)
		return rc;
	x->labels = slice_of(brace, (size_t)(l->at - brace));
	enum token t = next_token(l);
	if (t != T_VALUE)
		return lexer_unexpected(l, "expected value after exemplar labels", t, err);
	rc = take_float(l, &x->value, err);
	if (rc)
		return rc;
	p->has_exemplar = true;
	x->has_time = false;
	t = next_token(l);
	if (t == T_TIMESTAMP) {
		x->has_time = true;
		rc = take_seconds(l, "exemplar timestamp", &x->t_ms, err);
		if (rc)
			return rc;
		t = next_token(l);
		return t == T_LINEBREAK
			   ? 0
			   : lexer_unexpected(l, "expected next entry after exemplar timestamp", t, err);
	}
	if (t == T_EOF)
		return no_end(err);
	return t == T_LINEBREAK ? 0 : lexer_unexpected(l, "expected timestamp or comment", t, err);
}

/* What follows the series: its value, perhaps a timestamp, perhaps an exemplar. */
static int parse_suffix(struct lexer *l, enum token t, struct openmetrics_parser *p, struct err *err)
{
	if (t != T_VALUE)
		return lexer_unexpected(l, "expected value after metric", t, err);
	int rc = take_float(l, &p->value, err);
	if (rc)
		return rc;
	p->has_time = false;
	p->has_exemplar = false;
	t = next_token(l);
	if (t == T_EOF)
		return no_end(err);
	const char *expected = "expected timestamp or new record";
	if (t == T_TIMESTAMP) {
		p->has_time = true;
		rc = take_seconds(l, "timestamp", &p->t_ms, err);
		if (rc)
			return rc;
		t = next_token(l);
		expected = "expected next entry after timestamp";
	}
	if (t == T_EXEMPLAR)
		return parse_exemplar(l, p, err);
	return t == T_LINEBREAK ? 0 : lexer_unexpected(l, expected, t, err);
}

/* Name and labels; *t is the token behind them. */
static int parse_name(
    struct lexer *l, enum token *t, struct series_parts *parts, struct slice *raw, struct err *err)
{
	if (*t == T_NAME) {
		parts->name = lexer_token_text(l);
		*raw = parts->name;
		*t = next_token(l);
	}
	if (*t == T_BRACE_OPEN) {
		int rc = parse_labels(l, parts, false, err);
		if (rc)
			return rc;
		*raw = slice_of(l->first, (size_t)(l->at - l->first));
		*t = next_token(l);
	}
	return 0;
}

static int parse_series(struct lexer *l, enum token t, struct openmetrics_parser *p, struct err *err)
{
	struct series_parts parts = {0};
	int rc = parse_name(l, &t, &parts, &p->series, err);
	if (rc)
		return rc;
	if (!parts.name.ptr)
		return lexer_error(l, "metric name not set", (struct slice){0}, "", err);
	p->entry = OPENMETRICS_SERIES;
	return parse_suffix(l, t, p, err);
}

/* --- metadata ------------------------------------------------------------------------------------------------------ */

static int take_type(struct openmetrics_parser *p, struct err *err)
{
	bool known;
	enum metric_type type = metric_type_parse(p->text, &known);
	if (!known || slice_eq(p->text, SL("untyped")))
		return lexer_error(NULL, "invalid metric type ", p->text, "", err);
	p->type = type;
	return 0;
}

static int take_unit(const struct openmetrics_parser *p, struct err *err)
{
	struct slice unit = p->text, metric = p->metric;
	bool fits = unit.len == 0 || (slice_ends(metric, unit) && metric.len > unit.len &&
					 metric.ptr[metric.len - unit.len - 1] == '_');
	if (fits)
		return 0;
	struct strbuf sb = STRBUF_INIT;
	strbuf_adds(&sb, "unit ");
	utf8_quote_go(&sb, unit);
	strbuf_adds(&sb, " not a suffix of metric ");
	utf8_quote_go(&sb, metric);
	int rc = err_set(err, ERR_INVALID, "%" SL_FMT, SL_ARG(strbuf_slice(&sb)));
	strbuf_done(&sb);
	return rc;
}

static int parse_metadata(struct lexer *l, enum token what, struct openmetrics_parser *p, struct err *err)
{
	static const struct {
		const char *name_expected, *text_expected;
		enum openmetrics_entry entry;
	} kinds[] = {
	    [T_HELP] = {"expected metric name after HELP", "expected text in HELP", OPENMETRICS_HELP},
	    [T_TYPE] = {"expected metric name after TYPE", "expected text in TYPE", OPENMETRICS_TYPE},
	    [T_UNIT] = {"expected metric name after UNIT", "expected text in UNIT", OPENMETRICS_UNIT},
	};
	enum token t = next_token(l);
	if (t != T_NAME)
		return lexer_unexpected(l, kinds[what].name_expected, t, err);
	bool quoted;
	p->metric = lexer_unquote(lexer_token_text(l), &quoted);
	t = next_token(l);
	if (t != T_TEXT)
		return lexer_unexpected(l, kinds[what].text_expected, t, err);
	struct slice line = lexer_token_text(l);
	p->text = slice_of(line.ptr + 1, line.len - 2);
	p->entry = kinds[what].entry;
	if (what == T_TYPE)
		return take_type(p, err);
	if (what == T_UNIT)
		return take_unit(p, err);
	return utf8_valid(p->text)
		   ? 0
		   : lexer_error(NULL, "help text ", p->text, " is not a valid utf8 string", err);
}

/* --- entries -------------------------------------------------------------------------------------------------------- */

void openmetrics_init(struct openmetrics_parser *p, struct slice body, bool more)
{
	*p = (struct openmetrics_parser){
	    .body = body.ptr, .end = body.ptr + body.len, .at = body.ptr, .start = body.ptr, .more = more};
}

static uint64_t count_lines(const char *from, const char *to)
{
	uint64_t n = 0;
	for (const char *p = from; p < to && (p = memchr(p, '\n', (size_t)(to - p))); p++)
		n++;
	return n;
}

void openmetrics_continue(struct openmetrics_parser *p, struct slice body, bool more)
{
	p->lines += count_lines(p->body, p->end);
	p->body = p->at = p->start = body.ptr;
	p->end = body.ptr + body.len;
	p->more = more;
}

static int next_entry(struct openmetrics_parser *p, struct lexer *l, struct err *err)
{
	enum token t = next_token(l);
	if (t == T_EOF)
		return p->more || p->ended ? 1 : no_end(err);
	if (t == T_HELP || t == T_TYPE || t == T_UNIT)
		return parse_metadata(l, t, p, err);
	if (t == T_NAME || t == T_BRACE_OPEN)
		return parse_series(l, t, p, err);
	if (t != T_EOF_WORD)
		return lexer_unexpected(l, "expected a valid start token", t, err);
	p->ended = true;
	return l->at == l->end ? 1 : err_set(err, ERR_INVALID, "unexpected data after # EOF");
}

uint64_t openmetrics_line(const struct openmetrics_parser *p)
{
	return p->lines + count_lines(p->body, p->start) + 1;
}

int openmetrics_next(struct openmetrics_parser *p, struct err *err)
{
	struct lexer l = {.first = p->at, .token = p->at, .at = p->at, .end = p->end, .state = S_INIT};
	int rc = p->ended && p->at < p->end ? err_set(err, ERR_INVALID, "unexpected data after # EOF")
					    : next_entry(p, &l, err);
	p->start = l.first;
	if (rc < 0 && err)
		err->line = (uint32_t)openmetrics_line(p);
	if (rc >= 0)
		p->at = l.at;
	return rc;
}

static struct slice unescaped(struct slice s, bool quoted, struct arena *arena)
{
	return quoted ? text_unescape(s, true, arena) : s;
}

/* Of raw text that was parsed before, and so parses again. */
static void take_apart(struct openmetrics_parser *p, struct slice raw, enum state state, struct arena *arena,
    struct label **out, size_t *n)
{
	struct lexer l = {.first = raw.ptr, .at = raw.ptr, .end = raw.ptr + raw.len, .state = state};
	struct om_labels labels = {0};
	struct series_parts parts = {.labels = &labels};
	struct slice ignored;
	int rc;
	if (state == S_INIT) {
		enum token t = next_token(&l);
		rc = parse_name(&l, &t, &parts, &ignored, NULL);
	} else {
		l.at++; /* the brace */
		rc = parse_labels(&l, &parts, true, NULL);
	}
	assert(rc == 0);
	struct label *to = ARENA_ARRAY(arena, struct label, labels.len + 1);
	size_t k = 0;
	if (state == S_INIT)
		to[k++] = (struct label){SL(LABEL_NAME), unescaped(parts.name, parts.name_quoted, arena)};
	VEC_EACH (struct text_label, from, &labels) {
		struct slice name = unescaped(from->name, from->name_quoted, arena);
		struct slice value = text_unescape(from->value, true, arena);
		to[k++] = (struct label){name, text_normal_value(p->type, name, value, arena)};
	}
	om_labels_done(&labels);
	*out = to;
	*n = k;
}

void openmetrics_labels(struct openmetrics_parser *p, struct arena *arena, struct label **out, size_t *n)
{
	take_apart(p, p->series, S_INIT, arena, out, n);
}

void openmetrics_exemplar_labels(
    struct openmetrics_parser *p, struct arena *arena, struct label **out, size_t *n)
{
	take_apart(p, p->exemplar.labels, S_EX_LABELS, arena, out, n);
}
