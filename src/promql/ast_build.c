#include "promql/ast_build.h"
#include "base/double_text.h"
#include "model/duration.h"
#include "promql/functions.h"
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NS_PER_S  1e9
#define NS_PER_MS INT64_C(1000000)

#define MODIFIER_PLACE                                                                                       \
	" must be preceded by an instant vector selector or range vector selector or a subquery"

/* --- lists --- */

/* Room for one more element of `size` bytes behind `len`. */
static void *list_grow(struct parse_state *s, void *v, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return v;
	*cap = *cap ? *cap * 2 : 4;
	void *bigger = arena_alloc(s->arena, *cap * size);
	if (len)
		memcpy(bigger, v, len * size);
	return bigger;
}

struct expr_list *ast_exprs(struct parse_state *s, struct expr_list *list, struct expr *e)
{
	if (s->failed)
		return NULL;
	if (!list)
		list = ARENA_NEW(s->arena, struct expr_list);
	list->v = (const struct expr **)list_grow(s, list->v, list->len, &list->cap, sizeof(list->v[0]));
	list->v[list->len++] = e;
	return list;
}

struct label_list *ast_no_labels(struct parse_state *s)
{
	return ARENA_NEW(s->arena, struct label_list);
}

struct label_list *ast_labels(
    struct parse_state *s, struct label_list *list, struct slice name, struct ast_range at)
{
	if (!label_name_valid(name))
		parse_fail(s, at, "invalid label name for grouping: %" SL_FMT, SL_ARG(parse_quote(s, name)));
	if (s->failed)
		return NULL;
	if (!list)
		list = ast_no_labels(s);
	list->v = (struct slice *)list_grow(s, list->v, list->len, &list->cap, sizeof(list->v[0]));
	list->v[list->len++] = arena_slice(s->arena, name);
	return list;
}

struct matcher_list *ast_matchers(struct parse_state *s, struct matcher_list *list, const struct matcher *m)
{
	if (s->failed)
		return NULL;
	if (!list)
		list = ARENA_NEW(s->arena, struct matcher_list);
	list->v = (const struct matcher **)list_grow(s, list->v, list->len, &list->cap, sizeof(list->v[0]));
	list->v[list->len++] = m;
	return list;
}

/* --- matchers --- */

const struct matcher *ast_matcher(
    struct parse_state *s, struct slice name, enum match_op op, struct slice value, struct ast_range at)
{
	if (s->failed)
		return NULL;
	const struct matcher *m = NULL;
	struct err err;
	if (matcher_new(s->arena, op, name, value, &m, &err))
		parse_fail(s, at, "%s", err.msg);
	return m;
}

const struct matcher *ast_name_matcher(struct parse_state *s, struct slice name, struct ast_range at)
{
	return ast_matcher(s, SL(LABEL_NAME), MATCH_EQUAL, name, at);
}

/* --- numbers --- */

/* An integer as Go reads it with base 0: 0x and leading-zero octal, underscores between digits. */
static bool parse_integer(struct slice text, int64_t *v)
{
	char digits[72];
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '_' && (i == 0 || i + 1 == text.len))
			return false;
		if (text.ptr[i] == '_')
			continue;
		if (n + 1 == sizeof(digits))
			return false;
		digits[n++] = text.ptr[i];
	}
	digits[n] = '\0';
	if (n == 0 || digits[0] < '0' || digits[0] > '9')
		return false;
	char *end;
	errno = 0;
	*v = strtoll(digits, &end, 0);
	return *end == '\0' && errno == 0;
}

/* Digits with at most a dot, and an exponent with digits: else it is no number at all. */
static bool is_decimal_syntax(struct slice text)
{
	size_t digits = 0, dots = 0, i = 0;
	for (; i < text.len && strchr("0123456789.", text.ptr[i]); i++)
		text.ptr[i] == '.' ? dots++ : digits++;
	if (digits == 0 || dots > 1 || i == text.len)
		return digits > 0 && dots <= 1;
	i++; /* the E */
	if (i < text.len && strchr("+-", text.ptr[i]))
		i++;
	return i < text.len && strspn(text.ptr + i, "0123456789") >= text.len - i;
}

