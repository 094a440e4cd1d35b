#include "promql/ast.h"
#include <assert.h>

const char *value_type_name(enum value_type t)
{
	static const char *const names[] = {"none", "scalar", "instant vector", "range vector", "string"};
	return names[t];
}

const char *value_type_api_name(enum value_type t)
{
	static const char *const names[] = {"none", "scalar", "vector", "matrix", "string"};
	return names[t];
}

const char *binary_op_text(enum binary_op op)
{
	static const char *const texts[] = {
	    [OP_ADD] = "+",
	    [OP_SUB] = "-",
	    [OP_MUL] = "*",
	    [OP_DIV] = "/",
	    [OP_MOD] = "%",
	    [OP_POW] = "^",
	    [OP_ATAN2] = "atan2",
	    [OP_EQ] = "==",
	    [OP_NE] = "!=",
	    [OP_LT] = "<",
	    [OP_LE] = "<=",
	    [OP_GT] = ">",
	    [OP_GE] = ">=",
	    [OP_TRIM_UPPER] = "</",
	    [OP_TRIM_LOWER] = ">/",
	    [OP_AND] = "and",
	    [OP_OR] = "or",
	    [OP_UNLESS] = "unless",
	};
	return texts[op];
}

const char *aggregate_op_text(enum aggregate_op op)
{
	static const char *const texts[] = {
	    [AGG_SUM] = "sum",
	    [AGG_AVG] = "avg",
	    [AGG_COUNT] = "count",
	    [AGG_MIN] = "min",
	    [AGG_MAX] = "max",
	    [AGG_GROUP] = "group",
	    [AGG_STDDEV] = "stddev",
	    [AGG_STDVAR] = "stdvar",
	    [AGG_TOPK] = "topk",
	    [AGG_BOTTOMK] = "bottomk",
	    [AGG_COUNT_VALUES] = "count_values",
	    [AGG_QUANTILE] = "quantile",
	    [AGG_LIMITK] = "limitk",
	    [AGG_LIMIT_RATIO] = "limit_ratio",
	};
	return texts[op];
}

const struct expr *expr_unparen(const struct expr *e)
{
	while (e->kind == EXPR_PAREN)
		e = e->paren;
	return e;
}
