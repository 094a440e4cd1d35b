#include "promql/explain.h"

#include "promql/ast_print.h"
#include "promql/eval.h"

/* JSON nests; trees may be deeper than anybody wants to read. */
enum { MAX_DEPTH = 100, SAMPLE_BYTES = 16 };

/* --- what a node is called ------------------------------------------------------------------------------------------------ */

static struct slice print(struct arena *arena, const struct expr *x)
{
	struct strbuf text = STRBUF_INIT;

	ast_print(&text, x);
	struct slice out = arena_slice(arena, strbuf_slice(&text));
	strbuf_done(&text);
	return out;
}

static bool is_literal(const struct expr *x)
{
	return x->kind == EXPR_NUMBER || x->kind == EXPR_STRING;
}

/* "topk(3, ...)": a name with those arguments that are literals; the name alone when there are none. */
static struct slice with_literals(
    struct arena *arena, struct slice name, const struct expr *const *args, size_t n_args)
{
	struct strbuf text = STRBUF_INIT;
	bool any = false;

	for (size_t i = 0; i < n_args; i++)
		any |= is_literal(expr_unparen(args[i]));
	if (!any)
		return name;
	strbuf_add_slice(&text, name);
	for (size_t i = 0; i < n_args; i++) {
		strbuf_adds(&text, i ? ", " : "(");
		if (is_literal(expr_unparen(args[i])))
			ast_print(&text, expr_unparen(args[i]));
		else
			strbuf_adds(&text, "...");
	}
	strbuf_addch(&text, ')');
	struct slice out = arena_slice(arena, strbuf_slice(&text));
	strbuf_done(&text);
	return out;
}

/* The printed form without its operands: "sum by (job) (x)" is head, then what stands in the last parentheses. */
static struct slice aggregate_name(struct arena *arena, const struct expr *x)
{
	const struct aggregate *a = &x->aggregate;
	const struct expr *args[2] = {a->param ? a->param : a->inner, a->inner};
	size_t operands = print(arena, a->inner).len + (a->param ? print(arena, a->param).len + 2 : 0);
	struct slice all = print(arena, x);
	struct slice head = slice_trim(slice_of(all.ptr, all.len - operands - 2));

	return with_literals(arena, head, args, a->param ? 2 : 1);
}

static struct slice binary_name(struct arena *arena, const struct expr *x)
{
	struct slice all = print(arena, x);
	size_t l = print(arena, x->binary.lhs).len, r = print(arena, x->binary.rhs).len;

	return slice_trim(slice_of(all.ptr + l, all.len - l - r));
}

static struct slice name_of(struct arena *arena, const struct expr *x)
{
	switch (x->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
	case EXPR_PAREN:
		break;
	case EXPR_SUBQUERY:
		return arena_printf(arena, "subquery %" SL_FMT,
		    SL_ARG(slice_from(print(arena, x), print(arena, x->subquery.inner).len)));
	case EXPR_AGGREGATE:
		return aggregate_name(arena, x);
	case EXPR_BINARY:
		return binary_name(arena, x);
	case EXPR_UNARY:
		return x->unary.minus ? SL("-") : SL("+");
	case EXPR_CALL:
		return with_literals(arena, slice_cstr(x->call.func->name), x->call.args, x->call.n_args);
	}
	return print(arena, x);
}

static struct slice kind_of(const struct expr *x)
{
	static const struct slice kinds[] = {
	    [EXPR_NUMBER] = SL_INIT("number"),
	    [EXPR_STRING] = SL_INIT("string"),
	    [EXPR_SELECTOR] = SL_INIT("selector"),
	    [EXPR_RANGE_SELECTOR] = SL_INIT("selector"),
	    [EXPR_SUBQUERY] = SL_INIT("subquery"),
	    [EXPR_AGGREGATE] = SL_INIT("aggregation"),
	    [EXPR_BINARY] = SL_INIT("binary"),
	    [EXPR_UNARY] = SL_INIT("unary"),
	    [EXPR_PAREN] = SL_INIT("paren"),
	    [EXPR_CALL] = SL_INIT("call"),
	};
	return kinds[x->kind];
}

/* --- the tree ------------------------------------------------------------------------------------------------------------ */

static struct explain_node *make(struct eval *e, const struct expr *x);

static void add(struct eval *e, struct explain_node *n, const struct expr *child)
{
	if (!is_literal(expr_unparen(child)))
		n->children[n->n_children++] = make(e, child);
}