struct number ast_number_value(struct parse_state *s, struct slice text, struct ast_range at)
{
	struct number n = {0};
	int64_t integer;
	if (parse_integer(text, &integer)) {
		n.value = (double)integer;
		return n;
	}
	struct strbuf plain = STRBUF_INIT;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '_' || i + 1 == text.len)
			strbuf_addch(&plain, text.ptr[i]);
	if (!double_parse(strbuf_slice(&plain), &n.value))
		parse_fail(s, at, "error parsing number: strconv.ParseFloat: parsing %" SL_FMT ": %s",
		    SL_ARG(parse_quote(s, text)),
		    is_decimal_syntax(strbuf_slice(&plain)) ? "value out of range" : "invalid syntax");
	strbuf_done(&plain);
	return n;
}

struct number ast_duration_value(struct parse_state *s, struct slice text, struct ast_range at)
{
	struct number n = {.is_duration = true};
	int64_t ms;
	struct err err;
	if (duration_parse(text, &ms, &err))
		parse_fail(s, at, "%s", err.msg);
	else
		n.value = (double)ms / 1000;
	return n;
}

/* --- expressions --- */

static void check_depth(struct parse_state *s, uint32_t depth, struct ast_range at)
{
	if (depth > AST_MAX_DEPTH)
		parse_fail(s, at, "expression is nested too deeply");
}

/* A node above `below`, the deepest of its children; NULL when the parse has failed. */
static struct expr *new_expr(
    struct parse_state *s, enum expr_kind kind, enum value_type type, uint32_t below, struct ast_range at)
{
	check_depth(s, below + 1, at);
	if (s->failed)
		return NULL;
	struct expr *e = ARENA_NEW(s->arena, struct expr);
	e->kind = kind;
	e->type = type;
	e->depth = below + 1;
	e->pos = at;
	e->id = s->n_nodes++;
	return e;
}

static struct expr *finish(struct expr *e)
{
	if (e)
		e->step_invariant = fold_is_step_invariant(e);
	return e;
}

static uint32_t depth_of(const struct expr *e)
{
	return e ? e->depth : 0;
}

struct expr *ast_number(struct parse_state *s, struct number n, struct ast_range at)
{
	struct expr *e = new_expr(s, EXPR_NUMBER, TYPE_SCALAR, 0, at);
	if (e)
		e->number = n;
	return finish(e);
}

struct expr *ast_string(struct parse_state *s, struct slice text, struct ast_range at)
{
	struct expr *e = new_expr(s, EXPR_STRING, TYPE_STRING, 0, at);
	if (e)
		e->string = text;
	return finish(e);
}

struct expr *ast_selector(
    struct parse_state *s, struct slice name, const struct matcher_list *matchers, struct ast_range at)
{
	struct matcher_list list = matchers ? *matchers : (struct matcher_list){0};
	if (name.len && !s->failed)
		ast_matchers(s, &list, ast_name_matcher(s, name, at));
	struct expr *e = new_expr(s, EXPR_SELECTOR, TYPE_VECTOR, 0, at);
	if (!e)
		return NULL;
	e->selector.name = arena_slice(s->arena, name);
	e->selector.matchers = list.v;
	e->selector.n_matchers = list.len;
	e->selector.pos = at;
	return finish(e);
}

/* A literal becomes milliseconds, anything else waits for the query's times. */
static struct ast_duration to_duration(const struct duration_expr *d)
{
	if (!d)
		return (struct ast_duration){0};
	if (d->op != DURATION_NUMBER)
		return (struct ast_duration){.expr = d};
	/* 2^63 ns lies one rounding step outside of int64_t. */
	double ns = round(d->number * NS_PER_S);
	int64_t whole = ns >= 0x1p63 ? INT64_MAX : ns <= -0x1p63 ? INT64_MIN : (int64_t)ns;
	return (struct ast_duration){.ms = whole / NS_PER_MS};
}

