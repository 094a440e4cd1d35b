/* What can be known of an expression before any data is seen. */
#include "promql/functions.h"
#include "promql/parse_priv.h"

static bool is_invariant_call(const struct call *c)
{
	if (c->func->flags & FUNCTION_USES_TIME)
		return false;
	for (size_t i = 0; i < c->n_args; i++)
		if (!c->args[i]->step_invariant)
			return false;
	return true;
}

bool fold_is_step_invariant(const struct expr *e)
{
	switch (e->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
		return true;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		return e->selector.shift.at != AT_NONE;
	case EXPR_SUBQUERY:
		/* Its steps lie where its own @ says, whatever is inside. */
		return e->subquery.shift.at != AT_NONE;
	case EXPR_AGGREGATE:
		return e->aggregate.inner->step_invariant &&
		       (!e->aggregate.param || e->aggregate.param->step_invariant);
	case EXPR_BINARY:
		return e->binary.lhs->step_invariant && e->binary.rhs->step_invariant;
	case EXPR_UNARY:
		return e->unary.inner->step_invariant;
	case EXPR_PAREN:
		return e->paren->step_invariant;
	case EXPR_CALL:
		return is_invariant_call(&e->call);
	}
	return false;
}

struct expr *fold_sign(bool minus, struct expr *e)
{
	if (e->kind != EXPR_NUMBER)
		return NULL;
	if (minus)
		e->number.value = -e->number.value;
	return e;
}
