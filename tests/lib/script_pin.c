/* The same query with `@ <time>` at each selector, for evaluation at another time. */
#include "promql/ast_print.h"
#include "promql/functions.h"
#include "tests/lib/script_priv.h"

struct pin {
	struct arena *arena;
	int64_t t_ms;
	bool impossible;
};

static const struct expr *pin(struct pin *p, const struct expr *e);

static void pin_shift(const struct pin *p, struct time_shift *shift)
{
	if (shift->at != AT_NONE)
		return;
	shift->at = AT_TIME;
	shift->at_ms = p->t_ms;
}

static const struct expr *const *pin_args(struct pin *p, const struct call *c)
{
	const struct expr **args = ARENA_ARRAY(p->arena, const struct expr *, c->n_args + 1);
	for (size_t i = 0; i < c->n_args; i++)
		args[i] = pin(p, c->args[i]);
	/* The selector of info() only lends its matchers. */
	if (c->func->id == FN_INFO && c->n_args == 2)
		args[1] = c->args[1];
	return args;
}

static const struct expr *pin(struct pin *p, const struct expr *e)
{
	struct expr *copy = ARENA_NEW(p->arena, struct expr);
	*copy = *e;
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
		break;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		pin_shift(p, &copy->selector.shift);
		break;
	case EXPR_SUBQUERY:
		/* What is inside follows the subquery's own times. */
		pin_shift(p, &copy->subquery.shift);
		break;
	case EXPR_AGGREGATE:
		copy->aggregate.inner = pin(p, e->aggregate.inner);
		copy->aggregate.param = e->aggregate.param ? pin(p, e->aggregate.param) : NULL;
		break;
	case EXPR_BINARY:
		copy->binary.lhs = pin(p, e->binary.lhs);
		copy->binary.rhs = pin(p, e->binary.rhs);
		break;
	case EXPR_UNARY:
		copy->unary.inner = pin(p, e->unary.inner);
		break;
	case EXPR_PAREN:
		copy->paren = pin(p, e->paren);
		break;
	case EXPR_CALL:
		p->impossible |= (e->call.func->flags & FUNCTION_USES_TIME) != 0;
		copy->call.args = pin_args(p, &e->call);
		break;
	}
	return copy;
}

bool script_pin(struct arena *arena, const struct expr *e, int64_t t_ms, struct slice *text)
{
	struct pin p = {.arena = arena, .t_ms = t_ms};
	const struct expr *pinned = pin(&p, e);
	if (p.impossible)
		return false;
	struct strbuf printed = STRBUF_INIT;
	ast_print(&printed, pinned);
	*text = arena_slice(arena, strbuf_slice(&printed));
	strbuf_done(&printed);
	return true;
}
