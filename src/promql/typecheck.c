/* The type rules of PromQL, over a complete tree, children first where upstream does so: the first broken
 * rule is the one that is reported. */
#include "promql/functions.h"
#include "promql/parse_priv.h"

static void expect_type(
    struct parse_state *s, const struct expr *e, enum value_type want, const char *context)
{
	typecheck(s, e);
	if (e->type != want)
		parse_fail(s, e->pos, "expected type %s in %s, got %s", value_type_name(want), context,
		    value_type_name(e->type));
}

static void check_aggregate(struct parse_state *s, const struct aggregate *a)
{
	expect_type(s, a->inner, TYPE_VECTOR, "aggregation expression");
	if (a->op == AGG_COUNT_VALUES)
		expect_type(s, a->param, TYPE_STRING, "aggregation parameter");
	else if (a->param)
		expect_type(s, a->param, TYPE_SCALAR, "aggregation parameter");
}

static void check_on_and_group(struct parse_state *s, const struct binary *b)
{
	const struct vector_matching *m = b->matching;
	for (size_t i = 0; i < m->n_labels; i++)
		for (size_t k = 0; k < m->n_include; k++)
			if (m->on && slice_eq(m->labels[i], m->include[k]))
				parse_fail(s, b->op_pos,
				    "label %" SL_FMT " must not occur in ON and GROUP clause at once",
				    SL_ARG(parse_quote(s, m->labels[i])));
}

static bool is_operand(enum value_type t)
{
	return t == TYPE_SCALAR || t == TYPE_VECTOR;
}

static void check_operands(struct parse_state *s, const struct binary *b)
{
	static const char message[] = "binary expression must contain only scalar and instant vector types";
	if (!is_operand(b->lhs->type))
		parse_fail(s, b->lhs->pos, message);
	if (!is_operand(b->rhs->type))
		parse_fail(s, b->rhs->pos, message);
}

static void check_matching(struct parse_state *s, const struct expr *e)
{
	const struct binary *b = &e->binary;
	const struct vector_matching *m = b->matching;
	if (!m)
		return;
	bool has_fill = m->has_fill_left || m->has_fill_right;
	if (b->lhs->type != TYPE_VECTOR || b->rhs->type != TYPE_VECTOR) {
		if (m->n_labels > 0)
			parse_fail(s, e->pos, "vector matching only allowed between instant vectors");
		if (has_fill)
			parse_fail(
			    s, e->pos, "filling in missing series only allowed between instant vectors");
		return;
	}
	if (!binary_op_is_set(b->op))
		return;
	if (m->card == CARD_ONE_TO_MANY || m->card == CARD_MANY_TO_ONE)
		parse_fail(s, e->pos, "no grouping allowed for \"%s\" operation", binary_op_text(b->op));
	if (has_fill)
		parse_fail(s, e->pos, "filling in missing series not allowed for set operators");
}

static void check_binary(struct parse_state *s, const struct expr *e)
{
	const struct binary *b = &e->binary;
	typecheck(s, b->lhs);
	typecheck(s, b->rhs);
	enum value_type lt = b->lhs->type, rt = b->rhs->type;
	if (b->return_bool && !binary_op_is_comparison(b->op))
		parse_fail(s, b->op_pos, "bool modifier can only be used on comparison operators");
	if (binary_op_is_comparison(b->op) && !b->return_bool && lt == TYPE_SCALAR && rt == TYPE_SCALAR)
		parse_fail(s, b->op_pos, "comparisons between scalars must use BOOL modifier");
	if (b->matching)
		check_on_and_group(s, b);
	check_operands(s, b);
	check_matching(s, e);
	if ((lt == TYPE_SCALAR || rt == TYPE_SCALAR) && binary_op_is_set(b->op))
		parse_fail(s, e->pos, "set operator \"%s\" not allowed in binary scalar expression",
		    binary_op_text(b->op));
}

