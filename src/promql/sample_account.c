#include "promql/sample_account.h"

#include <string.h>

/* The counts that belong to one evaluation over one grid: the query's own, or that of a subquery. */
struct tally {
	const struct grid *grid;
	uint64_t seen, fresh;
	uint64_t *seen_by_step, *fresh_by_step;
};

struct account {
	struct eval *eval;
	uint64_t held, peak;
};

static void hold(struct account *a, uint64_t samples)
{
	a->held += samples;
	if (a->held > a->peak)
		a->peak = a->held;
}

static void touch(struct account *a, uint64_t samples)
{
	if (a->held + samples > a->peak)
		a->peak = a->held + samples;
}

static struct tally tally_new(struct account *a, const struct grid *grid)
{
	struct tally t = {.grid = grid};

	if (a->eval->wants_steps) {
		t.seen_by_step = ARENA_ARRAY(a->eval->arena, uint64_t, grid->n);
		t.fresh_by_step = ARENA_ARRAY(a->eval->arena, uint64_t, grid->n);
	}
	return t;
}

static void tally_at(struct tally *t, uint32_t step, uint64_t seen, uint64_t fresh)
{
	t->seen += seen;
	t->fresh += fresh;
	if (t->seen_by_step) {
		t->seen_by_step[step] += seen;
		t->fresh_by_step[step] += fresh;
	}
}

static void tally_leaf(struct tally *t, const struct leaf_counts *c, bool with_fresh)
{
	t->seen += c->seen;
	t->fresh += with_fresh ? c->fresh : 0;
	for (uint32_t k = 0; t->seen_by_step && c->seen_by_step && k < t->grid->n; k++) {
		t->seen_by_step[k] += c->seen_by_step[k];
		t->fresh_by_step[k] += with_fresh ? c->fresh_by_step[k] : 0;
	}
}

/* --- sizes of values ---------------------------------------------------------------------------------------------------- */

struct size {
	uint64_t points, last;
};

/* Of the value of a node on this grid. */
static struct size size_of(const struct account *a, const struct expr *x, const struct grid *grid)
{
	const struct expr *node = expr_unparen(x);
	const struct plan_node *n = plan_node_of(&a->eval->plan, node);
	struct size s = {0, 0};

	if (node->type == TYPE_SCALAR)
		return (struct size){grid->n, 1};
	if (n->once && n->once->grid->n == grid->n)
		source_count(n->once, &s.points, &s.last);
	else if (n->value)
		source_count(n->value, &s.points, &s.last);
	return s;
}

/* --- the walk ----------------------------------------------------------------------------------------------------------- */

static void walk(struct account *a, const struct expr *x, struct tally *t);

/* Values that are computed step by step from others: those are all in memory, and at each step so are the vectors of this
 * step beside the results so far. The last step, as a rule, is the worst. */
static void walk_stepwise(
    struct account *a, const struct expr *x, const struct expr *const *args, size_t n, struct tally *t)
{
	uint64_t before = a->held, inputs = 0;
	struct size out = size_of(a, x, t->grid);

	for (size_t i = 0; i < n; i++) {
		if (args[i]->type == TYPE_STRING)
			continue;
		walk(a, args[i], t);
		inputs += size_of(a, args[i], t->grid).last;
	}
	touch(a, inputs + out.points);
	a->held = before;
	hold(a, out.points);
}

/* Where a step of a subquery counts in the query around it: at the first step that sees it. None sees it: `range_ms` is
 * shorter than the steps are apart. */
static void add_subquery_step(
    struct tally *outer, const struct tally *inner, uint32_t k, int64_t offset_ms, int64_t range_ms)
{
	const struct grid *g = outer->grid;
	int64_t t_ms = grid_time_ms(inner->grid, k) + offset_ms;
	int64_t step = t_ms > g->start_ms ? (t_ms - g->start_ms + g->step_ms - 1) / g->step_ms : 0;

	if (step >= g->n)
		step = g->n - 1;
	if (range_ms > 0 && t_ms <= grid_time_ms(g, (uint32_t)step) - range_ms)
		return;
	tally_at(outer, (uint32_t)step, 0, inner->fresh_by_step[k]);
}

static void merge_fresh(struct tally *outer, const struct tally *inner, int64_t offset_ms, int64_t range_ms)
{
	if (outer->grid->n == 1 || inner->fresh_by_step == NULL) {
		tally_at(outer, 0, 0, inner->fresh);
		return;
	}
	for (uint32_t k = 0; k < inner->grid->n; k++) {
		if (inner->fresh_by_step[k])
			add_subquery_step(outer, inner, k, offset_ms, range_ms);
	}
}

/* What is inside a subquery; returns what its values count. */
static uint64_t walk_subquery(struct account *a, const struct subquery *sq, struct tally *t, bool is_argument)
{
	struct grid inner;

	if (eval_subquery_grid(a->eval, sq, t->grid, &inner) == 0)
		return 0;
	struct tally own = tally_new(a, &inner);
	walk(a, sq->inner, &own);
	if (is_argument) {
		merge_fresh(t, &own, sq->shift.offset.ms, sq->range.ms);
	} else {
		tally_at(t, t->grid->n - 1, own.seen, 0);
		merge_fresh(t, &own, 0, 0);
	}
	return size_of(a, sq->inner, &inner).points;
}

static bool is_range(const struct expr *x)
{
	return x->kind == EXPR_RANGE_SELECTOR || x->kind == EXPR_SUBQUERY;
}