static bool has_offset(const struct time_shift *shift)
{
	return shift->offset.ms != 0 || shift->offset.expr;
}

struct expr *ast_range(struct parse_state *s, struct expr *e, const struct duration_expr *range,
    struct ast_range bracket, struct ast_range at)
{
	if (s->failed)
		return NULL;
	if (e->kind != EXPR_SELECTOR)
		parse_fail(s, bracket, "ranges only allowed for vector selectors");
	else if (has_offset(&e->selector.shift))
		parse_fail(s, bracket, "no offset modifiers allowed before range");
	else if (e->selector.shift.at != AT_NONE)
		parse_fail(s, bracket, "no @ modifiers allowed before range");
	if (s->failed)
		return NULL;
	e->kind = EXPR_RANGE_SELECTOR;
	e->type = TYPE_MATRIX;
	e->pos = at;
	e->selector.range = to_duration(range);
	return e;
}

struct expr *ast_subquery(struct parse_state *s, struct expr *e, const struct duration_expr *range,
    const struct duration_expr *step, struct ast_range at)
{
	struct expr *q = new_expr(s, EXPR_SUBQUERY, TYPE_MATRIX, depth_of(e), at);
	if (!q)
		return NULL;
	q->subquery.inner = e;
	q->subquery.range = to_duration(range);
	q->subquery.step = to_duration(step);
	return finish(q);
}

/* --- modifiers behind a selector --- */

/* The place for `@` and `offset` in `e`; NULL where they have none. */
static struct time_shift *shift_of(struct expr *e)
{
	if (e->kind == EXPR_SELECTOR || e->kind == EXPR_RANGE_SELECTOR)
		return &e->selector.shift;
	return e->kind == EXPR_SUBQUERY ? &e->subquery.shift : NULL;
}

struct expr *ast_offset(
    struct parse_state *s, struct expr *e, const struct duration_expr *d, struct ast_range at)
{
	if (s->failed)
		return NULL;
	struct time_shift *shift = shift_of(e);
	if (!shift)
		parse_fail(s, e->pos, "offset modifier" MODIFIER_PLACE);
	else if (has_offset(shift))
		parse_fail(s, e->pos, "offset may not be set multiple times");
	if (s->failed)
		return NULL;
	shift->offset = to_duration(d);
	e->pos = at;
	return e;
}

static struct expr *set_at(
    struct parse_state *s, struct expr *e, enum at_kind kind, int64_t at_ms, struct ast_range at)
{
	struct time_shift *shift = shift_of(e);
	if (!shift)
		parse_fail(s, e->pos, "@ modifier" MODIFIER_PLACE);
	else if (shift->at != AT_NONE)
		parse_fail(s, e->pos, "@ <timestamp> may not be set multiple times");
	if (s->failed)
		return NULL;
	shift->at = kind;
	shift->at_ms = at_ms;
	e->pos = at;
	return finish(e);
}

struct expr *ast_at(struct parse_state *s, struct expr *e, double seconds, struct ast_range at)
{
	if (s->failed)
		return NULL;
	/* Upstream's bounds: those of int64_t, in seconds; what passes them in milliseconds stays at the
	 * edge. */
	if (!isfinite(seconds) || seconds >= 0x1p63 || seconds <= -0x1p63) {
		if (isfinite(seconds))
			parse_fail(s, e->pos, "timestamp out of bounds for @ modifier: %f", seconds);
		else
			parse_fail(s, e->pos, "timestamp out of bounds for @ modifier: %s",
			    isnan(seconds) ? "NaN"
			    : seconds > 0  ? "+Inf"
					   : "-Inf");
		return NULL;
	}
	double ms = round(seconds * 1000);
	int64_t at_ms = ms >= 0x1p63 ? INT64_MAX : ms <= -0x1p63 ? INT64_MIN : (int64_t)ms;
	return set_at(s, e, AT_TIME, at_ms, at);
}

