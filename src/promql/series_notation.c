#include "promql/series_notation.h"
#include "base/double_text.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "model/duration.h"
#include "model/stale_marker.h"
#include "promql/string_literal.h"
#include <math.h>

VEC_DEFINE(value_vec, struct series_value);
VEC_DEFINE(label_vec, struct label);
VEC_DEFINE(double_vec, double);

struct cursor {
	struct arena *arena;
	struct slice text;
	size_t pos;
	struct err *err;
};

/* --- reading --- */

static bool at_end(const struct cursor *c)
{
	return c->pos >= c->text.len;
}

static char peek(const struct cursor *c)
{
	return at_end(c) ? '\0' : c->text.ptr[c->pos];
}

static bool is_space(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool is_letter(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool skip_spaces(struct cursor *c)
{
	size_t from = c->pos;
	while (is_space(peek(c)))
		c->pos++;
	return c->pos > from;
}

static bool take(struct cursor *c, const char *token)
{
	if (!slice_starts(slice_from(c->text, c->pos), slice_cstr(token)))
		return false;
	c->pos += strlen(token);
	return true;
}

static struct slice take_word(struct cursor *c)
{
	size_t from = c->pos;
	while (is_letter(peek(c)) || is_digit(peek(c)))
		c->pos++;
	return slice_of(c->text.ptr + from, c->pos - from);
}

static int fail_at(struct cursor *c, size_t pos, const char *fmt, ...) PRINTF_LIKE(3, 4);
static int fail_at(struct cursor *c, size_t pos, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_setv(c->err, ERR_INVALID, fmt, ap);
	va_end(ap);
	int rc = err_prefix(c->err, "1:%zu: parse error: ", pos + 1);
	if (c->err) {
		c->err->line = 1;
		c->err->column = (uint32_t)pos + 1;
	}
	return rc;
}

/* %q of a text, in the arena. */
static struct slice quote(struct cursor *c, struct slice text)
{
	struct strbuf quoted = STRBUF_INIT;
	utf8_quote_go(&quoted, text);
	struct slice s = arena_slice(c->arena, strbuf_slice(&quoted));
	strbuf_done(&quoted);
	return s;
}

/* What stands at the cursor is not what can stand here. */
static int unexpected(struct cursor *c, const char *context, const char *expected)
{
	size_t from = c->pos;
	const char *kind = "";
	struct slice shown = SL("end of input");
	if (!at_end(c)) {
		struct slice token = is_letter(peek(c)) ? take_word(c) : slice_of(c->text.ptr + from, 1);
		kind = is_letter(token.ptr[0]) ? "identifier " : is_digit(token.ptr[0]) ? "number " : "";
		shown = quote(c, token);
	}
	return fail_at(c, from, "unexpected %s%" SL_FMT " in %s%s%s", kind, SL_ARG(shown), context,
	    *expected ? ", expected " : "", expected);
}

/* --- labels --- */

static int read_string(struct cursor *c, struct slice *out)
{
	size_t len;
	struct err why;
	if (string_literal_read(c->arena, slice_from(c->text, c->pos), out, &len, &why))
		return fail_at(c, c->pos, "%s", why.msg);
	c->pos += len;
	return 0;
}

static bool at_quote(const struct cursor *c)
{
	return peek(c) == '"' || peek(c) == '\'' || peek(c) == '`';
}

/* name="value", "na.me"="value", or "the metric's name". */
static int read_label(struct cursor *c, struct label_vec *labels)
{
	struct label l = {0};
	bool quoted = at_quote(c);
	if (quoted) {
		int rc = read_string(c, &l.name);
		if (rc)
			return rc;
	} else if (is_letter(peek(c))) {
		l.name = take_word(c);
	} else {
		return unexpected(c, "label set", "identifier or \"}\"");
	}
	skip_spaces(c);
	if (!take(c, "=")) {
		if (!quoted)
			return unexpected(c, "label set", "\"=\"");
		label_vec_push(labels, (struct label){SL(LABEL_NAME), l.name});
		return 0;
	}
	skip_spaces(c);
	if (!at_quote(c))
		return unexpected(c, "label set", "string");
	int rc = read_string(c, &l.value);
	if (!rc)
		label_vec_push(labels, l);
	return rc;
}

static int read_label_set(struct cursor *c, struct label_vec *labels)
{
	for (;;) {
		skip_spaces(c);
		if (take(c, "}"))
			return 0;
		int rc = read_label(c, labels);
		if (rc)
			return rc;
		skip_spaces(c);
		if (!take(c, ",") && peek(c) != '}')
			return unexpected(c, "label set", "\",\" or \"}\"");
	}
}

static int read_series_into(struct cursor *c, struct label_vec *labels)
{
	skip_spaces(c);
	size_t from = c->pos;
	if (is_letter(peek(c)) || peek(c) == ':')
		while (is_letter(peek(c)) || is_digit(peek(c)) || peek(c) == ':')
			c->pos++;
	struct slice name = slice_of(c->text.ptr + from, c->pos - from);
	if (name.len)
		label_vec_push(labels, (struct label){SL(LABEL_NAME), name});
	size_t behind_name = c->pos;
	skip_spaces(c);
	/* Behind a name and a space, "{{" begins the first value. */
	bool is_histogram = name.len && slice_starts(slice_from(c->text, c->pos), SL("{{"));
	if (!is_histogram && take(c, "{"))
		return read_label_set(c, labels);
	c->pos = behind_name;
	return name.len ? 0 : unexpected(c, "series", "metric name or \"{\"");
}

static int read_series(struct cursor *c, const struct labels **out)
{
	struct label_vec pairs = {0};
	const struct labels *borrowed = NULL;
	int rc = read_series_into(c, &pairs);
	if (!rc)
		rc = labels_from_pairs(c->arena, pairs.v, pairs.len, &borrowed, c->err);
	if (!rc)
		*out = labels_copy_to(c->arena, borrowed);
	label_vec_done(&pairs);
	return rc;
}

/* --- numbers --- */

/* The number at the cursor, without a sign: digits, or Inf, NaN, or a duration (in seconds). */
static bool read_unsigned(struct cursor *c, double *v)
{
	size_t from = c->pos;
	if (is_letter(peek(c)) && peek(c) != '_') {
		struct slice word = take_word(c);
		if (slice_eq_nocase(word, SL("inf")) || slice_eq_nocase(word, SL("nan")))
			return double_parse(word, v);
		c->pos = from;
		return false;
	}
	while (is_digit(peek(c)) || peek(c) == '.')
		c->pos++;
	size_t mantissa_end = c->pos;
	if (c->pos > from && (peek(c) == 'e' || peek(c) == 'E')) {
		c->pos++;
		if (peek(c) == '+' || peek(c) == '-')
			c->pos++;
		while (is_digit(peek(c)))
			c->pos++;
	}
	struct slice number = slice_of(c->text.ptr + from, c->pos - from);
	if (c->pos == mantissa_end)
		while (strchr("smhdwy", peek(c)) && peek(c)) {
			while (strchr("0123456789smhdwy", peek(c)) && peek(c))
				c->pos++;
			int64_t ms;
			number = slice_of(c->text.ptr + from, c->pos - from);
			if (duration_parse(number, &ms, NULL))
				return false;
			*v = (double)ms / 1000;
			return true;
		}
	return number.len > 0 && double_parse(number, v);
}

static bool read_signed(struct cursor *c, double *v)
{
	bool minus = peek(c) == '-';
	if (minus || peek(c) == '+')
		c->pos++;
	if (!read_unsigned(c, v))
		return false;
	*v = minus ? -*v : *v;
	return true;
}

/* xN: how many times more. */
static int read_times(struct cursor *c, size_t *times)
{
	size_t from = c->pos, n = 0;
	while (is_digit(peek(c)) && n <= SERIES_NOTATION_MAX_VALUES)
		n = n * 10 + (size_t)(c->text.ptr[c->pos++] - '0');
	if (c->pos == from)
		return unexpected(c, "series values", "number of repetitions");
	if (n > SERIES_NOTATION_MAX_VALUES)
		return fail_at(c, from, "more than %d values", (int)SERIES_NOTATION_MAX_VALUES);
	*times = n;
	return 0;
}

/* --- histograms --- */

struct histogram_parts {
	struct histogram h;
	struct double_vec buckets, n_buckets, custom;
	int32_t offset, n_offset;
	bool hint_given;
	unsigned seen; /* bit i: member i was given */
};

enum member_kind { MEMBER_DOUBLE, MEMBER_INT, MEMBER_LIST, MEMBER_HINT };

static const struct {
	const char *name;
	enum member_kind kind;
	size_t at; /* in struct histogram_parts */
} members[] = {
    /* clang-format off */
    {"schema", MEMBER_INT, offsetof(struct histogram_parts, h.schema)},
    {"sum", MEMBER_DOUBLE, offsetof(struct histogram_parts, h.sum)},
    {"count", MEMBER_DOUBLE, offsetof(struct histogram_parts, h.count)},
    {"z_bucket", MEMBER_DOUBLE, offsetof(struct histogram_parts, h.zero_count)},
    {"z_bucket_w", MEMBER_DOUBLE, offsetof(struct histogram_parts, h.zero_threshold)},
    {"offset", MEMBER_INT, offsetof(struct histogram_parts, offset)},
    {"n_offset", MEMBER_INT, offsetof(struct histogram_parts, n_offset)},
    {"buckets", MEMBER_LIST, offsetof(struct histogram_parts, buckets)},
    {"n_buckets", MEMBER_LIST, offsetof(struct histogram_parts, n_buckets)},
    {"custom_values", MEMBER_LIST, offsetof(struct histogram_parts, custom)},
    {"counter_reset_hint", MEMBER_HINT, offsetof(struct histogram_parts, h.hint)},
    /* clang-format on */
};

static const char *const hint_names[] = {[HINT_UNKNOWN] = "unknown",
    [HINT_RESET] = "reset",
    [HINT_NOT_RESET] = "not_reset",
    [HINT_GAUGE] = "gauge"};

static int bad_descriptor(struct cursor *c, size_t at, struct slice word)
{
	return fail_at(c, at, "bad histogram descriptor found: %" SL_FMT, SL_ARG(quote(c, word)));
}

static int read_list(struct cursor *c, struct double_vec *list)
{
	if (!take(c, "["))
		return unexpected(c, "histogram description", "\"[\"");
	for (;;) {
		skip_spaces(c);
		if (take(c, "]"))
			return 0;
		double v;
		if (!read_signed(c, &v))
			return unexpected(c, "histogram description", "number or \"]\"");
		double_vec_push(list, v);
	}
}

static int read_hint(struct cursor *c, struct histogram_parts *p)
{
	size_t from = c->pos;
	struct slice word = take_word(c);
	for (size_t i = 0; i < ARRAY_LEN(hint_names); i++)
		if (slice_eq_cstr(word, hint_names[i])) {
			p->h.hint = (enum histogram_hint)i;
			p->hint_given = true;
			return 0;
		}
	return bad_descriptor(c, from, word);
}

static int read_member_value(struct cursor *c, struct histogram_parts *p, size_t member)
{
	char *field = (char *)p + members[member].at;
	double v;
	switch (members[member].kind) {
	case MEMBER_LIST:
		return read_list(c, (struct double_vec *)(void *)field);
	case MEMBER_HINT:
		return read_hint(c, p);
	case MEMBER_DOUBLE:
	case MEMBER_INT:
		break;
	}
	if (!read_signed(c, &v))
		return unexpected(c, "series values", "");
	if (members[member].kind == MEMBER_DOUBLE)
		*(double *)(void *)field = v;
	else if (v >= INT32_MIN && v <= INT32_MAX)
		*(int32_t *)(void *)field = (int32_t)v;
	else
		return fail_at(c, c->pos, "%s is out of range in histogram", members[member].name);
	return 0;
}

static int read_member(struct cursor *c, struct histogram_parts *p)
{
	size_t from = c->pos;
	struct slice name = take_word(c);
	size_t i = 0;
	while (i < ARRAY_LEN(members) && !slice_eq_cstr(name, members[i].name))
		i++;
	if (i == ARRAY_LEN(members))
		return name.len
			   ? bad_descriptor(c, from, name)
			   : unexpected(c, "histogram description", "histogram description key or \"}}\"");
	if (!take(c, ":"))
		return fail_at(c, from, "missing `:` for histogram descriptor");
	if (p->seen & 1u << i)
		return fail_at(c, 0, "duplicate key \"%s\" in histogram", members[i].name);
	p->seen |= 1u << i;
	return read_member_value(c, p, i);
}

static const double *keep_list(struct arena *a, const struct double_vec *list)
{
	if (!list->len)
		return NULL;
	double *v = (double *)arena_alloc(a, list->len * sizeof(*v));
	memcpy(v, list->v, list->len * sizeof(*v));
	return v;
}

/* One span from `offset` on. */
static const struct histogram_span *one_span(struct arena *a, int32_t offset, size_t length)
{
	struct histogram_span *span = ARENA_NEW(a, struct histogram_span);
	*span = (struct histogram_span){offset, (uint32_t)length};
	return span;
}

static const struct histogram *build_histogram(struct arena *a, const struct histogram_parts *p)
{
	struct histogram *h = ARENA_NEW(a, struct histogram);
	*h = p->h;
	h->pos = keep_list(a, &p->buckets);
	h->n_pos = (uint32_t)p->buckets.len;
	h->neg = keep_list(a, &p->n_buckets);
	h->n_neg = (uint32_t)p->n_buckets.len;
	h->custom = keep_list(a, &p->custom);
	h->n_custom = (uint32_t)p->custom.len;
	if (h->n_pos) {
		h->n_pos_spans = 1;
		h->pos_spans = one_span(a, p->offset, h->n_pos);
	}
	if (h->n_neg) {
		h->n_neg_spans = 1;
		h->neg_spans = one_span(a, p->n_offset, h->n_neg);
	}
	return h;
}

/* Behind "{{". */
static int read_members(struct cursor *c, struct histogram_parts *p)
{
	for (;;) {
		skip_spaces(c);
		if (take(c, "}}"))
			return 0;
		int rc = read_member(c, p);
		if (rc)
			return rc;
		if (!is_space(peek(c)) && peek(c) != '}')
			return unexpected(c, "histogram description", "space or \"}}\"");
	}
}

static int read_histogram(struct cursor *c, struct series_value *out)
{
	struct histogram_parts p = {0};
	int rc = read_members(c, &p);
	if (!rc)
		*out = (struct series_value){.h = build_histogram(c->arena, &p), .hint_given = p.hint_given};
	double_vec_done(&p.buckets);
	double_vec_done(&p.n_buckets);
	double_vec_done(&p.custom);
	return rc;
}

/* --- values --- */

static int check_count(struct cursor *c, const struct value_vec *values, size_t more)
{
	if (values->len + more > SERIES_NOTATION_MAX_VALUES)
		return fail_at(c, c->pos, "more than %d values", (int)SERIES_NOTATION_MAX_VALUES);
	return 0;
}

static int read_gap(struct cursor *c, struct value_vec *values)
{
	size_t times = 1;
	if (take(c, "x")) {
		int rc = read_times(c, &times);
		if (rc)
			return rc;
	}
	int rc = check_count(c, values, times);
	for (size_t i = 0; !rc && i < times; i++)
		value_vec_push(values, (struct series_value){.missing = true});
	return rc;
}

/* The next of a row of histograms; NULL when the two do not go together. */
static const struct histogram *step_histogram(
    struct arena *a, const struct histogram *h, const struct histogram *step, bool minus)
{
	unsigned notes = 0;
	return minus ? histogram_sub(a, h, step, &notes) : histogram_add(a, h, step, &notes);
}

/* first, first + step, ... `times` times more; step.h and step.v nothing: repeated. */
static int push_row(struct cursor *c, struct value_vec *values, struct series_value first,
    const struct series_value *step, bool minus, size_t times)
{
	int rc = check_count(c, values, times + 1);
	if (rc)
		return rc;
	for (size_t i = 0; i <= times; i++) {
		value_vec_push(values, first);
		if (!step || i == times)
			continue;
		first.v += minus ? -step->v : step->v;
		if (!first.h)
			continue;
		enum histogram_hint hint = first.h->hint;
		struct histogram *next = NULL;
		const struct histogram *sum = step_histogram(c->arena, first.h, step->h, minus);
		if (!sum)
			return fail_at(c, c->pos, "error combining histograms: incompatible bucket layouts");
		next = histogram_copy(c->arena, sum);
		next->hint = hint;
		first.h = next;
	}
	return 0;
}

static int read_operand(struct cursor *c, bool is_histogram, struct series_value *out)
{
	*out = (struct series_value){0};
	if (is_histogram)
		return take(c, "{{") ? read_histogram(c, out) : unexpected(c, "series values", "");
	return read_unsigned(c, &out->v) ? 0 : unexpected(c, "series values", "");
}

/* Behind the first value of an item: nothing, xN, +axN or -axN. */
static int read_row(struct cursor *c, struct value_vec *values, struct series_value first)
{
	struct series_value step;
	bool has_step = peek(c) == '+' || peek(c) == '-', minus = peek(c) == '-';
	size_t times = 0;
	if (has_step) {
		c->pos++;
		int rc = read_operand(c, first.h != NULL, &step);
		if (rc)
			return rc;
	}
	if (take(c, "x")) {
		int rc = read_times(c, &times);
		if (rc)
			return rc;
	} else if (has_step) {
		return unexpected(c, "series values", "\"x\"");
	}
	return push_row(c, values, first, has_step ? &step : NULL, minus, times);
}

static int read_item(struct cursor *c, struct value_vec *values)
{
	struct series_value first = {0};
	if (take(c, "_"))
		return read_gap(c, values);
	if (take(c, "stale")) {
		first.v = double_from_bits(STALE_NAN_BITS);
		value_vec_push(values, first);
		return 0;
	}
	if (take(c, "{{")) {
		int rc = read_histogram(c, &first);
		return rc ? rc : read_row(c, values, first);
	}
	size_t from = c->pos;
	if (!read_signed(c, &first.v)) {
		c->pos = from;
		return unexpected(c, "series values", "");
	}
	return read_row(c, values, first);
}

static int read_values(struct cursor *c, struct value_vec *values)
{
	for (;;) {
		skip_spaces(c);
		if (at_end(c))
			return 0;
		int rc = read_item(c, values);
		if (rc)
			return rc;
		if (!at_end(c) && !is_space(peek(c)))
			return unexpected(c, "series values", "");
	}
}

static int keep_values(struct cursor *c, struct series_value **out, size_t *n)
{
	struct value_vec values = {0};
	int rc = read_values(c, &values);
	if (!rc) {
		struct series_value *v =
		    (struct series_value *)arena_alloc(c->arena, values.len * sizeof(*v) + 1);
		if (values.len)
			memcpy(v, values.v, values.len * sizeof(*v));
		*out = v;
		*n = values.len;
	}
	value_vec_done(&values);
	return rc;
}

/* --- entry points --- */

int series_notation_parse(
    struct arena *arena, struct slice text, struct series_notation *out, struct err *err)
{
	struct cursor c = {.arena = arena, .text = text, .err = err};
	struct series_notation parsed = {0};
	int rc = read_series(&c, &parsed.labels);
	if (!rc && !at_end(&c) && !is_space(peek(&c)))
		rc = unexpected(&c, "series values", "");
	if (!rc)
		rc = keep_values(&c, &parsed.values, &parsed.n);
	if (!rc)
		*out = parsed;
	return rc;
}

int series_notation_labels(struct arena *arena, struct slice text, const struct labels **out, struct err *err)
{
	struct cursor c = {.arena = arena, .text = text, .err = err};
	const struct labels *labels = NULL;
	int rc = read_series(&c, &labels);
	if (rc)
		return rc;
	skip_spaces(&c);
	if (!at_end(&c))
		return unexpected(&c, "series", "end of input");
	*out = labels;
	return 0;
}

int series_notation_values(
    struct arena *arena, struct slice text, struct series_value **values, size_t *n, struct err *err)
{
	struct cursor c = {.arena = arena, .text = text, .err = err};
	return keep_values(&c, values, n);
}

int series_notation_histogram(
    struct arena *arena, struct slice text, const struct histogram **out, struct err *err)
{
	struct series_value *values;
	size_t n;
	int rc = series_notation_values(arena, text, &values, &n, err);
	if (rc)
		return rc;
	if (n != 1 || !values[0].h)
		return err_set(err, ERR_INVALID, "expected one histogram, {{...}}");
	*out = values[0].h;
	return 0;
}

/* --- printing --- */

static void print_double(struct strbuf *out, double v)
{
	char text[DOUBLE_TEXT_MAX];
	strbuf_add(out, text, double_to_go_g(v, text));
}

/* " name:value", when the value is not 0. */
static void print_member(struct strbuf *out, const char *name, double v)
{
	if (v == 0)
		return;
	strbuf_addf(out, " %s:", name);
	print_double(out, v);
}

static void print_list(struct strbuf *out, const char *name, const double *v, size_t n)
{
	strbuf_addf(out, " %s:[", name);
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addch(out, ' ');
		print_double(out, v[i]);
	}
	strbuf_addch(out, ']');
}

/* The buckets of all spans as one row: gaps are written as zeros. */
static void print_buckets(struct strbuf *out, const char *offset_name, const char *name,
    const struct histogram_span *spans, size_t n_spans, const double *v)
{
	if (!n_spans)
		return;
	struct double_vec row = {0};
	for (size_t i = 0, k = 0; i < n_spans; i++) {
		for (int32_t gap = i ? spans[i].offset : 0; gap > 0; gap--)
			double_vec_push(&row, 0);
		for (uint32_t b = 0; b < spans[i].length; b++)
			double_vec_push(&row, v[k++]);
	}
	print_member(out, offset_name, spans[0].offset);
	print_list(out, name, row.v, row.len);
	double_vec_done(&row);
}

void series_notation_print_histogram(struct strbuf *out, const struct histogram *h)
{
	struct strbuf body = STRBUF_INIT;
	print_member(&body, "schema", h->schema);
	print_member(&body, "count", h->count);
	print_member(&body, "sum", h->sum);
	print_member(&body, "z_bucket", h->zero_count);
	print_member(&body, "z_bucket_w", h->zero_threshold);
	if (h->n_custom)
		print_list(&body, "custom_values", h->custom, h->n_custom);
	if (h->hint != HINT_UNKNOWN)
		strbuf_addf(&body, " counter_reset_hint:%s", hint_names[h->hint]);
	print_buckets(&body, "offset", "buckets", h->pos_spans, h->n_pos_spans, h->pos);
	print_buckets(&body, "n_offset", "n_buckets", h->neg_spans, h->n_neg_spans, h->neg);
	strbuf_adds(out, "{{");
	if (body.len)
		strbuf_add_slice(out, slice_from(strbuf_slice(&body), 1));
	strbuf_adds(out, "}}");
	strbuf_done(&body);
}
