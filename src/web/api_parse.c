/* parse_query: a query's tree as JSON, one object a node. Upstream: web/api/v1/translate_ast.go. */
#include "web/api_call.h"

#include "base/double_text.h"
#include "promql/functions.h"
#include "web/api_json.h"

/* A node is one object, and one list where it has several children: well within JSON_MAX_DEPTH. */
enum { MAX_SHOWN_DEPTH = 100 };

static void put_expr(struct json *j, const struct expr *e);

static void put_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

static void put_cstr(struct json *j, const char *key, const char *s)
{
	put_text(j, key, slice_cstr(s));
}

static void put_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

static void put_child(struct json *j, const char *key, const struct expr *e)
{
	json_key(j, key);
	if (e)
		put_expr(j, e);
	else
		json_null(j);
}

static void put_strings(struct json *j, const char *key, const struct slice *v, size_t n)
{
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < n; i++)
		json_string(j, v[i]);
	json_array_end(j);
}

static void put_number_text(struct json *j, double v)
{
	char text[DOUBLE_TEXT_MAX];
	put_text(j, "val", slice_of(text, double_to_shortest_f(v, text)));
}

/* --- durations --------------------------------------------------------------------------------------------------- */

static const char *duration_op_text(enum duration_op op)
{
	static const char *const names[] = {[DURATION_NUMBER] = "",
	    [DURATION_ADD] = "+",
	    [DURATION_SUB] = "-",
	    [DURATION_MUL] = "*",
	    [DURATION_DIV] = "/",
	    [DURATION_MOD] = "%",
	    [DURATION_POW] = "^",
	    [DURATION_STEP] = "step",
	    [DURATION_RANGE] = "range",
	    [DURATION_MIN_OF] = "min_of",
	    [DURATION_MAX_OF] = "max_of"};
	return names[op];
}

/* Arithmetic that is deeper than the writer can go is left out; nobody writes such durations. */
static void put_duration_expr(struct json *j, const struct duration_expr *d)
{
	if (!d || d->depth + j->depth + 2u > JSON_MAX_DEPTH) {
		json_null(j);
		return;
	}
	json_object_begin(j);
	if (d->op == DURATION_NUMBER) {
		put_cstr(j, "type", "numberLiteral");
		put_number_text(j, d->number);
		put_bool(j, "duration", d->is_duration);
	} else {
		put_cstr(j, "type", "durationExpr");
		put_cstr(j, "op", duration_op_text(d->op));
		json_key(j, "lhs");
		put_duration_expr(j, d->lhs);
		json_key(j, "rhs");
		put_duration_expr(j, d->rhs);
		put_bool(j, "wrapped", d->wrapped);
	}
	json_object_end(j);
}

static void put_duration(struct json *j, const char *key, const char *expr_key, const struct ast_duration *d)
{
	json_key(j, key);
	json_int(j, d->ms);
	json_key(j, expr_key);
	put_duration_expr(j, d->expr);
}