static void add_children(struct eval *e, struct explain_node *n, const struct expr *x)
{
	size_t room = x->kind == EXPR_CALL ? x->call.n_args : 2;

	n->children = ARENA_ARRAY(e->arena, struct explain_node *, room + 1);
	switch (x->kind) {
	case EXPR_NUMBER:
	case EXPR_STRING:
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
	case EXPR_PAREN:
		break;
	case EXPR_SUBQUERY:
		add(e, n, x->subquery.inner);
		break;
	case EXPR_AGGREGATE:
		if (x->aggregate.param)
			add(e, n, x->aggregate.param);
		add(e, n, x->aggregate.inner);
		break;
	case EXPR_BINARY:
		add(e, n, x->binary.lhs);
		add(e, n, x->binary.rhs);
		break;
	case EXPR_UNARY:
		add(e, n, x->unary.inner);
		break;
	case EXPR_CALL:
		/* The second argument of info() says what to look for, it is not evaluated. */
		for (size_t i = 0; i < x->call.n_args && (i == 0 || x->call.func->id != FN_INFO); i++)
			add(e, n, x->call.args[i]);
		break;
	}
}

static uint64_t matrix_bytes(const struct tile *t)
{
	return (uint64_t)t->rows * (t->steps * sizeof(*t->v) + t->words * sizeof(*t->present));
}

static void take_value(struct explain_node *n, const struct plan_node *p)
{
	uint64_t last;

	if (p->value == NULL)
		return;
	n->was_run = true;
	n->series = p->value->n;
	source_count(p->value, &n->points, &last);
	n->time_ns = p->make_ns + p->value->fill_ns;
	if (p->value->all)
		n->bytes = matrix_bytes(p->value->all);
}

static void take_selector(struct explain_node *n, const struct plan_node *p, bool is_range)
{
	n->was_run |= p->steps > 0;
	n->samples = p->counts.decoded;
	n->bytes = n->samples * SAMPLE_BYTES;
	n->series = p->set ? p->set->n : p->series;
	if (is_range)
		n->time_ns = p->counts.read_ns;
}

static struct explain_node *make(struct eval *e, const struct expr *x)
{
	const struct expr *node = expr_unparen(x);
	const struct plan_node *p = plan_node_of(&e->plan, node);
	struct explain_node *n = ARENA_NEW(e->arena, struct explain_node);
	int64_t below_ns = 0;

	*n = (struct explain_node){.what = name_of(e->arena, node),
	    .kind = kind_of(node),
	    .where = node->pos,
	    .steps = p->is_planned ? p->grid.n : 0,
	    .est_series = p->est_series,
	    .est_samples = p->est_samples};
	add_children(e, n, node);
	if (!e->analyze)
		return n;
	take_value(n, p);
	if (node->kind == EXPR_SELECTOR || node->kind == EXPR_RANGE_SELECTOR)
		take_selector(n, p, node->kind == EXPR_RANGE_SELECTOR);
	for (size_t i = 0; i < n->n_children; i++)
		below_ns += n->children[i]->time_ns;
	/* Scalars and subqueries are not timed themselves. A sum over threads may be more than the time that passed. */
	if (n->time_ns < below_ns)
		n->time_ns = below_ns;
	n->self_ns = n->time_ns - below_ns;
	return n;
}

const struct explain_node *explain_tree(struct eval *e, const struct expr *root)
{
	return make(e, root);
}

/* --- JSON ---------------------------------------------------------------------------------------------------------------- */

static void put_count(struct json *j, const char *key, uint64_t n)
{
	json_key(j, key);
	json_uint(j, n);
}

static void put_seconds(struct json *j, const char *key, int64_t ns)
{
	json_key(j, key);
	json_double(j, (double)ns / 1e9);
}

static void put_estimated(struct json *j, const struct explain_node *n)
{
	json_key(j, "estimated");
	json_object_begin(j);
	put_count(j, "series", n->est_series);
	if (slice_eq(n->kind, SL("selector")))
		put_count(j, "samples", n->est_samples);
	json_object_end(j);
}

static void put_actual(struct json *j, const struct explain_node *n)
{
	json_key(j, "actual");
	json_object_begin(j);
	put_count(j, "series", n->series);
	put_count(j, "points", n->points);
	if (slice_eq(n->kind, SL("selector")))
		put_count(j, "samples", n->samples);
	put_count(j, "bytes", n->bytes);
	put_seconds(j, "seconds", n->time_ns);
	put_seconds(j, "selfSeconds", n->self_ns);
	json_object_end(j);
}

static void put(struct json *j, const struct explain_node *n, bool analyze, unsigned depth)
{
	json_object_begin(j);
	json_key(j, "node");
	json_string(j, n->what);
	json_key(j, "kind");
	json_string(j, n->kind);
	json_key(j, "position");
	json_array_begin(j);
	json_uint(j, n->where.start);
	json_uint(j, n->where.end);
	json_array_end(j);
	put_count(j, "steps", n->steps);
	put_estimated(j, n);
	if (analyze && n->was_run)
		put_actual(j, n);
	json_key(j, "children");
	json_array_begin(j);
	for (size_t i = 0; i < n->n_children && depth < MAX_DEPTH; i++)
		put(j, n->children[i], analyze, depth + 1);
	json_array_end(j);
	json_object_end(j);
}

void explain_put(struct json *j, const struct explain_node *n, bool analyze)
{
	put(j, n, analyze, 0);
}
