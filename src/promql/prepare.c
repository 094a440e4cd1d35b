#include "promql/prepare.h"
#include <math.h>

struct preparation {
	struct arena *arena;
	int64_t start_ms, end_ms, step_ms;
	int rc;
	struct err *err;
};

/* --- durations --- */

static int fail_at(struct preparation *p, struct ast_range at, const char *what)
{
	if (!p->rc)
		p->rc = err_set(p->err, ERR_INVALID, "%u:%u: %s", at.start, at.end, what);
	return p->rc;
}

/* NaN passes through both, as in Go. */
static double smaller(double a, double b)
{
	return isnan(a) || isnan(b) ? (double)NAN : fmin(a, b);
}

static double larger(double a, double b)
{
	return isnan(a) || isnan(b) ? (double)NAN : fmax(a, b);
}

/* In seconds; 0 after an error. Recursion is bounded by AST_MAX_DEPTH. */
static double evaluate(struct preparation *p, const struct duration_expr *d)
{
	double lhs = d->lhs ? evaluate(p, d->lhs) : 0;
	double rhs = d->rhs ? evaluate(p, d->rhs) : 0;
	if (p->rc)
		return 0;
	switch (d->op) {
	case DURATION_NUMBER:
		return d->number;
	case DURATION_ADD:
		return lhs + rhs;
	case DURATION_SUB:
		return d->lhs ? lhs - rhs : -rhs;
	case DURATION_MUL:
		return lhs * rhs;
	case DURATION_DIV:
		return rhs == 0 ? fail_at(p, d->pos, "division by zero") : lhs / rhs;
	case DURATION_MOD:
		return rhs == 0 ? fail_at(p, d->pos, "modulo by zero") : fmod(lhs, rhs);
	case DURATION_POW:
		return pow(lhs, rhs);
	case DURATION_STEP:
		return (double)p->step_ms / 1000;
	case DURATION_RANGE:
		return (double)(p->end_ms - p->start_ms) / 1000;
	case DURATION_MIN_OF:
		return smaller(lhs, rhs);
	case DURATION_MAX_OF:
		return larger(lhs, rhs);
	}
	return 0;
}

/* Nanoseconds must fit 63 bits, as they must in a literal. */
#define MAX_SECONDS (0x1p63 / 1e9)

static void resolve(struct preparation *p, struct ast_duration *d, bool must_be_positive)
{
	if (!d->expr)
		return;
	double seconds = evaluate(p, d->expr);
	if (p->rc)
		return;
	if (!isfinite(seconds))
		fail_at(p, d->expr->pos, "duration is NaN or infinite");
	else if (must_be_positive && seconds <= 0)
		fail_at(p, d->expr->pos, "duration must be greater than 0");
	else if (seconds >= MAX_SECONDS || seconds <= -MAX_SECONDS)
		fail_at(p, d->expr->pos, "duration is out of range");
	else
		d->ms = (int64_t)(seconds * 1000);
}

static bool shift_is_final(const struct time_shift *shift)
{
	return !shift->offset.expr && shift->at != AT_START && shift->at != AT_END;
}

static void resolve_shift(struct preparation *p, struct time_shift *shift)
{
	resolve(p, &shift->offset, false);
	if (shift->at == AT_START)
		shift->at_ms = p->start_ms;
	if (shift->at == AT_END)
		shift->at_ms = p->end_ms;
}

/* --- the tree --- */

static const struct expr *prepare(struct preparation *p, const struct expr *e);

static struct expr *copy_node(struct preparation *p, const struct expr *e)
{
	struct expr *copy = (struct expr *)arena_alloc(p->arena, sizeof(*copy));
	*copy = *e;
	return copy;
}

static const struct expr *prepare_selector(struct preparation *p, const struct expr *e)
{
	if (!e->selector.range.expr && shift_is_final(&e->selector.shift))
		return e;
	struct expr *copy = copy_node(p, e);
	resolve(p, &copy->selector.range, true);
	resolve_shift(p, &copy->selector.shift);
	return copy;
}