struct expr *ast_at_edge(struct parse_state *s, struct expr *e, enum at_kind kind, struct ast_range at)
{
	return s->failed ? NULL : set_at(s, e, kind, 0, at);
}

struct expr *ast_extended(struct parse_state *s, struct expr *e, bool smoothed, struct ast_range at)
{
	if (s->failed)
		return NULL;
	const char *name = smoothed ? "smoothed" : "anchored";
	bool is_selector = e->kind == EXPR_SELECTOR || e->kind == EXPR_RANGE_SELECTOR;
	if (!s->options.extended_range_selectors)
		parse_fail(s, e->pos, "%s modifier is experimental and not enabled", name);
	else if (e->kind == EXPR_SUBQUERY)
		parse_fail(s, e->pos, "%s modifier is not supported for subqueries", name);
	else if (!is_selector)
		parse_fail(s, e->pos, "%s modifier not implemented", name);
	else if (smoothed ? e->selector.anchored : e->selector.smoothed)
		parse_fail(s, e->pos, "anchored and smoothed modifiers cannot be used together");
	if (s->failed)
		return NULL;
	e->selector.smoothed |= smoothed;
	e->selector.anchored |= !smoothed;
	e->pos = at;
	return e;
}

/* --- operators --- */

struct expr *ast_paren(struct parse_state *s, struct expr *inner, struct ast_range at)
{
	struct expr *e = new_expr(s, EXPR_PAREN, inner ? inner->type : TYPE_NONE, depth_of(inner), at);
	if (e)
		e->paren = inner;
	return finish(e);
}

struct expr *ast_sign(struct parse_state *s, bool minus, struct expr *inner, struct ast_range at)
{
	if (s->failed)
		return NULL;
	struct expr *folded = fold_sign(minus, inner);
	if (folded) {
		folded->pos = at;
		return folded;
	}
	struct expr *e = new_expr(s, EXPR_UNARY, inner->type, inner->depth, at);
	if (!e)
		return NULL;
	e->unary.minus = minus;
	e->unary.inner = inner;
	return finish(e);
}

/* What the operator and its modifiers cover, as upstream computes it for errors: from behind the left side
 * to before the right side, without white space, and one byte short at the end. */
static struct ast_range operator_range(
    const struct parse_state *s, const struct expr *lhs, const struct expr *rhs)
{
	const char *space = " \t\r\n";
	uint32_t start = lhs->pos.end, end = rhs->pos.start - 1;
	while (start < end && strchr(space, s->text.ptr[start]))
		start++;
	while (end > start && strchr(space, s->text.ptr[end]))
		end--;
	return (struct ast_range){start, end};
}

static bool has_matching(const struct vector_matching *m)
{
	return m->n_labels > 0 || m->has_fill_left || m->has_fill_right;
}

struct expr *ast_binary(struct parse_state *s, struct expr *lhs, enum binary_op op, const struct modifiers *m,
    struct expr *rhs, struct ast_range at)
{
	uint32_t below = depth_of(lhs) > depth_of(rhs) ? depth_of(lhs) : depth_of(rhs);
	struct expr *e = new_expr(s, EXPR_BINARY, TYPE_VECTOR, below, at);
	if (!e)
		return NULL;
	if (lhs->type == TYPE_SCALAR && rhs->type == TYPE_SCALAR)
		e->type = TYPE_SCALAR;
	struct binary *b = &e->binary;
	b->op = op;
	b->return_bool = m->return_bool;
	b->lhs = lhs;
	b->rhs = rhs;
	b->op_pos = operator_range(s, lhs, rhs);
	/* Between other things than vectors a matching stays for typecheck() to refuse. */
	if ((lhs->type == TYPE_VECTOR && rhs->type == TYPE_VECTOR) || has_matching(&m->matching)) {
		struct vector_matching *matching = ARENA_NEW(s->arena, struct vector_matching);
		*matching = m->matching;
		if (binary_op_is_set(op) && matching->card == CARD_ONE_TO_ONE)
			matching->card = CARD_MANY_TO_MANY;
		b->matching = matching;
	}
	return finish(e);
}