/* The second argument of info() is a bare {...}: no metric, and allowed to match everything. */
static void check_info_selector(struct parse_state *s, const struct expr *call, const char *context)
{
	const struct expr *e = call->call.args[1];
	if (e->type != TYPE_VECTOR)
		parse_fail(s, call->pos, "expected type %s in %s, got %s", value_type_name(TYPE_VECTOR),
		    context, value_type_name(e->type));
	else if (e->kind != EXPR_SELECTOR)
		parse_fail(s, e->pos, "expected label selectors only");
	else if (e->selector.name.len)
		parse_fail(s, e->pos, "expected label selectors only, got vector selector instead");
}

static bool check_arity(struct parse_state *s, const struct expr *e)
{
	const struct function *f = e->call.func;
	size_t n = e->call.n_args, least = f->variadic ? f->n_types - 1u : f->n_types;
	if (f->variadic == 0 && n != least)
		parse_fail(
		    s, e->pos, "expected %zu argument(s) in call to \"%s\", got %zu", least, f->name, n);
	else if (n < least)
		parse_fail(s, e->pos, "expected at least %zu argument(s) in call to \"%s\", got %zu", least,
		    f->name, n);
	else if (f->variadic > 0 && n > least + (size_t)f->variadic)
		parse_fail(s, e->pos, "expected at most %zu argument(s) in call to \"%s\", got %zu",
		    least + (size_t)f->variadic, f->name, n);
	return !s->failed;
}

static void check_call(struct parse_state *s, const struct expr *e)
{
	if (!check_arity(s, e))
		return;
	const struct call *c = &e->call;
	struct slice context = arena_printf(s->arena, "call to function \"%s\"", c->func->name);
	bool is_info = c->func->id == FN_INFO && c->n_args > 1;
	if (is_info)
		check_info_selector(s, e, context.ptr);
	for (size_t i = 0; i < (is_info ? 1 : c->n_args); i++)
		expect_type(s, c->args[i], function_arg_type(c->func, i), context.ptr);
}

static void check_selector(struct parse_state *s, const struct expr *e)
{
	const struct selector *sel = &e->selector;
	bool has_name = sel->name.len > 0, selective = has_name;
	for (size_t i = 0; i < sel->n_matchers - (has_name ? 1 : 0); i++) {
		const struct matcher *m = sel->matchers[i];
		if (has_name && slice_eq(m->name, SL(LABEL_NAME)))
			parse_fail(s, e->pos, "metric name must not be set twice: %" SL_FMT " or %" SL_FMT,
			    SL_ARG(parse_quote(s, sel->name)), SL_ARG(parse_quote(s, m->value)));
		selective = selective || !matcher_matches_empty(m);
	}
	/* A lone selector may match all series; the API, which asks for a restriction, says so in its own
	 * words. */
	if (!selective && !s->may_match_all)
		parse_fail(s, e->pos, "vector selector must contain at least one non-empty matcher");
}

static void check_unary(struct parse_state *s, const struct expr *e)
{
	typecheck(s, e->unary.inner);
	if (!is_operand(e->unary.inner->type))
		parse_fail(s, e->pos,
		    "unary expression only allowed on expressions of type scalar or instant vector, got "
		    "\"%s\"",
		    value_type_name(e->unary.inner->type));
}

static void check_subquery(struct parse_state *s, const struct expr *e)
{
	typecheck(s, e->subquery.inner);
	if (e->subquery.inner->type != TYPE_VECTOR)
		parse_fail(s, e->pos, "subquery is only allowed on instant vector, got %s instead",
		    value_type_api_name(e->subquery.inner->type));
}

void typecheck(struct parse_state *s, const struct expr *e)
{
	if (s->failed)
		return;
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
		break;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		check_selector(s, e);
		break;
	case EXPR_SUBQUERY:
		check_subquery(s, e);
		break;
	case EXPR_AGGREGATE:
		check_aggregate(s, &e->aggregate);
		break;
	case EXPR_BINARY:
		check_binary(s, e);
		break;
	case EXPR_UNARY:
		check_unary(s, e);
		break;
	case EXPR_PAREN:
		typecheck(s, e->paren);
		break;
	case EXPR_CALL:
		check_call(s, e);
		break;
	}
}