static const struct expr *prepare_subquery(struct preparation *p, const struct expr *e)
{
	const struct subquery *q = &e->subquery;
	const struct expr *inner = prepare(p, q->inner);
	if (inner == q->inner && !q->range.expr && !q->step.expr && shift_is_final(&q->shift))
		return e;
	struct expr *copy = copy_node(p, e);
	copy->subquery.inner = inner;
	resolve(p, &copy->subquery.range, true);
	resolve(p, &copy->subquery.step, true);
	resolve_shift(p, &copy->subquery.shift);
	return copy;
}

static const struct expr *prepare_aggregate(struct preparation *p, const struct expr *e)
{
	const struct aggregate *a = &e->aggregate;
	const struct expr *param = a->param ? prepare(p, a->param) : NULL;
	const struct expr *inner = prepare(p, a->inner);
	if (inner == a->inner && param == a->param)
		return e;
	struct expr *copy = copy_node(p, e);
	copy->aggregate.inner = inner;
	copy->aggregate.param = param;
	return copy;
}

static const struct expr *prepare_binary(struct preparation *p, const struct expr *e)
{
	const struct expr *lhs = prepare(p, e->binary.lhs);
	const struct expr *rhs = prepare(p, e->binary.rhs);
	if (lhs == e->binary.lhs && rhs == e->binary.rhs)
		return e;
	struct expr *copy = copy_node(p, e);
	copy->binary.lhs = lhs;
	copy->binary.rhs = rhs;
	return copy;
}

static const struct expr *prepare_unary(struct preparation *p, const struct expr *e)
{
	const struct expr *inner = prepare(p, e->unary.inner);
	if (inner == e->unary.inner)
		return e;
	struct expr *copy = copy_node(p, e);
	copy->unary.inner = inner;
	return copy;
}

static const struct expr *prepare_paren(struct preparation *p, const struct expr *e)
{
	const struct expr *inner = prepare(p, e->paren);
	if (inner == e->paren)
		return e;
	struct expr *copy = copy_node(p, e);
	copy->paren = inner;
	return copy;
}

static const struct expr *prepare_call(struct preparation *p, const struct expr *e)
{
	const struct call *c = &e->call;
	const struct expr **args = NULL;
	for (size_t i = 0; i < c->n_args; i++) {
		const struct expr *arg = prepare(p, c->args[i]);
		if (arg == c->args[i])
			continue;
		if (!args) {
			args = ARENA_ARRAY(p->arena, const struct expr *, c->n_args);
			memcpy(args, c->args, c->n_args * sizeof(args[0]));
		}
		args[i] = arg;
	}
	if (!args)
		return e;
	struct expr *copy = copy_node(p, e);
	copy->call.args = args;
	return copy;
}

static const struct expr *prepare(struct preparation *p, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
		return e;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		return prepare_selector(p, e);
	case EXPR_SUBQUERY:
		return prepare_subquery(p, e);
	case EXPR_AGGREGATE:
		return prepare_aggregate(p, e);
	case EXPR_BINARY:
		return prepare_binary(p, e);
	case EXPR_UNARY:
		return prepare_unary(p, e);
	case EXPR_PAREN:
		return prepare_paren(p, e);
	case EXPR_CALL:
		return prepare_call(p, e);
	}
	return e;
}

int promql_prepare(struct arena *arena, const struct expr *e, int64_t start_ms, int64_t end_ms,
    int64_t step_ms, const struct expr **out, struct err *err)
{
	struct preparation p = {
	    .arena = arena, .start_ms = start_ms, .end_ms = end_ms, .step_ms = step_ms, .err = err};
	const struct expr *prepared = prepare(&p, e);
	if (p.rc)
		return p.rc;
	*out = prepared;
	return 0;
}