static void put_shift(struct json *j, const struct time_shift *s)
{
	put_duration(j, "offset", "offsetExpr", &s->offset);
	json_key(j, "timestamp");
	if (s->at == AT_TIME)
		json_int(j, s->at_ms);
	else
		json_null(j);
	json_key(j, "startOrEnd");
	if (s->at == AT_START || s->at == AT_END)
		json_cstr(j, s->at == AT_START ? "start" : "end");
	else
		json_null(j);
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */

static void put_matchers(struct json *j, const struct selector *s)
{
	json_key(j, "matchers");
	json_array_begin(j);
	for (size_t i = 0; i < s->n_matchers; i++) {
		json_object_begin(j);
		put_text(j, "name", s->matchers[i]->name);
		put_cstr(j, "type", match_op_text(s->matchers[i]->op));
		put_text(j, "value", s->matchers[i]->value);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_selector(struct json *j, const struct expr *e)
{
	const struct selector *s = &e->selector;
	bool has_range = e->kind == EXPR_RANGE_SELECTOR;
	put_cstr(j, "type", has_range ? "matrixSelector" : "vectorSelector");
	put_text(j, "name", s->name);
	if (has_range)
		put_duration(j, "range", "rangeExpr", &s->range);
	put_matchers(j, s);
	put_shift(j, &s->shift);
	put_bool(j, "anchored", s->anchored);
	put_bool(j, "smoothed", s->smoothed);
}

static void put_subquery(struct json *j, const struct subquery *s)
{
	put_cstr(j, "type", "subquery");
	put_child(j, "expr", s->inner);
	put_duration(j, "range", "rangeExpr", &s->range);
	put_duration(j, "step", "stepExpr", &s->step);
	put_shift(j, &s->shift);
}

static void put_aggregate(struct json *j, const struct aggregate *a)
{
	put_cstr(j, "type", "aggregation");
	put_cstr(j, "op", aggregate_op_text(a->op));
	put_child(j, "expr", a->inner);
	put_child(j, "param", a->param);
	put_strings(j, "grouping", a->labels, a->n_labels);
	put_bool(j, "without", a->without);
}

static void put_fill(struct json *j, const char *key, bool is_given, double v)
{
	json_key(j, key);
	if (is_given)
		json_double(j, v);
	else
		json_null(j);
}

static void put_matching(struct json *j, const struct vector_matching *m)
{
	static const char *const cards[] = {[CARD_ONE_TO_ONE] = "one-to-one",
	    [CARD_MANY_TO_ONE] = "many-to-one",
	    [CARD_ONE_TO_MANY] = "one-to-many",
	    [CARD_MANY_TO_MANY] = "many-to-many"};
	json_key(j, "matching");
	if (!m) {
		json_null(j);
		return;
	}
	json_object_begin(j);
	put_cstr(j, "card", cards[m->card]);
	put_strings(j, "labels", m->labels, m->n_labels);
	put_bool(j, "on", m->on);
	put_strings(j, "include", m->include, m->n_include);
	json_key(j, "fillValues");
	json_object_begin(j);
	put_fill(j, "lhs", m->has_fill_left, m->fill_left);
	put_fill(j, "rhs", m->has_fill_right, m->fill_right);
	json_object_end(j);
	json_object_end(j);
}

static void put_binary(struct json *j, const struct binary *b)
{
	put_cstr(j, "type", "binaryExpr");
	put_cstr(j, "op", binary_op_text(b->op));
	put_child(j, "lhs", b->lhs);
	put_child(j, "rhs", b->rhs);
	put_matching(j, b->matching);
	put_bool(j, "bool", b->return_bool);
}

static void put_call(struct json *j, const struct call *c)
{
	const struct function *f = c->func;
	put_cstr(j, "type", "call");
	json_key(j, "func");
	json_object_begin(j);
	put_cstr(j, "name", f->name);
	json_key(j, "argTypes");
	json_array_begin(j);
	for (size_t i = 0; i < f->n_types; i++)
		json_cstr(j, value_type_api_name(function_arg_type(f, i)));
	json_array_end(j);
	json_key(j, "variadic");
	json_int(j, f->variadic);
	put_cstr(j, "returnType", value_type_api_name(f->result));
	json_object_end(j);
	json_key(j, "args");
	json_array_begin(j);
	for (size_t i = 0; i < c->n_args; i++)
		put_expr(j, c->args[i]);
	json_array_end(j);
}

static void put_expr(struct json *j, const struct expr *e)
{
	json_object_begin(j);
	switch (e->kind) {
	case EXPR_NUMBER:
		put_cstr(j, "type", "numberLiteral");
		put_number_text(j, e->number.value);
		break;
	case EXPR_STRING:
		put_cstr(j, "type", "stringLiteral");
		put_text(j, "val", e->string);
		break;
	case EXPR_SELECTOR:
	case EXPR_RANGE_SELECTOR:
		put_selector(j, e);
		break;
	case EXPR_SUBQUERY:
		put_subquery(j, &e->subquery);
		break;
	case EXPR_AGGREGATE:
		put_aggregate(j, &e->aggregate);
		break;
	case EXPR_BINARY:
		put_binary(j, &e->binary);
		break;
	case EXPR_UNARY:
		put_cstr(j, "type", "unaryExpr");
		put_cstr(j, "op", e->unary.minus ? "-" : "+");
		put_child(j, "expr", e->unary.inner);
		break;
	case EXPR_PAREN:
		put_cstr(j, "type", "parenExpr");
		put_child(j, "expr", e->paren);
		break;
	case EXPR_CALL:
		put_call(j, &e->call);
		break;
	}
	json_object_end(j);
}

int api_parse_query(struct api_call *c, struct err *err)
{
	const struct expr *e;
	int rc = promql_parse(c->arena, api_param(c, "query"), &c->deps->parse, &e, err);
	if (rc)
		return err_prefix(err, "invalid parameter \"query\": ");
	if (e->depth > MAX_SHOWN_DEPTH)
		return err_set(err, ERR_LIMIT,
		    "expression is nested too deeply to be shown (limit: %d levels)", MAX_SHOWN_DEPTH);
	put_expr(&c->json, e);
	return 0;
}
