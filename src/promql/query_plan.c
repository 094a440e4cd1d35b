#include "promql/query_plan.h"

#include "promql/ast_print.h"
#include "promql/eval.h"
#include "promql/parse.h"
#include "promql/series_select.h"
#include "promql/shared_series.h"

#include <inttypes.h>

void query_plan_init(struct query_plan *p, struct arena *arena, const struct expr *root)
{
	p->n = (size_t)root->id + 1;
	/* One more, for what info() reads twice and should count once. */
	p->nodes = ARENA_ARRAY(arena, struct plan_node, p->n + 1);
}

struct leaf_counts *query_plan_counts(struct eval *e, const struct expr *x, const struct grid *grid)
{
	struct plan_node *n = plan_node_of(&e->plan, x);
	struct leaf_counts *c = &n->counts;

	n->expr = n->expr ? n->expr : x;
	n->steps = grid->n;
	if (e->wants_steps && c->seen_by_step == NULL) {
		c->seen_by_step = ARENA_ARRAY(e->arena, _Atomic uint64_t, grid->n);
		c->fresh_by_step = ARENA_ARRAY(e->arena, _Atomic uint64_t, grid->n);
	}
	return c;
}

/* --- looking up --------------------------------------------------------------------------------------------------------- */

static bool same_hints(const struct select_hints *a, const struct select_hints *b)
{
	return a->start_ms == b->start_ms && a->end_ms == b->end_ms && a->step_ms == b->step_ms &&
	       a->range_ms == b->range_ms && a->newest_only == b->newest_only;
}

static bool same_matchers(const struct selector *a, const struct selector *b)
{
	if (a->n_matchers != b->n_matchers)
		return false;
	for (size_t i = 0; i < a->n_matchers; i++) {
		const struct matcher *m = a->matchers[i], *n = b->matchers[i];
		if (m->op != n->op || !slice_eq(m->name, n->name) || !slice_eq(m->value, n->value))
			return false;
	}
	return true;
}

struct series_set *query_plan_set(
    const struct query_plan *p, const struct expr *x, const struct select_hints *hints)
{
	const struct plan_node *n = plan_node_of(p, x);
	return n->set && n->expr == x && same_hints(&n->hints, hints) ? n->set : NULL;
}

/* The same selector elsewhere in the query: what one of them decodes the other need not. */
static struct plan_node *find_same(struct query_plan *p, const struct plan_node *n)
{
	for (size_t i = 0; i < p->n; i++) {
		struct plan_node *other = &p->nodes[i];
		if (other != n && other->set && same_hints(&other->hints, &n->hints) &&
		    same_matchers(&other->expr->selector, &n->expr->selector))
			return other;
	}
	return NULL;
}

static int look_up(struct eval *e, struct plan_node *n, struct err *err)
{
	const struct selector *sel = &n->expr->selector;
	struct plan_node *same = find_same(&e->plan, n);

	if (same) {
		same->set = shared_series(e->arena, same->set);
		n->set = same->set;
		n->est_series = n->set->n;
		return 0;
	}
	int rc = e->querier->ops->select(
	    e->querier, e->arena, sel->matchers, sel->n_matchers, false, &n->hints, &n->set, err);
	if (rc)
		return err_prefix(err, "expanding series: ");
	n->est_series = n->set->n;
	n->est_samples = series_set_cost(n->set);
	e->plan.series += n->est_series;
	return 0;
}

/* --- the walk ----------------------------------------------------------------------------------------------------------- */

static int walk(
    struct eval *e, const struct expr *x, const struct grid *grid, const char *func, struct err *err);

static int walk_selector(
    struct eval *e, struct plan_node *n, const struct grid *grid, const char *func, struct err *err)
{
	const struct selector *sel = &n->expr->selector;
	bool is_range = n->expr->kind == EXPR_RANGE_SELECTOR;
	int64_t range_ms = is_range ? sel->range.ms : sel->smoothed ? 0 : e->lookback_ms;
	struct window_spec spec = window_spec_for(&sel->shift, grid, range_ms);

	if (is_range)
		window_spec_extend(&spec, sel, e->lookback_ms);
	else if (sel->smoothed)
		spec.before_ms = spec.after_ms = e->lookback_ms;
	n->hints = select_hints_for(sel, &spec, !is_range && !sel->smoothed && grid->n == 1, func);
	return look_up(e, n, err);
}

static int walk_call(struct eval *e, struct plan_node *n, const struct grid *grid, struct err *err)
{
	const struct call *call = &n->expr->call;
	int rc = 0;

	n->est_series = 1;
	for (size_t i = 0; rc == 0 && i < call->n_args; i++) {
		/* The second argument of info() is no vector, it says which series to look for. */
		if (call->func->id == FN_INFO && i == 1)
			break;
		const struct expr *arg = expr_unparen(call->args[i]);
		rc = walk(e, arg, grid, call->func->name, err);
		uint64_t series = plan_node_of(&e->plan, arg)->est_series;
		bool is_series = arg->type == TYPE_VECTOR || arg->type == TYPE_MATRIX;
		if (is_series && n->expr->type == TYPE_VECTOR && series > n->est_series)
			n->est_series = series;
	}
	if (call->func->id == FN_ABSENT || call->func->id == FN_ABSENT_OVER_TIME)
		n->est_series = 1;
	return rc;
}