struct modifiers *ast_modifiers(struct parse_state *s, bool return_bool)
{
	struct modifiers *m = ARENA_NEW(s->arena, struct modifiers);
	m->return_bool = return_bool;
	return m;
}

struct modifiers *ast_match_labels(struct modifiers *m, bool on, const struct label_list *labels)
{
	m->matching.on = on;
	m->matching.labels = labels ? labels->v : NULL;
	m->matching.n_labels = labels ? labels->len : 0;
	return m;
}

struct modifiers *ast_match_group(
    struct modifiers *m, enum vector_card card, const struct label_list *include)
{
	m->matching.card = card;
	m->matching.include = include ? include->v : NULL;
	m->matching.n_include = include ? include->len : 0;
	return m;
}

struct modifiers *ast_match_fill(
    struct parse_state *s, struct modifiers *m, unsigned sides, double value, struct ast_range at)
{
	if (!s->options.binop_fill_modifiers)
		parse_fail(s, at, "binop fill modifiers are experimental and not enabled");
	if (sides & 1) {
		m->matching.has_fill_left = true;
		m->matching.fill_left = value;
	}
	if (sides & 2) {
		m->matching.has_fill_right = true;
		m->matching.fill_right = value;
	}
	return m;
}

/* --- calls and aggregations --- */

static uint32_t deepest(const struct expr_list *args)
{
	uint32_t depth = 0;
	for (size_t i = 0; args && i < args->len; i++)
		if (depth_of(args->v[i]) > depth)
			depth = depth_of(args->v[i]);
	return depth;
}

struct expr *ast_call(struct parse_state *s, struct slice name, struct ast_range name_at,
    const struct expr_list *args, struct ast_range at)
{
	const struct function *f = function_find(name);
	if (!f)
		parse_fail(s, name_at, "unknown function with name %" SL_FMT, SL_ARG(parse_quote(s, name)));
	else if ((f->flags & FUNCTION_EXPERIMENTAL) && !s->options.experimental_functions)
		parse_fail(s, name_at, "function %" SL_FMT " is not enabled", SL_ARG(parse_quote(s, name)));
	struct expr *e = new_expr(s, EXPR_CALL, f ? f->result : TYPE_NONE, deepest(args), at);
	if (!e)
		return NULL;
	e->call.func = f;
	e->call.args = args ? args->v : NULL;
	e->call.n_args = args ? args->len : 0;
	return finish(e);
}

struct grouping *ast_grouping(struct parse_state *s, bool without, const struct label_list *labels)
{
	struct grouping *g = ARENA_NEW(s->arena, struct grouping);
	g->without = without;
	if (labels)
		g->labels = *labels;
	return g;
}

static bool takes_parameter(enum aggregate_op op)
{
	return op >= AGG_TOPK;
}

static bool check_aggregate_args(
    struct parse_state *s, enum aggregate_op op, size_t n_args, struct ast_range at)
{
	size_t want = takes_parameter(op) ? 2 : 1;
	bool experimental = op == AGG_LIMITK || op == AGG_LIMIT_RATIO;
	if (n_args == 0)
		parse_fail(s, at, "no arguments for aggregate expression provided");
	else if (experimental && !s->options.experimental_functions)
		parse_fail(s, at,
		    "%s() is experimental and must be enabled with "
		    "--enable-feature=promql-experimental-functions",
		    aggregate_op_text(op));
	else if (n_args != want)
		parse_fail(s, at,
		    "wrong number of arguments for aggregate expression provided, expected %zu, got %zu",
		    want, n_args);
	return !s->failed;
}

struct expr *ast_aggregate(struct parse_state *s, enum aggregate_op op, const struct grouping *g,
    const struct expr_list *args, struct ast_range at)
{
	if (s->failed || !check_aggregate_args(s, op, args ? args->len : 0, at))
		return NULL;
	struct expr *e = new_expr(s, EXPR_AGGREGATE, TYPE_VECTOR, deepest(args), at);
	if (!e)
		return NULL;
	e->aggregate.op = op;
	e->aggregate.inner = args->v[args->len - 1];
	e->aggregate.param = takes_parameter(op) ? args->v[0] : NULL;
	if (g) {
		e->aggregate.without = g->without;
		e->aggregate.labels = g->labels.v;
		e->aggregate.n_labels = g->labels.len;
	}
	return finish(e);
}

