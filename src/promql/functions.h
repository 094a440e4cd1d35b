/* The functions of PromQL: one row each (promql/functions_table.h), from which the parser, the evaluator, the
 * API and the manual take what they need. Constant data. */
#pragma once

#include "base/slice.h"
#include "promql/ast.h"

/* FN_ABS, FN_RATE, ...: for tables of the evaluator. */
enum function_id {
#define FUNCTION(id, name, types, variadic, result, flags, doc) FN_##id,
#include "promql/functions_table.h"
#undef FUNCTION
	FUNCTION_COUNT
};

enum function_flags {
	FUNCTION_EXPERIMENTAL = 1,
	FUNCTION_USES_TIME = 2, /* its value follows the time of evaluation even when its arguments do not */
};

struct function {
	enum function_id id;
	const char *name;
	const char *types; /* a letter per argument, as in the table */
	uint8_t n_types;
	/* 0: exactly n_types arguments. Else at least n_types - 1, and at most `variadic` more than that; -1:
	 * any number. */
	int8_t variadic;
	enum value_type result;
	unsigned flags;
	const char *doc; /* one line */
};

extern const struct function functions[FUNCTION_COUNT];

/* What argument `i` has to be; the last type stands for all further arguments. f->n_types must not be 0. */
enum value_type function_arg_type(const struct function *f, size_t i);

/* By name (case matters), or NULL. */
const struct function *function_find(struct slice name);