/* A function over ranges works series by series: a window, and the results so far. */
static void walk_range_call(struct account *a, const struct expr *x, const struct expr *arg, struct tally *t)
{
	const struct leaf_counts *c = &plan_node_of(&a->eval->plan, arg)->counts;
	uint64_t subquery = 0;

	if (arg->kind == EXPR_SUBQUERY)
		subquery = walk_subquery(a, &arg->subquery, t, true);
	for (size_t i = 0; i < x->call.n_args; i++) {
		if (expr_unparen(x->call.args[i]) != arg)
			walk(a, x->call.args[i], t);
	}
	/* What absent_over_time() gives is made from results that go on being counted. */
	hold(a, x->call.func->id == FN_ABSENT_OVER_TIME ? c->filled : size_of(a, x, t->grid).points);
	touch(a, c->held);
	tally_leaf(t, c, arg->kind == EXPR_RANGE_SELECTOR);
	/* absent_over_time() within the subquery is counted otherwise than by its size. */
	a->held -= subquery < a->held ? subquery : a->held;
}

static void walk_call(struct account *a, const struct expr *x, struct tally *t)
{
	const struct call *call = &x->call;
	const struct expr *first = call->n_args ? expr_unparen(call->args[0]) : NULL;

	for (size_t i = 0; i < call->n_args; i++) {
		const struct expr *arg = expr_unparen(call->args[i]);
		if (is_range(arg)) {
			walk_range_call(a, x, arg, t);
			return;
		}
	}
	switch ((int)call->func->id) {
	case FN_LABEL_REPLACE:
	case FN_LABEL_JOIN:
		walk(a, first, t);
		return;
	case FN_INFO:
		tally_leaf(t, &plan_node_of(&a->eval->plan, x)->counts, true);
		walk_stepwise(a, x, call->args, 1, t);
		return;
	case FN_TIMESTAMP:
	case FN_START_TIMESTAMP:
		if (first->kind != EXPR_SELECTOR)
			break;
		/* The samples are looked at one step at a time. */
		tally_leaf(t, &plan_node_of(&a->eval->plan, first)->counts, true);
		touch(a, size_of(a, x, t->grid).points + size_of(a, x, t->grid).last);
		hold(a, size_of(a, x, t->grid).points);
		return;
	default:
		break;
	}
	walk_stepwise(a, x, call->args, call->n_args, t);
}

static void walk_aggregate(struct account *a, const struct expr *x, struct tally *t)
{
	const struct aggregate *agg = &x->aggregate;
	uint64_t before = a->held;

	if (agg->op == AGG_COUNT_VALUES) {
		walk_stepwise(a, x, &agg->inner, 1, t);
		return;
	}
	if (agg->param)
		walk(a, agg->param, t);
	walk(a, agg->inner, t);
	a->held = before;
	hold(a, size_of(a, x, t->grid).points);
}

static void walk_node(struct account *a, const struct expr *x, struct tally *t)
{
	const struct leaf_counts *c = &plan_node_of(&a->eval->plan, x)->counts;

	switch (x->kind) {
	case EXPR_NUMBER:
		hold(a, t->grid->n);
		return;
	case EXPR_STRING:
		return;
	case EXPR_SELECTOR:
		hold(a, size_of(a, x, t->grid).points);
		tally_leaf(t, c, true);
		return;
	case EXPR_RANGE_SELECTOR:
		hold(a, c->seen);
		tally_leaf(t, c, true);
		return;
	case EXPR_SUBQUERY:
		walk_subquery(a, &x->subquery, t, false);
		return;
	case EXPR_AGGREGATE:
		walk_aggregate(a, x, t);
		return;
	case EXPR_BINARY:
		walk_stepwise(a, x, (const struct expr *const[]){x->binary.lhs, x->binary.rhs}, 2, t);
		return;
	case EXPR_UNARY:
		walk(a, x->unary.inner, t);
		return;
	case EXPR_PAREN:
		walk(a, x->paren, t);
		return;
	case EXPR_CALL:
		walk_call(a, x, t);
		return;
	}
}

/* Evaluated at one step, then written out for all. */
static void walk_once(struct account *a, const struct expr *x, struct tally *t)
{
	struct grid one = {.start_ms = t->grid->start_ms, .step_ms = t->grid->step_ms, .n = 1};
	struct tally own = tally_new(a, &one);

	walk_node(a, x, &own);
	for (uint32_t k = 0; k < t->grid->n; k++)
		tally_at(t, k, own.seen, k == 0 ? own.fresh : 0);
	hold(a, size_of(a, x, &one).points * (t->grid->n - 1));
}

static void walk(struct account *a, const struct expr *x, struct tally *t)
{
	const struct expr *node = expr_unparen(x);
	bool is_value = node->type == TYPE_SCALAR || node->type == TYPE_VECTOR;

	if (node->step_invariant && is_value && node->kind != EXPR_NUMBER && t->grid->n > 1)
		walk_once(a, node, t);
	else
		walk_node(a, node, t);
}

void sample_account_take(struct eval *e, const struct expr *root, struct sample_account *out)
{
	struct account a = {.eval = e};
	struct tally t = tally_new(&a, &e->grid);

	walk(&a, root, &t);
	*out = (struct sample_account){.peak = a.peak,
	    .seen = t.seen,
	    .fresh = t.fresh,
	    .seen_by_step = t.seen_by_step,
	    .fresh_by_step = t.fresh_by_step};
}