/* --- durations --- */

static struct duration_expr *new_duration(
    struct parse_state *s, enum duration_op op, uint32_t below, struct ast_range at)
{
	check_depth(s, below + 1, at);
	if (s->failed)
		return NULL;
	struct duration_expr *d = ARENA_NEW(s->arena, struct duration_expr);
	d->op = op;
	d->depth = below + 1;
	d->pos = at;
	return d;
}

static void check_duration_range(struct parse_state *s, const struct duration_expr *d)
{
	if (d->number > 0x1p63 / NS_PER_S || d->number < -0x1p63 / NS_PER_S || isnan(d->number))
		parse_fail(s, d->pos, "duration out of range");
}

struct duration_expr *ast_dur_number(struct parse_state *s, struct number n, struct ast_range at)
{
	struct duration_expr *d = new_duration(s, DURATION_NUMBER, 0, at);
	if (!d)
		return NULL;
	d->number = n.value;
	d->is_duration = n.is_duration;
	check_duration_range(s, d);
	return d;
}

struct duration_expr *ast_dur_leaf(struct parse_state *s, enum duration_op op, struct ast_range at)
{
	return new_duration(s, op, 0, at);
}

struct duration_expr *ast_dur_sign(
    struct parse_state *s, bool minus, struct duration_expr *d, struct ast_range at)
{
	if (s->failed)
		return NULL;
	if (d->op == DURATION_NUMBER) {
		d->number = minus ? -d->number : d->number;
		d->pos = at;
		return d;
	}
	if (!minus)
		return d;
	struct duration_expr *e =
	    new_duration(s, DURATION_SUB, d->depth, (struct ast_range){at.start, d->pos.end});
	if (e)
		e->rhs = d;
	return e;
}

static bool is_zero(const struct duration_expr *d)
{
	return d->op == DURATION_NUMBER && d->number == 0;
}

struct duration_expr *ast_dur_binary(struct parse_state *s, enum duration_op op,
    const struct duration_expr *lhs, const struct duration_expr *rhs, struct ast_range op_at,
    struct ast_range at)
{
	if (s->failed)
		return NULL;
	if (op == DURATION_DIV && is_zero(rhs))
		parse_fail(s, op_at, "division by zero");
	if (op == DURATION_MOD && is_zero(rhs))
		parse_fail(s, op_at, "modulo by zero");
	struct duration_expr *d = new_duration(s, op, lhs->depth > rhs->depth ? lhs->depth : rhs->depth, at);
	if (!d)
		return NULL;
	/* Parentheses around the sides do not count, as upstream has it. */
	if (op != DURATION_MIN_OF && op != DURATION_MAX_OF)
		d->pos = (struct ast_range){lhs->pos.start, rhs->pos.end};
	d->lhs = lhs;
	d->rhs = rhs;
	return d;
}

struct duration_expr *ast_dur_wrap(struct parse_state *s, struct duration_expr *d, struct ast_range at)
{
	if (s->failed)
		return NULL;
	if (d->op != DURATION_NUMBER) {
		d->wrapped = true;
		return d;
	}
	struct duration_expr *e = new_duration(s, DURATION_ADD, d->depth, at);
	if (!e)
		return NULL;
	e->rhs = d;
	e->wrapped = true;
	return e;
}

struct duration_expr *ast_dur_positive(struct parse_state *s, struct duration_expr *d)
{
	if (!s->failed && d->op == DURATION_NUMBER && d->number <= 0)
		parse_fail(s, d->pos, "duration must be greater than 0");
	return s->failed ? NULL : d;
}

void ast_done(struct parse_state *s, struct expr *e)
{
	if (!s->failed)
		s->result = e;
}
