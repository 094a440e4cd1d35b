/* The tree of a PromQL expression. It is made by promql/parse.h, lives in the arena given there, and never
 * changes afterwards: one tree may be evaluated by many threads at once, each with a state of its own beside
 * it (nodes are numbered densely for that). It knows nothing of samples.
 *
 * Every node has its type, the bytes of the query it came from, and whether its value is the same at each
 * step. Durations that are expressions (`[step() + 1m]`) and the times of `@ start()` / `@ end()` have no
 * value yet: promql/prepare.h makes the copy of the tree in which they have. */
#pragma once

#include "base/slice.h"
#include "base/strbuf.h"
#include "model/matcher.h"
#include <stdbool.h>
#include <stdint.h>

struct function; /* promql/functions.h */

enum value_type { TYPE_NONE, TYPE_SCALAR, TYPE_VECTOR, TYPE_MATRIX, TYPE_STRING };

/* "instant vector", "range vector", ... as errors name them; and "vector", "matrix", ... as the API does. */
const char *value_type_name(enum value_type t);
const char *value_type_api_name(enum value_type t);

enum expr_kind {
	EXPR_NUMBER,
	EXPR_STRING,
	EXPR_SELECTOR,       /* `selector`, type vector */
	EXPR_RANGE_SELECTOR, /* `selector` with a range, type matrix */
	EXPR_SUBQUERY,
	EXPR_AGGREGATE,
	EXPR_BINARY,
	EXPR_UNARY, /* minus or plus; a sign before a number is folded into it */
	EXPR_PAREN,
	EXPR_CALL,
};

enum binary_op {
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_MOD,
	OP_POW,
	OP_ATAN2,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_TRIM_UPPER, /* </ */
	OP_TRIM_LOWER, /* >/ */
	OP_AND,
	OP_OR,
	OP_UNLESS,
};

/* "+", "and", ... */
const char *binary_op_text(enum binary_op op);
static inline bool binary_op_is_comparison(enum binary_op op)
{
	return op >= OP_EQ && op <= OP_GE;
}
static inline bool binary_op_is_set(enum binary_op op)
{
	return op >= OP_AND;
}

enum aggregate_op {
	AGG_SUM,
	AGG_AVG,
	AGG_COUNT,
	AGG_MIN,
	AGG_MAX,
	AGG_GROUP,
	AGG_STDDEV,
	AGG_STDVAR,
	AGG_TOPK,
	AGG_BOTTOMK,
	AGG_COUNT_VALUES,
	AGG_QUANTILE,
	AGG_LIMITK,
	AGG_LIMIT_RATIO,
};

const char *aggregate_op_text(enum aggregate_op op);

/* Bytes of the query: start inclusive, end exclusive. */
struct ast_range {
	uint32_t start, end;
};

enum duration_op {
	DURATION_NUMBER, /* seconds in `number` */
	DURATION_ADD,    /* unary when lhs is NULL */
	DURATION_SUB,    /* unary when lhs is NULL */
	DURATION_MUL,
	DURATION_DIV,
	DURATION_MOD,
	DURATION_POW,
	DURATION_STEP,
	DURATION_RANGE,
	DURATION_MIN_OF,
	DURATION_MAX_OF,
};

/* What stands in `[...]` or behind `offset` when it is more than a literal. */
struct duration_expr {
	enum duration_op op;
	bool is_duration; /* DURATION_NUMBER written with a unit */
	bool wrapped;     /* in parentheses */
	uint32_t depth;
	struct ast_range pos;
	double number;
	const struct duration_expr *lhs, *rhs;
};

/* A duration in the tree. `expr` NULL: a literal, and `ms` is its value. Else `ms` is 0 until
 * promql/prepare.h. */
struct ast_duration {
	int64_t ms;
	const struct duration_expr *expr;
};

enum at_kind { AT_NONE, AT_TIME, AT_START, AT_END };

/* `@` and `offset` of a selector or a subquery: data of time T is looked up at (at_ms or T) - offset.ms. */
struct time_shift {
	enum at_kind at;
	int64_t at_ms; /* AT_TIME; AT_START and AT_END: after promql/prepare.h */
	struct ast_duration offset;
};

struct selector {
	struct slice name;                     /* written before the braces; else empty */
	const struct matcher *const *matchers; /* the one for `name` last */
	size_t n_matchers;
	struct ast_duration range; /* EXPR_RANGE_SELECTOR */
	struct time_shift shift;
	bool anchored, smoothed;
	struct ast_range pos; /* without range and modifiers */
};

struct subquery {
	const struct expr *inner;
	struct ast_duration range;
	struct ast_duration step; /* 0 and no expression: the default of the server */
	struct time_shift shift;
};

struct aggregate {
	enum aggregate_op op;
	bool without;
	const struct slice *labels; /* as written, duplicates kept */
	size_t n_labels;
	const struct expr *inner;
	const struct expr *param; /* k, q or the label of count_values; else NULL */
};

enum vector_card { CARD_ONE_TO_ONE, CARD_MANY_TO_ONE, CARD_ONE_TO_MANY, CARD_MANY_TO_MANY };

/* How the two sides of a vector operation find each other. */
struct vector_matching {
	enum vector_card card; /* group_left: many-to-one; set operators: many-to-many */
	bool on;               /* else ignoring */
	const struct slice *labels;
	size_t n_labels;
	const struct slice *include; /* of group_left/group_right */
	size_t n_include;
	bool has_fill_left, has_fill_right;
	double fill_left, fill_right;
};

struct binary {
	enum binary_op op;
	bool return_bool;
	const struct expr *lhs, *rhs;
	const struct vector_matching *matching; /* NULL unless both sides are vectors */
	struct ast_range op_pos;                /* the operator with its modifiers */
};

struct unary {
	bool minus;
	const struct expr *inner;
};

struct call {
	const struct function *func;
	const struct expr *const *args;
	size_t n_args;
};

struct number {
	double value;
	bool is_duration; /* written with a unit: printed so */
};

struct expr {
	enum expr_kind kind;
	enum value_type type;
	/* Children have smaller ids than their parent, so that the root's id + 1 is the number of nodes. */
	uint32_t id;
	uint32_t depth; /* of the tree below, this node included; at most AST_MAX_DEPTH */
	/* The value does not depend on the step: evaluated once, repeated. */
	bool step_invariant;
	struct ast_range pos;
	union {
		struct number number;
		struct slice string; /* unquoted */
		struct selector selector;
		struct subquery subquery;
		struct aggregate aggregate;
		struct binary binary;
		struct unary unary;
		const struct expr *paren;
		struct call call;
	};
};

/* Deeper expressions are refused by the parser, so that walks over a tree may recurse. */
enum { AST_MAX_DEPTH = 1000 };

/* The expression within any parentheses. */
const struct expr *expr_unparen(const struct expr *e);