static int walk_aggregate(struct eval *e, struct plan_node *n, const struct grid *grid, struct err *err)
{
	const struct aggregate *a = &n->expr->aggregate;
	bool picks =
	    a->op == AGG_TOPK || a->op == AGG_BOTTOMK || a->op == AGG_LIMITK || a->op == AGG_LIMIT_RATIO;
	int rc = walk(e, a->inner, grid, aggregate_op_text(a->op), err);

	if (rc == 0 && a->param)
		rc = walk(e, a->param, grid, NULL, err);
	n->est_series = plan_node_of(&e->plan, a->inner)->est_series;
	if (!a->without && a->n_labels == 0 && !picks && a->op != AGG_COUNT_VALUES && n->est_series > 1)
		n->est_series = 1;
	return rc;
}

static int walk_binary(struct eval *e, struct plan_node *n, const struct grid *grid, struct err *err)
{
	const struct binary *b = &n->expr->binary;
	int rc = walk(e, b->lhs, grid, NULL, err);

	if (rc == 0)
		rc = walk(e, b->rhs, grid, NULL, err);
	uint64_t l = plan_node_of(&e->plan, b->lhs)->est_series,
		 r = plan_node_of(&e->plan, b->rhs)->est_series;
	n->est_series = b->op == OP_OR && b->matching ? l + r : l > r ? l : r;
	return rc;
}

static int walk_child(
    struct eval *e, struct plan_node *n, const struct expr *child, const struct grid *grid, struct err *err)
{
	int rc = walk(e, child, grid, NULL, err);
	n->est_series = plan_node_of(&e->plan, child)->est_series;
	return rc;
}

static int walk_node(
    struct eval *e, struct plan_node *n, const struct grid *grid, const char *func, struct err *err)
{
	const struct expr *x = n->expr;
	struct grid inner;

	switch (x->kind) {
	case EXPR_NUMBER:
		n->est_series = 1;
		return 0;
	case EXPR_STRING:
		return 0;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		return walk_selector(e, n, grid, func, err);
	case EXPR_SUBQUERY:
		return eval_subquery_grid(e, &x->subquery, grid, &inner)
			   ? walk_child(e, n, x->subquery.inner, &inner, err)
			   : 0;
	case EXPR_AGGREGATE:
		return walk_aggregate(e, n, grid, err);
	case EXPR_BINARY:
		return walk_binary(e, n, grid, err);
	case EXPR_UNARY:
		return walk_child(e, n, x->unary.inner, grid, err);
	case EXPR_PAREN:
		return walk_child(e, n, x->paren, grid, err);
	case EXPR_CALL:
		return walk_call(e, n, grid, err);
	}
	return 0;
}

static int walk(
    struct eval *e, const struct expr *x, const struct grid *grid, const char *func, struct err *err)
{
	struct plan_node *n = plan_node_of(&e->plan, x);
	struct grid once = {.start_ms = grid->start_ms, .step_ms = grid->step_ms, .n = 1};

	n->expr = x;
	n->grid = x->step_invariant && grid->n > 1 ? once : *grid;
	n->is_planned = true;
	int rc = walk_node(e, n, &n->grid, func, err);
	e->plan.cost += n->est_samples;
	if (x->type == TYPE_VECTOR)
		e->plan.cost += n->est_series * n->grid.n;
	return rc;
}

int query_plan_select(struct eval *e, const struct expr *root, struct err *err)
{
	return walk(e, root, &e->grid, NULL, err);
}

/* --- what cost most ----------------------------------------------------------------------------------------------------- */

static uint64_t samples_of(const struct plan_node *n)
{
	uint64_t decoded = n->counts.decoded;
	return decoded ? decoded : n->est_samples;
}

struct slice query_plan_heaviest(const struct eval *e, struct arena *arena)
{
	const struct plan_node *most = NULL;
	uint32_t line = 1, column = 1;

	for (size_t i = 0; i < e->plan.n; i++) {
		const struct plan_node *n = &e->plan.nodes[i];
		bool is_selector =
		    n->expr && (n->expr->kind == EXPR_SELECTOR || n->expr->kind == EXPR_RANGE_SELECTOR);
		if (is_selector && (most == NULL || samples_of(n) > samples_of(most)))
			most = n;
	}
	if (most == NULL || samples_of(most) == 0)
		return SL_EMPTY;
	struct strbuf text = STRBUF_INIT;
	ast_print(&text, most->expr);
	promql_position(e->notes.query, most->expr->pos.start, &line, &column);
	strbuf_addf(&text, " (%u:%u) cost most: %" PRIu64 " series, %" PRIu64 " samples", line, column,
	    most->set ? (uint64_t)most->set->n : most->series, samples_of(most));
	struct slice out = arena_slice(arena, strbuf_slice(&text));
	strbuf_done(&text);
	return out;
}
